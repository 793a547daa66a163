"""``python -m sandbox``: serve the stand-ins from a terminal."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from sandbox.app import SERVICES, SandboxApp, load_services
from sandbox.population import PROFILES
from sandbox.server import HOST, PortTaken, listen, make_server
from sandbox.world import DEFAULT_PAYMENTS, DEFAULT_PROFILE, DEFAULT_SEED, StateFileTrouble, Wishes, make_world

DEFAULT_PORT = 8900
TAKES_A_WHILE = 40_000
EXAMPLES = """\
examples:
  python -m sandbox
  python -m sandbox --port 8900 --seed 1 --today 2026-07-15 --payments 500 --state sandbox.db
  python -m sandbox --profile br --payments 100000

Every service lies under its name (/qualy/v1/..., /xero/api.xro/2.0/...); /control moves the clock and the lock
dates, asks for faults, counts calls and shows what is held. sandbox/README.md has the keys and the control calls."""


def arguments(given: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Local stand-ins for the services that Qualy Sync talks to, on 127.0.0.1, with data like a real"
        " agency's. For development, tests and benchmarks; nothing leaves this machine.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=f"where to listen, 0 for any free port (default {DEFAULT_PORT})"
    )
    parser.add_argument("--seed", type=int, help=f"which world: the same seed, the same data (default {DEFAULT_SEED})")
    parser.add_argument(
        "--today", type=date.fromisoformat, metavar="DATE", help="the day around which the data lie (default: today)"
    )
    parser.add_argument(
        "--payments", type=int, metavar="N", help=f"how many payments, up to 1,000,000 (default {DEFAULT_PAYMENTS})"
    )
    parser.add_argument(
        "--profile",
        choices=sorted(PROFILES),
        help=f"the country of the agency: its currencies, taxes, documents (default {DEFAULT_PROFILE})",
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="keep everything in this file; a second start with the same file continues, and then seed, today,"
        " payments and profile are those of the file (default: in memory, gone at the end)",
    )
    parser.add_argument(
        "--services",
        type=lambda text: text.split(","),
        metavar="LIST",
        help=f"which to serve, with commas (default: {','.join(SERVICES)})",
    )
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit status."""
    asked = arguments(given)
    try:
        listening = listen(asked.port)
        wishes = Wishes(asked.seed, asked.today, asked.payments, asked.profile)
        world, note = make_world(wishes, asked.state)
        if world.payments >= TAKES_A_WHILE and note is None:
            print(
                f"sandbox: preparing {world.payments:,} payments, about {world.payments // 6_000} seconds", flush=True
            )
        app = SandboxApp(world, load_services(world, asked.services))
    except (PortTaken, StateFileTrouble, ValueError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    if note:
        print(f"sandbox: {note}", flush=True)
    served = ", ".join(f"/{name}" for name in (asked.services or SERVICES))
    print(f"sandbox: ready at http://{HOST}:{listening.getsockname()[1]} ({served}, /control)", flush=True)
    make_server(app).run(sockets=[listening])
    world.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
