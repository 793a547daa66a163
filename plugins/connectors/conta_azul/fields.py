"""Reading single fields of Conta Azul's JSON: text, ids, days, moments and amounts. Pure; raises WrongShape."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from connectors.shared.fields import Fields, Row
from qualy_sync.contracts.errors import WrongShape

__all__ = [
    "CURRENCY", "SAO_PAULO", "Row", "bare", "centavos", "day", "identifier", "moment", "needed", "needed_day",
    "objects", "part", "text", "version", "wall_time",
]  # fmt: skip

_FIELDS = Fields("Conta Azul")
text, needed, part, objects = _FIELDS.text, _FIELDS.needed, _FIELDS.part, _FIELDS.objects

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
CURRENCY = "BRL"


def identifier(row: Row, key: str) -> str:
    """A UUID that has to be there, in small letters."""
    return needed(row, key).lower()


def moment(row: Row, key: str) -> datetime | None:
    """An aware UTC moment; São Paulo's wall time where no zone is written. None where it is empty."""
    value = text(row, key).strip()
    if not value:
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise WrongShape(f"Conta Azul answered a {key} that is not a date.") from None
    return (read if read.tzinfo else read.replace(tzinfo=SAO_PAULO)).astimezone(UTC)


def wall_time(when: datetime) -> str:
    """A moment as filters want it: São Paulo's wall time without a zone, to the second."""
    return f"{when.astimezone(SAO_PAULO):%Y-%m-%dT%H:%M:%S}"


def day(row: Row, key: str) -> date | None:
    """A calendar date, None where it is absent or empty."""
    value = text(row, key).strip()
    if not value:
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        raise WrongShape(f"Conta Azul answered a {key} that is not a date.") from None


def needed_day(row: Row, key: str) -> date:
    """A calendar date that has to be there."""
    found = day(row, key)
    if found is None:
        raise WrongShape(f"Conta Azul answered a record without {key}.")
    return found


def centavos(row: Row, key: str) -> int:
    """An amount that has to be there, in centavos. Whole numbers may come as `10.0` or as text."""
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise WrongShape(f"Conta Azul answered a {key} that is not a number.")
    try:
        exact = Decimal(value).scaleb(2)
    except ArithmeticError:
        raise WrongShape(f"Conta Azul answered a {key} that is not a number.") from None
    if not exact.is_finite() or exact != exact.to_integral_value():
        raise WrongShape(f"Conta Azul answered a {key} that is no amount in centavos.")
    return int(exact)


def version(row: Row) -> str:
    """`versao` as text; the first one may be 0."""
    value = row.get("versao")
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongShape("Conta Azul answered a record without versao.")
    return str(value)


def bare(document: str) -> str:
    """A CPF or CNPJ without its mask, in capitals: some of its places may be letters."""
    return re.sub(r"[\s./-]", "", document).upper()
