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

    def settle(self, kind: str, id_: str, value: Decimal, by: Json) -> None:
        """Take ``value`` off the balance of a document; a negative one gives it back and takes the link away."""
        doc = self._records.get(kind, id_)
        if doc is None:
            return
        set_balance(doc, money(doc, "Balance") - value)
        links = [one for one in doc.get("LinkedTxn", []) if one != by]
        doc["LinkedTxn"] = [*links, by] if value > 0 else links
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
        """Take a document out of the payments that settle it; what they paid becomes unapplied."""
        for by, payment in self.settled_by(kind, id_):
            freed = Decimal(0)
            kept = []
            for line in payment["Line"]:
                link = line["LinkedTxn"][0]
                if (link["TxnType"], link["TxnId"]) == (kind, id_):
                    freed += amount(line["Amount"])
                else:
                    kept.append(line)
            payment["Line"] = kept
            field = "UnappliedAmt" if by == "Payment" else "_Excess"
            sign = 1 if kind in ("Invoice", "Bill") else -1
            payment[field] = max(Decimal(0), money(payment, field) + sign * freed)
            self._records.replace(by, payment)

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
