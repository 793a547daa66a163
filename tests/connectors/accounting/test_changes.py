"""What is there already is changed, voided and taken back: by the connector itself, as far as the tool can."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from qualy_sync.contracts.accounting import (
    GONE,
    Ability,
    AccountingTool,
    Answered,
    Basis,
    Change,
    Done,
    Line,
    NewDocument,
    RemoteDocument,
    RemoteSettlement,
    Remove,
    Status,
    Void,
    What,
    owned_hash,
)
from tests.support.acceptance import Ground, ToolWorld, unless
from tests.support.world import copied

UNPAID, PAID_IN_PART = 15_500, 45_000


def done(tool: AccountingTool, what: What, element: Any) -> Any:
    """What a single element came to, which has to be done."""
    reply = tool.send(what, tool.body([element]), uuid.uuid4().hex)
    assert isinstance(reply, Answered), reply
    (result,) = reply.results
    assert isinstance(result, Done), result
    return result.remote


def invoice(tool: AccountingTool, total: int) -> RemoteDocument:
    """The invoice of that total, whole: as `by_id` gives it."""
    everything = [one for page in tool.changed(tool.ways.reads[What.INVOICE], None) for one in page]
    (found,) = [
        one for one in everything if isinstance(one, RemoteDocument) and (one.what, one.total) == (What.INVOICE, total)
    ]
    (whole,) = tool.by_id(What.INVOICE, [found.id])
    assert isinstance(whole, RemoteDocument)
    return whole


def as_new(there: RemoteDocument, **change: Any) -> NewDocument:
    """What would make the document as it is, but for a change."""
    facts: dict[str, Any] = {
        "what": there.what, "ref": there.ref, "number": there.number, "contact_id": there.contact_id,
        "currency": there.currency, "date": there.date, "due_date": there.due_date, "status": Status.AUTHORISED,
        "basis": there.basis or Basis.INCLUSIVE,
        "lines": tuple(Line(one.description, one.amount, one.account, one.tax) for one in there.lines or ()),
    }  # fmt: skip
    return NewDocument(**facts | change)


@pytest.fixture(scope="module")
def world(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToolWorld]:
    """One for all these stories: the agency's records are in the tool."""
    made = ToolWorld(ground.sandbox, copied(ground.ledger, tmp_path_factory.mktemp("changes")), case=ground.case)
    yield made.begin().settle()
    made.ledger.close()


@pytest.fixture
def tool(world: ToolWorld) -> AccountingTool:
    return world.desk().tool


def test_what_was_read_whole_is_what_would_be_sent(tool: AccountingTool) -> None:
    there = invoice(tool, UNPAID)
    read = tool.as_read(as_new(there))
    assert there.lines
    assert owned_hash(read, read.lines) == owned_hash(there, there.lines)


def test_a_due_date_is_changed_in_place_and_nothing_else(world: ToolWorld, tool: AccountingTool) -> None:
    unless(tool, Ability.CHANGE_DUE_DATE)
    there = invoice(tool, UNPAID)
    assert there.due_date is not None
    held, later = world.held(), there.due_date + timedelta(days=30)
    new = as_new(there, due_date=later)
    now = done(tool, What.INVOICE, Change(there.ref, there, new))
    read = tool.as_read(new)
    assert owned_hash(now, now.lines) == owned_hash(read, read.lines)
    assert replace(invoice(tool, UNPAID), updated_at=now.updated_at) == now
    assert now.due_date == later
    assert world.held() == held


def test_an_amount_is_changed_in_place(world: ToolWorld, tool: AccountingTool) -> None:
    unless(tool, Ability.CHANGE_DOCUMENT)
    there = invoice(tool, UNPAID)
    (line,) = as_new(there).lines
    new = as_new(there, lines=(replace(line, amount=line.amount + 1_00),))
    now = done(tool, What.INVOICE, Change(there.ref, there, new))
    assert now.due == invoice(tool, now.total).total > UNPAID
    back = as_new(there, due_date=now.due_date)
    assert done(tool, What.INVOICE, Change(there.ref, now, back)).total == UNPAID


def test_money_is_taken_back_and_the_invoice_is_open_again(world: ToolWorld, tool: AccountingTool) -> None:
    unless(tool, Ability.REMOVE_SETTLEMENT)
    there = invoice(tool, PAID_IN_PART)
    (ref,) = [ref for of, ref, _ in world.held().settlements if of == there.ref]
    (mine,) = tool.find(What.SETTLEMENT, [ref], None)
    assert isinstance(mine, RemoteSettlement)
    assert done(tool, What.SETTLEMENT, Remove(mine.ref, mine)).status in GONE
    assert invoice(tool, PAID_IN_PART).due == PAID_IN_PART
    assert not [ref for of, ref, _ in world.held().settlements if of == there.ref]


def test_an_unpaid_invoice_is_voided(world: ToolWorld, tool: AccountingTool) -> None:
    unless(tool, Ability.VOID)
    there = invoice(tool, UNPAID)
    assert done(tool, What.INVOICE, Void(there.ref, there)).status in GONE
    assert UNPAID not in {total for _, _, total, _ in world.held().documents}
