"""A small world of customers and an audience: Qualy's stand-in, Mailchimp's, a ledger, and runs of the sync between."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from qualy_app.crm_desk import CrmDesk
from qualy_app.desk import Desk
from qualy_app.signals import RunProblem as AppProblem
from qualy_sync.contracts.errors import ToolError
from qualy_sync.crm import stages
from qualy_sync.crm.work import CrmProblem
from qualy_sync.ledger.engine import set_meta
from qualy_sync.ledger.leases import LeaseHeld, LeaseLost
from qualy_sync.ledger.runs import open_run
from qualy_sync.ledger.schema import attempts, current_outcomes
from qualy_sync.load.gate import STANDING

from .crm_world import CrmWorld
from .world import STANDING_META

AUDIENCE = "5a4b3c2d1e"
KEY = "sandboxmailchimpkey-us6"
NAMES = (("FNAME", "First Name", "text"), ("LNAME", "Last Name", "text"), ("PHONE", "Phone Number", "phone"))
Json = dict[str, Any]


@dataclass
class AudienceWorld(CrmWorld):
    """As the world of a CRM; the other side is an audience."""

    key: str = KEY

    def begin(  # type: ignore[override]
        self, customers: list[Json], members: list[Json] | None = None, *, confirmed: bool = True, **kinds: list[Json]
    ) -> AudienceWorld:
        """These customers, these members, nothing else; both clocks together; nothing in the way."""
        control = self.sandbox.control
        empty = ("payment-intents", "payment-splits", "split-intents", "transactions", "partnerships", "taxes")
        control("POST", "load/qualy", {"contacts": customers, **{kind: [] for kind in empty}, **kinds})
        lists = [{"id": AUDIENCE, "name": "Students"}]
        fields = [{"list_id": AUDIENCE, "tag": tag, "name": name, "type": kind} for tag, name, kind in NAMES]
        given = [{"list_id": AUDIENCE, "status": "subscribed"} | one for one in members or []]
        control(
            "POST",
            "load/mailchimp",
            {"lists": lists, "merge_fields": fields, "tags": [], "members": given, "forgotten": []},
        )
        control("POST", "readings/mailchimp", {"overload": 429, "empty_errors": False, "put_revives_archived": False})
        control("POST", "revoke/mailchimp", {"keys": []})
        for service in ("qualy", "mailchimp"):
            control("DELETE", f"faults/{service}")
            control("DELETE", f"calls/{service}")
        self.ledger.move_clock(timedelta(seconds=control("GET", "clock")["offset_seconds"]))
        if confirmed:
            with self.ledger.writing() as connection:
                set_meta(connection, STANDING_META, STANDING)
        return self

    def environment(self) -> dict[str, str]:
        mailchimp = {"conn_type": "http", "host": f"{self.sandbox.url}/mailchimp/3.0", "password": self.key}
        return super().environment() | {"AIRFLOW_CONN_MAILCHIMP": json.dumps(mailchimp)}

    def desk(self, checkpoint: Callable[[str], None] = lambda name: None) -> CrmDesk:
        desk = Desk(self.environment(), checkpoint, self.pass_time)
        desk.ledger = self.ledger
        return CrmDesk("mailchimp", desk)

    def run(
        self, checkpoint: Callable[[str], None] = lambda name: None, *, hints: tuple[str, ...] = (), read: bool = True
    ) -> bool:
        """An extraction (if `read`) and a whole run. What stops it is kept in `problems`."""
        desk = self.desk(checkpoint)
        try:
            if read:
                self.extract()
            run = open_run(self.ledger, "mailchimp", by_clock=True, settings_version=desk.desk.settings.version)
            work = desk.read_account(run)
            stages.read(work, hints)
            stages.plan(work)
            self.counts = stages.write(work)
        except (CrmProblem, AppProblem, ToolError, LeaseHeld, LeaseLost) as problem:
            self.problems.append(f"{type(problem).__name__}: {problem}")
            return False
        return True

    # -- the other side

    def mailchimp(self, do: str, member: str = "", **given: Any) -> Json:
        """What a person does in Mailchimp: a marketer in its pages, or the member in a mail or form."""
        found: Json = self.sandbox.control("POST", "ui/mailchimp", {"do": do, "member": member} | given)
        return found

    def members(self) -> dict[str, Json]:
        """Members by address in lower case, as the API returns them, with all of their tags."""
        found = self.sandbox.control("GET", "state/mailchimp")["members"]
        return {one["email_address"].lower(): one for one in found if one["list_id"] == AUDIENCE}

    def tags(self, email: str) -> set[str]:
        return {tag["name"] for tag in self.members()[email]["tags"]}

    def fields(self, email: str) -> Json:
        found: Json = self.members()[email]["merge_fields"]
        return found

    def asked(self) -> list[Json]:
        """Every call to Mailchimp since they were last counted."""
        return self.calls("mailchimp")

    def count_anew(self) -> None:
        self.sandbox.control("DELETE", "calls/mailchimp")

    def writes(self) -> list[str]:
        """Calls that write members, in order."""
        return [
            f"{one['method']} {one['path']}"
            for one in self.asked()
            if one["method"] != "GET" and re.search(r"/(members|batches)(/|$)", one["path"])
        ]

    def bodies(self) -> list[Json]:
        """What was sent of each member, those inside batches too: from the bodies that the ledger keeps."""
        with self.ledger.reading() as connection:
            sealed = list(connection.scalars(sa.select(attempts.c.body).order_by(attempts.c.id)))
        operations = [one for each in sealed for one in json.loads(self.ledger.unseal(each))["operations"]]
        return [json.loads(one["body"]) for one in operations]

    # -- the ledger

    def book(self) -> int:
        with self.ledger.reading() as connection:
            return int(connection.scalar(sa.text("SELECT id FROM books WHERE tool = 'mailchimp'")) or 0)

    def outcomes(self, leg: str = "contact") -> dict[str, str]:
        where = (current_outcomes.c.leg == leg, current_outcomes.c.book == self.book())
        with self.ledger.reading() as connection:
            return {row.source_id: row.code for row in connection.execute(sa.select(current_outcomes).where(*where))}
