"""The contact and supplier legs: who is who in the tool. Pure.

Ladder: the link, then our ref in the tool, then the email (exactly one active contact), then a new contact. Once
linked, the link is by id: a later change of email makes no second contact.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping

from qualy_sync.contracts.accounting import NewContact, RemoteContact, What
from qualy_sync.ledger.attempts import Link
from qualy_sync.ledger.mirror import name_key
from qualy_sync.ledger.slices import Record
from qualy_sync.model import Customer, Kind, Leg, Partner
from qualy_sync.outcomes import Code, Outcome

from .refs import make_ref
from .values import PARTY, Key, Known, Planned, Step, Terms, fingerprint, hold_back, record_failure

CLEARLY_DIFFERENT = 0.5


class ContactPlanner:
    """Plans contacts one by one; remembers what this run has claimed, so that two new ones never share a name."""

    def __init__(self, terms: Terms, known: Known) -> None:
        self._terms = terms
        self._known = known
        self._claimed: dict[str, Key] = {}

    def plan(self, record: Record, leg: Leg, owner: str) -> Planned:
        """What becomes of a customer's contact or a partner's supplier that a document needs."""
        source_hash = _source_hash(record)
        outcome, step, link = self._decide(record, leg, source_hash)
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
            outcome=outcome,
            step=step,
            link=link,
            retry_at=pending.until if (pending := self._known.pending.get((str(leg), record.id))) else None,
        )

    def _decide(self, record: Record, leg: Leg, source_hash: str) -> tuple[Outcome | None, Step | None, Link | None]:
        terms, known, key = self._terms, self._known, (str(leg), record.id)
        decision = known.decisions.get(key)
        if decision is not None and decision.choice == "ignore" and decision.source_hash == source_hash:
            return terms.say(Code.IGNORED, by=decision.by, reason=decision.reason), None, None
        if (link := known.links.get(key)) is not None:
            return self._linked(link), None, None
        if (pending := known.pending.get(key)) is not None:
            return terms.say(Code.UNKNOWN, until=f"{pending.until:%Y-%m-%d %H:%M} UTC"), None, None
        if (failure := record_failure(terms, record)) is not None:
            return failure, None, None
        email = record.email
        if not email:
            return terms.say(Code.NO_EMAIL, "", party=PARTY[record.kind]), None, None
        chosen = decision if decision is not None and decision.source_hash == source_hash else None
        if chosen is not None and chosen.choice == "link":
            return self._link_to(chosen.argument, record, leg, source_hash, "decided")
        ref = make_ref(leg, record.id)
        if (found := known.contacts_by_ref.get(ref, ())) and (chosen is None or chosen.choice != "separate"):
            return self._found_by_ref(found, record, leg, source_hash)
        if chosen is None or chosen.choice != "separate":
            matched = self._match_email(record, leg, source_hash, email)
            if matched is not None:
                return matched
        return self._create(record, leg, source_hash, ref, email)

    def _linked(self, link: Link) -> Outcome:
        remote = self._known.contacts_by_id.get(link.remote_id)
        if remote is not None and not remote.active:
            return self._terms.say(Code.ARCHIVED_CONTACT, "", remote_id=link.remote_id)
        return self._terms.say(Code.CREATED if link.how == "created" else Code.ADOPTED)

    def _found_by_ref(
        self, found: tuple[RemoteContact, ...], record: Record, leg: Leg, source_hash: str
    ) -> tuple[Outcome | None, Step | None, Link | None]:
        if len(found) > 1:
            ids = ", ".join(sorted(contact.id for contact in found))
            return self._terms.say(Code.DUPLICATE_THERE, "", count=len(found), remote_ids=ids), None, None
        if not found[0].active:
            return self._terms.say(Code.ARCHIVED_CONTACT, "", remote_id=found[0].id), None, None
        return self._adopt(found[0], record, leg, source_hash, "adopted")

    def _match_email(
        self, record: Record, leg: Leg, source_hash: str, email: str
    ) -> tuple[Outcome | None, Step | None, Link | None] | None:
        terms, known = self._terms, self._known
        sharing = known.shared.get((record.kind, email), 0)
        if sharing > 1 and terms.accounting.contacts.on_shared_email == "hold":
            return terms.say(Code.SHARED_EMAIL, "", count=sharing), None, None
        everyone = known.contacts_by_email.get(email, ())
        active = [contact for contact in everyone if contact.active and not contact.merged_into]
        if len(active) > 1:
            return terms.say(Code.AMBIGUOUS_EMAIL, "", count=len(active)), None, None
        if active:
            ours = known.contact_links.get(active[0].id)
            if not ours and names_differ(_name(record), active[0].name):
                return terms.say(Code.NAME_DIFFERS, "", remote_id=active[0].id), None, None
            return self._adopt(active[0], record, leg, source_hash, "adopted")
        if everyone and not any(contact.merged_into for contact in everyone):
            return terms.say(Code.ARCHIVED_CONTACT, "", remote_id=everyone[0].id), None, None
        return None

    def _link_to(
        self, remote_id: str, record: Record, leg: Leg, source_hash: str, how: str
    ) -> tuple[Outcome | None, Step | None, Link | None]:
        remote = self._known.contacts_by_id.get(remote_id)
        if remote is None:
            return (
                self._terms.say(
                    Code.NEEDS_DECISION,
                    f"link {remote_id}",
                    problem=f"The contact {remote_id} that was decided on is not in {self._terms.title}.",
                    steps="Decide link:CONTACT_ID with the id of a contact that is there.",
                ),
                None,
                None,
            )
        if not remote.active:
            return self._terms.say(Code.ARCHIVED_CONTACT, "", remote_id=remote.id), None, None
        return self._adopt(remote, record, leg, source_hash, how)

    def _adopt(
        self, remote: RemoteContact, record: Record, leg: Leg, source_hash: str, how: str
    ) -> tuple[Outcome, None, Link]:
        link = Link(
            leg=str(leg),
            source_id=record.id,
            variant="",
            generation=1,
            remote_id=remote.id,
            ref=make_ref(leg, record.id),
            how=how,
            source_hash=source_hash,
            content_hash="",
            facts={"contact_id": remote.id},
            settings_version=self._terms.settings.version,
            linked_at=remote.updated_at,
        )
        return self._terms.say(Code.ADOPTED), None, link

    def _create(
        self, record: Record, leg: Leg, source_hash: str, ref: str, email: str
    ) -> tuple[Outcome | None, Step | None, None]:
        terms, key = self._terms, (str(leg), record.id)
        name = self._free_name(record, key, email, ref)
        if name is None:
            return terms.say(Code.DUPLICATE_NAME), None, None
        self._claimed[name_key(name)] = key
        first, last = _first_last(record)
        new = NewContact(ref=ref, name=name, email=email, first_name=first, last_name=last)
        step = Step(
            what=What.CONTACT,
            leg=leg,
            source_id=record.id,
            ref=ref,
            sought=ref,
            new=new,
            source_hash=source_hash,
            content_hash=fingerprint([email, _name(record)]),
            facts={"name": name},
            batch_keys=frozenset({f"email:{email}", f"name:{name_key(name)}"}),
        )
        return hold_back(terms, self._known, step), step, None

    def _free_name(self, record: Record, key: Key, email: str, ref: str) -> str | None:
        """The plain name, or the one with a suffix of the ref; None where both belong to somebody else.

        A name that the tool refused is tried again only when nothing else is left and its holder is gone.
        """
        names = [self._terms.contact_name(_name(record), email, suffix) for suffix in ("", f"({ref[-6:]})")]
        frozen = self._known.frozen.get(key)
        if frozen is not None and frozen.values.get("name") in names:
            names.sort(key=lambda name: name != frozen.values["name"])
        refused = self._known.refused_names.get(key, frozenset())
        free = [name for name in names if not self._taken(name, key)]
        return next((name for name in free if name not in refused), free[0] if len(free) == len(names) else None)

    def _taken(self, name: str, key: Key) -> bool:
        claimed = self._claimed.get(name_key(name))
        if claimed is not None and claimed != key:
            return True
        return any(contact.active for contact in self._known.contacts_by_name.get(name_key(name), ()))


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


def emails_and_names(terms: Terms, records: Mapping[str, Record]) -> tuple[set[str], set[str]]:
    """What the mirror has to be asked for, so that these records can be planned."""
    emails = {record.email for record in records.values() if record.email}
    names: set[str] = set()
    for record in records.values():
        leg = Leg.CONTACT if record.kind is Kind.CUSTOMER else Leg.SUPPLIER
        for suffix in ("", f"({make_ref(leg, record.id)[-6:]})"):
            names.add(name_key(terms.contact_name(_name(record), record.email, suffix)))
    return emails, names
