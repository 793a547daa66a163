"""The desk: everything that a run needs, opened from the environment. Airflow's jobs and the command line share it.

`QUALY_LEDGER_URL` names the ledger, `QUALY_SETTINGS` the settings file, `QUALY_SECRET_KEYS` the keys of what is kept
encrypted, `QUALY_REPORTS` the folder for copies of reports, `QUALY_CSV` the one for CSV files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.accounting import AccountingTool, Organisation, What
from qualy_sync.contracts.source import Source
from qualy_sync.ledger import Ledger, LedgerError
from qualy_sync.ledger import books as keeping
from qualy_sync.ledger.attempts import forget_bodies
from qualy_sync.ledger.engine import get_meta
from qualy_sync.ledger.runs import Run, keep_settings, latest_pass, set_book
from qualy_sync.ledger.schema import passes
from qualy_sync.ledger.source import LATELY, vanished_lately
from qualy_sync.load import GROUPS, Filter, Work, give_up, look_at_recoded, refresh_chart, refresh_mirror
from qualy_sync.load.gate import STANDING, confirm_standing
from qualy_sync.load.refresh import keep_organisation
from qualy_sync.settings import AccountingSettings, Settings, SettingsError, load
from qualy_sync.settings.loading import rates_file

from .settings_file import changed, settings_path
from .signals import RunProblem
from .tools import TOOLS, Tool

ROOT = Path(__file__).parents[2]
FULL_READING = "full_reading"
FULL_READING_EVERY = timedelta(hours=24)
STANDING_META = "standing_confirmation"
WRITTEN = (What.INVOICE, What.SETTLEMENT)


@dataclass
class Desk:
    """One process's way to the ledger, the settings, the source and the tool; each opened when first used."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    checkpoint: Callable[[str], None] = lambda name: None
    sleep: Callable[[float], None] | None = None

    @cached_property
    def ledger(self) -> Ledger:
        url = self.environment.get("QUALY_LEDGER_URL", "")
        if not url:
            raise RunProblem(
                "QUALY_LEDGER_URL is not set: it names the ledger, such as sqlite:////var/lib/qualy/ledger.db or"
                " postgresql://user:password@host/qualy."
            )
        keys = [key.strip() for key in self.environment.get("QUALY_SECRET_KEYS", "").split(",") if key.strip()]
        return Ledger(url, keys)

    @cached_property
    def settings(self) -> Settings:
        return self._read_settings()

    def closing_date(self) -> date | None:
        """The closing date as the settings file says now, whatever this desk read when it was opened."""
        settings = self._read_settings()
        return settings.accounting.closed_until if settings.accounting is not None else None

    def _read_settings(self) -> Settings:
        path = settings_path(self.environment)
        try:
            settings = _settings(path, changed(path), changed(_rates_of.get(path)))
        except SettingsError as error:
            raise RunProblem(str(error)) from error
        file = rates_file(settings, path)
        if file != _rates_of.get(path):  # first met: from now on, a change of it is a change
            _rates_of[path] = file
        return settings

    @property
    def accounting(self) -> AccountingSettings:
        if self.settings.accounting is None:
            raise RunProblem("The settings name no accounting tool (accounting.tool is none).")
        return self.settings.accounting

    @property
    def wiring(self) -> Tool:
        return TOOLS[self.accounting.tool]

    @cached_property
    def tool(self) -> AccountingTool:
        from .connections import resolve

        endpoint, _ = resolve(self.wiring.connection, self.environment)
        pinned = self.accounting.organisation or self._pinned()
        if pinned:
            extra = dict(endpoint.extra) | {"tenant_id": pinned}
            endpoint = type(endpoint)(endpoint.url, extra, endpoint.login, endpoint.password)
        return self.wiring.open(self.ledger, endpoint, self.accounting.pace.read_timeout, masking())

    @cached_property
    def source(self) -> Source:
        from connectors import qualy

        from .connections import resolve
        from .sessions import http_session

        endpoint, _ = resolve("qualy", self.environment)
        settings = self.settings.source
        reading = qualy.Reading(
            paths={str(kind): path for kind, path in settings.paths.items()},
            filter_style=settings.filter_style,
            page_size=settings.page_size,
            page_overlap=settings.page_overlap,
            requests_per_second=settings.requests_per_second,
        )
        return qualy.connect(endpoint, reading, http_session("qualy", endpoint), self.ledger)

    @property
    def reports(self) -> Path:
        return Path(self.environment.get("QUALY_REPORTS") or ROOT / ".qualy" / "reports")

    @property
    def csv_target(self) -> str:
        """Where the CSV files go: a folder, or an address of object storage."""
        return self.settings.csv.target or self.environment.get("QUALY_CSV") or str(ROOT / ".qualy" / "csv")

    def _pinned(self) -> str:
        book = keeping.find_book(self.ledger, self.accounting.tool)
        return str(book.organisation) if book else ""

    # -- what the to-do list asks of a desk

    @property
    def tool_id(self) -> str:
        return self.accounting.tool

    @property
    def stages(self) -> tuple[str, ...]:
        """The tasks of a run that have to come to their end."""
        return ("check", "plan", *GROUPS, "reconcile")

    def retry(self, work: Any, keys: Sequence[tuple[str, str]]) -> dict[str, int]:
        """Tries these records again, because a person asked for it."""
        from qualy_sync.load.retrying import retry

        return retry(work, keys)

    def waits_until(self, work: Any, keys: Sequence[tuple[str, str]]) -> datetime | None:
        """When what was sent for these and not answered can be settled."""
        from qualy_sync.load import waits_until

        return waits_until(work, keys)

    # -- a run's work

    def first_contact(self) -> tuple[int, Organisation]:
        """Reads the organisation, refuses to mix stand-ins and real services, and pins it on first contact.

        Raises RunProblem, and ToolError where the tool cannot be read now.
        """
        organisation = self.tool.organisation()
        try:
            self.ledger.stamp(organisation.stand_in)
            with self.ledger.reading() as connection:
                tenant = get_meta(connection, "tenant") or ""
            book = keeping.pin(self.ledger, tenant, self.accounting.tool, organisation)
        except LedgerError as error:
            raise RunProblem(str(error)) from error
        keep_organisation(self.ledger, book, organisation, self.accounting.closed_until, self.wiring.title)
        if organisation.stand_in:
            with self.ledger.writing() as connection:
                if get_meta(connection, STANDING_META) == STANDING:
                    confirm_standing(connection, book)
        return book, organisation

    def read_tool(self, run: Run) -> Work:
        """What a run by the clock reads before it plans: organisation, chart, and what changed there.

        What stayed unanswered for too long is told before: it may be this very reading that cannot be done.
        """
        if (known := keeping.find_book(self.ledger, self.accounting.tool)) is not None:
            give_up(self.work(run, book=int(known.id)))
        book, _ = self.first_contact()
        set_book(self.ledger, run.id, book)
        work = self.work(run, book=book)
        refresh_chart(work)
        self._read_changes(work)
        return work

    def _read_changes(self, work: Work) -> None:
        """What changed in the tool; once a day everything, since not every change moves the tool's time stamps."""
        read = keeping.get_fact(self.ledger, work.book, FULL_READING)
        full = read is None or self.ledger.now() - read[1] >= FULL_READING_EVERY
        refresh_mirror(work, work.everything, full=full)
        look_at_recoded(work)
        if full:
            forget_bodies(self.ledger)
            with self.ledger.writing() as connection:
                keeping.put_fact(connection, work.book, FULL_READING, {})

    def work(self, run: Run, *, book: int | None = None, latest: bool = False, only: Filter | None = None) -> Work:
        """The run's work; `latest` plans against the newest complete extraction instead of the run's pin."""
        book = book or run.book
        if book is None:
            found = keeping.find_book(self.ledger, self.accounting.tool)
            if found is None:
                raise RunProblem(f"{self.wiring.title} was never read; run `bin/qualy check`.")
            book = int(found.id)
        elif not keeping.is_live(self.ledger, book):
            raise RunProblem("A fresh start ended the books that this run began with: start a new run.")
        pin = run.pin
        if latest or not pin:
            with self.ledger.reading() as connection:
                pin = latest_pass(connection)
        keep_settings(self.ledger, self.settings.version, self.settings.model_dump(mode="json"))
        work = Work(
            ledger=self.ledger,
            tool=self.tool,
            settings=self.settings,
            accounting=self.accounting,
            book=book,
            run=run.id,
            pin=pin,
            payment_link=self.settings.source.payment_link or "",
            checkpoint=self.checkpoint,
            filter=only or Filter(),
            stop_writing=stop_reason(self.ledger, pin, self.accounting),
            closing=self.closing_date,
        )
        if self.sleep is not None:
            work.sleep = self.sleep
        return work

    def refresh(self, work: Work) -> None:
        """Documents and settlements as they are after this run's writes: what reconciling compares."""
        refresh_mirror(work, WRITTEN)


def masking() -> Callable[[str], None] | None:
    """How logs are told of a secret that they must hide: Airflow's own way inside a task, none elsewhere."""
    from .connections import in_a_task

    if not in_a_task():
        return None
    from airflow.sdk.log import mask_secret

    return mask_secret


_rates_of: dict[Path, Path | None] = {}  # settings file → the table of rates that it named when it was last read


@lru_cache(maxsize=4)
def _settings(path: Path, _file: int, _rates: int) -> Settings:
    """Read once per process and version of the files: a task opens more than one desk."""
    return load(path, tools=tuple(TOOLS))


def stop_reason(ledger: Ledger, pin: int, accounting: AccountingSettings) -> str:
    """Why nothing may be written: too many failing rows in the extraction, or too many records that vanished."""
    with ledger.reading() as connection:
        counts = connection.scalar(sa.select(passes.c.counts).where(passes.c.number == pin)) or {}
        total, gone = vanished_lately(connection)
    if counts.get("failing_share_exceeded"):
        return "more of Qualy's rows fail the data-quality rules than quality.max_failing_share allows"
    share = accounting.gate.breaker.vanish_share
    if total and gone > share * total:
        return (
            f"{gone:,} of {total:,} records vanished from Qualy in the last {LATELY} complete readings, more than"
            " accounting.gate.breaker.vanish_share allows"
        )
    return ""


def recent(ledger: Ledger, run: Run | None, minutes: int) -> bool:
    """Whether a run ended less than so many minutes ago."""
    return run is not None and run.ended_at is not None and ledger.now() - run.ended_at < timedelta(minutes=minutes)
