"""Runs jobs in this process and prints, as JSON, how long each took and how much memory the process had used by then.

``python -m tests.bench.worker RUN clock|event STAGE...``; what it works on stands in the environment.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from qualy_app import jobs
from qualy_app.desk import Desk
from qualy_app.params import SyncParams


def main(name: str, how: str, *stages: str) -> int:
    logging.basicConfig(level=logging.ERROR)
    does = table(name, by_clock=how == "clock")
    done: list[dict[str, Any]] = []
    for stage in stages:
        start, cpu = time.perf_counter(), time.process_time()
        found = does[stage]()
        counts = found if isinstance(found, dict) else {"result": found}
        seconds, own = time.perf_counter() - start, time.process_time() - cpu
        done.append({"name": stage, "seconds": seconds, "own": own, "peak_mib": peak_mib(), "counts": counts})
        if stage == "check" and not found["result"]:
            break
    print(json.dumps(done, default=str))
    return 0


def table(name: str, *, by_clock: bool) -> dict[str, Callable[[], Any]]:
    """What each stage calls."""
    extracting, syncing = f"extract_qualy/{name}", f"sync_accounting/{name}"
    return {
        "prepare": lambda: jobs.prepare_local(os.environ),
        "an hour later": lambda: Desk().ledger.move_clock(timedelta(hours=1)),
        "extract": lambda: jobs.extract(extracting, 1),
        "quality": lambda: jobs.quality(extracting),
        "publish": lambda: jobs.publish(extracting),
        "check": lambda: {"result": jobs.check(syncing, SyncParams(), by_clock)[0]},
        "plan": lambda: jobs.plan(syncing),
        "contacts": lambda: jobs.load(syncing, "contacts", 1),
        "documents": lambda: jobs.load(syncing, "documents", 1),
        "settlements": lambda: jobs.load(syncing, "settlements", 1),
        "reconcile": lambda: jobs.reconcile(syncing),
        "list": lambda: {"result": len(jobs.list_troubles(syncing))},
        "report": lambda: jobs.report(syncing),
        "backlog": lambda: jobs.backlog(syncing),
    }


def peak_mib() -> float:
    """The most memory this process ever had.

    Linux counts it from the start of the program; getrusage there remembers what the parent had, too.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)  # bytes on macOS


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
