"""The connector over HTTP, against the stand-in for Xero: what is written once is there once, and is found again."""

from __future__ import annotations

import hashlib
import logging
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors.xero import XeroTool, connect
from qualy_sync.contracts.accounting import (
    Answered,
    Basis,
    Declined,
    Done,
    Endpoint,
    Line,
    NewContact,
    NewDocument,
    NewSettlement,
    NotSent,
    RemoteContact,
    RemoteDocument,
    RemoteSettlement,
    Reply,
    Status,
    Totals,
    Unanswered,
    What,
)
from qualy_sync.contracts.errors import (
    AnswerLost,
    OutOfQuota,
    Reconnect,
    Refused,
    ToolError,
    Unreachable,
)
from qualy_sync.outcomes import Code
from sandbox.server import Sandbox
from tests.support.xero_connection import FreshTokens, Stopped, endpoint, new_contact, ref, send

DAY = date(2026, 6, 20)
TODAY = date(2026, 7, 15)


@pytest.fixture(scope="module")
def xero(sandbox: Callable[..., Sandbox]) -> Sandbox:
    started = sandbox(payments=5, services=["xero"], today=TODAY)
    started.control("POST", "quota/xero", {"minute": 10_000})
    return started


@pytest.fixture
def tool(xero: Sandbox) -> Iterator[XeroTool]:
    at = endpoint(xero.url)
    yield connect(at, FreshTokens(at), Stopped(), read_timeout=5)
    xero.control("DELETE", "faults/xero")


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


def document(contact_id: str, what: What = What.INVOICE, **change: Any) -> NewDocument:
    mine = ref("I" if what is What.INVOICE else "B")
    account, tax = ("200", "OUTPUT") if what is What.INVOICE else ("310", "INPUT")
    lines = (Line("Course", 100_10, account, tax), Line("Discount", -10_05, account, tax))
    facts: dict[str, Any] = {
        "what": what, "ref": mine, "number": f"QY-{mine}", "contact_id": contact_id, "currency": "AUD", "date": DAY,
        "due_date": DAY, "status": Status.AUTHORISED, "basis": Basis.INCLUSIVE, "lines": lines,
        "link": "https://app.example/p/1",
    }  # fmt: skip
    return NewDocument(**facts | change)


@pytest.fixture
def contact_id(tool: XeroTool) -> str:
    return str(done(send(tool, What.CONTACT, new_contact())).id)


def fault(xero: Sandbox, method: str, path: str, do: str, **more: Any) -> None:
    found = {"method": method, "path": f"/api.xro/2.0{path}", "do": do}
    xero.control("POST", "faults/xero", found | more)


def held(xero: Sandbox, kind: str, field: str, value: str) -> int:
    return sum(1 for one in xero.control("GET", "state/xero")[kind] if one.get(field) == value)


# -- the organisation ---------------------------------------------------------------------------------------------


def test_the_only_organisation_is_found_and_names_itself_a_stand_in(tool: XeroTool) -> None:
    found = tool.organisation()
    assert (found.base_currency, found.country, found.zone.key) == ("AUD", "AU", "Australia/Sydney")
    assert found.stand_in
    assert found.period_lock == found.lock_date == date(2026, 5, 31)
    assert found.year_end_lock is None
    assert tool.quota.calls == 2
    assert tool.quota.minute is not None
    assert tool.quota.day is not None


def test_the_chart_says_what_documents_may_use(tool: XeroTool) -> None:
    chart = tool.chart()
    assert chart.accounts["200"].income
    assert chart.accounts["880"].liability
    assert chart.accounts["310"].expense
    assert not chart.accounts["299"].active
    assert chart.accounts["091"].takes_payments
    assert chart.accounts["096"].takes_payments
    assert not chart.accounts["200"].takes_payments
    assert chart.taxes["OUTPUT"].rate == 100_000
    assert (chart.taxes["OUTPUT"].sales, chart.taxes["OUTPUT"].purchases) == (True, False)
    assert chart.currencies >= {"AUD", "USD", "JPY"}


def test_a_pinned_organisation_is_taken_at_its_word_and_a_wrong_one_is_refused(xero: Sandbox, tool: XeroTool) -> None:
    right = tool.organisation().id
    at = endpoint(xero.url, tenant_id=right)
    assert connect(at, FreshTokens(at), Stopped()).organisation().id == right
    wrong = endpoint(xero.url, tenant_id="11111111-1111-4111-8111-111111111111")
    other = Endpoint(wrong.url, {**wrong.extra}, wrong.login, wrong.password)
    with pytest.raises(Refused, match="tenant_id"):
        connect(other, FreshTokens(other), Stopped()).organisation()


# -- writing and finding again ------------------------------------------------------------------------------------


def test_a_contact_is_created_once_and_found_by_ref_and_by_id(xero: Sandbox, tool: XeroTool) -> None:
    new = new_contact()
    made = done(send(tool, What.CONTACT, new))
    assert isinstance(made, RemoteContact)
    assert (made.ref, made.name, made.email, made.active) == (new.ref, new.name, new.email.lower(), True)
    assert tool.find(What.CONTACT, [new.ref], None) == (made,)
    assert tool.find(What.CONTACT, [new.ref], made.updated_at) == (made,)
    assert tool.by_id(What.CONTACT, [made.id]) == (made,)
    assert held(xero, "Contacts", "ContactNumber", new.ref) == 1


def test_an_invoice_and_a_bill_go_in_one_call_and_have_the_totals_that_were_foreseen(
    tool: XeroTool, contact_id: str
) -> None:
    invoice, bill = document(contact_id), document(contact_id, What.BILL, basis=Basis.EXCLUSIVE)
    reply = send(tool, What.INVOICE, invoice, bill)
    assert isinstance(reply, Answered)
    made = {result.ref: result.remote for result in reply.results if isinstance(result, Done)}
    chart = tool.chart()
    for new in (invoice, bill):
        remote = made[new.ref]
        assert isinstance(remote, RemoteDocument)
        foreseen = tool.totals(new.lines, new.basis, "AUD", chart)
        assert Totals(remote.net, remote.tax, remote.total) == foreseen
        assert (remote.what, remote.ref, remote.contact_id) == (new.what, new.ref, contact_id)
        assert (remote.date, remote.due_date, remote.due) == (DAY, DAY, foreseen.total)
        assert remote.status is Status.AUTHORISED
    assert made[invoice.ref].number == invoice.number  # type: ignore[union-attr]
    assert [one.id for one in tool.find(What.INVOICE, [invoice.number], None)] == [made[invoice.ref].id]
    assert tool.find(What.INVOICE, [bill.ref], None) == ()
    assert [one.id for one in tool.find(What.BILL, [bill.ref], DAY_START)] == [made[bill.ref].id]
    assert {one.id for one in tool.by_id(What.INVOICE, [made[invoice.ref].id, made[bill.ref].id])} == {
        made[invoice.ref].id,
        made[bill.ref].id,
    }


DAY_START = datetime(2026, 7, 14, tzinfo=UTC)


def test_a_payment_in_full_marks_the_invoice_paid(tool: XeroTool, contact_id: str) -> None:
    invoice = done(send(tool, What.INVOICE, document(contact_id)))
    paying = NewSettlement(ref("S"), invoice.id, "091", date(2026, 7, 1), invoice.due, "AUD")
    paid = done(send(tool, What.SETTLEMENT, paying))
    assert isinstance(paid, RemoteSettlement)
    assert (paid.ref, paid.document_id, paid.amount, paid.account) == (paying.ref, invoice.id, invoice.due, "091")
    (now,) = tool.by_id(What.INVOICE, [invoice.id])
    assert isinstance(now, RemoteDocument)
    assert (now.status, now.due, now.paid) == (Status.PAID, 0, invoice.total)
    assert tool.find(What.SETTLEMENT, [paying.ref], DAY_START) == (paid,)
    assert tool.by_id(What.SETTLEMENT, [paid.id, "11111111-1111-4111-8111-111111111111"]) == (paid,)
    again = NewSettlement(ref("S"), invoice.id, "091", date(2026, 7, 1), 1, "AUD")
    assert declined(send(tool, What.SETTLEMENT, again)) is Code.AWAITING_APPROVAL


def test_everything_that_changed_is_read_with_every_status(xero: Sandbox, tool: XeroTool, contact_id: str) -> None:
    done(send(tool, What.INVOICE, document(contact_id, status=Status.DRAFT)))
    state = xero.control("GET", "state/xero")
    for what, kind, id_field in (
        (What.CONTACT, "Contacts", "ContactID"),
        (What.INVOICE, "Invoices", "InvoiceID"),
        (What.SETTLEMENT, "Payments", "PaymentID"),
    ):
        ids = [one.id for page in tool.changed(what, None) for one in page]
        assert sorted(ids) == sorted(one[id_field] for one in state[kind])
    bills = [one for page in tool.changed(What.BILL, None) for one in page]
    assert {one.what for one in bills if isinstance(one, RemoteDocument)} <= {What.BILL}
    later = datetime(2027, 1, 1, tzinfo=UTC)
    assert list(tool.changed(What.INVOICE, later)) == []


def test_many_numbers_are_looked_for_in_several_calls_that_fit_an_address(
    xero: Sandbox, tool: XeroTool, contact_id: str
) -> None:
    wanted = [document(contact_id) for _ in range(3)]
    made = send(tool, What.INVOICE, *wanted)
    assert isinstance(made, Answered)
    numbers = [f"NOBODY-{number:014d}" for number in range(120)] + [new.number for new in wanted]
    xero.control("DELETE", "calls/xero")
    assert {one.ref for one in tool.find(What.INVOICE, numbers, None)} == {new.ref for new in wanted}
    calls = [call for call in xero.control("GET", "calls/xero")["calls"] if call["path"].endswith("/Invoices")]
    assert len(calls) >= 3
    assert max(len(call["query"]) for call in calls) < 2_000
    with pytest.raises(ValueError, match="comma"):
        tool.find(What.INVOICE, ["A,B"], None)


# -- refusals -----------------------------------------------------------------------------------------------------


def test_what_xero_refuses_is_told_in_our_words(xero: Sandbox, tool: XeroTool, contact_id: str) -> None:
    taken = document(contact_id)
    done(send(tool, What.INVOICE, taken))
    cases = {
        Code.NUMBER_TAKEN: document(contact_id, number=taken.number.lower()),
        Code.LOCKED_THERE: document(contact_id, date=date(2026, 5, 31), due_date=DAY),
        Code.UNMAPPED_ACCOUNT: document(contact_id, lines=(Line("x", 1_00, "777", "OUTPUT"),)),
        Code.UNMAPPED_TAX: document(contact_id, lines=(Line("x", 1_00, "200", "NOSUCH"),)),
        Code.CURRENCY_NOT_ENABLED: document(contact_id, currency="BRL"),
    }
    assert {code: declined(send(tool, What.INVOICE, new)) for code, new in cases.items()} == {
        code: code for code in cases
    }
    draft = done(send(tool, What.INVOICE, document(contact_id, status=Status.DRAFT)))
    open_one = done(send(tool, What.INVOICE, document(contact_id)))
    early = NewSettlement(ref("S"), draft.id, "091", date(2026, 7, 1), 1, "AUD")
    too_much = NewSettlement(ref("S"), open_one.id, "091", date(2026, 7, 1), open_one.due + 1, "AUD")
    assert declined(send(tool, What.SETTLEMENT, early)) is Code.AWAITING_APPROVAL
    assert declined(send(tool, What.SETTLEMENT, too_much)) is Code.PAID_THERE
    name = f"Ana {ref('N')}"
    done(send(tool, What.CONTACT, new_contact(name)))
    assert declined(send(tool, What.CONTACT, new_contact(name))) is Code.DUPLICATE_NAME


def test_a_number_with_three_decimals_is_kept_by_asking_for_four(
    xero: Sandbox, tool: XeroTool, contact_id: str
) -> None:
    xero.control("DELETE", "calls/xero")
    send(tool, What.INVOICE, document(contact_id, currency="KWD"))
    send(tool, What.INVOICE, document(contact_id))
    puts = [call["query"] for call in xero.control("GET", "calls/xero")["calls"] if call["method"] == "PUT"]
    assert ["unitdp=4" in query for query in puts] == [True, False]
    assert all("summarizeErrors=False" in query for query in puts)


# -- what happens between us and Xero -----------------------------------------------------------------------------


def test_a_lost_answer_is_unknown_and_the_same_key_and_bytes_give_the_first_answer(
    xero: Sandbox, tool: XeroTool, contact_id: str
) -> None:
    new = document(contact_id)
    body, key = tool.body([new]), ref("K")
    fault(xero, "PUT", "/Invoices", "drop_after")
    xero.control("DELETE", "calls/xero")
    assert isinstance(tool.send(What.INVOICE, body, key), Unanswered)
    assert held(xero, "Invoices", "InvoiceNumber", new.number) == 1, "it was saved, and sent once"
    made = done(tool.send(What.INVOICE, body, key))
    assert made.number == new.number
    assert held(xero, "Invoices", "InvoiceNumber", new.number) == 1
    puts = [call for call in xero.control("GET", "calls/xero")["calls"] if call["method"] == "PUT"]
    assert [call["idempotency_key"] for call in puts] == [key, key]
    assert {call["body_sha256"] for call in puts} == {hashlib.sha256(body).hexdigest()}


@pytest.mark.parametrize("do", ["drop_before", "drop_after", "garbage", "truncate", "status_after:500", "status:503",
                                "partial_after:1", "page:400", "page:502"])  # fmt: skip
def test_after_any_trouble_a_bill_is_unknown_and_never_repeated_by_itself(
    xero: Sandbox, tool: XeroTool, contact_id: str, do: str
) -> None:
    bills = [document(contact_id, What.BILL), document(contact_id, What.BILL)]
    fault(xero, "PUT", "/Invoices", do)
    before = tool.quota.calls
    reply = send(tool, What.BILL, *bills)
    assert isinstance(reply, Unanswered), reply
    assert tool.quota.calls == before + 1
    assert all(held(xero, "Invoices", "InvoiceNumber", bill.ref) <= 1 for bill in bills)


def test_an_element_that_the_answer_leaves_out_is_unknown(xero: Sandbox, tool: XeroTool, contact_id: str) -> None:
    invoices = [document(contact_id) for _ in range(3)]
    fault(xero, "PUT", "/Invoices", "omit_element:1")
    reply = send(tool, What.INVOICE, *invoices)
    assert isinstance(reply, Answered)
    assert {result.ref for result in reply.results} == {invoices[0].ref, invoices[2].ref}


def test_answers_in_another_order_go_to_the_right_records(xero: Sandbox, tool: XeroTool, contact_id: str) -> None:
    invoices = [document(contact_id), document(contact_id, number="QY-1" + "0" * 300), document(contact_id)]
    fault(xero, "PUT", "/Invoices", "reorder")
    reply = send(tool, What.INVOICE, *invoices)
    assert isinstance(reply, Answered)
    for result in reply.results:
        if isinstance(result, Done):
            assert result.remote.ref == result.ref


@pytest.mark.parametrize("do", ["drop_before", "truncate", "garbage", "status:500", "status:404", "status:403"])
def test_a_read_that_fails_is_never_an_empty_read(xero: Sandbox, tool: XeroTool, do: str) -> None:
    tool.organisation()
    fault(xero, "GET", "/", do)
    with pytest.raises(ToolError) as raised:
        tool.find(What.CONTACT, ["C1"], None)
    assert isinstance(raised.value, AnswerLost | Unreachable | Refused)


def test_nothing_listens_so_nothing_was_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        at = endpoint(f"http://127.0.0.1:{free.getsockname()[1]}", tenant_id="t")
    tool = connect(at, FreshTokens(at, "token"), Stopped())
    reply = send(tool, What.CONTACT, new_contact())
    assert isinstance(reply, NotSent)
    assert isinstance(reply.error, Unreachable)
    with pytest.raises(Unreachable):
        tool.organisation()


def test_an_answer_that_does_not_come_is_unknown_to_a_write_and_lost_to_a_read(xero: Sandbox) -> None:
    at = endpoint(xero.url)
    tool = connect(at, FreshTokens(at), Stopped(), read_timeout=1)
    tool.organisation()
    fault(xero, "*", "/", "hold", times=2)
    assert isinstance(send(tool, What.CONTACT, new_contact()), Unanswered)
    with pytest.raises(AnswerLost):
        tool.organisation()
    assert xero.control("POST", "release") == {"released": 2}


# -- limits and tokens --------------------------------------------------------------------------------------------


def test_a_refused_token_is_replaced_once_and_the_write_happens_once(xero: Sandbox) -> None:
    at = endpoint(xero.url)
    tokens = FreshTokens(at, "an-old-token")
    tool = connect(at, tokens, Stopped())
    assert tool.organisation().name
    assert tokens.refusals == 1
    tokens._token = "another-old-token"
    new = new_contact()
    assert done(send(tool, What.CONTACT, new)).ref == new.ref
    assert tokens.refusals == 2
    assert held(xero, "Contacts", "ContactNumber", new.ref) == 1


class DeadTokens:
    """A connection that was revoked."""

    def access_token(self) -> str:
        raise Reconnect("Connect again.")

    def refused(self, token: str) -> None:
        raise AssertionError("nothing was sent, so nothing can have been refused")


def test_without_a_token_nothing_is_sent(xero: Sandbox) -> None:
    tool = connect(endpoint(xero.url), DeadTokens(), Stopped())
    reply = send(tool, What.CONTACT, new_contact())
    assert isinstance(reply, NotSent)
    assert isinstance(reply.error, Reconnect)
    assert tool.quota.calls == 0


class StubbornTokens:
    """Gives the same refused token again."""

    def access_token(self) -> str:
        return "never-valid"

    def refused(self, token: str) -> None:
        pass


def test_a_token_that_stays_refused_asks_for_a_new_connection(xero: Sandbox) -> None:
    tool = connect(endpoint(xero.url), StubbornTokens(), Stopped())
    with pytest.raises(Reconnect, match="bin/qualy connect xero"):
        tool.organisation()
    assert tool.quota.calls == 2


@pytest.mark.parametrize("token", ["line\nbreak-secret", "sécret-token"])
def test_a_token_that_cannot_be_sent_is_never_shown(xero: Sandbox, token: str) -> None:
    at = endpoint(xero.url, tenant_id="t")
    tool = connect(at, FreshTokens(at, token), Stopped())
    reply = send(tool, What.CONTACT, new_contact())
    assert isinstance(reply, NotSent)
    assert "cret" not in str(reply.error)


@pytest.mark.parametrize(("limit", "longest"), [("minute", 60), ("day", 86_400), ("concurrent", None)])
def test_a_limit_stops_a_write_before_it_is_done_and_says_until_when(
    xero: Sandbox, tool: XeroTool, limit: str, longest: int | None
) -> None:
    tool.organisation()
    allowed = xero.control("POST", "quota/xero", {limit: 0})["limits"]
    new = new_contact()
    reply = send(tool, What.CONTACT, new)
    with pytest.raises(OutOfQuota):
        tool.organisation()
    xero.control("POST", "quota/xero", {"minute": 10_000, "day": 5_000, "concurrent": 5})
    assert allowed[limit] == 0
    assert isinstance(reply, NotSent)
    assert isinstance(reply.error, OutOfQuota)
    assert reply.error.limit == limit
    if longest is None:
        assert reply.error.until is None
    else:
        assert reply.error.until is not None
        assert timedelta(0) < reply.error.until - Stopped().now() <= timedelta(seconds=longest)
    assert tool.quota.wait_until is None or longest is not None
    assert held(xero, "Contacts", "ContactNumber", new.ref) == 0
    assert done(send(tool, What.CONTACT, new)).ref == new.ref
    assert tool.quota.wait_until is None


def test_neither_logs_nor_errors_show_names_emails_or_tokens(
    xero: Sandbox, tool: XeroTool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    new = NewContact(ref("C"), "Secretia Hidden", "secretia@example.com")
    done(send(tool, What.CONTACT, new))
    fault(xero, "PUT", "/Contacts", "garbage")
    reply = send(tool, What.CONTACT, NewContact(ref("C"), "Secretia Again", "secretia@example.com"))
    shown = caplog.text + repr(tool) + str(reply)
    assert "ecretia" not in shown
    assert "Bearer" not in shown
