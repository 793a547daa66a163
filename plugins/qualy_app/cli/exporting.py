"""`export`: the ledger as CSV files."""

from __future__ import annotations

from typing import Annotated

import typer

from qualy_sync.ledger.runs import latest_pass

from ..exports import export as write_files
from ..params import ExportParams
from ..signals import RunProblem
from .frame import AsJson, Debug, open_desk, speaking


def export(
    to: Annotated[
        str,
        typer.Option("--to", metavar="PLACE", help="A folder or an address of object storage; csv.target otherwise."),
    ] = "",
    full: Annotated[bool, typer.Option("--full", help="Everything, whatever csv.content says.")] = False,
    since: Annotated[
        str, typer.Option("--since", metavar="DATE", help="Only what changed then or later, in a folder of its own.")
    ] = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write customers, payments, splits and outcomes as CSV files, from what was last read from Qualy."""
    with speaking(as_json, debug) as output:
        params = ExportParams.parse({"full": full, "since": since})
        desk = open_desk(output)
        if not desk.settings.csv.enabled and not to:
            output.json({"path": None, "content": None, "rows": {}})
            output.say(
                "The CSV files are switched off (csv.enabled: false). With --to PLACE they are written all the same."
            )
            return
        with desk.ledger.reading() as connection:
            if not latest_pass(connection):
                raise RunProblem("Nothing was read from Qualy yet. Begin with: bin/qualy extract")
        made = write_files(desk, params, to)
        output.json({"path": made.place, "content": "full" if made.full else "changed", "rows": made.counts()})
        if not made.files:
            output.say("Nothing changed since the last export; no file was written.")
            return
        for file in made.files:
            output.say(f"{file.name}: {file.rows:,} rows")
        output.say(made.place)
