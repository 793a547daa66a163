"""The three things that the runner asks of the core, imported only then: the runner itself starts without it."""

from __future__ import annotations

from collections.abc import Mapping


def prepare(environment: Mapping[str, str]) -> None:
    """Brings the ledger up to date and confirms first runs against the stand-in, which harm nobody."""
    from qualy_app import jobs

    jobs.prepare_local(environment)


def summary(environment: Mapping[str, str]) -> list[str]:
    """What the run left, in lines for a person: outcomes, totals of both sides, what waits for whom, the report."""
    from qualy_app import summary

    return list(summary.lines(environment["QUALY_LEDGER_URL"]))


def as_expected(environment: Mapping[str, str]) -> bool:
    """Whether everything ended as the data asks: what must be held is held, the rest is in step."""
    from qualy_app import summary

    return bool(summary.as_expected(environment["QUALY_LEDGER_URL"]))
