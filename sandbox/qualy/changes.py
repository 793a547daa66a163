"""Changes that a test makes: single objects inserted, updated or deleted, or everything replaced."""

from __future__ import annotations

import re
from typing import Any

from sandbox.clock import Clock
from sandbox.population.draw import stamp
from sandbox.qualy.access import TENANTS
from sandbox.qualy.hooks import Hooks
from sandbox.qualy.kinds import KINDS
from sandbox.qualy.shelves import Shelves
from sandbox.store import Store

COUNTER = "qualy.inserted"
NUMBERS = "qualy.contact_numbers"
FIRST_NUMBER = 100
ID = re.compile(r"[0-9a-f]{24}")

Json = dict[str, Any]


class Changes:
    """Writes to the shelves of a tenant."""

    def __init__(self, shelves: Shelves, store: Store, clock: Clock, hooks: Hooks) -> None:
        self._shelves = shelves
        self._store = store
        self._clock = clock
        self._hooks = hooks

    def load(self, given: Json) -> dict[str, int]:
        """Replace everything of the first tenant by the given objects; ``eu1-other`` may hold the second tenant's.

        Raises ValueError and changes nothing where a kind, an object or an id is not acceptable.
        """
        others = {name: objects for name, objects in given.items() if name in TENANTS}
        first = {kind: objects for kind, objects in given.items() if kind not in TENANTS}
        worlds = {TENANTS[0]: first} | others
        for objects in worlds.values():
            _check(objects)
        with self._store.transaction():
            counts = [self._shelves.replace(TENANTS.index(name), objects) for name, objects in worlds.items()]
        return counts[0]

    def apply(self, given: Json) -> Json:
        """``{"insert": {kind: [object]}, "update": {kind: [object]}, "delete": {kind: [id]}}``, all or nothing.

        An inserted object without ``_id``, ``createdAt`` or ``updatedAt`` gets them from the sandbox clock. An update
        names the object by ``_id`` and sets the given fields (dotted paths reach inside), and ``updatedAt`` too, unless
        ``"touch": false``. ``"tenant"`` names another tenant than the first. Returns the changed objects.
        """
        unknown = set(given) - {"insert", "update", "delete", "touch", "tenant"}
        if unknown:
            raise ValueError(f"A change has insert, update, delete, touch and tenant, but no {', '.join(unknown)}.")
        tenant = TENANTS.index(given.get("tenant", TENANTS[0]))
        touch = given.get("touch", True)
        with self._store.transaction():
            return {
                "inserted": [self._insert(tenant, kind, body) for kind, body in _each(given.get("insert", {}))],
                "updated": [self._update(tenant, kind, body, touch) for kind, body in _each(given.get("update", {}))],
                "deleted": [self._delete(tenant, kind, one) for kind, one in _each(given.get("delete", {}))],
            }

    def write_contact(self, tenant: int, body: Json, object_id: str | None) -> Json:
        """A contact as a client wrote it: a new one without ``object_id``, else in the place of that one."""
        now = self._now()
        with self._store.transaction():
            if object_id is None:
                return self._insert(tenant, "contacts", {"number": self._next_number(tenant), **body})
            written = body | {"_id": object_id, "updatedAt": stamp(now)}
            self._shelves.put(self._shelves.shelf(tenant, "contacts"), written, now / 1000)
            self._tell(tenant, "contacts", "update", written)
            return written

    def _insert(self, tenant: int, kind: str, given: Json) -> Json:
        now = self._now()
        body = {"_id": self._new_id(), **given}
        body.setdefault("createdAt", stamp(now))
        body.setdefault("updatedAt", stamp(now))
        _check({kind: [body]})
        shelf = self._shelves.shelf(tenant, kind)
        if self._shelves.get(shelf, body["_id"]) is not None:
            raise ValueError(f"There is an object {body['_id']} among the {kind} already; update it instead.")
        self._shelves.put(shelf, body, now / 1000)
        self._tell(tenant, kind, "create", body)
        return body

    def _update(self, tenant: int, kind: str, given: Json, touch: bool) -> Json:
        now = self._now()
        shelf = self._shelves.shelf(tenant, kind)
        body = self._shelves.get(shelf, str(given.get("_id")))
        if body is None:
            raise ValueError(f"There is no object {given.get('_id')} among the {kind}.")
        for path, value in given.items():
            _set(body, path.split("."), value)
        if touch and "updatedAt" not in given:
            body["updatedAt"] = stamp(now)
        self._shelves.put(shelf, body, now / 1000)
        self._tell(tenant, kind, "update", body)
        return body

    def _delete(self, tenant: int, kind: str, object_id: str) -> str:
        if not self._shelves.delete(self._shelves.shelf(tenant, kind), object_id, self._now() / 1000):
            raise ValueError(f"There is no object {object_id} among the {kind}.")
        self._tell(tenant, kind, "delete", {"_id": object_id})
        return object_id

    def _tell(self, tenant: int, kind: str, action: str, body: Json) -> None:
        """Only the first tenant has an endpoint for events."""
        if tenant == 0:
            self._hooks.tell(kind, action, body)

    def _next_number(self, tenant: int) -> int:
        """Higher than that of every customer of the made-up agency."""
        made = self._shelves.count(self._shelves.shelf(tenant, "contacts"))
        number = max(int(self._store.fact(NUMBERS) or 0), FIRST_NUMBER + made) + 1
        self._store.remember(NUMBERS, str(number))
        return number

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    def _new_id(self) -> str:
        number = int(self._store.fact(COUNTER) or 0) + 1
        self._store.remember(COUNTER, str(number))
        return f"{self._now() // 1000:08x}ff{number:014x}"


def _check(objects: Json) -> None:
    for kind, bodies in objects.items():
        if kind not in KINDS:
            raise ValueError(f"Qualy has no {kind!r}, only {', '.join(KINDS)}.")
        if not isinstance(bodies, list):
            raise ValueError(f"{kind} must be a list of objects.")
        seen: set[str] = set()
        for body in bodies:
            object_id = body.get("_id") if isinstance(body, dict) else None
            if not isinstance(object_id, str) or not ID.fullmatch(object_id):
                raise ValueError(
                    f"Every object has an _id of 24 small hexadecimal digits, unlike {object_id!r} ({kind})."
                )
            if object_id in seen:
                raise ValueError(f"{object_id} is there twice among the {kind}.")
            seen.add(object_id)


def _each(by_kind: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    unknown = sorted(set(by_kind) - set(KINDS))
    if unknown:
        raise ValueError(f"Qualy has no {', '.join(unknown)}, only {', '.join(KINDS)}.")
    return [(kind, one) for kind, those in by_kind.items() for one in those]


def _set(body: Json, names: list[str], value: Any) -> None:
    for name in names[:-1]:
        body = body.setdefault(name, {})
    body[names[-1]] = value
