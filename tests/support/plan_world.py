"""A small agency as plain values: what Qualy has, what the settings say, what the tool holds. No input, no output.

`World` collects records and plans them; `Books` takes what a plan would write and holds it, the way the tool would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from qualy_sync.contracts.accounting import (
    Change,
    NewAllocation,
    NewContact,
    NewDocument,
    NewRefund,
    NewSettlement,
    Party,
    RemoteAllocation,
    RemoteContact,
    RemoteDocument,
    RemoteLine,
    RemoteSettlement,
    Remove,
    Status,
    Verb,
    Void,
    What,
)
from qualy_sync.ledger.attempts import Link
from qualy_sync.ledger.decisions import Decision
from qualy_sync.ledger.mirror import name_key
from qualy_sync.ledger.slices import Failure, Group, Record, Slice
from qualy_sync.load.judging import judge_effect
from qualy_sync.model import NOUNS, Kind, Leg, normal_email
from qualy_sync.outcomes import Code
from qualy_sync.plan import Key, Known, Planned, SlicePlan, Step, Terms, fingerprint, plan_partner, plan_slice
from qualy_sync.plan.contacts import ContactPlanner
from qualy_sync.plan.documents import link_to
from qualy_sync.plan.settlements import settlement_link
from qualy_sync.plan.values import link_of, variants_in
from tests.support.plan_terms import BASE, CHART, NOW, settings_of, terms_of

__all__ = ["BASE", "CHART", "NOW", "Books", "World", "settings_of", "terms_of"]


def object_id(kind: int, number: int) -> str:
    """An id as Qualy makes them: 24 hex digits."""
    return f"{0x66000000 + number:08x}{kind:04x}{number:012x}"


def record(
    kind: Kind,
    source_id: str,
    content: Mapping[str, Any],
    *,
    failure: Failure | None = None,
    gone: bool = False,
    problem: Mapping[str, str] | None = None,
    parent: str | None = None,
) -> Record:
    raw = {"_id": source_id, **content}
    return Record(
        kind=kind,
        id=source_id,
        hash=fingerprint(raw),
        noun=None if problem else NOUNS[kind].model_validate(raw),
        problem=problem,
        failures=(failure,) if failure else (),
        gone=gone,
        email=normal_email(content.get("email")),
        parent=parent,
    )


@dataclass
class World:
    """What Qualy has. Each method adds one record and gives its id; `over` replaces fields of its JSON."""

    customers: dict[str, Record] = field(default_factory=dict)
    partners: dict[str, Record] = field(default_factory=dict)
    payments: dict[str, Record] = field(default_factory=dict)
    splits: dict[str, Record] = field(default_factory=dict)
    transactions: dict[str, Record] = field(default_factory=dict)
    pay_outs: dict[str, Record] = field(default_factory=dict)

    def customer(self, number: int = 1, name: str = "Ana Silva", email: str | None = "", **flags: Any) -> str:
        first, _, last = name.partition(" ")
        email = f"student{number}@students.example" if email == "" else email
        content = {"email": email, "profile": {"firstName": first, "lastName": last}}
        customer = object_id(5, number)
        self.customers[customer] = record(Kind.CUSTOMER, customer, content, **flags)
        return customer

    def partner(self, number: int = 1, name: str = "", email: str | None = "", **flags: Any) -> str:
        name = name or f"School {number}"
        email = f"office{number}@school.example" if email == "" else email
        partner = object_id(6, number)
        self.partners[partner] = record(Kind.PARTNER, partner, {"name": name, "email": email}, **flags)
        return partner

    def payment(
        self,
        *items: tuple[str, int],
        number: int = 1,
        customer: int = 1,
        status: str = "due",
        currency: str = "AUD",
        over: Mapping[str, Any] | None = None,
        **flags: Any,
    ) -> str:
        """A payment of items (category, amount), created at noon UTC on 10 June 2026."""
        if object_id(5, customer) not in self.customers:
            self.customer(customer)
        content: dict[str, Any] = {
            "number": number,
            "contact": object_id(5, customer),
            "currency": currency,
            "status": status,
            "items": [
                {"_id": f"item-{number}-{place}", "name": f"{category} fee", "category": category, "amount": amount}
                for place, (category, amount) in enumerate(items)
            ],
            "amount": sum(amount for _, amount in items),
            "dueAt": "2026-06-20T12:00:00.000Z",
            "createdAt": "2026-06-10T12:00:00.000Z",
        }
        payment = object_id(1, number)
        self.payments[payment] = record(Kind.PAYMENT, payment, content | dict(over or {}), **flags)
        return payment

    def split(
        self,
        amount: int,
        number: int = 1,
        payment: int = 1,
        item: int = 0,
        kind: str = "agent",
        partner: int = 1,
        over: Mapping[str, Any] | None = None,
        **flags: Any,
    ) -> str:
        if object_id(6, partner) not in self.partners:
            self.partner(partner)
        parent = self.payments[object_id(1, payment)]
        content: dict[str, Any] = {
            "type": kind,
            "currency": getattr(parent.noun, "currency", "AUD"),
            "amount": amount,
            "partnership": object_id(6, partner),
            "paymentIntent": parent.id,
            "item": f"item-{payment}-{item}",
            "dueAt": "2026-06-30T12:00:00.000Z",
        }
        split = object_id(3, number)
        self.splits[split] = record(Kind.SPLIT, split, content | dict(over or {}), parent=parent.id, **flags)
        return split

    def charge(
        self,
        amount: int,
        number: int = 1,
        payment: int = 1,
        status: str = "succeeded",
        method: str = "CARD",
        at: str = "2026-06-12T12:00:00.000Z",
        over: Mapping[str, Any] | None = None,
        **flags: Any,
    ) -> str:
        parent = self.payments[object_id(1, payment)]
        content: dict[str, Any] = {
            "paymentIntent": parent.id,
            "amount": amount,
            "currency": getattr(parent.noun, "currency", "AUD"),
            "transactionType": "refund" if amount < 0 else "charge",
            "method": method,
            "status": status,
            "createdAt": at,
        }
        charge = object_id(2, number)
        self.transactions[charge] = record(
            Kind.TRANSACTION, charge, content | dict(over or {}), parent=parent.id, **flags
        )
        return charge

    def pay_out(
        self,
        amount: int,
        number: int = 1,
        split: int = 1,
        status: str = "paid",
        at: str | None = "2026-06-18T12:00:00.000Z",
        over: Mapping[str, Any] | None = None,
        **flags: Any,
    ) -> str:
        """A split intent: what goes to a partner for a split."""
        of = self.splits[object_id(3, split)]
        content: dict[str, Any] = {
            "paymentSplit": of.id,
            "paymentIntent": of.parent,
            "partnership": getattr(of.noun, "partnership", ""),
            "amount": amount,
            "currency": getattr(of.noun, "currency", "AUD"),
            "status": status,
            "paidAt": at,
        }
        intent = object_id(4, number)
        self.pay_outs[intent] = record(Kind.SPLIT_INTENT, intent, content | dict(over or {}), parent=of.parent, **flags)
        return intent

    def slice(self, *, backwards: bool = False) -> Slice:
        """Everything as one slice; `backwards`: in the opposite order."""

        def ordered(records: Mapping[str, Record]) -> list[Record]:
            found = [records[one] for one in sorted(records)]
            return found[::-1] if backwards else found

        owner_of = {one.id: getattr(one.noun, "contact", "") for one in self.payments.values()}
        owners = sorted({*self.customers, *owner_of.values()}, reverse=backwards)
        groups = [
            Group(
                owner=owner,
                customer=self.customers.get(owner),
                payments=(mine := tuple(one for one in ordered(self.payments) if owner_of[one.id] == owner)),
                splits={one.id: _children(ordered(self.splits), one.id) for one in mine},
                transactions={one.id: _children(ordered(self.transactions), one.id) for one in mine},
                pay_outs={one.id: _children(ordered(self.pay_outs), one.id) for one in mine},
            )
            for owner in owners
        ]
        return Slice(tuple(groups), {one.id: one for one in ordered(self.partners)})

    def plan(self, terms: Terms | None = None, known: Known | None = None, **changes: Any) -> dict[Key, Planned]:
        """The plan, by (leg, id)."""
        plan = plan_slice(terms or terms_of(**changes), known or Known(), self.slice())
        return {one.key: one for one in plan.planned}


def _children(records: Sequence[Record], parent: str) -> tuple[Record, ...]:
    return tuple(one for one in records if one.parent == parent)


def code(planned: Planned) -> Code | None:
    return planned.outcome.code if planned.outcome else None


def document(planned: Planned) -> NewDocument:
    """The document that a plan would write."""
    assert planned.step is not None, planned.outcome
    assert isinstance(planned.step.new, NewDocument)
    return planned.step.new


def settlement(planned: Planned) -> NewSettlement:
    assert planned.step is not None, planned.outcome
    assert isinstance(planned.step.new, NewSettlement)
    return planned.step.new


def contact(planned: Planned) -> NewContact:
    assert planned.step is not None, planned.outcome
    assert isinstance(planned.step.new, NewContact)
    return planned.step.new


def decided(leg: Leg, source_id: str, choice: str, on: Planned, argument: str = "") -> dict[Key, Decision]:
    """A person's choice on what was planned just now."""
    key = (str(leg), source_id)
    assert on.key == key
    made = Decision(*key, str(code(on) or ""), choice, argument, "Kim", "checked", on.source_hash, NOW)
    return {key: made}


@dataclass
class Books:
    """What the tool and the ledger hold: contacts, documents, settlements, and links to them."""

    links: dict[Key, Link] = field(default_factory=dict)
    contacts: dict[str, RemoteContact] = field(default_factory=dict)
    documents: dict[str, RemoteDocument] = field(default_factory=dict)
    settlements: dict[str, RemoteSettlement] = field(default_factory=dict)

    def known(self, **more: Any) -> Known:
        """What a run reads of it."""
        known = Known(
            links=dict(self.links),
            contacts_by_id=dict(self.contacts),
            contacts_by_ref=_by(self.contacts, lambda one: one.ref),
            contacts_by_email=_by(self.contacts, lambda one: one.email),
            contacts_by_name=_by(self.contacts, lambda one: name_key(one.name)),
            contact_links=_links_to(self.links),
            documents_by_id=dict(self.documents),
            documents_by_ref=_by(self.documents, lambda one: one.ref),
            documents_by_number=_by(self.documents, lambda one: one.number.casefold()),
            documents_by_contact=_by(self.documents, lambda one: one.contact_id),
            settlements_by_ref=_by(self.settlements, lambda one: one.ref),
            settlements_by_document=_by(self.settlements, lambda one: one.document_id),
            linked_documents=frozenset(link.remote_id for link in self.links.values()),
            variants=variants_in(self.links),
        )
        return replace(known, **more)

    def sync(self, world: World, terms: Terms) -> dict[Key, Planned]:
        """Plans and writes until nothing moves; gives the last plan. Suppliers follow customers, as in a load."""
        source = world.slice()
        for _ in range(6):
            plan = plan_slice(terms, self.known(), source)
            moved = self._keep(terms, plan.planned)
            if not self._keep(terms, suppliers_of(terms, self.known(), source, plan)) and not moved:
                break
        return {one.key: one for one in plan.planned}

    def _keep(self, terms: Terms, planned: Sequence[Planned]) -> bool:
        moved = False
        for one in planned:
            if one.link is not None:
                self.links[one.key] = one.link
                moved = True
            elif one.due and one.step is not None:
                moved = self._write(terms, one.step) or moved
        return moved

    def _write(self, terms: Terms, step: Step) -> bool:
        key = step.key
        remote_id = "-".join([step.what, *step.key[1:]]) + (f"-{step.generation}" if step.generation > 1 else "")
        if step.verb is not Verb.CREATE:
            self._effect(terms, step)
            return True
        if isinstance(step.new, NewAllocation):
            return self._allocate(terms, step, remote_id)
        if isinstance(step.new, NewRefund):
            return self._refund(terms, step, remote_id)
        if isinstance(step.new, NewContact):
            made = RemoteContact(
                remote_id,
                step.ref,
                step.new.name,
                step.new.email,
                True,
                "",
                NOW,
                step.new.party if terms.ways.separate_parties else Party.ANY,
                step.new.currency,
            )
            self.contacts[remote_id] = made
            agreed = {**step.facts, "contact_id": remote_id}
            self.links[key] = Link(
                str(step.leg),
                step.source_id,
                step.variant,
                1,
                remote_id,
                step.ref,
                "created",
                step.source_hash,
                "",
                agreed,
                "v",
                NOW,
            )
            return True
        if isinstance(step.new, NewDocument):
            if not step.new.contact_id:
                return False
            self.documents[remote_id] = self.put_document(terms, step.new, remote_id)
            self.links[key] = link_to(terms, step, self.documents[remote_id], "created")
            return True
        if not isinstance(step.new, NewSettlement) or not step.new.document_id:
            return False
        self.links[key] = settlement_link(terms, step, self.put_settlement(step.new, remote_id), "created")
        return True

    def _effect(self, terms: Terms, step: Step) -> None:
        """Changes, voids and removes as a tool does, and keeps the link as a load would."""
        remote_id = str(step.seen["remote_id"])
        there: Any
        if isinstance(step.new, Remove):
            there = replace(self.settlements[remote_id], status=Status.DELETED)
            self.settlements[remote_id] = there
            document = self.documents[there.document_id]
            paid = document.paid - there.amount
            self.documents[document.id] = replace(document, paid=paid, due=document.due + there.amount)
        elif isinstance(step.new, Void):
            there = replace(self.documents[remote_id], status=Status.VOIDED)
            self.documents[remote_id] = there
        elif isinstance(step.new, Change) and isinstance(step.new.new, NewDocument):
            there = self.put_document(terms, step.new.new, remote_id)
        else:
            raise TypeError(f"no plan changes {step.leg}")
        seen = judge_effect(terms, step, [there])
        assert seen.link is not None, seen
        self.links[(str(step.leg), step.source_id)] = seen.link

    def _allocate(self, terms: Terms, step: Step, remote_id: str) -> bool:
        new = step.new
        assert isinstance(new, NewAllocation)
        if not new.note_id:
            return False
        made = RemoteAllocation(
            remote_id, "", new.note_id, new.document_id, new.currency, new.amount, new.date, Status.AUTHORISED, NOW
        )
        note, document = self.documents[new.note_id], self.documents[new.document_id]
        self.documents[note.id] = replace(
            note, credited=note.credited + new.amount, due=note.due - new.amount, allocations=(*note.allocations, made)
        )
        self.documents[document.id] = replace(
            document, credited=document.credited + new.amount, due=document.due - new.amount
        )
        self.links[(str(step.leg), step.source_id)] = link_of(terms, step, made, "created", step.facts)
        return True

    def _refund(self, terms: Terms, step: Step, remote_id: str) -> bool:
        new = step.new
        assert isinstance(new, NewRefund)
        if not new.note_id:
            return False
        made = RemoteSettlement(
            remote_id, new.ref, new.note_id, new.account, new.currency, new.amount, new.date, Status.AUTHORISED,
            False, NOW, What.CREDIT_NOTE,
        )  # fmt: skip
        self.settlements[remote_id] = made
        note = self.documents[new.note_id]
        self.documents[note.id] = replace(note, paid=note.paid + new.amount, due=note.due - new.amount)
        self.links[(str(step.leg), step.source_id)] = settlement_link(terms, step, made, "created")
        return True

    def put_document(self, terms: Terms, new: NewDocument, remote_id: str) -> RemoteDocument:
        sums = terms.totals(new.lines, new.basis, new.currency, terms.chart)
        self.documents[remote_id] = RemoteDocument(
            id=remote_id,
            what=new.what,
            ref=new.ref,
            number=new.number,
            contact_id=new.contact_id,
            currency=new.currency,
            date=new.date,
            due_date=new.due_date,
            status=new.status,
            net=sums.net,
            tax=sums.tax,
            total=sums.total,
            paid=0,
            credited=0,
            due=sums.total,
            updated_at=NOW,
            basis=new.basis,
            lines=tuple(RemoteLine(line.description, line.amount, line.account, line.tax) for line in new.lines),
        )
        return self.documents[remote_id]

    def put_settlement(self, new: NewSettlement, remote_id: str) -> RemoteSettlement:
        made = RemoteSettlement(
            remote_id, new.ref, new.document_id, new.account, new.currency, new.amount, new.date, Status.AUTHORISED,
            False, NOW,
        )  # fmt: skip
        self.settlements[remote_id] = made
        there = self.documents[new.document_id]
        self.documents[new.document_id] = replace(there, paid=there.paid + new.amount, due=there.due - new.amount)
        return made


def suppliers_of(terms: Terms, known: Known, source: Slice, plan: SlicePlan) -> list[Planned]:
    """The supplier legs that the bills of a plan need."""
    contacts = ContactPlanner(terms, known)
    needed = [source.partners[one] for one in sorted({key[1] for key in plan.suppliers}) if one in source.partners]
    return [
        planned
        for one in needed
        for planned in plan_partner(terms, known, one, needed=plan.suppliers, contacts=contacts)
        if planned.key in plan.suppliers
    ]


def _by(values: Mapping[str, Any], key: Any) -> dict[str, tuple[Any, ...]]:
    names = {key(value) for value in values.values()} - {""}
    return {name: tuple(value for value in values.values() if key(value) == name) for name in names}


def _links_to(links: Mapping[Key, Link]) -> dict[str, tuple[Link, ...]]:
    return {
        remote_id: tuple(link for link in links.values() if link.remote_id == remote_id)
        for remote_id in {link.remote_id for link in links.values()}
    }
