"""Both sides compared: what agrees is silent, and everything that does not is named, in both directions."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from qualy_sync.ledger import Ledger, schema
from qualy_sync.ledger.queries import rows as queried
from qualy_sync.model import Kind, Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan.refs import make_ref
from qualy_sync.reconcile import Finding, completeness, pin_of, reconcile, totals
from tests.support.ledger_rows import NOW, LedgerRows, an_agency, object_id

DAY = date(2026, 6, 10)


@pytest.fixture
def empty(ledger: Ledger) -> LedgerRows:
    return LedgerRows(ledger).open()


def findings(books: LedgerRows, full: bool = True) -> list[tuple[str, str]]:
    """What and where, as kept in the ledger after a reconciliation."""
    reconcile(books.ledger, books.book, books.run, NOW, full)
    with books.ledger.reading() as connection:
        return [(row.what, row.source_id) for row in queried(connection, "report.differences", book=books.book)]


def unexplained(books: LedgerRows) -> dict[tuple[str, str], int]:
    with books.ledger.reading() as connection:
        lines = totals(connection, books.book, pin_of(connection, books.run))
    return {(line.kind, line.currency): line.difference for line in lines if line.difference}


PAYMENT, RECEIPT, SPLIT = object_id(1, 1002), object_id(2, 1002), object_id(3, 1003)
PAYMENT_DOC, SPLIT_DOC, SETTLEMENT = f"doc-{PAYMENT}", f"doc-{SPLIT}", f"pay-{RECEIPT}"


def test_both_databases_find_the_same(any_ledger: Ledger) -> None:
    books = an_agency(any_ledger)
    assert findings(books) == []
    assert completeness(any_ledger, books.book).proved
    books.change(schema.mirror_documents, {"id": PAYMENT_DOC}, total=1, due=1 - 180_020)
    books.remove(schema.mirror_settlements, id=SETTLEMENT)
    found = findings(books)
    assert set(found) == {(str(Finding.TOTAL), PAYMENT), (str(Finding.MISSING_THERE), RECEIPT)}
    assert set(unexplained(books)) == {("payment-intents", "AUD"), ("transactions", "AUD")}


def test_books_that_agree_have_no_difference_and_are_proved_complete(books: LedgerRows) -> None:
    counts = reconcile(books.ledger, books.book, books.run, NOW, full=True)
    assert counts["differences"] == 0
    assert counts["complete"] == 1
    assert counts["outcomes"] == 205
    assert unexplained(books) == {}


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"total": 1, "due": 1, "paid": 0}, {Finding.TOTAL, Finding.PAID}),
        ({"net": 1}, {Finding.NET}),
        ({"tax": 1}, {Finding.TAX}),
        ({"currency": "NZD"}, {Finding.CURRENCY}),
        ({"contact_id": "somebody-else"}, {Finding.CONTACT}),
        ({"number": "INV-77"}, {Finding.NUMBER}),
        ({"due_date": date(2026, 12, 24)}, {Finding.DUE_DATE}),
        ({"status": "voided"}, {Finding.REMOVED_THERE}),
        ({"credited": 100, "due": -100}, {Finding.CREDITED}),
        ({"due": 5}, {Finding.OUTSTANDING}),
    ],
)
def test_a_change_of_a_document_in_the_tool_is_named(
    books: LedgerRows, changed: dict[str, object], found: set[Finding]
) -> None:
    books.change(schema.mirror_documents, {"id": PAYMENT_DOC}, **changed)
    assert set(findings(books)) == {(str(what), PAYMENT) for what in found}


def test_a_changed_total_shows_in_the_totals_to_the_cent(books: LedgerRows) -> None:
    with books.ledger.reading() as connection:
        before = connection.execute(
            schema.mirror_documents.select().where(schema.mirror_documents.c.id == SPLIT_DOC)
        ).one()
    books.change(schema.mirror_documents, {"id": SPLIT_DOC}, total=before.total + 1)
    assert unexplained(books) == {("payment-splits", "AUD"): -1}


def test_a_bill_whose_total_is_not_its_splits_amount_agrees_when_it_is_as_agreed(empty: LedgerRows) -> None:
    # Tax on top, or a line for our commission: the split says 500.00, the bill comes to 550.00.
    split = empty.split(7, 50_000)
    facts = {"total": 55_000, "net": 50_000, "tax": 5_000, "currency": "AUD", "number": make_ref(Leg.BILL, split)}
    empty.change(schema.links, {"source_id": split}, facts=facts)
    empty.change(schema.mirror_documents, {"id": f"doc-{split}"}, total=55_000, net=50_000, tax=5_000, due=55_000)
    assert unexplained(empty) == {}
    assert findings(empty) == []
    empty.change(schema.mirror_documents, {"id": f"doc-{split}"}, total=54_000)
    assert unexplained(empty) == {("payment-splits", "AUD"): 1_000}


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"amount": 5}, Finding.AMOUNT),
        ({"status": "deleted"}, Finding.REMOVED_THERE),
        ({"account": "091"}, Finding.ACCOUNT),
        ({"document_id": "doc-of-another"}, Finding.DOCUMENT),
    ],
)
def test_a_change_of_a_settlement_in_the_tool_is_named(
    books: LedgerRows, changed: dict[str, object], found: Finding
) -> None:
    books.change(schema.mirror_settlements, {"id": SETTLEMENT}, **changed)
    assert findings(books) == [(str(found), RECEIPT)]


def test_documents_settlements_and_contacts_that_are_gone_are_named(books: LedgerRows) -> None:
    books.remove(schema.mirror_documents, id=SPLIT_DOC)
    books.remove(schema.mirror_settlements, id=SETTLEMENT)
    books.remove(schema.mirror_contacts, id=f"contact-{object_id(5, 1002)}")
    gone = {(str(Finding.MISSING_THERE), source_id) for source_id in (SPLIT, RECEIPT, object_id(5, 1002))}
    assert set(findings(books)) == gone


def test_an_archived_contact_is_named_and_a_merged_one_stands(books: LedgerRows) -> None:
    archived, merged = object_id(5, 1001), object_id(5, 1002)
    books.change(schema.mirror_contacts, {"id": f"contact-{archived}"}, active=False)
    books.contact("the-other")
    books.change(schema.mirror_contacts, {"id": f"contact-{merged}"}, active=False, merged_into="the-other")
    assert findings(books) == [(str(Finding.ARCHIVED_THERE), archived)]


def test_a_document_of_a_merged_contact_agrees(books: LedgerRows) -> None:
    books.contact("contact-1", active=False, merged_into="the-other")
    books.contact("the-other")
    books.change(schema.mirror_documents, {"id": PAYMENT_DOC}, contact_id="the-other")
    assert findings(books) == []


def test_what_carries_our_mark_without_a_link_is_named(books: LedgerRows) -> None:
    amounts = {"net": 100, "tax": 0, "total": 100}
    ref = make_ref(Leg.BILL, object_id(3, 5000))
    books.remote_document("stray-bill", Leg.BILL, ref, ref, "AUD", DAY, **amounts)
    books.remote_document("stray-invoice", Leg.INVOICE, "by hand", "Q-90210", "AUD", DAY, **amounts)
    books.remote_document("theirs", Leg.INVOICE, "PO 17", "INV-0017", "AUD", DAY, **amounts)
    books.remote_settlement("stray-pay", make_ref(Leg.SETTLEMENT, object_id(2, 5000)), "theirs", 100, "AUD")
    findings(books)
    with books.ledger.reading() as connection:
        found = {(row.what, row.remote_id) for row in queried(connection, "report.differences", book=books.book)}
    assert found == {(str(Finding.UNLINKED_THERE), remote) for remote in ("stray-bill", "stray-invoice", "stray-pay")}


def test_an_open_attempt_explains_what_is_not_linked_yet(books: LedgerRows) -> None:
    source_id = object_id(3, 5000)
    ref = make_ref(Leg.BILL, source_id)
    books.remote_document("new-bill", Leg.BILL, ref, ref, "AUD", DAY, net=100, tax=0, total=100)
    attempt = books.insert(
        schema.attempts, book=books.book, run=books.run, what="bill", key="k", body_hash="b", epoch=1, committed_at=NOW
    )
    books.insert(
        schema.attempt_steps,
        attempt=attempt,
        book=books.book,
        leg="bill",
        source_id=source_id,
        ref=ref,
        sought=ref,
        source_hash="h",
        content_hash="c",
        settings_version="5d0c1e",
        frozen={},
        seen={},
        open=True,
        at=NOW,
    )
    assert findings(books) == []


def test_money_that_somebody_else_applied_to_our_invoice_is_named(books: LedgerRows) -> None:
    unpaid = object_id(1, 1001)
    books.remote_settlement("by-hand", "cheque", f"doc-{unpaid}", 500, "AUD")
    books.change(schema.mirror_documents, {"id": f"doc-{unpaid}"}, paid=500, due=94_510)
    assert set(findings(books)) == {(str(Finding.NOT_OURS), unpaid), (str(Finding.PAID), unpaid)}


def test_bills_are_paid_in_the_tool_and_that_is_no_difference(books: LedgerRows) -> None:
    books.remote_settlement("bill-paid", "", SPLIT_DOC, 500, "AUD")
    books.change(schema.mirror_documents, {"id": SPLIT_DOC}, paid=500, due=1)
    assert findings(books) == []


def test_two_live_records_with_one_reference_are_twins(books: LedgerRows) -> None:
    ref = make_ref(Leg.BILL, SPLIT)
    books.remote_document("twin", Leg.BILL, ref, ref, "AUD", DAY, net=100, tax=0, total=100)
    assert (str(Finding.DUPLICATE_THERE), SPLIT) in findings(books)
    books.change(schema.mirror_documents, {"id": "twin"}, status="voided")
    assert findings(books) == []


def test_one_document_cannot_stand_for_two_payments(books: LedgerRows) -> None:
    books.change(schema.links, {"source_id": object_id(1, 1003), "leg": "invoice"}, remote_id=PAYMENT_DOC)
    assert str(Finding.LINKED_TWICE) in {what for what, _ in findings(books)}


def test_what_a_person_decided_to_keep_is_no_difference_any_more(books: LedgerRows) -> None:
    books.change(schema.mirror_documents, {"id": SPLIT_DOC}, total=99)
    assert findings(books) == [(str(Finding.TOTAL), SPLIT)]
    books.decide(Leg.BILL, SPLIT, "theirs")
    assert findings(books) == []
    assert unexplained(books) == {}


def test_what_a_person_booked_by_hand_and_decided_to_keep_needs_no_link(books: LedgerRows) -> None:
    books.remove(schema.links, source_id=SPLIT, leg="bill")
    books.remove(schema.mirror_documents, id=SPLIT_DOC)
    assert completeness(books.ledger, books.book).unlinked.named == (("bill", SPLIT),)
    books.decide(Leg.BILL, SPLIT, "theirs")
    assert completeness(books.ledger, books.book).proved
    assert findings(books) == []
    books.decide(Leg.BILL, SPLIT, "ignore")  # the newest decision counts
    assert not completeness(books.ledger, books.book).proved


def test_an_outcome_cannot_make_more_of_a_document_than_was_agreed_on(books: LedgerRows) -> None:
    """In step by its outcome, and yet of another amount than what was posted for it."""
    key = {"leg": "invoice", "source_id": PAYMENT}
    with books.ledger.reading() as connection:
        before = connection.scalar(sa.select(schema.current_outcomes.c.amount).filter_by(**key))
    books.change(schema.current_outcomes, key, amount=before + 700, source_hash="of a newer content")
    assert unexplained(books) == {("payment-intents", "AUD"): 700}


def test_an_amount_that_qualy_states_otherwise_is_found_by_a_full_reconciliation_and_stays(books: LedgerRows) -> None:
    content = {"_id": PAYMENT, "amount": 1, "currency": "AUD"}
    books.change(schema.source_rows, {"id": PAYMENT, "kind": str(Kind.PAYMENT)}, content=content)
    assert findings(books, full=False) == []
    assert findings(books, full=True) == [(str(Finding.STATED_AMOUNT), PAYMENT)]
    assert findings(books, full=False) == [(str(Finding.STATED_AMOUNT), PAYMENT)]


def test_one_settlement_for_all_receipts_of_a_payment(empty: LedgerRows) -> None:
    payment = empty.payment(1, 30_000)
    empty.change(schema.mirror_documents, {"id": f"doc-{payment}"}, paid=30_000, due=0, status="paid")
    first, last = object_id(2, 1), object_id(2, 2)
    for source_id, amount in ((first, 10_000), (last, 20_000)):
        empty.record(Kind.TRANSACTION, source_id, Code.PAID, amount, "AUD", "2026-06", payment)
    ref = make_ref(Leg.SETTLEMENT, payment, letter="W")
    facts = {"amount": 30_000, "currency": "AUD", "account": "090", "document_id": f"doc-{payment}"}
    empty.link(Leg.SETTLEMENT, last, "whole", facts, ref)
    empty.remote_settlement("whole", ref, f"doc-{payment}", 30_000, "AUD")
    assert findings(empty) == []
    assert unexplained(empty) == {}
    assert completeness(empty.ledger, empty.book).proved
    empty.change(schema.mirror_settlements, {"id": "whole"}, amount=29_000)
    assert unexplained(empty) == {("transactions", "AUD"): 1_000}


def test_the_completeness_proof_names_what_nobody_decided_about(books: LedgerRows) -> None:
    forgotten = books.record(Kind.PAYMENT, object_id(1, 7777), None, 12_345, "AUD")
    proof = completeness(books.ledger, books.book, books.run)
    assert proof.missing.named == (("invoice", forgotten),)
    assert not proof.proved
    assert forgotten in proof.sentence()
    assert unexplained(books) == {("payment-intents", "AUD"): 12_345}
    assert findings(books) == [(str(Finding.NO_OUTCOME), forgotten)]


def test_rows_of_a_pass_that_the_run_does_not_see_are_not_missed(books: LedgerRows) -> None:
    books.pin = 2
    books.record(Kind.PAYMENT, object_id(1, 7777), None, 12_345, "AUD")
    assert completeness(books.ledger, books.book, books.run).proved


def test_the_completeness_proof_finds_lost_links_and_outcomes_of_nothing(books: LedgerRows) -> None:
    books.remove(schema.links, source_id=SPLIT, leg="bill")
    books.remove(schema.source_seen, id=RECEIPT, kind=str(Kind.TRANSACTION))
    books.remove(schema.current_outcomes, source_id=object_id(3, 1006))
    proof = completeness(books.ledger, books.book, books.run)
    assert proof.unlinked.named == (("bill", SPLIT),)
    assert proof.never_seen.named == (("settlement", RECEIPT),)
    assert proof.stray_links.named == (("bill", object_id(3, 1006)),)
    assert (str(Finding.NO_LINK), SPLIT) in findings(books)


def test_the_completeness_proof_finds_outcomes_of_an_older_content(books: LedgerRows) -> None:
    books.insert(schema.passes, number=2, started_at=NOW, completed_at=NOW, counts={})
    books.change(schema.source_rows, {"id": PAYMENT, "kind": str(Kind.PAYMENT)}, valid_to=2)
    books.insert(
        schema.source_rows, kind=str(Kind.PAYMENT), id=PAYMENT, valid_from=2, hash="new", content={"_id": PAYMENT}
    )
    books.pin = 2
    later = books.new_run()
    assert completeness(books.ledger, books.book, later).outdated.named == (("invoice", PAYMENT),)


def test_a_new_reconciliation_replaces_what_the_last_one_found(books: LedgerRows) -> None:
    books.change(schema.mirror_documents, {"id": SPLIT_DOC}, status="deleted")
    assert findings(books) == [(str(Finding.REMOVED_THERE), SPLIT)]
    books.change(schema.mirror_documents, {"id": SPLIT_DOC}, status="authorised")
    assert findings(books) == []
