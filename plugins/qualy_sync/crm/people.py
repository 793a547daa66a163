"""Customers as a CRM tool sees them: plain values by path, owners, teams and tags by name. Reads the ledger alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.schema import passes, source_rows, source_seen
from qualy_sync.ledger.slices import GONE_AFTER, Group, load_slice, shared_emails, visible
from qualy_sync.model import Kind
from qualy_sync.settings import SourceSettings


@dataclass(frozen=True, slots=True)
class Names:
    """What users, teams and tags are called, by Qualy's id."""

    users: Mapping[str, str]
    emails: Mapping[str, str]
    teams: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Person:
    """One customer of Qualy's, whole. `group` holds the payments. `shares`: how many customers have this email.

    `read_since`: when the extraction began that this is known by, as ISO text; what was written later is not in it.
    What was written before may be missing too: an extraction need not read every record. `sweep` is the last complete
    reading that saw this one.
    """

    id: str
    hash: str
    email: str
    content: Mapping[str, Any] = field(repr=False)
    owners: tuple[str, ...]
    owner_emails: tuple[str, ...]
    teams: tuple[str, ...]
    tags: tuple[str, ...]
    group: Group = field(repr=False)
    gone: bool = False
    problem: Mapping[str, str] | None = None
    shares: int = 1
    read_since: str = ""
    sweep: int = 0

    def value(self, path: str) -> str:
        """The text at a path (`profile.firstName`); "" where there is none."""
        return text_at(self.content, path)

    @property
    def number(self) -> str:
        """The number that people read."""
        return self.value("number")


def load_names(ledger: Ledger, pin: int, settings: SourceSettings) -> Names:
    """The names as a run with this pin sees them: one reading of three short lists."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {kind.value: {} for kind in (Kind.USER, Kind.TEAM, Kind.TAG)}
    with ledger.reading() as connection:
        for row in connection.execute(
            sa.select(source_rows.c.kind, source_rows.c.id, source_rows.c.content).where(
                visible(pin), source_rows.c.kind.in_(list(found))
            )
        ):
            found[row.kind][row.id] = row.content
    where = settings.customer
    users = found[Kind.USER]
    return Names(
        users={key: _joined(content, where.user_name.split()) for key, content in users.items()},
        emails={key: text_at(content, where.user_email) for key, content in users.items()},
        teams={key: text_at(content, where.team_name) for key, content in found[Kind.TEAM].items()},
        tags={key: text_at(content, where.tag_name) for key, content in found[Kind.TAG].items()},
    )


def load_people(ledger: Ledger, pin: int, ids: Sequence[str], names: Names, settings: SourceSettings) -> list[Person]:
    """Customers by id, in the order asked for; those that Qualy does not list are left out."""
    rows: dict[str, sa.Row[Any]] = {}
    gone: set[str] = set()
    sweeps: dict[str, int] = {}
    with ledger.reading() as connection:
        for start in range(0, len(ids), 400):
            chunk = list(ids[start : start + 400])
            customers = sa.select(source_rows).where(
                visible(pin), source_rows.c.kind == Kind.CUSTOMER, source_rows.c.id.in_(chunk)
            )
            rows |= {row.id: row for row in connection.execute(customers)}
            seen = sa.select(source_seen).where(source_seen.c.kind == Kind.CUSTOMER, source_seen.c.id.in_(chunk))
            for row in connection.execute(seen):
                sweeps[row.id] = row.last_sweep
                gone |= {row.id} if row.missed >= GONE_AFTER else set()
        began = connection.scalar(sa.select(passes.c.started_at).where(passes.c.number == pin))
        shared = shared_emails(connection, pin, Kind.CUSTOMER, [row.email for row in rows.values()])
    groups = {group.owner: group for group in load_slice(ledger, pin, [key for key in ids if key in rows]).groups}
    return [
        replace(
            _person(rows[key], groups[key], names, settings, gone=key in gone),
            shares=shared.get(rows[key].email, 1),
            read_since=began.isoformat() if began else "",
            sweep=sweeps.get(key, 0),
        )
        for key in ids
        if key in rows
    ]


def _person(row: sa.Row[Any], group: Group, names: Names, settings: SourceSettings, *, gone: bool) -> Person:
    where = settings.customer
    owners = list(references_at(row.content, where.owners))
    return Person(
        id=row.id,
        hash=row.hash,
        email=row.email,
        content=row.content,
        owners=_called(owners, names.users, where.user_name.split()),
        owner_emails=_called(owners, names.emails, [where.user_email]),
        teams=_called(references_at(row.content, where.teams), names.teams, [where.team_name]),
        tags=_called(references_at(row.content, where.tags), names.tags, [where.tag_name]),
        group=group,
        gone=gone,
        problem=row.problem,
    )


# -- raw records: every form in which a reference may come is accepted, nothing is made up


def text_at(content: Mapping[str, Any], path: str) -> str:
    """The text at a path. Numbers as they are written; anything that is no plain value says nothing."""
    value: Any = content
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, (str, int, float)) else ""


def references_at(content: Mapping[str, Any], path: str) -> Iterable[str | Mapping[str, Any]]:
    """The ids or expanded objects of a list (or of a single one) at a path."""
    value: Any = content
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    given = value if isinstance(value, list) else [value]
    return [one for one in given if (isinstance(one, str) and one) or isinstance(one, Mapping)]


def _called(
    given: Iterable[str | Mapping[str, Any]], names: Mapping[str, str], fields: Sequence[str]
) -> tuple[str, ...]:
    """Names in alphabetical order. An id that no list explains has no name, and is left out rather than shown raw."""
    found = {names.get(one, "") if isinstance(one, str) else _name_of(one, names, fields) for one in given}
    return tuple(sorted(found - {""}))


def _name_of(one: Mapping[str, Any], names: Mapping[str, str], fields: Sequence[str]) -> str:
    return _joined(one, fields) or names.get(str(one.get("_id", "")), "")


def _joined(content: Mapping[str, Any], fields: Sequence[str]) -> str:
    return " ".join(part for path in fields if (part := text_at(content, path)))
