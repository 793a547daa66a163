"""Receivables and payables: taken in with a ticket, made later, found by the ref in their text, never made twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from qualy_sync.contracts.accounting import (
    Accepted,
    Answered,
    Change,
    Conflict,
    Declined,
    Failed,
    Line,
    Made,
    Pending,
    RemoteDocument,
    Status,
    Totals,
    Void,
    What,
    owned_hash,
)
from qualy_sync.contracts.errors import AnswerLost
from qualy_sync.outcomes import Code
from tests.sandbox.conta_azul_client import COURSES, OTHER_INCOME
from tests.support.conta_azul_connection import (
    DAY,
    DUE,
    HELD,
    PAIR,
    PASSED_ON,
    RENT,
    Connected,
    SandboxClock,
    contact,
    document,
)

# -- making -------------------------------------------------------------------------------------------------------


def test_an_invoice_is_a_receivable_whose_instalment_says_what_it_is(conta_azul: Connected) -> None:
    person = conta_azul.done(What.CONTACT, contact())
    new = document(contact_id=person.id)
    made = conta_azul.document(**{"ref": new.ref, "number": new.number, "contact_id": person.id})
    assert isinstance(made, RemoteDocument)
    assert (made.ref, made.number, made.contact_id) == (new.ref, new.number, person.id)
    assert (made.date, made.due_date, made.status) == (DAY, DUE, Status.AUTHORISED)
    assert (made.total, made.net, made.tax, made.paid, made.due) == (100_10, 100_10, 0, 0, 100_10)
    row = conta_azul.client.instalment(made.id)
    assert row["descricao"] == f"{new.ref} {new.number} | General English"
    assert row["nota"] == new.ref
    state = conta_azul.client.sandbox.control("GET", "state/conta_azul")["eventos"]
    assert state[0]["observacao"] == f"{new.ref} https://app.example/p/1"


def test_a_bill_is_a_payable(conta_azul: Connected) -> None:
    made = conta_azul.document(what=What.BILL)
    assert (made.what, made.number) == (What.BILL, made.ref)
    assert [line.account for line in made.lines] == [RENT]


def test_lines_of_one_category_are_one_amount_and_a_discount_lowers_it(conta_azul: Connected) -> None:
    lines = (
        Line("General English", 100_00, OTHER_INCOME, ""),
        Line("Books", 30_00, COURSES, ""),
        Line("Discount", -10_00, OTHER_INCOME, ""),
    )
    new = document(lines=lines)
    assert conta_azul.tool.totals(new.lines, new.basis, "BRL", conta_azul.tool.chart()) == Totals(120_00, 0, 120_00)
    made = conta_azul.document(ref=new.ref, number=new.number, lines=lines)
    assert sorted((line.account, line.amount) for line in made.lines) == [(COURSES, 30_00), (OTHER_INCOME, 90_00)]
    read = conta_azul.tool.as_read(new)
    assert owned_hash(read, read.lines) == owned_hash(made, made.lines)


def test_a_pass_through_pair_is_one_account_with_a_category_on_each_side(conta_azul: Connected) -> None:
    account = conta_azul.tool.chart().accounts[PAIR]
    assert (account.liability, account.income, account.expense) == (True, False, False)
    for what, category in ((What.INVOICE, HELD), (What.BILL, PASSED_ON)):
        new = document(what=what, lines=(Line("Tuition", 50_00, PAIR, ""),))
        made = conta_azul.document(what=what, ref=new.ref, lines=new.lines)
        assert [line.account for line in made.lines] == [PAIR]
        sent = conta_azul.client.instalment(made.id)["evento"]["rateio"]
        assert [one["id_categoria"] for one in sent] == [category]


def test_the_chart_has_what_takes_entries_and_says_what_is_not_in_use(conta_azul: Connected) -> None:
    chart = conta_azul.tool.chart()
    assert (chart.currencies, dict(chart.taxes)) == ({"BRL"}, {})
    assert chart.accounts[COURSES].income
    assert chart.accounts[RENT].expense
    assert not chart.accounts["ca7e0000-0000-4000-8000-000000000309"].active
    assert chart.accounts["ca7e0000-0000-4000-8000-000000000301"].takes_payments
    assert "ca7e0000-0000-4000-8000-000000000100" not in chart.accounts, "a group takes no entries"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"currency": "USD"}, "BRL alone"),
        ({"lines": (Line("Discount", -1, COURSES, ""),)}, "above zero"),
        ({"lines": (Line("x", 1, COURSES, ""), Line("y", -1, COURSES, ""))}, "above zero"),
        ({"what": What.CREDIT_NOTE}, "nothing for this"),
    ],
)
def test_what_it_cannot_have_is_never_sent(conta_azul: Connected, change: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        conta_azul.tool.body([document(**change)])


def test_three_go_at_once_and_no_more(conta_azul: Connected) -> None:
    reply = conta_azul.send(What.INVOICE, document(), document(), document(what=What.BILL))
    assert isinstance(reply, Answered)
    assert len({one.ticket for one in reply.results if isinstance(one, Accepted)}) == 3
    with pytest.raises(ValueError, match="one to 3"):
        conta_azul.tool.body([document() for _ in range(4)])
    with pytest.raises(ValueError, match="one kind"):
        conta_azul.tool.body([document(), contact()])


# -- tickets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reading", [{"protocol_names": "english"}, {"created_status": 202}, {"protocol_hidden_seconds": 30}]
)
def test_a_ticket_is_understood_in_every_form_and_pending_until_it_is_made(
    conta_azul: Connected, reading: dict[str, object]
) -> None:
    conta_azul.client.reading(**reading)
    new = document()
    ticket = conta_azul.queued(new)
    assert conta_azul.tool.outcome_of(What.INVOICE, new.ref, ticket) == Pending()
    assert conta_azul.tool.find(What.INVOICE, [new.number], None) == ()
    conta_azul.client.clock(120)
    fate = conta_azul.tool.outcome_of(What.INVOICE, new.ref, ticket)
    assert isinstance(fate, Made)
    assert conta_azul.tool.find(What.INVOICE, [new.number], None)[0].id == fate.remote.id  # type: ignore[union-attr]


def test_a_ticket_says_why_nothing_was_made(conta_azul: Connected) -> None:
    wrong = document(lines=(Line("x", 1_00, RENT, ""),))
    ticket = conta_azul.queued(wrong)
    conta_azul.client.control("lock-date", {"period": "2026-07-12", "year_end": None})
    locked = document()
    late = conta_azul.queued(locked)
    conta_azul.client.clock(120)
    fate = conta_azul.tool.outcome_of(What.INVOICE, wrong.ref, ticket)
    assert isinstance(fate, Failed)
    assert fate.code is Code.LOCKED_THERE, "the lock is looked at first"
    fate = conta_azul.tool.outcome_of(What.INVOICE, locked.ref, late)
    assert isinstance(fate, Failed)
    assert fate.code is Code.LOCKED_THERE
    conta_azul.client.control("lock-date", {"period": None, "year_end": None})
    ticket = conta_azul.queued(replace(wrong, ref=f"{wrong.ref}2"))
    conta_azul.client.clock(120)
    fate = conta_azul.tool.outcome_of(What.INVOICE, f"{wrong.ref}2", ticket)
    assert isinstance(fate, Failed)
    assert fate.code is Code.UNMAPPED_ACCOUNT


def test_what_vanished_without_a_word_stays_pending(conta_azul: Connected) -> None:
    conta_azul.client.reading(wrong_reference="lost")
    wrong = document(lines=(Line("x", 1_00, RENT, ""),))
    ticket = conta_azul.queued(wrong)
    conta_azul.client.clock(2 * 24 * 3600)
    conta_azul.client.renew()
    assert conta_azul.tool.outcome_of(What.INVOICE, wrong.ref, ticket) == Pending()


def test_what_was_made_and_deleted_meanwhile_is_not_to_be_found(conta_azul: Connected) -> None:
    new = document()
    ticket = conta_azul.queued(new)
    conta_azul.client.clock(120)
    fate = conta_azul.tool.outcome_of(What.INVOICE, new.ref, ticket)
    assert isinstance(fate, Made)
    conta_azul.client.ui("delete_event", event=fate.remote.id)  # type: ignore[union-attr]
    assert conta_azul.tool.outcome_of(What.INVOICE, new.ref, ticket) == Made(None)


def test_an_answer_about_a_ticket_that_cannot_be_read_says_nothing(conta_azul: Connected) -> None:
    ticket = conta_azul.queued(document())
    conta_azul.client.control("faults", {"method": "GET", "path": "/v1/protocolo", "do": "garbage"})
    with pytest.raises(AnswerLost, match="did not arrive whole"):
        conta_azul.tool.outcome_of(What.INVOICE, "I", ticket)


# -- finding and reading ------------------------------------------------------------------------------------------


def test_a_document_is_found_by_what_its_text_begins_with_and_by_nothing_else(conta_azul: Connected) -> None:
    mine, bill = conta_azul.document(), conta_azul.document(what=What.BILL)
    conta_azul.client.event(text=f"Pagamento de {mine.ref} {mine.number}")
    since = SandboxClock(conta_azul.client).now() - timedelta(hours=1)
    assert [one.id for one in conta_azul.tool.find(What.INVOICE, [mine.number], since)] == [mine.id]
    assert [one.id for one in conta_azul.tool.find(What.BILL, [bill.ref], since)] == [bill.id]
    assert conta_azul.tool.find(What.BILL, [mine.ref], since) == ()
    long_text = document(lines=(Line("Curso " * 100, 1_00, COURSES, ""),))
    found = conta_azul.document(ref=long_text.ref, number=long_text.number, lines=long_text.lines)
    assert (found.ref, found.number) == (long_text.ref, long_text.number), "no cutting loses the ref"


def test_everything_that_changed_comes_with_its_state(conta_azul: Connected) -> None:
    mine = conta_azul.document()
    conta_azul.document(what=What.BILL)
    foreign = conta_azul.client.event(text="Aluguel de sala", due="2026-07-01")
    conta_azul.client.ui("settle", instalment=foreign["id"], amount=40)
    read = {one.id: one for one in conta_azul.changed(What.INVOICE)}
    assert {one.what for one in read.values()} == {What.INVOICE, What.BILL}
    assert replace(mine, version="", rest="") == read[mine.id]
    other = read[foreign["id"]]
    assert (other.ref, other.paid, other.due, other.status) == ("", 40_00, 60_00, Status.AUTHORISED)
    assert conta_azul.changed(What.INVOICE, SandboxClock(conta_azul.client).now() + timedelta(hours=1)) == []


def test_what_was_written_off_is_over(conta_azul: Connected) -> None:
    mine = conta_azul.document()
    conta_azul.client.ui(
        "edit_instalment", instalment=mine.id, fields={"perda": {"data": "2026-07-15", "valor": 100.1}}
    )
    (read,) = conta_azul.tool.by_id(What.INVOICE, [mine.id])
    assert read.status is Status.VOIDED  # type: ignore[union-attr]
    assert [one.status for one in conta_azul.changed(What.INVOICE)] == [Status.VOIDED]


def test_an_unknown_instalment_is_left_out(conta_azul: Connected) -> None:
    mine = conta_azul.document()
    nobody = "00000000-0000-4000-8000-00000000dead"
    assert [one.id for one in conta_azul.tool.by_id(What.INVOICE, [nobody, mine.id])] == [mine.id]


# -- changing -----------------------------------------------------------------------------------------------------


def test_due_date_and_text_are_changed_and_the_rest_stays(conta_azul: Connected) -> None:
    made = conta_azul.document()
    later = date(2026, 8, 20)
    line = Line("IELTS", 100_10, COURSES, "")
    new = document(ref=made.ref, number=made.number, due_date=later, lines=(line,))
    now = conta_azul.done(What.INVOICE, Change(made.ref, made, new))
    assert (now.due_date, now.date, now.total, now.ref) == (later, DAY, 100_10, made.ref)
    assert now.version != made.version
    assert conta_azul.client.instalment(made.id)["descricao"] == f"{made.ref} {made.number} | IELTS"


def test_a_change_of_what_moved_meanwhile_is_a_conflict_and_saves_nothing(conta_azul: Connected) -> None:
    made = conta_azul.document()
    conta_azul.client.ui("edit_instalment", instalment=made.id, fields={"vencimento": "2026-09-01"})
    new = document(ref=made.ref, number=made.number, due_date=date(2026, 8, 20))
    reply = conta_azul.send(What.INVOICE, Change(made.ref, made, new))
    assert isinstance(reply, Answered)
    assert isinstance(reply.results[0], Conflict)
    assert conta_azul.client.instalment(made.id)["data_vencimento"] == "2026-09-01"


@pytest.mark.parametrize(
    "change",
    [
        {"date": date(2026, 7, 1)},
        {"contact_id": "00000000-0000-4000-8000-00000000beef"},
        {"lines": (Line("General English", 99_00, COURSES, ""),)},
        {"lines": (Line("General English", 100_10, OTHER_INCOME, ""),)},
    ],
)
def test_nothing_else_of_an_event_can_be_changed_or_voided(conta_azul: Connected, change: dict[str, object]) -> None:
    made = conta_azul.document()
    new = document(ref=made.ref, number=made.number, **change)
    with pytest.raises(ValueError, match="due date and text"):
        conta_azul.tool.body([Change(made.ref, made, new)])
    with pytest.raises(ValueError, match="nothing for this"):
        conta_azul.tool.body([Void(made.ref, made)])


def test_a_change_needs_the_version_that_only_a_single_reading_shows(conta_azul: Connected) -> None:
    made = conta_azul.document()
    (row,) = conta_azul.changed(What.INVOICE)
    with pytest.raises(ValueError, match="version"):
        conta_azul.tool.body([Change(made.ref, row, document(ref=made.ref, due_date=date(2026, 8, 20)))])


def test_a_change_in_a_closed_time_is_refused_in_our_word(conta_azul: Connected) -> None:
    made = conta_azul.document()
    conta_azul.client.control("lock-date", {"period": "2026-07-31", "year_end": None})
    new = document(ref=made.ref, number=made.number, due_date=date(2026, 8, 20))
    reply = conta_azul.send(What.INVOICE, Change(made.ref, made, new))
    assert isinstance(reply, Answered)
    (result,) = reply.results
    assert isinstance(result, Declined)
    assert result.code is Code.LOCKED_THERE
