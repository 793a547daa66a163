"""A preview as a person and as a program read it: the exact documents, and the hash that confirms them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from qualy_sync.contracts.accounting import (
    Change,
    Line,
    NewContact,
    NewDocument,
    NewSettlement,
    RemoteDocument,
    RemoteLine,
)
from qualy_sync.load import Work
from qualy_sync.model import to_decimal
from qualy_sync.outcomes import Code
from qualy_sync.plan import Key, Planned

from ..previews import Preview
from .frame import Output, exact

COLUMNS = ("leg", "Qualy id", "number", "date", "amount", "account", "tax", "text", "held as")


def show_preview(output: Output, work: Work, made: Preview) -> None:
    """Prints it; JSON holds each body as it would be sent, apart from ids of what does not exist yet."""
    goes = _would_go(made.planned)
    going = [one for one in made.planned if one.key in goes]
    held = [one for one in made.planned if one.key not in goes]
    output.json(
        {
            "hash": made.hash,
            "counts": {"would_write": len(going), "held": len(held)},
            "would_write": [_as_json(work, one, held=False) for one in going],
            "held": [_as_json(work, one, held=True) for one in held],
        }
    )
    rows = [row for one in going for row in _rows(one, held=False)]
    rows += [row for one in held for row in _rows(one, held=True)]
    output.table(COLUMNS, rows, right=("amount",))
    output.say()
    output.say(f"{len(going):,} would be written now, {len(held):,} are held. Nothing was written.")
    output.say(f"To confirm exactly this plan: bin/qualy sync accounting --confirm {made.hash} --by YOUR-NAME")


CHANGE_COLUMNS = ("leg", "Qualy id", "number", "date", "amount", "account", "tax", "is or will be", "held as")


def show_changes(output: Output, work: Work, made: Preview) -> None:
    """Documents that exist, as they are and as they would be, line by line."""
    going = [one for one in made.planned if one.due]
    held = [one for one in made.planned if not one.due]
    output.json(
        {
            "hash": made.hash,
            "counts": {"would_change": len(going), "held": len(held)},
            "would_change": [_change_as_json(one) for one in going],
            "held": [_change_as_json(one) for one in held],
        }
    )
    output.table(CHANGE_COLUMNS, [row for one in made.planned for row in _change_rows(one)], right=("amount",))
    output.say()
    output.say(f"{len(going):,} would be changed, {len(held):,} are held. Nothing was written.")


def _change_rows(one: Planned) -> list[list[str]]:
    change = one.step.new if one.step is not None else None
    if not isinstance(change, Change) or not isinstance(change.new, NewDocument):
        return []
    held_as = str(one.outcome.code) if one.outcome else ""
    head = [str(one.leg), one.source_id, change.new.number]
    rows: list[list[str]] = []
    there = change.there
    sides: list[tuple[str, date, Sequence[Line | RemoteLine]]] = [("will be", change.new.date, change.new.lines)]
    if isinstance(there, RemoteDocument):
        sides.insert(0, ("is", there.date, there.lines or ()))
    for word, day, lines in sides:
        for line in lines:
            amount = f"{change.new.currency} {to_decimal(line.amount, change.new.currency)}"
            rows.append([*head, day.isoformat(), amount, line.account, line.tax, word, held_as])
    return rows


def _change_as_json(one: Planned) -> dict[str, Any]:
    sides: dict[str, list[dict[str, str]]] = {"is": [], "will be": []}
    for row in _change_rows(one):
        sides[row[7]].append(dict(zip(("date", "amount", "account", "tax"), row[3:7], strict=True)))
    return {
        "leg": str(one.leg),
        "id": one.source_id,
        "payment": one.payment_id,
        "is": sides["is"],
        "will_be": sides["will be"],
        "held_as": str(one.outcome.code) if one.outcome else None,
        "why": one.outcome.sentence() if one.outcome else None,
    }


def _would_go(planned: Sequence[Planned]) -> set[Key]:
    """What is due, and what only waits for something of this plan that goes before it."""
    goes = {one.key for one in planned if one.due}
    waiting = [one for one in planned if one.outcome is not None and one.outcome.code is Code.WAITING_FOR]
    while more := {one.key for one in waiting if one.key not in goes and one.step and one.step.needs in goes}:
        goes |= more
    return goes


def _as_json(work: Work, one: Planned, *, held: bool) -> dict[str, Any]:
    step = one.step
    assert step is not None  # a preview holds steps only
    return {
        "leg": str(one.leg),
        "id": one.source_id,
        "payment": one.payment_id,
        "ref": step.ref,
        "amount": str(to_decimal(one.amount, one.currency)) if one.currency else None,
        "currency": one.currency or None,
        "held_as": str(one.outcome.code) if held and one.outcome else None,
        "why": one.outcome.sentence() if held and one.outcome else None,
        "body": json.loads(work.tool.body([step.new]), parse_float=exact),
    }


def _rows(one: Planned, *, held: bool) -> list[list[str]]:
    new = one.step.new if one.step is not None else None
    held_as = str(one.outcome.code) if held and one.outcome else ""
    head = [str(one.leg), one.source_id]
    if isinstance(new, NewDocument):
        head += [new.number, new.date.isoformat()]
        return [
            [
                *head,
                f"{new.currency} {to_decimal(line.amount, new.currency)}",
                line.account,
                line.tax,
                line.description,
                held_as,
            ]
            for line in new.lines
        ]
    if isinstance(new, NewSettlement):
        amount = f"{new.currency} {to_decimal(new.amount, new.currency)}"
        return [[*head, "", new.date.isoformat(), amount, new.account, "", "", held_as]]
    if isinstance(new, NewContact):
        return [[*head, new.ref, "", "", "", "", f"{new.name} <{new.email}>" if new.email else new.name, held_as]]
    return []
