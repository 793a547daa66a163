"""Keeping what was planned or answered: outcomes and links, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qualy_sync.ledger.attempts import Link, links_on, put_links, step_key, steps_on
from qualy_sync.ledger.outcomes import Verdict, current_of, look_again, record
from qualy_sync.ledger.variants import put_variants, variants_on
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code, Group, Outcome
from qualy_sync.plan import Key, Planned, Terms
from qualy_sync.plan.values import goes_on, record_of
from qualy_sync.worst_first import worst

from .gate import close_gate
from .work import Work


def verdict_of(planned: Planned, outcome: Outcome, retry_at: datetime | None = None) -> Verdict:
    return Verdict(
        kind=str(planned.kind),
        leg=str(planned.leg),
        source_id=planned.source_id,
        owner=planned.owner,
        payment_id=planned.payment_id,
        amount=planned.amount,
        currency=planned.currency,
        month=planned.month,
        source_hash=planned.source_hash,
        outcome=outcome,
        retry_at=retry_at or planned.retry_at,
        look_again=goes_on(planned.link),
    )


def keep_planned(work: Work, terms: Terms, planned: Iterable[Planned]) -> int:
    """Keeps a plan: outcomes at once, links without a write, and `its_turn` for what is to be sent."""
    everything = list(planned)
    turn = terms.say(Code.ITS_TURN, why="not sent yet")
    with work.ledger.writing() as connection:
        everything = _not_overtaken(connection, work.book, everything)
        if _restored(connection, work.book, everything):
            close_gate(connection, work.book)
        put_links(connection, work.book, [one.link for one in everything if one.link is not None])
        return record(
            connection,
            work.book,
            work.run,
            work.tool.id,
            terms.settings.version,
            _verdicts(connection, work.book, everything, turn),
        )


def _not_overtaken(connection: sa.Connection, book: int, planned: list[Planned]) -> list[Planned]:
    """Without owners of whom another process settled something since they were planned: these are planned anew.

    What it found out would else be said to be unknown again, and what hangs on it to wait.
    """
    unknown = [one for one in planned if one.outcome is not None and one.outcome.code is Code.UNKNOWN]
    steps = steps_on(connection, book, [one.source_id for one in unknown]) if unknown else {}
    overtaken = {one.owner for one in unknown if one.key in steps and not steps[one.key][-1].open}
    if not overtaken:
        return planned
    look_again(connection, book, [(str(one.leg), one.source_id) for one in planned if one.owner in overtaken])
    return [one for one in planned if one.owner not in overtaken]


def as_records(planned: Iterable[Planned]) -> list[Code]:
    """The code that each record's leg shows: of one that stands in the tool more than once, the worst."""
    codes: dict[Key, list[Code]] = {}
    for one in planned:
        codes.setdefault(record_of(one.key), []).append(one.outcome.code if one.outcome else Code.ITS_TURN)
    return [worst([code for code in some if code is not Code.NOT_NEEDED] or some) for some in codes.values()]


def _verdicts(connection: sa.Connection, book: int, planned: Sequence[Planned], turn: Outcome) -> list[Verdict]:
    """One verdict per record. A variant that is not needed is nothing; those that are not planned here stay."""
    verdicts = [verdict_of(one, one.outcome or turn) for one in planned if not one.variant]
    variants: dict[Key, list[Planned]] = {}
    for one in planned:
        if one.variant:
            variants.setdefault(record_of(one.key), []).append(one)
    before = variants_on(connection, book, [key[1] for key in variants]) if variants else {}
    after: dict[Key, dict[str, Outcome]] = {}
    for key, mine in variants.items():
        each = dict(before.get(key, {})) | {one.variant: one.outcome or turn for one in mine}
        after[key] = {variant: outcome for variant, outcome in each.items() if outcome.code is not Code.NOT_NEEDED}
        shown = _worst(after[key]) if after[key] else mine[0].outcome or turn
        retry_at = min((one.retry_at for one in mine if one.retry_at), default=None)
        verdicts.append(verdict_of(mine[0], shown, retry_at))
    put_variants(connection, book, {key: mine[0].owner for key, mine in variants.items()}, before, after)
    return verdicts


def _worst(each: Mapping[str, Outcome]) -> Outcome:
    """The outcome that a record shows for its variants, and which of them it is of, where there are several."""
    code = worst([outcome.code for outcome in each.values()])
    variant, outcome = next((variant, one) for variant, one in sorted(each.items()) if one.code is code)
    return replace(outcome, detail={**outcome.detail, "variant": variant}) if len(each) > 1 else outcome


def _restored(connection: sa.Connection, book: int, planned: Sequence[Planned]) -> bool:
    """Whether looking first found records with our refs that this ledger never sent: it is older than they are."""
    found = [
        one
        for one in planned
        if one.link is not None
        and one.link.how == "adopted"
        and one.leg not in (Leg.CONTACT, Leg.SUPPLIER)
        and one.outcome is not None
        and one.outcome.code in (Code.ADOPTED, Code.PAID, Code.CREDITED)
    ]
    ids = [one.source_id for one in found]
    linked, sent = links_on(connection, book, ids), steps_on(connection, book, ids)
    return any(one.key not in sent and one.key not in linked for one in found)


def keep_results(
    connection: sa.Connection,
    work: Work,
    results: Mapping[Key, Outcome],
    links: Sequence[Link] = (),
    retry_at: datetime | None = None,
) -> None:
    """Keeps what became of steps whose current outcome stands in the ledger already.

    One whose fate was not known is planned again in the next run, however it was settled: Qualy may have changed since
    it was sent, or a person may have decided.
    """
    put_links(connection, work.book, links)
    covered = _covered(results, links)
    rows = current_of(connection, work.book, [key[1] for key in (*results, *covered)])
    going = {(link.leg, link.source_id) for link in links if goes_on(link)}
    verdicts = [
        _again(rows[key], outcome, retry_at, goes_on=key in going)
        for key, outcome in results.items()
        if len(key) == 2 and key in rows
    ]
    verdicts += _of_variants(connection, work.book, results, rows, retry_at)
    verdicts += [
        _again(rows[key], outcome)
        for key, outcome in covered.items()
        if key not in results and key in rows and rows[key].code == Code.WAITING_FOR
    ]
    record(connection, work.book, work.run, work.tool.id, work.settings.version, verdicts)


def _of_variants(
    connection: sa.Connection,
    book: int,
    results: Mapping[Key, Outcome],
    rows: Mapping[Key, sa.Row[Any]],
    retry_at: datetime | None,
) -> list[Verdict]:
    """What records show that stand in the tool more than once, now that this became of some of their variants."""
    news: dict[Key, dict[str, Outcome]] = {}
    for key, outcome in results.items():
        if len(key) > 2 and record_of(key) in rows:
            news.setdefault(record_of(key), {})[key[2]] = outcome
    before = variants_on(connection, book, [key[1] for key in news]) if news else {}
    after = {key: {**before.get(key, {}), **some} for key, some in news.items()}
    put_variants(connection, book, {key: rows[key].owner for key in news}, before, after)
    verdicts: list[Verdict] = []
    for key, some in news.items():
        shown = _worst(after[key])
        mine = any(outcome.code is shown.code for outcome in some.values())
        verdicts.append(_again(rows[key], shown, retry_at if mine else rows[key].retry_at))
    return verdicts


def _covered(results: Mapping[Key, Outcome], links: Sequence[Link]) -> dict[Key, Outcome]:
    """Receipts that one settlement stands for besides its own: they are in step as soon as it is."""
    found: dict[Key, Outcome] = {}
    for link in links:
        outcome = results.get(step_key(link.leg, link.source_id, link.variant))
        if outcome is not None and outcome.meaning.group is Group.IN_STEP:
            found |= {(link.leg, source_id): outcome for source_id in link.facts.get("covers", ())}
    return found


def _again(row: sa.Row[Any], outcome: Outcome, retry_at: datetime | None = None, *, goes_on: bool = False) -> Verdict:
    return Verdict(
        kind=row.kind,
        leg=row.leg,
        source_id=row.source_id,
        owner=row.owner,
        payment_id=row.payment_id,
        amount=row.amount,
        currency=row.currency,
        month=row.month,
        source_hash=row.source_hash,
        outcome=outcome,
        retry_at=retry_at,
        look_again=goes_on or row.code in (Code.UNKNOWN, Code.NEEDS_DECISION),
    )
