"""The CSV export: what is due of the ledger, to the place that the settings name, remembered once it is there."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.csv_files import Delivered, Part, deliver
from qualy_sync.export import BEGINNING, Position, Span, Table, position, position_before, tables, write_table
from qualy_sync.ledger.cursors import get_cursor, put_cursor
from qualy_sync.ledger.leases import Lease

from .desk import Desk
from .params import ExportParams
from .signals import RunProblem
from .tools import TOOLS

LEASE = timedelta(minutes=5)
RENEWED_AFTER = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote and where; nothing where nothing had changed."""

    place: str
    full: bool
    files: Sequence[Delivered] = ()

    def counts(self) -> dict[str, int]:
        """Rows by file."""
        return {file.name.partition(".")[0]: file.rows for file in self.files}


def export(desk: Desk, params: ExportParams, to: str = "") -> Exported:
    """Writes the files; `to` names another place than the settings do.

    Raises LeaseHeld while another export works, RunProblem for a place that is none, and what `deliver` raises.
    """
    target = to or desk.csv_target
    cursor = f"csv:{hashlib.sha256(target.encode()).hexdigest()[:16]}"
    with Lease(desk.ledger, "csv_export", LEASE) as lease:
        with desk.ledger.reading() as connection:
            until = position(connection)
            day = position_before(connection, params.since) if params.since else None
            span = _span(desk, params, day, _last(desk, cursor), until)
            folder = _folder(params, span)
            place = place_of(f"{target.rstrip('/')}/{folder}" if folder else target)
            if span.after == span.until:
                return Exported(str(place), span.full)
            titles = {name: tool.title for name, tool in TOOLS.items()}
            now = desk.ledger.now()
            found = tables(connection, span, now, titles, desk.settings.source.payment_link or "")
            renewing = _Renewing(lease)
            parts = [_part(table, renewing, desk.settings.csv.byte_order_mark) for table in found]
            about = {
                "made_at": now.isoformat(timespec="seconds"),
                "content": "full" if span.full else "changed",
                "extraction": span.until.extraction,
                "changed_after_extraction": span.after.extraction,
            }
            files = deliver(place, parts, about, still_ours=renewing)
        if params.since is None:
            with desk.ledger.writing() as connection:
                lease.check(connection)
                put_cursor(connection, cursor, {"extraction": until.extraction, "outcome": until.outcome})
    return Exported(str(place), span.full, files)


def place_of(target: str) -> Any:
    """A folder as a `Path`; everything else as Airflow reaches it, with the connection that the address names.

    Raises RunProblem where nothing is installed that reaches it.
    """
    if target.startswith("file://"):
        target = target.removeprefix("file://")
    if "://" not in target:
        return Path(target).expanduser().absolute()
    from airflow.sdk import ObjectStoragePath

    try:
        place = ObjectStoragePath(target)
        _ = place.fs
    except (ImportError, ValueError) as error:
        scheme = target.partition("://")[0]
        raise RunProblem(
            f"Nothing is installed that reaches {scheme}:// ({error}). Install the Airflow provider for it, such as"
            " apache-airflow-providers-amazon[s3fs] for s3, or set csv.target to a folder."
        ) from error
    return place


def _span(desk: Desk, params: ExportParams, day: Position | None, last: Position, until: Position) -> Span:
    if day is not None:
        return Span(day, until)
    full = params.full or desk.settings.csv.content == "full"
    return Span(BEGINNING if full else last, until)


def _folder(params: ExportParams, span: Span) -> str:
    """Below the target: nothing for everything, else a folder that no later export touches."""
    if params.since is not None:
        return f"since-{params.since.isoformat()}"
    return "" if span.full else f"changed-{span.until.extraction:06}-{span.until.outcome:09}"


def _last(desk: Desk, cursor: str) -> Position:
    kept = get_cursor(desk.ledger, cursor)
    return Position(int(kept["extraction"]), int(kept["outcome"])) if kept else BEGINNING


def _part(table: Table, renewing: _Renewing, byte_order_mark: bool) -> Part:
    kept = replace(table, rows=_while(table.rows, renewing))
    return Part(f"{table.name}.csv", lambda file: write_table(file, kept, byte_order_mark))


def _while(rows: Iterable[Sequence[Any]], renewing: _Renewing) -> Iterator[Sequence[Any]]:
    """The rows, with the lease renewed while they are read."""
    for row in rows:
        renewing()
        yield row
    renewing.at_once()


class _Renewing:
    """Renews a lease now and then, however often it is called. Raises LeaseLost where it is somebody else's."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._renewed = -math.inf

    def __call__(self) -> None:
        if time.monotonic() - self._renewed > RENEWED_AFTER:
            self.at_once()

    def at_once(self) -> None:
        self._lease.renew()
        self._renewed = time.monotonic()
