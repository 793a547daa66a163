"""What `check` says of a CRM tool: reached or not, its account, and the properties that the settings need."""

from __future__ import annotations

from collections.abc import Iterator

from qualy_sync.contracts.errors import ToolError
from qualy_sync.ledger.books import find_book
from qualy_sync.ledger.engine import get_meta

from ..connections import ConnectionProblem
from ..crm_desk import CrmDesk
from ..signals import RunProblem
from .findings import Finding, Level


def crm_findings(desk: CrmDesk, source_is_stand_in: bool | None) -> Iterator[Finding]:
    """One finding after the other; nothing is written."""
    title = desk.wiring.title
    try:
        account = desk.tool.account()
        missing = desk.missing_properties()
    except ConnectionProblem:
        return  # told already
    except (ToolError, RunProblem) as error:
        yield Finding(Level.PROBLEM, title, str(error))
        return
    kind = f"a stand-in, not {title}" if account.stand_in else "the real one"
    yield Finding(Level.OK, title, f"Reached ({kind}): {account.name}.")
    with desk.ledger.reading() as connection:
        stamp = get_meta(connection, "stamp")
    if source_is_stand_in is not None and source_is_stand_in != account.stand_in:
        yield Finding(Level.PROBLEM, title, f"Qualy or {title} is a stand-in and the other is not; they never mix.")
    if stamp is not None and (stamp == "stand-in") != account.stand_in:
        yield Finding(Level.PROBLEM, title, f"The ledger holds {stamp} records; use another one (QUALY_LEDGER_URL).")
    book = find_book(desk.ledger, desk.tool_id)
    if book is not None and book.organisation != account.id:
        yield Finding(Level.PROBLEM, title, f"The ledger's links belong to {book.name}, not to this account.")
    if missing:
        names = ", ".join(one.name for one in missing)
        makes = desk.wiring.section(desk.desk.settings).create_properties
        remedy = "The first run makes them." if makes else f"bin/qualy connect {desk.tool_id} --create-properties"
        yield Finding(Level.NOTE if makes else Level.PROBLEM, title, f"It lacks properties of ours: {names}. {remedy}")
    else:
        yield Finding(Level.OK, title, "Every property that the settings name is there.")
    if not desk.suppression.present:
        yield Finding(
            Level.NOTE,
            title,
            "The list of people who were erased or said no does not exist yet: creating contacts waits until a preview"
            " is confirmed. Keep the file (QUALY_SUPPRESSION) apart from the ledger, and back it up.",
        )
    if desk.writer is None and "into_qualy" in desk.stages:
        yield Finding(
            Level.NOTE,
            title,
            "Nothing is written in Qualy: update_in_qualy and create_in_qualy are off in the settings.",
        )
    for gap in desk.tool.gaps:
        yield Finding(Level.NOTE, f"{title}: {gap.subject}", gap.sentence)
