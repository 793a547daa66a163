"""The command line: the same core as the DAGs, for a terminal, a test, a support case. `main` is the door."""

from __future__ import annotations


def main() -> None:
    """Runs the command that the process's arguments name, and ends the process with its status."""
    from .commands import app

    app(prog_name="qualy")
