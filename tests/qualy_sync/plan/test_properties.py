"""What holds of every plan, whatever Qualy has: nothing twice, nothing lost, nothing that depends on order."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qualy_sync.contracts.accounting import NewDocument
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code, Group
from qualy_sync.plan import Key, Planned, Terms, plan_slice
from tests.support.plan_world import BASE, Books, World, terms_of

SMALL = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

AMOUNTS = st.one_of(st.integers(1, 500_000), st.sampled_from([0, -5_000, 1, 10**15]))
CATEGORIES = st.sampled_from(["Course", "Tuition", "Package", "Discount", "Yoga", ""])
STATUSES = st.sampled_from(["due", "paid", "paid", "paid-partial", "canceled", "refunded", "draft", "odd"])
DAYS = st.builds(
    "2026-{}T{}:30:00Z".format,
    st.sampled_from(["01-01", "01-31", "05-01", "05-30", "06-01", "06-30"]),
    st.sampled_from([13, 15]),  # either side of midnight in Sydney
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Up to four payments of two customers, with shares and receipts of every kind, good and bad."""
    world = World()
    names = st.sampled_from(["Ana Silva", "王 伟", "Ana  Silva"])
    for number in (1, 2):
        world.customer(number, draw(names), draw(st.sampled_from(["", "", "both@students.example", None])))
    for number in (1, 2, 3):
        world.partner(number, draw(st.sampled_from(["", "Our own agency"])))
    splits = transactions = 0
    for number in range(1, draw(st.integers(1, 4)) + 1):
        items = draw(st.lists(st.tuples(CATEGORIES, AMOUNTS), min_size=1, max_size=3))
        over = {"createdAt": draw(DAYS), "dueAt": draw(st.one_of(st.none(), DAYS))}
        currency = draw(st.sampled_from(["AUD", "AUD", "JPY", "KWD", "CHF"]))
        status, gone = draw(STATUSES), draw(st.integers(0, 9)) == 0
        customer = draw(st.integers(1, 2))
        world.payment(*items, number=number, customer=customer, status=status, currency=currency, over=over, gone=gone)
        for _ in range(draw(st.integers(0, 3))):
            splits += 1
            kind = draw(st.sampled_from(["supplier", "agent", "ours", "rebate", "new"]))
            place = draw(st.integers(0, len(items)))
            share = draw(AMOUNTS)
            world.split(share, splits, number, place, kind, draw(st.integers(1, 3)))
            if draw(st.booleans()):
                at = draw(st.one_of(st.none(), DAYS))
                paid = draw(st.one_of(st.just(share), AMOUNTS))
                world.pay_out(paid, splits, splits, draw(st.sampled_from(["paid", "processing"])), at)
        total = sum(amount for _, amount in items)
        for _ in range(draw(st.integers(0, 2))):
            transactions += 1
            amount = draw(st.one_of(st.just(total), AMOUNTS))
            status = draw(st.sampled_from(["succeeded", "succeeded", "processing", "failed", "disputed", "odd"]))
            method = draw(st.sampled_from(["CARD", "CARD", "BANK", "CASH", "AT_SCHOOL"]))
            world.charge(amount, transactions, number, status, method, at=draw(DAYS))
    return world


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "payments__when": st.sampled_from(["instantly", "when_fully_paid"]),
        "payments__invoice_date": st.sampled_from(["created", "due", "earlier_of_due_and_first_receipt"]),
        "splits__when": st.sampled_from(["with_invoice", "when_customer_paid", "when_paid_out"]),
        "splits__mark_paid": st.just(True),
        "splits__owed_to_us": st.just("invoice"),
        "next_open_day__invoice": st.just("Kim Lee"),
        "settlement__mode": st.sampled_from(["per_transaction", "when_fully_paid"]),
        "lock": st.sampled_from([None, date(2026, 5, 31)]),
    },
)


def records(world: World) -> set[Key]:
    """Every (leg, id) that a plan has to account for."""
    legs = (
        (Leg.CONTACT, world.customers),
        (Leg.INVOICE, world.payments),
        (Leg.BILL, world.splits),
        (Leg.SETTLEMENT, world.transactions),
        (Leg.PAY_OUT, world.pay_outs),
    )
    return {(str(leg), one) for leg, some in legs for one in some}


@SMALL
@given(worlds(), CHANGES)
def test_every_record_gets_exactly_one_verdict(world: World, changes: dict[str, Any]) -> None:
    planned = plan_slice(terms_of(**changes), Books().known(), world.slice()).planned
    assert Counter(one.key for one in planned) == Counter(records(world))
    for one in planned:
        assert one.outcome is not None or one.step is not None
        assert one.due == (one.step is not None and one.outcome is None)
        assert not (one.due and one.link is not None)
        if one.outcome is not None:
            assert "…" not in one.outcome.sentence() + one.outcome.remedy()


@SMALL
@given(worlds(), CHANGES)
def test_planning_is_the_same_each_time_and_in_every_order(world: World, changes: dict[str, Any]) -> None:
    terms = terms_of(**changes)
    plans = [plan_slice(terms, Books().known(), source) for source in (world.slice(), world.slice(backwards=True))]
    first, second = ({one.key: one for one in plan.planned} for plan in plans)
    assert first == second
    assert plans[0].suppliers == plans[1].suppliers


@SMALL
@given(worlds(), CHANGES)
def test_what_is_written_and_unchanged_is_not_written_again(world: World, changes: dict[str, Any]) -> None:
    terms, books = terms_of(**changes), Books()
    last = books.sync(world, terms)
    again = {one.key: one for one in plan_slice(terms, books.known(), world.slice()).planned}
    assert again == last
    assert not [one for one in again.values() if one.key in books.links and one.step is not None]
    assert not [one for one in again.values() if one.due and one.step and _complete(one)]
    written = {*books.contacts, *books.documents, *books.settlements}
    assert {link.remote_id for link in books.links.values()} == written


def _complete(planned: Planned) -> bool:
    """Nothing that it hangs on is missing, so that it would go now."""
    new = planned.step.new if planned.step else None
    return bool(getattr(new, "contact_id", "-") and getattr(new, "document_id", "-"))


@SMALL
@given(worlds(), CHANGES)
def test_a_changed_setting_touches_nothing_that_is_booked(world: World, changes: dict[str, Any]) -> None:
    books = Books()
    before = books.sync(world, terms_of(**changes))
    other = terms_of(
        payments__invoice_date="due",
        payments__number_prefix="N-",
        splits__when="when_customer_paid",
        settlement__mode="when_fully_paid",
        settlement__date_field="paidAt",
        start_date=date(2026, 6, 30),
        items={**BASE["accounting"]["items"], "Tuition": BASE["accounting"]["items"]["Course"]},
        splits__map=[],
    )
    after = {one.key: one for one in plan_slice(other, books.known(), world.slice()).planned}
    for key in books.links.keys() & after.keys():
        assert after[key].outcome == before[key].outcome
        assert (after[key].month, after[key].source_hash) == (before[key].month, before[key].source_hash)


@SMALL
@given(worlds(), CHANGES)
def test_a_document_comes_to_qualys_total_and_a_settlement_never_to_more_than_is_due(
    world: World, changes: dict[str, Any]
) -> None:
    terms, books = terms_of(**changes), Books()
    for one in world.plan(terms).values():
        if one.step is not None and isinstance(one.step.new, NewDocument):
            computed = terms.totals(one.step.new.lines, one.step.new.basis, one.currency, terms.chart)
            assert computed.total == one.amount == one.step.amount > 0
            assert all(line.account and line.tax for line in one.step.new.lines)
    books.sync(world, terms)
    assert all(document.due >= 0 for document in books.documents.values())


def liability(books: Books, terms: Terms, world: World, account: str) -> dict[str, int]:
    """What an account still holds per payment, where the invoice and every bill of it are booked."""
    plan = {one.key: one for one in plan_slice(terms, books.known(), world.slice()).planned}
    held: Counter[str] = Counter()
    whole = {payment: True for payment in world.payments}
    for one in plan.values():
        if one.leg not in (Leg.INVOICE, Leg.BILL) or one.payment_id is None:
            continue
        fine = one.outcome is not None and one.outcome.meaning.group is Group.IN_STEP
        whole[one.payment_id] &= fine or (one.outcome is not None and one.outcome.code is Code.OWN_SHARE)
        if fine:
            amount = books.links[one.key].facts["accounts"].get(account, 0)
            held[one.payment_id] += amount if one.leg is Leg.INVOICE else -amount
    return {payment: held[payment] for payment in world.payments if whole[payment]}


@st.composite
def agencies(draw: st.DrawFn, category: str) -> World:
    """Payments whose items are collected for others, with shares that add up or do not."""
    world = World()
    number = 0
    for payment in (1, 2):
        amounts = draw(st.lists(st.integers(1, 300_000), min_size=1, max_size=3))
        world.payment(*((category, amount) for amount in amounts), number=payment, status="paid")
        for item, amount in enumerate(amounts):
            principal = draw(st.integers(1, amount))
            number += 1
            world.split(principal, number, payment, item, "supplier", 1)
            rest = draw(st.integers(0, amount - principal + draw(st.sampled_from([0, 0, 5]))))
            if rest:
                number += 1
                world.split(rest, number, payment, item, draw(st.sampled_from(["agent", "ours", "supplier"])), 2)
        world.charge(sum(amounts), payment, payment)
    return world


@SMALL
@given(agencies("Tuition"), st.sampled_from(["with_invoice", "when_customer_paid"]))
def test_what_is_owed_by_the_invoice_is_taken_out_by_the_bills(world: World, when: str) -> None:
    terms, books = terms_of(splits__when=when), Books()
    books.sync(world, terms)
    assert set(liability(books, terms, world, "880").values()) <= {0}


@SMALL
@given(agencies("Package"), st.sampled_from(["with_invoice", "when_customer_paid"]))
def test_gross_in_and_gross_out_leave_nothing_behind(world: World, when: str) -> None:
    terms, books = terms_of(splits__when=when), Books()
    books.sync(world, terms)
    assert set(liability(books, terms, world, "881").values()) <= {0}


@SMALL
@given(worlds(), CHANGES, st.sampled_from([None, date(2026, 5, 31), date(2026, 12, 31)]))
def test_what_is_confirmed_names_neither_remote_ids_nor_locks(
    world: World, changes: dict[str, Any], lock: date | None
) -> None:
    terms, books = terms_of(**changes), Books()
    names = {one.key: one.step.content_hash for one in world.plan(terms).values() if one.step}
    locked = replace(terms, organisation=replace(terms.organisation, period_lock=lock))
    for one in world.plan(locked).values():
        assert one.step is None or names[one.key] == one.step.content_hash
    # With its contacts there, a document is still the same one.
    contacts = [one for one in world.plan(terms).values() if one.leg is Leg.CONTACT and one.due]
    books._keep(terms, contacts)
    for one in world.plan(terms, books.known()).values():
        assert one.step is None or names.get(one.key, one.step.content_hash) == one.step.content_hash


@SMALL
@given(worlds(), CHANGES)
def test_a_lost_ledger_is_built_again_without_writing_anything(world: World, changes: dict[str, Any]) -> None:
    terms, books = terms_of(**changes), Books()
    books.sync(world, terms)
    there = (dict(books.contacts), dict(books.documents), dict(books.settlements))
    before = {key: link.remote_id for key, link in books.links.items() if key[0] != Leg.SUPPLIER}
    books.links.clear()
    books.sync(world, terms)
    assert (books.contacts, books.documents, books.settlements) == there
    assert {key: link.remote_id for key, link in books.links.items() if key[0] != Leg.SUPPLIER} == before


@SMALL
@given(worlds(), CHANGES)
def test_refs_are_one_per_step(world: World, changes: dict[str, Any]) -> None:
    refs = [one.step.ref for one in world.plan(**changes).values() if one.step]
    assert len(refs) == len(set(refs))
    assert all(len(ref) in (20, 21) and ref.isascii() and ref.isalnum() and ref.isupper() for ref in refs)
