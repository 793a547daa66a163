"""Queries carried out: which fields can be asked for, how they compare, and the pages of the answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.quickbooks.answers import Refused
from sandbox.quickbooks.books import shown
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.query_language import CURRENT_DATE, Condition, Statement
from sandbox.quickbooks.records import Selection
from sandbox.quickbooks.shapes import BY_PATH, LISTS
from sandbox.quickbooks.wire import amount, fold, parse_day, parse_moment, stamp

Json = dict[str, Any]
DEFAULT_PAGE, LARGEST_PAGE = 100, 1000

_NAMES = "Name:name Active:bool FullyQualifiedName:text"
_PERSON = "DisplayName:name GivenName:text MiddleName:text FamilyName:text CompanyName:text PrintOnCheckName:text"
_SALE = "DocNumber:number TxnDate:date TotalAmt:money Balance:money CustomerRef:party"
_FILTERABLE = {
    "Customer": f"{_PERSON} Active:bool Balance:money FullyQualifiedName:text PrimaryEmailAddr:email AcctNum:text",
    "Vendor": f"{_PERSON} Active:bool Balance:money PrimaryEmailAddr:email AcctNum:text",
    "Employee": f"{_PERSON} Active:bool",
    "Account": f"{_NAMES} AccountType:text AccountSubType:text Classification:text CurrentBalance:money AcctNum:text",
    "Item": f"{_NAMES} Type:text Sku:text UnitPrice:money",
    "Class": _NAMES,
    "Department": _NAMES,
    "Term": _NAMES,
    "PaymentMethod": f"{_NAMES} Type:text",
    "CompanyCurrency": "Name:name Code:text Active:bool",
    "TaxCode": "Name:name Active:bool",
    "TaxRate": "Name:name Active:bool",
    "TaxAgency": "DisplayName:name",
    "Invoice": f"{_SALE} DueDate:date",
    "CreditMemo": _SALE,
    "RefundReceipt": _SALE,
    "Bill": "DocNumber:number TxnDate:date DueDate:date TotalAmt:money Balance:money VendorRef:party",
    "VendorCredit": "DocNumber:number TxnDate:date TotalAmt:money Balance:money VendorRef:party",
    "Payment": "PaymentRefNum:number TxnDate:date TotalAmt:money CustomerRef:party",
    "BillPayment": "DocNumber:number TxnDate:date TotalAmt:money VendorRef:party",
    "Deposit": "TxnDate:date TotalAmt:money DocNumber:number",
    "CompanyInfo": "",
    "Preferences": "",
    "ExchangeRate": "SourceCurrencyCode:text AsOfDate:date",
}
_COMMON = "Id:id SyncToken:text MetaData.CreateTime:created MetaData.LastUpdatedTime:updated"
_FIELDS = {
    kind: {(pair := one.split(":"))[0].lower(): (pair[0], pair[1]) for one in f"{_COMMON} {text}".split()}
    for kind, text in _FILTERABLE.items()
}
_SWITCHED = {
    ("Customer", "PrimaryEmailAddr"): "customer_email_queryable",
    ("Vendor", "PrimaryEmailAddr"): "vendor_email_queryable",
    ("Customer", "AcctNum"): "account_number_queryable",
    ("Vendor", "AcctNum"): "account_number_queryable",
}
_COLUMNS = {"id": "id", "name": "name", "number": "number", "party": "party", "date": "day", "updated": "updated"}


class Queries:
    """Carries out statements over what is kept."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def answer(self, statement: Statement, as_of: datetime | None) -> Json:
        """The ``QueryResponse``: the page, or the count. Raises Refused."""
        kind = BY_PATH.get(statement.entity.lower())
        if kind is None:
            detail = f"QueryValidationError: Invalid context declaration: {statement.entity}"
            raise Refused("4001", detail)
        if kind == "ExchangeRate":
            return self._rates(statement)
        conditions, values = self._where(kind, statement.conditions)
        order = ", ".join(f"{self._sorted(kind, name)} {'DESC' if down else 'ASC'}" for name, down in statement.order)
        order = f"{order}, CAST(id AS INTEGER)" if order else "CAST(id AS INTEGER), id"
        selection = Selection(kind, conditions, values, order, as_of)
        if statement.count:
            return {"totalCount": self._company.records.number_of(selection)}
        found = self._company.records.find(selection, self._page(statement), statement.start - 1)
        return self.page(kind, [shown(doc) for doc in found], statement.start)

    @staticmethod
    def page(kind: str, docs: list[Json], start: int) -> Json:
        """One page; an empty one has nothing in it at all."""
        return {kind: docs, "startPosition": start, "maxResults": len(docs)} if docs else {}

    def _page(self, statement: Statement) -> int:
        asked = min(statement.limit or DEFAULT_PAGE, LARGEST_PAGE)
        short = self._company.readings["short_pages"]
        return min(asked, int(short)) if short else asked

    def _where(self, kind: str, conditions: tuple[Condition, ...]) -> tuple[list[str], list[Any]]:
        found, values = [], []
        for condition in conditions:
            sql, given = self._condition(kind, condition)
            found.append(sql)
            values += given
        asked = {one.field.lower() for one in conditions}
        if kind in LISTS and "active" in _FIELDS[kind] and "active" not in asked:
            found.append("json_extract(doc, '$.Active')")
        if kind in ("Payment", "BillPayment") and not self._company.readings["voided_payments_in_queries"]:
            found.append("json_extract(doc, '$._Voided') IS NULL")
        return found, values

    def _field(self, kind: str, name: str) -> tuple[str, str]:
        path, type_ = _FIELDS[kind].get(name.removesuffix(".value").lower(), ("", ""))
        switched = _SWITCHED.get((kind, path))
        if not path or (switched and not self._company.readings[switched]):
            raise Refused("4001", f"QueryValidationError: property '{name}' is not queryable")
        return path, type_

    def _sorted(self, kind: str, name: str) -> str:
        path, type_ = self._field(kind, name)
        return "CAST(id AS INTEGER)" if type_ == "id" else self._expression(path, type_)

    def _expression(self, path: str, type_: str) -> str:
        if type_ in _COLUMNS and path not in ("DueDate", "AsOfDate"):
            return _COLUMNS[type_]
        if type_ == "email":
            return "quickbooks_fold(json_extract(doc, '$.PrimaryEmailAddr.Address'))"
        found = f"json_extract(doc, '$.{path}')"
        return f"quickbooks_fold({found})" if type_ == "text" else found

    def _condition(self, kind: str, condition: Condition) -> tuple[str, list[Any]]:
        path, type_ = self._field(kind, condition.field)
        expression = self._expression(path, type_)
        if type_ == "id" and condition.operator not in ("=", "IN"):
            raise Refused("4001", "QueryValidationError: property 'Id' takes = and IN only")
        if condition.operator == "IN":
            marks = ", ".join("?" for _ in condition.value)
            return f"{expression} IN ({marks})", [self._read(type_, one, condition) for one in condition.value]
        value = self._read(type_, condition.value, condition)
        if condition.operator == "LIKE":
            text = str(value).replace("\\", "\\\\").replace("_", "\\_")
            return f"{expression} LIKE ? ESCAPE '\\'", [text]
        if value == " " or value == "":  # how the language writes "nothing"
            return (f"{expression} IS NULL" if condition.operator == "=" else f"{expression} IS NOT NULL"), []
        if condition.operator == "!=":
            return f"({expression} IS NULL OR {expression} != ?)", [value]
        return f"{expression} {condition.operator} ?", [value]

    def _read(self, type_: str, value: Any, condition: Condition) -> Any:
        """A value as it is compared. Raises Refused."""
        try:
            if type_ == "bool":
                return int(fold(value) == "true")
            if type_ == "money":
                return float(amount(value))
            if type_ == "date":
                return self._day(value)
            if type_ in ("updated", "created"):
                return self._moment(type_, value)
        except ValueError as error:
            detail = f"QueryValidationError: value {value!r} for property {condition.field} cannot be read"
            raise Refused("4001", detail) from error
        if value == " ":
            return value
        return str(value) if type_ in ("id", "party") else fold(value)

    def _day(self, value: Any) -> str:
        return (self._company.today() if value is CURRENT_DATE else parse_day(value)).isoformat()

    def _moment(self, type_: str, value: Any) -> Any:
        moment = parse_moment(self._day(value) if value is CURRENT_DATE else str(value), self._company.zone)
        return int(moment.timestamp()) if type_ == "updated" else stamp(moment)

    def _rates(self, statement: Statement) -> Json:
        """Rates have no list: every active currency has one for each day."""
        day = self._company.today()
        codes = [one["Code"] for one in self._company.records.find(Selection("CompanyCurrency")) if one["Active"]]
        for condition in statement.conditions:
            path, _ = self._field("ExchangeRate", condition.field)
            wanted = condition.value if condition.operator == "IN" else [condition.value]
            if condition.operator not in ("=", "IN"):
                raise Refused("4001", f"QueryValidationError: property '{path}' takes = and IN only")
            if path == "SourceCurrencyCode":
                codes = [code for code in codes if code in wanted]
            elif path == "AsOfDate":
                day = parse_day(self._read("date", wanted[0], condition))
        found = [exchange_rate_entity(self._company, code, day) for code in codes]
        if statement.count:
            return {"totalCount": len(found)}
        return self.page("ExchangeRate", found[statement.start - 1 :][: self._page(statement)], statement.start)


def exchange_rate_entity(company: Company, code: str, day: Any) -> Json:
    """The rate of a currency on a day, as the API returns it. Raises Refused for a currency that is not active."""
    company.currency(code)
    kept = company.records.get("ExchangeRate", f"{code}:{day.isoformat()}")
    if kept is not None:
        return {name: value for name, value in shown(kept).items() if name != "Id"}
    rate: Decimal = company.rate(code, day)
    midnight = stamp(datetime.combine(day, datetime.min.time(), company.zone) + timedelta(hours=1))
    return {
        "SyncToken": "0",
        "domain": "QBO",
        "sparse": False,
        "AsOfDate": day.isoformat(),
        "SourceCurrencyCode": code,
        "Rate": rate,
        "TargetCurrencyCode": company.home,
        "MetaData": {"LastUpdatedTime": midnight},
    }
