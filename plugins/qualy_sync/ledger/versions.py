"""Whether the ledger's tables are those that this version of the program works with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa

MIGRATIONS = Path(__file__).parents[3] / "include" / "sql" / "migrations"
REMEDY = "bring it up to date with `bin/qualy migrate`"


@lru_cache(maxsize=1)
def known_versions() -> Sequence[str]:
    """The migrations of this program, oldest first: what Alembic calls revisions, by their files' names.

    Alembic itself takes long to import, and every process asks.
    """
    return sorted(path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def version_of(connection: sa.Connection) -> str:
    """The version of the tables that are there; empty where there are none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")) or "")


def problem_of(version: str, known: Sequence[str] = ()) -> str:
    """Why tables of this version cannot be used, and what to do; empty where they can.

    `known`: the versions that the program knows, oldest first; its own migrations where none are given.
    """
    known = known or known_versions()
    newest = known[-1]
    if version == newest:
        return ""
    if not version:
        return f"The ledger has no tables yet: {REMEDY}."
    if version in known:
        return (
            f"The ledger's tables are of an older version ({version}; this program works with {newest}). Wait until no"
            f" run is under way, and {REMEDY}; everything in it is kept."
        )
    return (
        f"The ledger's tables were made by a newer version of Qualy Sync ({version}; this program works with {newest})."
        " Install that version here too: an older one must not write into them."
    )


def is_newer(version: str) -> bool:
    """Whether a program that came after this one made the tables."""
    return bool(version) and version not in known_versions()
