"""One form for texts that mean the same, so that a tool's way of writing them never looks like an edit. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from qualy_sync.contracts.crm import Form
from qualy_sync.model import normal_email

_EPOCH_MS = re.compile(r"-?\d{11,14}", re.ASCII)
_BETWEEN_DIGITS = re.compile(r"[\s().\-/\u2010-\u2015]+")
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})


def normal(form: Form, text: str) -> str:
    """`text` as it is compared; "" where it says nothing. What is not of the form is compared as plain text."""
    plain = unicodedata.normalize("NFC", text).strip()
    return _NORMAL[form](plain) if plain else ""


def same(form: Form, one: str, other: str) -> bool:
    """Whether two texts mean the same."""
    return normal(form, one) == normal(form, other)


def _text(plain: str) -> str:
    return plain.replace("\r\n", "\n")


def _phone(plain: str) -> str:
    found = _BETWEEN_DIGITS.sub("", plain).lower()
    return "+" + found[2:] if found.startswith("00") else found


def _number(plain: str) -> str:
    try:
        value = Decimal(plain)
    except InvalidOperation:
        return plain
    return format(value.normalize(), "f") if value.is_finite() else plain


def _moment(plain: str) -> str:
    found = _as_moment(plain)
    return found.isoformat(timespec="milliseconds") if found else plain


def _date(plain: str) -> str:
    try:
        return date.fromisoformat(plain).isoformat()
    except ValueError:
        found = _as_moment(plain)
        return found.date().isoformat() if found else plain


def _as_moment(plain: str) -> datetime | None:
    """An ISO moment, or milliseconds since 1970, in UTC."""
    try:
        if _EPOCH_MS.fullmatch(plain):
            return datetime.fromtimestamp(int(plain) / 1000, UTC)
        moment = datetime.fromisoformat(plain)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _bool(plain: str) -> str:
    word = plain.lower()
    return "true" if word in _TRUE else "false" if word in _FALSE else word


_NORMAL: Mapping[Form, Callable[[str], str]] = {
    Form.TEXT: _text,
    Form.EMAIL: normal_email,
    Form.PHONE: _phone,
    Form.NUMBER: _number,
    Form.DATE: _date,
    Form.MOMENT: _moment,
    Form.BOOL: _bool,
}
