"""What the sections of the settings are made of: a closed base class, and values that are never guessed at.

Nothing is converted between types: a code is text, a count is a whole number, true and false are written so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

CATCH_ALL = "a catch-all '*' is not allowed here: name each {}, so that nothing lands in an account unseen"


class Section(BaseModel):
    """A part of the settings file: frozen, and closed to keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _written_without_anything_below(cls, data: Any) -> Any:
        """`payments:` with every line below it commented out is an empty section to a person, null to YAML."""
        return {} if data is None else data


def refused(sentence: str) -> PydanticCustomError:
    """A refusal whose sentence goes to the user as it is."""
    return PydanticCustomError("refused", "{sentence}", {"sentence": sentence})


def _printable(value: str) -> str:
    if not value.isprintable():
        raise refused("holds a line break, a tab or an invisible character; write it on one line without")
    return value


def _decimal(value: Any) -> Any:
    """Whole numbers and decimals as written. Floats too, by their shortest text, for callers in Python."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Decimal(str(value))
    return value


def _date(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise refused(f"found {value}, a day that does not exist") from None
    return value


def _this_age(value: date) -> date:
    if not 2000 <= value.year <= 2100:
        raise refused(f"found {value.isoformat()}; a year between 2000 and 2100 is expected")
    return value


@cache
def currencies() -> frozenset[str]:
    """The currency codes of ISO 4217, with those of the past."""
    from babel.core import get_global  # here, not above: most importers of the settings never check a currency

    return frozenset(get_global("all_currencies"))


def _currency(value: str) -> str:
    if value == "*":
        raise refused(CATCH_ALL.format("currency"))
    if value not in currencies():
        raise refused(f"{value!r} is not a currency code of ISO 4217, in capitals, such as AUD")
    return value


def _empty_where_nothing_is_written(value: Any) -> Any:
    return {} if value is None else value


def _no_items_where_nothing_is_written(value: Any) -> Any:
    return () if value is None else value


def no_catch_all(thing: str) -> AfterValidator:
    """Refuses `*` as a key where each thing must be named."""

    def check(value: Mapping[str, Any]) -> Mapping[str, Any]:
        if "*" in value:
            raise refused(CATCH_ALL.format(thing))
        return value

    return AfterValidator(check)


def distinct(key: Callable[[str], str] = str) -> AfterValidator:
    """Refuses a list that names something twice."""

    def check(value: tuple[str, ...]) -> tuple[str, ...]:
        seen: set[str] = set()
        for entry in value:
            if key(entry) in seen:
                raise refused(f"names {entry!r} twice")
            seen.add(key(entry))
        return value

    return AfterValidator(check)


def words(text: str) -> WithJsonSchema:
    """What a text must be, for error messages and documentation."""
    return WithJsonSchema({"type": "string", "words": text})


Text = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(_printable),
]
Code = Annotated[Text, words('a code in quotes, such as "200"')]  # text, even where it looks like a number
Names = Annotated[tuple[Text, ...], distinct()]
Currency = Annotated[str, Field(strict=True), AfterValidator(_currency)]
Bool = StrictBool
Count = Annotated[int, Field(strict=True)]
MajorAmount = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000_000)]
Share = Annotated[
    Decimal,
    Field(ge=0, le=1),
    BeforeValidator(_decimal),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]
Rate = Annotated[
    Decimal,
    Field(gt=0, le=1000),
    BeforeValidator(_decimal),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 1000}),
]
Day = Annotated[date, Field(strict=True), BeforeValidator(_date), AfterValidator(_this_age)]
WhenEmpty = BeforeValidator(_empty_where_nothing_is_written)
WhenNoItems = BeforeValidator(_no_items_where_nothing_is_written)
