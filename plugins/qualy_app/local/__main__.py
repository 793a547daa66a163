"""``python -m qualy_app.local run``: what the options mean, and how the ending is told."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import NoReturn

from qualy_app.local import connections
from qualy_app.local.places import ROOT, Places
from qualy_app.local.runner import Wishes, run
from qualy_app.local.trouble import Trouble


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0 as expected, 1 not, 130 interrupted before the end."""
    options = parser().parse_args(arguments)
    places = Places(
        state=(options.state or ROOT / ".qualy" / options.tool).resolve(),
        port=options.port,
        sandbox_port=options.sandbox_port,
        dags=(options.dags or ROOT / "dags").resolve(),
    )
    try:
        status: int = options.does(options, places)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    return status


def start(options: argparse.Namespace, places: Places) -> int:
    return run(Wishes(options.tool, options.once, options.fresh, options.payments, options.seed), places)


def print_connections(options: argparse.Namespace, places: Places) -> int:
    print(json.dumps(connections.for_tool(options.tool, places), indent=2))
    return 0


class Parser(argparse.ArgumentParser):
    """Says in a sentence, and in the words of make, what cannot be read."""

    def error(self, message: str) -> NoReturn:
        print(f"make run: {message}. What it takes: make help.", file=sys.stderr)
        raise SystemExit(2)


def whole(text: str) -> int:
    """A whole number, 0 or more."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def parser() -> argparse.ArgumentParser:
    described = Parser(prog="make run", description="Airflow and the stand-ins on this machine.")
    commands = described.add_subparsers(required=True)
    run_options = commands.add_parser("run", help="start everything and watch one run")
    run_options.set_defaults(does=start)
    run_options.add_argument("--once", action="store_true", help="end when no work is due any more")
    run_options.add_argument("--fresh", action="store_true", help="forget all local state first")
    run_options.add_argument("--payments", type=whole, help="how many the stand-in for Qualy begins with")
    run_options.add_argument("--seed", type=whole, default=1, help="of the stand-ins' data")
    shown = commands.add_parser("connections", help="print what `airflow connections import` takes")
    shown.set_defaults(does=print_connections)
    for each in (run_options, shown):
        each.add_argument("--tool", default="xero", help="the tool that the payments go to")
        each.add_argument("--port", type=whole, default=8080, help="of Airflow's pages")
        each.add_argument("--sandbox-port", type=whole, default=8900, help="of the stand-ins")
        each.add_argument("--state", type=Path, help="instead of .qualy/<tool>/")
        each.add_argument("--dags", type=Path, help="instead of dags/")
    return described


if __name__ == "__main__":
    sys.exit(main())
