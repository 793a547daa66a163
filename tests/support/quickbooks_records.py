"""Records as they are written into QuickBooks' stand-in, and what became of one."""

from __future__ import annotations

from datetime import date
from typing import Any

from connectors.quickbooks import QuickBooksTool
from qualy_sync.contracts.accounting import (
    Answered,
    Basis,
    Declined,
    Done,
    Line,
    NewDocument,
    NewSettlement,
    Party,
    RemoteContact,
    RemoteDocument,
    Reply,
    Status,
    What,
)
from qualy_sync.outcomes import Code
from tests.support.quickbooks_connection import new_contact, ref, send

TODAY, DAY = date(2026, 7, 15), date(2026, 7, 10)


def done(reply: Reply) -> Any:
    assert isinstance(reply, Answered), reply
    (result,) = reply.results
    assert isinstance(result, Done), result
    return result.remote


def declined(reply: Reply) -> Code:
    assert isinstance(reply, Answered), reply
    (result,) = reply.results
    assert isinstance(result, Declined), result
    return result.code


def party(tool: QuickBooksTool, what: What = What.INVOICE, currency: str = "AUD") -> RemoteContact:
    side = Party.SUPPLIER if what in (What.BILL, What.SUPPLIER_CREDIT) else Party.CUSTOMER
    found = done(send(tool, new_contact(party=side, currency=currency)))
    assert isinstance(found, RemoteContact)
    return found


def document(contact_id: str, what: What = What.INVOICE, **change: Any) -> NewDocument:
    mine = ref({What.INVOICE: "I", What.BILL: "B"}.get(what, "N"))
    sale = what in (What.INVOICE, What.CREDIT_NOTE)
    lines = (
        Line("Course", 100_10, "204>61" if sale else "72", "10"),
        Line("Held for the school", 50_00, "201>81", "11"),
        Line("Discount", -10_05, "206>64" if sale else "71", "10"),
    )
    facts: dict[str, Any] = {
        "what": what, "ref": mine, "number": f"QY-{mine[-9:]}" if what is What.INVOICE else mine,
        "contact_id": contact_id, "currency": "AUD", "date": DAY,
        "due_date": TODAY if what in (What.INVOICE, What.BILL) else None,
        "status": Status.AUTHORISED, "basis": Basis.INCLUSIVE, "lines": lines, "link": "https://app.example/p/1",
    }  # fmt: skip
    return NewDocument(**facts | change)


def settlement(there: RemoteDocument, amount: int | None = None, **change: Any) -> NewSettlement:
    facts: dict[str, Any] = {
        "ref": ref("P"), "document_id": there.id, "account": "41", "date": TODAY,
        "amount": there.due if amount is None else amount, "currency": there.currency, "of": there.what,
        "contact_id": there.contact_id,
    }  # fmt: skip
    return NewSettlement(**facts | change)


def made(tool: QuickBooksTool, what: What = What.INVOICE, **change: Any) -> RemoteDocument:
    found = done(send(tool, document(party(tool, what).id, what, **change)))
    assert isinstance(found, RemoteDocument)
    return found
