"""What a run of a DAG can be asked for, as closed models: nothing unknown passes silently."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from .signals import RunProblem

MOST_IDS = 1000
_ID = re.compile(r"[\w.:@-]{1,200}", re.ASCII)


class ParamsError(RunProblem):
    """A parameter of the run is unknown or malformed; the text names it and what is allowed."""


@dataclass(frozen=True, slots=True)
class SyncParams:
    """The parameters of one run of `sync_accounting`."""

    preview: bool = False
    """Show what would be written, write nothing."""
    only: tuple[str, ...] = ()
    """Qualy ids of payments; empty: all."""
    since: date | None = None
    """Only documents and settlements dated on this day or later, and the contacts that they need."""
    confirm: str | None = None
    """The hash that a preview printed."""

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> SyncParams:
        """The parameters in `given` (a DAG run's params and conf). Raises ParamsError."""
        _refuse_unknown(given, [field.name for field in fields(cls)])
        return cls(
            preview=_flag("preview", given.get("preview")),
            only=_ids("only", given.get("only")),
            since=_day("since", given.get("since")),
            confirm=_text("confirm", given.get("confirm")),
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values, to be kept with the run; `parse` takes them back."""
        return {
            "preview": self.preview,
            "only": list(self.only),
            "since": self.since.isoformat() if self.since else None,
            "confirm": self.confirm,
        }


@dataclass(frozen=True, slots=True)
class ExportParams:
    """The parameters of one run of `export_csv`."""

    full: bool = False
    """Everything, whatever the settings say."""
    since: date | None = None
    """Only what changed on this day or later, UTC; the next run goes on from where the one before this ended."""

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> ExportParams:
        """The parameters in `given` (a DAG run's params and conf). Raises ParamsError."""
        _refuse_unknown(given, [field.name for field in fields(cls)])
        found = cls(full=_flag("full", given.get("full")), since=_day("since", given.get("since")))
        if found.full and found.since:
            raise ParamsError("Either 'full' or 'since': an export holds everything, or what changed since a day.")
        return found

    def as_json(self) -> dict[str, Any]:
        """Plain values, to be kept with the run; `parse` takes them back."""
        return {"full": self.full, "since": self.since.isoformat() if self.since else None}


def _refuse_unknown(given: Mapping[str, Any], known: list[str]) -> None:
    for key in given:
        if key not in known:
            raise ParamsError(_unknown(str(key), known))


def _unknown(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"There is no parameter {key[:60]!r}.{hint} A run takes: {', '.join(known)}."


def _flag(name: str, value: Any) -> bool:
    if value is None:
        return False
    if isinstance(value, bool):
        return value
    raise ParamsError(f"The parameter {name!r} is true or false, not {_shown(value)}.")


def _ids(name: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        value = re.split(r"[\s,;]+", value.strip())
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ParamsError(f"The parameter {name!r} is a list of Qualy ids separated by commas, not {_shown(value)}.")
    ids = tuple(dict.fromkeys(each.strip() for each in value if each.strip()))
    for each in ids:
        if not _ID.fullmatch(each):
            raise ParamsError(f"The parameter {name!r} holds {_shown(each)}, which is not a Qualy id.")
    if len(ids) > MOST_IDS:
        raise ParamsError(f"The parameter {name!r} names {len(ids)} records; {MOST_IDS} is the most.")
    return ids


def _day(name: str, value: Any) -> date | None:
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ParamsError(f"The parameter {name!r} is a date such as 2026-07-15, not {_shown(value)}.") from None


def _text(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ParamsError(f"The parameter {name!r} is the hash that a preview shows, not {_shown(value)}.")
    return value.strip() or None


def _shown(value: Any) -> str:
    return repr(value)[:60]
