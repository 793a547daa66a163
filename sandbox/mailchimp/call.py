"""One call of the API, read from HTTP or from an operation of a batch. Also what every answer goes through."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.mailchimp.answers import Answer, Json, Problem, dump, invalid

MOST_PER_PAGE = 1000
DEFAULT_PER_PAGE = 10


@dataclass(slots=True)
class Call:
    """Where it goes (below ``/3.0``), what it carries; ``base`` is the address of the stand-in."""

    base: str
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    partial_after: int | None = None
    lost: bool = False

    def data(self) -> Json:
        """The body as an object; nothing and ``null`` are an empty one. Raises Problem."""
        try:
            found = json.loads(self.body, parse_constant=_no_constant) if self.body.strip() else None
        except (ValueError, RecursionError) as error:
            raise Problem(400, "JSON Parse Error", "We encountered an unspecified JSON parsing error.") from error
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise invalid("Schema describes object, but the body is something else.")
        return found

    def switch(self, name: str) -> bool:
        """A boolean of the query: ``true``, ``True`` and ``1``."""
        return self.query.get(name, "").lower() in {"true", "1"}

    def page(self) -> tuple[int, int]:
        """``count`` and ``offset``. Raises Problem."""
        count = self._number("count", DEFAULT_PER_PAGE)
        if count > MOST_PER_PAGE:
            raise invalid(f"count is a whole number from 0 to {MOST_PER_PAGE}.")
        return count, self._number("offset", 0)

    def moment(self, name: str) -> int | None:
        """A moment of the query in seconds since 1970. Raises Problem for one that cannot be read."""
        text = self.query.get(name)
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError as error:
            raise invalid(f"{name} is a time in ISO 8601 such as 2026-07-15T00:00:00+00:00, not {text!r}.") from error
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())

    def answer(self, content: Json) -> Answer:
        """200 with the fields that the caller asked for."""
        wanted, unwanted = self._names("fields"), self._names("exclude_fields")
        if wanted:
            content = _only(content, [name.split(".") for name in wanted])
        if unwanted:
            content = _without(content, [name.split(".") for name in unwanted])
        return Answer(200, dump(content))

    def _names(self, name: str) -> list[str]:
        return [part.strip() for part in self.query.get(name, "").split(",") if part.strip()]

    def _number(self, name: str, default: int) -> int:
        text = self.query.get(name, "")
        if not text:
            return default
        if not text.isascii() or not text.isdigit():
            raise invalid(f"{name} is a whole number from 0, not {text!r}.")
        return int(text)


def link(rel: str, href: str, method: str = "GET") -> Json:
    """One entry of ``_links``."""
    return {"rel": rel, "href": href, "method": method}


def _only(value: Any, paths: list[list[str]]) -> Any:
    """The parts of a document that dotted paths name; a list is looked into element by element."""
    if any(not path for path in paths):
        return value
    if isinstance(value, list):
        return [_only(one, paths) for one in value]
    if not isinstance(value, dict):
        return value
    heads = {path[0] for path in paths}
    return {
        key: _only(one, [path[1:] for path in paths if path[0] == key]) for key, one in value.items() if key in heads
    }


def _without(value: Any, paths: list[list[str]]) -> Any:
    """The document without the parts that dotted paths name."""
    if isinstance(value, list):
        return [_without(one, paths) for one in value]
    if not isinstance(value, dict):
        return value
    gone = {path[0] for path in paths if len(path) == 1}
    return {
        key: _without(one, [path[1:] for path in paths if len(path) > 1 and path[0] == key])
        for key, one in value.items()
        if key not in gone
    }


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
