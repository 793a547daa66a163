"""What Intuit's documents leave open, or say twice: every such question is a switch, with the safer reading first."""

from __future__ import annotations

from typing import Any

from sandbox.store import Store
from sandbox.switches import NUMBER, Switches

# name: (default, the values that may be set)
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
    "short_pages": (None, (None, NUMBER)),
    "requestid_seconds": (None, (None, NUMBER)),
    "requestid_remembers_faults": (True, (True, False)),
    "requestid_other_body": ("first_answer", ("first_answer", "2130")),
    "requestid_batch": ("replay", ("replay", "6000")),
    "refresh_token": ("daily", ("daily", "always")),
    "old_refresh_token": ("dies", ("dies", "24h")),
    "changed_since_zone": ("company", ("company", "utc")),
}


class Readings(Switches):
    """The readings in force."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, "quickbooks.readings", KNOWN)
