"""Payments from customers and bill payments to vendors: what they settle, what is dropped, what stays unapplied."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.quickbooks.answers import Refused
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.documents import check_account, exchange_rate, set_currency, voided_note
from sandbox.quickbooks.links import Links, party_of
from sandbox.quickbooks.numbers import Numbers
from sandbox.quickbooks.reading_in import Reader
from sandbox.quickbooks.records import Selection
from sandbox.quickbooks.wire import amount, cents, money, ref, switch

Json = dict[str, Any]
_MONEY_PLACES = ("Bank", "Other Current Asset")


@dataclass(frozen=True, slots=True)
class Side:
    """What tells money that comes in from money that goes out."""

    kind: str
    party: str
    settles: str
    uses: str
    unapplied: str


RECEIPTS = Side("Payment", "Customer", "Invoice", "CreditMemo", "UnappliedAmt")
PAYOUTS = Side("BillPayment", "Vendor", "Bill", "VendorCredit", "_Excess")


@dataclass(slots=True)
class _Wish:
    kind: str
    id: str
    value: Decimal


class Settlements:
    """One side of payments."""

    def __init__(self, side: Side, company: Company, reader: Reader, links: Links, numbers: Numbers) -> None:
        self._side = side
        self._company = company
        self._records = company.records
        self._reader = reader
        self._links = links
        self._numbers = numbers

    def create(self, given: Json, include: frozenset[str]) -> Json:
        """A new payment. Raises Refused; a line that cannot be applied is dropped without a word."""
        doc = self._complete(self._reader.fields(self._side.kind, given), given)
        self._company.check_open(doc["TxnDate"])
        self._numbers.assign(self._side.kind, doc, None, include)
        wishes = self._allowed(doc, self._wishes(doc))
        self._set_lines(doc, wishes, had_wishes=bool(doc.get("Line")))
        doc = self._records.insert(self._side.kind, doc)
        self._apply(doc, wishes)
        return doc

    def update(self, old: Json, given: Json, include: frozenset[str]) -> Json:
        """A changed payment; its lines are replaced all or none. Raises Refused."""
        self._check_not_deposited(old)
        fields = self._reader.fields(self._side.kind, given, old)
        doc = self._complete(fields, given)
        self._company.check_open(old["TxnDate"], doc["TxnDate"])
        self._numbers.assign(self._side.kind, doc, old, include)
        if "Line" not in given and not switch(given.get("sparse")):
            doc["Line"] = []
        self._take_back(old)
        wishes = self._allowed(doc, self._wishes(doc))
        self._set_lines(doc, wishes, had_wishes=bool(doc.get("Line")))
        system = {name: old[name] for name in ("Id", "SyncToken", "MetaData", "domain", "sparse", "LinkedTxn")}
        doc = self._records.replace(self._side.kind, system | doc)
        self._apply(doc, wishes)
        self._links.refresh_party(*party_of(old))
        return doc

    def void(self, old: Json) -> Json:
        """The amount becomes zero, and what was settled is open again. Raises Refused."""
        self._check_not_deposited(old)
        self._company.check_open(old["TxnDate"])
        self._take_back(old)
        doc = old | {"TotalAmt": Decimal(0), "Line": [], "PrivateNote": voided_note(old), "_Voided": True}
        doc[self._side.unapplied] = Decimal(0)
        self._records.replace(self._side.kind, doc, operation="Void")
        self._links.refresh_party(*party_of(doc))
        return doc

    def delete(self, old: Json) -> None:
        """The payment goes, and what was settled is open again. Raises Refused."""
        self._check_not_deposited(old)
        self._company.check_open(old["TxnDate"])
        self._take_back(old)
        self._records.delete(self._side.kind, old["Id"])
        self._links.refresh_party(*party_of(old))

    def _complete(self, doc: Json, given: Json) -> Json:
        if "TotalAmt" not in doc:
            raise Refused("6000", "Business Validation Error: You must set a transaction amount", "TotalAmt")
        doc["TotalAmt"] = cents(amount(doc["TotalAmt"]))
        if doc["TotalAmt"] < 0:
            raise Refused("6000", "Business Validation Error: Transaction amount must be 0 or greater", "TotalAmt")
        doc.setdefault("TxnDate", self._company.today().isoformat())
        doc.setdefault("Line", [])
        doc.setdefault("LinkedTxn", [])
        party = self._records.get(self._side.party, ref(doc, f"{self._side.party}Ref")) or {}
        set_currency(self._company, doc, party)
        doc["ExchangeRate"] = exchange_rate(self._company, doc)
        if not self._company.multicurrency:
            del doc["ExchangeRate"]
        (self._set_deposit_account if self._side is RECEIPTS else self._set_source)(doc)
        return doc

    def _set_deposit_account(self, doc: Json) -> None:
        """Money that names no account lies in Undeposited Funds."""
        if "DepositToAccountRef" not in doc:
            funds = self._records.find(Selection("Account", ("name = ?",), ("undeposited funds",)))
            if funds:
                doc["DepositToAccountRef"] = {"value": funds[0]["Id"], "name": funds[0]["Name"]}
            return
        check_account(self._company, doc, "DepositToAccountRef", _MONEY_PLACES)

    def _set_source(self, doc: Json) -> None:
        """Check names a bank account, CreditCard a credit card."""
        own, field, types, other = {
            "Check": ("CheckPayment", "BankAccountRef", ("Bank",), "CreditCardPayment"),
            "CreditCard": ("CreditCardPayment", "CCAccountRef", ("Credit Card",), "CheckPayment"),
        }[doc["PayType"]]
        doc.pop(other, None)
        account_id = ref(doc.get(own) or {}, field)
        if not account_id:
            raise Refused("2020", f"Required parameter {own}.{field} is missing in the request", field)
        account = self._reader.resolve("Account", account_id, field)
        check_account(self._company, doc, field, types, account_id)
        doc[own] = {field: {"value": account["Id"], "name": account["Name"]}}
        if own == "CheckPayment":
            doc[own]["PrintStatus"] = "NotSet"
        if "APAccountRef" in doc:
            check_account(self._company, doc, "APAccountRef", ("Accounts Payable",))

    def _wishes(self, doc: Json) -> list[_Wish]:
        """What the lines ask for; a later line for a document replaces an earlier one."""
        found: dict[tuple[str, str], _Wish] = {}
        for line in doc.get("Line") or []:
            for link in line.get("LinkedTxn") or []:
                kind, id_ = str(link.get("TxnType")), str(link.get("TxnId"))
                if kind not in (self._side.settles, self._side.uses):
                    raise Refused("2500", f"Invalid Reference Id : LinkedTxn of type {kind}", "LinkedTxn")
                try:
                    value = cents(amount(line.get("Amount", 0)))
                except ValueError as error:
                    raise Refused("2090", f"Invalid Number : {line.get('Amount')}", "Line.Amount") from error
                if value < 0:
                    raise Refused("6000", "Business Validation Error: a line has to be 0 or greater", "Line.Amount")
                found.pop((kind, id_), None)
                found[(kind, id_)] = _Wish(kind, id_, value)
        return [one for one in found.values() if one.value]

    def _allowed(self, doc: Json, wishes: list[_Wish]) -> list[_Wish]:
        """What can be applied of it: to documents of the same party, up to their balance, with the money there is."""
        kept = [one for one in wishes if self._fit(doc, one)]
        settled = sum((one.value for one in kept if one.kind == self._side.settles), Decimal(0))
        credit = sum((one.value for one in kept if one.kind == self._side.uses), Decimal(0))
        if settled > doc["TotalAmt"] + credit:
            detail = f"The lines settle {settled}, more than the amount {doc['TotalAmt']} with credits of {credit}"
            raise Refused("6000", f"Business Validation Error: {detail}", "Line")
        for wish in kept:  # credits are used only as far as there is something to settle
            if wish.kind == self._side.uses:
                wish.value = min(wish.value, settled)
                settled -= wish.value
        return [one for one in kept if one.value]

    def _fit(self, doc: Json, wish: _Wish) -> bool:
        """Whether a wish has an effect; it may be cut. Raises Refused."""
        target = self._records.get(wish.kind, wish.id)
        if target is None:
            raise Refused("2500", f"Invalid Reference Id : {wish.kind} {wish.id} does not exist", "LinkedTxn")
        if party_of(target) != party_of(doc):
            return False
        balance = money(target, "Balance")
        if wish.value <= balance:
            return True
        reading = self._company.readings["over_applied"]
        if reading == "6000":
            detail = f"{wish.kind} {wish.id} has an open balance of {balance} only"
            raise Refused("6000", f"Business Validation Error: {detail}", "Line")
        if reading == "cut":
            wish.value = balance
        return reading == "cut" and balance > 0

    def _set_lines(self, doc: Json, wishes: list[_Wish], had_wishes: bool) -> None:
        settled = sum((one.value for one in wishes if one.kind == self._side.settles), Decimal(0))
        credit = sum((one.value for one in wishes if one.kind == self._side.uses), Decimal(0))
        doc["Line"] = [{"Amount": w.value, "LinkedTxn": [{"TxnId": w.id, "TxnType": w.kind}]} for w in wishes]
        doc[self._side.unapplied] = doc["TotalAmt"] + credit - settled
        if self._side is PAYOUTS and had_wishes and not wishes:  # every bill was paid already: it comes back voided
            doc |= {"TotalAmt": Decimal(0), "_Excess": Decimal(0), "PrivateNote": voided_note(doc), "_Voided": True}

    def _apply(self, doc: Json, wishes: list[_Wish]) -> None:
        for wish in wishes:
            self._links.settle(wish.kind, wish.id, wish.value, self._link_to(doc))
        self._links.refresh_party(*party_of(doc))

    def _take_back(self, doc: Json) -> None:
        for line in doc["Line"]:
            link = line["LinkedTxn"][0]
            self._links.settle(link["TxnType"], link["TxnId"], -amount(line["Amount"]), self._link_to(doc))

    def _link_to(self, doc: Json) -> Json:
        kind = "Payment" if self._side is RECEIPTS else f"BillPayment{doc['PayType']}"
        return {"TxnId": doc["Id"], "TxnType": kind}

    def _check_not_deposited(self, doc: Json) -> None:
        if any(one["TxnType"] == "Deposit" for one in doc.get("LinkedTxn", [])):
            detail = "The transaction you are editing has been deposited. Remove it from the deposit first."
            raise Refused("6540", detail)
