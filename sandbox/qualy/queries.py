"""Query parameters of a list, as far as Qualy's "Queries" page describes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from sandbox.qualy.readings import Readings

ORDINARY = frozenset({"skip", "limit", "sort", "projection", "population", "filter"})

Json = dict[str, Any]
Pairs = Sequence[tuple[str, str]]


class BadQuery(ValueError):
    """The request is not acceptable; the message goes to the client with status 400."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a client asked of a list."""

    filter: dict[str, tuple[str, ...]]
    sort: tuple[tuple[str, bool], ...]
    skip: int
    limit: int
    projection: tuple[str, ...]
    population: tuple[tuple[str, str], ...]


def read_query(text: str, readings: Readings) -> Query:
    """Read the part of the address after the question mark. Raises BadQuery."""
    pairs = parse_qsl(text, keep_blank_values=True)
    plain = dict(pairs)
    limit = _number(plain, "limit", readings.default_limit)
    if readings.limit_cap is not None:
        limit = min(limit, readings.limit_cap)
    return Query(
        filter=_filter(pairs, readings.filter),
        sort=tuple((key.lstrip("-+"), key.startswith("-")) for key in re.split(r"[ ,]+", plain.get("sort", "")) if key),
        skip=_number(plain, "skip", 0),
        limit=limit,
        projection=tuple(plain.get("projection", "").split()),
        population=_population(pairs, "C" if readings.filter == "C" else "A"),
    )


def matches(body: Json, wanted: dict[str, tuple[str, ...]]) -> bool:
    """Whether an object has one of the wanted values in each field; a list needs one element that has it."""
    return all(any(text in values for text in _texts(value_at(body, path))) for path, values in wanted.items())


def value_at(body: Any, path: str) -> Any:
    """The value at a dotted path; None where there is none."""
    for name in path.split("."):
        if isinstance(body, list):
            body = [one.get(name) for one in body if isinstance(one, dict)]
        elif isinstance(body, dict):
            body = body.get(name)
        else:
            return None
    return body


def ordered(bodies: Iterable[Json], sort: Sequence[tuple[str, bool]]) -> list[Json]:
    """Sorted by any fields: nothing first, then numbers, then text."""
    found = list(bodies)
    for path, descending in reversed(sort):
        ranks = [_rank(value_at(body, path)) for body in found]
        places = sorted(range(len(found)), key=ranks.__getitem__, reverse=descending)
        found = [found[place] for place in places]
    return found


def projected(body: Json, projection: Sequence[str]) -> Json:
    """Only the properties that were asked for, and ``_id`` unless it is excluded."""
    excluded = {name[1:] for name in projection if name.startswith("-")}
    wanted = [name for name in projection if not name.startswith("-")]
    if not wanted:
        return {name: value for name, value in body.items() if name not in excluded}
    picked: Json = {} if "_id" in excluded else {"_id": body["_id"]}
    for path in wanted:
        _copy(body, picked, path.split("."))
    return picked


def _copy(source: Any, target: Json, names: list[str]) -> None:
    name, rest = names[0], names[1:]
    if not isinstance(source, dict) or name not in source:
        return
    if not rest:
        target[name] = source[name]
    elif isinstance(source[name], list):
        before = target.setdefault(name, [{} for _ in source[name]])
        for element, picked in zip(source[name], before, strict=True):
            _copy(element, picked, rest)
    else:
        _copy(source[name], target.setdefault(name, {}), rest)


def _number(plain: dict[str, str], name: str, default: int) -> int:
    text = plain.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise BadQuery(f"{name} must be a number that is not negative")
    return min(int(text), 2**31)


def _filter(pairs: Pairs, style: str) -> dict[str, tuple[str, ...]]:
    """``status[0]=due&status[1]=paid-partial`` in one of three styles; the other styles mean nothing."""
    if style == "A":
        found = [pair for name, text in pairs if name == "filter" for pair in parse_qsl(text, keep_blank_values=True)]
    elif style == "B":
        found = [(name, text) for name, text in pairs if name.partition("[")[0] not in ORDINARY]
    elif style == "C":
        found = [(_unbracketed(name), text) for name, text in pairs if name.startswith("filter[")]
    else:
        found = []
    wanted: dict[str, tuple[str, ...]] = {}
    for name, text in found:
        path = re.sub(r"\[\d*\]$", "", name)
        wanted[path] = (*wanted.get(path, ()), text)
    return wanted


def _unbracketed(name: str) -> str:
    """``filter[status][0]`` is ``status[0]``, and ``filter[profile.firstName]`` is ``profile.firstName``."""
    path, _, rest = name[len("filter[") :].partition("]")
    return path + rest


def _population(pairs: Pairs, style: str) -> tuple[tuple[str, str], ...]:
    """``0[path]=contact&0[select]=profile``, nested (A) or bracketed (C)."""
    if style == "A":
        found = [pair for name, text in pairs if name == "population" for pair in parse_qsl(text)]
    else:
        found = [
            (name[len("population[") :].replace("]", "", 1), text)
            for name, text in pairs
            if name.startswith("population[")
        ]
    entries: dict[str, dict[str, str]] = {}
    for name, text in found:
        number, _, key = name.partition("[")
        entries.setdefault(number, {})[key.rstrip("]")] = text
    return tuple((entry["path"], entry.get("select", "")) for entry in entries.values() if "path" in entry)


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    if isinstance(value, dict):
        return _texts(value.get("_id"))
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return ["" if value is None else str(value)]


def _rank(value: Any) -> tuple[int, float, str]:
    if value is None:
        return (0, 0, "")
    if isinstance(value, int | float):
        return (1, value, "")
    return (2, 0, str(value))
