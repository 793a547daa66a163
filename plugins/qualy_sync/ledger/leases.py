"""Leases: one holder at a time for each thing that must not happen twice at once.

A lease is per name (tool and organisation, a connection's token, the extraction), timed by the ledger's clock, with an
epoch that rises with every new holder. What the holder commits checks the epoch in the same transaction.
"""

from __future__ import annotations

import os
import socket
import uuid
from datetime import datetime, timedelta
from types import TracebackType

import sqlalchemy as sa

from .engine import Ledger, db_now, upsert
from .schema import leases


class LeaseHeld(Exception):
    """Somebody else holds the lease; `until` is the latest moment at which it ends by itself."""

    def __init__(self, name: str, holder: str, until: datetime) -> None:
        super().__init__(
            f"{name} is being worked on by {holder}; it will be free by {until:%H:%M:%S} UTC at the latest."
        )
        self.name = name
        self.holder = holder
        self.until = until

    def __reduce__(self) -> tuple[type[LeaseHeld], tuple[str, str, datetime]]:
        return type(self), (self.name, self.holder, self.until)


class LeaseLost(Exception):
    """The lease ended, or went to somebody else, while it was thought to be held: nothing more may be sent."""


class Lease:
    """A held lease. Use as a context manager; `renew` before each call; `check` where something is committed."""

    def __init__(self, ledger: Ledger, name: str, length: timedelta) -> None:
        self._ledger = ledger
        self.name = name
        self.length = length
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.epoch = 0

    def __enter__(self) -> Lease:
        with self._ledger.writing() as connection:
            now = db_now(connection)
            row = connection.execute(sa.select(leases).where(leases.c.name == self.name).with_for_update()).first()
            if row is not None and row.expires_at > now:
                raise LeaseHeld(self.name, row.holder, row.expires_at)
            self.epoch = (row.epoch if row is not None else 0) + 1
            values = {
                "name": self.name,
                "holder": self.holder,
                "epoch": self.epoch,
                "expires_at": now + self.length,
            }
            if row is None:
                # A rival may insert the same name first: then its row is held, and ours changes nothing.
                try:
                    with connection.begin_nested():
                        connection.execute(sa.insert(leases).values(values))
                except sa.exc.IntegrityError as error:
                    raise LeaseHeld(self.name, "another process", now + self.length) from error
            else:
                upsert(connection, leases, values, keys=("name",))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._ledger.writing() as connection:
            connection.execute(
                sa.update(leases).where(self._is_ours()).values(expires_at=db_now(connection), holder="nobody")
            )

    def renew(self) -> None:
        """Raises LeaseLost where it is no longer ours or has run out."""
        with self._ledger.writing() as connection:
            self.check(connection)

    def check(self, connection: sa.Connection) -> None:
        """Renews inside a transaction, in one UPDATE, or raises LeaseLost."""
        now = db_now(connection)
        done = connection.execute(
            sa.update(leases).where(self._is_ours(), leases.c.expires_at > now).values(expires_at=now + self.length)
        )
        if done.rowcount != 1:
            raise LeaseLost(
                f"The lease on {self.name} ran out or was taken over; nothing more is sent. The next run goes on from"
                " here."
            )

    def _is_ours(self) -> sa.ColumnElement[bool]:
        return sa.and_(leases.c.name == self.name, leases.c.holder == self.holder, leases.c.epoch == self.epoch)
