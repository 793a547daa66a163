"""The tables: their columns, which stay, and how a record becomes a row. Pure.

A record that cannot be read has a row too: its amounts are empty, and `problem` says why.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from qualy_sync.model import Customer, Payment, Source, Split
from qualy_sync.report.csv_files import RECORD_COLUMNS, Cell, amount, moment, write_rows

Noun = TypeVar("Noun", bound=Source)
UTC = ZoneInfo("UTC")
_STATE = ("created_at", "updated_at", "gone_at_source", "problem")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "customers": (
        "customer_id", "number", "first_name", "last_name", "email", "phone", "country", "language", "owner_ids",
        "team_ids", "tag_ids", *_STATE,
    ),
    "payments": (
        "payment_id", "number", "customer_id", "customer_name", "customer_email", "status", "items", "currency",
        "amount", "items_amount", "due_amount", "due_at", *_STATE,
    ),
    "splits": (
        "split_id", "payment_id", "item_id", "partner_id", "partner_name", "type", "status", "currency", "amount",
        "due_at", *_STATE,
    ),
    "outcomes": ("tool", "organisation", *RECORD_COLUMNS),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """One file to be: its name without ending, its columns, and its rows, which are read as they are taken."""

    name: str
    columns: tuple[str, ...]
    rows: Iterable[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Found:
    """A source record as the ledger keeps it. `problem` is {"field", "problem"} where it cannot be read."""

    id: str
    content: Mapping[str, Any]
    email: str
    problem: Mapping[str, str] | None
    gone: bool


@dataclass(frozen=True, slots=True)
class Party:
    """Who a payment or split is with: what its row says of them."""

    name: str = ""
    email: str = ""


NOBODY = Party()


def write_table(file: BinaryIO, table: Table, byte_order_mark: bool) -> int:
    """A table as a CSV file, UTF-8; gives the number of its rows."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig" if byte_order_mark else "utf-8", newline="")
    try:
        return write_rows(text, table.columns, table.rows)
    finally:
        text.flush()
        text.detach()


def customer(found: Found) -> Sequence[Cell]:
    """A row of customers."""
    content = found.content
    profile = content.get("profile")
    profile = profile if isinstance(profile, Mapping) else {}
    return (
        found.id,
        _text(content, "number"),
        _text(profile, "firstName"),
        _text(profile, "lastName"),
        found.email,
        _text(profile, "phone"),
        _text(content, "country"),
        _text(content, "language"),
        *(_ids(content, name) for name in ("owners", "teams", "tags")),
        *_state(found, _noun(Customer, found)[1]),
    )


def payment(found: Found, customer: Party) -> Sequence[Cell]:
    """A row of payments."""
    noun, problem = _noun(Payment, found)
    currency = noun.currency if noun else ""
    return (
        found.id,
        _text(found.content, "number"),
        noun.contact if noun else _id(found.content, "contact"),
        customer.name,
        customer.email,
        _text(found.content, "status"),
        "; ".join(item.name or item.category for item in noun.items) if noun else "",
        currency,
        amount(noun.amount if noun else None, currency),
        amount(sum(item.amount for item in noun.items) if noun else None, currency),
        amount(noun.due if noun else None, currency),
        _moment(noun.due_at if noun else None),
        *_state(found, problem),
    )


def split(found: Found, partner: Party) -> Sequence[Cell]:
    """A row of splits."""
    noun, problem = _noun(Split, found)
    currency = noun.currency if noun else ""
    return (
        found.id,
        noun.payment if noun else _id(found.content, "paymentIntent"),
        noun.item if noun else _id(found.content, "item"),
        noun.partnership if noun else _id(found.content, "partnership"),
        partner.name,
        _text(found.content, "type"),
        _text(found.content, "status"),
        currency,
        amount(noun.amount if noun else None, currency),
        _moment(noun.due_at if noun else None),
        *_state(found, problem),
    )


def party(found: Found) -> Party:
    """A customer's or partner's name and email."""
    profile = found.content.get("profile")
    if isinstance(profile, Mapping):
        names = (_text(profile, "firstName"), _text(profile, "lastName"))
        return Party(" ".join(name.strip() for name in names if name.strip()), found.email)
    return Party(_text(found.content, "name"), found.email)


def _noun(noun: type[Noun], found: Found) -> tuple[Noun | None, str]:
    """The record, or nothing and why it cannot be read."""
    if found.problem:
        return None, f"{found.problem.get('field', '')} {found.problem.get('problem', '')}".strip()
    try:
        return noun.model_validate(found.content), ""
    except (ValidationError, OverflowError):
        return None, "cannot be read"


def _state(found: Found, problem: str) -> tuple[Cell, ...]:
    created, updated = (_moment(_read(found.content.get(name))) for name in ("createdAt", "updatedAt"))
    return created, updated, "true" if found.gone else "false", problem


def _text(content: Mapping[str, Any], name: str) -> str:
    """A plain value as text; what has another form is left out rather than shown as code."""
    value = content.get(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _id(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    return _text(value, "_id") if isinstance(value, Mapping) else _text(content, name)


def _ids(content: Mapping[str, Any], name: str) -> str:
    """The ids of a list whose elements are ids or whole objects, with blanks between them."""
    values = content.get(name)
    if not isinstance(values, list):
        return ""
    return " ".join(filter(None, (_id({name: value}, name) for value in values)))


def _read(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        return None


def _moment(value: datetime | None) -> str:
    try:
        return moment(value, UTC) if value else ""
    except OverflowError:
        return ""
