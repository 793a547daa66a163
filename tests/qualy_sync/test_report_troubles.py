"""What waits for a person, in words; the summary on a terminal; and one payment explained."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

import pytest

from qualy_app import summary
from qualy_sync.ledger import Ledger, schema
from qualy_sync.model import Kind, Leg
from qualy_sync.outcomes import MEANINGS, Actor, Code
from qualy_sync.plan.refs import make_ref
from qualy_sync.reconcile import reconcile
from qualy_sync.report import explain, trouble_labels
from qualy_sync.report.troubles import LONGEST_LABEL
from tests.support.ledger_rows import NOW, LedgerRows, object_id

LOCK = {"date": "2026-05-12 (document)", "lock_date": "2026-05-31", "month": "2026-05"}


@pytest.fixture
def empty(ledger: Ledger) -> LedgerRows:
    return LedgerRows(ledger).open()


def labels(books: LedgerRows) -> list[str]:
    return [trouble.label for trouble in trouble_labels(books.ledger, books.book, "Xero")]


def test_a_lock_is_named_with_its_day_its_records_and_their_amount(empty: LedgerRows) -> None:
    for number in range(12):
        empty.payment(number, 285_416, Code.LOCKED, detail=LOCK, thing="2026-05-31 2026-05", day=date(2026, 5, 12))
    assert labels(empty) == ["Xero is locked to 31 May 2026: 12 records, AUD 34,249.92 (12 payments)"]


def test_currencies_stand_side_by_side(empty: LedgerRows) -> None:
    for number, currency in enumerate(("USD", "AUD", "JPY")):
        empty.payment(number, 100_000, Code.UNMAPPED_ITEM, currency, detail={"category": "visa"}, thing="visa")
    assert labels(empty) == [
        "The item category “visa” is not mapped: 3 records, AUD 1,000.00, JPY 100,000, USD 1,000.00 (3 payments)"
    ]


def test_two_months_behind_one_lock_are_told_apart(books: LedgerRows) -> None:
    found = labels(books)
    assert found[0] == "Xero is locked to 31 May 2026 (May 2026): 12 records, AUD 34,332.66 (12 payments)"
    assert "Xero is locked to 31 May 2026 (April 2026): 3 records, USD 2,730.00 (3 payments)" in found


def test_most_records_come_first(books: LedgerRows) -> None:
    counts = [trouble.records for trouble in trouble_labels(books.ledger, books.book, "Xero")]
    assert counts == sorted(counts, reverse=True)


def test_a_trouble_is_known_once_an_earlier_run_failed_for_it(books: LedgerRows) -> None:
    key = trouble_labels(books.ledger, books.book, "Xero")[0].key
    since = NOW - timedelta(days=2)
    books.insert(schema.troubles, book=books.book, key=key, first_at=since, failed_run=books.run, failed_at=since)
    later = books.new_run()
    earlier_run, this_run = (trouble_labels(books.ledger, books.book, "Xero", run)[0] for run in (later, later - 1))
    assert earlier_run.known
    assert earlier_run.first_at == since
    assert not this_run.known


@pytest.mark.parametrize("code", [code for code in Code if MEANINGS[code].actor is not Actor.NOBODY])
def test_every_code_that_waits_has_words_for_many_records(empty: LedgerRows, code: Code) -> None:
    detail = {"message": "m" * 400, "problem": "it is unclear", "what": "Qualy's tax “GST”", "currency": "AUD"}
    empty.payment(1, 5_000, code, detail=detail, thing="t")
    [trouble] = trouble_labels(empty.ledger, empty.book, "Xero")
    assert trouble.actor is MEANINGS[code].actor
    assert len(trouble.label) <= LONGEST_LABEL
    assert trouble.label.endswith("1 record, AUD 50.00 (1 payment)")
    assert not trouble.label.startswith(("…", ":"))
    assert "{" not in trouble.sentence + trouble.remedy


def test_the_summary_tells_both_sides_and_what_waits_for_whom(books: LedgerRows) -> None:
    text = "\n".join(summary.lines(books.ledger.url, "Xero"))
    for line in (
        "54 customers, 1 partners, 56 payments, 18 splits, 36 receipts",
        "Document by document: 0 differences",
        "Xero is locked to 31 May 2026 (May 2026): 12 records, AUD 34,332.66",
        "finance: Move the lock date in Xero; the record goes on by itself.",
    ):
        assert line in text
    [aud] = [line.split() for line in text.splitlines() if line.strip().startswith("Payments AUD")]
    assert aud == ["Payments", "AUD", "85,522.86", "49,295.20", "35,477.66", "750.00", "0.00", "0.00"]


def test_the_summary_names_credits_too_so_that_its_parts_are_the_whole(books: LedgerRows) -> None:
    books.change(schema.current_outcomes, {"leg": "settlement"}, leg="credit_note")
    [in_step] = [line for line in summary.lines(books.ledger.url, "Xero") if line.startswith("  In step")]
    total, *parts = (int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", in_step))
    assert "36 credit notes" in in_step
    assert total == sum(parts)


def test_a_run_ends_as_expected_when_only_people_have_something_to_do(books: LedgerRows) -> None:
    assert not summary.as_expected(books.ledger.url)
    assert summary.surprises(books.ledger) == ["1 record ended as invalid."]
    books.change(schema.current_outcomes, {"code": "invalid"}, code="locked")
    assert summary.as_expected(books.ledger.url)


def test_a_run_that_left_something_due_or_wrong_is_no_good_end(books: LedgerRows) -> None:
    books.change(schema.current_outcomes, {"code": "invalid"}, code="its_turn", trouble_key=None)
    books.record(Kind.PAYMENT, object_id(1, 9000), None, 700, "AUD")
    books.change(schema.mirror_documents, {"id": f"doc-{object_id(3, 1003)}"}, status="voided")
    reconcile(books.ledger, books.book, books.run, NOW, full=True)
    said = " ".join(summary.surprises(books.ledger))
    assert "1 record ended as its_turn." in said
    assert "without an outcome" in said
    assert "AUD 7.00 of Payments is unexplained." in said
    assert "2 differences" in said


def test_a_ledger_without_a_run_is_no_good_end(ledger: Ledger) -> None:
    assert summary.lines(ledger.url) == ["No accounting run was made yet."]
    assert not summary.as_expected(ledger.url)


def attempted(books: LedgerRows, source_id: str, body: object) -> None:
    """An attempt at the invoice of that payment, answered."""
    ref = make_ref(Leg.INVOICE, source_id)
    attempt = books.insert(
        schema.attempts,
        book=books.book,
        run=books.run,
        what="invoice",
        key="key-1",
        body=books.ledger.seal(json.dumps(body).encode()),
        body_hash="b",
        epoch=1,
        committed_at=NOW,
        first_sent_at=NOW,
        last_sent_at=NOW,
        ended_at=NOW,
        fate="answered",
        note="A validation exception occurred",
    )
    books.insert(
        schema.attempt_steps,
        attempt=attempt,
        book=books.book,
        leg="invoice",
        source_id=source_id,
        ref=ref,
        sought="Q-1002",
        source_hash="h",
        content_hash="c",
        settings_version="5d0c1e",
        frozen={},
        seen={},
        open=False,
        fate="created",
        at=NOW,
    )


def sent_body(source_id: str) -> dict[str, object]:
    mine = {
        "InvoiceNumber": "Q-1002",
        "Reference": make_ref(Leg.INVOICE, source_id),
        "Contact": {"ContactID": "contact-1", "Name": "Maria Silva", "EmailAddress": "maria@mail.example"},
        "LineItems": [{"Description": "English course for Maria", "AccountCode": "200", "LineAmount": 1800.2}],
        "Url": "https://app.example/?user=maria@mail.example",
    }
    return {"Invoices": [{"InvoiceNumber": "Q-1", "Contact": {"Name": "Somebody Else"}}, mine]}


def test_a_payment_is_explained_leg_by_leg(books: LedgerRows) -> None:
    payment = object_id(1, 1002)
    attempted(books, payment, sent_body(payment))
    told = explain(books.ledger, books.book, payment, tool="Xero", payment_link="https://app.example/payments/{id}")
    assert (told.number, told.currency, told.amount, told.worst) == ("1002", "AUD", 180_020, Code.PAID)
    assert [leg.leg for leg in told.legs] == ["contact", "invoice", "settlement"]
    assert told.source_url == f"https://app.example/payments/{payment}"
    [attempt] = told.legs[1].attempts
    assert (attempt.fate, attempt.said, attempt.sent_at) == ("created", "A validation exception occurred", NOW)


def test_what_was_sent_shows_this_record_alone_and_no_person(books: LedgerRows) -> None:
    payment = object_id(1, 1002)
    attempted(books, payment, sent_body(payment))
    [attempt] = explain(books.ledger, books.book, payment).legs[1].attempts
    assert attempt.sent["LineItems"][0]["LineAmount"] == "1800.2"
    assert attempt.sent["Contact"]["ContactID"] == "contact-1"
    shown = json.dumps(attempt.sent)
    assert not any(word in shown for word in ("Maria", "maria@", "Somebody"))
    [asked] = explain(books.ledger, books.book, payment, personal=True).legs[1].attempts
    assert asked.sent["Contact"]["EmailAddress"] == "maria@mail.example"


def test_a_body_that_is_no_longer_kept_is_simply_absent(books: LedgerRows) -> None:
    payment = object_id(1, 1002)
    attempted(books, payment, sent_body(payment))
    books.change(schema.attempts, {"key": "key-1"}, body=None)
    assert explain(books.ledger, books.book, payment).legs[1].attempts[0].sent is None
    without_keys = Ledger(books.ledger.url)
    books.change(schema.attempts, {"key": "key-1"}, body=b"sealed with another key")
    assert explain(without_keys, books.book, payment).legs[1].attempts[0].sent is None
    without_keys.close()


def test_a_held_payment_says_what_to_do_and_what_was_decided(books: LedgerRows) -> None:
    payment = object_id(1, 1304)
    books.decide(Leg.BILL, object_id(3, 1304), "ignore")
    told = explain(books.ledger, books.book, payment, tool="Xero")
    bill = told.legs[-1]
    assert told.worst is Code.SPLIT_UNCLEAR
    assert bill.sentence == "The splits cannot be booked: their sum is not the item's amount."
    assert bill.remedy == "Correct the splits in Qualy, or list their type in the settings."
    assert bill.who_acts == "finance"
    assert [event.what for event in bill.events] == ["split_unclear", "decided ignore"]


@pytest.mark.parametrize("given", [object_id(2, 1002), "Q-1002", "q-1002 "])
def test_a_payment_is_found_by_its_parts_and_its_number(books: LedgerRows, given: str) -> None:
    assert explain(books.ledger, books.book, given).payment_id == object_id(1, 1002)


def test_nothing_known_is_said_so(books: LedgerRows) -> None:
    with pytest.raises(LookupError, match="Nothing is known of 'nonsense'"):
        explain(books.ledger, books.book, "nonsense")
