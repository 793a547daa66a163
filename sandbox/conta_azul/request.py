"""One call of the API, read from HTTP: its query with Conta Azul's rules, and its body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.conta_azul.answers import Answer, Refused, ok
from sandbox.conta_azul.company import Company
from sandbox.conta_azul.records import Json, Selection
from sandbox.conta_azul.wire import cents, is_uuid, parse, parse_day, parse_moment

PAGE_SIZES = (10, 20, 50, 100, 200, 500, 1000)
LONGEST_WINDOW_SECONDS = 365 * 86_400


@dataclass(frozen=True, slots=True)
class Call:
    """One call: where it goes and what it carries."""

    company: Company
    method: str
    path: str
    ids: tuple[str, ...]
    pairs: Sequence[tuple[str, str]]
    raw: bytes

    def id(self, place: int = 0) -> str:
        """An identifier of the path. Raises Refused where it is no UUID."""
        if not is_uuid(self.ids[place]):
            raise Refused(400, f"{self.ids[place]} is not a UUID")
        return self.ids[place].lower()

    def body(self) -> Json:
        """The body, an object. Raises Refused."""
        try:
            data = parse(self.raw)
        except (ValueError, RecursionError) as error:
            raise Refused(400, "the body is not JSON") from error
        if not isinstance(data, dict):
            raise Refused(400, "the body is not a JSON object")
        return data

    def known(self, *names: str) -> None:
        """Refuses ``name[]`` always, and unknown names in strict mode; else they are dropped without a word."""
        for name, _ in self.pairs:
            if name.endswith("[]"):
                raise Refused(400, f"parameter {name} is not allowed")
            if self.company.readings["strict_names"] and name not in names:
                raise Refused(400, f"unknown parameter {name}")

    def known_fields(self, body: Json, *names: str) -> None:
        """Unknown fields are dropped without a word, but refused in strict mode."""
        unknown = sorted(set(body) - set(names))
        if unknown and self.company.readings["strict_names"]:
            raise Refused(400, f"unknown fields {', '.join(unknown)}")

    def one(self, name: str) -> str | None:
        """The first value of a parameter; an empty one counts as none."""
        return next((value for key, value in self.pairs if key == name and value), None)

    def many(self, name: str, allowed: Sequence[str] = ()) -> list[str]:
        """Every value of a repeated parameter. Raises Refused for a word that is not allowed."""
        found = [value for key, value in self.pairs if key == name and value]
        for value in found:
            if allowed and value not in allowed:
                raise Refused(400, f"{name} must be one of {', '.join(allowed)}")
        return found

    def uuids(self, name: str) -> list[str]:
        """Every value of a repeated parameter of identifiers."""
        found = self.many(name)
        if not all(is_uuid(value) for value in found):
            raise Refused(400, f"{name} must be UUIDs")
        return [value.lower() for value in found]

    def flag(self, name: str) -> bool | None:
        """``true`` or ``false``."""
        value = self.one(name)
        if value not in (None, "true", "false"):
            raise Refused(400, f"{name} must be true or false")
        return None if value is None else value == "true"

    def days(self, name: str, required: bool = False) -> tuple[str | None, str | None]:
        """Both ends of a window of days, ``name_de`` and ``name_ate``."""
        found = []
        for end in ("de", "ate"):
            value = self.one(f"{name}_{end}")
            if value is None and required:
                raise Refused(400, f"{name}_{end} is required")
            found.append(value and self._read(f"{name}_{end}", value, parse_day).isoformat())
        return found[0], found[1]

    def moments(self, first: str, last: str, required: bool = False) -> tuple[float, float] | None:
        """Both ends of a window of São Paulo wall times, at most 365 days apart, or neither."""
        values = self.one(first), self.one(last)
        if values == (None, None) and not required:
            return None
        if None in values:
            raise Refused(400, f"{first} and {last} are both needed")
        start, end = (self._read(name, value, parse_moment) for name, value in zip((first, last), values, strict=True))
        if end < start or end - start > LONGEST_WINDOW_SECONDS:
            raise Refused(400, f"{first} to {last} must be at most 365 days")
        return start, end

    def amount(self, name: str) -> int | None:
        """Centavos of a text with a dot and at most two decimals."""
        value = self.one(name)
        return None if value is None else self._read(name, value, lambda text: cents(parse(text.encode())))

    def page(self, required: bool = False) -> tuple[int, int]:
        """Rows of a page and how many lie before it."""
        size, number = self.one("tamanho_pagina"), self.one("pagina")
        if required and (size is None or number is None):
            raise Refused(400, "pagina and tamanho_pagina are required")
        if size is not None and size not in map(str, PAGE_SIZES):
            raise Refused(400, f"tamanho_pagina {size} is not one of the allowed sizes")
        if number is not None and (not number.isdigit() or int(number) < 1):
            raise Refused(400, f"pagina {number} is not a number from 1")
        rows = int(size or 10)
        return rows, (int(number or 1) - 1) * rows

    def rows(self, selection: Selection, required: bool = False) -> tuple[int, list[Json]]:
        """One page of the selected records, and how many there are."""
        size, before = self.page(required)
        records = self.company.records
        return records.total(selection), records.find(selection, size, before)

    def listed(self, total: int, rows: list[Json], more: Json | None = None, name: str = "itens") -> Answer:
        """The usual envelope of a list."""
        return ok({"itens_totais": total, name: rows} | (more or {}))

    def _read(self, name: str, value: Any, reader: Any) -> Any:
        try:
            return reader(value)
        except ValueError as error:
            raise Refused(400, f"{name}: {error}") from error
