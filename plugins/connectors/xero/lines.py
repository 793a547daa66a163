"""The lines of a document in Xero, there and back, with what of a line is not ours left as it is. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connectors.xero.fields import Row, needed_minor, text
from qualy_sync.contracts.accounting import Basis, Line, RemoteLine
from qualy_sync.contracts.errors import WrongShape

# What of a line is somebody else's, and goes back with it: a line that comes without its id is made anew.
_KEPT = ("LineItemID", "ItemCode", "Tracking")
_BASES = {"Inclusive": Basis.INCLUSIVE, "Exclusive": Basis.EXCLUSIVE}


def basis(row: Row) -> Basis | None:
    """Whether amounts hold their tax; a document without tax says neither."""
    return _BASES.get(text(row, "LineAmountTypes"))


def lines(row: Row, currency: str) -> tuple[RemoteLine, ...] | None:
    """The lines, None where this answer does not show them (a list that was not asked for page by page)."""
    found = row.get("LineItems")
    if not found:
        return None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise WrongShape("Xero answered LineItems that are no list of objects.")
    return tuple(_line(one, currency) for one in found)


def _line(row: Row, currency: str) -> RemoteLine:
    kept = {name: row[name] for name in _KEPT if row.get(name)}
    return RemoteLine(
        description=text(row, "Description"),
        # A line that is a text alone has no amount.
        amount=needed_minor(row, "LineAmount", currency) if row.get("LineAmount") is not None else 0,
        account=text(row, "AccountCode"),
        tax=text(row, "TaxType"),
        rest=json.dumps(kept, ensure_ascii=False, sort_keys=True, default=_digits) if kept else "",
    )


def _digits(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(type(value).__name__)


def matched(new: Sequence[Line], there: Sequence[RemoteLine]) -> list[RemoteLine | None]:
    """For each new line the line there that it stands for: the same one, else the one in its place."""
    left = list(enumerate(there))
    found: list[RemoteLine | None] = [None] * len(new)
    for place, line in enumerate(new):
        same = next((one for one in left if _is_same(line, one[1])), None)
        if same is not None:
            found[place] = same[1]
            left.remove(same)
    for place in range(len(new)):
        if found[place] is None:
            at_place = next((one for one in left if one[0] == place), None)
            if at_place is not None:
                found[place] = at_place[1]
                left.remove(at_place)
    return found


def _is_same(line: Line, there: RemoteLine) -> bool:
    return (line.description, line.amount, line.account, line.tax) == (
        there.description,
        there.amount,
        there.account,
        there.tax,
    )


def rest_of(line: RemoteLine | None) -> dict[str, Any]:
    """What goes back with a line."""
    return dict(json.loads(line.rest)) if line is not None and line.rest else {}
