"""Reading objects for a client: lists with their parameters, single objects, references."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.qualy.access import Key, forbid
from sandbox.qualy.kinds import REFERENCES, role
from sandbox.qualy.queries import Query, matches, ordered, projected
from sandbox.qualy.readings import Readings
from sandbox.qualy.shelves import Shelves

COLUMNS = {"_id": "id", "createdAt": "created", "updatedAt": "updated", "status": "status"}
FILTER_COLUMNS = {"_id": "id", "status": "status"}
OF_A_CONTACT = ("payment-intents", "payment-splits", "transactions")
FOR_EVERYBODY = ("contacts", *OF_A_CONTACT, "taxes", "tags", "teams", "users")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads for one key under the readings in force; ``as_of`` (seconds since 1970) reads the past."""

    shelves: Shelves
    readings: Readings
    key: Key
    as_of: float | None = None

    def page(self, kind: str, query: Query) -> list[Json]:
        """One page of a list. Raises Refused."""
        self._allow(kind)
        sort = [(key, descending) for key, descending in query.sort if key != "updatedAt" or self._sorts_by_update()]
        quick = self.as_of is None and self.key.sees_all and set(query.filter) <= set(FILTER_COLUMNS)
        if quick and all(key in COLUMNS for key, _ in sort):
            bodies = self._quick(kind, query, sort)
        else:
            found = ordered((body for body in self._visible(kind) if matches(body, query.filter)), sort)
            bodies = found[query.skip : query.skip + query.limit]
        population = dict(query.population)
        return [projected(self._shown(body, population), query.projection) for body in bodies]

    def count(self, kind: str, query: Query) -> int:
        """How many objects match, whatever the page."""
        return sum(1 for body in self._visible(kind) if matches(body, query.filter))

    def one(self, kind: str, object_id: str, query: Query) -> Json | None:
        """One object by its id. Raises Refused."""
        self._allow(kind)
        if self.as_of is None and self.key.sees_all:
            body = self.shelves.get(self._shelf(kind), object_id)
        else:
            body = next((body for body in self._visible(kind) if body["_id"] == object_id), None)
        return None if body is None else projected(self._shown(body, dict(query.population)), query.projection)

    def _allow(self, kind: str) -> None:
        if kind in self.readings.forbidden or not (self.key.sees_all or kind in FOR_EVERYBODY):
            raise forbid(role(kind))

    def _sorts_by_update(self) -> bool:
        return self.readings.updated_at and self.readings.updated_at_sorts

    def _shelf(self, kind: str) -> int:
        return self.shelves.shelf(self.key.tenant, kind)

    def _quick(self, kind: str, query: Query, sort: list[tuple[str, bool]]) -> list[Json]:
        where = ""
        values: list[str] = []
        for path, wanted in query.filter.items():
            where += f" AND {FILTER_COLUMNS[path]} IN ({', '.join('?' * len(wanted))})"
            values.extend(wanted)
        keys = [(COLUMNS[key], descending) for key, descending in sort] or [("created", False)]
        keys.append(("number", keys[-1][1]))
        order = ", ".join(f"qualy_objects.{column} {'DESC' if descending else 'ASC'}" for column, descending in keys)
        return self.shelves.select(self._shelf(kind), where, tuple(values), order, query.skip, query.limit)

    def _visible(self, kind: str) -> Iterable[Json]:
        bodies = self._everything(kind)
        if self.key.sees_all or kind not in ("contacts", *OF_A_CONTACT):
            return bodies
        mine = {body["_id"] for body in self._everything("contacts") if self.key.user in body.get("owners", [])}
        return (body for body in bodies if body["_id" if kind == "contacts" else "contact"] in mine)

    def _everything(self, kind: str) -> Iterable[Json]:
        shelf = self._shelf(kind)
        return self.shelves.all(shelf) if self.as_of is None else self.shelves.all_as_of(shelf, self.as_of)

    def _shown(self, body: Json, population: dict[str, str]) -> Json:
        """As the client sees it: without ``updatedAt`` where the reading says so, references expanded where asked."""
        shown = {name: value for name, value in body.items() if name != "updatedAt" or self.readings.updated_at}
        for field, kind in REFERENCES.items():
            if field in shown and (self.readings.expanded or field in population):
                shown[field] = self._expanded(kind, shown[field], population.get(field, ""))
        return shown

    def _expanded(self, kind: str, reference: Any, select: str) -> Any:
        if isinstance(reference, list):
            return [self._expanded(kind, one, select) for one in reference]
        if not isinstance(reference, str):
            return reference
        body = self.shelves.get(self._shelf(kind), reference)
        if body is None:
            return None
        if not self.readings.updated_at:
            body.pop("updatedAt", None)
        return projected(body, select.split())
