"""The checks in their order: settings, connections, ledger, Qualy, the tool, and what a person has to look at."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace

from qualy_sync.contracts.accounting import Organisation
from qualy_sync.contracts.errors import ToolError
from qualy_sync.ledger import LedgerError
from qualy_sync.ledger.books import live_book, wrong_organisation
from qualy_sync.ledger.engine import get_meta
from qualy_sync.ledger.runs import latest_pass

from ..connections import AIRFLOW, ConnectionProblem, both_exist, resolve, variable
from ..crm_desk import CrmDesk
from ..crm_tools import CRM_TOOLS
from ..desk import Desk
from ..settings_file import settings_path
from .abilities import ability_findings
from .customers import crm_findings
from .findings import Finding, Level
from .mapping import mapping_findings
from .rules import rule_findings
from .source import currency_findings, due_zone_findings, lock_findings
from .webhooks import webhook_findings


def look(desk: Desk) -> Iterator[Finding]:
    """Everything, one finding after the other as it is found; nothing is written but a renewed token.

    Raises RunProblem where the settings cannot be read.
    """
    settings = desk.settings
    yield Finding(Level.OK, "settings", f"{settings_path(desk.environment)} is valid (version {settings.version}).")
    yield from _ledger(desk)
    yield from _connection(desk, "qualy")
    stand_in = yield from _qualy(desk)
    if settings.accounting is None:
        yield Finding(Level.NOTE, "settings", "accounting.tool is none: nothing is written to an accounting tool.")
    else:
        yield from _connection(desk, desk.wiring.connection)
        yield from _tool(desk, stand_in)
    for tool in CRM_TOOLS:
        crm = CrmDesk(tool, desk)
        if crm.enabled:
            yield from _connection(desk, crm.wiring.connection)
            yield from crm_findings(crm, stand_in)
    yield from webhook_findings(desk)


def _ledger(desk: Desk) -> Iterator[Finding]:
    with desk.ledger.reading() as connection:
        stamp = get_meta(connection, "stamp")
        read = latest_pass(connection)
    kept = f"holds {stamp} records" if stamp else "holds no records yet"
    yield Finding(Level.OK, "ledger", f"It can be read and {kept}; completed readings of Qualy: {read}.")
    try:
        desk.ledger.unseal(desk.ledger.seal(b"check"))
    except LedgerError as error:
        yield Finding(Level.PROBLEM, "ledger", str(error))


def _connection(desk: Desk, conn_id: str) -> Iterator[Finding]:
    try:
        endpoint, origin = resolve(conn_id)
    except ConnectionProblem as problem:
        yield Finding(Level.PROBLEM, f"connection {conn_id}", str(problem))
        return
    place = endpoint.url or "the service's own address"
    yield Finding(Level.OK, f"connection {conn_id}", f"From {origin}, to {place}.")
    if origin != AIRFLOW and both_exist(conn_id):
        yield Finding(
            Level.WARNING,
            f"connection {conn_id}",
            f"It is stored in Airflow as well, and {variable(conn_id)} wins: an edit in Airflow's UI has no effect."
            " Remove one of the two.",
        )


def _qualy(desk: Desk) -> Generator[Finding, None, bool | None]:
    """Whether Qualy accepts the key; returns whether it is a stand-in."""
    try:
        desk.source.whoami()
        tenant, stand_in = desk.source.tenant, desk.source.stand_in
    except (ToolError, ConnectionProblem) as error:
        if not isinstance(error, ConnectionProblem):  # that one was told already
            yield Finding(Level.PROBLEM, "Qualy", str(error))
        return None
    kind = "a stand-in, not Qualy" if stand_in else "the real one"
    yield Finding(Level.OK, "Qualy", f"Reached ({kind}), tenant {tenant}.")
    with desk.ledger.reading() as connection:
        known = get_meta(connection, "tenant")
    if known and known != tenant:
        yield Finding(
            Level.PROBLEM, "Qualy", f"The ledger holds the records of tenant {known}, the key is of {tenant}."
        )
    return stand_in


def _tool(desk: Desk, source_is_stand_in: bool | None) -> Iterator[Finding]:
    title = desk.wiring.title
    try:
        organisation = desk.tool.organisation()
        chart = desk.tool.chart()
    except ConnectionProblem:
        return
    except ToolError as error:
        yield Finding(Level.PROBLEM, title, str(error))
        return
    yield from _organisation(desk, organisation, source_is_stand_in)
    yield from lock_findings(replace(organisation, closed_until=desk.accounting.closed_until), chart, title)
    yield from mapping_findings(desk.accounting, chart, organisation.base_currency, title, desk.tool.gaps)
    yield from currency_findings(desk.ledger, desk.accounting, organisation, chart, title)
    yield from rule_findings(desk.ledger, desk.accounting, organisation, chart, title)
    yield from due_zone_findings(desk.ledger, desk.accounting, organisation)
    for gap in desk.tool.gaps:
        yield Finding(Level.NOTE, f"{title}: {gap.subject}", gap.sentence)
    yield from ability_findings(desk.accounting, desk.tool.gaps, title)
    yield from _by_hand(title)


def _organisation(desk: Desk, organisation: Organisation, source_is_stand_in: bool | None) -> Iterator[Finding]:
    title = desk.wiring.title
    kind = f"a stand-in, not {title}" if organisation.stand_in else "the real one"
    sentence = f"Reached ({kind}): “{organisation.name}”, {organisation.id}, {organisation.zone}."
    yield Finding(Level.OK, title, sentence)
    book = live_book(desk.ledger)
    with desk.ledger.reading() as connection:
        stamp, tenant = get_meta(connection, "stamp"), get_meta(connection, "tenant") or ""
    if book is not None and (book.tool, book.organisation) != (desk.accounting.tool, organisation.id):
        yield Finding(Level.PROBLEM, title, wrong_organisation(book, desk.accounting.tool, organisation, tenant))
    if source_is_stand_in is not None and source_is_stand_in != organisation.stand_in:
        yield Finding(Level.PROBLEM, title, f"Qualy or {title} is a stand-in and the other is not; they never mix.")
    if stamp is not None and (stamp == "stand-in") != organisation.stand_in:
        yield Finding(Level.PROBLEM, title, f"The ledger holds {stamp} records; use another one (QUALY_LEDGER_URL).")


def _by_hand(title: str) -> Iterator[Finding]:
    for sentence in (
        f"In Qualy: its own sync to {title} must be off, or every document is there twice.",
        f"In {title}: invoice reminders. Turned on, {title} writes to customers about invoices that arrive here.",
        f"In {title}: automatic application of credits and payments must be off, or settlements meet a changed sum.",
        f"In {title}: the tax basis (cash or accrual) and registration, which no API tells.",
    ):
        yield Finding(Level.BY_HAND, "to look at", sentence)
