"""A ledger without tables, or with those of another version, says what to do instead of failing in the database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from qualy_sync.ledger import Ledger, LedgerError
from qualy_sync.ledger.schema import books, links, mirror_contacts, variant_outcomes
from qualy_sync.ledger.versions import known_versions, problem_of

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("empty_pg_url")
    return url


def refusal(ledger: Ledger) -> str:
    """What reading and writing say."""
    with pytest.raises(LedgerError) as read, ledger.reading():
        pass
    with pytest.raises(LedgerError) as written, ledger.writing():
        pass
    assert str(read.value) == str(written.value)
    return str(read.value)


def test_an_empty_ledger_names_the_command_and_works_once_it_was_given(empty_url: str) -> None:
    ledger = Ledger(empty_url)
    assert "no tables yet" in refusal(ledger)
    assert "bin/qualy migrate" in refusal(ledger)
    ledger.migrate()
    ledger.migrate()
    assert ledger.now()
    ledger.close()


def test_asking_makes_no_file(tmp_path: Path) -> None:
    assert "no tables yet" in refusal(Ledger(f"sqlite:///{tmp_path}/not/there.db"))
    assert list(tmp_path.iterdir()) == []


def test_a_newer_ledger_is_neither_used_nor_migrated(any_ledger: Ledger) -> None:
    with any_ledger.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    later = Ledger(any_ledger.url)
    assert "newer version of Qualy Sync (9999" in refusal(later)
    with pytest.raises(LedgerError, match="newer version"):
        later.migrate()
    later.close()


def test_an_older_ledger_is_to_be_migrated() -> None:
    told = problem_of("0001", ["0001", "0002"])
    assert "older version (0001; this program works with 0002)" in told
    assert "bin/qualy migrate" in told
    assert problem_of("0002", ["0001", "0002"]) == ""


def test_the_versions_are_those_of_the_migrations(any_ledger: Ledger) -> None:
    with any_ledger.reading() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == known_versions()[-1]


def test_links_of_contacts_that_have_one_currency_become_that_currencys(any_ledger: Ledger) -> None:
    told = {"linked_at": NOW, "generation": 1, "how": "created", "facts": {}}
    told |= dict.fromkeys(("ref", "source_hash", "content_hash", "settings_version"), "x")
    there = {"name": "Ana", "name_key": "ana", "email": "", "active": True, "merged_into": "", "updated_at": NOW}
    with any_ledger.writing() as connection:
        book = {"id": 1, "tenant": "t", "tool": "the tool", "organisation": "o-1", "name": "Harbour", "pinned_at": NOW}
        connection.execute(sa.insert(books).values(book))
        variant_outcomes.drop(connection)
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0005'"))
        for remote_id, currency in (("customer-1", "USD"), ("plain", "")):
            mine = {"book": 1, "id": remote_id, "currency": currency, "ref": "", "party": "customer"}
            connection.execute(sa.insert(mirror_contacts).values(mine | there))
            link = {"book": 1, "leg": "contact", "source_id": remote_id, "variant": "", "remote_id": remote_id}
            connection.execute(sa.insert(links).values(link | told))
    later = Ledger(any_ledger.url)
    later.migrate()
    with later.reading() as connection:
        found = {row.remote_id: row.variant for row in connection.execute(sa.select(links))}
    later.close()
    assert found == {"customer-1": "USD", "plain": ""}
