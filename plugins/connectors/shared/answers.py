"""An HTTP answer as the connectors judge it, and its JSON with exact numbers. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Heard:
    """One HTTP answer: header names in lower case, the body whole."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def loads(body: bytes) -> Any:
    """JSON with its numbers as int and Decimal, never float. Raises ValueError."""
    return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def count(heard: Heard, name: str) -> int | None:
    """The whole number in a header, such as the calls that are left; None where there is none."""
    value = heard.headers.get(name, "").strip()
    return int(value) if value.isdigit() else None
