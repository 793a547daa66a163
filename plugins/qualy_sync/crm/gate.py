"""What has to be true before a write goes out: a confirmation where one is asked for, and the breaker of one day.

Creating in the tool waits for a confirmation while the list of erased people is missing; creating in Qualy until its
first plan was confirmed. A confirmation names records by a hash that a preview showed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import sqlalchemy as sa

from qualy_sync.ledger.books import put_fact
from qualy_sync.ledger.engine import db_now
from qualy_sync.ledger.schema import attempt_steps, confirmation_steps, confirmations, facts
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code, Outcome

from .terms import fingerprint
from .work import CrmWork

DAY = timedelta(hours=24)
CHUNK = 400
_WENT_OUT = ("created", "updated", "unknown", "found")
OPENED = "creating_in_qualy_opened"

Step = tuple[str, str, str]  # leg, record, content


def step(leg: Leg, source_id: str, email: str) -> Step:
    """A creation as a confirmation names it: who, and with which address."""
    return str(leg), source_id, fingerprint([source_id, email])


def plan_hash(steps: Iterable[Step]) -> str:
    return fingerprint(sorted(steps))[:12]


def hold(connection: sa.Connection, work: CrmWork, steps: Sequence[Step], *, creates: bool) -> list[Outcome | None]:
    """Per step: None where it may be sent, else the outcome that holds it."""
    if work.stand_in and _standing(connection, work.book):
        return [None] * len(steps)
    confirmed = _confirmed(connection, work.book, steps)
    spent = _sent(connection, work, attempt_steps.c.leg.is_not(None))
    full = spent + len(steps) > work.terms.max_changes
    waits = creates and _waits(connection, work, str(steps[0][0]) if steps else "")
    verdicts: list[Outcome | None] = []
    for one in steps:
        if one in confirmed:
            verdicts.append(None)
        elif waits:
            verdicts.append(work.terms.say(Code.NOT_CONFIRMED))
        elif full:
            problem = f"more than {work.terms.max_changes:,} writes in 24 hours"
            verdicts.append(work.terms.say(Code.MASS_CHANGE, problem=problem))
        else:
            verdicts.append(None)
    return verdicts


def passed(connection: sa.Connection, work: CrmWork, leg: Leg) -> None:
    """Creations of this kind went out under a confirmation (or a standing one): the next ones need none."""
    if leg is Leg.CUSTOMER:
        put_fact(connection, work.book, OPENED, {})


def created_in_qualy(connection: sa.Connection, work: CrmWork) -> int:
    """How many customers were created (or sent) in Qualy within the last 24 hours."""
    return _sent(connection, work, attempt_steps.c.leg == str(Leg.CUSTOMER))


def _sent(connection: sa.Connection, work: CrmWork, which: sa.ColumnElement[bool]) -> int:
    """Writes of 24 hours that went out, or may have."""
    query = (
        sa.select(sa.func.count())
        .select_from(attempt_steps)
        .where(
            attempt_steps.c.book == work.book,
            which,
            attempt_steps.c.at >= db_now(connection) - DAY,
            sa.or_(attempt_steps.c.fate.is_(None), attempt_steps.c.fate.in_(_WENT_OUT)),
        )
    )
    return int(connection.scalar(query) or 0)


def _waits(connection: sa.Connection, work: CrmWork, leg: str) -> bool:
    if leg == str(Leg.CUSTOMER):
        where = (facts.c.book == work.book, facts.c.name == OPENED)
        return connection.execute(sa.select(facts.c.name).where(*where)).first() is None
    return not work.suppression.present


def _standing(connection: sa.Connection, book: int) -> bool:
    where = (confirmations.c.book == book, confirmations.c.standing)
    return connection.execute(sa.select(confirmations.c.hash).where(*where)).first() is not None


def _confirmed(connection: sa.Connection, book: int, steps: Sequence[Step]) -> set[Step]:
    found: set[Step] = set()
    for start in range(0, len(steps), CHUNK):
        found |= _confirmed_of(connection, book, steps[start : start + CHUNK])
    return found


def _confirmed_of(connection: sa.Connection, book: int, steps: Sequence[Step]) -> set[Step]:
    rows = connection.execute(
        sa.select(confirmation_steps.c.leg, confirmation_steps.c.source_id, confirmation_steps.c.content_hash)
        .join(
            confirmations,
            sa.and_(
                confirmations.c.hash == confirmation_steps.c.hash, confirmations.c.book == confirmation_steps.c.book
            ),
        )
        .where(
            confirmation_steps.c.book == book,
            confirmations.c.confirmed_at.is_not(None),
            confirmation_steps.c.source_id.in_([one[1] for one in steps]),
        )
    )
    return {(row.leg, row.source_id, row.content_hash) for row in rows}
