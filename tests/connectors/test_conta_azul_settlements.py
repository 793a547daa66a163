"""Settlements: made at once, seen on their instalment alone, taken back for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from qualy_sync.contracts.accounting import (
    Answered,
    Declined,
    Done,
    RemoteSettlement,
    Remove,
    Reply,
    Status,
    What,
)
from qualy_sync.outcomes import Code
from tests.sandbox.conta_azul_client import BANK, CLOSED, FINANCE
from tests.support.conta_azul_connection import PAID_ON, Connected, SandboxClock, settlement


def declined(reply: Reply) -> Declined:
    assert isinstance(reply, Answered), reply
    (result,) = reply.results
    assert isinstance(result, Declined), result
    return result


def single_reads(conta_azul: Connected) -> int:
    """How many instalments were asked for their settlements."""
    calls = conta_azul.client.sandbox.control("GET", "calls/conta_azul")["calls"]
    return sum(call["method"] == "GET" and call["path"].endswith("/baixa") for call in calls)


@pytest.mark.parametrize("what", [What.INVOICE, What.BILL])
def test_money_in_two_parts_settles_a_document(conta_azul: Connected, what: What) -> None:
    made = conta_azul.document(what=what)
    kind = What.SETTLEMENT if what is What.INVOICE else What.BILL_SETTLEMENT
    first, second = settlement(made, 40_00), settlement(made, 60_10)
    paid = conta_azul.done(kind, first)
    assert isinstance(paid, RemoteSettlement)
    assert (paid.ref, paid.document_id, paid.amount, paid.account) == (first.ref, made.id, 40_00, BANK)
    assert (paid.date, paid.of, paid.status, paid.reconciled) == (PAID_ON, what, Status.PAID, False)
    (now,) = conta_azul.tool.by_id(what, [made.id])
    assert (now.paid, now.due, now.status) == (40_00, 60_10, Status.AUTHORISED)  # type: ignore[union-attr]
    conta_azul.done(kind, second)
    (now,) = conta_azul.tool.by_id(what, [made.id])
    assert (now.paid, now.due, now.status) == (100_10, 0, Status.PAID)  # type: ignore[union-attr]
    (read,) = conta_azul.tool.by_id(kind, [paid.id])
    assert replace(read, updated_at=paid.updated_at) == paid  # type: ignore[type-var]


def test_what_it_refuses_is_told_in_our_words(conta_azul: Connected) -> None:
    made = conta_azul.document()
    assert declined(conta_azul.send(What.SETTLEMENT, settlement(made, 100_11))).code is Code.PAID_THERE
    future = settlement(made, 1_00, date=date(2026, 8, 1))
    assert declined(conta_azul.send(What.SETTLEMENT, future)).code is Code.INVALID
    closed = settlement(made, 1_00, account=CLOSED)
    assert declined(conta_azul.send(What.SETTLEMENT, closed)).code is Code.UNMAPPED_ACCOUNT
    gone = settlement(replace(made, id="00000000-0000-4000-8000-00000000dead"), 1_00)
    assert declined(conta_azul.send(What.SETTLEMENT, gone)).code is Code.REMOVED_THERE
    conta_azul.client.control("lock-date", {"period": "2026-07-14", "year_end": None})
    assert declined(conta_azul.send(What.SETTLEMENT, settlement(made, 1_00))).code is Code.LOCKED_THERE


def test_a_page_inside_a_message_is_left_out(conta_azul: Connected) -> None:
    made = conta_azul.document()
    body = conta_azul.tool.body([settlement(made, 1_00)]).replace(b'"data_pagamento":"2026-07-14",', b"")
    said = declined(conta_azul.tool.send(What.SETTLEMENT, body, "key")).message
    assert "<" not in said
    assert "Internal Server Error" in said


# -- reading ------------------------------------------------------------------------------------------------------


def test_settlements_come_with_their_documents_and_known_ones_are_not_read_again(conta_azul: Connected) -> None:
    made = conta_azul.document()
    conta_azul.client.ui("settle", instalment=made.id, amount=30, note="dinheiro")
    conta_azul.client.sandbox.control("DELETE", "calls/conta_azul")
    read = [one for one in conta_azul.changed(What.INVOICE) if isinstance(one, RemoteSettlement)]
    assert [(one.ref, one.amount, one.document_id) for one in read] == [("", 30_00, made.id)]
    assert single_reads(conta_azul) == 1
    conta_azul.known.there = read
    assert not [one for one in conta_azul.changed(What.INVOICE) if isinstance(one, RemoteSettlement)]
    assert single_reads(conta_azul) == 1
    mine = conta_azul.done(What.SETTLEMENT, settlement(made, 20_00))
    conta_azul.known.there = [*read, mine]
    assert not [one for one in conta_azul.changed(What.INVOICE) if isinstance(one, RemoteSettlement)]
    assert single_reads(conta_azul) == 1


def test_what_was_taken_back_by_hand_is_told_although_nothing_lists_it(conta_azul: Connected) -> None:
    made = conta_azul.document()
    mine = conta_azul.done(What.SETTLEMENT, settlement(made, 20_00))
    conta_azul.known.there = [mine]
    conta_azul.client.ui("undo_settlement", settlement=mine.id)
    (read,) = [one for one in conta_azul.changed(What.INVOICE) if isinstance(one, RemoteSettlement)]
    assert (read.id, read.status) == (mine.id, Status.DELETED)
    assert conta_azul.tool.by_id(What.SETTLEMENT, [mine.id]) == ()


def test_of_other_peoples_documents_no_settlement_is_read(conta_azul: Connected) -> None:
    foreign = conta_azul.client.event(text="Aluguel")
    conta_azul.client.ui("settle", instalment=foreign["id"])
    conta_azul.client.sandbox.control("DELETE", "calls/conta_azul")
    assert len(conta_azul.changed(What.INVOICE)) == 1
    assert single_reads(conta_azul) == 0


def test_a_settlement_whose_answer_was_lost_is_found_by_its_note(conta_azul: Connected) -> None:
    made, bill = conta_azul.document(), conta_azul.document(what=What.BILL)
    since = SandboxClock(conta_azul.client).now() - timedelta(minutes=1)
    mine, paid_out = settlement(made, 20_00), settlement(bill, 5_00)
    assert conta_azul.tool.find(What.SETTLEMENT, [mine.ref, paid_out.ref], since) == ()
    conta_azul.client.control(
        "faults", {"method": "POST", "path": f"{FINANCE}/parcelas", "do": "drop_after", "times": 2}
    )
    assert not isinstance(conta_azul.send(What.SETTLEMENT, mine, paid_out), Answered)
    found = {one.ref: one for one in conta_azul.tool.find(What.SETTLEMENT, [mine.ref, paid_out.ref], since)}
    assert {ref: (one.document_id, one.amount) for ref, one in found.items()} == {  # type: ignore[union-attr]
        mine.ref: (made.id, 20_00),
        paid_out.ref: (bill.id, 5_00),
    }


# -- taking back --------------------------------------------------------------------------------------------------


def test_a_settlement_of_ours_is_taken_back_for_good(conta_azul: Connected) -> None:
    made = conta_azul.document()
    mine = conta_azul.done(What.SETTLEMENT, settlement(made, 100_10))
    gone = conta_azul.done(What.SETTLEMENT, Remove(mine.ref, mine))
    assert (gone.id, gone.ref, gone.amount, gone.status) == (mine.id, mine.ref, 100_10, Status.DELETED)
    (now,) = conta_azul.tool.by_id(What.INVOICE, [made.id])
    assert (now.due, now.status) == (100_10, Status.AUTHORISED)  # type: ignore[union-attr]
    assert declined(conta_azul.send(What.SETTLEMENT, Remove(mine.ref, mine))).code is Code.REMOVED_THERE


def test_what_is_reconciled_or_in_a_closed_time_stays(conta_azul: Connected) -> None:
    made = conta_azul.document()
    mine = conta_azul.done(What.SETTLEMENT, settlement(made, 100_10))
    conta_azul.client.control("lock-date", {"period": "2026-07-14", "year_end": None})
    assert declined(conta_azul.send(What.SETTLEMENT, Remove(mine.ref, mine))).code is Code.LOCKED_THERE
    conta_azul.client.control("lock-date", {"period": None, "year_end": None})
    conta_azul.client.ui("reconcile", settlement=mine.id)
    (read,) = conta_azul.tool.by_id(What.SETTLEMENT, [mine.id])
    assert read.reconciled  # type: ignore[union-attr]
    assert declined(conta_azul.send(What.SETTLEMENT, Remove(mine.ref, mine))).code is Code.RECONCILED_THERE


def test_a_removal_whose_answer_is_lost_is_told_by_looking(conta_azul: Connected) -> None:
    made = conta_azul.document()
    mine = conta_azul.done(What.SETTLEMENT, settlement(made, 100_10))
    conta_azul.client.control("faults", {"method": "DELETE", "path": FINANCE, "do": "drop_after"})
    reply = conta_azul.send(What.SETTLEMENT, Remove(mine.ref, mine))
    assert not isinstance(reply, Answered)
    assert conta_azul.tool.by_id(What.SETTLEMENT, [mine.id]) == ()


def test_two_equal_settlements_are_two_and_both_are_shown(conta_azul: Connected) -> None:
    """Nothing there keeps us from settling twice: a repeat is only ever sent after a look."""
    made = conta_azul.document()
    twice = settlement(made, 20_00)
    for _ in range(2):
        reply = conta_azul.send(What.SETTLEMENT, twice)
        assert isinstance(reply, Answered)
        assert isinstance(reply.results[0], Done)
    assert len(conta_azul.tool.find(What.SETTLEMENT, [twice.ref], None)) == 2
