"""Invoices, bills, credit memos, vendor credits and refund receipts: the rules that they share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sandbox.quickbooks.answers import Refused
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.lines import Lines, discounted
from sandbox.quickbooks.links import Links, applied, party_of, set_balance
from sandbox.quickbooks.numbers import Numbers
from sandbox.quickbooks.reading_in import Reader
from sandbox.quickbooks.tax import Tax
from sandbox.quickbooks.wire import amount, cents, parse_day, ref, switch

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """What tells one kind of document from another."""

    kind: str
    party: str
    sale: bool
    open: bool = True
    due: bool = False
    voidable: bool = False


INVOICE = Form("Invoice", "Customer", sale=True, due=True, voidable=True)
CREDIT_MEMO = Form("CreditMemo", "Customer", sale=True)
REFUND_RECEIPT = Form("RefundReceipt", "Customer", sale=True, open=False)
BILL = Form("Bill", "Vendor", sale=False, due=True)
VENDOR_CREDIT = Form("VendorCredit", "Vendor", sale=False)


class Documents:
    """One kind of document."""

    def __init__(self, form: Form, company: Company, reader: Reader, links: Links, numbers: Numbers) -> None:
        self._form = form
        self._company = company
        self._records = company.records
        self._reader = reader
        self._lines = Lines(company, reader)
        self._tax = Tax(company)
        self._links = links
        self._numbers = numbers

    def create(self, given: Json, include: frozenset[str]) -> Json:
        """A new document. Raises Refused."""
        doc = self._complete(self._reader.fields(self._form.kind, given), None)
        self._company.check_open(doc["TxnDate"])
        self._numbers.assign(self._form.kind, doc, None, include)
        doc = self._records.insert(self._form.kind, doc)
        self._links.refresh_party(*party_of(doc))
        return doc

    def update(self, old: Json, given: Json, include: frozenset[str]) -> Json:
        """A changed document; ``sparse`` keeps what is not given. Raises Refused."""
        fields = self._reader.fields(self._form.kind, given, old)
        if "Line" not in given and not switch(given.get("sparse")):
            raise Refused("2020", "Required parameter Line is missing in the request", "Line")
        if "TxnTaxDetail" not in given and {"Line", "GlobalTaxCalculation"} & set(given):
            fields.pop("TxnTaxDetail", None)  # what was worked out for the lines as they were
        doc = self._complete(fields, old)
        self._company.check_open(old["TxnDate"], doc["TxnDate"])
        self._numbers.assign(self._form.kind, doc, old, include)
        system = {name: old[name] for name in ("Id", "SyncToken", "MetaData", "domain", "sparse", "LinkedTxn")}
        doc = self._records.replace(self._form.kind, system | doc)
        self._links.refresh_party(*party_of(doc))
        self._links.refresh_party(*party_of(old))
        return doc

    def void(self, old: Json) -> Json:
        """Amounts become zero and the document stays. Raises Refused."""
        if not self._form.voidable:
            raise Refused("500", f"Operation void is not supported for {self._form.kind}")
        self._company.check_open(old["TxnDate"])
        self._free(old, "void_paid")
        doc = old | {"TotalAmt": Decimal(0), "PrivateNote": voided_note(old), "LinkedTxn": [], "_Voided": True}
        for line in doc["Line"]:
            if "Amount" in line:
                line["Amount"] = Decimal(0)
            line.get("SalesItemLineDetail", {}).pop("TaxInclusiveAmt", None)
            line.get("SalesItemLineDetail", {}).pop("UnitPrice", None)
        if "TxnTaxDetail" in doc:
            doc["TxnTaxDetail"] = {"TotalTax": Decimal(0)}
        set_balance(doc, Decimal(0))
        if "HomeTotalAmt" in doc:
            doc["HomeTotalAmt"] = Decimal(0)
        self._records.replace(self._form.kind, doc, operation="Void")
        self._links.refresh_party(*party_of(doc))
        return doc

    def delete(self, old: Json) -> None:
        """The document goes. Raises Refused."""
        self._company.check_open(old["TxnDate"])
        self._free(old, "delete_paid")
        self._records.delete(self._form.kind, old["Id"])
        self._links.refresh_party(*party_of(old))

    def _free(self, doc: Json, reading: str) -> None:
        """Take the payments off a document that goes, or refuse to."""
        if not doc.get("LinkedTxn"):
            return
        if self._company.readings[reading] == "refused":
            detail = "This transaction has payments or credits applied to it. Unlink them first."
            raise Refused("6000", f"Business Validation Error: {detail}")
        self._links.unlink(self._form.kind, doc["Id"])

    def _complete(self, doc: Json, old: Json | None) -> Json:
        self._set_currency(doc, old)
        self._set_days(doc)
        given = doc.get("Line")
        if not given:
            raise Refused("2020", "Required parameter Line is missing in the request", "Line")
        lines = self._lines.read(given, self._form.sale, old)
        self._set_totals(doc, lines, old)
        doc.setdefault("LinkedTxn", [])
        if self._form.sale:
            doc.setdefault("PrintStatus", "NotSet")
            doc.setdefault("EmailStatus", "NotSet")
            doc.setdefault("ApplyTaxAfterDiscount", False)
        self._check_accounts(doc)
        return doc

    def _set_currency(self, doc: Json, old: Json | None) -> None:
        """The currency is the party's. Without a rate QuickBooks stores 1, which for a foreign document is wrong."""
        party = self._records.get(self._form.party, ref(doc, f"{self._form.party}Ref")) or {}
        field = f"{self._form.party}Ref"
        if old is not None and ref(old, field) != ref(doc, field) and applied(old):
            raise Refused("6000", f"A settled transaction keeps its {self._form.party.lower()}", field)
        set_currency(self._company, doc, party)
        doc["ExchangeRate"] = exchange_rate(self._company, doc)
        if not self._company.multicurrency:
            del doc["ExchangeRate"]

    def _set_days(self, doc: Json) -> None:
        doc.setdefault("TxnDate", self._company.today().isoformat())
        if self._form.due and not doc.get("DueDate"):
            term = self._records.get("Term", ref(doc, "SalesTermRef")) or {}
            days = int(term.get("DueDays") or 0)
            doc["DueDate"] = (parse_day(doc["TxnDate"]) + timedelta(days=days)).isoformat()

    def _set_totals(self, doc: Json, lines: list[Json], old: Json | None) -> None:
        subtotal, discount = discounted(lines)
        after = doc.get("ApplyTaxAfterDiscount") and subtotal
        tax = self._tax.levy(doc, lines, self._form.sale, (subtotal - discount) / subtotal if after else Decimal(1))
        subtotal, _ = discounted(lines)
        total = cents(subtotal - discount + tax)
        if total < 0:
            raise Refused("6000", "Business Validation Error: Transaction amount must be 0 or greater", "Line")
        if self._form.sale:
            place = next((n for n, one in enumerate(lines) if one["DetailType"] == "DiscountLineDetail"), len(lines))
            sum_line = {"Amount": subtotal, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
            lines = [*lines[:place], sum_line, *lines[place:]]
        doc["Line"] = lines
        doc["TotalAmt"] = total
        used = applied(old) if old else Decimal(0)
        if total < used:
            raise Refused("6000", f"Business Validation Error: {used} of this transaction is settled already", "Line")
        if self._form.kind == "CreditMemo":
            doc["RemainingCredit"] = total
        if self._form.sale and self._company.multicurrency and doc["CurrencyRef"]["value"] != self._company.home:
            doc["HomeTotalAmt"] = cents(total * amount(doc["ExchangeRate"]))
            doc["HomeBalance"] = Decimal(0)
        set_balance(doc, total - used if self._form.open else Decimal(0))

    def _check_accounts(self, doc: Json) -> None:
        if "APAccountRef" in doc:
            check_account(self._company, doc, "APAccountRef", ("Accounts Payable",))
        if self._form is REFUND_RECEIPT:
            check_account(self._company, doc, "DepositToAccountRef", ("Bank", "Other Current Asset"))


def set_currency(company: Company, doc: Json, party: Json) -> None:
    """A transaction is in the currency of its customer or vendor, who has one for ever. Raises Refused."""
    own = party.get("CurrencyRef") or company.currency(company.home)
    if ref(doc, "CurrencyRef") not in ("", own["value"]):
        name = party.get("DisplayName")
        raise Refused("6000", f"Business Validation Error: {name} is billed in {own['value']} only", "CurrencyRef")
    doc["CurrencyRef"] = dict(own)


def exchange_rate(company: Company, doc: Json) -> Decimal:
    """The rate that is stored: the one that was sent, and 1 where none was (or zero)."""
    if doc["CurrencyRef"]["value"] == company.home:
        return Decimal(1)
    rate = amount(doc.get("ExchangeRate") or 0)
    if rate < 0:
        raise Refused("2090", f"Invalid Number : {rate}", "ExchangeRate")
    return rate or Decimal(1)


def check_account(company: Company, doc: Json, field: str, types: tuple[str, ...], id_: str = "") -> None:
    """The account has one of the types, and the transaction's currency or the home currency. Raises Refused."""
    account = company.records.get("Account", id_ or ref(doc, field)) or {}
    if account.get("AccountType") not in types:
        raise Refused("6430", f"The account has to be of type {' or '.join(types)}", field)
    if ref(account, "CurrencyRef") not in (doc["CurrencyRef"]["value"], company.home):
        raise Refused("6000", "Business Validation Error: the account is in another currency", field)


def voided_note(doc: Json) -> str:
    """The memo of a voided transaction."""
    note = doc.get("PrivateNote", "")
    return f"Voided - {note}"[:4000] if note else "Voided"
