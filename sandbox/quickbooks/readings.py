"""What Intuit's documents leave open, or say twice: every such question is a switch, with the safer reading first."""

from __future__ import annotations

import json
from typing import Any

from sandbox.store import Store

_FACT = "quickbooks.readings"
NUMBER = "number"

# name: (default, the values that may be set; NUMBER is a whole number from 0 or null)
KNOWN: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "duplicate_docnum": ("refused", ("refused", "allowed")),
    "bill_numbers_per_vendor": (False, (False, True)),
    "duplicate_names": ("refused", ("refused", "allowed")),
    "duplicate_name_id": ("same_entity", ("same_entity", "always", "never")),
    "deleted_suffix": (True, (True, False)),
    "closed_period_fault": ("6210", ("6210", "6200", "5010")),
    "inactive_reference": ("610", ("610", "2500")),
    "over_applied": ("drop", ("drop", "cut", "6000")),
    "void_paid": ("refused", ("refused", "unlinks")),
    "delete_paid": ("unlinks", ("unlinks", "refused")),
    "payments_touch_documents": (True, (True, False)),
    "voided_payments_in_queries": (False, (False, True)),
    "customer_email_queryable": (True, (True, False)),
    "vendor_email_queryable": (False, (False, True)),
    "account_number_queryable": (False, (False, True)),
    "non_latin": ("2040", ("2040", "question_marks")),
    "inclusive_amount": ("net", ("net", "gross")),
    "throttle_body": ("xml", ("xml", "json")),
    "batch_order": ("given", ("given", "reversed")),
    "short_pages": (None, (NUMBER,)),
    "requestid_seconds": (None, (NUMBER,)),
    "requestid_remembers_faults": (True, (True, False)),
    "requestid_other_body": ("first_answer", ("first_answer", "2130")),
    "requestid_batch": ("replay", ("replay", "6000")),
    "refresh_token": ("daily", ("daily", "always")),
    "old_refresh_token": ("dies", ("dies", "24h")),
    "changed_since_zone": ("company", ("company", "utc")),
}


class Readings:
    """The readings in force, kept in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._set: dict[str, Any] = json.loads(store.fact(_FACT) or "{}")

    def __getitem__(self, name: str) -> Any:
        return self._set.get(name, KNOWN[name][0])

    def all(self) -> dict[str, Any]:
        """Every reading with its value."""
        return {name: self[name] for name in KNOWN}

    def set(self, given: dict[str, Any]) -> dict[str, Any]:
        """Switch some. Raises ValueError and names what is known."""
        for name, value in given.items():
            if name not in KNOWN:
                raise ValueError(f"There is no reading {name!r}, only {', '.join(KNOWN)}.")
            allowed = KNOWN[name][1]
            if allowed == (NUMBER,):
                if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                    raise ValueError(f"{name} is a whole number, or null.")
            elif not any(value is one or (isinstance(one, str) and value == one) for one in allowed):
                raise ValueError(f"{name} is one of {', '.join(map(repr, allowed))}, not {value!r}.")
        self._set |= given
        self._store.remember(_FACT, json.dumps(self._set))
        return self.all()
