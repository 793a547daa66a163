"""Reading single fields of a service's JSON. Pure; what is not of the documented form raises WrongShape."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from qualy_sync.contracts.errors import WrongShape
from qualy_sync.model import exponent

Row = Mapping[str, Any]


class Fields:
    """The fields of one service's answers; `tool` names it to a person.

    `loose`: ids may be numbers, and an empty text stands for nothing.
    """

    def __init__(self, tool: str, *, loose: bool = False) -> None:
        self._tool = tool
        self._loose = loose

    def text(self, row: Row, key: str) -> str:
        """A text field, empty where it is absent."""
        value = row.get(key)
        if value is None:
            return ""
        if self._loose and isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            raise WrongShape(f"{self._tool} answered a {key} that is not text.")
        return value

    def needed(self, row: Row, key: str) -> str:
        """A text field that has to be there."""
        value = self.text(row, key)
        if not value:
            raise WrongShape(f"{self._tool} answered a record without {key}.")
        return value

    def part(self, row: Row, *keys: str) -> Row:
        """The first of these objects that is there, empty where none is."""
        for key in keys:
            value = row.get(key)
            if self._is_nothing(value):
                continue
            if not isinstance(value, dict):
                raise WrongShape(f"{self._tool} answered a {key} that is not an object.")
            return value
        return {}

    def objects(self, value: Any, name: str) -> list[Row]:
        """A list of objects; nothing at all is an empty one."""
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise WrongShape(f"{self._tool} answered {name} that are no list of objects.")
        return value

    def parts(self, row: Row, key: str) -> list[Row]:
        """A list of objects inside an object, empty where it is absent."""
        return self.objects(row.get(key), key)

    def number(self, row: Row, key: str) -> Decimal | None:
        """A number, None where it is absent. It may be written as text."""
        value = row.get(key)
        if self._is_nothing(value):
            return None
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            raise WrongShape(f"{self._tool} answered a {key} that is not a number.")
        try:
            read = Decimal(value)
        except ArithmeticError:
            raise WrongShape(f"{self._tool} answered a {key} that is not a number.") from None
        if not read.is_finite():
            raise WrongShape(f"{self._tool} answered a {key} that is not a number.")
        return read

    def minor(self, row: Row, key: str, currency: str) -> int | None:
        """An amount in minor units, None where it is absent.

        For services that keep two decimals in every currency: what a currency has no digits for (half a yen, from a
        document made by hand) is rounded half up.
        """
        value = self.number(row, key)
        if value is None:
            return None
        return int(value.scaleb(exponent(currency)).quantize(Decimal(1), ROUND_HALF_UP))

    def needed_minor(self, row: Row, key: str, currency: str) -> int:
        """An amount that has to be there."""
        value = self.minor(row, key, currency)
        if value is None:
            raise WrongShape(f"{self._tool} answered a record without {key}.")
        return value

    def _is_nothing(self, value: Any) -> bool:
        return value is None or (self._loose and value == "")
