"""The three things that the runner asks of the core, imported only then: the runner itself starts without it."""

from __future__ import annotations

from collections.abc import Mapping


def prepare(environment: Mapping[str, str]) -> None:
    """Brings the ledger up to date and confirms first runs against the stand-in, which harm nobody."""
    from qualy_app import jobs

    jobs.prepare_local(environment)


def summary(environment: Mapping[str, str]) -> list[str]:
    """What the run left, in lines for a person: outcomes, totals of both sides, what waits for whom, the report."""
    from qualy_app import customer_summary, summary
    from qualy_sync.ledger import Ledger

    url = environment["QUALY_LEDGER_URL"]
    ledger = Ledger(url)
    try:
        return [*summary.lines(url), *customer_summary.customer_lines(ledger)]
    finally:
        ledger.close()


def surprises(environment: Mapping[str, str]) -> list[str]:
    """What did not end as the data asks, in sentences; none where what must be held is held and the rest is in step."""
    from qualy_app import customer_summary, summary
    from qualy_sync.ledger import Ledger

    ledger = Ledger(environment["QUALY_LEDGER_URL"])
    try:
        return [*summary.surprises(ledger), *customer_summary.customer_surprises(ledger)]
    finally:
        ledger.close()
