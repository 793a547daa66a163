"""One call of the API as the endpoints see it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.faults import AnswerLost
from sandbox.hubspot.access import Caller
from sandbox.hubspot.answers import invalid
from sandbox.hubspot.hooks import Source, integration


@dataclass(slots=True)
class Call:
    """``parts`` are what the path names, decoded; ``dated`` whether the path has a date as its version."""

    caller: Caller
    parts: tuple[str, ...]
    query: Sequence[tuple[str, str]]
    body: bytes
    dated: bool
    partial_after: int | None = None
    done: int = field(default=0)

    @property
    def source(self) -> Source:
        """Who writes."""
        return integration(self.caller.source)

    def document(self) -> dict[str, Any]:
        """The body. Raises Refused where it is no JSON object."""
        try:
            document = json.loads(self.body, parse_constant=_no_number)
            if b"\\u" in self.body:
                json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except ValueError as error:
            raise invalid("Invalid input JSON on line 1, column 1: the body is not JSON") from error
        except RecursionError as error:
            raise invalid("Invalid input JSON: the body is nested too deeply") from error
        if not isinstance(document, dict):
            raise invalid("Invalid input JSON on line 1, column 1: the body is not an object")
        return document

    def one(self, name: str, default: str | None = None) -> str | None:
        """A parameter that is there once."""
        return next((value for key, value in self.query if key == name and value), default)

    def several(self, name: str) -> list[str] | None:
        """A list parameter, repeated or with commas; None where it is not given."""
        found = [part.strip() for key, value in self.query if key == name for part in value.split(",")]
        return [part for part in found if part] or None

    def truth(self, name: str) -> bool:
        """``True`` and ``true`` alike."""
        return str(self.one(name, "false")).lower() == "true"

    def number(self, name: str, default: int, most: int) -> int:
        """A number from 1 to ``most``. Raises Refused."""
        text = self.one(name)
        if text is None:
            return default
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise invalid(f"{name} has to be from 1 to {most}")
        return int(text)

    def element_done(self) -> None:
        """One element of a batch was written."""
        self.done += 1

    def break_off(self) -> None:
        """Raises AnswerLost where a test asked for the batch to end here."""
        if self.partial_after is not None and self.done >= self.partial_after:
            raise AnswerLost

    def names(self, name: str) -> list[str] | None:
        """A list of names in the body; None where it is empty or not given. Raises Refused."""
        found = self.document().get(name) or None
        if found is not None and not (isinstance(found, list) and all(isinstance(one, str) for one in found)):
            raise invalid(f"Invalid input JSON: '{name}' is a list of texts")
        return found


def record_number(text: str) -> int | None:
    """A number that can be a record's id or a place in a list; None for anything else."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")
