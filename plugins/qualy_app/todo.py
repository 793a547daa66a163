"""What waits for a person in one run: the list, its labels, and what clearing an entry does.

The first try of an instance only tells, and commits that it did, just before it raises; once it has told, every
further try attempts its records again. Records are looked up by trouble key at the time of the attempt.
"""

from __future__ import annotations

from collections.abc import Sequence

from qualy_sync.contracts.errors import ToolError
from qualy_sync.ledger.runs import Run, task_counts
from qualy_sync.ledger.troubles import (
    DIED,
    EVERYTHING_ELSE,
    Entry,
    append_entries,
    entry_at,
    failed_before,
    forget_gone,
    listed_keys,
    mark_shown,
    newest_record,
)
from qualy_sync.load.retrying import records_of
from qualy_sync.outcomes import MEANINGS
from qualy_sync.report.troubles import Trouble, trouble_labels

from . import choices
from .crm_desk import CrmDesk
from .desk import Desk
from .signals import KnownTrouble, NeedsPerson, RunProblem, WaitUntil

MOST = 50  # instances of the listing's mapped task; the last one stands for all the rest
IDS_SHOWN = 20

AnyDesk = Desk | CrmDesk


def list_entries(desk: AnyDesk, run: Run) -> list[int]:
    """Adds what is new to this run's list and gives the positions that stand for something."""
    book = _book(desk, run)
    if book is not None:
        forget_gone(desk.ledger, book)
    told = failed_before(desk.ledger, book, run.id) if book is not None else {}
    wanted: list[tuple[str, bool]] = [(f"{DIED}{task}", True) for task in _died(desk, run)]
    for trouble in _troubles(desk, run, book):
        failed_at = told.get(trouble.key)
        fresh = failed_at is None
        if not fresh and MEANINGS[trouble.code].red_for_each and book is not None:
            newest = newest_record(desk.ledger, book, trouble.key)
            fresh = newest is not None and failed_at is not None and newest > failed_at
        wanted.append((trouble.key, fresh))
    return [entry.position for entry in append_entries(desk.ledger, run.id, wanted, MOST)]


def label(desk: AnyDesk, run: Run, position: int) -> str:
    """The entry in words, with its age where it is known."""
    entry = _entry(desk, run, position)
    if entry.key.startswith(DIED):
        return f"The run stopped at {entry.key.removeprefix(DIED)}"
    troubles = _meant(desk, run, entry)
    if not troubles:
        what = entry.key.partition(":")[2].rstrip(":").replace("_", " ").replace(":", ": ", 1)
        return f"Settled: {what or 'everything else'}"
    if entry.key == EVERYTHING_ELSE:
        return f"Everything else: {len(troubles)} troubles, {sum(one.records for one in troubles)} records"
    trouble = troubles[0]
    return trouble.label if entry.fresh else f"{trouble.label}, since {trouble.first_at:%d %b %H:%M}"


def act(desk: AnyDesk, run: Run, position: int) -> str:
    """Tells, the first time; tries again, once told. Raises NeedsPerson, KnownTrouble or WaitUntil."""
    entry = _entry(desk, run, position)
    if entry.key.startswith(DIED):
        return _dead_task(desk, run, entry)
    book = _book(desk, run)
    troubles = _meant(desk, run, entry)
    if not troubles or book is None:
        return "Nothing left."
    if entry.shown_at is None:
        mark_shown(desk.ledger, book, run.id, entry, [one.key for one in troubles])
        text = "\n\n".join(_text(desk, run, one) for one in troubles)
        raise NeedsPerson(text) if entry.fresh else KnownTrouble(text)
    return _again(desk, run, entry, troubles)


def _again(desk: AnyDesk, run: Run, entry: Entry, troubles: Sequence[Trouble]) -> str:
    """The records of these troubles once more, and only those."""
    work = desk.work(run, latest=True)
    keys = [(row.leg, row.source_id) for one in troubles for row in records_of(work, one.key)]
    try:
        counts = desk.retry(work, keys)
    except ToolError as error:
        raise RunProblem(str(error)) from error
    until = desk.waits_until(work, keys)
    if until is not None:
        raise WaitUntil(until, "Sent, and not answered yet: it is read back first.", now=desk.ledger.now())
    tried = {one.key for one in troubles}
    left = [one for one in trouble_labels(desk.ledger, work.book, work.tool.title) if one.key in tried]
    still = sum(one.records for one in left)
    done = f"{max(len(keys) - still, 0)} of {len(keys)} records went through."
    if left:
        raise NeedsPerson("\n\n".join([done, *(_text(desk, run, one) for one in left)]))
    return done if counts else "Nothing left."


def _dead_task(desk: AnyDesk, run: Run, entry: Entry) -> str:
    task = entry.key.removeprefix(DIED)
    if task not in _died(desk, run):
        return "Nothing left: the task has come to its end since."
    if entry.shown_at is None:
        book = _book(desk, run)
        mark_shown(desk.ledger, book if book is not None else 0, run.id, entry, [])
    raise NeedsPerson(
        f"The run stopped at {task}.\nWhat it had sent is remembered; nothing is sent twice.\n"
        f"What to do: read the log of the task {task}, then clear that task with downstream. The next run goes on"
        " from here as well."
    )


def _text(desk: AnyDesk, run: Run, trouble: Trouble) -> str:
    """What, how many, how much, the remedy, where to click, and the first Qualy ids."""
    work = desk.work(run, latest=True)
    ids = sorted({row.source_id for row in records_of(work, trouble.key)})
    more = f" and {len(ids) - IDS_SHOWN} more" if len(ids) > IDS_SHOWN else ""
    return "\n".join(
        [
            trouble.label,
            f"Who: {trouble.actor}.",
            f"What to do: {trouble.remedy}",
            *_decision(desk, trouble),
            "Then: clear this task (Clear task instance, downstream on); it tries exactly these records again.",
            "Or wait: every run by the clock tries what may have become possible.",
            f"Qualy ids: {', '.join(ids[:IDS_SHOWN])}{more}",
        ]
    )


def _decision(desk: AnyDesk, trouble: Trouble) -> list[str]:
    offered = MEANINGS[trouble.code].decisions
    if not offered:
        return []
    leg = next(iter(trouble.legs)) if len(trouble.legs) == 1 else "LEG"
    tool = desk.tool_id if isinstance(desk, CrmDesk) else ""
    return [f"Or decide, record by record: {choices.command(offered, leg=leg, tool=tool)}"]


def _troubles(desk: AnyDesk, run: Run, book: int | None) -> list[Trouble]:
    return trouble_labels(desk.ledger, book, desk.wiring.title, run.id) if book is not None else []


def _meant(desk: AnyDesk, run: Run, entry: Entry) -> list[Trouble]:
    """The open troubles that an entry stands for now."""
    book = _book(desk, run)
    open_now = _troubles(desk, run, book)
    if entry.key == EVERYTHING_ELSE:
        listed = listed_keys(desk.ledger, run.id)
        return [one for one in open_now if one.key not in listed]
    return [one for one in open_now if one.key == entry.key]


def _died(desk: AnyDesk, run: Run) -> list[str]:
    """The first stage that did not come to its end."""
    counts = task_counts(desk.ledger, run.id)
    for stage in desk.stages:
        if stage not in counts or not counts[stage][1]:
            return [stage]
    return []


def _entry(desk: AnyDesk, run: Run, position: int) -> Entry:
    entry = entry_at(desk.ledger, run.id, position)
    if entry is None:
        raise RunProblem(f"There is no entry {position} in this run's list: clear the task `list`, with downstream.")
    return entry


def _book(desk: AnyDesk, run: Run) -> int | None:
    from qualy_sync.ledger.books import find_book

    if run.book is not None:
        return run.book
    found = find_book(desk.ledger, desk.tool_id)
    return int(found.id) if found else None
