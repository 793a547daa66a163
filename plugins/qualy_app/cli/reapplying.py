"""`reapply`: changed settings on documents that exist, for the days named, previewed and confirmed."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated

import typer

from qualy_sync.ledger.runs import end_run, open_run, set_book
from qualy_sync.load import Work
from qualy_sync.load.reapplying import in_the_way, offer_reapply, plan_reapply, reapply
from qualy_sync.plan import Span

from ..pages import TERMINAL
from ..previews import Preview
from .frame import AsJson, Debug, Exit, Output, UsageProblem, open_desk, speaking
from .previewing import show_changes


def reapply_settings(
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="Documents dated then or later.")],
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="Documents dated then or earlier.")],
    confirm: Annotated[str, typer.Option("--confirm", metavar="HASH", help="What the preview printed.")] = "",
    by: Annotated[str, typer.Option("--by", help="Your name; it is kept with the confirmation.")] = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Apply changed settings to documents that exist, dated within some days. Without --confirm, only shows it."""
    with speaking(as_json, debug) as output:
        span = Span(_day("--from", first), _day("--to", last))
        if span.last < span.first:
            raise UsageProblem(f"--to {last} is before --from {first}.")
        if confirm and not by.strip():
            raise UsageProblem("A confirmation is somebody's: add --by with your name.")
        desk = open_desk(output)
        name = f"{TERMINAL}/{uuid.uuid4().hex}"
        run = open_run(desk.ledger, "reapply", dag_run=name, by_clock=True, settings_version=desk.settings.version)
        try:
            work = desk.read_tool(run)
            set_book(desk.ledger, run.id, work.book)
            if confirm:
                _do(output, work, span, confirm, by.strip())
            else:
                _show(output, work, span)
        finally:
            end_run(desk.ledger, run.id)


def _show(output: Output, work: Work, span: Span) -> None:
    everything = plan_reapply(work, span)
    planned = [one for one in everything if one.step is not None or one.link is not None]
    changes = [one for one in planned if one.step is not None]
    name = offer_reapply(work, planned)
    show_changes(output, work, Preview(name, tuple(changes)))
    blocked = in_the_way(planned)
    if stay := len(everything) - len(planned):
        output.say(f"{stay:,} more were made under other settings and stay as they are.")
    for code, many in sorted(blocked.items()):
        output.say(f"{many:,} cannot be changed: {code}.")
    if any(one.due for one in planned):
        again = f"bin/qualy reapply --from {span.first} --to {span.last}"
        output.say(f"To do exactly this: {again} --confirm {name} --by YOUR-NAME")


def _do(output: Output, work: Work, span: Span, name: str, by: str) -> None:
    counts = reapply(work, span, name, by)
    if counts is None:
        raise UsageProblem(
            f"{name[:60]!r} is not what would be done now. Look at it again without --confirm; it prints the hash."
        )
    output.json({"done": True, "counts": counts})
    output.say(f"Done: {', '.join(f'{many:,} {what}' for what, many in sorted(counts.items())) or 'nothing to do'}.")
    if any(what in counts for what in ("unknown", "held")):
        raise typer.Exit(int(Exit.WAITS))


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageProblem(f"{name} {text[:40]!r} is not a day; write 2026-06-30.") from None
