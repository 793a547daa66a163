"""What nobody knows for sure of the real service: one switch for each open question, strict by default."""

from __future__ import annotations

from typing import Any

from sandbox.store import Store
from sandbox.switches import NUMBER, TEXT, Switches

_SECONDS: tuple[Any, ...] = (NUMBER,)

# name: (default, the values that may be set)
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
    "text_limit": (200, (None, NUMBER)),
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
    "account_status": (None, (None, TEXT)),
    "consent_login": ("erp", ("erp", "portal")),
    "reuse_kills": (False, (False, True)),
    "redirect_uri": (None, (None, TEXT)),
}


class Readings(Switches):
    """The readings in force."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, "conta_azul.readings", READINGS)
