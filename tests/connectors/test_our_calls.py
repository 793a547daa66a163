"""Every kind of call that a connector makes, as it goes over the wire, against the vendor's own description of its API.

The descriptions are not part of this project: `QUALY_SPECS` names a directory with those that a developer has.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from connectors import hubspot, mailchimp
from connectors.xero import XeroTool
from connectors.xero import connect as connect_xero
from qualy_sync.contracts import crm
from qualy_sync.contracts.accounting import (
    Answered,
    Basis,
    Change,
    Done,
    Endpoint,
    Line,
    NewAllocation,
    NewDocument,
    NewRefund,
    NewSettlement,
    Remove,
    Status,
    Void,
    What,
)
from qualy_sync.contracts.audience import Started
from sandbox.server import Sandbox
from tests.sandbox import conta_azul_contract, hubspot_contract, mailchimp_contract, xero_contract
from tests.sandbox.recorded import Recorded, Seen
from tests.support import conta_azul_connection
from tests.support.conta_azul_connection import Connected
from tests.support.relay import Relay
from tests.support.xero_connection import FreshTokens, Stopped, endpoint, new_contact, ref, send

DAY = date(2026, 7, 10)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
LIST = "5a4b3c2d1e"
# HubSpot's guides sort by objects, and read batches without a history; the SDK's models know neither.
IN_ITS_GUIDES = ("lacks propertiesWithHistory", "PublicObjectSearchRequest.sorts is no str")
WITHOUT = "QUALY_SPECS names no directory with {}"


@contextmanager
def relayed(target: str, *records: Recorded) -> Iterator[str]:
    """An address at which the service is reached, and where everything is heard."""

    def hear(method: str, url: str, sent: bytes, kind: str, status: int, answer: bytes) -> None:
        for record in records:
            record.hear(method, url, sent, kind, status, answer)

    with Relay(target, hear) as relay:
        yield relay.url


def made(record: Recorded) -> set[tuple[str, str]]:
    """The calls, without what differs from record to record."""
    return {
        (one.method, "/".join("*" if any(c.isdigit() for c in part) and len(part) > 4 else part
                              for part in one.path.split("/")))
        for one in record.seen
    }  # fmt: skip


# -- Xero ---------------------------------------------------------------------------------------------------------


def document(what: What, contact_id: str) -> NewDocument:
    sale = what in (What.INVOICE, What.CREDIT_NOTE)
    mine = ref("I")
    lines = (Line("Course", 100_00, "200" if sale else "310", "OUTPUT" if sale else "INPUT"),)
    number = f"QY-{mine}" if what is What.INVOICE else mine
    due = DAY if what in (What.INVOICE, What.BILL) else None
    return NewDocument(what, mine, number, contact_id, "AUD", DAY, due, Status.AUTHORISED, Basis.INCLUSIVE, lines,
                       link="https://app.example/p/1")  # fmt: skip


def done(tool: XeroTool, what: What, element: Any) -> Any:
    reply = send(tool, what, element)
    assert isinstance(reply, Answered), reply
    (result,) = reply.results
    assert isinstance(result, Done), result
    return result.remote


def everything_with_xero(tool: XeroTool) -> None:
    """Each call that the connector makes, at least once."""
    tool.organisation()
    tool.chart()
    contact = done(tool, What.CONTACT, new_contact())
    done(tool, What.CONTACT, Change(contact.ref, contact, replace(new_contact(), ref=contact.ref)))
    invoice, bill = (done(tool, What.INVOICE, document(what, contact.id)) for what in (What.INVOICE, What.BILL))
    note = done(tool, What.CREDIT_NOTE, document(What.CREDIT_NOTE, contact.id))
    credit = done(tool, What.SUPPLIER_CREDIT, document(What.SUPPLIER_CREDIT, contact.id))
    payment = done(tool, What.SETTLEMENT, NewSettlement(ref("S"), invoice.id, "091", DAY, 10_00, "AUD"))
    done(tool, What.SETTLEMENT, Remove(payment.ref, payment))
    done(tool, What.BILL_SETTLEMENT, NewSettlement(ref("S"), bill.id, "091", DAY, 10_00, "AUD", of=What.BILL))
    done(tool, What.ALLOCATION, NewAllocation(ref("A"), note.id, invoice.id, contact.id, DAY, 10_00, "AUD"))
    given_back = document(What.CREDIT_NOTE, contact.id)
    refund = NewRefund(ref("R"), note.id, contact.id, "091", DAY, 5_00, "AUD", Basis.INCLUSIVE, given_back.lines)
    done(tool, What.REFUND, refund)
    later = replace(document(What.BILL, contact.id), ref=bill.ref, number=bill.number, due_date=DAY + timedelta(9))
    (there,) = tool.by_id(What.BILL, [bill.id])
    done(tool, What.BILL, Change(bill.ref, there, later))  # type: ignore[arg-type]
    (unused,) = tool.by_id(What.SUPPLIER_CREDIT, [credit.id])
    done(tool, What.SUPPLIER_CREDIT, Void(credit.ref, unused))  # type: ignore[arg-type]
    for what in set(tool.ways.reads.values()):
        assert [one for page in tool.changed(what, LONG_AGO) for one in page], what
    for what, one in ((What.CONTACT, contact), (What.INVOICE, invoice), (What.SETTLEMENT, payment)):
        assert tool.by_id(what, [one.id])
        assert tool.find(what, [one.number if what is What.INVOICE else one.ref], LONG_AGO)


def test_xero_is_called_as_its_document_says(sandbox: Callable[..., Sandbox]) -> None:
    path, identity = xero_contract.specification(), xero_contract.specification(xero_contract.IDENTITY)
    if path is None or identity is None:
        pytest.skip(WITHOUT.format(f"{xero_contract.DOCUMENT} and {xero_contract.IDENTITY}"))
    contract, for_identity = xero_contract.Contract(path), xero_contract.Contract(identity)

    def problems(seen: Seen) -> list[str]:
        return contract.problems(seen.method, seen.path, seen.query, seen.body, seen.status, seen.answer)

    def identity_problems(seen: Seen) -> list[str]:
        return for_identity.problems(seen.method, seen.path, seen.query, seen.body, seen.status, seen.answer)

    target = sandbox(payments=5, services=["xero"], today=date(2026, 7, 15))
    target.control("POST", "quota/xero", {"minute": 10_000})
    record = Recorded("/xero/api.xro/2.0", problems)
    of_identity = Recorded("/xero", identity_problems, lambda path: path.lower().startswith("/connections"))
    with relayed(target.url, record, of_identity) as url:
        at = endpoint(url)
        everything_with_xero(connect_xero(at, FreshTokens(at), Stopped(), read_timeout=10))
    assert record.problems == [], "\n".join(record.problems)
    assert made(record) == {
        ("GET", "/Organisation"), ("GET", "/Organisation/Actions"), ("GET", "/Accounts"), ("GET", "/TaxRates"),
        ("GET", "/Currencies"), ("GET", "/Contacts"), ("GET", "/Invoices"), ("GET", "/CreditNotes"),
        ("GET", "/CreditNotes/*"), ("GET", "/Payments"), ("GET", "/Payments/*"),
        ("PUT", "/Contacts"), ("PUT", "/Invoices"), ("PUT", "/CreditNotes"), ("PUT", "/Payments"),
        ("PUT", "/CreditNotes/*/Allocations"),
        ("POST", "/Contacts"), ("POST", "/Invoices"), ("POST", "/CreditNotes"), ("POST", "/Payments/*"),
    }  # fmt: skip
    assert of_identity.problems == []
    assert made(of_identity) == {("GET", "/Connections")}
    writes = [one for one in record.seen if one.method != "GET" and not one.path.startswith("/Payments/")]
    assert {one.query.get("summarizeErrors") for one in writes} == {"False"}


# -- Conta Azul ---------------------------------------------------------------------------------------------------


def everything_with_conta_azul(at: Connected) -> None:
    """Each call about money that the connector makes, at least once."""
    at.tool.organisation()
    at.tool.chart()
    person = at.done(What.CONTACT, conta_azul_connection.contact())
    for what, kind in ((What.INVOICE, What.SETTLEMENT), (What.BILL, What.BILL_SETTLEMENT)):
        made = at.document(what=what, contact_id=person.id)
        paid = at.done(kind, conta_azul_connection.settlement(made, 10_00))
        assert at.tool.by_id(kind, [paid.id])
        at.done(kind, Remove(paid.ref, paid))
        (whole,) = at.tool.by_id(what, [made.id])
        facts = {"ref": made.ref, "number": made.number, "contact_id": person.id, "due_date": date(2026, 8, 5)}
        later = conta_azul_connection.document(what=what, **facts)
        assert at.done(what, Change(made.ref, whole, later)).due_date == date(2026, 8, 5)  # type: ignore[arg-type]
        at.known.there = []
        at.changed(What.INVOICE, LONG_AGO)


def test_conta_azul_is_called_as_its_documents_say(conta_azul: Connected) -> None:
    paths = conta_azul_contract.specifications()
    if not paths:
        pytest.skip(WITHOUT.format(", ".join(conta_azul_contract.DOCUMENTS)))
    contract = conta_azul_contract.Contract(paths)
    conta_azul.client.reading(created_status=202)

    def problems(seen: Seen) -> list[str]:
        """Of the request: how answers look is the stand-in's own test."""
        found = contract.problems(seen.method, seen.path, set(seen.query), seen.body, seen.status, seen.answer)
        return [one for one in found if f": {seen.status}: " not in one]

    record = Recorded("/conta_azul", problems, conta_azul_contract.described)

    def heard(answer: requests.Response, *_: Any, **__: Any) -> None:
        request = answer.request
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        kind = request.headers.get("Content-Type", "")
        record.hear(request.method or "", request.url or "", body, kind, answer.status_code, answer.content)

    conta_azul.session.hooks["response"] = [heard]
    everything_with_conta_azul(conta_azul)
    assert record.problems == [], "\n".join(record.problems)
    events = "/v1/financeiro/eventos-financeiros"
    assert made(record) == {
        ("GET", "/v1/categorias"), ("GET", "/v1/conta-financeira"), ("GET", "/v1/protocolo/*"),
        ("GET", f"{events}/contas-a-receber/buscar"), ("GET", f"{events}/contas-a-pagar/buscar"),
        ("POST", f"{events}/contas-a-receber"), ("POST", f"{events}/contas-a-pagar"),
        ("GET", f"{events}/*/parcelas"), ("GET", f"{events}/parcelas/*"), ("PATCH", f"{events}/parcelas/*"),
        ("POST", f"{events}/parcelas/*/baixa"), ("GET", f"{events}/parcelas/baixa/*"),
        ("DELETE", f"{events}/parcelas/baixa/*"),
    }  # fmt: skip


# -- HubSpot ------------------------------------------------------------------------------------------------------


def everything_with_hubspot(tool: hubspot.HubSpotTool) -> None:
    """Each call that the connector makes, at least once."""
    tool.account()
    assert "email" in tool.properties()
    group = crm.Property("qualy_id", "Qualy ID", group="qualy", unique=True)
    tool.create_properties([group, crm.Property("qualy_paid", "Paid", crm.Form.NUMBER, group="qualy")])
    new = [crm.NewContact(f"Q{n}", f"a{n}@mail.example", {"email": f"a{n}@mail.example", "qualy_id": f"Q{n}"})
           for n in (1, 2)]  # fmt: skip
    created = tool.send(crm.Act.CREATE, tool.body(crm.Act.CREATE, new))
    assert isinstance(created, crm.Answered)
    ids = [one.contact.id for one in created.results if isinstance(one, crm.Done)]
    assert len(ids) == 2
    change = crm.Change("Q1", ids[0], "a1@mail.example", {"phone": "1", "qualy_paid": "2.5"})
    changed = tool.send(crm.Act.UPDATE, tool.body(crm.Act.UPDATE, [change]))
    assert isinstance(changed, crm.Answered)
    for archived in (False, True):
        tool.contacts(["email"], archived=archived)
        tool.by_id(ids, ["email"], archived=archived)
    assert tool.by_email(["a1@mail.example"], ["email"])
    assert tool.by_key(["Q2"], ["email"])
    tool.changed(LONG_AGO)


def test_hubspot_is_called_as_its_sdk_calls_it(sandbox: Callable[..., Sandbox]) -> None:
    path = hubspot_contract.specification()
    if path is None:
        pytest.skip(WITHOUT.format(hubspot_contract.DOCUMENT))
    contract = hubspot_contract.Contract(path)

    def problems(seen: Seen) -> list[str]:
        found = contract.problems(seen.method, seen.path, set(seen.query), seen.body, seen.status, seen.answer)
        return [one for one in found if not any(known in one for known in IN_ITS_GUIDES)]

    target = sandbox(payments=5, services=["hubspot"], today=date(2026, 7, 15))
    record = Recorded("/hubspot", problems, lambda path: not path.startswith("/account-info"))
    with relayed(target.url, record) as url:
        at = Endpoint(f"{url}/hubspot", password="pat-sandbox-hubspot")
        tokens = hubspot.StaticToken(at.password)
        everything_with_hubspot(hubspot.connect(at, tokens, Stopped(), "v3", "qualy_id", 10))
    assert record.problems == [], "\n".join(record.problems)
    assert made(record) == {
        ("GET", "/crm/v3/properties/contacts"), ("POST", "/crm/v3/properties/contacts/groups"),
        ("POST", "/crm/v3/properties/contacts/batch/create"), ("GET", "/crm/v3/objects/contacts"),
        ("POST", "/crm/v3/objects/contacts/search"), ("POST", "/crm/v3/objects/contacts/batch/read"),
        ("POST", "/crm/v3/objects/contacts/batch/create"), ("POST", "/crm/v3/objects/contacts/batch/update"),
    }  # fmt: skip


# -- Mailchimp ----------------------------------------------------------------------------------------------------


def everything_with_mailchimp(tool: mailchimp.Mailchimp) -> None:
    """Each call that the connector makes, at least once, but for the fetching of a batch's results."""
    tool.account()
    tool.properties()
    tool.create_properties([crm.Property("QID", "Qualy ID"), crm.Property("QPAID", "Paid", crm.Form.NUMBER)])
    new = crm.NewContact("1", f"{uuid.uuid4().hex}@mail.example", {"FNAME": "Bo", "QID": "1"}, frozenset({"qualy:new"}))
    body = tool.body(crm.Act.UPDATE, [new])
    sent = tool.send(crm.Act.UPDATE, body)
    assert isinstance(sent, crm.Answered)
    tickets = [started.ticket for started in (tool.start(body), tool.start(body)) if isinstance(started, Started)]
    assert len(tickets) == 2
    tool.progress(tickets)
    tool.progress(tickets[:1])
    (there,) = tool.by_email([new.email], [])
    tool.by_id([there.id], [])
    tool.by_key(["1"], [])
    tool.contacts([], archived=True)
    tool.changed(LONG_AGO)


def test_mailchimp_is_called_as_its_specification_says(sandbox: Callable[..., Sandbox]) -> None:
    folder = mailchimp_contract.specification()
    if folder is None:
        pytest.skip(WITHOUT.format(mailchimp_contract.FOLDER))
    contract = mailchimp_contract.Contract(folder)

    def problems(seen: Seen) -> list[str]:
        return contract.problems(seen.method, seen.path, seen.query, seen.body, seen.status, seen.answer or {})

    target = sandbox(payments=5, services=["mailchimp"], today=date(2026, 7, 15))
    record = Recorded("/mailchimp/3.0", problems)
    with relayed(target.url, record) as url:
        at = Endpoint(f"{url}/mailchimp/3.0", password="sandboxmailchimpkey-us6")
        given = {"audience": LIST, "status_if_new": "transactional", "tag_prefix": "qualy:", "key_field": "QID"}
        everything_with_mailchimp(mailchimp.connect(at, requests.Session(), Stopped(), **given))
    assert record.problems == [], "\n".join(record.problems)
    assert made(record) == {
        ("GET", "/lists/*"), ("GET", "/lists/*/merge-fields"),
        ("POST", "/lists/*/merge-fields"), ("GET", "/lists/*/members"), ("GET", "/lists/*/members/*"),
        ("PUT", "/lists/*/members/*"), ("POST", "/lists/*/members/*/tags"),
        ("POST", "/batches"), ("GET", "/batches"), ("GET", "/batches/*"),
    }  # fmt: skip
