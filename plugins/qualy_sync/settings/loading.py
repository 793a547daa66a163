"""From a file to settings, or to every mistake in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .checks import Disagreement, Parts, disagreements
from .explain import explain
from .model import Settings
from .problems import Problem, SettingsError, dotted, nearest
from .rate_table import read_rates
from .yaml_file import Document, read

NO_TOOL = "none"
_WITH_REQUIRED_KEYS = ("payments", "splits")  # written or not, their missing keys are told one by one


def load(path: Path | str, tools: Sequence[str] = ("xero",)) -> Settings:
    """Reads and validates the settings. `tools` are the accounting tools that are wired.

    Looks at nothing but the file, and at the table of rates that it names. Raises SettingsError with every mistake:
    file, line, key, what is allowed there.
    """
    document = read(Path(path))
    problems = document.problems
    values = _top(document)
    tool = _tool(document, values, tools)
    settings, found = _validated(document, values, chosen=tool != NO_TOOL)
    problems += found
    if settings is not None:
        settings, found = _with_rates(settings, Path(path))
        problems += found
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


def _with_rates(settings: Settings, path: Path) -> tuple[Settings, list[Problem]]:
    """The settings with the rates of their table, which stands beside the file."""
    file = rates_file(settings, path)
    if settings.accounting is None or file is None:
        return settings, []
    table, problems = read_rates(file)
    currencies = settings.accounting.currencies.with_table(table)
    accounting = settings.accounting.model_copy(update={"currencies": currencies})
    return settings.model_copy(update={"accounting": accounting}), problems


def rates_file(settings: Settings, path: Path) -> Path | None:
    """Where the rates of these settings stand, for settings read from `path`; None where they use no table."""
    currencies = settings.accounting.currencies if settings.accounting else None
    if currencies is None or currencies.rates != "table" or currencies.table is None:
        return None
    return path.parent / currencies.table


def _top(document: Document) -> dict[str, Any]:
    """The file's sections, with those that hold required keys present."""
    values = document.values
    if values is None:
        raise SettingsError([Problem(document.file, None, "", "is empty; start from include/settings.yaml")])
    if not isinstance(values, dict):
        raise SettingsError([Problem(document.file, 1, "", "holds no keys; begin with a section such as accounting:")])
    return values


def _tool(document: Document, values: dict[str, Any], tools: Sequence[str]) -> str:
    """The tool that is chosen; a problem is noted where that is none of those that are wired."""
    section = values.get("accounting")
    tool = section.get("tool") if isinstance(section, dict) else None
    path = ("accounting", "tool")
    if tool is None and path in document.spoiled:
        return NO_TOOL
    offered = ", ".join((NO_TOOL, *tools))
    if isinstance(section, (dict, type(None))) and tool is None:
        sentence = f"is missing; allowed: {offered}"
    elif isinstance(tool, list) or (isinstance(tool, str) and {",", "+", "&"} & set(tool)):
        sentence = f"names several; choose one accounting tool of {offered}: a sync cannot be split over two"
    elif isinstance(tool, str) and tool not in (NO_TOOL, *tools):
        sentence = f"found {tool[:60]!r}; allowed: {offered}{nearest(tool, (NO_TOOL, *tools))}"
    else:
        return tool if isinstance(tool, str) else ""
    document.spoil(path, document.line(path) or 1, sentence)
    return NO_TOOL if tool is None else ""


def _validated(document: Document, values: dict[str, Any], chosen: bool) -> tuple[Settings | None, list[Problem]]:
    """Without a tool, what is written must be right, but nothing is missing and nothing disagrees."""
    values = dict(values)
    section = values.get("accounting")
    if isinstance(section, dict):
        absent = [name for name in _WITH_REQUIRED_KEYS if not section.get(name)]
        section = {**section, **{name: {} for name in absent}}
        values["accounting"] = section
    try:
        settings = Settings.model_validate(values, by_alias=True, by_name=False)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    else:
        return settings if chosen else settings.model_copy(update={"accounting": None}), []
    if not chosen:
        errors = [entry for entry in errors if not _of_a_choice(entry)]
        if not errors:
            return Settings.model_validate({**values, "accounting": None}), []
    problems = explain(document, [entry for entry in errors if entry["type"] != "disagreement"])
    if chosen and isinstance(section, dict):
        problems += [_told(document, entry) for entry in disagreements(Parts.readable(section))]
    return None, problems


def _of_a_choice(error: ErrorDetails) -> bool:
    return error["loc"][:1] == ("accounting",) and error["type"] in ("missing", "disagreement")


def _told(document: Document, entry: Disagreement) -> Problem:
    path = ("accounting", *entry.path)
    return Problem(document.file, document.line(path), dotted(path), entry.sentence)
