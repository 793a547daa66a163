"""Xero's ``where`` filter: parsed, checked against the fields of the document, evaluated, and turned into SQL.

Examples: ``EmailAddress=="a@b.com"``, ``Type=="ACCPAY" AND Contact.ContactID==Guid("...")``,
``Date>=DateTime(2026,1,31) && AmountDue>0``, ``Name.Contains("harbour")``, ``Reference!=null``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.xero.columns import EQUALITY, fold_for
from sandbox.xero.fields import type_of
from sandbox.xero.wire import amount, fold, fold_accents, guid, is_guid, parse_day, parse_moment


class BadWhere(Exception):
    """The filter cannot be read; the message is Xero's kind of sentence."""


@dataclass(frozen=True, slots=True)
class Field:
    """A property of the document, such as ``Contact.ContactID``."""

    path: str
    type: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A value in the filter with its type: string, guid, date, number, bool or null."""

    value: Any
    type: str


@dataclass(frozen=True, slots=True)
class Compare:
    """``field operator literal``."""

    field: Field
    operator: str
    literal: Literal


@dataclass(frozen=True, slots=True)
class Call:
    """``field.Contains("x")`` and its relatives."""

    field: Field
    method: str
    text: str


@dataclass(frozen=True, slots=True)
class Both:
    """AND."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Either:
    """OR."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Not:
    """NOT."""

    inner: Node


Node = Compare | Call | Both | Either | Not

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>"(?:[^"\\]|"")*")
    |(?P<number>-?\d+(?:\.\d+)?)(?![\w.])
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    |(?P<operator>==|!=|<>|>=|<=|&&|\|\||[=<>!(),])
    )""",
    re.VERBOSE,
)
_COMPARISONS = {"==": "==", "=": "==", "!=": "!=", "<>": "!=", ">": ">", "<": "<", ">=": ">=", "<=": "<="}
_METHODS = {"contains": "Contains", "startswith": "StartsWith", "endswith": "EndsWith"}
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    ">": lambda a, b: bool(a > b),
    "<": lambda a, b: bool(a < b),
    ">=": lambda a, b: bool(a >= b),
    "<=": lambda a, b: bool(a <= b),
}
_SHAPES = {"string": {"string"}, "enum": {"string"}, "guid": {"guid"}, "date": {"date"}, "number": {"number"}}
_DEPTH = 50


def parse(kind: str, text: str) -> Node:
    """The filter for documents of a kind. Raises BadWhere."""
    reader = _Reader(kind, _tokens(text))
    node = reader.either(0)
    reader.end()
    return node


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    while text[position:].strip():
        found = _TOKEN.match(text, position)
        if not found or not found.lastgroup:
            raise BadWhere(f"Syntax error at position {position}")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        position = found.end()
    return tokens


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, kind: str, tokens: list[tuple[str, str]]) -> None:
        self._kind = kind
        self._tokens = tokens
        self._at = 0

    def either(self, depth: int) -> Node:
        left = self._both(depth)
        while self._take("||", "or"):
            left = Either(left, self._both(depth))
        return left

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise BadWhere(f"Syntax error near '{self._tokens[self._at][1]}'")

    def _both(self, depth: int) -> Node:
        left = self._one(depth)
        while self._take("&&", "and"):
            left = Both(left, self._one(depth))
        return left

    def _one(self, depth: int) -> Node:
        if depth > _DEPTH:
            raise BadWhere("Expression is too deep")
        if self._take("!", "not"):
            return Not(self._one(depth + 1))
        if self._take("("):
            inner = self.either(depth + 1)
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Node:
        left = self._operand()
        if isinstance(left, Call):
            self._truth()
            return left
        sign = self._peek()
        if sign not in _COMPARISONS:
            if isinstance(left, Field) and left.type == "bool":
                return Compare(left, "==", Literal(True, "bool"))
            raise BadWhere("Expression of type 'Boolean' expected")
        self._at += 1
        right = self._operand()
        operator = _COMPARISONS[sign]
        if isinstance(left, Literal) and isinstance(right, Field):
            left, right, operator = right, left, operator.translate(str.maketrans("<>", "><"))
        if not isinstance(left, Field) or not isinstance(right, Literal):
            raise BadWhere("A property must be compared with a value")
        _check_types(left, operator, right)
        return Compare(left, operator, right)

    def _truth(self) -> None:
        if self._peek() in {"==", "="} and [part[1].lower() for part in self._tokens[self._at + 1 :][:1]] == ["true"]:
            self._at += 2

    def _operand(self) -> Field | Literal | Call:
        if self._at >= len(self._tokens):
            raise BadWhere("Expression expected")
        group, text = self._tokens[self._at]
        self._at += 1
        if group == "string":
            return Literal(text[1:-1].replace('""', '"'), "string")
        if group == "number":
            return Literal(Decimal(text), "number")
        if group == "word":
            return self._word(text)
        raise BadWhere(f"Syntax error near '{text}'")

    def _word(self, text: str) -> Field | Literal | Call:
        lower = text.lower()
        if lower in {"true", "false"}:
            return Literal(lower == "true", "bool")
        if lower == "null":
            return Literal(None, "null")
        if lower == "guid" or lower == "guid.parse":
            return self._guid()
        if lower in {"datetime", "datetime.parse"}:
            return self._date()
        path, _, method = text.rpartition(".")
        if path and method.lower() in _METHODS and self._peek() == "(":
            argument = self._arguments()
            if len(argument) != 1 or argument[0][0] != "string":
                raise BadWhere(f"No applicable method '{method}' exists in type 'String'")
            return Call(self._field(path), _METHODS[method.lower()], argument[0][1][1:-1].replace('""', '"'))
        if path and method.lower() in {"tolower", "toupper"} and self._peek() == "(":
            self._arguments()
            return self._field(path)
        return self._field(text)

    def _field(self, path: str) -> Field:
        found = type_of(self._kind, path)
        if found is None:
            name = path.rpartition(".")[2]
            raise BadWhere(f"No property or field '{name}' exists in type '{self._kind.removesuffix('s')}'")
        return Field(found[0], found[1])

    def _guid(self) -> Literal:
        arguments = self._arguments()
        value = arguments[0][1].strip('"') if len(arguments) == 1 else ""
        if not is_guid(value):
            raise BadWhere("Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).")
        return Literal(guid(value), "guid")

    def _date(self) -> Literal:
        arguments = self._arguments()
        try:
            if [group for group, _ in arguments] == ["string"]:
                return Literal(parse_moment(arguments[0][1][1:-1]), "date")
            if len(arguments) in {3, 6}:
                return Literal(datetime(*(int(text) for _, text in arguments), tzinfo=UTC), "date")  # type: ignore[misc, arg-type]
        except ValueError as error:
            raise BadWhere(f"'{error}' is no DateTime") from error
        raise BadWhere("No applicable constructor exists in type 'DateTime'")

    def _arguments(self) -> list[tuple[str, str]]:
        self._expect("(")
        found = []
        while self._peek() != ")":
            if self._at >= len(self._tokens):
                raise BadWhere("')' or ',' expected")
            if self._tokens[self._at][1] != ",":
                found.append(self._tokens[self._at])
            self._at += 1
        self._expect(")")
        return found

    def _peek(self) -> str:
        group, text = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        return "" if group == "string" else text

    def _take(self, *signs: str) -> bool:
        if self._peek().lower() in signs and self._peek():
            self._at += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise BadWhere(f"'{sign}' expected")


def _check_types(field: Field, operator: str, literal: Literal) -> None:
    known = {"Guid": "guid", "String": "string", "DateTime": "date", "Decimal": "number", "Boolean": "bool"}
    names = {value: key for key, value in known.items()} | {"enum": "String", "null": "null"}
    if literal.type == "null" and operator in {"==", "!="}:
        return
    if literal.type in _SHAPES.get(field.type, {field.type}):
        return
    raise BadWhere(
        f"Operator '{operator}' incompatible with operand types '{names[field.type]}' and '{names[literal.type]}'"
    )


def matches(node: Node, doc: dict[str, Any]) -> bool:
    """Whether a document, as the API returns it, passes the filter."""
    if isinstance(node, Both):
        return matches(node.left, doc) and matches(node.right, doc)
    if isinstance(node, Either):
        return matches(node.left, doc) or matches(node.right, doc)
    if isinstance(node, Not):
        return not matches(node.inner, doc)
    if isinstance(node, Call):
        return _call(node, doc)
    value = _value(doc, node.field)
    wanted = _comparable(node.literal.value, node.field)
    if value is None or wanted is None:
        return (value is wanted) == (node.operator == "==") and node.operator in {"==", "!="}
    return _TESTS[node.operator](value, wanted)


def _call(node: Call, doc: dict[str, Any]) -> bool:
    value = _value(doc, node.field)
    text = str(_comparable(node.text, node.field))
    if value is None:
        return False
    if node.method == "StartsWith":
        return str(value).startswith(text)
    return str(value).endswith(text) if node.method == "EndsWith" else text in str(value)


def _value(doc: dict[str, Any], field: Field) -> Any:
    value: Any = doc
    for part in field.path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if field.type == "bool":
        return bool(value)
    return _comparable(value, field)


def _comparable(value: Any, field: Field) -> Any:
    if value is None or value == "":
        return None
    if field.type == "number":
        return amount(value)
    if field.type == "date":
        moment = parse_moment(value) if isinstance(value, str) else value
        return moment
    if field.type == "bool":
        return value
    if field.path.rpartition(".")[2] in {"Name", "EmailAddress"}:
        return fold_accents(str(value))
    return fold(str(value))


def to_sql(kind: str, node: Node) -> tuple[str, list[Any], bool] | None:
    """SQL that lets through at least what passes, its values, and whether it is exact; None where nothing helps."""
    if isinstance(node, Both | Either):
        return _joined(kind, node)
    if not isinstance(node, Compare) or node.literal.value in (None, ""):
        return None
    column = EQUALITY.get(kind, {}).get(node.field.path)
    if column is None:
        return None
    if node.literal.type == "date":
        return _day_sql(column, node)
    if node.operator != "==":
        return None
    return f"{column} = ?", [fold_for(column, str(node.literal.value))], True


def _joined(kind: str, node: Both | Either) -> tuple[str, list[Any], bool] | None:
    left, right = to_sql(kind, node.left), to_sql(kind, node.right)
    if left and right:
        word = "AND" if isinstance(node, Both) else "OR"
        return f"({left[0]} {word} {right[0]})", left[1] + right[1], left[2] and right[2]
    if isinstance(node, Either):
        return None
    half = left or right
    return (half[0], half[1], False) if half else None


def _day_sql(column: str, node: Compare) -> tuple[str, list[Any], bool] | None:
    moment: datetime = node.literal.value
    if moment.time().isoformat() != "00:00:00" or node.operator == "!=":
        return None
    sign = "=" if node.operator == "==" else node.operator
    return f"{column} {sign} ?", [parse_day(moment.date().isoformat()).isoformat()], True
