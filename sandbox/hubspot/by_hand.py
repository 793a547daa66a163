"""What a person does in HubSpot's own pages, for tests: the same rules, and a few powers that the API lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.hubspot.answers import Refused
from sandbox.hubspot.contacts import Contacts
from sandbox.hubspot.hooks import Source, person
from sandbox.hubspot.moments import stamp
from sandbox.hubspot.records import Contact
from sandbox.hubspot.render import record
from sandbox.hubspot.values import normal_email

RULE = {"min_length", "max_length", "regex"}

Json = dict[str, Any]


class ByHand:
    """``POST /control/ui/hubspot`` with ``{"do": ..., ...}``; contacts by id or by email."""

    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts
        self._definitions = contacts.definitions
        self._actions: dict[str, Callable[[Json, Source], Any]] = {
            "create_contact": self._create,
            "edit_contact": self._edit,
            "archive_contact": self._archive,
            "restore_contact": self._restore,
            "merge_contacts": self._merge,
            "gdpr_delete": self._gdpr_delete,
            "add_email": self._add_email,
            "remove_email": self._remove_email,
            "create_group": lambda given, _: self._definitions.create_group(_object(given, "fields")),
            "create_property": lambda given, _: self._definitions.create_property(_object(given, "fields")),
            "edit_property": self._edit_property,
            "archive_property": self._archive_property,
            "restore_property": lambda given, _: self._definitions.restore_property(str(given.get("property"))),
            "validation_rule": self._validation_rule,
            "create_owner": self._create_owner,
            "archive_owner": lambda given, _: self._archive_owner(str(given.get("owner")), True),
            "restore_owner": lambda given, _: self._archive_owner(str(given.get("owner")), False),
        }

    def do(self, given: Json) -> Any:
        """Do one thing as user ``user`` (1). Raises ValueError with HubSpot's messages, or with the known actions."""
        action = self._actions.get(str(given.get("do")))
        if action is None:
            raise ValueError(f"do is one of: {', '.join(self._actions)}")
        try:
            with self._contacts.records.store.transaction():
                self._contacts.settle()
                return action(given, person(int(given.get("user", 1))))
        except Refused as refused:
            self._definitions.forget_cached()
            raise ValueError(refused.message) from refused

    def _create(self, given: Json, source: Source) -> Json:
        properties = _object(given, "properties")
        self._refuse_blocked(str(properties.get("email", "")))
        return self._shown(self._contacts.create(properties, source))

    def _edit(self, given: Json, source: Source) -> Json:
        properties = _object(given, "properties")
        contact = self._contact(given, "contact")
        self._refuse_blocked(str(properties.get("email", "")))
        return self._shown(self._contacts.update(contact, properties, source))

    def _archive(self, given: Json, source: Source) -> Json:
        contact = self._contact(given, "contact")
        self._contacts.archive(contact, source)
        return self._shown(self._kept(contact.id))

    def _restore(self, given: Json, source: Source) -> Json:
        return self._shown(self._contacts.restore(self._contact(given, "contact", archived=True), source))

    def _merge(self, given: Json, source: Source) -> Json:
        """``into`` is the primary record, ``from`` the other."""
        primary, other = self._contact(given, "into"), self._contact(given, "from")
        return self._shown(self._contacts.merge(primary, other, source))

    def _gdpr_delete(self, given: Json, source: Source) -> Json:
        contact = self._contact(given, "contact", archived=None)
        self._contacts.delete_for_good(contact, source)
        return {"deleted": str(contact.id)}

    def _add_email(self, given: Json, _: Source) -> Json:
        return self._shown(self._contacts.add_secondary(self._contact(given, "contact"), str(given.get("email", ""))))

    def _remove_email(self, given: Json, _: Source) -> Json:
        return self._shown(
            self._contacts.remove_secondary(self._contact(given, "contact"), str(given.get("email", "")))
        )

    def _edit_property(self, given: Json, _: Source) -> Json:
        return self._definitions.update_property(str(given.get("property")), _object(given, "fields"))

    def _archive_property(self, given: Json, _: Source) -> Json:
        self._definitions.archive_property(str(given.get("property")))
        return {"archived": given.get("property")}

    def _validation_rule(self, given: Json, _: Source) -> Json:
        """A rule of the account's own for the values of a property; it holds for writes by the API too."""
        name, rule = str(given.get("property")), _object(given, "rule")
        if self._definitions.property(name) is None or set(rule) - RULE:
            raise ValueError(f"validation_rule takes a property, and a rule of {', '.join(sorted(RULE))}.")
        return self._definitions.put("rules", {"name": name} | rule)

    def _create_owner(self, given: Json, _: Source) -> Json:
        fields = _object(given, "fields")
        number = 1 + max((int(one["id"]) for one in self._definitions.all("owners")), default=900)
        return self._definitions.put("owners", owner(number, self._contacts.records.now(), **fields), "id")

    def _archive_owner(self, id_: str, archived: bool) -> Json:
        found = self._definitions.get("owners", id_)
        if found is None:
            raise ValueError(f"There is no owner {id_}.")
        user = None if archived else found["userIdIncludingInactive"]
        changed = found | {"archived": archived, "userId": user}
        return self._definitions.put("owners", changed, "id")

    def _refuse_blocked(self, email: str) -> None:
        if normal_email(email) in self._contacts.records.blocked():
            raise ValueError(f"{normal_email(email)} was permanently deleted and cannot be added here.")

    def _contact(self, given: Json, key: str, archived: bool | None = False) -> Contact:
        reference = str(given.get(key, ""))
        found = self._contacts.find(reference) or self._contacts.find(reference, "email")
        if found is None or (archived is not None and (found.archived_at is not None) != archived):
            raise ValueError(f"There is no such contact {reference!r}; give its id or email.")
        return found

    def _kept(self, id_: int) -> Contact:
        found = self._contacts.records.get(id_)
        if found is None:
            raise ValueError(f"There is no contact {id_}.")
        return found

    def _shown(self, contact: Contact) -> Json:
        return record(contact, self._contacts.shown(contact), dated=False)


def owner(number: int, now: int, **fields: Any) -> Json:
    """An owner as the API returns it."""
    return {
        "id": str(number),
        "email": "",
        "firstName": "",
        "lastName": "",
        "type": "PERSON",
        "userId": number + 5_000,
        "userIdIncludingInactive": number + 5_000,
        "createdAt": stamp(now),
        "updatedAt": stamp(now),
        "archived": False,
        "teams": [],
    } | fields


def _object(given: Json, key: str) -> Json:
    found = given.get(key)
    if not isinstance(found, dict):
        raise ValueError(f"{key} is an object, named as the API names its fields.")
    return found
