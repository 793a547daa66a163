"""What a change in Qualy changes of a contact that we made. Pure.

Off by default (`contacts.update`). Only contacts that we created, only what `contacts.overwrite` names, and nothing
that somebody changed in the tool since: that is `changed_there`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from qualy_sync.contracts.accounting import Ability, Change, NewContact, Party, RemoteContact, Verb, What
from qualy_sync.ledger.attempts import Link
from qualy_sync.ledger.mirror import name_key
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code, Outcome

from .values import Ruling, Step, Terms, fingerprint


@dataclass(frozen=True, slots=True)
class Wanted:
    """A contact as Qualy has it now; `name` is one that is free for it."""

    name: str
    email: str
    first_name: str
    last_name: str
    source_hash: str


def email_key(terms: Terms, party: Party, variant: str, email: str) -> str:
    """What no two contacts may share that are made at once: an email, of each kind and currency that are kept apart."""
    apart = [str(party)] if terms.ways.separate_parties else []
    return ":".join([*apart, *([variant] if variant else []), email])


def wants_update(terms: Terms, link: Link, source_hash: str) -> bool:
    """Whether a linked contact may have to be changed at all."""
    contacts = terms.accounting.contacts
    ours = link.how == "created" and link.source_hash != source_hash
    return ours and contacts.update and bool(contacts.overwrite) and terms.can(Ability.CHANGE_CONTACT)


def plan_update(terms: Terms, link: Link, leg: Leg, remote: RemoteContact, wanted: Wanted) -> Ruling:
    """The change; or, where the tool has it so already, the link that says so; or what somebody else changed."""
    overwrite = terms.accounting.contacts.overwrite
    name = wanted.name if "name" in overwrite else remote.name
    email = wanted.email if "email" in overwrite else remote.email
    facts = dict(link.facts) | {"name": name, "email": email}
    if (name_key(name), email) == (name_key(remote.name), remote.email):
        kept = replace(link, source_hash=wanted.source_hash, facts=facts)
        return Ruling(terms.say(Code.CREATED), link=kept)
    if (changed := _changed_there(terms, link.facts, remote, overwrite)) is not None:
        return Ruling(changed)
    first, last = (wanted.first_name, wanted.last_name) if "name" in overwrite else ("", "")
    new = NewContact(ref=link.ref, name=name, email=email, first_name=first, last_name=last, party=remote.party)
    step = Step(
        what=What.CONTACT,
        leg=leg,
        source_id=link.source_id,
        ref=link.ref,
        sought=link.ref,
        new=Change(link.ref, remote, new),
        source_hash=wanted.source_hash,
        content_hash=fingerprint(["change", name, email]),
        variant=link.variant,
        generation=link.generation,
        seen={"remote_id": remote.id, "version": remote.version, "name": remote.name, "email": remote.email},
        facts=facts,
        verb=Verb.CHANGE,
        batch_keys=frozenset(
            {f"email:{email_key(terms, remote.party, link.variant, email)}", f"name:{name_key(name)}"}
        ),
    )
    return Ruling(step=step)


def _changed_there(
    terms: Terms, agreed: Mapping[str, Any], remote: RemoteContact, overwrite: tuple[str, ...]
) -> Outcome | None:
    """Whether somebody changed in the tool what we would overwrite."""
    for field, there in (("name", name_key(remote.name)), ("email", remote.email)):
        ours = agreed.get(field)
        if field in overwrite and isinstance(ours, str) and (name_key(ours) if field == "name" else ours) != there:
            # People's names and addresses stay out of outcomes: which field it is, is enough.
            problem = f"its {field} is not what we wrote, and Qualy has another one now"
            return terms.say(Code.CHANGED_THERE, "", problem=problem, remote_id=remote.id)
    return None
