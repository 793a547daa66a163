"""One check: the rows that a pass brought, and those whose neighbours changed, against the suites.

A failing row is recorded with its rule and code, and held by the plan; the rest goes on. Where more rows fail than the
settings allow, the pass is marked so that nothing is written from it.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.cursors import get_cursor, put_cursor
from qualy_sync.ledger.quality import (
    Failed,
    Scope,
    anything_new,
    close_check,
    contents_of,
    drop_other_rules,
    existing,
    failing_share,
    replace_failures,
    rows_to_check,
)
from qualy_sync.ledger.runs import newest_complete_pass
from qualy_sync.model import NOUNS, Kind, Payment, Source, Split, SplitIntent, Transaction
from qualy_sync.outcomes import Code
from qualy_sync.settings import QualitySettings, Settings

from .engine import Judge
from .frames import Around, columns_of
from .suites import FOLDER, Suite, load_suites

log = logging.getLogger(__name__)

CHUNK = 2000  # rows in one frame
CURSOR = "quality"
READABLE = "record can be read"
A_FEW = 5  # so many failing rows are never too many: a share says nothing about a handful


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. `share` is that of failing records among all records, not only those looked at now."""

    pass_number: int
    rows: int
    failing: int
    share: Decimal
    too_many_failures: bool
    rules: Mapping[str, int]

    def counts(self) -> dict[str, int]:
        """Rows looked at, records that fail now, and failures found now by rule."""
        return {
            "checked": self.rows,
            "failing": self.failing,
            **{rule: many for rule, many in self.rules.items() if many},
        }


def check_quality(ledger: Ledger, settings: Settings | QualitySettings, folder: Path = FOLDER) -> Checked:
    """Checks the last complete pass; harmless to repeat. Raises QualityError where a suite is wrong."""
    limits = settings.quality if isinstance(settings, Settings) else settings
    suites, text_hash = load_suites(folder)
    version = hashlib.sha256(f"{text_hash} {limits.model_dump_json()}".encode()).hexdigest()
    done = get_cursor(ledger, CURSOR) or {}
    with ledger.reading() as connection:
        pin = newest_complete_pass(connection)
    since = int(done.get("since" if done.get("pass") == pin else "pass", 0))
    scope = Scope(pin, since, everything=done.get("version") != version)
    judge: list[Judge] = []
    results: Counter[tuple[str, str]] = Counter()
    looked: Counter[str] = Counter()
    with ledger.reading() as connection:
        needed = anything_new(connection, scope)
    for suite in suites if needed else ():
        _check(ledger, suite, scope, limits, judge, results, looked)
    return _close(ledger, suites, scope, limits, version, results, looked)


def _check(
    ledger: Ledger,
    suite: Suite,
    scope: Scope,
    limits: QualitySettings,
    judge: list[Judge],
    results: Counter[tuple[str, str]],
    looked: Counter[str],
) -> None:
    after = ""
    while True:
        with ledger.reading() as connection:
            rows = rows_to_check(connection, suite.kind, scope, after, CHUNK)
            if not rows:
                return
            after = rows[-1].id
            nouns, failed = _read(suite.kind, rows)
            around = _around(connection, suite.kind, scope.pin, nouns)
        if nouns:
            if not judge:
                judge.append(Judge())  # only now: most passes of a quiet hour have nothing to look at
            columns = [columns_of(suite.kind, noun, around, limits) for noun in nouns]
            broken = judge[0].failing(suite, columns)
            failed += [
                Failed(each, rule.name, rule.code, rule.detail) for rule in suite.rules for each in broken[rule.name]
            ]
        with ledger.writing() as connection:
            replace_failures(connection, suite.kind, scope.pin, [row.id for row in rows], failed)
        results.update((suite.name, each.rule) for each in failed)
        looked[suite.name] += len(rows)


def _read(kind: Kind, rows: Sequence[sa.Row[Any]]) -> tuple[list[Source], list[Failed]]:
    """The records that can be read, and the failures of those that cannot."""
    nouns: list[Source] = []
    failed: list[Failed] = []
    for row in rows:
        problem = row.problem
        if problem is None:
            try:
                nouns.append(NOUNS[kind].model_validate(row.content))
            except (ValidationError, OverflowError):  # stored by a release that could read it
                problem = {"field": "the record", "problem": "has an unexpected form"}
        if problem is not None:
            failed.append(Failed(row.id, READABLE, Code.MALFORMED, problem))
    return nouns, failed


def _around(connection: sa.Connection, kind: Kind, pin: int, nouns: Sequence[Source]) -> Around:
    if kind is Kind.PAYMENT:
        payers = {noun.contact for noun in nouns if isinstance(noun, Payment)}
        return Around(customers=frozenset(existing(connection, Kind.CUSTOMER, pin, sorted(payers))))
    if kind in (Kind.TRANSACTION, Kind.SPLIT_INTENT):
        paid = {noun.payment for noun in nouns if isinstance(noun, Transaction | SplitIntent) and noun.payment}
        return Around(payments=frozenset(existing(connection, Kind.PAYMENT, pin, sorted(paid))))
    if kind is Kind.SPLIT:
        return _around_splits(connection, pin, [noun for noun in nouns if isinstance(noun, Split)])
    return Around()


def _around_splits(connection: sa.Connection, pin: int, splits: Sequence[Split]) -> Around:
    payments = sorted({split.payment for split in splits})
    partners = sorted({split.partnership for split in splits})
    shared: Counter[tuple[str, str]] = Counter()
    for _, content in contents_of(connection, Kind.SPLIT, pin, "payment_id", payments):
        split = Split.model_validate(content)
        shared[split.payment, split.item] += split.amount
    return Around(
        partners=frozenset(existing(connection, Kind.PARTNER, pin, partners)),
        payments=frozenset(existing(connection, Kind.PAYMENT, pin, payments)),
        payment={
            record_id: Payment.model_validate(content)
            for record_id, content in contents_of(connection, Kind.PAYMENT, pin, "id", payments)
        },
        shared=shared,
    )


def _close(
    ledger: Ledger,
    suites: Sequence[Suite],
    scope: Scope,
    limits: QualitySettings,
    version: str,
    results: Counter[tuple[str, str]],
    looked: Counter[str],
) -> Checked:
    rules = [(suite.name, name) for suite in suites for name in (READABLE, *(rule.name for rule in suite.rules))]
    by_rule = {rule: (looked[rule[0]], results[rule]) for rule in rules}
    with ledger.writing() as connection:
        drop_other_rules(connection, sorted({name for _, name in rules}))
        failing, there = failing_share(connection, [suite.kind for suite in suites], scope.pin)
        share = (Decimal(failing) / there).quantize(Decimal("0.0001")) if there else Decimal(0)
        too_many = failing > A_FEW and share > limits.max_failing_share
        counts: dict[str, Any] = {
            "failing": failing,
            "failing_share": str(share),
            "failing_share_exceeded": too_many,
            "rules": {f"{suite}: {rule}": many for (suite, rule), (_, many) in by_rule.items() if many},
        }
        if scope.pin:
            close_check(connection, scope.pin, ledger.now(), by_rule, counts)
        put_cursor(connection, CURSOR, {"pass": scope.pin, "since": scope.since, "version": version})
    log.info("Looked at %d rows; %d of %d records fail a rule (%s).", sum(looked.values()), failing, there, share)
    if too_many:
        log.warning("More than quality.max_failing_share (%s): nothing is written.", limits.max_failing_share)
    return Checked(scope.pin, sum(looked.values()), failing, share, too_many, counts["rules"])
