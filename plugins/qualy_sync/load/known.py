"""What the ledger and the mirror know about the records of a slice, gathered in a handful of queries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import sqlalchemy as sa

from qualy_sync.contracts.accounting import GONE, RemoteContact, What
from qualy_sync.ledger import Ledger, mirror
from qualy_sync.ledger.attempts import Link, kind_of_step, links_on, links_to, steps_on
from qualy_sync.ledger.decisions import decisions_on
from qualy_sync.ledger.engine import db_now
from qualy_sync.ledger.schema import attempts, current_outcomes, links, mirror_documents, outcomes
from qualy_sync.ledger.slices import Record, Slice, shared_emails
from qualy_sync.ledger.variants import variants_on
from qualy_sync.model import Kind, Leg
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.plan import Key, Known, Pending, Terms
from qualy_sync.plan.contacts import emails_and_names
from qualy_sync.plan.refs import WHOLE_PAYMENT, contact_ref, make_number, make_ref
from qualy_sync.plan.values import MOST_MERGES, Frozen, Refusal, record_of, variants_in
from qualy_sync.plan.variants import LEG_OF_PERSON

T = TypeVar("T")

# What the tool said no to, and would say no to again. What the mirror or the chart can show is looked at anew instead.
_REFUSED = frozenset(str(code) for code in (Code.INVALID, Code.LOCKED_THERE, Code.NOT_ALLOWED))


def gather(
    ledger: Ledger,
    book: int,
    pin: int,
    terms: Terms,
    source: Slice,
    settle: Callable[[What], timedelta],
    currencies: Mapping[Key, Collection[str]] | None = None,
    *,
    again: bool = False,
) -> Known:
    """Everything `plan_slice` asks about these records. `settle` gives Q of the write protocol by kind.

    `currencies`: those that the documents of a customer or partner are in, where a contact has one for good.

    `again`: a person asked for a further try, so that what the tool refused may be sent as it was.
    """
    records = _records(source)
    ids = [record.id for record in records] + [group.owner for group in source.groups]
    with ledger.reading() as connection:
        own_links = links_on(connection, book, ids)
        steps = steps_on(connection, book, ids)
        decisions = decisions_on(connection, book, [("", source_id) for source_id in ids])
        sent = _last_sent(connection, steps)
        too_long_ago = db_now(connection) - timedelta(hours=terms.accounting.pace.give_up_hours)
        each = variants_on(connection, book, ids)
        refusals = _refusals(connection, book, steps, each)
        variants = _variants(own_links, steps, each)
        wanted = {
            key: {*variants.get(key, ()), *(currencies or {}).get(key, ())} for key in {*variants, *(currencies or {})}
        }
        people = {record.id: record for record in records if record.kind in (Kind.CUSTOMER, Kind.PARTNER)}
        emails, names = emails_and_names(terms, people, wanted)
        shared = {
            (kind, email): count
            for kind in (Kind.CUSTOMER, Kind.PARTNER)
            for email, count in shared_emails(connection, pin, kind, list(emails)).items()
        }
        decided = [decision.argument for decision in decisions.values() if decision.choice == "link"]
        refs = _refs(records, own_links, steps) + _contact_refs(terms, people.values(), wanted)
        remote_ids = [link.remote_id for link in own_links.values()] + decided
        agreed_on = [str(link.facts["contact_id"]) for link in own_links.values() if "contact_id" in link.facts]
        by_email = mirror.contacts_by(connection, book, "email", list(emails))
        contacts = (
            mirror.contacts_by(connection, book, "id", remote_ids + agreed_on)
            + mirror.contacts_by(connection, book, "ref", refs)
            + by_email
            + mirror.contacts_by(connection, book, "name_key", list(names))
        )
        contacts += _merge_targets(connection, book, contacts)
        document_refs = [ref for ref in refs if ref[0] in "IBJKNMVUPQ"]
        numbers = _numbers(terms, records)
        documents = (
            mirror.documents_by(connection, book, "id", remote_ids)
            + mirror.documents_by(connection, book, "ref", document_refs)
            + mirror.documents_by(connection, book, "number_key", numbers)
            + _strangers(connection, book, own_links, by_email)
        )
        linked = links_to(connection, book, [document.id for document in documents])
        contact_links = links_to(connection, book, [contact.id for contact in contacts])
        settlement_refs = [ref for ref in refs if ref[0] in "PQOY"] + [
            make_ref(Leg.SETTLEMENT, record.id, letter=WHOLE_PAYMENT)
            for record in records
            if record.kind is Kind.PAYMENT
        ]
        document_ids = [link.remote_id for key, link in own_links.items() if key[0] in _WITH_SETTLEMENTS]
        allocations = mirror.allocations_by(connection, book, "ref", [ref for ref in refs if ref[0] in "AE"])
        shown = _shown(connection, book, ids)
        settled = mirror.settlements_by(connection, book, "document_id", document_ids)
        by_ref = mirror.settlements_by(connection, book, "ref", settlement_refs)
    return Known(
        links=own_links,
        pending={
            key: Pending(sent[row.attempt] + settle(kind_of_step(row)), overdue=row.at < too_long_ago)
            for key, rows in steps.items()
            for row in rows[-1:]
            if row.open
        },
        frozen={
            key: Frozen(rows[-1].frozen, rows[-1].fate, rows[-1].source_hash, rows[-1].generation)
            for key, rows in steps.items()
        },
        decisions=decisions,
        refused_names={
            key: frozenset(str(row.frozen.get("name")) for row in rows if row.fate == "duplicate_name")
            for key, rows in steps.items()
        },
        refusals={} if again else refusals,
        shared=shared,
        contacts_by_id={contact.id: contact for contact in contacts},
        contacts_by_ref=_by(contacts, lambda contact: contact.ref),
        contacts_by_email=_by(contacts, lambda contact: contact.email),
        contacts_by_name=_by(contacts, lambda contact: mirror.name_key(contact.name)),
        contact_links={remote_id: tuple(found) for remote_id, found in contact_links.items()},
        documents_by_id={document.id: document for document in documents},
        documents_by_ref=_by(documents, lambda document: document.ref),
        documents_by_number=_by(documents, lambda document: document.number.casefold()),
        documents_by_contact=_by(documents, lambda document: document.contact_id),
        settlements_by_ref=_by(by_ref, lambda settlement: settlement.ref),
        settlements_by_document=_by(settled, lambda settlement: settlement.document_id),
        linked_documents=frozenset(remote_id for remote_id, found in linked.items() if found),
        allocations_by_ref=_by(allocations, lambda allocation: allocation.ref),
        variants=variants,
        shown=shown,
    )


def _records(source: Slice) -> list[Record]:
    found: list[Record] = list(source.partners.values())
    for group in source.groups:
        if group.customer is not None:
            found.append(group.customer)
        found += group.payments
        for children in (*group.splits.values(), *group.transactions.values(), *group.pay_outs.values()):
            found += children
    return found


# What a record of each kind may become: first its own leg, then those of a credit.
_LEGS: Mapping[Kind, tuple[Leg, ...]] = {
    Kind.PAYMENT: (Leg.INVOICE, Leg.CREDIT_NOTE, Leg.ALLOCATION),
    Kind.SPLIT: (Leg.BILL, Leg.SUPPLIER_CREDIT, Leg.ALLOCATION),
    Kind.TRANSACTION: (Leg.SETTLEMENT, Leg.CREDIT_NOTE, Leg.ALLOCATION),
    Kind.SPLIT_INTENT: (Leg.PAY_OUT,),
}
_SOMETIMES = (Leg.CREDIT_NOTE, Leg.SUPPLIER_CREDIT, Leg.ALLOCATION)
_WITH_SETTLEMENTS = (Leg.INVOICE, Leg.BILL, Leg.CREDIT_NOTE, Leg.SUPPLIER_CREDIT)


def _refs(
    records: Iterable[Record], own_links: Mapping[Key, Link], steps: Mapping[Key, list[sa.Row[Any]]]
) -> list[str]:
    """What these records carry in the tool, or would carry: of the present generation and the next one."""
    found: list[str] = []
    for record in records:
        for leg in _LEGS.get(record.kind, ()):
            key: Key = (str(leg), record.id)
            sent = max((int(row.generation) for row in steps.get(key, ())), default=1)
            newest = max(sent, own_links[key].generation + 1 if key in own_links else 1)
            found += [make_ref(leg, record.id, generation) for generation in range(1, min(newest, 36) + 1)]
    return found


def _contact_refs(terms: Terms, people: Iterable[Record], variants: Mapping[Key, Collection[str]]) -> list[str]:
    base = terms.organisation.base_currency
    found: list[str] = []
    for record in people:
        leg = LEG_OF_PERSON[record.kind]
        found += [contact_ref(leg, record.id, one, base) for one in ("", *variants.get((str(leg), record.id), ()))]
    return found


def _variants(
    own_links: Mapping[Key, Link], steps: Mapping[Key, list[sa.Row[Any]]], each: Mapping[Key, Mapping[str, Outcome]]
) -> dict[Key, frozenset[str]]:
    """The contacts that each person has, or was to have: linked, under way, or planned."""
    under_way = [key for key, rows in steps.items() if rows[-1].open]
    return variants_in(own_links, under_way, [(*key, one) for key, some in each.items() for one in some])


def _shown(connection: sa.Connection, book: int, ids: Sequence[str]) -> frozenset[Key]:
    """Legs that not every record has, and these do."""
    found: set[Key] = set()
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), 500):
        rows = connection.execute(
            sa.select(current_outcomes.c.leg, current_outcomes.c.source_id).where(
                current_outcomes.c.book == book,
                current_outcomes.c.leg.in_([str(leg) for leg in _SOMETIMES]),
                current_outcomes.c.source_id.in_(wanted[start : start + 500]),
            )
        )
        found |= {(row.leg, row.source_id) for row in rows}
    return frozenset(found)


def _numbers(terms: Terms, records: Iterable[Record]) -> list[str]:
    prefix = terms.accounting.payments.number_prefix
    return [
        make_number(prefix, getattr(record.noun, "number", None), make_ref(Leg.INVOICE, record.id)).casefold()
        for record in records
        if record.kind is Kind.PAYMENT
    ]


def _refusals(
    connection: sa.Connection,
    book: int,
    steps: Mapping[Key, list[sa.Row[Any]]],
    each: Mapping[Key, Mapping[str, Outcome]],
) -> dict[Key, Refusal]:
    """What the tool refused last, and said of it. Names have a way of their own: another one is tried."""
    last = {key: rows[-1] for key, rows in steps.items() if rows[-1].fate in _REFUSED}
    found = {key: refusal for key, step in last.items() if (refusal := _of_variant(key, step, each)) is not None}
    last = {key: step for key, step in last.items() if len(key) == 2}
    ids = sorted({key[1] for key in last})
    said: dict[tuple[str, str, str], sa.Row[Any]] = {}
    for start in range(0, len(ids), 500):
        rows = connection.execute(
            sa.select(outcomes)
            .where(
                outcomes.c.book == book,
                outcomes.c.leg.in_({key[0] for key in last}),
                outcomes.c.source_id.in_(ids[start : start + 500]),
                outcomes.c.code.in_(sorted(_REFUSED)),
            )
            .order_by(outcomes.c.id)
        )
        said |= {(row.leg, row.source_id, row.code): row for row in rows}
    for key, step in last.items():
        row = said.get((key[0], key[1], step.fate))
        if row is not None:
            outcome = Outcome(Code(row.code), row.detail, row.thing)
            found[key] = Refusal(outcome, step.content_hash, str(step.seen.get("lock_date")))
    return found


def _of_variant(key: Key, step: sa.Row[Any], each: Mapping[Key, Mapping[str, Outcome]]) -> Refusal | None:
    outcome = each.get(record_of(key), {}).get(key[2]) if len(key) > 2 else None
    if outcome is None or outcome.code != step.fate:
        return None
    return Refusal(outcome, step.content_hash, str(step.seen.get("lock_date")))


def _last_sent(connection: sa.Connection, steps: Mapping[Key, list[sa.Row[Any]]]) -> dict[int, Any]:
    """When the attempts that are still open were last sent."""
    wanted = sorted({row.attempt for rows in steps.values() for row in rows if row.open})
    found = connection.execute(
        sa.select(attempts.c.id, attempts.c.last_sent_at, attempts.c.committed_at).where(attempts.c.id.in_(wanted))
    )
    return {row.id: row.last_sent_at or row.committed_at for row in found}


def _strangers(connection: sa.Connection, book: int, own_links: Mapping[Key, Link], by_email: list[Any]) -> list[Any]:
    """Live documents of these contacts that no link of ours stands for: they may be the same sale."""
    contacts = {link.remote_id for key, link in own_links.items() if key[0] in (Leg.CONTACT, Leg.SUPPLIER)}
    wanted = sorted(contacts | {contact.id for contact in by_email})
    found: list[str] = []
    for start in range(0, len(wanted), 500):
        rows = connection.execute(
            sa.select(mirror_documents.c.id).where(
                mirror_documents.c.book == book,
                mirror_documents.c.contact_id.in_(wanted[start : start + 500]),
                mirror_documents.c.status.not_in([str(status) for status in GONE]),
                ~sa.select(links.c.id).where(links.c.book == book, links.c.remote_id == mirror_documents.c.id).exists(),
            )
        )
        found += [row.id for row in rows]
    return mirror.documents_by(connection, book, "id", found)


def _merge_targets(connection: sa.Connection, book: int, contacts: Iterable[RemoteContact]) -> list[RemoteContact]:
    """The contacts that these were merged into, and those into which they were in turn."""
    known = {contact.id for contact in contacts}
    found: list[RemoteContact] = []
    newest = list(contacts)
    for _ in range(MOST_MERGES):
        wanted = {contact.merged_into for contact in newest} - known - {""}
        if not wanted:
            break
        newest = mirror.contacts_by(connection, book, "id", sorted(wanted))
        known |= wanted
        found += newest
    return found


def _by(values: Iterable[T], key: Callable[[T], str]) -> dict[str, tuple[T, ...]]:
    found: dict[str, dict[Any, T]] = {}
    for value in values:
        found.setdefault(key(value), {})[getattr(value, "id", value)] = value
    return {name: tuple(some.values()) for name, some in found.items() if name}
