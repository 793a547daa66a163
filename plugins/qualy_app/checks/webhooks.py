"""What `check` says of webhooks: whether they are taken in, where, and what is missing for it."""

from __future__ import annotations

from collections.abc import Iterator

from ..addresses import WEBHOOKS
from ..connections import ConnectionProblem, resolve
from ..desk import Desk
from ..webhooks import MAKERS, secrets_of
from .findings import Finding, Level


def webhook_findings(desk: Desk) -> Iterator[Finding]:
    """One finding for each service; nothing is called."""
    settings = desk.settings.webhooks
    place = settings.public_url or "the base_url of Airflow's [api] section"
    for tool in MAKERS:
        subject = f"webhooks of {tool}"
        if not getattr(settings, tool).enabled:
            minutes = settings.poll_minutes
            yield Finding(Level.NOTE, subject, f"Not taken in: a change is seen within {minutes} minutes or so.")
            continue
        try:
            endpoint, _ = resolve(tool, desk.environment)
        except ConnectionProblem:
            continue  # told already
        if not secrets_of(tool, endpoint):
            yield Finding(
                Level.WARNING,  # slower, but nothing is lost: the clocks see to it
                subject,
                f"The extra of the connection {tool} has no webhook_secret (for Qualy of 24 characters at least): all"
                " are refused. See docs/webhooks.md.",
            )
            continue
        path = f"{WEBHOOKS}/{tool}" + ("/SECRET" if tool == "qualy" else "")
        yield Finding(Level.OK, subject, f"Taken in at {path} below {place}.")
        if settings.public_url and settings.public_url.startswith("http://"):
            yield Finding(Level.WARNING, subject, "webhooks.public_url is not https: secrets cross the net in clear.")
