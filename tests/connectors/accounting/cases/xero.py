"""Xero."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from connectors.xero import change
from qualy_sync.contracts.accounting import What
from sandbox.server import Sandbox
from tests.support.acceptance import Case, Held, Json, ToolWorld
from tests.support.world import SETTINGS, bare

_API = "/api.xro/2.0"
_GONE = ("VOIDED", "DELETED")


class XeroCase(Case):
    tool = "xero"
    profile = "au"
    settings = SETTINGS
    currency = "AUD"
    writes: Mapping[What, tuple[str, str]] = MappingProxyType(
        {
            What.CONTACT: ("PUT", f"{_API}/Contacts"),
            What.INVOICE: ("PUT", f"{_API}/Invoices"),
            What.BILL: ("PUT", f"{_API}/Invoices"),
            What.SETTLEMENT: ("PUT", f"{_API}/Payments"),
        }
    )
    partly = MappingProxyType({"do": "partial_after:1", "times": 1})
    missing = frozenset({"unmapped_account"})

    def connection(self, sandbox: Sandbox) -> Json:
        return {
            "host": f"{sandbox.url}/xero{_API}",
            "login": "sandbox-app",
            "password": "sandbox-secret",
            "extra": {
                "identity_url": f"{sandbox.url}/xero/identity",
                "connections_url": f"{sandbox.url}/xero/connections",
                "authorize_url": f"{sandbox.url}/xero/identity/connect/authorize",
            },
        }

    def bare(self, sandbox: Sandbox) -> None:
        bare(sandbox)
        state = sandbox.control("GET", "state/xero")["Accounts"]
        accounts = [{**one, "Status": "ACTIVE"} if one.get("Code") == "200" else one for one in state]
        sandbox.control("POST", "load/xero", {"Accounts": accounts})

    def held(self, sandbox: Sandbox) -> Held:
        state = sandbox.control("GET", "state/xero")
        documents = {one["InvoiceID"]: one for one in state["Invoices"] if one["Status"] not in _GONE}
        notes = {one["CreditNoteID"]: one for one in state["CreditNotes"] if one["Status"] not in _GONE}
        return Held(
            contacts=Counter(
                (one["Name"], one.get("EmailAddress", "").lower())
                for one in state["Contacts"]
                if one["ContactStatus"] == "ACTIVE"
            ),
            documents=Counter(
                (
                    "bill" if one["Type"] == "ACCPAY" else "invoice",
                    _ref(one),
                    _cents(one, "Total"),
                    _cents(one, "AmountDue"),
                )
                for one in documents.values()
            )
            + Counter(
                ("credit note", str(one["CreditNoteNumber"]), _cents(one, "Total"), _cents(one, "RemainingCredit"))
                for one in notes.values()
            ),
            settlements=Counter(
                (_paid(one, documents, notes), one.get("Reference", ""), _cents(one, "Amount"))
                for one in state["Payments"]
                if one["Status"] not in _GONE
            ),
        )

    def exhaust(self, sandbox: Sandbox) -> None:
        sandbox.control("POST", "quota/xero", {"day": 0})

    def refill(self, sandbox: Sandbox) -> None:
        sandbox.control("POST", "quota/xero", {"minute": 100_000, "day": 1_000_000})

    def add_contact(self, sandbox: Sandbox, name: str, email: str, currency: str = "") -> str:
        fields = {"Name": name, "EmailAddress": email}
        return str(_by_hand(sandbox, "create_contact", fields=fields)["ContactID"])

    def archive_contact(self, sandbox: Sandbox, contact_id: str) -> None:
        _by_hand(sandbox, "archive_contact", contact=contact_id)

    def add_invoice(self, sandbox: Sandbox, contact_id: str, amount: int, day: date) -> None:
        line = {
            "Description": "Visa",
            "Quantity": 1,
            "UnitAmount": amount / 100,
            "AccountCode": "205",
            "TaxType": "OUTPUT",
        }
        fields = {
            "Type": "ACCREC",
            "Contact": {"ContactID": contact_id},
            "Date": day.isoformat(),
            "DueDate": day.isoformat(),
            "LineAmountTypes": "Inclusive",
            "LineItems": [line],
            "Status": "AUTHORISED",
        }
        _by_hand(sandbox, "create_invoice", fields=fields)

    def take_away(self, sandbox: Sandbox, ref: str) -> None:
        state = sandbox.control("GET", "state/xero")
        (found,) = [one for one in state["Invoices"] if one.get("Reference") == ref]
        _by_hand(sandbox, "void_invoice", invoice=found["InvoiceID"])

    def spoil_reference(self, sandbox: Sandbox) -> None:
        _by_hand(sandbox, "archive_account", account="200")

    def wires(self, body: bytes) -> list[bytes]:
        job = change.job(body)
        return [body if job is None else job.wire]

    def lock(self, world: ToolWorld, day: date | None) -> None:
        locked = {"period": day.isoformat() if day else None, "year_end": None}
        world.sandbox.control("POST", "lock-date/xero", locked)


def _by_hand(sandbox: Sandbox, do: str, **given: object) -> Json:
    found: Json = sandbox.control("POST", "ui/xero", {"do": do, **given})
    return found


def _ref(one: Json) -> str:
    return str(one.get("InvoiceNumber") if one["Type"] == "ACCPAY" else one.get("Reference") or "")


def _paid(payment: Json, documents: Mapping[str, Json], notes: Mapping[str, Json]) -> str:
    """The ref of what a payment paid: an invoice or a bill, or a credit note where it gave money back."""
    if payment.get("CreditNote"):
        return str(notes[payment["CreditNote"]["CreditNoteID"]]["CreditNoteNumber"])
    return _ref(documents[payment["Invoice"]["InvoiceID"]])


def _cents(one: Json, name: str) -> int:
    return round(float(one[name]) * 100)


CASE = XeroCase()
