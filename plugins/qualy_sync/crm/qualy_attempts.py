"""Writes to Qualy as they are noted: one attempt for each record, committed before it is sent."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.errors import OutOfQuota, Unreachable
from qualy_sync.ledger.attempts import OpenAttempt, StepRow, StepTaken, close_steps, commit_attempt, end_attempt
from qualy_sync.ledger.leases import Lease
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code

from .gather import keep_outcomes
from .work import CrmProblem, CrmWork
from .write import ref_of

CREATE, UPDATE = "qualy_create", "qualy_update"
ABSENT = "absent"  # the fate of what was sent without an answer and is not there


def commit(
    work: CrmWork,
    lease: Lease,
    what: str,
    leg: Leg,
    source_id: str,
    variant: str,
    content: str,
    sent: Mapping[str, Any],
    email: str,
) -> int | None:
    """The attempt, durably; None where another one is open."""
    body = json.dumps(sent, ensure_ascii=False, sort_keys=True).encode()
    row = StepRow(
        leg=str(leg),
        source_id=source_id,
        variant=variant,
        generation=1,
        ref=ref_of(source_id),
        sought=email[:100],
        source_hash=content,
        content_hash=hashlib.sha256(body).hexdigest(),
        settings_version=work.terms.settings_version,
        frozen={"names": [one.rule.field for one in work.terms.copied]},
        seen={},
        amount=0,
        currency="",
    )
    try:
        with work.ledger.writing() as connection:
            lease.check(connection)
            key = uuid.uuid4().hex
            return commit_attempt(
                connection, work.ledger, work.book, work.run, lease.epoch, what, key, body, row.content_hash, [row]
            )
    except StepTaken:
        return None


def close(connection: sa.Connection, attempt: int, source_id: str, fate: str) -> None:
    close_steps(connection, attempt, [ref_of(source_id)], fate)
    end_attempt(connection, attempt, "answered" if fate in ("created", "updated") else fate)


def not_sent(work: CrmWork, attempt: int, source_id: str, error: Exception) -> None:
    """Nothing was done. It keeps its turn; what a person must mend ends the run."""
    with work.ledger.writing() as connection:
        close(connection, attempt, source_id, "not_sent")
    if isinstance(error, OutOfQuota | Unreachable):
        raise error
    raise CrmProblem(str(error))


def lost(work: CrmWork, attempt: int, source_id: str, leg: Leg, content: str) -> None:
    until = work.ledger.now() + timedelta(minutes=work.terms.pace.settle_minutes)
    outcome = work.terms.say(Code.UNKNOWN, until=f"{until:%Y-%m-%d %H:%M} UTC")
    with work.ledger.writing() as connection:
        end_attempt(connection, attempt, "unknown")
        keep_outcomes(connection, work, {source_id: (content, outcome)}, leg)
    work.add(str(Code.UNKNOWN))


def believed(work: CrmWork, attempt: OpenAttempt) -> bool:
    last = attempt.last_sent_at or attempt.committed_at
    return work.ledger.now() >= last + timedelta(minutes=work.terms.pace.settle_minutes)


def changed_content(there: Mapping[str, Any], changes: Mapping[str, str]) -> dict[str, Any]:
    """What is sent: the changed fields alone, but an object that holds one of them whole, as it was just read. A
    server that replaces what it is given would otherwise empty the rest of it."""
    content: dict[str, Any] = {}
    for path, value in sorted(changes.items()):
        head, *rest = path.split(".")
        if not rest:
            content[head] = value
            continue
        inside = content.setdefault(head, json.loads(json.dumps(there.get(head) or {})))
        for name in rest[:-1]:
            inside = inside.setdefault(name, {})
        inside[rest[-1]] = value
    return content
