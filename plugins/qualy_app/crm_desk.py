"""What a CRM run needs, opened from the environment: the desk of accounting, with one CRM tool on it.

`QUALY_SUPPRESSION` names the file that outlives the ledger: whom nobody may ever create again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from qualy_sync.contracts.crm import Account, CrmTool, CustomerWriter, Form, Property
from qualy_sync.contracts.errors import Refused
from qualy_sync.crm.merge import Way
from qualy_sync.crm.suppression import Suppression
from qualy_sync.crm.terms import Terms
from qualy_sync.crm.work import CrmWork
from qualy_sync.ledger import Ledger, LedgerError
from qualy_sync.ledger import books as keeping
from qualy_sync.ledger.engine import get_meta
from qualy_sync.ledger.runs import Run, keep_settings, latest_pass, set_book
from qualy_sync.load.gate import STANDING, confirm_standing

from .crm_tools import CRM_TOOLS, PROPERTIES_EVERY, CrmWiring
from .desk import ROOT, STANDING_META, Desk
from .signals import RunProblem

SUPPRESSION = ROOT / ".qualy" / "suppressed.json"


@dataclass
class CrmDesk:
    """One process's way to one CRM tool; everything else is the plain desk's."""

    tool_id: str
    desk: Desk = field(default_factory=Desk)

    @property
    def ledger(self) -> Ledger:
        return self.desk.ledger

    @property
    def wiring(self) -> CrmWiring:
        return CRM_TOOLS[self.tool_id]

    @property
    def enabled(self) -> bool:
        """Whether the settings switch it on."""
        return bool(self.wiring.section(self.desk.settings).enabled)

    @cached_property
    def terms(self) -> Terms:
        return self.wiring.terms(self.desk.settings)

    @cached_property
    def tool(self) -> CrmTool:
        from .connections import resolve

        endpoint, _ = resolve(self.wiring.connection, self.desk.environment)
        return self.wiring.open(self.ledger, endpoint, self.desk.settings)

    @cached_property
    def suppression(self) -> Suppression:
        file = Path(self.desk.environment.get("QUALY_SUPPRESSION") or _beside(self.ledger))
        return Suppression(self.ledger, self.tool_id, file)

    @cached_property
    def writer(self) -> CustomerWriter | None:
        """The way into Qualy's contacts, where the settings switched one of the two calls on."""
        section = self.wiring.section(self.desk.settings)
        update, create = getattr(section, "update_in_qualy", None), getattr(section, "create_in_qualy", None)
        if update is None or create is None or not (update.enabled or create.enabled):
            return None
        from connectors import qualy

        from .connections import resolve
        from .sessions import http_session

        endpoint, _ = resolve("qualy", self.desk.environment)
        reading = qualy.Reading(requests_per_second=self.desk.settings.source.requests_per_second)
        calls = qualy.Call(create.verb, create.path), qualy.Call(update.verb, update.path)
        return qualy.writer(endpoint, reading, http_session("qualy", endpoint), *calls, clock=self.ledger)

    # -- what the to-do list asks of a desk

    @property
    def stages(self) -> tuple[str, ...]:
        """The tasks of a run that have to come to their end."""
        return self.wiring.stages

    def retry(self, work: Any, keys: Sequence[tuple[str, str]]) -> dict[str, int]:
        """Tries these records again, because a person asked for it."""
        from qualy_sync.crm.stages import retry

        ids = frozenset(source_id for _, source_id in keys)
        return retry(replace(work, only=ids, again=ids))

    def waits_until(self, work: Any, keys: Sequence[tuple[str, str]]) -> datetime | None:
        """When what was sent for these and not answered can be settled."""
        from qualy_sync.crm.stages import waits_until

        return waits_until(work, keys)

    # -- a run's work

    def first_contact(self) -> tuple[int, Account]:
        """Reads the account, refuses to mix stand-ins and real services, and pins it on first contact.

        Raises RunProblem, and ToolError where the tool cannot be read now.
        """
        account = self.tool.account()
        wanted = self.wiring.section(self.desk.settings).account
        if wanted and wanted != account.id:
            raise RunProblem(
                f"The {self.wiring.title} connection reaches account {account.id}, the settings name {wanted}"
                f" ({self.tool_id}.account). Correct one of them."
            )
        try:
            self.ledger.stamp(account.stand_in)
            with self.ledger.reading() as connection:
                tenant = get_meta(connection, "tenant") or ""
            book = keeping.pin(self.ledger, tenant, self.tool_id, account, keeping.CRM)
        except LedgerError as error:
            raise RunProblem(str(error)) from error
        with self.ledger.writing() as connection:
            fact = {"name": account.name, "stand_in": account.stand_in, "contact_page": account.contact_page}
            keeping.put_fact(connection, book, "account", fact)
            if account.stand_in and get_meta(connection, STANDING_META) == STANDING:
                confirm_standing(connection, book)
        return book, account

    def read_account(self, run: Run) -> CrmWork:
        """What a run reads before it looks at contacts: whose account it is, and once a day its properties.

        The account in every run, unless every call names it: in another one nobody would be there, and everybody would
        seem erased.
        """
        book = self._pinned() if self.wiring.calls_name_account else None
        if book is None:
            book, _ = self.first_contact()
        known = keeping.get_fact(self.ledger, book, "properties")
        wanted = sorted(one.name for one in self.properties)
        fresh = known is not None and self.ledger.now() - known[1] < PROPERTIES_EVERY and known[0]["names"] == wanted
        if not fresh:
            self._check_properties()
            with self.ledger.writing() as connection:
                keeping.put_fact(connection, book, "properties", {"names": wanted})
        set_book(self.ledger, run.id, book)
        return self.work(run, book=book)

    @property
    def properties(self) -> list[Property]:
        """The properties of our own that have to be there."""
        return self.wiring.properties(self.desk.settings)

    def missing_properties(self) -> list[Property]:
        """Those that are not there. Raises RunProblem for one that cannot be used as it is, or that is unknown."""
        there = self.tool.properties()
        wrong = list(self._unusable(there))
        if wrong:
            raise RunProblem(f"{self.wiring.title}: {'; '.join(wrong)}.")
        return [one for one in self.properties if one.name not in there]

    def _unusable(self, there: Mapping[str, Property]) -> Iterator[str]:
        for one in self.properties:
            known = there.get(one.name)
            if known is not None and one.unique and not known.unique:
                yield (
                    f"the property {one.name} is not unique there: delete it, so that it can be made anew, or choose"
                    f" another {self.tool_id}.property_prefix"
                )
            if known is not None and known.form not in (one.form, Form.TEXT):
                yield f"{one.name} is there as a {known.form}, and a {one.form} is needed: delete or rename it there"
        for copied in self.terms.copied:
            known = there.get(copied.rule.field)
            if known is None:
                yield (f"there is no property {copied.rule.field} ({self.tool_id}.fields)")
            elif not known.writable and copied.rule.way is not Way.TO_QUALY:
                yield (f"the property {copied.rule.field} cannot be written ({self.tool_id}.fields)")
        when = self.terms.from_tool
        if when is not None and when.property not in there:
            yield f"there is no property {when.property} ({self.tool_id}.create_in_qualy.when)"

    def _check_properties(self) -> None:
        missing = self.missing_properties()
        if not missing:
            return
        if not self.wiring.section(self.desk.settings).create_properties:
            raise RunProblem(
                f"{self.wiring.title} lacks {len(missing)} properties of ours:"
                f" {', '.join(one.name for one in missing)}. Make them with `bin/qualy connect {self.tool_id}"
                f" --create-properties`, or set {self.tool_id}.create_properties: true. Without"
                f" {self.terms.key_field} nothing is written."
            )
        self.make_properties(missing)

    def make_properties(self, missing: Sequence[Property]) -> None:
        try:
            self.tool.create_properties(missing)
        except Refused as error:
            raise RunProblem(error.message) from error

    def work(
        self,
        run: Run,
        *,
        book: int | None = None,
        latest: bool = False,
        only: frozenset[str] = frozenset(),
        again: frozenset[str] = frozenset(),
    ) -> CrmWork:
        """The run's work; `latest` plans against the newest complete extraction instead of the run's pin."""
        book = book or run.book or self._book_of(run)
        if book is None:
            raise RunProblem(f"{self.wiring.title} was never read; run `bin/qualy sync {self.tool_id}`.")
        pin = run.pin
        if latest or not pin:
            with self.ledger.reading() as connection:
                pin = latest_pass(connection)
        settings = self.desk.settings
        keep_settings(self.ledger, settings.version, settings.model_dump(mode="json"))
        account = keeping.get_fact(self.ledger, book, "account")
        work = CrmWork(
            ledger=self.ledger,
            tool=self.tool,
            terms=self.terms,
            suppression=self.suppression,
            book=book,
            run=run.id,
            pin=pin,
            stand_in=bool(account and account[0].get("stand_in")),
            source=self.desk.source if self.writer is not None else None,
            writer=self.writer,
            only=only,
            again=again,
            checkpoint=self.desk.checkpoint,
        )
        if self.desk.sleep is not None:
            work.sleep = self.desk.sleep
        return work

    def _pinned(self) -> int | None:
        """The book of a tool whose calls name the account themselves, while the settings mean the same one."""
        found = keeping.find_book(self.ledger, self.tool_id)
        wanted = self.wiring.section(self.desk.settings).account
        return int(found.id) if found is not None and wanted in (None, found.organisation) else None

    def _book_of(self, run: Run) -> int | None:
        if run.book is not None:
            return run.book
        found = keeping.find_book(self.ledger, self.tool_id)
        return int(found.id) if found else None


def _beside(ledger: Ledger) -> Path:
    """Beside a local ledger, so that two ledgers never share a list by accident; else in the project's own folder."""
    if ledger.is_sqlite and ledger.engine.url.database:
        return Path(ledger.engine.url.database).parent / SUPPRESSION.name
    return SUPPRESSION
