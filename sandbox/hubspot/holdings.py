"""Everything that the account holds, out and in."""

from __future__ import annotations

from typing import Any

from sandbox.hubspot.answers import Refused
from sandbox.hubspot.contacts import Contacts
from sandbox.hubspot.definitions import NAME
from sandbox.hubspot.moments import moment_of
from sandbox.hubspot.records import Contact
from sandbox.hubspot.render import record
from sandbox.hubspot.values import acceptable_email, normal_email

KINDS = ("contacts", "properties", "groups", "owners", "blocked_emails")
EVERYTHING = 2**31

Json = dict[str, Any]


def state(contacts: Contacts) -> Json:
    """Contacts with all their properties, archived ones too; definitions; owners; the block list."""
    with contacts.records.store.transaction():
        contacts.settle()
    kept = [one for archived in (False, True) for one in contacts.records.page(archived, 0, EVERYTHING)]
    return {
        "contacts": [record(one, contacts.shown(one), dated=False) for one in kept],
        **{kind: contacts.definitions.all(kind) for kind in ("properties", "groups", "owners")},
        "blocked_emails": contacts.records.blocked(),
    }


def load(contacts: Contacts, objects: Json) -> dict[str, int]:
    """Replace the kinds that are given; the others stay. ValueError says what is wrong, and then nothing changed."""
    unknown = set(objects) - set(KINDS)
    if unknown:
        raise ValueError(f"HubSpot's stand-in holds {', '.join(KINDS)}, but no {', '.join(sorted(unknown))}.")
    try:
        with contacts.records.store.transaction():
            _load_definitions(contacts, objects)
            if "contacts" in objects:
                contacts.records.clear()
                for one in objects["contacts"]:
                    contacts.keep_as_given(_contact(contacts, one))
            if "blocked_emails" in objects:
                contacts.records.unblock_all()
            for email in objects.get("blocked_emails", []):
                contacts.records.block(normal_email(email))
    except Refused as refused:
        contacts.definitions.forget_cached()
        raise ValueError(refused.message) from refused
    except BaseException:
        contacts.definitions.forget_cached()
        raise
    return {kind: len(objects[kind]) for kind in objects}


def _load_definitions(contacts: Contacts, objects: Json) -> None:
    """Custom properties and groups; what HubSpot itself defines is always there."""
    definitions = contacts.definitions
    if "groups" in objects or "properties" in objects:
        wanted = {kind: objects.get(kind, definitions.all(kind)) for kind in ("groups", "properties")}
        definitions.reset()
        for one in wanted["groups"]:
            if definitions.get("groups", one["name"]) is None:
                definitions.create_group(one)
        for one in wanted["properties"]:
            if not NAME.fullmatch(str(one.get("name"))) or definitions.get("properties", one["name"]) is not None:
                continue
            made = definitions.create_property(one)
            kept = {name: one[name] for name in ("createdAt", "updatedAt", "archived", "archivedAt") if name in one}
            definitions.put("properties", made | kept)
    if "owners" in objects:
        definitions.clear("owners")
        for one in objects["owners"]:
            definitions.put("owners", one, "id")


def _contact(contacts: Contacts, given: Json) -> Contact:
    """A record as the API returns it; without ``id`` and moments it gets them."""
    properties = {
        name: str(value) for name, value in (given.get("properties") or {}).items() if value not in (None, "")
    }
    if "email" in properties:
        properties["email"] = normal_email(properties["email"])
        if not acceptable_email(properties["email"]):
            raise ValueError(f"{properties['email']} is no email address.")
    for name in properties:
        if contacts.definitions.property(name) is None:
            raise ValueError(f"There is no property {name}; load it, or create it before.")
    records = contacts.records
    id_ = int(given["id"]) if "id" in given else records.new_id()
    records.reserve(id_)
    now = records.now()
    created = moment_of(str(given.get("createdAt", ""))) or now
    merged = [int(one) for one in properties.get("hs_merged_object_ids", "").split(";") if one]
    for old in merged:
        records.lead(old, id_)
    values = {name: value for name, value in properties.items() if _set_by_people(contacts, name)}
    start = {"timestamp": given.get("createdAt"), "sourceType": "IMPORT", "sourceId": "load"}
    return Contact(
        id_,
        created,
        moment_of(str(given.get("updatedAt", ""))) or created,
        values,
        {name: [start | {"value": value}] for name, value in values.items()} if given.get("createdAt") else {},
        [email for email in properties.get("hs_additional_emails", "").split(";") if email],
        merged,
        (moment_of(str(given.get("archivedAt", ""))) or now) if given.get("archived") else None,
    )


def _set_by_people(contacts: Contacts, name: str) -> bool:
    definition = contacts.definitions.property(name) or {}
    return not definition["modificationMetadata"]["readOnlyValue"]
