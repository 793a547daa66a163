"""What a report says of documents that were dated on an open day, of lock dates that moved, and of rates."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from qualy_sync.contracts.accounting import Organisation
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.books import get_organisation, put_organisation
from qualy_sync.ledger.lock_moves import LockMove, lock_moves
from qualy_sync.ledger.schema import facts, links
from qualy_sync.load.refresh import keep_organisation
from qualy_sync.model import Leg
from qualy_sync.report import make_report
from qualy_sync.report.explain import explain
from tests.support.ledger_rows import CHART, NOW, TITLE, LedgerRows, object_id

MAY, JUNE = date(2026, 5, 31), date(2026, 6, 30)
HARBOUR = Organisation("org-1", "Harbour Education", "AUD", ZoneInfo("Australia/Sydney"), "AU", period_lock=MAY)


@pytest.fixture
def filled(any_ledger: Ledger) -> LedgerRows:
    """A payment of June in dollars, with its receipt, in each database."""
    rows = LedgerRows(any_ledger).open()
    rows.payment(1, 110_000, currency="USD", day=date(2026, 7, 1), received=110_000)
    return rows


def page(books: LedgerRows) -> str:
    return make_report(books.ledger, books.book, books.run, NOW).html.decode().replace("\xa0", " ")


def agree(books: LedgerRows, leg: Leg, source_id: str, **facts: Any) -> None:
    """Adds facts to a link."""
    where = (links.c.book == books.book, links.c.leg == str(leg), links.c.source_id == source_id)
    with books.ledger.writing() as connection:
        kept = connection.scalar(sa.select(links.c.facts).where(*where))
        connection.execute(sa.update(links).where(*where).values(facts={**(kept or {}), **facts}))


def test_redated_documents_are_listed_with_the_tax_that_changed_period(filled: LedgerRows) -> None:
    assert "Dated on an open day" not in page(filled)
    moved = {"from": "2026-06-10", "approver": "Kim <Lee>", "lock_date": "2026-06-30"}
    agree(filled, Leg.INVOICE, object_id(1, 1), redated=moved)
    agree(filled, Leg.SETTLEMENT, object_id(2, 1), redated=moved | {"from": "2026-07-01"})
    html = page(filled)
    told = html[html.index("Dated on an open day") :]
    told = told[: told.index("</table>")]
    for words in ("June 2026", "July 2026", "Kim &lt;Lee&gt;", "USD 1,000.00", "USD 100.00", "Q-1"):
        assert words in told
    assert told.count("<tr>") == 3  # the receipt moved inside its month: no tax changed period
    assert "–" in told


def test_rates_are_told_by_currency_and_source(filled: LedgerRows) -> None:
    rate = {"rate": "1.5432", "source": "table: RBA", "date": "2026-06-10"}
    agree(filled, Leg.INVOICE, object_id(1, 1), rate=rate)
    agree(filled, Leg.SETTLEMENT, object_id(2, 1), rate=rate)
    html = page(filled)
    told = html[html.index("Exchange rates, by source") :]
    assert "table: RBA" in told
    assert '<td class="n">2</td>' in told[: told.index("</table>")]


def test_one_document_explains_its_rate_its_day_and_the_settings_that_made_it(filled: LedgerRows) -> None:
    moved = {"from": "2026-06-10", "approver": "Kim Lee", "lock_date": "2026-06-30"}
    rate = {"value": "1.5432", "source": "table: RBA", "date": "2026-07-01"}
    agree(filled, Leg.INVOICE, object_id(1, 1), rate=rate, redated=moved)
    agree(filled, Leg.SETTLEMENT, object_id(2, 1), rate={"source": "tool", "date": "2026-07-01"}, paid_as=[5000, "AUD"])
    told = explain(filled.ledger, filled.book, object_id(1, 1), tool="Xero")
    notes = {leg.leg: leg.notes for leg in told.legs}
    assert notes["invoice"] == (
        "Exchange rate 1.5432 of 2026-07-01, from table: RBA.",
        "Dated 2026-07-01 instead of 2026-06-10, since the books were locked to 2026-06-30; Kim Lee approves that.",
        "Made under the settings 5d0c1e.",
    )
    assert notes["settlement"][:2] == (
        "Exchange rate of 2026-07-01, from Xero.",
        "Paid as AUD 50.00, which Qualy puts at USD.",
    )


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (MAY, JUNE, "Xero's lock date moved from 31 May 2026 to 30 June 2026. Days up to it are held."),
        (
            JUNE,
            MAY,
            "Xero's lock date moved back from 30 June 2026 to 31 May 2026. What was held on days that are open",
        ),
        (MAY, None, "Xero is no longer locked; it was locked to 31 May 2026. What was held"),
        (None, MAY, "Xero is locked to 31 May 2026 now; nothing was locked before. Days up to it are held."),
    ],
)
def test_a_lock_date_that_moved_is_told_in_log_and_report(
    filled: LedgerRows, caplog: pytest.LogCaptureFixture, before: date | None, after: date | None, says: str
) -> None:
    put_organisation(filled.ledger, filled.book, replace(HARBOUR, period_lock=before))
    caplog.set_level(logging.WARNING, "qualy_sync")
    keep_organisation(filled.ledger, filled.book, replace(HARBOUR, period_lock=after), None, TITLE)
    assert says in caplog.text
    assert says.replace("'", "&#39;") in page(filled)
    caplog.clear()
    keep_organisation(filled.ledger, filled.book, replace(HARBOUR, period_lock=after), None, TITLE)
    assert not caplog.text


def test_the_users_own_closing_date_moves_it_as_well(filled: LedgerRows) -> None:
    keep_organisation(filled.ledger, filled.book, HARBOUR, JUNE, TITLE)
    kept = get_organisation(filled.ledger, filled.book)
    assert kept is not None
    assert (kept.lock_date, kept.period_lock, kept.closed_until) == (JUNE, MAY, JUNE)
    html = page(filled)
    assert "own closing date 30 June 2026" in html
    assert "31 May 2026 to 30 June 2026" in html


def test_a_move_is_told_once_and_not_again_in_the_next_report(filled: LedgerRows) -> None:
    put_organisation(filled.ledger, filled.book, replace(HARBOUR, period_lock=JUNE))
    with filled.ledger.reading() as connection:
        (move,) = lock_moves(connection, filled.book)
        assert lock_moves(connection, filled.book, since=move.at) == []
        assert lock_moves(connection, filled.book, since=move.at - timedelta(seconds=1)) == [move]
    assert move == LockMove(MAY, JUNE, move.at)
    assert datetime.now(UTC) - move.at < timedelta(days=1)


def test_a_connection_that_may_post_behind_the_lock_is_warned_of(filled: LedgerRows) -> None:
    assert "may post behind" not in page(filled)

    filled.change(facts, {"name": "chart"}, value=CHART | {"posts_behind_lock": True})
    assert "may post behind" in page(filled)
