"""What the ledger remembers for CRM tools: the mirror of contacts, links, last agreed values, and differences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.crm import Contact
from qualy_sync.model import normal_email

from .crm_schema import crm_addresses, crm_contacts, crm_differences, crm_links, crm_values
from .engine import upsert

HERE, ARCHIVED, GONE, MERGED = "here", "archived", "gone", "merged"
LINKED, SHARED, ERASED, WITHDRAWN = "linked", "shared", "erased", "withdrawn"
CHUNK = 400


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A contact as last read."""

    id: str
    email: str
    ref: str
    values: Mapping[str, str] = field(repr=False)
    tags: frozenset[str]
    standing: str
    state: str
    read_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class CrmLink:
    """Which contact stands for a customer. `facts["written"]` is what was written in Qualy and not yet read back."""

    source_id: str
    remote_id: str
    email: str
    how: str
    state: str
    content_hash: str
    facts: Mapping[str, Any]
    linked_at: datetime
    synced_at: datetime


@dataclass(frozen=True, slots=True)
class Pair:
    """What both sides said of a field when they last agreed."""

    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is left unequal, and why."""

    field: str
    reason: str
    ours: str
    theirs: str


# -- the mirror -------------------------------------------------------------------------------------------------------


def put_contacts(
    connection: sa.Connection,
    book: int,
    contacts: Sequence[Contact],
    key_field: str,
    names: Sequence[str],
    now: datetime,
    sweep: int = 0,
) -> int:
    """Writes contacts as they were read; returns how many say something new. Those are dirty until they are merged."""
    known = contacts_by_id(connection, book, [one.id for one in contacts])
    dirty = _dirty_ids(connection, book, [one.id for one in contacts])
    rows, new = [], 0
    for one in contacts:
        values = {name: one.values.get(name, "") for name in names}
        before = known.get(one.id)
        state = ARCHIVED if one.archived else HERE
        same = before is not None and (
            dict(before.values),
            before.state,
            before.email,
            before.tags,
            before.standing,
        ) == (
            values,
            state,
            one.email,
            one.tags,
            one.standing,
        )
        new += not same
        rows.append(
            _row(book, one, values, state, one.values.get(key_field, ""), now)
            | {"sweep": sweep, "dirty": not same or one.id in dirty}
        )
    upsert(connection, crm_contacts, rows, keys=("book", "id"))
    _put_addresses(connection, book, contacts)
    return new


def put_answer(
    connection: sa.Connection, book: int, contact: Contact, sent: Mapping[str, str], key_field: str, now: datetime
) -> dict[str, str]:
    """Writes a contact as a write answered it: what was sent, and what the tool made of it. Returns all its values.

    It is not dirty by that: an own write that comes back is nothing new. But an answer need not hold what was not sent:
    a contact that was known counts as read when it was, so that an edit which the write came upon is read by and by.
    """
    before = contacts_by_id(connection, book, [contact.id]).get(contact.id)
    values = dict(before.values if before else {}) | dict(sent)
    values |= {name: value for name, value in contact.values.items() if name in values}
    ref = contact.values.get(key_field) or sent.get(key_field) or (before.ref if before else "")
    email = contact.email or normal_email(sent.get("email", "")) or (before.email if before else "")
    updated_at, read_at = (before.updated_at, before.read_at) if before else (contact.updated_at, now)
    whole = replace(contact, emails=(email, *contact.emails[1:]) if email else (), updated_at=updated_at)
    row = _row(book, whole, values, HERE, ref, read_at)
    sweep = _sweep_of(connection, book, contact.id)
    upsert(connection, crm_contacts, [row | {"sweep": sweep, "dirty": False}], keys=("book", "id"))
    if email:
        upsert(
            connection,
            crm_addresses,
            {"book": book, "email": email, "contact_id": contact.id},
            keys=("book", "email", "contact_id"),
        )
    return values


def _row(book: int, one: Contact, values: Mapping[str, str], state: str, ref: str, now: datetime) -> dict[str, Any]:
    return {
        "book": book,
        "id": one.id,
        "email": one.email[:320],
        "ref": ref[:200],
        "values": dict(values),
        "tags": sorted(one.tags),
        "standing": one.standing[:40],
        "state": state,
        "read_at": now,
        "updated_at": one.updated_at,
    }


def _put_addresses(connection: sa.Connection, book: int, contacts: Sequence[Contact]) -> None:
    wanted = {(email[:320], one.id) for one in contacts for email in one.emails}
    there: set[tuple[str, str]] = set()
    for chunk in _chunks([one.id for one in contacts]):
        where = (crm_addresses.c.book == book, crm_addresses.c.contact_id.in_(chunk))
        rows = connection.execute(sa.select(crm_addresses.c.email, crm_addresses.c.contact_id).where(*where))
        there |= {(row.email, row.contact_id) for row in rows}
    for email, contact_id in there - wanted:
        connection.execute(
            sa.delete(crm_addresses).where(
                crm_addresses.c.book == book, crm_addresses.c.contact_id == contact_id, crm_addresses.c.email == email
            )
        )
    rows_new = [{"book": book, "email": email, "contact_id": key} for email, key in sorted(wanted - there)]
    upsert(connection, crm_addresses, rows_new, keys=("book", "email", "contact_id"))


def set_state(connection: sa.Connection, book: int, ids: Iterable[str], state: str) -> None:
    """Marks contacts as archived, gone or merged; they are to be merged anew by that."""
    for chunk in _chunks(list(ids)):
        where = (crm_contacts.c.book == book, crm_contacts.c.id.in_(chunk))
        connection.execute(sa.update(crm_contacts).where(*where).values(state=state, dirty=True))


def set_tags(connection: sa.Connection, book: int, contact_id: str, tags: Iterable[str]) -> None:
    """A contact's tags as a write left them; it is not dirty by that."""
    where = (crm_contacts.c.book == book, crm_contacts.c.id == contact_id)
    connection.execute(sa.update(crm_contacts).where(*where).values(tags=sorted(tags)))


def contacts_by_id(connection: sa.Connection, book: int, ids: Sequence[str]) -> dict[str, Mirrored]:
    found: dict[str, Mirrored] = {}
    for chunk in _chunks(ids):
        where = (crm_contacts.c.book == book, crm_contacts.c.id.in_(chunk))
        found |= {row.id: _mirrored(row) for row in connection.execute(sa.select(crm_contacts).where(*where))}
    return found


def contacts_by_ref(connection: sa.Connection, book: int, refs: Sequence[str]) -> dict[str, list[Mirrored]]:
    """Contacts that carry these refs, by ref."""
    found: dict[str, list[Mirrored]] = {}
    for chunk in _chunks([ref for ref in refs if ref]):
        where = (crm_contacts.c.book == book, crm_contacts.c.ref.in_(chunk))
        for row in connection.execute(sa.select(crm_contacts).where(*where)):
            found.setdefault(row.ref, []).append(_mirrored(row))
    return found


def contacts_by_email(connection: sa.Connection, book: int, emails: Sequence[str]) -> dict[str, list[Mirrored]]:
    """Contacts that any of these addresses leads to, by address."""
    found: dict[str, list[Mirrored]] = {}
    for chunk in _chunks([email for email in emails if email]):
        query = (
            sa.select(crm_contacts, crm_addresses.c.email.label("address"))
            .join(
                crm_addresses,
                sa.and_(crm_addresses.c.book == crm_contacts.c.book, crm_addresses.c.contact_id == crm_contacts.c.id),
            )
            .where(crm_contacts.c.book == book, crm_addresses.c.email.in_(chunk))
        )
        for row in connection.execute(query):
            found.setdefault(row.address, []).append(_mirrored(row))
    return found


def addresses_of(connection: sa.Connection, book: int, contact_id: str) -> list[str]:
    where = (crm_addresses.c.book == book, crm_addresses.c.contact_id == contact_id)
    return list(connection.scalars(sa.select(crm_addresses.c.email).where(*where)))


def unseen(connection: sa.Connection, book: int, sweep: int) -> list[str]:
    """Contacts that a whole reading did not meet, and that were thought to be there or in the bin."""
    where = (crm_contacts.c.book == book, crm_contacts.c.sweep < sweep, crm_contacts.c.state.in_([HERE, ARCHIVED]))
    return list(connection.scalars(sa.select(crm_contacts.c.id).where(*where).order_by(crm_contacts.c.id)))


def count_here(connection: sa.Connection, book: int) -> int:
    """How many contacts are thought to be there."""
    where = (crm_contacts.c.book == book, crm_contacts.c.state == HERE)
    return int(connection.scalar(sa.select(sa.func.count()).select_from(crm_contacts).where(*where)) or 0)


def dirty_contacts(connection: sa.Connection, book: int, after: str, many: int) -> list[Mirrored]:
    """Contacts that changed since they were last merged, in order of ids."""
    where = (crm_contacts.c.book == book, crm_contacts.c.dirty, crm_contacts.c.id > after)
    rows = connection.execute(sa.select(crm_contacts).where(*where).order_by(crm_contacts.c.id).limit(many))
    return [_mirrored(row) for row in rows]


def contacts_after(connection: sa.Connection, book: int, after: str, many: int) -> list[Mirrored]:
    """Contacts that are there, in order of ids, behind one."""
    where = (crm_contacts.c.book == book, crm_contacts.c.state == HERE, crm_contacts.c.id > after)
    rows = connection.execute(sa.select(crm_contacts).where(*where).order_by(crm_contacts.c.id).limit(many))
    return [_mirrored(row) for row in rows]


def clean(connection: sa.Connection, book: int, ids: Iterable[str], read_before: datetime) -> None:
    """These were merged, as far as they were read before a moment."""
    for chunk in _chunks(list(ids)):
        connection.execute(
            sa.update(crm_contacts)
            .where(crm_contacts.c.book == book, crm_contacts.c.id.in_(chunk), crm_contacts.c.read_at <= read_before)
            .values(dirty=False)
        )


def dirty_again(connection: sa.Connection, book: int, ids: Iterable[str]) -> None:
    for chunk in _chunks(list(ids)):
        connection.execute(
            sa.update(crm_contacts).where(crm_contacts.c.book == book, crm_contacts.c.id.in_(chunk)).values(dirty=True)
        )


def newest_change(connection: sa.Connection, book: int) -> datetime | None:
    """The newest time stamp that the tool has shown."""
    found: datetime | None = connection.scalar(
        sa.select(sa.func.max(crm_contacts.c.updated_at)).where(crm_contacts.c.book == book)
    )
    return found


def _dirty_ids(connection: sa.Connection, book: int, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for chunk in _chunks(ids):
        where = (crm_contacts.c.book == book, crm_contacts.c.id.in_(chunk), crm_contacts.c.dirty)
        found |= set(connection.scalars(sa.select(crm_contacts.c.id).where(*where)))
    return found


def _sweep_of(connection: sa.Connection, book: int, contact_id: str) -> int:
    """A contact of our own making was seen by the last whole reading, so to speak: the next one has to meet it."""
    where = (crm_contacts.c.book == book, crm_contacts.c.id == contact_id)
    own = connection.scalar(sa.select(crm_contacts.c.sweep).where(*where))
    last = connection.scalar(sa.select(sa.func.max(crm_contacts.c.sweep)).where(crm_contacts.c.book == book))
    return int(own if own is not None else last or 0)


def _mirrored(row: sa.Row[Any]) -> Mirrored:
    return Mirrored(
        id=row.id,
        email=row.email,
        ref=row.ref,
        values=row._mapping["values"],
        tags=frozenset(row.tags),
        standing=row.standing,
        state=row.state,
        read_at=row.read_at,
        updated_at=row.updated_at,
    )


# -- links ------------------------------------------------------------------------------------------------------------


def links_of(connection: sa.Connection, book: int, source_ids: Sequence[str]) -> dict[str, CrmLink]:
    """Links by customer."""
    return {one.source_id: one for one in _links(connection, book, crm_links.c.source_id, source_ids)}


def links_on(connection: sa.Connection, book: int, remote_ids: Sequence[str]) -> dict[str, list[CrmLink]]:
    """Links by contact."""
    found: dict[str, list[CrmLink]] = {}
    for one in _links(connection, book, crm_links.c.remote_id, remote_ids):
        found.setdefault(one.remote_id, []).append(one)
    return found


def put_link(connection: sa.Connection, book: int, link: CrmLink) -> None:
    row = {name: getattr(link, name) for name in CrmLink.__dataclass_fields__} | {"book": book}
    upsert(connection, crm_links, row | {"facts": dict(link.facts)}, keys=("book", "source_id"))


def has_links(connection: sa.Connection, book: int) -> bool:
    return (
        connection.execute(sa.select(crm_links.c.source_id).where(crm_links.c.book == book).limit(1)).first()
        is not None
    )


def _links(connection: sa.Connection, book: int, column: sa.Column[Any], keys: Sequence[str]) -> Iterator[CrmLink]:
    for chunk in _chunks(keys):
        for row in connection.execute(sa.select(crm_links).where(crm_links.c.book == book, column.in_(chunk))):
            yield CrmLink(**{name: row._mapping[name] for name in CrmLink.__dataclass_fields__})


# -- last agreed values, and differences --------------------------------------------------------------------------


def values_of(connection: sa.Connection, book: int, source_ids: Sequence[str]) -> dict[str, dict[str, Pair]]:
    """What was last agreed, by customer and field."""
    found: dict[str, dict[str, Pair]] = {}
    for chunk in _chunks(source_ids):
        where = (crm_values.c.book == book, crm_values.c.source_id.in_(chunk))
        for row in connection.execute(sa.select(crm_values).where(*where)):
            found.setdefault(row.source_id, {})[row.field] = Pair(row.ours, row.theirs)
    return found


def put_values(connection: sa.Connection, book: int, source_id: str, values: Mapping[str, Pair], now: datetime) -> None:
    rows = [
        {"book": book, "source_id": source_id, "field": name, "ours": pair.ours, "theirs": pair.theirs, "at": now}
        for name, pair in values.items()
    ]
    upsert(connection, crm_values, rows, keys=("book", "source_id", "field"))


def forget_values(connection: sa.Connection, book: int, source_id: str) -> None:
    """Nothing is agreed with another contact yet."""
    where = (crm_values.c.book == book, crm_values.c.source_id == source_id)
    connection.execute(sa.delete(crm_values).where(*where))


def differences_of(connection: sa.Connection, book: int, source_ids: Sequence[str]) -> dict[str, dict[str, Difference]]:
    """Fields left unequal, by customer and field."""
    found: dict[str, dict[str, Difference]] = {}
    for chunk in _chunks(source_ids):
        where = (crm_differences.c.book == book, crm_differences.c.source_id.in_(chunk))
        for row in connection.execute(sa.select(crm_differences).where(*where)):
            one = Difference(row.field, row.reason, row.ours, row.theirs)
            found.setdefault(row.source_id, {})[row.field] = one
    return found


def put_differences(
    connection: sa.Connection, book: int, source_id: str, wanted: Mapping[str, Difference], now: datetime
) -> None:
    """Replaces a customer's differences; one that stays keeps its age."""
    there = differences_of(connection, book, [source_id]).get(source_id, {})
    if there == dict(wanted):
        return
    gone = sorted(set(there) - set(wanted))
    if gone:
        where = (crm_differences.c.book == book, crm_differences.c.source_id == source_id)
        connection.execute(sa.delete(crm_differences).where(*where, crm_differences.c.field.in_(gone)))
    rows = [
        {"book": book, "source_id": source_id, "since": now}
        | {name: getattr(one, name) for name in Difference.__dataclass_fields__}
        for key, one in wanted.items()
        if there.get(key) != one
    ]
    upsert(connection, crm_differences, rows, keys=("book", "source_id", "field"))


def count_differences(connection: sa.Connection, book: int) -> dict[str, int]:
    """How many fields are unequal, by reason."""
    rows = connection.execute(
        sa.select(crm_differences.c.reason, sa.func.count())
        .where(crm_differences.c.book == book)
        .group_by(crm_differences.c.reason)
    )
    return {row[0]: int(row[1]) for row in rows}


def _chunks(keys: Sequence[str]) -> Iterator[list[str]]:
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start : start + CHUNK]
