"""Named queries: SQL text from include/sql, by `file.name`, for SQLite and PostgreSQL alike.

Only portable SQL goes into those files; amounts that are summed are cast there, since PostgreSQL sums to numeric.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import aiosql
import sqlalchemy as sa

from .columns import Utc

FOLDER = Path(__file__).parents[3] / "include" / "sql"
CHUNK = 1000


class _Json(sa.types.TypeDecorator[Any]):
    """JSON as a textual query gives it: text on SQLite, already read on PostgreSQL."""

    impl = sa.Text
    cache_ok = True

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return json.loads(value) if isinstance(value, str) else value


# What a result's columns of these names hold, in every query.
_HOLDS: Mapping[type, tuple[str, ...]] = {
    Utc: (
        *("since", "at", "first_at", "failed_at", "linked_at", "made_at", "read_at", "started_at", "ended_at"),
        *("committed_at", "last_sent_at", "completed_at", "pinned_at", "until_at"),
    ),
    _Json: ("detail", "of_variant", "facts", "value", "counts", "content", "frozen"),
    sa.Date: ("date", "due_date"),
    sa.Boolean: ("active", "reconciled", "open"),
}
_TYPES = {column: kind() for kind, columns in _HOLDS.items() for column in columns}


def rows(connection: sa.Connection, name: str, /, **parameters: Any) -> Iterator[sa.Row[Any]]:
    """The rows of a named query, fetched in chunks, so that memory does not grow with their number.

    A sequence among the parameters fills an `IN :name`. Raises KeyError for a name that no file has.
    """
    statement = _statement(name).bindparams(*(_parameter(key, value) for key, value in parameters.items()))
    typed = statement.columns(**_TYPES)
    yield from connection.execute(typed, execution_options={"yield_per": CHUNK})


def first(connection: sa.Connection, name: str, /, **parameters: Any) -> sa.Row[Any] | None:
    """The first row of a named query, or None."""
    found = list(rows(connection, name, **parameters))
    return found[0] if found else None


def _parameter(key: str, value: Any) -> sa.BindParameter[Any]:
    if isinstance(value, (list, tuple, set, frozenset)):
        return sa.bindparam(key, list(value), expanding=True)
    if isinstance(value, datetime):
        return sa.bindparam(key, value, type_=Utc())
    if isinstance(value, date):
        return sa.bindparam(key, value, type_=sa.Date())
    return sa.bindparam(key, value)


def _statement(name: str) -> sa.TextClause:
    file, _, query = name.partition(".")
    return sa.text(_texts(file)[query])


@cache
def _texts(file: str) -> Mapping[str, str]:
    """The SQL texts of one file. The adapter is SQLite's because it leaves `:name` as it stands."""
    queries = aiosql.from_path(FOLDER / f"{file}.sql", "sqlite3", mandatory_parameters=False)
    return {name: getattr(queries, name).sql for name in queries.available_queries if not name.endswith("_cursor")}
