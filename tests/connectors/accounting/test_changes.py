"""What is there already is changed, voided and taken back: by the connector itself, as far as the tool can."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
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
    NewContact,
    NewDocument,
    Party,
    Rate,
    RemoteDocument,
    RemoteLine,
    RemoteSettlement,
    Remove,
    Status,
    Void,
    What,
    owned_hash,
)
from tests.support.acceptance import Ground, ToolWorld, unless
from tests.support.world import copied

UNPAID, PAID_IN_PART, BILL = 15_500, 45_000, 70_000


def done(tool: AccountingTool, what: What, element: Any) -> Any:
    """What a single element came to, which has to be done."""
    reply = tool.send(what, tool.body([element]), uuid.uuid4().hex)
    assert isinstance(reply, Answered), reply
    (result,) = reply.results
    assert isinstance(result, Done), result
    return result.remote


def invoice(tool: AccountingTool, total: int) -> RemoteDocument:
    """The invoice of that total, whole: as `by_id` gives it."""
    return whole(tool, What.INVOICE, total)


def bill(tool: AccountingTool) -> RemoteDocument:
    return whole(tool, What.BILL, BILL)


def whole(tool: AccountingTool, what: What, total: int) -> RemoteDocument:
    home = tool.organisation().base_currency
    everything = [one for page in tool.changed(tool.ways.reads[what], None) for one in page]
    documents = [one for one in everything if isinstance(one, RemoteDocument) and one.currency == home]
    (found,) = [one for one in documents if (one.what, one.total) == (what, total)]
    (read,) = tool.by_id(what, [found.id])
    assert isinstance(read, RemoteDocument)
    return read


def as_new(there: RemoteDocument, **change: Any) -> NewDocument:
    """What would make the document as it is, but for a change."""
    facts: dict[str, Any] = {
        "what": there.what, "ref": there.ref, "number": there.number, "contact_id": there.contact_id,
        "currency": there.currency, "date": there.date, "due_date": there.due_date, "status": Status.AUTHORISED,
        "basis": there.basis or Basis.INCLUSIVE,
        "lines": tuple(map(as_line, there.lines or ())),
    }  # fmt: skip
    return NewDocument(**facts | change)


def as_line(there: RemoteLine) -> Line:
    return Line(there.description, there.amount, there.account, there.tax)


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


@pytest.mark.parametrize("what", [What.INVOICE, What.BILL])
def test_a_foreign_document_keeps_its_rate_until_it_has_another_day(tool: AccountingTool, what: What) -> None:
    """Whatever is changed of it: a rate that is not sent along must not become 1, or that of today."""
    unless(tool, Ability.CURRENCIES)
    first, second = (foreign(tool, what, rate) for rate in ("1.2345", "1.3456"))
    (line,) = first.lines or ()
    dearer = replace(line, amount=line.amount + 1_00)
    day, due = first.date, first.date + timedelta(days=40)
    assert first.rest != second.rest
    now = first
    for change in ({"due_date": due}, {"due_date": due, "lines": (as_line(dearer),)}, {"lines": (as_line(line),)}):
        now = done(tool, what, Change(now.ref, now, as_new(now, **change)))
        assert (now.rest, now.date) == (first.rest, day)
    moved = as_new(now, date=day + timedelta(days=1), lines=(as_line(dearer),), rate=rate_of("1.3456"))
    now = done(tool, what, Change(now.ref, now, moved))
    assert (now.rest, now.date) == (second.rest, day + timedelta(days=1))


def foreign(tool: AccountingTool, what: What, rate: str) -> RemoteDocument:
    """An unpaid document in another currency than the books, of a contact of its own."""
    currency = min(tool.chart().currencies - {tool.organisation().base_currency, "JPY"})
    party = Party.CUSTOMER if what is What.INVOICE else Party.SUPPLIER
    ref = f"{'I' if what is What.INVOICE else 'B'}{uuid.uuid4().hex[:19].upper()}"
    kept = currency if tool.ways.currency_per_contact else ""
    contact = done(tool, What.CONTACT, NewContact(f"C{ref[1:]}", ref, "", party=party, currency=kept))
    like = bill(tool) if what is What.BILL else invoice(tool, UNPAID)
    facts = {"what": what, "ref": ref, "number": ref, "contact_id": contact.id, "currency": currency}
    (line,) = map(as_line, like.lines or ())
    lines = (replace(line, amount=line.amount + 7_00),)  # none of the agency's amounts
    made: RemoteDocument = done(tool, what, as_new(like, **facts, lines=lines, rate=rate_of(rate)))
    return made


def rate_of(value: str) -> Rate:
    return Rate(Decimal(value), "table", date(2026, 7, 1))


def test_who_reads_is_told_of_each_answer(world: ToolWorld, tool: AccountingTool) -> None:
    """A lease is renewed there, however many calls a search takes."""
    answers = 0

    def answered() -> None:
        nonlocal answers
        answers += 1

    tool.organisation()  # whatever is asked for once is asked for before
    held = world.held()
    number = next(ref for kind, ref, total, _ in held.documents if (kind, total) == ("invoice", UNPAID))
    money = [ref for _, ref, _ in held.settlements]
    paid = [one.id for one in tool.find(What.SETTLEMENT, money, None)]
    there = invoice(tool, UNPAID)
    readings: list[Callable[[], object]] = [
        *(lambda what=what: list(tool.changed(what, None, answered)) for what in set(tool.ways.reads.values())),
        lambda: tool.find(What.INVOICE, [number], None, answered),
        lambda: tool.find(What.BILL, ["B" + "0" * 18], None, answered),
        lambda: tool.find(What.CONTACT, ["C" + "0" * 18], None, answered),
        lambda: tool.find(What.SETTLEMENT, money, None, answered),
        lambda: tool.by_id(What.INVOICE, [there.id], answered),
        lambda: tool.by_id(What.CONTACT, [there.contact_id], answered),
        lambda: tool.by_id(What.SETTLEMENT, paid, answered),
    ]
    for place, read in enumerate(readings):
        answers, before = 0, len(world.case.called(world.sandbox))
        read()
        calls = len(world.case.called(world.sandbox)) - before
        assert 0 < calls <= 2 * answers, place


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
