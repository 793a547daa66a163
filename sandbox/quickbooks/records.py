"""What the stand-in holds: one SQLite table of JSON documents with the columns that reads look for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.quickbooks.wire import dump, fold, parse, parse_moment, ref, stamp
from sandbox.store import Store

_COLUMNS = "seq, kind, id, number, name, party, day, updated, since, doc"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS quickbooks_records (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, number TEXT, name TEXT, party TEXT, day TEXT,
    updated INTEGER NOT NULL, since REAL NOT NULL, doc TEXT NOT NULL, UNIQUE (kind, id));
CREATE INDEX IF NOT EXISTS quickbooks_records_updated ON quickbooks_records (kind, updated);
CREATE INDEX IF NOT EXISTS quickbooks_records_number ON quickbooks_records (kind, number) WHERE number IS NOT NULL;
CREATE INDEX IF NOT EXISTS quickbooks_records_name ON quickbooks_records (kind, name) WHERE name IS NOT NULL;
CREATE INDEX IF NOT EXISTS quickbooks_records_party ON quickbooks_records (kind, party) WHERE party IS NOT NULL;
CREATE TABLE IF NOT EXISTS quickbooks_past (
    seq INTEGER, kind TEXT NOT NULL, id TEXT NOT NULL, number TEXT, name TEXT, party TEXT, day TEXT,
    updated INTEGER NOT NULL, since REAL NOT NULL, doc TEXT NOT NULL, replaced REAL NOT NULL);
CREATE INDEX IF NOT EXISTS quickbooks_past_replaced ON quickbooks_past (replaced);
CREATE TABLE IF NOT EXISTS quickbooks_deleted (kind TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL);
"""
_PAST_KEPT = timedelta(hours=24).total_seconds()
_COUNTER = "quickbooks.counter"
FIRST_ID = 1000  # smaller ones are for the chart, whose ids settings name


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records of a kind: SQL conditions with their values, an order, and a moment for stale reads."""

    kind: str
    conditions: Sequence[str] = ()
    values: Sequence[Any] = ()
    order: str = "CAST(id AS INTEGER), id"
    as_of: datetime | None = None


Told = Callable[[str, str, str], None]


def _nobody(_kind: str, _id: str, _operation: str) -> None:
    """Nobody wants to know."""


class Records:
    """Documents by kind. A write is one transaction per call of the API, so it is committed once.

    ``told`` hears of each change: kind, id, and Create, Update, Void, Delete or Merge.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self.told: Told = _nobody
        self.store = store
        self.clock = clock
        with store.lock:
            store.connection.executescript(_SCHEMA)
            store.connection.create_function("quickbooks_fold", 1, _folded, deterministic=True)
        self._counter = int(store.fact(_COUNTER) or FIRST_ID)

    @contextmanager
    def work(self) -> Iterator[None]:
        """Everything inside is committed together."""
        before = self._counter
        with self.store.transaction():
            yield
            if self._counter != before:
                self.store.remember(_COUNTER, str(self._counter))

    @contextmanager
    def part(self) -> Iterator[None]:
        """Inside a work: what is done here is kept or dropped on its own."""
        self._execute("SAVEPOINT part", ())
        try:
            yield
        except BaseException:
            self._execute("ROLLBACK TO part", ())
            self._execute("RELEASE part", ())
            raise
        self._execute("RELEASE part", ())

    def new_id(self) -> str:
        """The next identifier."""
        self._counter += 1
        return str(self._counter)

    def get(self, kind: str, id_: str, as_of: datetime | None = None) -> dict[str, Any] | None:
        """One document by its identifier."""
        return next(iter(self.find(Selection(kind, ("id = ?",), (id_,), as_of=as_of))), None)

    def find(self, selection: Selection, limit: int | None = None, offset: int = 0) -> list[dict[str, Any]]:
        """The selected documents in order."""
        source, values = self._source(selection)
        sql = f"SELECT doc FROM {source} ORDER BY {selection.order}"
        if limit is not None:
            sql += " LIMIT ? OFFSET ?"
            values += [limit, offset]
        with self.store.lock:
            return [parse(row["doc"]) for row in self._execute(sql, values)]

    def number_of(self, selection: Selection) -> int:
        """How many documents are selected."""
        source, values = self._source(selection)
        with self.store.lock:
            return int(self._execute(f"SELECT count(*) AS n FROM {source}", values).fetchone()["n"])

    def total(self, kind: str, party: str, field: str) -> Any:
        """The sum of a field over one party's documents, in hundredths."""
        sql = (
            f"SELECT COALESCE(SUM(CAST(ROUND(json_extract(doc, '$.{field}') * 100) AS INTEGER)), 0) AS n"
            " FROM quickbooks_records WHERE kind = ? AND party = ?"
        )
        return self._execute(sql, (kind, party)).fetchone()["n"]

    def insert(self, kind: str, doc: dict[str, Any]) -> dict[str, Any]:
        """A new document with a new identifier."""
        now = stamp(self.clock.now())
        system = {"domain": "QBO", "sparse": False, "Id": self.new_id(), "SyncToken": "0"}
        made = self.keep(kind, system | doc | {"MetaData": {"CreateTime": now, "LastUpdatedTime": now}})
        self.told(kind, made["Id"], "Create")
        return made

    def replace(
        self, kind: str, doc: dict[str, Any], *, touch: bool = True, operation: str = "Update"
    ) -> dict[str, Any]:
        """A changed document; ``touch=False`` leaves SyncToken and time as they are."""
        if touch:
            self.told(kind, doc["Id"], operation)
            doc["SyncToken"] = str(int(doc["SyncToken"]) + 1)
            doc["MetaData"] = doc["MetaData"] | {"LastUpdatedTime": stamp(self.clock.now())}
        return self.keep(kind, doc)

    def keep(self, kind: str, doc: dict[str, Any]) -> dict[str, Any]:
        """Write a whole document as it is."""
        now = self.clock.now().timestamp()
        self._keep_past(kind, doc["Id"], now)
        updated = int(parse_moment(doc["MetaData"]["LastUpdatedTime"], UTC).timestamp())
        number, name = doc.get("PaymentRefNum") or doc.get("DocNumber"), doc.get("DisplayName") or doc.get("Name")
        self._execute(
            "INSERT INTO quickbooks_records (kind, id, number, name, party, day, updated, since, doc)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET number = excluded.number,"
            " name = excluded.name, party = excluded.party, day = excluded.day, updated = excluded.updated,"
            " since = excluded.since, doc = excluded.doc",
            (
                kind,
                doc["Id"],
                _folded(number),
                _folded(name),
                ref(doc, "CustomerRef") or ref(doc, "VendorRef") or None,
                doc.get("TxnDate"),
                updated,
                now,
                dump(doc).decode(),
            ),
        )
        return doc

    def delete(self, kind: str, id_: str, *, operation: str = "Delete") -> None:
        """Take one document away; change data capture still tells of it."""
        if operation == "Delete":
            self.told(kind, id_, operation)
        now = self.clock.now().timestamp()
        self._keep_past(kind, id_, now)
        self._execute("DELETE FROM quickbooks_records WHERE kind = ? AND id = ?", (kind, id_))
        self._execute("INSERT INTO quickbooks_deleted (kind, id, at) VALUES (?, ?, ?)", (kind, id_, int(now)))

    def deleted_since(self, kind: str, moment: int) -> list[tuple[str, int]]:
        """Ids of what was deleted from then on, with the second."""
        sql = "SELECT id, at FROM quickbooks_deleted WHERE kind = ? AND at >= ? ORDER BY at, id"
        return [(row["id"], row["at"]) for row in self._execute(sql, (kind, moment))]

    def clear(self, kind: str) -> None:
        """Forget everything of a kind, its past as well."""
        for table in ("quickbooks_records", "quickbooks_past", "quickbooks_deleted"):
            self._execute(f"DELETE FROM {table} WHERE kind = ?", (kind,))

    def _source(self, selection: Selection) -> tuple[str, list[Any]]:
        where = " AND ".join(("kind = ?", *selection.conditions))
        values = [selection.kind, *selection.values]
        if selection.as_of is None:
            return f"quickbooks_records WHERE {where}", values
        moment = selection.as_of.timestamp()
        then = (
            f"(SELECT {_COLUMNS} FROM quickbooks_records WHERE kind = ? AND since <= ? UNION ALL "
            f"SELECT {_COLUMNS} FROM quickbooks_past WHERE kind = ? AND since <= ? AND replaced > ?)"
        )
        return f"{then} WHERE {where}", [selection.kind, moment, selection.kind, moment, moment, *values]

    def _keep_past(self, kind: str, id_: str, now: float) -> None:
        self._execute(
            f"INSERT INTO quickbooks_past ({_COLUMNS}, replaced)"
            f" SELECT {_COLUMNS}, ? FROM quickbooks_records WHERE kind = ? AND id = ?",
            (now, kind, id_),
        )
        self._execute("DELETE FROM quickbooks_past WHERE replaced < ?", (now - _PAST_KEPT,))

    def _execute(self, sql: str, values: Sequence[Any]) -> Any:
        return self.store.connection.execute(sql, values)


def _folded(value: Any) -> str | None:
    return fold(value) if isinstance(value, str) and value else None
