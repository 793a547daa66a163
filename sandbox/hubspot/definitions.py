"""Properties, their groups, and owners: what the account has defined, kept as JSON documents by name."""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.clock import Clock
from sandbox.hubspot import standard
from sandbox.hubspot.answers import Refused, invalid, not_found
from sandbox.hubspot.moments import stamp
from sandbox.store import Store

MOST_UNIQUE = 10
NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
FIELD_TYPES = {
    "string": ("text", "textarea", "file"),
    "number": ("number",),
    "date": ("date",),
    "datetime": ("date",),
    "enumeration": ("select", "radio", "checkbox", "booleancheckbox"),
    "bool": ("booleancheckbox",),
}
REQUIRED = ("name", "label", "groupName", "type", "fieldType")
CHANGEABLE = (
    "label", "description", "groupName", "type", "fieldType", "options", "displayOrder", "hidden", "formField",
)  # fmt: skip
_SCHEMA = """
CREATE TABLE IF NOT EXISTS hubspot_definitions (
    kind TEXT NOT NULL, name TEXT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;
"""

Json = dict[str, Any]


class Definitions:
    """Everything that is defined for contacts. Custom properties begin with none."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._cached: dict[str, dict[str, Json]] = {}
        with store.lock:
            store.connection.executescript(_SCHEMA)
        if not self.all("groups"):
            self.reset()

    def reset(self) -> None:
        """Only what every account has."""
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM hubspot_definitions WHERE kind IN ('groups', 'properties', 'rules')")
            self._cached.clear()
            for number, (name, label) in enumerate(standard.GROUPS.items()):
                self.put("groups", {"name": name, "label": label, "displayOrder": number, "archived": False})
            for definition in standard.properties():
                self.put("properties", definition)

    def all(self, kind: str) -> list[Json]:
        """Every document of ``properties``, ``groups``, ``owners`` or ``rules``."""
        return [dict(doc) for doc in self._of(kind).values()]

    def get(self, kind: str, name: str) -> Json | None:
        """One document."""
        found = self._of(kind).get(name)
        return None if found is None else dict(found)

    def put(self, kind: str, doc: Json, key: str = "name") -> Json:
        """Keep one."""
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO hubspot_definitions (kind, name, doc) VALUES (?, ?, ?)",
                (kind, doc[key], json.dumps(doc, ensure_ascii=False)),
            )
        self._cached.pop(kind, None)
        return doc

    def clear(self, kind: str) -> None:
        """Forget all of a kind."""
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM hubspot_definitions WHERE kind = ?", (kind,))
        self._cached.pop(kind, None)

    def forget_cached(self) -> None:
        """A transaction was rolled back: what was read in it may never have been."""
        self._cached.clear()

    def property(self, name: str) -> Json | None:
        """A property that is in use; None for an unknown or archived one."""
        found = self._of("properties").get(name)
        return None if found is None or found["archived"] else found

    def unique_names(self) -> list[str]:
        """The custom properties whose values are unique."""
        return [p["name"] for p in self._of("properties").values() if p["hasUniqueValue"] and not p["hubspotDefined"]]

    def create_property(self, given: Json) -> Json:
        """A custom property. Raises Refused: 400, or 409 where there is one of that name."""
        for name in REQUIRED:
            if not isinstance(given.get(name), str) or not given[name]:
                raise invalid(f"Invalid input JSON: the required field '{name}' is missing")
        name = given["name"]
        if not NAME.fullmatch(name):
            raise invalid(f"Property name {name} has to begin with a letter and have only a-z, 0-9 and _")
        if self.property(name) is not None:
            raise Refused(409, "CONFLICT", f"A property named '{name}' already exists.")
        doc = self._checked({"options": [], "description": "", "displayOrder": -1, "hidden": False} | given)
        unique = bool(given.get("hasUniqueValue", False))
        if unique and len(self.unique_names()) >= MOST_UNIQUE:
            raise invalid(f"There can be at most {MOST_UNIQUE} unique properties for CONTACT")
        now = self._now()
        defined = {field: doc[field] for field in (*CHANGEABLE, "name") if field in doc}
        return self.put(
            "properties",
            defined
            | {
                "formField": bool(given.get("formField", False)),
                "hasUniqueValue": unique,
                "calculated": False,
                "externalOptions": False,
                "hubspotDefined": False,
                "archived": False,
                "createdAt": now,
                "updatedAt": now,
                "modificationMetadata": {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False},
            },
        )

    def update_property(self, name: str, given: Json) -> Json:
        """Change a definition. The unique flag is set at creation only. Raises Refused."""
        doc = self.property(name)
        if doc is None:
            raise not_found(f"Property {name} does not exist")
        if doc["modificationMetadata"]["readOnlyDefinition"]:
            raise invalid(f"Property {name} is defined by HubSpot and cannot be changed")
        changes = {field: value for field, value in given.items() if field in CHANGEABLE}
        return self.put("properties", self._checked(doc | changes) | {"updatedAt": self._now()})

    def archive_property(self, name: str) -> None:
        """Archive one; the values stay, unseen. Archived already: nothing happens. Raises Refused."""
        doc = self.get("properties", name)
        if doc is None:
            raise not_found(f"Property {name} does not exist")
        if not doc["modificationMetadata"]["archivable"]:
            raise invalid(f"Property {name} is defined by HubSpot and cannot be archived")
        if not doc["archived"]:
            self.put("properties", doc | {"archived": True, "archivedAt": self._now()})

    def restore_property(self, name: str) -> Json:
        """Take it back into use. Raises Refused."""
        doc = self.get("properties", name)
        if doc is None:
            raise not_found(f"Property {name} does not exist")
        doc.pop("archivedAt", None)
        return self.put("properties", doc | {"archived": False})

    def create_group(self, given: Json) -> Json:
        """A group of properties. Raises Refused: 400 or 409."""
        for name in ("name", "label"):
            if not isinstance(given.get(name), str) or not given[name]:
                raise invalid(f"Invalid input JSON: the required field '{name}' is missing")
        if self.get("groups", given["name"]) is not None:
            raise Refused(409, "CONFLICT", f"A property group named '{given['name']}' already exists.")
        order = given.get("displayOrder", -1)
        doc = {"name": given["name"], "label": given["label"], "displayOrder": order, "archived": False}
        return self.put("groups", doc)

    def update_group(self, name: str, given: Json) -> Json:
        """Change label or order. Raises Refused."""
        doc = self.get("groups", name)
        if doc is None:
            raise not_found(f"Property group {name} does not exist")
        return self.put("groups", doc | {field: given[field] for field in ("label", "displayOrder") if field in given})

    def archive_group(self, name: str) -> None:
        """Take a group without properties away. Raises Refused."""
        if self.get("groups", name) is None:
            raise not_found(f"Property group {name} does not exist")
        if any(p["groupName"] == name and not p["archived"] for p in self._of("properties").values()):
            raise invalid(f"Property group {name} still has properties")
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM hubspot_definitions WHERE kind = 'groups' AND name = ?", (name,))
        self._cached.pop("groups", None)

    def _checked(self, doc: Json) -> Json:
        for name in ("label", "type", "fieldType", "groupName", "description"):
            if not isinstance(doc.get(name), str):
                raise invalid(f"Invalid input JSON: '{name}' is a text")
        if not isinstance(doc["options"], list):
            raise invalid("Invalid input JSON: 'options' is a list")
        if doc["type"] not in FIELD_TYPES:
            raise invalid(f"type is one of {', '.join(FIELD_TYPES)}, not {doc['type']}")
        if doc["fieldType"] not in FIELD_TYPES[doc["type"]]:
            raise invalid(f"fieldType {doc['fieldType']} does not go with the type {doc['type']}")
        if self.get("groups", doc["groupName"]) is None:
            raise invalid(f"Property group {doc['groupName']} does not exist")
        if doc["type"] == "bool" and not doc["options"]:
            doc["options"] = [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]
        if doc["type"] == "enumeration" and not doc["options"]:
            raise invalid("An enumeration needs options")
        doc["options"] = [_option(option, number) for number, option in enumerate(doc["options"])]
        if len({option["value"] for option in doc["options"]}) < len(doc["options"]):
            raise invalid("Two options have the same value")
        return doc

    def _of(self, kind: str) -> dict[str, Json]:
        if kind not in self._cached:
            with self._store.lock:
                rows = self._store.connection.execute(
                    "SELECT name, doc FROM hubspot_definitions WHERE kind = ? ORDER BY name", (kind,)
                ).fetchall()
            self._cached[kind] = {row["name"]: json.loads(row["doc"]) for row in rows}
        return self._cached[kind]

    def _now(self) -> str:
        return stamp(int(self._clock.now().timestamp() * 1000))


def _option(option: Any, number: int) -> Json:
    if not isinstance(option, dict) or not option.get("label") or "value" not in option:
        raise invalid("Every option has a label and a value")
    return {"displayOrder": number, "hidden": False} | option | {"value": str(option["value"])}
