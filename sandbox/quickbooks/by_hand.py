"""What a person does in QuickBooks' own pages, for tests: the same rules, and a few powers that the API lacks."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from sandbox.quickbooks.answers import Refused
from sandbox.quickbooks.books import Books, shown
from sandbox.quickbooks.records import Selection
from sandbox.quickbooks.wire import amount, fold, money, plain

Json = dict[str, Any]
_NAMED = {"customer": "Customer", "vendor": "Vendor", "account": "Account", "item": "Item"}
_WRITTEN = {
    "invoice": "Invoice", "bill": "Bill", "credit_memo": "CreditMemo", "vendor_credit": "VendorCredit",
    "payment": "Payment", "bill_payment": "BillPayment", "refund_receipt": "RefundReceipt",
}  # fmt: skip
_VOIDED = ("invoice", "payment", "bill_payment")
_SETTINGS = ("AccountingInfoPrefs", "CurrencyPrefs", "SalesFormsPrefs", "TaxPrefs")


class ByHand:
    """``POST /control/ui/quickbooks`` with ``{"do": ..., ...}``; things by id, number or name.

    With ``"closed": true`` the person confirms a change in the closed period, which the API cannot.
    """

    def __init__(self, books: Books) -> None:
        self._books = books
        self._company = books.company
        self._records = books.company.records
        self._actions: dict[str, Callable[[Json], Json]] = {
            "pay_invoice": self._pay_invoice,
            "pay_bill": self._pay_bill,
            "deposit_payments": self._deposit_payments,
            "merge_customers": self._merge_customers,
            "change_settings": self._change_settings,
        }
        for word, kind in _NAMED.items():
            self._offer(word, kind)
            self._actions[f"inactivate_{word}"] = partial(self._activate, word=word, active=False)
            self._actions[f"reactivate_{word}"] = partial(self._activate, word=word, active=True)
        for word, kind in _WRITTEN.items():
            self._offer(word, kind)
            self._actions[f"delete_{word}"] = partial(self._end, word=word, operation="delete")
        for word in _VOIDED:
            self._actions[f"void_{word}"] = partial(self._end, word=word, operation="void")

    def do(self, given: Json) -> Json:
        """Do one thing. Raises ValueError with QuickBooks' words, or with the known actions."""
        action = self._actions.get(str(given.get("do")))
        if action is None:
            raise ValueError(f"do is one of: {', '.join(sorted(self._actions))}")
        with self._records.work(), self._company.confirmed(bool(given.get("closed"))):
            try:
                return dict(plain(shown(action(given))))
            except Refused as refused:
                raise ValueError(f"{refused.code}: {refused.message}; {refused.detail}") from refused

    def _offer(self, word: str, kind: str) -> None:
        self._actions[f"create_{word}"] = lambda given: self._books.write(kind, _fields(given))
        self._actions[f"edit_{word}"] = lambda given: self._change(self._find(given, word), kind, _fields(given))

    def _change(self, doc: Json, kind: str, fields: Json) -> Json:
        """Change the given fields and keep the others."""
        kept = {name: value for name, value in doc.items() if not name.startswith("_")}
        return self._books.write(kind, kept | fields | {"Id": doc["Id"], "SyncToken": doc["SyncToken"], "sparse": True})

    def _activate(self, given: Json, word: str, active: bool) -> Json:
        return self._change(self._find(given, word), _NAMED[word], {"Active": active})

    def _end(self, given: Json, word: str, operation: str) -> Json:
        """Delete or void; a person who does that to a paid document takes the payment off it."""
        doc, kind = self._find(given, word), _WRITTEN[word]
        if kind in ("Invoice", "Bill", "CreditMemo", "VendorCredit"):
            self._books.links.unlink(kind, doc["Id"])
            doc = self._records.get(kind, doc["Id"]) or doc
            doc["LinkedTxn"] = []
            self._records.keep(kind, doc)
        return self._books.write(kind, {"Id": doc["Id"], "SyncToken": doc["SyncToken"]}, operation)

    def _pay_invoice(self, given: Json) -> Json:
        invoice = self._find(given, "invoice")
        account = self._find({"account": given.get("account", "40")}, "account")
        value = amount(given.get("amount", money(invoice, "Balance")))
        payment = {
            "CustomerRef": invoice["CustomerRef"],
            "TotalAmt": value,
            "TxnDate": given.get("date") or self._company.today().isoformat(),
            "PaymentRefNum": given.get("reference", ""),
            "DepositToAccountRef": {"value": account["Id"]},
            "ExchangeRate": invoice.get("ExchangeRate", 1),
            "Line": [_line(value, "Invoice", invoice)],
        }
        return self._books.write("Payment", payment)

    def _pay_bill(self, given: Json) -> Json:
        bill = self._find(given, "bill")
        account = self._find({"account": given.get("account", "40")}, "account")
        value = amount(given.get("amount", money(bill, "Balance")))
        payment = {
            "VendorRef": bill["VendorRef"],
            "TotalAmt": value,
            "TxnDate": given.get("date") or self._company.today().isoformat(),
            "DocNumber": given.get("reference", ""),
            "PayType": "Check",
            "CheckPayment": {"BankAccountRef": {"value": account["Id"]}},
            "ExchangeRate": bill.get("ExchangeRate", 1),
            "Line": [_line(value, "Bill", bill)],
        }
        return self._books.write("BillPayment", payment)

    def _deposit_payments(self, given: Json) -> Json:
        """Bring payments to the bank; from then on none of them can be changed."""
        account = self._find({"account": given.get("account", "40")}, "account")
        payments = [self._find({"payment": one}, "payment") for one in given.get("payments", [])]
        if not payments:
            raise ValueError("payments is a list of payments, by id or number.")
        deposit = {
            "TxnDate": given.get("date") or self._company.today().isoformat(),
            "DepositToAccountRef": {"value": account["Id"], "name": account["Name"]},
            "TotalAmt": sum((money(one, "TotalAmt") for one in payments), Decimal(0)),
            "CurrencyRef": payments[0]["CurrencyRef"],
            "Line": [_line(one["TotalAmt"], "Payment", one) for one in payments],
        }
        deposit = self._records.insert("Deposit", deposit)
        for payment in payments:
            payment["LinkedTxn"] = [*payment.get("LinkedTxn", []), {"TxnId": deposit["Id"], "TxnType": "Deposit"}]
            self._records.replace("Payment", payment)
        return deposit

    def _merge_customers(self, given: Json) -> Json:
        """``from`` becomes inactive for good, and ``into`` gets its transactions."""
        gone = self._find({"customer": given.get("from")}, "customer")
        kept = self._find({"customer": given.get("into")}, "customer")
        for kind in ("Invoice", "CreditMemo", "RefundReceipt", "Payment"):
            for doc in self._records.find(Selection(kind, ("party = ?",), (gone["Id"],))):
                doc["CustomerRef"] = {"value": kept["Id"], "name": kept["DisplayName"]}
                self._records.replace(kind, doc)
        self._records.delete("Customer", gone["Id"], operation="Merge")
        self._books.links.refresh_party("Customer", kept["Id"])
        last = self._records.get("Customer", kept["Id"]) or kept
        return self._records.replace("Customer", last, operation="Merge")

    def _change_settings(self, given: Json) -> Json:
        """Company settings, in the groups that Preferences have."""
        preferences = self._company.preferences
        for group, values in _fields(given).items():
            if group not in _SETTINGS:
                raise ValueError(f"Settings are in the groups {', '.join(_SETTINGS)}.")
            preferences[group] |= values
        return self._records.replace("Preferences", preferences)

    def _find(self, given: Json, word: str) -> Json:
        kind = _NAMED.get(word) or _WRITTEN[word]
        key = str(given.get(word, ""))
        found = self._records.get(kind, key)
        if found is None:
            by = Selection(kind, ("(name = ? OR number = ?)",), (fold(key), fold(key)))
            found = next(iter(self._records.find(by)), None)
        if found is None:
            raise ValueError(f"There is no {word.replace('_', ' ')} {key!r}; give its id, number or name.")
        return found


def _line(value: Any, kind: str, doc: Json) -> Json:
    return {"Amount": value, "LinkedTxn": [{"TxnId": doc["Id"], "TxnType": kind}]}


def _fields(given: Json) -> Json:
    fields = given.get("fields")
    if not isinstance(fields, dict):
        raise ValueError("fields is an object of the fields to set, named as the API names them.")
    return fields
