"""Where exchange rates come from, and which of Qualy's fields tell what a payment in another currency was worth."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PrivateAttr

from .rate_table import RateTable
from .types import Count, Section, Text, refused, words

LONGEST_CARRY = 10


def _file(value: str) -> str:
    if not value.lower().endswith(".csv"):
        raise refused(f"found {value!r}; a CSV file is expected, such as rates.csv")
    return value


def field_path(value: str) -> str:
    """A field of Qualy's records, by its place: `payout.document`, or one of a list: `documents[type=cpf].number`."""
    part = r"[A-Za-z_][A-Za-z0-9_]{0,60}(\[[A-Za-z_][A-Za-z0-9_]{0,60}=[^\]\[=]{1,60}\])?"
    if not re.fullmatch(rf"{part}(\.{part}){{0,5}}", value):
        raise refused(
            f"found {value!r}; the place of a field in Qualy's record is expected, such as taxId or"
            " documents[type=cpf].number"
        )
    return value


FieldPath = Annotated[Text, AfterValidator(field_path), words("a field's place, such as documents[type=cpf].number")]
CsvFile = Annotated[Text, AfterValidator(_file), words("a CSV file, by its place beside this file")]


class Currencies(Section):
    """Where exchange rates come from; needed once a foreign currency is met."""

    rates: Literal["tool", "table", "qualy"] | None = Field(
        default=None, description="Source of exchange rates; without one, foreign documents are held."
    )
    table: CsvFile | None = Field(
        default=None, description="Your dated rates: columns date, currency, rate, source. Needed by rates: table."
    )
    carry_days: Annotated[Count, Field(ge=0, le=LONGEST_CARRY)] = Field(
        default=0, description="How many days a rate of the table holds on where a day has none of its own."
    )
    qualy_rate: FieldPath | None = Field(
        default=None,
        description="Field of payments and transactions with Qualy's rate, base units per foreign one.",
    )
    settled_amount: FieldPath | None = Field(
        default=None,
        description="Field of a transaction in another currency with its worth in the payment's, in minor units.",
    )

    _dated: RateTable | None = PrivateAttr(default=None)

    @property
    def dated(self) -> RateTable:
        """The table's rates; none where no table was read."""
        return self._dated or RateTable()

    def with_table(self, table: RateTable) -> Currencies:
        """The same section with the rates that its file holds."""
        copy = self.model_copy()
        copy._dated = table
        return copy
