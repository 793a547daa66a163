"""Records, pages and batches as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.hubspot.access import PORTAL_ID
from sandbox.hubspot.contacts import Contacts
from sandbox.hubspot.moments import stamp
from sandbox.hubspot.records import Contact

ALWAYS = ("createdate", "hs_object_id", "lastmodifieddate")
BY_DEFAULT = ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname")
AFTER_A_WRITE = (
    "createdate", "hs_all_contact_vids", "hs_email_domain", "hs_is_contact", "hs_is_unworked", "hs_object_id",
    "hs_pipeline", "lastmodifieddate",
)  # fmt: skip

Json = dict[str, Any]


def asked_for(contacts: Contacts, values: dict[str, str], wanted: Sequence[str] | None) -> dict[str, str | None]:
    """The properties of an answer: what is not set is null, what is not defined is left out."""
    names = BY_DEFAULT if wanted is None else (*ALWAYS, *(one.lower() for one in wanted))
    defined = [name for name in dict.fromkeys(names) if contacts.definitions.property(name) is not None]
    return {name: values.get(name) for name in sorted(defined)}


def read_record(
    contacts: Contacts,
    contact: Contact,
    wanted: Sequence[str] | None,
    history: Sequence[str] | None = None,
    *,
    dated: bool = False,
) -> Json:
    """A record as reads show it."""
    shown = record(contact, asked_for(contacts, contacts.shown(contact), wanted), dated)
    if history is not None:
        shown["propertiesWithHistory"] = {
            name: contact.history.get(name, []) for name in history if contacts.definitions.property(name)
        }
    return shown


def written_record(contacts: Contacts, contact: Contact, named: Sequence[str], *, dated: bool = False) -> Json:
    """A record as writes show it: what was written, and what HubSpot adds by itself."""
    values = contacts.shown(contact)
    names = [*AFTER_A_WRITE, *named]
    return record(contact, {name: values[name] for name in sorted(set(names)) if name in values}, dated)


def record(contact: Contact, values: dict[str, Any], dated: bool) -> Json:
    """The envelope of one record."""
    shown: Json = {
        "id": str(contact.id),
        "properties": values,
        "createdAt": stamp(contact.created),
        "updatedAt": stamp(contact.updated),
        "archived": contact.archived_at is not None,
    }
    if contact.archived_at is not None:
        shown["archivedAt"] = stamp(contact.archived_at)
    if dated:
        shown["url"] = f"https://app.hubspot.com/contacts/{PORTAL_ID}/record/0-1/{contact.id}"
    return shown


def page(results: list[Json], after: str | None, path: str) -> Json:
    """A page, with the way to the next one."""
    shown: Json = {"results": results}
    if after is not None:
        shown["paging"] = {"next": {"after": after, "link": f"https://api.hubapi.com{path}?after={after}"}}
    return shown


def batch(results: list[Json], errors: list[Json], now: int) -> Json:
    """The envelope of a batch."""
    shown: Json = {"status": "COMPLETE", "results": results}
    if errors:
        shown |= {"numErrors": len(errors), "errors": errors}
    return shown | {"startedAt": stamp(now), "completedAt": stamp(now)}
