"""Access tokens of one connection, kept in the ledger so that no crash and no rival loses a rotated refresh token.

Order of a refresh: commit the intent (which proves the ledger writable), call, commit the new token, only then use it.
A token that cannot be committed goes, encrypted and synced, into a file that the next start picks up. One process at a
time refreshes, by lease; the others take what it stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from ..contracts.errors import AnswerLost, Reconnect, ToolError, Unreachable
from .engine import Ledger, LedgerError
from .leases import Lease, LeaseHeld
from .token_store import StoredToken, TokenStore, digest

MARGIN = timedelta(minutes=5)  # a token is renewed this long before it ends
LAST_USE = timedelta(seconds=60)  # and is not used at all within the last minute
PAUSE = timedelta(seconds=60)  # between a lost answer and the one further try
PATIENCE = timedelta(seconds=45)  # a refresh in another process takes no longer
_POLL_SECONDS = 0.1


class TokensLike(Protocol):
    """What an identity service gave; `refresh_token` is empty where there is none."""

    @property
    def access_token(self) -> str: ...
    @property
    def refresh_token(self) -> str: ...
    @property
    def expires_at(self) -> datetime: ...


class LedgerTokens:
    """A `contracts.accounting.TokenSource` over the ledger.

    `seed` is the refresh token that the connection itself holds, if any: it counts when the ledger has none yet, and
    again when it was changed. `refresh` makes one call of the identity service and raises only `ToolError`s; so does
    `renew`, which asks for a token where there is no refresh token (an app that was made for one organisation).
    `spill_to` is where a token goes that cannot be committed (beside a SQLite ledger, or the working directory).
    `mask` hears each token before it is used, so that logs can hide it. `grace` is how long a refresh token still works
    after it was used, where the service grants that; where nothing is known of it, one further try is made at any time.
    """

    def __init__(
        self,
        ledger: Ledger,
        connection: str,
        seed: str,
        refresh: Callable[[str], TokensLike],
        lease_length: timedelta,
        *,
        renew: Callable[[], TokensLike] | None = None,
        spill_to: Path | None = None,
        mask: Callable[[str], None] | None = None,
        patience: timedelta = PATIENCE,
        grace: timedelta | None = None,
    ) -> None:
        self._ledger = ledger
        self._connection = connection
        self._seed = seed.strip()
        self._refresh = refresh
        self._renew = renew
        self._lease_length = lease_length
        self._store = TokenStore(ledger, connection, spill_to)
        self._mask = mask
        self._patience = patience
        self._grace = grace
        self._refused = ""
        self._looked_for_spilled = False

    def access_token(self) -> str:
        """A token that works for at least another minute.

        Raises Reconnect where only a person can help; Unreachable, OutOfQuota and Refused as the identity service
        says; LeaseHeld where another process has been refreshing for too long; LedgerError.
        """
        token = self._current()
        if self._mask:
            self._mask(token)
        return token

    def refused(self, token: str) -> None:
        """The tool answered 401 to `token`: it is not given again; another one that was stored meanwhile is."""
        self._refused = token

    def keep(self, tokens: TokensLike) -> None:
        """Stores what a fresh consent gave; it wins over everything before, also over the present seed."""
        with self._when_free():
            self._store.put(self._made(tokens, ""))
            self._refused = ""

    # -- which token

    def _current(self) -> str:
        stored = self._stored()
        if stored is not None and not stored.intent_at and self._lasts(stored, MARGIN) and self._nothing_spilled():
            return stored.access
        end = time.monotonic() + self._patience.total_seconds()
        while True:
            try:
                with self._lease():
                    return self._renewed()
            except LeaseHeld:
                stored = self._stored()
                if stored is not None and self._lasts(stored, LAST_USE):
                    return stored.access
                if time.monotonic() > end:
                    raise
                time.sleep(_POLL_SECONDS)

    def _renewed(self) -> str:
        """Under the lease: what another process stored meanwhile, or a new token."""
        self._store.pick_up_spilled()
        self._looked_for_spilled = True
        stored = self._stored() or self._from_seed()
        if not stored.intent_at and self._lasts(stored, MARGIN):
            return stored.access
        if not stored.refresh:
            return self._renewed_without_refresh_token(stored)
        if not stored.intent_at:
            return self._asked(replace(stored, intent_at=self._ledger.now(), tries=1))
        return self._once_more(stored, stored.intent_at)

    def _once_more(self, stored: StoredToken, intent_at: datetime) -> str:
        """After a lost answer: one further try with the same refresh token, while the service still takes it."""
        waited = self._ledger.now() - intent_at
        still_taken = self._grace is None or waited <= self._grace
        if stored.tries < 2 and waited >= PAUSE and still_taken:
            return self._asked(replace(stored, tries=2))
        if self._lasts(stored, LAST_USE):
            return stored.access
        if stored.tries < 2 and waited < PAUSE:
            raise Unreachable(
                f"The token service of {self._connection} did not answer at {intent_at:%H:%M:%S} UTC; it is asked once"
                f" more after {intent_at + PAUSE:%H:%M:%S} UTC."
            )
        raise self._lost()

    # -- the call

    def _asked(self, stored: StoredToken) -> str:
        """Commits the intent, calls once, commits the answer."""
        before = self._stored()
        self._store.put(stored)
        try:
            given = self._refresh(stored.refresh)
        except AnswerLost:
            return self._after_loss(stored)
        except ToolError:
            # An answer, or nothing sent: the refresh token is as it was, and so is the row.
            self._store.put(before if before is not None else replace(stored, intent_at=None, tries=0))
            raise
        return self._kept(stored, self._made(given, stored.refresh))

    def _kept(self, old: StoredToken, fresh: StoredToken) -> str:
        try:
            return self._store.replace(old, fresh).access
        except (sa.exc.SQLAlchemyError, LedgerError) as error:
            self._store.spill(old, fresh)
            raise LedgerError(
                f"The new token of {self._connection} could not be written to the ledger; it lies encrypted beside it"
                " and is picked up by the next start. Look after the ledger (disk full, read-only, no connection?)."
            ) from error

    def _after_loss(self, stored: StoredToken) -> str:
        if self._lasts(stored, LAST_USE):
            return stored.access
        if stored.tries >= 2:
            raise self._lost()
        raise self._not_answered()

    def _renewed_without_refresh_token(self, stored: StoredToken) -> str:
        """Nothing can be lost here: the service gives as many tokens as it is asked for."""
        if self._renew is None:
            raise Reconnect(f"There is no token for {self._connection} yet. {self._remedy()}")
        try:
            given = self._renew()
        except AnswerLost:
            if self._lasts(stored, LAST_USE):
                return stored.access
            raise self._not_answered() from None
        return self._store.put(self._made(given, "")).access

    # -- values

    def _stored(self) -> StoredToken | None:
        """What the ledger has, unless the connection's seed was changed since."""
        stored = self._store.get()
        if stored is None or (self._seed and stored.seed_hash != digest(self._seed)):
            return None
        return stored

    def _from_seed(self) -> StoredToken:
        return StoredToken("", self._seed, self._ledger.now(), digest(self._seed))

    def _made(self, given: TokensLike, refresh: str) -> StoredToken:
        seed_hash = digest(self._seed)
        if not self._seed and (stored := self._store.get()) is not None:
            seed_hash = stored.seed_hash  # a seed that was taken away, and comes back, has not changed
        # RFC 6749, 6: an answer without a refresh token leaves the old one in force.
        return StoredToken(given.access_token, given.refresh_token or refresh, given.expires_at, seed_hash)

    def _lasts(self, stored: StoredToken, beyond: timedelta) -> bool:
        """Whether the access token works for that much longer, as far as anybody told."""
        usable = stored.access and stored.access != self._refused
        return bool(usable) and stored.expires_at > self._ledger.now() + beyond

    def _nothing_spilled(self) -> bool:
        return self._looked_for_spilled or not self._store.has_spilled()

    def _lease(self) -> Lease:
        return Lease(self._ledger, f"token:{self._connection}", self._lease_length)

    def _when_free(self) -> Lease:
        return _Patient(self._ledger, f"token:{self._connection}", self._lease_length, self._patience)

    def _lost(self) -> Reconnect:
        return Reconnect(
            f"The answer with {self._connection}'s new token was lost, and the old one is of no more use."
            f" {self._remedy()}"
        )

    def _not_answered(self) -> Unreachable:
        return Unreachable(f"The answer of {self._connection}'s token service did not arrive. Try again in a minute.")

    def _remedy(self) -> str:
        return f"Connect again: bin/qualy connect {self._connection}"


class _Patient(Lease):
    """A lease that waits for its holder a little."""

    def __init__(self, ledger: Ledger, name: str, length: timedelta, patience: timedelta) -> None:
        super().__init__(ledger, name, length)
        self._end = time.monotonic() + patience.total_seconds()

    def __enter__(self) -> Lease:
        while True:
            try:
                return super().__enter__()
            except LeaseHeld:
                if time.monotonic() > self._end:
                    raise
                time.sleep(_POLL_SECONDS)
