"""The kinds of objects that the Qualy stand-in holds, and how they refer to each other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

KINDS = (
    "contacts",
    "payment-intents",
    "payment-splits",
    "split-intents",
    "transactions",
    "partnerships",
    "taxes",
    "tags",
    "teams",
    "users",
)

REFERENCES = {
    "contact": "contacts",
    "paymentIntent": "payment-intents",
    "partnership": "partnerships",
    "tax": "taxes",
    "split": "payment-splits",
    "paymentSplit": "payment-splits",
    "transactions": "transactions",
    "ref": "transactions",
    "tags": "tags",
    "owners": "users",
    "teams": "teams",
}
"""Field -> kind of the object whose id it holds (or a list of ids)."""

ROLE_NAMES = {"payment-intents": "paymentIntents", "payment-splits": "paymentSplits", "split-intents": "splitIntents"}


def role(kind: str) -> str:
    """The name of the role that lets a user read all objects of a kind."""
    return f"{webhook_name(kind)}:view:all"


def webhook_name(kind: str) -> str:
    """The kind as roles and the names of events spell it: plural and in camel case."""
    return ROLE_NAMES.get(kind, kind)


def moment_of(text: Any) -> int | None:
    """Milliseconds since 1970 of a time stamp; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def created_of(body: dict[str, Any]) -> int:
    """When an object was made: its ``createdAt``, else the time inside its id, else 0."""
    moment = moment_of(body.get("createdAt"))
    if moment is not None:
        return moment
    try:
        return int(str(body["_id"])[:8], 16) * 1000
    except ValueError:
        return 0
