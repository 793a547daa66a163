"""What one run of `extract_qualy` reads, and in which order.

Whatever webhooks told comes first, and again before each slice of a complete reading: then the run ends early, so that
it is published, and the next run goes on with the reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from qualy_sync.extract import INBOX, Extracted, extract, extract_hints, sweep_is_due, whole_one_is_due
from qualy_sync.ledger.inbox import count
from qualy_sync.ledger.leases import Lease

from .desk import Desk

LEASE = timedelta(minutes=5)
HINT_TIME = timedelta(minutes=5)  # of one run: what more there is waits for the next, and what was read is published
SWEEP_TIME = timedelta(minutes=30)  # of one run; a complete reading that takes longer goes on in the next
SHORT_SLICE = 10  # seconds
INTERRUPTED = "left_for_the_next_run"


def read_source(desk: Desk, *, by_event: bool) -> dict[str, int]:
    """Counts of what was read. A run started by an event reads what webhooks told, and the rest is the clock's."""
    began = desk.ledger.now()
    told: Counter[str] = Counter()
    _drain(desk, began, told)
    sweeping = sweep_is_due(desk.ledger, desk.settings.source)
    if not by_event or whole_one_is_due(desk.ledger):
        sweeping = _note(told, _whole(desk, hurry=told["hints"] > 0)).sweeping
    elif sweeping and told["hints"]:  # a little in each run, so that it ends, however much is told
        sweeping = _note(told, _whole(desk, only_sweep=True, hurry=True)).sweeping
    while sweeping and desk.ledger.now() - began < SWEEP_TIME:
        _drain(desk, began, told)
        if told["hints"]:
            told[INTERRUPTED] = 1
            break
        sweeping = _note(told, _whole(desk, only_sweep=True)).sweeping
    return {name: number for name, number in told.items() if number or name != "hints"}


def is_left(desk: Desk, counts: Mapping[str, int]) -> bool:
    """Whether another run has to follow at once."""
    return bool(counts.get(INTERRUPTED)) or count(desk.ledger, INBOX) > 0


def _whole(desk: Desk, *, only_sweep: bool = False, hurry: bool = False) -> Extracted:
    """What changed, and a slice of a complete reading; a short one in a `hurry`: something waits to be published."""
    settings = desk.settings.source
    if hurry:
        settings = settings.model_copy(update={"sweep_slice_seconds": min(SHORT_SLICE, settings.sweep_slice_seconds)})
    lease = Lease(desk.ledger, "extract", LEASE)
    return extract(desk.ledger, desk.source, settings, lease=lease, only_sweep=only_sweep)


def _drain(desk: Desk, began: datetime, told: Counter[str]) -> None:
    """Reads what waits in the inbox, pass after pass."""
    before = told["hints"]
    while desk.ledger.now() - began < HINT_TIME or told["hints"] == before:
        lease = Lease(desk.ledger, "extract", LEASE)
        done = extract_hints(desk.ledger, desk.source, desk.settings.source, lease=lease)
        if done is None:
            return
        _note(told, done)


def _note(told: Counter[str], extracted: Extracted) -> Extracted:
    told["pass"] = extracted.number
    told["changes"] += extracted.changes
    told["hints"] += extracted.hints
    for kind, each in extracted.counts["kinds"].items():
        told[f"{kind}_read"] += each["read"]
    return extracted
