"""What nobody knows for sure of the real service: one switch for each open question, strict by default."""

from __future__ import annotations

import json
from typing import Any

from sandbox.store import Store

_FACT = "conta_azul.readings"
_SECONDS: tuple[Any, ...] = ("a number from 0",)

# name: (default, allowed values; a tuple with a sentence stands for numbers or texts)
READINGS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "protocol_seconds": (3, _SECONDS),
    "protocol_tail_seconds": (90, _SECONDS),
    "protocol_tail_every": (17, _SECONDS),
    "protocol_hidden_seconds": (0, _SECONDS),
    "protocol_names": ("portuguese", ("portuguese", "english")),
    "created_status": (200, (200, 202)),
    "wrong_reference": ("error", ("error", "lost")),
    "visible_after_seconds": (0, _SECONDS),
    "deletions_in_changes": (False, (False, True)),
    "text_limit": (200, (None, "a number from 0")),
    "emails_filter": ("exact", ("exact", "contains", "ignored")),
    "default_filters": (True, (True, False)),
    "inactive_listed": (True, (True, False)),
    "profiles_patch": ("replace", ("replace", "merge")),
    "duplicate_document": ("allowed", ("allowed", "refused")),
    "document_check": (True, (True, False)),
    "alphanumeric_cnpj": (True, (True, False)),
    "documents_shown": ("bare", ("bare", "masked")),
    "overpayment": ("refused", ("refused", "accepted")),
    "settlement_dates": ("not_future", ("not_future", "not_before_event", "any")),
    "cost_centre_rows": ("itens", ("itens", "items")),
    "strict_names": (False, (False, True)),
    "retry_after": (True, (True, False)),
    "account_status": (None, (None, "a text")),
    "consent_login": ("erp", ("erp", "portal")),
    "reuse_kills": (False, (False, True)),
    "redirect_uri": (None, (None, "a text")),
}


class Readings:
    """The readings in force, kept in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._set: dict[str, Any] = json.loads(store.fact(_FACT) or "{}")

    def __getitem__(self, name: str) -> Any:
        return self._set.get(name, READINGS[name][0])

    def all(self) -> dict[str, Any]:
        """Each reading with its value."""
        return {name: self[name] for name in READINGS}

    def set(self, given: dict[str, Any]) -> dict[str, Any]:
        """Switch some. Raises ValueError and names what is allowed; then nothing changes."""
        for name, value in given.items():
            if name not in READINGS:
                raise ValueError(f"Unknown reading {name!r}. Conta Azul's readings: {', '.join(READINGS)}.")
            if not _allowed(value, READINGS[name][1]):
                raise ValueError(f"{name} is one of {READINGS[name][1]}, not {value!r}.")
        self._set |= given
        self._store.remember(_FACT, json.dumps(self._set))
        return self.all()


def _allowed(value: Any, choices: tuple[Any, ...]) -> bool:
    if "a number from 0" in choices and isinstance(value, int | float) and not isinstance(value, bool):
        return value >= 0
    if "a text" in choices and isinstance(value, str):
        return bool(value)
    return any(value == one and type(value) is type(one) for one in choices if not str(one).startswith("a "))
