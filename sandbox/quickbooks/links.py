"""What settles what: balances of documents and parties, and the links that both sides show."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.quickbooks.company import Company
from sandbox.quickbooks.wire import amount, cents, money, ref

Json = dict[str, Any]


class Links:
    """Changes of documents and parties that follow from payments."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._records = company.records

    def settle(self, kind: str, id_: str, value: Decimal, by: Json, *, keep: bool = False) -> None:
        """Take ``value`` off the balance of a document; a negative one gives it back and takes the link away.

        With ``keep`` the link stays, since a part of it is still settled.
        """
        doc = self._records.get(kind, id_)
        if doc is None:
            return
        set_balance(doc, money(doc, "Balance") - value)
        links = [one for one in doc.get("LinkedTxn", []) if one != by]
        doc["LinkedTxn"] = [*links, by] if value > 0 or keep else links
        self._records.replace(kind, doc, touch=self._company.readings["payments_touch_documents"])

    def settled_by(self, kind: str, id_: str) -> list[tuple[str, Json]]:
        """The payments that settle or use a document, with their kind."""
        doc = self._records.get(kind, id_) or {}
        found = []
        for link in doc.get("LinkedTxn", []):
            by = "BillPayment" if link["TxnType"].startswith("BillPayment") else link["TxnType"]
            payment = self._records.get(by, link["TxnId"])
            if payment is not None:
                found.append((by, payment))
        return found

    def unlink(self, kind: str, id_: str) -> None:
        """Take a document out of the payments that settle or use it.

        What was paid becomes unapplied; what only a credit paid for is open again.
        """
        for by, payment in self.settled_by(kind, id_):
            own = [one for one in payment["Line"] if _target(one) == (kind, id_)]
            payment["Line"] = [one for one in payment["Line"] if _target(one) != (kind, id_)]
            freed = sum((amount(one["Amount"]) for one in own), Decimal(0))
            field = "UnappliedAmt" if by == "Payment" else "_Excess"
            free = money(payment, field) + (freed if kind in ("Invoice", "Bill") else -freed)
            if free < 0:
                self._give_back(by, payment, -free)
            payment[field] = max(Decimal(0), free)
            self._records.replace(by, payment)

    def _give_back(self, by: str, payment: Json, missing: Decimal) -> None:
        """Shorten what a payment settles by what it has no money for, the last line first."""
        link_type = by if by == "Payment" else f"{by}{payment['PayType']}"
        kept = []
        for line in reversed(payment["Line"]):
            kind, id_ = _target(line)
            cut = min(amount(line["Amount"]), missing) if kind in ("Invoice", "Bill") else Decimal(0)
            missing -= cut
            line["Amount"] = amount(line["Amount"]) - cut
            if cut:
                link = {"TxnId": payment["Id"], "TxnType": link_type}
                self.settle(kind, id_, -cut, link, keep=bool(line["Amount"]))
            if line["Amount"]:
                kept.append(line)
        payment["Line"] = kept[::-1]

    def refresh_party(self, kind: str, id_: str) -> None:
        """Work out the balance of a customer or vendor anew."""
        party = self._records.get(kind, id_)
        if party is None:
            return
        owed, credits, free, paid = {
            "Customer": ("Invoice", "CreditMemo", "UnappliedAmt", "Payment"),
            "Vendor": ("Bill", "VendorCredit", "_Excess", "BillPayment"),
        }[kind]
        total = self._records.total
        hundredths = total(owed, id_, "Balance") - total(credits, id_, "Balance") - total(paid, id_, free)
        balance = cents(Decimal(hundredths) / 100)
        if balance != money(party, "Balance"):
            party["Balance"] = balance
            if kind == "Customer":
                party["BalanceWithJobs"] = balance
            self._records.replace(kind, party, touch=False)


def _target(line: Json) -> tuple[str, str]:
    return line["LinkedTxn"][0]["TxnType"], line["LinkedTxn"][0]["TxnId"]


def set_balance(doc: Json, value: Decimal) -> None:
    """The open amount of a document, in each of the fields that show it."""
    doc["Balance"] = cents(value)
    if "RemainingCredit" in doc:
        doc["RemainingCredit"] = doc["Balance"]
    if "HomeBalance" in doc:
        doc["HomeBalance"] = cents(doc["Balance"] * amount(doc.get("ExchangeRate") or 1))


def applied(doc: Json) -> Decimal:
    """How much of a document is settled or used."""
    return money(doc, "TotalAmt") - money(doc, "Balance")


def party_of(doc: Json) -> tuple[str, str]:
    """The kind and id of the customer or vendor of a transaction."""
    customer = ref(doc, "CustomerRef")
    return ("Customer", customer) if customer else ("Vendor", ref(doc, "VendorRef"))
