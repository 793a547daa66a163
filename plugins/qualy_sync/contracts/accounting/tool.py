"""The one contract of the accounting tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from .facts import Chart, Gap, Limits, Organisation, Quota, Ways
from .kinds import Basis, What
from .remotes import Remote
from .replies import Fate, Reply
from .writes import Line, NewDocument, Totals, Write

EachAnswer = Callable[[], None]


def unwatched() -> None:
    """Nobody wants to know of each answer."""


class AccountingTool(Protocol):
    """One accounting tool, bound to one connection. Reads raise `contracts.errors`; writes answer with a `Reply`.

    A reading may take many calls: `each_answer` is called after each of them, and who holds a lease renews it there.
    What it raises ends the reading.
    """

    id: str
    title: str
    limits: Limits
    ways: Ways
    gaps: Sequence[Gap]
    quota: Quota

    def organisation(self) -> Organisation:
        """The organisation and its lock dates, read now (one call)."""
        ...

    def chart(self) -> Chart:
        """Accounts, tax codes, enabled currencies, and what the connection may do."""
        ...

    def changed(
        self, what: What, since: datetime | None, each_answer: EachAnswer = unwatched
    ) -> Iterator[Sequence[Remote]]:
        """Pages of everything that changed since (or everything), every status, lines included.

        Asked for the values of `ways.reads` alone; whatever other kinds come with one are in its pages.
        """
        ...

    def find(
        self, what: What, refs: Sequence[str], since: datetime | None, each_answer: EachAnswer = unwatched
    ) -> Sequence[Remote]:
        """Records by what that kind is sought by (an invoice's number, else our ref), every status.

        Completely or not at all (raises). `since` bounds the search where the tool can only be searched by change (it
        starts before the first send).
        """
        ...

    def by_id(self, what: What, remote_ids: Sequence[str], each_answer: EachAnswer = unwatched) -> Sequence[Remote]:
        """Records by the tool's id, every status, lines and version included; unknown ids are left out."""
        ...

    def prepare(self, batch: Sequence[Write]) -> None:
        """Reads what `body` of these elements needs to know and does not know yet, such as rates of exchange.

        Asked before every attempt, while no transaction is open; calls nothing where nothing is lacking, and writes
        nothing. What cannot be had is refused by `send`, element by element.
        """
        ...

    def body(self, batch: Sequence[Write]) -> bytes:
        """The exact body of one batch. It says all that `send` needs: which elements, what is done to each.

        The elements fit together by `limits` (`company`, `most`), and were prepared; raises ValueError otherwise.
        Calls nothing: the same elements and the same facts give the same bytes. Bytes are kept, encrypted, until their
        fate is known, and may be sent by another process. What goes on the wire follows from them alone.
        """
        ...

    def send(self, what: What, body: bytes, key: str) -> Reply:
        """Does what a body says, once, byte for byte, under an idempotency key. Never repeats by itself.

        `what` is the kind of the first element. Where each element is a request of its own, they go at once, at most
        `limits.most` of them, and the reply tells each: what was answered is in it, what was surely not done is
        `Skipped`, what was sent and not answered is left out. A whole reply other than `Answered` holds for every
        element. It returns within the read time-out (45 s): the lease is renewed between calls only. A connector
        keeps to the tool's calls per second itself.
        """
        ...

    def outcome_of(self, what: What, ref: str, ticket: str) -> Fate:
        """What became of an element that was `Accepted` (raises where it cannot be told now)."""
        ...

    def as_read(self, new: NewDocument) -> NewDocument:
        """`new` as it reads back once it is there: texts cut and cleaned the tool's way, what it does not keep empty.

        `owned_hash` of this equals `owned_hash` of the record that is read. Pure.
        """
        ...

    def totals(self, lines: Sequence[Line], basis: Basis, currency: str, chart: Chart) -> Totals:
        """Net, tax and total as the tool will compute them. Pure."""
        ...

    def contact_name(self, name: str, email: str, suffix: str = "") -> str:
        """`name` as the tool accepts it (length, characters), with a suffix that survives. Pure."""
        ...

    def document_url(self, remote_id: str, what: What) -> str:
        """Where a person finds the document in the tool."""
        ...


class TokenSource(Protocol):
    """Gives a valid access token; knows how to be told that one was refused."""

    def access_token(self) -> str: ...

    def refused(self, token: str) -> None:
        """The tool answered 401 to this token: the next call gives a fresh one or raises Reconnect."""
        ...
