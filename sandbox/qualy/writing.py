"""Contacts that a client creates and updates. Qualy's pages show no such call: each form of it is a reading."""

from __future__ import annotations

from typing import Any

from sandbox.qualy.access import Refused, forbid
from sandbox.qualy.changes import Changes
from sandbox.qualy.reader import Reader

MADE_BY_QUALY = ("_id", "number", "createdAt", "updatedAt")
LISTS = ("tags", "owners", "teams")

Json = dict[str, Any]


class ContactWriter:
    """Writes for one key, under the readings in force. Raises Refused."""

    def __init__(self, reader: Reader, changes: Changes) -> None:
        self._reader = reader
        self._changes = changes

    def create(self, given: Any) -> Json:
        """A new contact; ``Idempotency-Key`` means nothing here, since Qualy does not list contacts for it."""
        self._allow("create")
        body = self._checked(given, {})
        return self._changes.write_contact(self._reader.key.tenant, body, None)

    def update(self, object_id: str, given: Any) -> Json:
        """Write an existing contact; what happens to what is not named is the reading ``contact_update_effect``."""
        self._allow("edit")
        before = self._reader.shelves.get(self._reader.shelves.shelf(self._reader.key.tenant, "contacts"), object_id)
        if before is None:
            raise Refused(404, f"No object {object_id} among the contacts")
        body = self._checked(given, before)
        kept = {name: before[name] for name in MADE_BY_QUALY if name in before}
        effect = self._reader.readings.contact_update_effect
        after = body if effect == "replace" else _deep(before, body) if effect == "deep" else before | body
        return self._changes.write_contact(self._reader.key.tenant, after | kept, object_id)

    def _allow(self, action: str) -> None:
        if not self._reader.key.sees_all:
            raise forbid(f"contacts:{action}:all")

    def _checked(self, given: Any, before: Json) -> Json:
        """Raises Refused (400 with every problem as a list of messages, or 409)."""
        if not isinstance(given, dict):
            raise Refused(400, "the body must be an object", error="Bad Request")
        problems = [f"property {name} should not exist" for name in MADE_BY_QUALY if name in given and not before]
        email = given.get("email")
        if "email" in given and not (isinstance(email, str) and email.count("@") == 1):
            problems.append("email must be an email")
        if not before and "email" not in given and self._reader.readings.email_required:
            problems.append("email should not be empty")
        if not isinstance(given.get("profile", {}), dict):
            problems.append("profile must be an object")
        problems += [f"{name} must be an array" for name in LISTS if not isinstance(given.get(name, []), list)]
        if problems:
            raise Refused(400, problems, error="Bad Request")
        if self._reader.readings.unique_email and isinstance(email, str):
            self._refuse_taken(email, before)
        return {name: value for name, value in given.items() if name not in MADE_BY_QUALY}

    def _refuse_taken(self, email: str, before: Json) -> None:
        wanted = email.strip().lower()
        shelf = self._reader.shelves.shelf(self._reader.key.tenant, "contacts")
        for other in self._reader.shelves.all(shelf):
            if other["_id"] != before.get("_id") and str(other.get("email", "")).strip().lower() == wanted:
                raise Refused(409, "A contact with this email exists already", error="Conflict")


def _deep(before: Json, given: Json) -> Json:
    merged = dict(before)
    for name, value in given.items():
        inside = merged.get(name)
        merged[name] = _deep(inside, value) if isinstance(inside, dict) and isinstance(value, dict) else value
    return merged
