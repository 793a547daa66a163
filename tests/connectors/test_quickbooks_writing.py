"""What is written into QuickBooks, against the stand-in over HTTP: each trap of its API is a story."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.quickbooks import QuickBooksTool, connect, write
from qualy_sync.contracts.accounting import (
    Answered,
    Basis,
    Change,
    Conflict,
    Declined,
    Done,
    Line,
    NewAllocation,
    NewRefund,
    NotSent,
    Party,
    Rate,
    RemoteAllocation,
    RemoteContact,
    RemoteDocument,
    RemoteSettlement,
    Remove,
    Status,
    Unanswered,
    Void,
    What,
    owned_hash,
)
from qualy_sync.contracts.errors import OutOfQuota, Refused
from qualy_sync.outcomes import Code
from sandbox.server import Sandbox
from tests.support.quickbooks_connection import FreshTokens, SandboxClock, endpoint, new_contact, ref, send
from tests.support.quickbooks_records import DAY, TODAY, declined, document, done, made, party, settlement

LOCKED = date(2026, 5, 31)
TODAY_AT = datetime(2026, 7, 14, 12, tzinfo=UTC)  # a little before the stand-in begins
WIDE = {"second": None, "minute": None, "batch_minute": None}
PERIOD = {"period": LOCKED.isoformat()}


@pytest.fixture(scope="module")
def started() -> Iterator[Sandbox]:
    with Sandbox.start(payments=1, today=TODAY, services=["quickbooks"]) as sandbox:
        sandbox.control("POST", "quota/quickbooks", WIDE)
        yield sandbox


@pytest.fixture
def sandbox(started: Sandbox) -> Iterator[Sandbox]:
    yield started
    started.control("DELETE", "faults/quickbooks")
    started.control("POST", "lock-date/quickbooks", PERIOD)


@pytest.fixture
def tool(sandbox: Sandbox) -> QuickBooksTool:
    at = endpoint(sandbox)
    return connect(at, FreshTokens(at), SandboxClock(sandbox), read_timeout=5)


def state(sandbox: Sandbox, kind: str, **fields: Any) -> list[dict[str, Any]]:
    every = sandbox.control("GET", "state/quickbooks")[kind]
    return [one for one in every if all(one.get(name) == value for name, value in fields.items())]


def fault(sandbox: Sandbox, do: str, **more: Any) -> None:
    path = "/v3/company/9341450000000061/batch"
    sandbox.control("POST", "faults/quickbooks", {"method": "POST", "path": path, "do": do, "times": 1, **more})


# -- who is who ---------------------------------------------------------------------------------------------------


def test_customers_and_vendors_are_apart_and_carry_our_ref(tool: QuickBooksTool) -> None:
    customer, vendor = new_contact(), new_contact(party=Party.SUPPLIER)
    reply = send(tool, customer, vendor)
    assert isinstance(reply, Answered)
    found = {result.ref: result.remote for result in reply.results if isinstance(result, Done)}
    assert found[customer.ref].id.startswith("customer-")
    assert found[vendor.ref].id.startswith("vendor-")
    for new, kind in ((customer, Party.CUSTOMER), (vendor, Party.SUPPLIER)):
        contact = found[new.ref]
        assert isinstance(contact, RemoteContact)
        assert (contact.ref, contact.party, contact.currency) == (new.ref, kind, "AUD")
        assert contact.email == new.email.lower()
        assert tool.find(What.CONTACT, [new.ref], TODAY_AT) == (contact,)
        assert tool.by_id(What.CONTACT, [contact.id]) == (contact,)


def test_a_name_is_unique_across_both_and_a_suffix_tells_namesakes_apart(tool: QuickBooksTool) -> None:
    done(send(tool, new_contact("Maria Souza")))
    twin = new_contact("maria souza", Party.SUPPLIER)
    assert declined(send(tool, twin)) is Code.DUPLICATE_NAME
    name = tool.contact_name(twin.name, twin.email, f"({twin.ref[-6:]})")
    assert done(send(tool, replace(twin, name=name))).name == f"maria souza ({twin.ref[-6:]})"


def test_a_name_loses_what_is_not_accepted_and_keeps_its_suffix(tool: QuickBooksTool) -> None:
    assert tool.contact_name("A: b\tc", "") == "A b c"
    assert tool.contact_name("", "a@b.example") == "a@b.example"
    long = tool.contact_name("x" * 150, "", "(ABC123)")
    assert (len(long), long[-9:]) == (100, " (ABC123)")


def test_a_customer_has_one_currency_for_ever(tool: QuickBooksTool) -> None:
    contact = party(tool, currency="USD")
    assert contact.currency == "USD"
    refused = send(tool, document(contact.id, currency="AUD"))
    assert declined(refused) is Code.INVALID


# -- documents ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", [What.INVOICE, What.BILL, What.CREDIT_NOTE, What.SUPPLIER_CREDIT])
@pytest.mark.parametrize("basis", list(Basis))
def test_documents_read_back_as_they_were_meant(tool: QuickBooksTool, what: What, basis: Basis) -> None:
    new = document(party(tool, what).id, what, basis=basis)
    there = done(send(tool, new))
    totals = tool.totals(new.lines, basis, "AUD", tool.chart())
    assert (there.net, there.tax, there.total) == (totals.net, totals.tax, totals.total)
    assert (there.ref, there.number, there.what, there.basis) == (new.ref, new.number, what, basis)
    assert (there.due, there.paid, there.status) == (there.total, 0, Status.AUTHORISED)
    read = tool.as_read(new)
    assert there.lines is not None
    assert owned_hash(read, read.lines) == owned_hash(there, there.lines)
    assert tool.by_id(what, [there.id]) == (there,)
    assert tool.find(what, [new.number], TODAY_AT) == (there,)


def test_a_line_of_a_sale_posts_through_the_item_and_a_bill_to_its_account(
    sandbox: Sandbox, tool: QuickBooksTool
) -> None:
    invoice, bill = made(tool), made(tool, What.BILL)
    assert invoice.lines is not None
    assert bill.lines is not None
    assert [line.account for line in invoice.lines] == ["204>61", "201>81", "206>64"]
    assert [line.account for line in bill.lines] == ["72", "81", "71"]
    plain = document(invoice.contact_id, lines=(Line("Course", 10_00, "61", "10"),))
    before = len(state(sandbox, "Invoice"))
    assert declined(send(tool, plain)) is Code.UNMAPPED_ACCOUNT
    assert len(state(sandbox, "Invoice")) == before


def test_the_chart_lists_items_by_the_account_that_they_post_to(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    chart = tool.chart()
    held, fees = chart.accounts["201>81"], chart.accounts["204>61"]
    assert (held.liability, held.income, fees.income, fees.sales) == (True, False, True, True)
    assert not chart.accounts["61"].sales
    assert chart.accounts["72"].expense
    assert not chart.accounts["209>69"].active
    assert (chart.accounts["42"].takes_payments, chart.accounts["42"].currency) == (True, "USD")
    assert chart.currencies == {"AUD", "USD", "EUR", "GBP", "JPY"}
    assert chart.taxes["10"].rate == 100_000
    item = next(one for one in state(sandbox, "Item", Id="203"))
    sandbox.control(
        "POST", "ui/quickbooks", {"do": "edit_item", "item": "203", "fields": {"IncomeAccountRef": {"value": "60"}}}
    )
    moved = tool.chart().accounts
    assert "203>63" not in moved, "an item that was pointed elsewhere is no longer the one that was meant"
    assert "203>60" in moved
    sandbox.control(
        "POST",
        "ui/quickbooks",
        {"do": "edit_item", "item": "203", "fields": {"IncomeAccountRef": item["IncomeAccountRef"]}},
    )


def test_a_draft_is_not_posted_instead(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    before = len(state(sandbox, "Invoice"))
    assert declined(send(tool, document(party(tool).id, status=Status.DRAFT))) is Code.INVALID
    assert len(state(sandbox, "Invoice")) == before


def test_a_number_that_is_there_already_is_said_to_be_taken(tool: QuickBooksTool) -> None:
    there = made(tool)
    assert declined(send(tool, document(there.contact_id, number=there.number))) is Code.NUMBER_TAKEN


@pytest.mark.parametrize("told_as", ["6210", "6200", "5010"])
def test_the_closing_date_is_read_and_a_refusal_by_it_understood(
    sandbox: Sandbox, tool: QuickBooksTool, told_as: str
) -> None:
    contact = party(tool)
    sandbox.control("POST", "readings/quickbooks", {"closed_period_fault": told_as})
    assert tool.organisation().lock_date == LOCKED
    assert declined(send(tool, document(contact.id, date=LOCKED, due_date=LOCKED))) is Code.LOCKED_THERE
    sandbox.control("POST", "lock-date/quickbooks", {"period": None})
    assert tool.organisation().lock_date is None
    sandbox.control("POST", "readings/quickbooks", {"closed_period_fault": "6210"})


def test_an_inactive_customer_or_item_is_named_as_what_it_is(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    contact = party(tool)
    sandbox.control("POST", "ui/quickbooks", {"do": "inactivate_customer", "customer": contact.id.split("-")[1]})
    assert declined(send(tool, document(contact.id))) is Code.ARCHIVED_CONTACT
    (gone,) = tool.by_id(What.CONTACT, [contact.id])
    assert isinstance(gone, RemoteContact)
    assert not gone.active
    other = document(party(tool).id, lines=(Line("Old", 10_00, "209>69", "10"),))
    assert declined(send(tool, other)) is Code.UNMAPPED_ACCOUNT


# -- currencies ---------------------------------------------------------------------------------------------------


def test_a_foreign_document_is_never_sent_without_a_rate(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    contact = party(tool, currency="USD")
    ours = done(send(tool, document(contact.id, currency="USD", rate=Rate(Decimal("1.4321"), "table", DAY))))
    theirs = done(send(tool, document(contact.id, currency="USD")))
    kept = {one["Id"]: one["ExchangeRate"] for one in state(sandbox, "Invoice")}
    assert kept[ours.id] == 1.4321
    assert 1.2 < kept[theirs.id] < 1.9, "the tool's own rate of the day"
    paid = done(send(tool, settlement(ours, account="42", rate=Rate(Decimal("1.5"), "table", TODAY))))
    assert (paid.amount, paid.currency) == (ours.total, "USD")
    rates = {one["Id"]: one["ExchangeRate"] for one in state(sandbox, "Payment")}
    assert rates[paid.id] == 1.5


def test_yen_have_no_cents(tool: QuickBooksTool) -> None:
    contact = party(tool, currency="JPY")
    new = document(contact.id, currency="JPY", lines=(Line("Course", 110_001, "204>61", "10"),))
    there = done(send(tool, new))
    totals = tool.totals(new.lines, new.basis, "JPY", tool.chart())
    assert there.total == totals.total == 110_001
    assert there.tax == totals.tax


# -- money --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", [What.INVOICE, What.BILL])
def test_money_is_applied_and_found_by_its_ref(tool: QuickBooksTool, what: What) -> None:
    there = made(tool, what)
    kind = What.SETTLEMENT if what is What.INVOICE else What.BILL_SETTLEMENT
    new = settlement(there, 40_00)
    paid = done(send(tool, new))
    assert isinstance(paid, RemoteSettlement)
    assert (paid.ref, paid.document_id, paid.amount, paid.of) == (new.ref, there.id, 40_00, what)
    assert (paid.account, paid.reconciled, len(new.ref)) == ("41", None, 20)
    assert tool.find(kind, [new.ref], TODAY_AT) == (paid,)
    assert tool.by_id(kind, [paid.id]) == (paid,)
    (now,) = tool.by_id(what, [there.id])
    assert isinstance(now, RemoteDocument)
    assert (now.paid, now.due) == (40_00, there.total - 40_00)


@pytest.mark.parametrize("what", [What.INVOICE, What.BILL])
def test_a_200_that_dropped_the_line_is_told_as_it_is(tool: QuickBooksTool, what: What) -> None:
    there = made(tool, what)
    done(send(tool, settlement(there)))
    dropped = done(send(tool, settlement(there)))
    assert isinstance(dropped, RemoteSettlement)
    assert dropped.document_id == ""
    assert (dropped.status is Status.VOIDED) == (what is What.BILL), "a bill payment for nothing comes back voided"


def test_a_voided_payment_is_read_by_id_and_still_found(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    new = settlement(made(tool))
    paid = done(send(tool, new))
    sandbox.control("POST", "ui/quickbooks", {"do": "void_payment", "payment": paid.id})
    (now,) = tool.by_id(What.SETTLEMENT, [paid.id])
    assert isinstance(now, RemoteSettlement)
    assert (now.status, now.ref, now.amount) == (Status.VOIDED, new.ref, 0)
    assert tool.find(What.SETTLEMENT, [new.ref], TODAY_AT) == (now,)
    changed = [one for page in tool.changed(What.SETTLEMENT, TODAY_AT) for one in page if one.id == paid.id]
    assert changed == [now]


def test_credit_is_applied_by_a_payment_of_nothing(tool: QuickBooksTool) -> None:
    for owed, credit in ((What.INVOICE, What.CREDIT_NOTE), (What.BILL, What.SUPPLIER_CREDIT)):
        there = made(tool, owed)
        note = done(send(tool, document(there.contact_id, credit)))
        new = NewAllocation(ref("A"), note.id, there.id, there.contact_id, TODAY, 30_00, "AUD", owed)
        applied = done(send(tool, new))
        assert isinstance(applied, RemoteAllocation)
        assert (applied.ref, applied.note_id, applied.document_id, applied.amount) == (new.ref, note.id, there.id, 3000)
        assert tool.find(What.ALLOCATION, [new.ref], TODAY_AT) == (applied,)
        (left,) = tool.by_id(credit, [note.id])
        assert isinstance(left, RemoteDocument)
        assert (left.credited, left.due) == (30_00, note.total - 30_00)


def test_money_given_back_is_a_refund_receipt_alone(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    contact = party(tool)
    before = len(state(sandbox, "CreditMemo"))
    lines = (Line("Course", 80_00, "204>61", "10"),)
    new = NewRefund(ref("R"), "", contact.id, "41", TODAY, 80_00, "AUD", Basis.INCLUSIVE, lines)
    there = done(send(tool, new))
    assert (there.what, there.ref, there.total, there.due, there.pays_from) == (What.REFUND, new.ref, 80_00, 0, "41")
    assert tool.find(What.REFUND, [new.ref], TODAY_AT) == (there,)
    assert len(state(sandbox, "CreditMemo")) == before


# -- changes ------------------------------------------------------------------------------------------------------


def test_a_change_leaves_what_is_not_ours_as_it_was(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    new = document(party(tool).id)
    there = done(send(tool, new))
    (raw,) = state(sandbox, "Invoice", Id=there.id)
    raw["Line"][0]["SalesItemLineDetail"]["ClassRef"] = {"value": "1"}
    lines = [one for one in raw["Line"] if "Id" in one]
    fields = {"Line": lines, "CustomerMemo": {"value": "See you in class"}, "ShipDate": "2026-07-20"}
    sandbox.control("POST", "ui/quickbooks", {"do": "edit_invoice", "invoice": there.id, "fields": fields})
    (edited,) = tool.by_id(What.INVOICE, [there.id])
    assert isinstance(edited, RemoteDocument)
    first, *rest = new.lines
    wish = replace(new, due_date=date(2026, 8, 1), lines=(replace(first, amount=120_00), *rest))
    after = done(send(tool, Change(ref("I"), edited, wish)))
    read = tool.as_read(wish)
    assert after.lines is not None
    assert owned_hash(read, read.lines) == owned_hash(after, after.lines)
    (raw,) = state(sandbox, "Invoice", Id=there.id)
    assert (raw["CustomerMemo"]["value"], raw["ShipDate"]) == ("See you in class", "2026-07-20")
    assert raw["Line"][0]["SalesItemLineDetail"]["ClassRef"]["value"] == "1"
    assert [one["Id"] for one in raw["Line"] if "Id" in one] == [one["Id"] for one in lines]


def test_a_change_of_what_moved_meanwhile_saves_nothing(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    new = document(party(tool).id)
    there = done(send(tool, new))
    note = {"do": "edit_invoice", "invoice": there.id, "fields": {"PrivateNote": "mine"}}
    sandbox.control("POST", "ui/quickbooks", note)
    reply = send(tool, Change(new.ref, there, replace(new, due_date=date(2026, 9, 1))))
    assert isinstance(reply, Answered)
    assert [type(one) for one in reply.results] == [Conflict]
    assert state(sandbox, "Invoice", Id=there.id)[0]["DueDate"] == TODAY.isoformat()


def test_an_invoice_is_voided_and_stays_and_a_bill_is_deleted(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    invoice, bill = made(tool), made(tool, What.BILL)
    reply = send(tool, Void(invoice.ref, invoice), Void(bill.ref, bill))
    assert isinstance(reply, Answered)
    gone = {one.ref: one.remote for one in reply.results if isinstance(one, Done)}
    assert {one.status for one in gone.values() if isinstance(one, RemoteDocument)} == {Status.VOIDED, Status.DELETED}
    (voided,) = tool.find(What.INVOICE, [invoice.number], TODAY_AT)
    assert isinstance(voided, RemoteDocument)
    assert (voided.status, voided.ref) == (Status.VOIDED, invoice.ref)
    assert tool.by_id(What.BILL, [bill.id]) == ()
    told = [one for page in tool.changed(What.INVOICE, TODAY_AT) for one in page if one.id == bill.id]
    assert [one.status for one in told if isinstance(one, RemoteDocument)] == [Status.DELETED]


def test_what_is_paid_is_not_voided(tool: QuickBooksTool) -> None:
    there = made(tool)
    done(send(tool, settlement(there, 10_00)))
    (now,) = tool.by_id(What.INVOICE, [there.id])
    assert isinstance(now, RemoteDocument)
    assert declined(send(tool, Void(there.ref, now))) is Code.PAID_THERE


def test_a_payment_is_never_taken_back(tool: QuickBooksTool) -> None:
    paid = done(send(tool, settlement(made(tool))))
    with pytest.raises(ValueError, match="reconciled"):
        tool.body([Remove(paid.ref, paid)])


# -- batches ------------------------------------------------------------------------------------------------------


def test_a_batch_mixes_kinds_and_its_good_elements_are_kept_in_whatever_order_they_come(
    sandbox: Sandbox, tool: QuickBooksTool
) -> None:
    sandbox.control("POST", "readings/quickbooks", {"batch_order": "reversed"})
    contact, vendor = party(tool), party(tool, What.BILL)
    bad = document(contact.id, date=LOCKED, due_date=LOCKED)
    good = [document(contact.id), document(vendor.id, What.BILL), document(contact.id, What.CREDIT_NOTE)]
    reply = send(tool, good[0], bad, *good[1:])
    sandbox.control("POST", "readings/quickbooks", {"batch_order": "given"})
    assert isinstance(reply, Answered)
    assert {one.ref: type(one) for one in reply.results} == {bad.ref: Declined} | {one.ref: Done for one in good}


def test_thirty_go_at_once_and_no_more(tool: QuickBooksTool) -> None:
    assert all(tool.limits.most(what) == 30 for what in What)
    with pytest.raises(ValueError, match="30"):
        tool.body([new_contact() for _ in range(31)])


def test_the_same_elements_give_the_same_bytes(tool: QuickBooksTool) -> None:
    new = document("customer-1")
    tool.prepare([new])
    assert tool.body([new]) == tool.body([replace(new)])


def test_a_body_holds_the_rate_that_is_sent_and_is_not_made_without_it(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    new = document(party(tool, currency="USD").id, currency="USD", rate=None)
    with pytest.raises(ValueError, match="not prepared"):
        tool.body([new])
    tool.prepare([new])
    body = tool.body([new])
    assert b'"ExchangeRate":' in body
    asked = len(sandbox.control("GET", "calls/quickbooks")["calls"])
    tool.prepare([new])
    assert tool.body([new]) == body
    assert len(sandbox.control("GET", "calls/quickbooks")["calls"]) == asked, "a rate is read once"
    assert isinstance(tool.send(What.INVOICE, body, ref("K")), Answered)
    (call,) = sandbox.control("GET", "calls/quickbooks")["calls"][asked:]
    assert call["body_sha256"] == hashlib.sha256(write.wire(write.going(write.items(body)))).hexdigest()


@pytest.mark.parametrize("do", ["drop_after", "status_after:500", "garbage", "truncate"])
def test_a_lost_batch_is_unknown_and_found_by_looking(sandbox: Sandbox, tool: QuickBooksTool, do: str) -> None:
    assert not tool.limits.replay, "it is never sent again"
    new = document(party(tool).id)
    fault(sandbox, do)
    assert isinstance(send(tool, new), Unanswered)
    (found,) = tool.find(What.INVOICE, [new.number], TODAY_AT)
    assert isinstance(found, RemoteDocument)
    assert found.ref == new.ref


def test_what_an_answer_does_not_name_is_unknown(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    tool.organisation()
    first, second = new_contact(), new_contact()
    fault(sandbox, "omit_element:0")
    reply = send(tool, first, second)
    assert isinstance(reply, Answered)
    assert [one.ref for one in reply.results] == [second.ref]


def test_refusals_of_a_whole_batch_are_told_apart(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    new = new_contact()
    tool.organisation()  # so that the company is known, and the next call is the batch
    for status, error in ((403, Refused), (404, Refused), (429, OutOfQuota)):
        fault(sandbox, f"status:{status}")
        reply = send(tool, new)
        assert isinstance(reply, NotSent)
        assert isinstance(reply.error, error), status
    fault(sandbox, "status:500")
    assert isinstance(send(tool, new), Unanswered)
    fault(sandbox, "status:401")
    assert done(send(tool, new)).ref == new.ref


def test_throttling_is_understood_in_both_of_its_forms(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    tool.organisation()
    for form in ("json", "xml"):
        sandbox.control("POST", "readings/quickbooks", {"throttle_body": form})
        sandbox.control("POST", "quota/quickbooks", {"batch_minute": 0})
        reply = send(tool, new_contact())
        sandbox.control("POST", "quota/quickbooks", WIDE)
        assert isinstance(reply, NotSent)
        assert isinstance(reply.error, OutOfQuota)
        assert reply.error.until is not None
        assert (reply.error.until - SandboxClock(sandbox).now()).total_seconds() > 50
