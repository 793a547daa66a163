"""What was sent and stays unanswered goes to a person after `give_up_hours` (write protocol, rule 12).

Asked before the tool is: where it cannot be read at all, no plan and no settling would come to say it. So also of what
was sent by a process that went away before it could say anything: its outcome is still the one of before. The attempt
stays open, so that nothing of it is sent again and a later reading still settles it.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from qualy_sync.ledger.attempts import step_key
from qualy_sync.ledger.engine import db_now
from qualy_sync.ledger.outcomes import current_of
from qualy_sync.ledger.schema import attempt_steps
from qualy_sync.ledger.variants import variants_on
from qualy_sync.outcomes import MEANINGS, Code
from qualy_sync.plan.values import Pending, unsettled

from .keep import keep_results
from .work import Work


def give_up(work: Work) -> int:
    """Tells a person of every step that was sent too long ago; gives how many were told of now."""
    hours = timedelta(hours=work.accounting.pace.give_up_hours)
    with work.ledger.writing() as connection:
        now = db_now(connection)
        rows = connection.execute(
            sa.select(attempt_steps.c.leg, attempt_steps.c.source_id, attempt_steps.c.variant).where(
                attempt_steps.c.book == work.book, attempt_steps.c.open, attempt_steps.c.at < now - hours
            )
        ).all()
        current = current_of(connection, work.book, [row.source_id for row in rows])
        each = variants_on(connection, work.book, [row.source_id for row in rows])
        codes = {key: str(row.code) for key, row in current.items()}
        codes |= {(*key, one): str(outcome.code) for key, some in each.items() for one, outcome in some.items()}
        keys = [step_key(row.leg, row.source_id, row.variant) for row in rows]
        silent = [key for key in keys if key in codes and not MEANINGS[Code(codes[key])].waits_for_a_person]
        if silent:
            outcome = unsettled(work.terms(), Pending(until=now, overdue=True))
            keep_results(connection, work, dict.fromkeys(silent, outcome))
    return len(silent)
