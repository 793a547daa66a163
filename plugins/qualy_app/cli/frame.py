"""What every command shares: its way of speaking, its statuses, and errors as one sentence."""

from __future__ import annotations

import enum
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from rich.console import Console
from rich.table import Table

from qualy_sync.contracts.errors import ToolError
from qualy_sync.crm.work import CrmProblem
from qualy_sync.ledger import LedgerError
from qualy_sync.ledger.leases import LeaseHeld, LeaseLost
from qualy_sync.load import RunProblem as CoreProblem
from qualy_sync.settings import SettingsError

from ..connections import ConnectionProblem
from ..desk import Desk
from ..params import ParamsError
from ..signals import RunProblem, WaitUntil

NOT_COMPARED = "Both sides could not be compared and reported either"
WIDE = 240  # columns where the output is not a terminal: nothing is cut for who reads a file

_EXACT = re.compile(r'"\\u0000(-?[0-9.eE+-]+)"')

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of text for a person.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the whole trace of an error.")]
By = Annotated[str, typer.Option("--by", help="Your name; it is kept with what you decide.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with what you decide.")]


class Exit(enum.IntEnum):
    """Exit statuses of every command."""

    OK = 0
    WAITS = 1  # it ran, and some records wait for a person
    USAGE = 2  # the command, a connection or the settings are wrong
    CANNOT = 3  # it could not run: reconnect, lease held, unreachable, no ledger


class UsageProblem(Exception):
    """The command was called wrongly; the text says how to call it."""


class Output:
    """Where a command speaks: text on a terminal, or one JSON document."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        width = None if sys.stdout.isatty() else WIDE
        self._console = Console(width=width, highlight=False, emoji=False, markup=False)

    @property
    def on_a_terminal(self) -> bool:
        return not self.as_json and sys.stderr.isatty()

    def json(self, content: Any) -> None:
        """The command's one JSON document; ignored where text was asked for."""
        if self.as_json:
            text = json.dumps(plain(content), ensure_ascii=False, indent=2)
            sys.stdout.write(_EXACT.sub(r"\1", text) + "\n")

    def say(self, text: str = "", style: str | None = None) -> None:
        """Text for a person; ignored where JSON was asked for."""
        if not self.as_json:
            self._console.print(text, style=style, soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> None:
        if self.as_json or not rows:
            return
        table = Table(box=None, header_style="bold", pad_edge=False)
        for column in columns:
            table.add_column(column, justify="right" if column in right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(visible(cell) for cell in row))
        self._console.print(table)


@contextmanager
def speaking(as_json: bool, debug: bool) -> Iterator[Output]:
    """A command's body: gives its output, and turns errors into one sentence and a status."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    logging.getLogger("qualy_sync").setLevel(logging.ERROR)
    output = Output(as_json)
    try:
        yield output
    except typer.Exit:
        raise
    except Exception as error:
        if debug:
            raise
        status, message = told(error)
        message = "\n".join([message, *getattr(error, "__notes__", ())])
        output.json({"error": {"status": int(status), "message": message}})
        if not as_json:
            Console(stderr=True, highlight=False, markup=False).print(message, soft_wrap=True)
        raise typer.Exit(int(status)) from None


@contextmanager
def reported_all_the_same(report: Callable[[], object], failed: str) -> Iterator[None]:
    """Makes the report where the body is stopped, too. What stopped it is what is raised; where the report cannot be
    made either, it says so in a note that begins with `failed`."""
    try:
        yield
    except Exception as stopped:
        try:
            report()
        except EXPECTED as error:
            stopped.add_note(f"{failed}: {told(error)[1]}")
        raise


_WRONG = (UsageProblem, ParamsError, ConnectionProblem, SettingsError)
_CANNOT = (RunProblem, CoreProblem, CrmProblem, WaitUntil, LeaseHeld, LeaseLost, LedgerError, ToolError)
EXPECTED = (*_WRONG, *_CANNOT, LookupError, OSError, sa.exc.DBAPIError)
"""What a run may raise that is nobody's mistake in the program."""


def told(error: Exception) -> tuple[Exit, str]:
    """The status and the sentence of an error."""
    if isinstance(error, RunProblem) and isinstance(error.__cause__, SettingsError):
        return Exit.USAGE, str(error)
    if isinstance(error, _WRONG):
        return Exit.USAGE, str(error)
    if isinstance(error, _CANNOT):
        return Exit.CANNOT, str(error)
    if isinstance(error, LookupError) and error.args and isinstance(error.args[0], str) and " " in error.args[0]:
        return Exit.USAGE, error.args[0]
    if isinstance(error, sa.exc.DBAPIError):
        why = str(error.orig).strip().splitlines()[0]
        return Exit.CANNOT, f"The ledger could not be used ({why}). Look at QUALY_LEDGER_URL and at the database."
    return Exit.CANNOT, (
        f"This should not have happened ({type(error).__name__}). Nothing that was sent is forgotten; run the command"
        " again with --debug and report the trace."
    )


def open_desk(output: Output, *, migrate: bool = False) -> Desk:
    """The desk, with a ledger that has its tables. Raises UsageProblem and RunProblem."""
    desk = Desk()
    if not desk.environment.get("QUALY_LEDGER_URL"):
        raise UsageProblem(
            "QUALY_LEDGER_URL is not set: it names the ledger, such as sqlite:////var/lib/qualy/ledger.db. After a"
            " `make run`, bin/qualy uses that run's ledger by itself."
        )
    if not desk.ledger.version():
        if not migrate:
            raise RunProblem("The ledger is still empty. Begin with: bin/qualy check")
        desk.ledger.migrate()
    return desk


def book_of(desk: Desk) -> int:
    """The book that the settings' tool is kept in. Raises RunProblem before the first run."""
    from qualy_sync.ledger.books import find_book

    found = find_book(desk.ledger, desk.accounting.tool)
    if found is None:
        raise RunProblem(f"Nothing was planned for {desk.wiring.title} yet. Begin with: bin/qualy sync accounting")
    return int(found.id)


def plain(value: Any) -> Any:
    """Values as JSON has them."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one) for one in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    return value


def exact(number: str) -> str:
    """For `json.loads(parse_float=exact)`: a number that `Output.json` writes digit by digit as it was read."""
    return f"\x00{number}"


def visible(text: str) -> str:
    """Text from outside without what would steer a terminal."""
    return "".join(character if character.isprintable() or character == "\n" else "·" for character in text)
