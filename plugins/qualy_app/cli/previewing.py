"""A preview as a person and as a program read it: the exact documents, and the hash that confirms them."""

from __future__ import annotations

import json
from typing import Any

from qualy_sync.contracts.accounting import NewContact, NewDocument, NewSettlement
from qualy_sync.load import Work
from qualy_sync.model import to_decimal
from qualy_sync.plan import Planned

from ..previews import Preview
from .frame import Output

COLUMNS = ("leg", "Qualy id", "number", "date", "amount", "account", "tax", "text", "held as")


def show_preview(output: Output, work: Work, made: Preview) -> None:
    """Prints it; JSON holds each body as it would be sent, apart from ids of what does not exist yet."""
    output.json(
        {
            "hash": made.hash,
            "counts": made.counts(),
            "would_write": [_as_json(work, one) for one in made.planned if one.due],
            "held": [_as_json(work, one) for one in made.planned if not one.due],
        }
    )
    rows = [row for one in made.planned for row in _rows(one)]
    output.table(COLUMNS, rows, right=("amount",))
    output.say()
    due = sum(1 for one in made.planned if one.due)
    output.say(f"{due:,} would be written now, {len(made.planned) - due:,} are held. Nothing was written.")
    output.say(f"To confirm exactly this plan: bin/qualy sync accounting --confirm {made.hash} --by YOUR-NAME")


def _as_json(work: Work, one: Planned) -> dict[str, Any]:
    step = one.step
    assert step is not None  # a preview holds steps only
    return {
        "leg": str(one.leg),
        "id": one.source_id,
        "payment": one.payment_id,
        "ref": step.ref,
        "amount": str(to_decimal(one.amount, one.currency)) if one.currency else None,
        "currency": one.currency or None,
        "held_as": str(one.outcome.code) if one.outcome else None,
        "why": one.outcome.sentence() if one.outcome else None,
        "body": json.loads(work.tool.body([step.new])),
    }


def _rows(one: Planned) -> list[list[str]]:
    new = one.step.new if one.step is not None else None
    held = str(one.outcome.code) if one.outcome else ""
    head = [str(one.leg), one.source_id]
    if isinstance(new, NewDocument):
        return [
            [*head, new.number, new.date.isoformat(), f"{new.currency} {to_decimal(line.amount, new.currency)}"]
            + [line.account, line.tax, line.description, held]
            for line in new.lines
        ]
    if isinstance(new, NewSettlement):
        amount = f"{new.currency} {to_decimal(new.amount, new.currency)}"
        return [[*head, "", new.date.isoformat(), amount, new.account, "", "", held]]
    if isinstance(new, NewContact):
        return [[*head, new.ref, "", "", "", "", f"{new.name} <{new.email}>" if new.email else new.name, held]]
    return []
