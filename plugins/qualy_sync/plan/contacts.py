"""The contact and supplier legs: who is who in the tool. Pure.

Ladder: the link, then our ref in the tool, then the email (exactly one active contact), then a new contact. Once
linked, the link is by id: a later change of email makes no second contact. Where a contact has one currency for good,
each rung asks for one in the currency that is needed, and a person may have several: each is planned by itself.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from qualy_sync.contracts.accounting import NewContact, Party, RemoteContact, What
from qualy_sync.contracts.latin import UNKNOWN, is_latin, to_latin
from qualy_sync.ledger.attempts import Link, step_key
from qualy_sync.ledger.mirror import name_key
from qualy_sync.ledger.slices import Record
from qualy_sync.model import Customer, Leg, Partner
from qualy_sync.outcomes import Code, Outcome

from .contact_updates import Wanted, email_key, plan_update, wants_update
from .found import judge_contact
from .refs import contact_ref
from .tax_ids import identity_of
from .values import (
    PARTY,
    Key,
    Known,
    Planned,
    Ruling,
    Step,
    Terms,
    decision_on,
    fingerprint,
    hold_back,
    record_failure,
    record_of,
    unsettled,
)
from .variants import LEG_OF_PERSON, currency_of, party_of, spellings

CLEARLY_DIFFERENT = 0.5


@dataclass(frozen=True, slots=True)
class Person:
    """A customer as payer, or a partner as supplier."""

    record: Record
    leg: Leg
    source_hash: str
    ref: str
    party: Party
    variant: str = ""  # which of the person's contacts
    currency: str = ""  # of the contact, where it has one for good

    @property
    def record_key(self) -> Key:
        return (str(self.leg), self.record.id)

    @property
    def key(self) -> Key:
        return step_key(str(self.leg), self.record.id, self.variant)


class ContactPlanner:
    """Plans contacts one by one; remembers what this run has claimed: no two new ones share a name or an email."""

    def __init__(self, terms: Terms, known: Known) -> None:
        self._terms = terms
        self._known = known
        self._claimed: dict[str, Key] = {}  # names
        self._emails: dict[str, Key] = {}

    def plan(self, record: Record, leg: Leg, owner: str, variant: str = "") -> Planned:
        """What becomes of a customer's contact or a partner's supplier that a document needs.

        `variant` is which of them: see `plan.variants`.
        """
        terms, source_hash = self._terms, _source_hash(record)
        ref = contact_ref(leg, record.id, variant, terms.organisation.base_currency)
        party, currency = party_of(terms, leg, variant), currency_of(terms, variant)
        person = Person(record, leg, source_hash, ref, party, variant, currency)
        ruling = self._ruling(person)
        pending = self._known.pending.get(person.key)
        return Planned(
            kind=record.kind,
            leg=leg,
            source_id=record.id,
            owner=owner,
            payment_id=None,
            amount=0,
            currency="",
            month="",
            source_hash=source_hash,
            outcome=ruling.outcome,
            step=ruling.step,
            link=ruling.link,
            retry_at=pending.until if pending else None,
            variant=variant,
        )

    def _ruling(self, person: Person) -> Ruling:
        terms, known, key = self._terms, self._known, person.key
        decision = decision_on(known, key, person.source_hash)
        choice = decision.choice if decision is not None else ""
        if (pending := known.pending.get(key)) is not None:
            return Ruling(unsettled(terms, pending))
        if decision is not None and choice == "ignore":
            return Ruling(terms.say(Code.IGNORED, by=decision.by, reason=decision.reason))
        if (link := known.links.get(key)) is not None:
            return self._linked(link, person)
        if (failure := record_failure(terms, person.record)) is not None:
            return Ruling(failure)
        if not person.record.email:
            return Ruling(terms.say(Code.NO_EMAIL, "", party=PARTY[person.record.kind]))
        if decision is not None and choice == "link" and not self._for_another(decision.argument, person):
            return self._link_to(decision.argument, person)
        if found := [one for one in known.contacts_by_ref.get(person.ref, ()) if self._in_currency(one, person)]:
            judged = judge_contact(terms, self._after_merges(found))
            return Ruling(judged) if isinstance(judged, Outcome) else self._adopt(judged, person, "adopted")
        if choice == "separate":
            return self._create(person)
        return self._match_email(person) or self._share_email(person) or self._create(person)

    def _linked(self, link: Link, person: Person) -> Ruling:
        """A linked contact; one that was merged into another is linked to that one from now on."""
        remote_id = self._known.after_merges(link.remote_id)
        remote = self._known.contacts_by_id.get(remote_id)
        if remote is not None and not remote.active:
            return Ruling(self._terms.say(Code.ARCHIVED_CONTACT, "", remote_id=remote_id))
        outcome = self._terms.say(Code.CREATED if link.how == "created" else Code.ADOPTED)
        if remote is not None and remote_id != link.remote_id:
            moved = replace(link, remote_id=remote_id, facts={**link.facts, "contact_id": remote_id})
            return Ruling(outcome, link=moved)
        if remote is None or not wants_update(self._terms, link, person.source_hash):
            return Ruling(outcome)
        return self._update(link, remote, person)

    def _after_merges(self, found: Sequence[RemoteContact]) -> list[RemoteContact]:
        """These contacts, each as the one that stands for it now."""
        by_id = self._known.contacts_by_id
        now = {(target := self._known.after_merges(one.id)): by_id.get(target, one) for one in found}
        return list(now.values())

    def _update(self, link: Link, remote: RemoteContact, person: Person) -> Ruling:
        """A contact that we made, and that Qualy has otherwise now."""
        terms, known, record = self._terms, self._known, person.record
        decision = decision_on(known, person.key, person.source_hash)
        if decision is not None and decision.choice == "theirs":
            return Ruling(terms.say(Code.ADOPTED))
        if (failure := record_failure(terms, record)) is not None:
            return Ruling(failure)
        if not record.email:
            return Ruling(terms.say(Code.NO_EMAIL, "", party=PARTY[record.kind]))
        name = self._free_name(person, mine=remote)
        if name is None:
            return Ruling(terms.say(Code.DUPLICATE_NAME))
        first, last = _first_last(record)
        wanted = Wanted(name, record.email, first, last, person.source_hash)
        ruling = plan_update(terms, link, person.leg, remote, wanted)
        if ruling.step is None:
            return ruling
        self._claim(person, name)
        return Ruling(hold_back(terms, known, ruling.step), ruling.step)

    def _match_email(self, person: Person) -> Ruling | None:
        """Who in the tool has this email: nobody, exactly one who is alike, or a question for a person."""
        terms, known, email = self._terms, self._known, person.record.email
        sharing = known.shared.get((person.record.kind, email), 0)
        if sharing > 1 and terms.accounting.contacts.on_shared_email == "hold":
            return Ruling(terms.say(Code.SHARED_EMAIL, "", count=sharing))
        everyone = [one for one in known.contacts_by_email.get(email, ()) if self._serves(one, person)]
        active = [contact for contact in everyone if contact.active and not contact.merged_into]
        if len(active) > 1:
            return Ruling(terms.say(Code.AMBIGUOUS_EMAIL, "", count=len(active)))
        if active:
            ours = known.contact_links.get(active[0].id)
            if not ours and names_differ(_name(person.record), active[0].name):
                return Ruling(terms.say(Code.NAME_DIFFERS, "", remote_id=active[0].id))
            return self._adopt(active[0], person, "adopted")
        if everyone and not any(contact.merged_into for contact in everyone):
            return Ruling(terms.say(Code.ARCHIVED_CONTACT, "", remote_id=everyone[0].id))
        return None

    def _serves(self, contact: RemoteContact, person: Person) -> bool:
        """Whether a contact may stand for this person: the kind of record, and the currency, that are needed."""
        kind_fits = not self._terms.ways.separate_parties or contact.party in (Party.ANY, person.party)
        return kind_fits and self._in_currency(contact, person)

    def _in_currency(self, contact: RemoteContact, person: Person) -> bool:
        """One that names no currency is in the base currency."""
        return not person.currency or (contact.currency or self._terms.organisation.base_currency) == person.currency

    def _email_key(self, person: Person) -> str:
        return email_key(self._terms, person.party, person.variant, person.record.email)

    def _claim(self, person: Person, name: str) -> None:
        self._claimed[name_key(name)] = person.key
        self._emails.setdefault(self._email_key(person), person.key)

    def _share_email(self, person: Person) -> Ruling | None:
        """Somebody with this email is about to be created: this one is found there next time, and makes no second."""
        first = self._emails.get(self._email_key(person))
        return Ruling(self._terms.say(Code.WAITING_FOR, leg=first[0], id=first[1])) if first else None

    def _for_another(self, remote_id: str, person: Person) -> bool:
        """Whether the contact that was decided on is for other documents of the same person, and not for these."""
        terms, remote = self._terms, self._known.contacts_by_id.get(remote_id)
        if remote is None or self._serves(remote, person):
            return False
        return any(
            self._serves(
                remote,
                replace(person, party=party_of(terms, person.leg, one), currency=currency_of(terms, one)),
            )
            for one in self._known.variants.get(person.record_key, ())
        )

    def _link_to(self, remote_id: str, person: Person) -> Ruling:
        terms, remote = self._terms, self._known.contacts_by_id.get(remote_id)
        if remote is None:
            return self._cannot_link(remote_id, f"is not in {terms.title}", "that is there")
        if not remote.active:
            return Ruling(terms.say(Code.ARCHIVED_CONTACT, "", remote_id=remote.id))
        if not self._in_currency(remote, person):
            problem = f"is in {remote.currency} for good, and documents in {person.currency} need one"
            return self._cannot_link(remote_id, problem, f"in {person.currency}")
        return self._adopt(remote, person, "decided")

    def _cannot_link(self, remote_id: str, problem: str, which: str) -> Ruling:
        return Ruling(
            self._terms.say(
                Code.NEEDS_DECISION,
                f"link {remote_id}",
                problem=f"The contact {remote_id} that was decided on {problem}.",
                steps=f"Decide link:CONTACT_ID with the id of a contact {which}.",
            )
        )

    def _adopt(self, remote: RemoteContact, person: Person, how: str) -> Ruling:
        link = Link(
            leg=str(person.leg),
            source_id=person.record.id,
            variant=person.variant,
            generation=1,
            remote_id=remote.id,
            ref=person.ref,
            how=how,
            source_hash=person.source_hash,
            content_hash="",
            facts={"contact_id": remote.id},
            settings_version=self._terms.settings.version,
            linked_at=remote.updated_at,
        )
        return Ruling(self._terms.say(Code.ADOPTED), link=link)

    def _create(self, person: Person) -> Ruling:
        record, email = person.record, person.record.email
        identity = identity_of(self._terms, record)
        if isinstance(identity, Outcome):
            return Ruling(identity)
        if (unkept := self._unkept(record)) is not None:
            return Ruling(unkept)
        name = self._free_name(person)
        if name is None:
            return Ruling(self._terms.say(Code.DUPLICATE_NAME))
        self._claim(person, name)
        first, last = _first_last(record)
        step = Step(
            what=What.CONTACT,
            leg=person.leg,
            source_id=record.id,
            ref=person.ref,
            sought=person.ref,
            new=NewContact(
                ref=person.ref,
                name=name,
                email=email,
                first_name=first,
                last_name=last,
                party=person.party,
                currency=person.currency,
                document=identity.document,
                person=identity.person,
                country=identity.country,
            ),
            source_hash=person.source_hash,
            content_hash=fingerprint([email, _name(record), *([person.variant] if person.variant else [])]),
            variant=person.variant,
            facts={"name": name, "email": email},
            batch_keys=frozenset({f"email:{self._email_key(person)}", f"name:{name_key(name)}"}),
        )
        return Ruling(hold_back(self._terms, self._known, step), step)

    def _spelled(self, record: Record) -> str:
        """The name in characters that the organisation keeps, where the settings ask for that."""
        terms, name = self._terms, _name(record)
        latin = terms.organisation.country in terms.ways.latin_1
        return to_latin(name) if latin and terms.accounting.contacts.latin_names == "transliterate" else name

    def _unkept(self, record: Record) -> Outcome | None:
        """A name that the organisation does not keep, and that is not to be, or cannot be, spelled otherwise."""
        terms, name = self._terms, self._spelled(record)
        if terms.organisation.country not in terms.ways.latin_1:
            return None
        if is_latin(name) and (UNKNOWN not in name or UNKNOWN in _name(record)):
            return None
        return terms.say(
            Code.NEEDS_DECISION,
            "latin name",
            problem=f"{terms.title} keeps names in Latin letters alone, and this one has others.",
            steps="Make the contact there by hand and decide link:CONTACT_ID, or set contacts.latin_names:"
            " transliterate, which spells accents and marks (not other scripts).",
        )

    def _free_name(self, person: Person, mine: RemoteContact | None = None) -> str | None:
        """The plain name, or the one with a suffix of the ref; None where both belong to somebody else.

        A second contact of the same person, in another currency, has the currency in its name. A name that the tool
        refused is tried again only when nothing else is left and its holder is gone. `mine`: the contact that has the
        name already, so that it is free for it.
        """
        record, key = person.record, person.key
        endings = list(spellings(self._terms, record, person.variant))[-1 if self._is_second(person) else 0]
        names = [self._terms.contact_name(self._spelled(record), record.email, ending) for ending in endings]
        frozen = self._known.frozen.get(key)
        if frozen is not None and frozen.values.get("name") in names:
            names.sort(key=lambda name: name != frozen.values["name"])
        refused = self._known.refused_names.get(key, frozenset())
        free = [name for name in names if not self._taken(name, key, mine)]
        return next((name for name in free if name not in refused), free[0] if len(free) == len(names) else None)

    def _is_second(self, person: Person) -> bool:
        """Whether another contact of this person has the plain name, or is about to."""
        known, record = self._known, person.record_key
        plain = name_key(self._terms.contact_name(self._spelled(person.record), person.record.email, ""))
        others = [(*record, one) for one in known.variants.get(record, ()) if one != person.variant]
        ours = {known.links[key].remote_id for key in others if key in known.links}
        if any(contact.id in ours for contact in known.contacts_by_name.get(plain, ())):
            return True
        sent = [known.frozen[key].values for key in others if key in known.pending and key in known.frozen]
        if any(name_key(str(values.get("name", ""))) == plain for values in sent):
            return True
        claimed = self._claimed.get(plain)
        return claimed is not None and claimed != person.key and record_of(claimed) == record

    def _taken(self, name: str, key: Key, mine: RemoteContact | None) -> bool:
        claimed = self._claimed.get(name_key(name))
        if claimed is not None and claimed != key:
            return True
        holders = self._known.contacts_by_name.get(name_key(name), ())
        return any(contact.active and (mine is None or contact.id != mine.id) for contact in holders)


def names_differ(ours: str, theirs: str) -> bool:
    """Clearly different: no word in common, and not alike as a whole (accents, case and order aside)."""
    a, b = _words(ours), _words(theirs)
    if not a or not b or set(a) & set(b):
        return False
    return difflib.SequenceMatcher(None, " ".join(sorted(a)), " ".join(sorted(b))).ratio() < CLEARLY_DIFFERENT


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return "".join(character if character.isalnum() else " " for character in plain).split()


def _name(record: Record) -> str:
    if isinstance(record.noun, Customer):
        return record.noun.name
    if isinstance(record.noun, Partner):
        return (record.noun.legal_name or record.noun.name).strip()
    return ""


def _first_last(record: Record) -> tuple[str, str]:
    if isinstance(record.noun, Customer):
        profile = record.noun.profile
        return (profile.first_name or "").strip(), (profile.last_name or "").strip()
    return "", ""


def _source_hash(record: Record) -> str:
    return fingerprint([record.email, _name(record), record.problem, [failure.rule for failure in record.failures]])


def emails_and_names(
    terms: Terms, records: Mapping[str, Record], variants: Mapping[Key, Collection[str]]
) -> tuple[set[str], set[str]]:
    """What the mirror has to be asked for, so that these records, with these variants, can be planned."""
    emails = {record.email for record in records.values() if record.email}
    names: set[str] = set()
    for record in records.values():
        for variant in variants.get((str(LEG_OF_PERSON[record.kind]), record.id)) or [""]:
            for ending in (one for some in spellings(terms, record, variant) for one in some):
                names.add(name_key(terms.contact_name(_name(record), record.email, ending)))
    return emails, names
