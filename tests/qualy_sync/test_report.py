"""A run's report: what a finance lead reads first, lists, files, and what is kept of it."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from markupsafe import escape

from qualy_sync.contracts.accounting import Gap
from qualy_sync.ledger import Ledger, schema
from qualy_sync.ledger.outcomes import Verdict, record
from qualy_sync.model import Kind, Leg
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.reconcile import reconcile
from qualy_sync.report import Context, Report, csv_files, make_report, store_report, write_copies
from qualy_sync.report import page as page_maker
from tests.support.ledger_rows import NOW, LedgerRows, an_agency, object_id

XERO = Context(
    "Xero",
    [Gap("Reminder emails", "Whether Xero sends reminders cannot be read.")],
    "https://app.example/payments/{id}",
)


def made(books: LedgerRows, context: Context = XERO) -> Report:
    reconcile(books.ledger, books.book, books.run, books.now, full=True)
    return make_report(books.ledger, books.book, books.run, books.now, context)


def page(books: LedgerRows, context: Context = XERO) -> str:
    return made(books, context).html.decode().replace("\xa0", " ")


def table(report: Report, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report.files[name].decode("utf-8-sig"), newline="")))


def test_the_page_says_first_what_was_done_and_who_has_to_act(books: LedgerRows) -> None:
    html = page(books)
    for sentence in (
        "In agreement; 25 records wait for a person",
        "In Xero, this run created 54 customer contacts, 1 partner contact, 56 invoices (AUD 49,295.20, JPY 120,000,"
        " USD 48,678.30) and 18 bills (AUD 11,937.15, USD 11,938.50); it marked paid 36 receipts",
        "Of 205 records, 165 are in step, 2 are left out on purpose, and 38 are not in step.",
        "Waiting for people: finance for 6 things (23 records) and the Qualy admin for 2 things (2 records).",
        "Qualy and Xero agree to the cent in AUD, JPY and USD.",
        "Every record ever read from Qualy has exactly one outcome: 205 of 205.",
    ):
        assert sentence in html
        assert html.index(sentence) < html.index("What needs a person</h2>")


def test_what_is_only_said_again_under_other_settings_is_not_what_the_run_did(books: LedgerRows) -> None:
    run = books.new_run()
    with books.ledger.writing() as connection:
        said = connection.execute(sa.select(schema.current_outcomes)).all()
        again = [
            Verdict(
                **{name: row._mapping[name] for name in ("kind", "leg", "source_id", "owner", "payment_id", "amount")},
                **{name: row._mapping[name] for name in ("currency", "month", "source_hash")},
                outcome=Outcome(Code(row.code)),
            )
            for row in said
        ]
        assert record(connection, books.book, run, "xero", "other settings", again) == len(said)
    assert "This run wrote nothing into Xero" in page(books)
    # A second change of a document is one that the run did, although it is said a second time.
    bill = {"leg": "bill", "source_id": object_id(3, 1003)}
    with books.ledger.writing() as connection:
        (row,) = connection.execute(sa.select(schema.current_outcomes).filter_by(**bill)).all()
    attempt = books.insert(
        schema.attempts, book=books.book, run=run, what="bill", key="k", body_hash="", epoch=1, committed_at=NOW
    )
    books.insert(
        schema.attempt_steps, book=books.book, attempt=attempt, ref="r", sought="r", source_hash="", content_hash="",
        settings_version="", frozen={}, seen={}, open=False, fate="changed", at=NOW, **bill,
    )  # fmt: skip
    assert row.code == "created"
    assert "this run created 1 bill" in page(books)


def test_the_page_says_whose_books_these_are_and_under_which_rules(books: LedgerRows) -> None:
    html = page(books)
    for fact in ("Harbour Education", "15 July 2026, 19:05", "31 May 2026", "5d0c1e", "Australia/Sydney", "stand-in"):
        assert fact in html
    assert "Reminder emails" in html
    assert "Prepared by" in html
    assert "Reviewed by" in html


def test_each_trouble_stands_with_its_remedy(books: LedgerRows) -> None:
    html = page(books)
    assert "Xero is locked to 31 May 2026 (May 2026)" in html
    assert "Move the lock date in Xero; the record goes on by itself." in html
    assert "12 records · AUD 34,332.66 · open for 3 days" in html


def test_a_month_says_whether_it_can_be_closed_and_what_stands_in_the_way(books: LedgerRows) -> None:
    books.remove(schema.current_outcomes, source_id=object_id(1, 1306))
    books.remove(schema.source_seen, id=object_id(1, 1306), kind=str(Kind.PAYMENT))
    books.remove(schema.source_rows, id=object_id(1, 1306), kind=str(Kind.PAYMENT))
    html = page(books)
    month_end = html[html.index("Can this month be closed?") : html.index("Written since")]
    june = month_end[month_end.index("June 2026") :]
    assert "Not yet" in june
    assert "7 payments held (AUD 1,145.00); 1 split held (AUD 300.00); 1 payment refused (USD 1,500.00)" in june
    for number in (*range(1200, 1206), 1300, 1303, 1305):
        if number != 1205:
            books.change(
                schema.current_outcomes, {"source_id": object_id(1, number)}, code=str(Code.IGNORED), trouble_key=None
            )
    books.change(schema.current_outcomes, {"source_id": object_id(3, 1304)}, code=str(Code.OWN_SHARE), trouble_key=None)
    html = page(books)
    june = html[html.index("Can this month be closed?") :].partition("June 2026")[2]
    assert june.index(">Yes<") < june.index("May 2026")


def test_what_was_written_since_the_last_report_is_told_by_month(books: LedgerRows) -> None:
    store_report(books.ledger, books.run, made(books), NOW)
    books.now = NOW + timedelta(hours=1)
    books.new_run()
    assert "Nothing was written into any month since the last report." in page(books)
    books.payment(2000, 77_000)
    written = page(books).partition("Written since 15 July 2026, 19:05")[2].partition("</table>")[0]
    assert "June 2026" in written
    assert "AUD 770.00" in written
    assert "USD" not in written


def test_balances_ages_and_missing_bills(books: LedgerRows) -> None:
    html = page(books)
    state = html[html.index("State of the books") : html.index("Every record not in step")]
    assert object_id(1, 1304) in state  # its invoice is booked, its bill is held
    assert "9,197.50" in state  # unpaid, AUD
    assert "40,097.70" in state  # the clearing account, AUD
    assert "610 Tuition held for schools" in state
    assert "33,961.95" in state  # held for schools: invoices less bills


def test_documents_on_a_suspense_account_are_listed_until_they_are_recoded(books: LedgerRows) -> None:
    assert "To recode" not in page(books)
    payment = books.payment(2001, 110_000)
    with books.ledger.reading() as connection:
        facts = connection.scalar(sa.select(schema.links.c.facts).where(schema.links.c.source_id == payment))
    books.change(schema.links, {"source_id": payment}, facts={**facts, "suspense": ["610"]})
    html = page(books)
    listed = html[html.index("To recode") : html.index("Unpaid, by days overdue")]
    assert "1 document posts to a suspense account" in listed
    assert "1,000.00" in listed
    [row] = table(made(books), "to_recode.csv")
    assert (row["leg"], row["accounts"], row["currency"], row["amount"]) == ("invoice", "610", "AUD", "1000.00")
    assert row["tool_link"].startswith("https://go.example/invoice/")
    books.change(schema.mirror_documents, {"id": f"doc-{object_id(1, 2001)}"}, status="voided")
    assert "To recode" not in page(books)


def test_differences_turn_the_verdict(books: LedgerRows) -> None:
    books.change(schema.mirror_documents, {"id": f"doc-{object_id(1, 1002)}"}, contact_id="somebody-else")
    html = page(books)
    assert "The books do not agree yet" in html
    assert "The invoice names another contact in the tool." in html


def test_every_record_has_one_row_in_the_file_of_all_outcomes(books: LedgerRows) -> None:
    report = made(books)
    rows = table(report, "outcomes.csv")
    assert len(rows) == len({(row["leg"], row["qualy_id"]) for row in rows}) == 205
    waiting = table(report, "waiting.csv")
    assert len(waiting) == 38
    [locked] = [row for row in waiting if row["qualy_id"] == object_id(1, 1100)]
    assert locked["outcome"] == "locked"
    assert locked["reason"] == "Dated 12 May 2026 (document); Xero is locked to 31 May 2026."
    assert (locked["currency"], locked["amount"], locked["who_acts"]) == ("AUD", "2861.00", "finance")
    assert locked["qualy_link"] == f"https://app.example/payments/{object_id(1, 1100)}"


def test_the_file_of_totals_proves_itself(books: LedgerRows) -> None:
    for row in table(made(books), "totals.csv"):
        columns = ("booked", "draft", "held", "excluded", "ignored", "refused", "unknown")
        assert row["difference"] in ("0", "0.00")
        digits = [round(float(row[name]) * 100) for name in (*columns, "qualy")]
        assert sum(digits[:-1]) == digits[-1]


def test_files_open_in_a_spreadsheet_as_text_and_numbers(books: LedgerRows) -> None:
    content = made(books).files["waiting.csv"]
    assert content.startswith(b"\xef\xbb\xbfleg,qualy_id,")
    assert content.count(b"\r\n") == content.count(b"\n") == 39


def test_a_large_file_is_zipped(books: LedgerRows, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = made(books).files["outcomes.csv"]
    monkeypatch.setattr(csv_files, "ZIP_FROM", 1000)
    zipped = made(books).files["outcomes.csv.zip"]
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        assert archive.read("outcomes.csv") == plain


def test_a_long_list_is_cut_in_the_page_with_a_sentence_and_whole_in_the_file(
    books: LedgerRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_maker, "IN_PAGE", 10)
    monkeypatch.setattr(page_maker, "MOST_ROWS", 20)
    report = made(books)
    html = report.html.decode()
    assert html.count("<tr data-group=") == 10
    assert "This page carries the first 20" in html
    assert "All 38 are in waiting.csv." in html
    assert len(table(report, "waiting.csv")) == 38


EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\u2066=cmd\x07\u2028\"'&{{7*7}}"


def test_text_from_outside_stays_text(books: LedgerRows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_maker, "IN_PAGE", 3)  # so that rows go into the script element, too
    for number in range(3):
        books.payment(
            3000 + number, 100, Code.INVALID, detail={"message": f"={EVIL}"}, thing=EVIL + str(number), days=90
        )
    books.change(schema.mirror_documents, {"id": f"doc-{object_id(1, 1002)}"}, number=EVIL, url="javascript:alert(1)")
    books.change(schema.books, {"id": books.book}, name=EVIL)
    books.change(schema.facts, {"name": "organisation"}, value={"name": EVIL, "zone": "UTC", "base_currency": "AUD"})
    report = made(books)
    html = report.html.decode()
    assert html.count("<script") == html.count("</script>") == 2
    assert "<img" not in html
    assert "javascript:" not in html
    assert "49" not in html[html.index("<h1>") : html.index("</h1>")]
    assert not any(sign in html for sign in "\u202e\u2066\u2028\x07")
    assert str(escape("⟨U+202E⟩⟨U+2066⟩=cmd⟨U+0007⟩⟨U+2028⟩")) in html
    for row in [*table(report, "waiting.csv"), *table(report, "differences.csv")]:
        assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in row.values())


def test_nobody_is_named(books: LedgerRows) -> None:
    report = made(books)
    for content in report.all_files().values():
        assert b"Someone" not in content
        assert b"mail.example" not in content


def test_a_report_is_kept_replaced_and_copied(books: LedgerRows, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="Run 1 has no report"):
        write_copies(books.ledger, tmp_path, books.run)
    store_report(books.ledger, books.run, made(books), NOW)
    store_report(books.ledger, books.run, made(books), NOW)
    place = write_copies(books.ledger, tmp_path / "reports", books.run)
    assert place == tmp_path / "reports" / "run-1" / "report.html"
    names = {path.name for path in place.parent.iterdir()}
    assert names == {"report.html", "totals.csv", "waiting.csv", "differences.csv", "to_recode.csv", "outcomes.csv"}
    assert b"Harbour Education" in place.read_bytes()


def test_the_list_of_all_outcomes_is_kept_with_the_newest_reports_only(books: LedgerRows) -> None:
    report = Report(b"<p>", {"outcomes.csv": b"all", "waiting.csv": b"some"})
    runs = [books.run] + [books.new_run() for _ in range(11)]
    for run in runs:
        store_report(books.ledger, run, report, NOW)
    with books.ledger.reading() as connection:
        kept = connection.execute(schema.report_files.select().order_by(schema.report_files.c.run)).all()
    assert [row.run for row in kept if row.name == "outcomes.csv"] == runs[-10:]
    assert [row.run for row in kept if row.name == "report.html"] == runs


def test_reports_of_other_books_push_no_list_out(books: LedgerRows) -> None:
    report, first = Report(b"<p>", {"outcomes.csv": b"all"}), books.run
    store_report(books.ledger, first, report, NOW)
    for kind in ("preview", "customers"):
        others = [books.new_run() for _ in range(11)]
        for run in others:
            books.change(schema.runs, {"id": run}, kind=kind)
            store_report(books.ledger, run, report, NOW)
    with books.ledger.reading() as connection:
        lists = sa.select(schema.report_files.c.run).where(schema.report_files.c.name == "outcomes.csv")
        assert first in set(connection.scalars(lists))


def test_a_ledger_before_its_first_run_still_makes_a_report(ledger: Ledger) -> None:
    with pytest.raises(LookupError, match="nothing was synced yet"):
        make_report(ledger, 1, 1, NOW)
    html = page(LedgerRows(ledger).open())
    assert "Everything is in step" in html
    assert "No record with an amount was read yet." in html


def test_both_databases_give_the_same_report(any_ledger: Ledger) -> None:
    books = an_agency(any_ledger)
    report = made(books)
    html = report.html.decode().replace("\xa0", " ")
    assert "Qualy and Xero agree to the cent in AUD, JPY and USD." in html
    assert len(table(report, "outcomes.csv")) == 205
    assert "33,961.95" in html


def test_a_bill_that_is_missing_names_its_payment_and_a_draft_keeps_the_month_open(books: LedgerRows) -> None:
    books.change(schema.mirror_documents, {"id": f"doc-{object_id(1, 1007)}"}, status="draft")
    obstacles = page(books).partition("Can this month be closed?")[2].partition("Written since")[0]
    assert "1 payment in draft (AUD" in obstacles
    assert books.split(1007, 5_000, Code.BAD_EMAIL, thing=str(Leg.BILL)) in table_ids(books)


def table_ids(books: LedgerRows) -> set[str]:
    return {row["qualy_id"] for row in table(made(books), "waiting.csv")}
