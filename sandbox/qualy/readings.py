"""What Qualy's public pages leave open, as switches."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sandbox.qualy.kinds import KINDS
from sandbox.store import Store

ENVELOPES = ("data-list", "bare", "data-object")
FILTERS = ("A", "B", "C", "ignored")
CREATES = ("POST /contacts/create", "POST /contacts", None)
UPDATES = ("PATCH /contacts/{id}", "PUT /contacts/{id}", "PATCH /contacts/update/{id}", None)
EFFECTS = ("fields", "deep", "replace")
KEPT = "qualy.readings"


@dataclass(frozen=True, slots=True)
class Readings:
    """One answer to each open question. The defaults are those of a friendly server.

    ``envelope``: ``data-list`` {"data": [...]}, ``bare`` [...], ``data-object`` {"data": {"docs": [...]}}.
    ``filter``: A nested string, B bare, C bracketed, or ignored (nothing is filtered, whatever is asked).
    ``limit_cap``: most rows of a page, silently; ``default_limit``: rows of a page without ``limit``.
    ``expanded``: references are whole objects in every answer. ``updated_at``: objects have the field.
    ``updated_at_sorts``: ``sort=updatedAt`` has an effect. ``total``: a list tells how many rows there are.
    ``forbidden``: kinds that the key's user may not read (403 with the roles that would be enough).
    ``contact_create``, ``contact_update``: verb and path of contact writing; null: there is none (404).
    ``contact_update_effect``: an update sets the ``fields`` that it names, each as a whole (so a ``profile`` in part
    loses the rest of it); ``deep``: also inside them; ``replace``: what it does not name is gone.
    ``unique_email``: a second contact with an email is refused with 409. ``email_required``: none without one.
    """

    envelope: str = "data-list"
    filter: str = "A"
    limit_cap: int | None = None
    default_limit: int = 100
    expanded: bool = False
    updated_at: bool = True
    updated_at_sorts: bool = True
    total: bool = False
    forbidden: tuple[str, ...] = ()
    contact_create: str | None = CREATES[0]
    contact_update: str | None = UPDATES[0]
    contact_update_effect: str = EFFECTS[0]
    unique_email: bool = False
    email_required: bool = False


def read(store: Store) -> Readings:
    """The readings in force."""
    kept = store.fact(KEPT)
    return Readings() if kept is None else _from(json.loads(kept), Readings())


def switch(store: Store, given: dict[str, Any]) -> Readings:
    """Change the given ones and keep the others. ValueError says what is allowed."""
    readings = _from(given, read(store))
    store.remember(KEPT, json.dumps(asdict(readings)))
    return readings


def _from(given: dict[str, Any], before: Readings) -> Readings:
    known = [field.name for field in fields(Readings)]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"Unknown readings: {', '.join(unknown)}. Known: {', '.join(known)}.")
    changes = dict(given)
    _one_of(changes, "envelope", ENVELOPES)
    _one_of(changes, "filter", FILTERS)
    _one_of(changes, "contact_create", CREATES)
    _one_of(changes, "contact_update", UPDATES)
    _one_of(changes, "contact_update_effect", EFFECTS)
    for name in ("expanded", "updated_at", "updated_at_sorts", "total", "unique_email", "email_required"):
        _one_of(changes, name, (True, False))
    for name in ("limit_cap", "default_limit"):
        value = changes.get(name, 1)
        if value is None and name == "limit_cap":
            continue
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is a number from 1{', or null for none' if name == 'limit_cap' else ''}.")
    if "forbidden" in changes:
        if not set(changes["forbidden"]) <= set(KINDS):
            raise ValueError(f"forbidden is a list of kinds: {', '.join(KINDS)}.")
        changes["forbidden"] = tuple(changes["forbidden"])
    return replace(before, **changes)


def _one_of(changes: dict[str, Any], name: str, allowed: tuple[Any, ...]) -> None:
    if name in changes and changes[name] not in allowed:
        raise ValueError(f"{name} is one of {', '.join(map(json.dumps, allowed))}.")
