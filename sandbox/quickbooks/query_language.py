"""The query language: statements into their parts. Pure functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sandbox.quickbooks.answers import Refused

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:\\.|[^'\\])*')|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])|(?P<word>[A-Za-z_][\w.]*)"
    r"|(?P<sign><=|>=|!=|=|<|>|\(|\)|,|\*))",
    re.DOTALL,
)
_OPERATORS = {"=", "!=", "<", ">", "<=", ">="}
CURRENT_DATE = object()


@dataclass(frozen=True, slots=True)
class Condition:
    """``field operator value``; the value of IN is a list."""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT. ``start`` counts from 1."""

    entity: str
    count: bool
    conditions: tuple[Condition, ...]
    order: tuple[tuple[str, bool], ...]
    start: int
    limit: int | None


def parse_statement(text: str) -> Statement:
    """Read a statement. Raises Refused with code 4000."""
    return _Parser(_tokens(text)).statement()


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _error(f"Encountered {text[place : place + 20]!r} at column {place + 1}")
        kind = str(match.lastgroup)
        found.append((kind, match[kind]))
        place = match.end()
    return found


def _error(detail: str) -> Refused:
    return Refused("4000", f"QueryParserError: {detail}")


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._place = 0

    def statement(self) -> Statement:
        self._demand("SELECT")
        count = self._selected()
        self._demand("FROM")
        entity = self._word()
        conditions: list[Condition] = []
        if self._take("WHERE"):
            conditions.append(self._condition())
            while self._take("AND"):
                conditions.append(self._condition())
        order: list[tuple[str, bool]] = []
        if self._take("ORDERBY") or (self._take("ORDER") and self._demand("BY")):
            order = self._ordering()
        start = self._whole() if self._take("STARTPOSITION") else 1
        limit = self._whole() if self._take("MAXRESULTS") else None
        if self._place < len(self._tokens):
            raise _error(f"Encountered {self._peek()[1]!r}")
        if start < 1 or limit == 0:
            raise _error("STARTPOSITION and MAXRESULTS count from 1")
        return Statement(entity, count, tuple(conditions), tuple(order), start, limit)

    def _selected(self) -> bool:
        """``*``, ``COUNT(*)``, or a list of fields with or without ``*``; every field is answered anyway."""
        if self._take("COUNT"):
            for sign in ("(", "*", ")"):
                self._demand(sign)
            return True
        while True:
            if not self._take("*"):
                self._word()
            if not self._take(","):
                return False

    def _condition(self) -> Condition:
        field = self._word()
        kind, token = self._next()
        if kind == "sign" and token in _OPERATORS:
            return Condition(field, token, self._value())
        if token.upper() == "LIKE":
            return Condition(field, "LIKE", self._value())
        if token.upper() == "IN":
            self._demand("(")
            values = [self._value()]
            while self._take(","):
                values.append(self._value())
            self._demand(")")
            return Condition(field, "IN", values)
        raise _error(f"Encountered {token!r} after {field}")

    def _ordering(self) -> list[tuple[str, bool]]:
        found = []
        while True:
            field = self._word()
            down = self._take("DESC")
            if not down:
                self._take("ASC")
            found.append((field, down))
            if not self._take(","):
                return found

    def _value(self) -> Any:
        kind, token = self._next()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL)
        if kind == "number":
            return token
        if token.upper() in ("TRUE", "FALSE"):
            return token.upper() == "TRUE"
        if token.upper() == "CURRENT_DATE":
            return CURRENT_DATE
        raise _error(f"Encountered {token!r} where a value is expected")

    def _whole(self) -> int:
        kind, token = self._next()
        if kind != "number" or not token.isdigit():
            raise _error(f"Encountered {token!r} where a whole number is expected")
        return int(token)

    def _word(self) -> str:
        kind, token = self._next()
        if kind != "word":
            raise _error(f"Encountered {token!r} where a name is expected")
        return token

    def _next(self) -> tuple[str, str]:
        found = self._peek()
        self._place += 1
        return found

    def _peek(self) -> tuple[str, str]:
        if self._place >= len(self._tokens):
            raise _error("Encountered <EOF>")
        return self._tokens[self._place]

    def _take(self, token: str) -> bool:
        kind, found = self._tokens[self._place] if self._place < len(self._tokens) else ("", "")
        taken = kind != "text" and found.upper() == token
        self._place += taken
        return taken

    def _demand(self, token: str) -> bool:
        if not self._take(token):
            found = self._tokens[self._place][1] if self._place < len(self._tokens) else "<EOF>"
            raise _error(f"Encountered {found!r}, expected {token}")
        return True
