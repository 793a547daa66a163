"""The report's CSV files: UTF-8 with a byte order mark, which Excel needs, and RFC 4180 throughout.

Rows are written as they are read, so that memory does not grow with their number; a large file is zipped on the way.
"""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TextIO
from zoneinfo import ZoneInfo

from qualy_sync.model import exponent, to_decimal
from qualy_sync.outcomes import MEANINGS
from qualy_sync.reconcile import COLUMNS, Line

from .escape import csv_text
from .values import Disagreement, ToRecode, Waiting

ZIP_FROM = 4_000_000  # bytes: about 20,000 records
Cell = str | int | None

RECORD_COLUMNS = (
    "leg", "qualy_id", "payment_id", "number", "group", "outcome", "who_acts", "reason", "remedy", "currency", "amount",
    "accounting_month", "since", "qualy_link", "tool_link",
)  # fmt: skip
DIFFERENCE_COLUMNS = (
    "what", "leg", "qualy_id", "tool_id", "currency", "ours", "theirs", "sentence", "tool_link",
)  # fmt: skip
RECODE_COLUMNS = ("leg", "qualy_id", "number", "accounts", "currency", "amount", "date", "tool_link")
TOTAL_COLUMNS = ("kind", "currency", "accounting_month", "records", "qualy", *COLUMNS, "difference")


class Number(str):
    """A number as text: it goes into the file as it is."""


def records(found: Iterable[Waiting], zone: ZoneInfo) -> Iterable[Sequence[Cell]]:
    """Rows of outcomes.csv and waiting.csv."""
    for one in found:
        yield (
            one.leg,
            one.source_id,
            one.payment_id,
            one.number,
            str(MEANINGS[one.code].group),
            str(one.code),
            str(one.actor),
            one.reason,
            one.remedy,
            one.currency,
            amount(one.amount, one.currency),
            one.month,
            moment(one.since, zone),
            one.source_url,
            one.tool_url,
        )


def differences(found: Iterable[Disagreement]) -> Iterable[Sequence[Cell]]:
    """Rows of differences.csv."""
    for one in found:
        yield (
            one.what,
            one.leg,
            one.source_id,
            one.remote_id,
            one.currency,
            amount(one.ours, one.currency),
            amount(one.theirs, one.currency),
            one.sentence,
            one.tool_url,
        )


def to_recode(found: Iterable[ToRecode]) -> Iterable[Sequence[Cell]]:
    """Rows of to_recode.csv."""
    for one in found:
        yield (
            one.leg,
            one.source_id,
            one.number,
            " ".join(one.accounts),
            one.currency,
            amount(one.amount, one.currency),
            one.date.isoformat(),
            one.tool_url,
        )


def totals(lines: Iterable[Line]) -> Iterable[Sequence[Cell]]:
    """Rows of totals.csv: the statement, line by line."""
    for line in lines:
        yield (
            line.kind,
            line.currency,
            line.month,
            line.records,
            amount(line.qualy, line.currency),
            *(amount(line.amounts[column], line.currency) for column in COLUMNS),
            amount(line.difference, line.currency),
        )


def write(name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> tuple[str, bytes]:
    """The file's name and content; beyond `ZIP_FROM` bytes it is `name.zip` with the file in it."""
    with tempfile.TemporaryFile() as plain:
        text = io.TextIOWrapper(plain, encoding="utf-8-sig", newline="", write_through=False)
        write_rows(text, columns, rows)
        text.flush()
        size = plain.tell()
        plain.seek(0)
        if size <= ZIP_FROM:
            content = plain.read()
            text.detach()
            return name, content
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as entry:
            while chunk := plain.read(1 << 16):
                entry.write(chunk)
        text.detach()
        return f"{name}.zip", packed.getvalue()


def write_rows(text: TextIO, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """A head line and the rows, RFC 4180, formulas defused, into a text that was opened with `newline=""`.

    Rows are taken one at a time. Gives their number.
    """
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow([_cell(cell) for cell in row])
        count += 1
    return count


def amount(minor: int | None, currency: str) -> Number | None:
    """A plain decimal number, its point a point and without separators."""
    if minor is None:
        return None
    return Number(f"{to_decimal(minor, currency):.{exponent(currency)}f}" if currency else str(minor))


def moment(value: datetime, zone: ZoneInfo) -> str:
    """A time stamp that a spreadsheet reads, in the organisation's time zone."""
    return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _cell(value: Cell) -> Cell:
    return csv_text(value) if isinstance(value, str) and not isinstance(value, Number) else value
