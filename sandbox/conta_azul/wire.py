"""Conta Azul's wire formats: São Paulo wall time, days, amounts, identifiers, tax numbers. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?")
_MOST = Decimal(10) ** 13
_MASK = re.compile(r"[.\-/\s]")


def stamp(moment: float) -> str:
    """A moment (seconds since 1970) as the API writes it: São Paulo wall time, no zone."""
    return datetime.fromtimestamp(int(moment), SAO_PAULO).replace(tzinfo=None).isoformat()


def parse_moment(text: str) -> float:
    """Seconds since 1970 of a São Paulo wall time. Raises ValueError for a zone suffix or anything else."""
    if not _MOMENT.fullmatch(text):
        raise ValueError(f"{text!r} is not a date-time without zone")
    return datetime.fromisoformat(text).replace(tzinfo=SAO_PAULO).timestamp()


def parse_day(value: Any) -> date:
    """``YYYY-MM-DD``. Raises ValueError for anything else."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError(f"{value!r} is not a date as YYYY-MM-DD")
    return date.fromisoformat(value)


def cents(value: Any) -> int:
    """Centavos of a JSON number with at most two decimals. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float):
        raise ValueError(f"{value!r} is not a number")
    try:
        exact = Decimal(str(value)) * 100
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is not a number") from error
    if not exact.is_finite() or abs(exact) > _MOST or exact != exact.to_integral_value():
        raise ValueError(f"{value} has more than two decimals or is too large")
    return int(exact)


def number(value: int) -> float:
    """Centavos as the JSON number of an answer."""
    return value / 100


def is_uuid(value: Any) -> bool:
    """Whether it is a UUID in its usual form."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def parse(body: bytes) -> Any:
    """JSON with exact decimals. Raises ValueError."""
    return json.loads(body, parse_float=Decimal)


def dump(value: Any) -> bytes:
    """JSON of an answer or a kept document."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=float).encode()


def bare(document: str) -> str:
    """A CPF or CNPJ without its mask, in capitals."""
    return _MASK.sub("", document).upper()


def masked(document: str) -> str:
    """A bare CPF or CNPJ with its mask."""
    if len(document) == 11:
        return f"{document[:3]}.{document[3:6]}.{document[6:9]}-{document[9:]}"
    if len(document) == 14:
        return f"{document[:2]}.{document[2:5]}.{document[5:8]}/{document[8:12]}-{document[12:]}"
    return document


def is_cpf(document: str) -> bool:
    """Eleven digits, not all the same, with two check digits modulo 11."""
    if not re.fullmatch(r"[0-9]{11}", document) or len(set(document)) == 1:
        return False
    return all(_check(document[:n], range(n + 1, 1, -1)) == document[n] for n in (9, 10))


def is_cnpj(document: str) -> bool:
    """Twelve digits or capitals and two check digits; a letter counts as its ASCII code less 48."""
    if not re.fullmatch(r"[0-9A-Z]{12}[0-9]{2}", document) or len(set(document)) == 1:
        return False
    return all(_check(document[:n], [*range(n - 7, 1, -1), *range(9, 1, -1)]) == document[n] for n in (12, 13))


def _check(characters: str, weights: Sequence[int]) -> str:
    remainder = sum(weight * (ord(one) - 48) for weight, one in zip(weights, characters, strict=True)) % 11
    return "0" if remainder < 2 else str(11 - remainder)
