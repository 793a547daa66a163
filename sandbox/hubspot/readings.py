"""What HubSpot's documents leave open, and what differs between accounts, as switches."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sandbox.store import Store

KEPT = "hubspot.readings"
CHOICES: dict[str, tuple[str, ...]] = {"null_value": ("ignored", "clears"), "email_upsert": ("merges", "erases")}
SECONDS = ("search_lag_seconds", "bump_seconds", "retry_after")


@dataclass(frozen=True, slots=True)
class Readings:
    """One answer to each open question.

    ``search_lag_seconds``: how late search sees a change. ``bump_seconds``: how long after its creation a contact's
    ``lastmodifieddate`` moves by itself; null: never. ``merge_keeps_primary``: a merge keeps the primary's id instead
    of making a new one. ``email_free_after_archive``: another contact may take an archived contact's email.
    ``old_email_stays``: the address before becomes a secondary one when the email changes. ``equal_write_bumps``: a
    write that changes nothing moves ``lastmodifieddate``. ``null_value``: what null does in a write. ``email_upsert``:
    whether an upsert by email erases what it does not name. ``batch_update_by_email``: ``batch/update`` takes
    ``idProperty=email``. ``shuffle_results``: batches answer in another order. ``numbered_versions``: paths with
    ``/v3/`` and ``/v1/`` are still served. ``retry_after``: seconds in ``Retry-After`` of a 429; null: no such header.
    """

    search_lag_seconds: float = 30
    bump_seconds: float | None = 17
    merge_keeps_primary: bool = False
    email_free_after_archive: bool = True
    old_email_stays: bool = False
    equal_write_bumps: bool = True
    null_value: str = "ignored"
    email_upsert: str = "merges"
    batch_update_by_email: bool = False
    shuffle_results: bool = True
    numbered_versions: bool = True
    retry_after: float | None = None


def read(store: Store) -> Readings:
    """The readings in force."""
    kept = store.fact(KEPT)
    return Readings(**json.loads(kept)) if kept else Readings()


def switch(store: Store, given: dict[str, Any]) -> Readings:
    """Change the given ones and keep the others. ValueError says what is allowed."""
    known = [field.name for field in fields(Readings)]
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"Unknown reading {name!r}. Known: {', '.join(known)}.")
        _check(name, value)
    readings = replace(read(store), **given)
    store.remember(KEPT, json.dumps(asdict(readings)))
    return readings


def _check(name: str, value: Any) -> None:
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise ValueError(f"{name} is one of {', '.join(CHOICES[name])}.")
    elif name in SECONDS:
        number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        if not number and not (value is None and name != "search_lag_seconds"):
            raise ValueError(f"{name} is a number of seconds.")
    elif not isinstance(value, bool):
        raise ValueError(f"{name} is true or false.")
