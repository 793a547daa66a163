"""What a person may decide, as it is written on the command line: the log, `explain` and `decide` say it alike."""

from __future__ import annotations

from collections.abc import Sequence

NEEDS_ARGUMENT = "link"


def as_written(choice: str) -> str:
    """A choice with what has to stand behind it."""
    return f"{choice}:REMOTE_ID" if choice == NEEDS_ARGUMENT else choice


def command(choices: Sequence[str], record: str = "ID", leg: str = "LEG", tool: str = "") -> str:
    """The whole command. `tool`: a customer tool's id."""
    for_tool = f" --tool {tool}" if tool else ""
    written = "|".join(as_written(one) for one in choices)
    return f"bin/qualy decide {record} {leg}{for_tool} --as {written} --by YOUR-NAME --reason WHY"
