"""`check`: whether a run would work, and what a person has to look at before the first one."""

from __future__ import annotations

from collections import Counter

import typer

from ..checks import Finding, Level, look
from .frame import AsJson, Debug, Exit, open_desk, speaking

_STYLE = {Level.PROBLEM: "bold red", Level.WARNING: "yellow", Level.BY_HAND: "cyan"}


def check(as_json: AsJson = False, debug: Debug = False) -> None:
    """Look at settings, connections, mapping, currencies, and list what must be looked at by hand."""
    with speaking(as_json, debug) as output:
        desk = open_desk(output, migrate=True)
        findings: list[Finding] = []
        for finding in look(desk):
            findings.append(finding)
            output.say(f"{finding.level:<8} {finding.subject}: {finding.sentence}", style=_STYLE.get(finding.level))
        counts = Counter(str(finding.level) for finding in findings)
        output.json({"counts": {str(level): counts[str(level)] for level in Level}, "findings": findings})
        output.say()
        if counts[Level.PROBLEM]:
            output.say(f"{counts[Level.PROBLEM]} to mend before a run.", style="bold")
            raise typer.Exit(int(Exit.WAITS))
        output.say("Nothing has to be mended before a run.", style="bold")
