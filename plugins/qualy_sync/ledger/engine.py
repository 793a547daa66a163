"""Opening the ledger: engine, transactions, migrations, clock and vault.

SQLite: write-ahead logging, `synchronous=FULL`, a busy time-out, and writing transactions that begin IMMEDIATE, since
the driver's default loses updates silently. No engine is made at import, and none is used across a fork.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from . import schema
from .versions import MIGRATIONS, is_newer, problem_of, version_of

BUSY_SECONDS = 60


class LedgerError(Exception):
    """The ledger cannot be used as it is; the message says what to do."""


class StandInMismatch(LedgerError):
    """A stand-in meets a real ledger, or the reverse."""


class Ledger:
    """Everything remembered. Cheap to make; connects on first use; one per process."""

    def __init__(self, url: str, secret_keys: Sequence[str] = ()) -> None:
        self.url = url
        self._secret_keys = tuple(secret_keys)
        self._pid = os.getpid()
        self._usable = False  # whether its tables were seen to be those of this version

    @cached_property
    def engine(self) -> sa.Engine:
        return _engine(self.url)

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that only reads: one consistent view. Raises LedgerError on tables of another version."""
        self._require_tables()
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that writes: committed at the end, rolled back on any exception. Raises as `reading` does."""
        self._require_tables()
        with self._transaction() as connection:
            yield connection

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with self.engine.connect() as connection:
            connection = connection.execution_options(ledger_writes=True)
            with connection.begin():
                yield connection

    def _require_tables(self) -> None:
        """Says what to do about a ledger without tables, or with those of another version, instead of an SQL error."""
        self._refuse_after_fork()
        if self._usable:
            return
        if problem := problem_of(self.version()):
            raise LedgerError(problem)
        self._usable = True

    def version(self) -> str:
        """The version of the tables; empty where there are none. A SQLite file that is not there is not made by it."""
        if self.is_sqlite and not Path(self.engine.url.database or "").exists():
            return ""
        with self.engine.connect() as connection, connection.begin():
            return version_of(connection)

    def close(self) -> None:
        if "engine" in self.__dict__:
            self.engine.dispose()
            del self.__dict__["engine"]

    # -- time

    def now(self) -> datetime:
        """The ledger database's time, UTC; moved by the tests' offset where the ledger is a stand-in's."""
        with self.reading() as connection:
            return db_now(connection)

    def move_clock(self, by: timedelta) -> None:
        """Moves the ledger's time. Raises StandInMismatch on a real ledger."""
        with self.writing() as connection:
            if get_meta(connection, "stamp") == "real":
                raise StandInMismatch("The clock of a ledger with real records cannot be moved.")
            offset = timedelta(microseconds=int(get_meta(connection, "clock_offset") or 0)) + by
            set_meta(connection, "clock_offset", str(offset // timedelta(microseconds=1)))

    # -- secrets at rest

    @cached_property
    def _vault(self) -> MultiFernet:
        if not self._secret_keys:
            raise LedgerError(
                "QUALY_SECRET_KEYS is not set. Tokens and sent bodies are kept encrypted: set it to one or more"
                " Fernet keys, the newest first, separated by commas (`bin/qualy new-key` prints one)."
            )
        try:
            return MultiFernet([Fernet(key) for key in self._secret_keys])
        except ValueError as error:
            raise LedgerError("QUALY_SECRET_KEYS holds something that is not a Fernet key.") from error

    def seal(self, plain: bytes) -> bytes:
        return self._vault.encrypt(plain)

    def unseal(self, sealed: bytes) -> bytes:
        try:
            return self._vault.decrypt(bytes(sealed))
        except InvalidToken as error:
            raise LedgerError(
                "A stored secret cannot be read with QUALY_SECRET_KEYS: put the key it was written with back into the"
                " list (after the newest one)."
            ) from error

    # -- stamp and schema

    def stamp(self, stand_in: bool) -> None:
        """Marks the ledger as a stand-in's or a real one at its first write, and refuses the other ever after."""
        wanted = "stand-in" if stand_in else "real"
        with self.writing() as connection:
            found = get_meta(connection, "stamp")
            if found is None:
                if wanted == "real" and get_meta(connection, "clock_offset"):
                    raise StandInMismatch("This ledger's clock was moved by a test; it cannot hold real records.")
                set_meta(connection, "stamp", wanted)
            elif found != wanted:
                raise StandInMismatch(
                    f"This ledger holds {found} records, and the connection reaches a {wanted} service. Stand-ins and"
                    " real services never mix: point QUALY_LEDGER_URL at another ledger, or correct the connection."
                )

    def migrate(self) -> None:
        """Brings the schema up to date; harmless to repeat and safe beside another process doing the same.

        Raises LedgerError where a newer version of the program made the tables.
        """
        from alembic import command
        from alembic.config import Config

        if is_newer(found := self.version()):
            raise LedgerError(problem_of(found))
        if self.is_sqlite and (path := self.engine.url.database):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        self._refuse_after_fork()
        with self._transaction() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(7186512)"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _refuse_after_fork(self) -> None:
        if self._pid != os.getpid():
            raise LedgerError("A ledger was carried across a fork; open one in each process.")


def get_meta(connection: sa.Connection, key: str) -> str | None:
    found: str | None = connection.scalar(sa.select(schema.meta.c.value).where(schema.meta.c.key == key))
    return found


def set_meta(connection: sa.Connection, key: str, value: str) -> None:
    upsert(connection, schema.meta, {"key": key, "value": value}, keys=("key",))


def db_now(connection: sa.Connection) -> datetime:
    """The database's time inside a transaction, moved by the tests' offset."""
    if connection.dialect.name == "sqlite":
        # SQLite's own clock has milliseconds only, and the database is this machine's.
        moment = datetime.now(UTC)
    else:
        moment = connection.scalar(sa.text("SELECT clock_timestamp()"))
    offset = get_meta(connection, "clock_offset")
    return moment.astimezone(UTC) + timedelta(microseconds=int(offset or 0))


def upsert(
    connection: sa.Connection, table: sa.Table, rows: dict[str, Any] | list[dict[str, Any]], keys: Sequence[str]
) -> None:
    """Inserts rows, or replaces the given columns of those whose key is there. All rows have the same columns."""
    rows = rows if isinstance(rows, list) else [rows]
    if not rows:
        return
    # In one order for everybody: PostgreSQL would otherwise end one of two writers who wait for each other.
    rows = sorted(rows, key=lambda row: [str(row.get(name, "")) for name in keys])
    insert: Any
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert
    statement = insert(table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    if changed:
        statement = statement.on_conflict_do_update(index_elements=list(keys), set_=changed)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(keys))
    connection.execute(statement, rows)


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise LedgerError(
            f"QUALY_LEDGER_URL is not a database URL: {url!r}. Use sqlite:////path/ledger.db or"
            " postgresql://user:password@host/database."
        ) from error
    if parsed.get_backend_name() == "postgresql":
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg2")
        return sa.create_engine(parsed, pool_pre_ping=True, pool_size=2, hide_parameters=True)
    if parsed.get_backend_name() != "sqlite":
        raise LedgerError(f"The ledger lives in SQLite or PostgreSQL, not in {parsed.get_backend_name()}.")
    if not parsed.database or parsed.database == ":memory:":
        raise LedgerError("The ledger needs a file: sqlite:////path/ledger.db")
    waits = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    engine = sa.create_engine(parsed, connect_args=waits, pool_size=2, hide_parameters=True)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None  # we say BEGIN ourselves
    cursor = dbapi_connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("ledger_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
