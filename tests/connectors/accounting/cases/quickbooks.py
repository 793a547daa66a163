"""QuickBooks Online."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from connectors.quickbooks import write
from qualy_app.local.rehearsals import REHEARSALS
from qualy_sync.contracts.accounting import What
from sandbox.server import Sandbox
from tests.support.acceptance import Case, Held, Json, ToolWorld
from tests.support.quickbooks_connection import connection

_BATCH = ("POST", "/v3/company/9341450000000061/batch")
_WIDE = {"second": None, "minute": None, "batch_minute": None}
_EMPTY = (
    "Customer",
    "Vendor",
    "Invoice",
    "Bill",
    "Payment",
    "BillPayment",
    "CreditMemo",
    "VendorCredit",
    "CreditMemo",
    "VendorCredit",
    "RefundReceipt",
)


class QuickBooksCase(Case):
    tool = "quickbooks"
    profile = "au"
    settings = REHEARSALS["quickbooks"].settings_file
    currency = "AUD"
    writes: Mapping[What, tuple[str, str]] = MappingProxyType(
        {what: _BATCH for what in (What.CONTACT, What.INVOICE, What.BILL, What.SETTLEMENT)}
    )
    partly = MappingProxyType({"do": "partial_after:1", "times": 1})
    missing = frozenset({"unmapped_account"})

    def connection(self, sandbox: Sandbox) -> Json:
        return connection(sandbox)

    def bare(self, sandbox: Sandbox) -> None:
        self.refill(sandbox)
        sandbox.control("POST", "lock-date/quickbooks", {"period": None})
        items = sandbox.control("GET", "state/quickbooks")["Item"]
        whole = [one | {"Active": True, "Name": "Services"} if one["Id"] == "205" else one for one in items]
        sandbox.control("POST", "load/quickbooks", {"Item": whole} | {kind: [] for kind in _EMPTY})

    def held(self, sandbox: Sandbox) -> Held:
        state = sandbox.control("GET", "state/quickbooks")
        documents = {one["Id"]: ("invoice", _marked(one), one) for one in state["Invoice"] if one["TotalAmt"]}
        documents |= {one["Id"]: ("bill", one["DocNumber"], one) for one in state["Bill"]}
        for kind, name in (
            ("credit note", "CreditMemo"),
            ("supplier credit", "VendorCredit"),
            ("refund", "RefundReceipt"),
        ):
            documents |= {one["Id"]: (kind, one["DocNumber"], {"Balance": 0} | one) for one in state[name]}
        paid = [(one, one.get("PaymentRefNum", "")) for one in state["Payment"] if one["TotalAmt"]]
        paid += [(one, one.get("DocNumber", "")) for one in state["BillPayment"] if one["TotalAmt"]]
        return Held(
            contacts=Counter(
                (one["DisplayName"], one.get("PrimaryEmailAddr", {}).get("Address", "").lower())
                for one in state["Customer"] + state["Vendor"]
                if one["Active"]
            ),
            documents=Counter(
                (kind, ref, _cents(one, "TotalAmt"), _cents(one, "Balance")) for kind, ref, one in documents.values()
            ),
            settlements=Counter(
                (documents[line["LinkedTxn"][0]["TxnId"]][1], ref, _cents(line, "Amount"))
                for one, ref in paid
                for line in one["Line"]
            ),
        )

    def written(self, sandbox: Sandbox) -> list[Json]:
        """A batch may hold questions alone: those carry no records."""
        return [call for call in super().written(sandbox) if call["records"]]

    def exhaust(self, sandbox: Sandbox) -> None:
        sandbox.control("POST", "quota/quickbooks", {"minute": 0})

    def refill(self, sandbox: Sandbox) -> None:
        sandbox.control("POST", "quota/quickbooks", _WIDE)

    def add_contact(self, sandbox: Sandbox, name: str, email: str, currency: str = "") -> str:
        fields: Json = {"DisplayName": name, "PrimaryEmailAddr": {"Address": email}}
        if currency:
            fields["CurrencyRef"] = {"value": currency}
        return str(_by_hand(sandbox, "create_customer", fields=fields)["Id"])

    def archive_contact(self, sandbox: Sandbox, contact_id: str) -> None:
        _by_hand(sandbox, "inactivate_customer", customer=contact_id)

    def add_invoice(self, sandbox: Sandbox, contact_id: str, amount: int, day: date) -> None:
        line = {
            "Amount": amount / 100,
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {"ItemRef": {"value": "204"}, "TaxCodeRef": {"value": "11"}},
        }
        fields = {"CustomerRef": {"value": contact_id}, "TxnDate": day.isoformat(), "Line": [line]}
        _by_hand(sandbox, "create_invoice", fields=fields)

    def take_away(self, sandbox: Sandbox, ref: str) -> None:
        (found,) = [one for one in sandbox.control("GET", "state/quickbooks")["Invoice"] if _marked(one) == ref]
        _by_hand(sandbox, "void_invoice", invoice=found["Id"])

    def spoil_reference(self, sandbox: Sandbox) -> None:
        _by_hand(sandbox, "inactivate_item", item="205")

    def wires(self, body: bytes) -> list[bytes]:
        return [write.wire(write.going(write.items(body)))]

    def lock(self, world: ToolWorld, day: date | None) -> None:
        world.sandbox.control("POST", "lock-date/quickbooks", {"period": day.isoformat() if day else None})


def _by_hand(sandbox: Sandbox, do: str, **given: object) -> Json:
    found: Json = sandbox.control("POST", "ui/quickbooks", {"do": do, **given})
    return found


def _marked(one: Json) -> str:
    words = str(one.get("PrivateNote", "")).split()
    return words[words.index("Qualy") + 1] if "Qualy" in words else ""


def _cents(one: Json, name: str) -> int:
    return round(float(one[name]) * 100)


CASE = QuickBooksCase()
