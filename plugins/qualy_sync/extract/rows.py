"""From Qualy's JSON to a row of the ledger: hash, columns, and what cannot be read. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from qualy_sync.ledger.source import SourceRow
from qualy_sync.model import NOUNS, Kind, normal_email
from qualy_sync.settings import SourceSettings

LONGEST_ID = 200
LONGEST_EMAIL = 320
# What no database can hold in JSON: NUL, and halves of a character. Pairs of halves match too; cleaning leaves them.
_UNSTORABLE = re.compile(r"\\u(0000|d[89a-f])")
_HALVES = re.compile("[\0\ud800-\udfff]")
_OBJECT_ID = re.compile(r"[0-9a-f]{24}", re.ASCII)
_PROBLEMS = {
    "missing": "is missing",
    "int_type": "is not a whole number in minor units",
    "string_type": "is not text",
    "string_too_short": "is empty",
    "string_too_long": "is too long",
    "tuple_type": "is not a list",
    "model_type": "is not an object",
    "datetime_from_date_parsing": "is not a point in time",
    "datetime_parsing": "is not a point in time",
    "datetime_type": "is not a point in time",
}


def read_row(kind: Kind, raw: Mapping[str, Any], settings: SourceSettings) -> SourceRow | None:
    """A raw record as the ledger keeps it, whole. None where it has no id to keep it under."""
    record_id = raw.get("_id")
    if not isinstance(record_id, str) or not 0 < len(record_id) <= LONGEST_ID:
        return None
    text = json.dumps(raw, sort_keys=True, separators=(",", ":"))
    content = _clean(dict(raw)) if _UNSTORABLE.search(text) else raw
    if content["_id"] != record_id:
        return None
    problem = problem_of(kind, content)
    email = content.get("email")
    return SourceRow(
        id=record_id,
        hash=hashlib.sha256(text.encode()).hexdigest(),
        content=content,
        created_at=moment_of(content, "createdAt"),
        final=problem is None and is_final(kind, content, settings),
        payment_id=reference_of(content, "paymentIntent"),
        contact_id=reference_of(content, "contact"),
        partner_id=reference_of(content, "partnership"),
        email=normal_email(email)[:LONGEST_EMAIL] if isinstance(email, str) else "",
        problem=problem,
    )


def problem_of(kind: Kind, content: Mapping[str, Any]) -> dict[str, str] | None:
    """Why a record cannot be read: the field and what is wrong with it, never its value."""
    noun = NOUNS.get(kind)
    if noun is None:
        return None
    try:
        noun.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the record"
        return {"field": field, "problem": _problem(field, first["type"])}
    except OverflowError:
        return {"field": "a date", "problem": "is outside of the calendar"}
    return None


def is_final(kind: Kind, content: Mapping[str, Any], settings: SourceSettings) -> bool:
    """Whether nothing more is expected of it; an unknown status never is final."""
    status = content.get("status")
    if kind is Kind.PAYMENT:
        return status in (*settings.paid_statuses, *settings.cancelled_statuses, *settings.refunded_statuses)
    if kind is Kind.TRANSACTION:
        return status in (*settings.final_transaction_statuses, *settings.failed_transaction_statuses)
    if kind in (Kind.SPLIT, Kind.SPLIT_INTENT):
        return status in settings.paid_split_statuses
    return True


def moment_of(content: Mapping[str, Any], field: str) -> datetime | None:
    """A time stamp of a record; of `_id` the second of its making (the first 8 digits of a MongoDB ObjectId)."""
    value = content.get(field)
    if not isinstance(value, str):
        return None
    if field == "_id":
        return datetime.fromtimestamp(int(value[:8], 16), UTC) if _OBJECT_ID.fullmatch(value) else None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return moment if 1900 <= moment.year <= 2200 else None


def _problem(field: str, kind: str) -> str:
    if kind == "value_error":
        return "is not an ISO 4217 currency code" if field.endswith("currency") else "is not a point in time"
    return _PROBLEMS.get(kind, "has an unexpected form")


def reference_of(content: Mapping[str, Any], field: str) -> str | None:
    """The id that a field names, whether it holds an id or the whole object."""
    value = content.get(field)
    found = value.get("_id") if isinstance(value, Mapping) else value
    return found if isinstance(found, str) and 0 < len(found) <= LONGEST_ID else None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _HALVES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_clean(element) for element in value]
    if isinstance(value, Mapping):
        return {_clean(name): _clean(element) for name, element in value.items()}
    return value
