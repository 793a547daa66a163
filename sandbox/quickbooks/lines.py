"""The lines of sales and purchase documents: what each kind of line needs, and what QuickBooks makes of it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sandbox.quickbooks.answers import Refused
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.reading_in import Reader
from sandbox.quickbooks.wire import amount, cents, parse_day

Json = dict[str, Any]
_NOT_FOR_EXPENSES = ("Accounts Receivable", "Accounts Payable")


class Lines:
    """Reads the lines of one document."""

    def __init__(self, company: Company, reader: Reader) -> None:
        self._company = company
        self._reader = reader

    def read(self, given: Any, sale: bool, old: Json | None) -> list[Json]:
        """The lines as they are kept, without subtotal; amounts as they were sent. Raises Refused."""
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            raise Refused("2010", "Line is a list of objects", "Line")
        known = {line["Id"] for line in (old or {}).get("Line", []) if "Id" in line}
        kept = [line for one in given if (line := self._line(one, sale, old)) is not None]
        last = max((int(one) for one in known), default=0)
        for number, line in enumerate(kept, start=1):
            if line.get("Id") not in known:
                last += 1
                line["Id"] = str(last)
            line["LineNum"] = number
        return kept

    def _line(self, given: Json, sale: bool, old: Json | None) -> Json | None:
        kind = str(given.get("DetailType") or "")
        if kind == "SubTotalLineDetail" or (not kind and "SubTotalLineDetail" in given):
            return None
        sides: dict[bool, dict[str, Callable[[Json, Json, Json, Json | None], Json]]] = {
            True: {
                "SalesItemLineDetail": self._sales_item,
                "DiscountLineDetail": self._discount,
                "DescriptionOnly": self._description,
            },
            False: {
                "AccountBasedExpenseLineDetail": self._account_expense,
                "ItemBasedExpenseLineDetail": self._item_expense,
            },
        }
        readers = sides[sale]
        if kind not in readers:
            raise Refused("2010", f"Property DetailType {kind} is not supported here", "Line.DetailType")
        detail = given.get(kind)
        if kind != "DescriptionOnly" and not isinstance(detail, dict):
            raise Refused("6440", f"Line detail {kind} is missing", "Line")
        line: Json = {"Id": str(given["Id"])} if given.get("Id") else {}
        if given.get("Description"):
            text = str(given["Description"])
            if len(text) > 4000:
                raise Refused("2050", f"Min:0 Max:4000 supported. Supplied length:{len(text)}", "Line.Description")
            line["Description"] = text
        return readers[kind](line, given, detail or {}, old)

    def _sales_item(self, line: Json, given: Json, detail: Json, old: Json | None) -> Json:
        item_id = _value(detail.get("ItemRef"))
        if not item_id:  # taken for a text; its amount does not count
            return self._description(line, given, detail, old)
        item = self._reader.resolve("Item", item_id, "ItemRef", self._named_before(old, "ItemRef", item_id))
        if item.get("Type") == "Category":
            raise Refused("6000", "A category cannot be sold. Choose an item.", "ItemRef")
        kept = {"ItemRef": {"value": item["Id"], "name": item["Name"]}}
        if "IncomeAccountRef" in item:
            kept["ItemAccountRef"] = item["IncomeAccountRef"]
        kept |= self._common(detail) | self._quantities(detail)
        value = self._amount(given, detail)
        return line | {"Amount": value, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": kept}

    def _discount(self, line: Json, given: Json, detail: Json, _: Json | None) -> Json:
        percent = detail.get("DiscountPercent") if detail.get("PercentBased") else None
        kept: Json = {"PercentBased": percent is not None}
        if percent is not None:
            kept["DiscountPercent"] = _number(percent, "DiscountPercent")
        value = Decimal(0) if percent is not None else cents(_number(given.get("Amount", 0), "Amount"))
        return line | {"Amount": value, "DetailType": "DiscountLineDetail", "DiscountLineDetail": kept}

    def _description(self, line: Json, *_: Any) -> Json:
        return line | {"DetailType": "DescriptionOnly", "DescriptionLineDetail": {}}

    def _account_expense(self, line: Json, given: Json, detail: Json, old: Json | None) -> Json:
        account_id = _value(detail.get("AccountRef"))
        if not account_id:
            raise Refused("2020", "Required parameter AccountRef is missing in the request", "AccountRef")
        known = self._named_before(old, "AccountRef", account_id)
        account = self._reader.resolve("Account", account_id, "AccountRef", known)
        if account["AccountType"] in _NOT_FOR_EXPENSES:
            raise Refused("6430", f"An expense cannot post to {account['AccountType']}", "AccountRef")
        if given.get("Amount") in (None, ""):
            raise Refused("2020", "Required parameter Amount is missing in the request", "Line.Amount")
        kept = {"AccountRef": {"value": account["Id"], "name": account["Name"]}}
        kept |= self._common(detail) | self._billable(detail)
        value = cents(_number(given["Amount"], "Amount"))
        kind = "AccountBasedExpenseLineDetail"
        return line | {"Amount": value, "DetailType": kind, kind: kept}

    def _item_expense(self, line: Json, given: Json, detail: Json, old: Json | None) -> Json:
        item_id = _value(detail.get("ItemRef"))
        if not item_id:
            raise Refused("2020", "Required parameter ItemRef is missing in the request", "ItemRef")
        item = self._reader.resolve("Item", item_id, "ItemRef", self._named_before(old, "ItemRef", item_id))
        if "ExpenseAccountRef" not in item:
            raise Refused("6000", f"The item {item['Name']} has no expense account and cannot be bought", "ItemRef")
        kept = {"ItemRef": {"value": item["Id"], "name": item["Name"]}}
        kept |= self._common(detail) | self._quantities(detail) | self._billable(detail)
        kind = "ItemBasedExpenseLineDetail"
        return line | {"Amount": self._amount(given, detail), "DetailType": kind, kind: kept}

    def _amount(self, given: Json, detail: Json) -> Decimal:
        """Amount, which has to be Qty times UnitPrice where both are given and neither is zero."""
        quantity, price = (_number(detail.get(name) or 0, name) for name in ("Qty", "UnitPrice"))
        product = cents(quantity * price)
        if given.get("Amount") in (None, ""):
            if not quantity or not price:
                raise Refused("2020", "Required parameter Amount is missing in the request", "Line.Amount")
            return product
        value = cents(_number(given["Amount"], "Amount"))
        if quantity and price and value != product:
            detail_text = f"Amount calculation incorrect in the request. Amount {value}, UnitPrice * Qty {product}"
            raise Refused("6070", detail_text, "Line.Amount")
        return value

    def _quantities(self, detail: Json) -> Json:
        kept: Json = {}
        for name in ("Qty", "UnitPrice"):
            if detail.get(name) and (value := _number(detail[name], name)):
                kept[name] = value
        if detail.get("ServiceDate"):
            kept["ServiceDate"] = _day(detail["ServiceDate"])
        return kept

    def _common(self, detail: Json) -> Json:
        kept: Json = {}
        if class_id := _value(detail.get("ClassRef")):
            found = self._reader.resolve("Class", class_id, "ClassRef")
            kept["ClassRef"] = {"value": found["Id"], "name": found["Name"]}
        if code := _value(detail.get("TaxCodeRef")):
            kept["TaxCodeRef"] = {"value": code}
        if detail.get("TaxInclusiveAmt") and (value := _number(detail["TaxInclusiveAmt"], "TaxInclusiveAmt")):
            kept["TaxInclusiveAmt"] = cents(value)
        return kept

    def _billable(self, detail: Json) -> Json:
        status = detail.get("BillableStatus") or "NotBillable"
        customer = _value(detail.get("CustomerRef"))
        if status == "Billable" and not customer:
            raise Refused("6310", "When you make an expense billable you have to choose a customer", "CustomerRef")
        kept: Json = {"BillableStatus": status}
        if customer:
            found = self._reader.resolve("Customer", customer, "CustomerRef")
            kept["CustomerRef"] = {"value": found["Id"], "name": found["DisplayName"]}
        return kept

    @staticmethod
    def _named_before(old: Json | None, field: str, id_: str) -> str:
        """The id, where the document named it already: such a reference may have become inactive."""
        for line in (old or {}).get("Line", []):
            if _value(line.get(line.get("DetailType", ""), {}).get(field)) == id_:
                return id_
        return ""


def discounted(lines: list[Json]) -> tuple[Decimal, Decimal]:
    """The sum of what is sold or bought, and the discount on it; percentages become amounts."""
    subtotal = sum((one["Amount"] for one in lines if "Amount" in one and not _is_discount(one)), Decimal(0))
    discount = Decimal(0)
    for line in filter(_is_discount, lines):
        percent = line["DiscountLineDetail"].get("DiscountPercent")
        if percent is not None:
            line["Amount"] = cents(subtotal * amount(percent) / 100)
        discount += line["Amount"]
    return subtotal, discount


def _is_discount(line: Json) -> bool:
    return line["DetailType"] == "DiscountLineDetail"


def _value(given: Any) -> str:
    value = given.get("value") if isinstance(given, dict) else given
    return "" if value in (None, "") else str(value).strip()


def _number(value: Any, name: str) -> Decimal:
    try:
        return amount(value)
    except ValueError as error:
        raise Refused("2090", f"Invalid Number : {value}", f"Line.{name}") from error


def _day(value: Any) -> str:
    try:
        return parse_day(value).isoformat()
    except ValueError as error:
        raise Refused("2060", f"Invalid date format. Value: {value}", "ServiceDate") from error
