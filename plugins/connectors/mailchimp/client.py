"""One audience, as `contracts.audience.AudienceTool` asks for it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from qualy_sync.contracts.accounting import Declined, Gap, NotSent, RejectedWhole, Unanswered
from qualy_sync.contracts.audience import Progress, Started
from qualy_sync.contracts.crm import (
    Account,
    Act,
    Answered,
    Changed,
    ChangedPage,
    Contact,
    ContactPage,
    CrmLimits,
    Done,
    Form,
    Property,
    Reply,
    Write,
)
from qualy_sync.contracts.errors import AnswerLost, Refused, ToolError, WrongShape

from . import shapes
from .archive import entries
from .classify import Heard, declined
from .transport import Lost, Transport

PAGE = 1000
MOST_SECONDS = 30.0  # of one `send`: whoever calls holds a lease meanwhile
MOST_BATCHES_LISTED = 1000


class Mailchimp:
    """Reads and writes the members of one audience. Decides nothing, and never says what a member's status is."""

    id = "mailchimp"
    title = "Mailchimp"
    email_field = shapes.EMAIL
    # A repeated PUT says the same again: nothing has to be read back first, so nobody waits for Q.
    limits = CrmLimits(per_write=10, per_read=10, settle=timedelta(0), longest_text=255)
    withdrawn = frozenset({"unsubscribed", "cleaned", shapes.ARCHIVED})
    per_start = 500
    gaps: Sequence[Gap] = (
        Gap("consent", "Nobody's status is ever changed; who left, bounced, or was archived or deleted is left alone."),
        Gap("texts", "A text longer than 255 bytes is cut: Mailchimp takes no more."),
    )

    def __init__(
        self, transport: Transport, audience: str, status_if_new: str, tag_prefix: str, key_field: str,
        quiet_tags: bool = True,
    ) -> None:  # fmt: skip
        self.key_field = key_field
        self.quota = transport.quota
        self._transport = transport
        self._audience = audience
        self._status_if_new = status_if_new
        self._prefix = tag_prefix
        self._quiet_tags = quiet_tags

    # -- what is there

    def account(self) -> Account:
        """The audience. Raises Refused where it is not there, or where the account has several and none is named."""
        if self._audience:
            found = self._transport.get(f"/lists/{self._audience}", {"fields": "id,name"})
            if found is None:
                raise Refused(
                    f"Mailchimp has no audience {self._audience}; correct mailchimp.audience in the settings."
                )
        else:
            lists = self._transport.get("/lists", {"fields": "lists.id,lists.name,total_items", "count": "100"})
            known = shapes.rows(lists, "lists")
            if len(known) != 1:
                names = ", ".join(f"{one.get('id')} ({one.get('name')})" for one in known) or "none"
                raise Refused(f"Name the audience in the settings (mailchimp.audience). Mailchimp has: {names}.")
            found = known[0]
        if not isinstance(found.get("id"), str):
            raise WrongShape("Mailchimp answered an audience without an id.")
        self._audience = str(found["id"])
        name, stand_in = str(found.get("name") or ""), self._transport.stand_in is True
        return Account(self._audience, name, stand_in, self._contact_page())

    def _contact_page(self) -> str:
        access = self._transport.access
        data_center = access.url.removeprefix("https://").partition(".")[0]
        page = f"https://{data_center}.admin.mailchimp.com/audience/contact-profile?contact_id={{id}}"
        return "" if access.local else page

    def properties(self) -> Mapping[str, Property]:
        """The audience's merge fields by tag, and the address."""
        asked = "merge_fields.tag,merge_fields.name,merge_fields.type,merge_fields.options,total_items"
        found = self._transport.get(f"{self._here()}/merge-fields", {"count": str(PAGE), "fields": asked})
        fields = [shapes.property_(row) for row in shapes.rows(found, "merge_fields")]
        return {shapes.EMAIL: Property(shapes.EMAIL, "Email address", Form.EMAIL)} | {one.name: one for one in fields}

    def create_properties(self, wanted: Sequence[Property]) -> None:
        """One call for each field."""
        for one in wanted:
            heard = self._transport.write("POST", f"{self._here()}/merge-fields", {}, shapes.new_field(one))
            if isinstance(heard, ToolError):
                raise heard
            if isinstance(heard, Lost):
                raise AnswerLost(f"Mailchimp did not answer whether it made the field {one.name}. Try again.")
            if not heard.fine:
                raise Refused(
                    f"Mailchimp does not make the merge field {one.name}. An audience has 30 of them at most (80 with"
                    " Premium): delete some there, or choose fewer mailchimp.facts."
                )

    def contacts(self, names: Sequence[str], *, archived: bool = False, after: str = "") -> ContactPage:
        """One status after the other: what a list without one leaves out is not documented."""
        return self._page({}, (shapes.ARCHIVED,) if archived else shapes.STATUSES, after)

    def changed(self, since: datetime, *, after: str = "") -> ChangedPage:
        """Members that changed later than that second."""
        page = self.changed_contacts(since, (), after=after)
        return ChangedPage(tuple(Changed(one.id, one.updated_at) for one in page.contacts), page.after)

    def changed_contacts(
        self, since: datetime | None, names: Sequence[str], *, archived: bool = False, after: str = ""
    ) -> ContactPage:
        """One page of the members that changed, of every status but `archived`, or of that one."""
        when = {"since_last_changed": since.isoformat(timespec="seconds")} if since else {}
        return self._page(when, (shapes.ARCHIVED,) if archived else ("",), after)

    def by_id(self, ids: Sequence[str], names: Sequence[str], *, archived: bool = False) -> Sequence[Contact]:
        """One call each; archived members are found either way, and told apart."""
        found = self._each(ids)
        return [one for one in found if one.archived == archived]

    def by_email(self, emails: Sequence[str], names: Sequence[str]) -> Sequence[Contact]:
        """One call each."""
        return list(self._each([shapes.key_of(email) for email in emails]))

    def by_key(self, refs: Sequence[str], names: Sequence[str]) -> Sequence[Contact]:
        """The whole list: Mailchimp finds nobody by a merge field."""
        wanted, found, after = set(refs), list[Contact](), ""
        while True:
            page = self.contacts(names, after=after)
            found += [one for one in page.contacts if one.values.get(self.key_field) in wanted]
            after = page.after
            if not after:
                return found

    # -- writing

    def body(self, act: Act, batch: Sequence[Write]) -> bytes:
        """Operations as `/batches` takes them: for each member its values, and its tags behind them."""
        found = shapes.operations_of(batch, self._list(), self._status_if_new, self._quiet_tags)
        return shapes.encode({"operations": found})

    def send(self, act: Act, body: bytes) -> Reply:
        """The operations one after the other, each once. Refs that came to no answer are left out."""
        heard: dict[str, Heard] = {}
        ended: Lost | ToolError | None = None
        until = time.monotonic() + MOST_SECONDS
        for one in shapes.read_operations(body):
            if one.kind == shapes.TAGS and not self._may_tag(heard, one):
                continue
            if time.monotonic() > until:
                break
            answer = self._transport.write(one.method, one.path, one.query, one.body)
            if not isinstance(answer, Heard):
                ended = answer
                break
            heard[one.name] = answer
        if not heard and isinstance(ended, ToolError):
            return NotSent(ended)
        if not heard and isinstance(ended, Lost):
            return Unanswered(ended.why)
        return Answered(tuple(self._results(shapes.read_operations(body), heard)))

    def start(self, body: bytes) -> Started | RejectedWhole | NotSent | Unanswered:
        """The operations as a batch."""
        heard = self._transport.write("POST", "/batches", {}, body)
        if isinstance(heard, ToolError):
            return NotSent(heard)
        if isinstance(heard, Lost):
            return Unanswered(heard.why)
        ticket = heard.content.get("id")
        if heard.fine and isinstance(ticket, str) and ticket:
            return Started(ticket)
        if heard.fine:
            return Unanswered("Mailchimp took a batch and did not say its id")
        return RejectedWhole(f"Mailchimp refuses a batch with {heard.status}")

    def progress(self, tickets: Sequence[str]) -> Mapping[str, Progress]:
        """One call for all where there are several; one by one what the list does not show."""
        found: dict[str, Progress] = {}
        if len(tickets) > 1:
            listed = self._transport.get("/batches", {"count": str(MOST_BATCHES_LISTED)})
            shown = [_progress(row) for row in shapes.rows(listed, "batches")]
            found = {one.ticket: one for one in shown if one.ticket in tickets}
        for ticket in tickets:
            if ticket not in found and (row := self._transport.get(f"/batches/{ticket}")) is not None:
                found[ticket] = _progress(row)
        return found

    def results(self, body: bytes, progress: Progress) -> Answered:
        """What each operation was answered, from the archive that Mailchimp keeps for a short time."""
        found = entries(self._transport.download(progress.results)) if progress.results else {}
        heard = {name: Heard(status, answer) for name, (status, answer) in found.items()}
        return Answered(tuple(self._results(shapes.read_operations(body), heard)))

    # -- inside

    def _here(self) -> str:
        return f"/lists/{self._list()}"

    def _list(self) -> str:
        return self._audience or self.account().id

    def _page(self, more: Mapping[str, str], statuses: Sequence[str], after: str) -> ContactPage:
        place, _, start = after.partition(":")
        turn, offset = int(place or 0), int(start or 0)
        query = {"fields": shapes.MEMBERS_ASKED, "count": str(PAGE), "offset": str(offset), **more}
        if statuses[turn]:
            query["status"] = statuses[turn]
        found = self._transport.get(f"{self._here()}/members", query)
        if found is None:
            raise Refused(f"Mailchimp has no audience {self._audience}: the connection reaches another account.")
        page, every = shapes.rows(found, "members"), shapes.total(found)
        following = ""
        if page and offset + len(page) < every:
            following = f"{turn}:{offset + len(page)}"
        elif turn + 1 < len(statuses):
            following = f"{turn + 1}:0"
        return ContactPage(tuple(self._contact(row) for row in page), following)

    def _each(self, keys: Sequence[str]) -> Iterator[Contact]:
        for key in keys:
            row = self._transport.get(f"{self._here()}/members/{key}", {"fields": ",".join(shapes.ASKED)})
            if row is not None:
                yield self._contact(row)

    def _contact(self, row: Any) -> Contact:
        if not isinstance(row, dict) or not shapes.hides_tags(row):
            return shapes.contact(row, self._prefix)
        tags: list[Any] = []
        while True:
            query = {"count": str(PAGE), "offset": str(len(tags))}
            found = self._transport.get(f"{self._here()}/members/{row.get('id')}/tags", query)
            page = shapes.rows(found, "tags")
            tags += page
            if not page or len(tags) >= shapes.total(found):
                return shapes.contact(row, self._prefix, tags)

    def _may_tag(self, heard: Mapping[str, Heard], one: shapes.Operation) -> bool:
        """Not where the member's values were refused, nor where the answer shows that the person has left."""
        put = heard.get(f"{shapes.PUT}|{one.ref}|{one.contact_id}")
        return put is None or (put.fine and put.content.get("status") not in self.withdrawn)

    def _results(self, operations: Sequence[shapes.Operation], heard: Mapping[str, Heard]) -> Iterator[Done | Declined]:
        """One result per member, out of the answers to its one or two operations."""
        by_ref: dict[str, list[shapes.Operation]] = {}
        for one in operations:
            by_ref.setdefault(one.ref, []).append(one)
        for mine in by_ref.values():
            found: Done | Declined | None = None
            for one in mine:
                answer = heard.get(one.name)
                if answer is not None and not isinstance(found, Declined):
                    found = self._result(one, answer, found)
            if found is not None:
                yield found

    def _result(self, one: shapes.Operation, answer: Heard, before: Done | None) -> Done | Declined | None:
        if not answer.fine:
            return before or declined(one.ref, answer)
        if one.kind == shapes.PUT:
            try:
                return Done(one.ref, shapes.contact(answer.content, self._prefix), created=not one.contact_id)
            except WrongShape:
                return None
        if before is not None:
            tags = (before.contact.tags - one.tags("inactive")) | one.tags("active")
            return replace(before, contact=replace(before.contact, tags=tags))
        now = self._transport.clock.now()
        return Done(one.ref, Contact(one.contact_id, {}, (), now, tags=one.tags("active")))


def _progress(row: Any) -> Progress:
    """How far a batch is. It counts as finished even where every operation failed."""
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        raise WrongShape("Mailchimp answered a batch without an id.")
    counts = [row.get(name) for name in ("total_operations", "finished_operations", "errored_operations")]
    many, done, failed = (one if isinstance(one, int) else -1 for one in counts)
    return Progress(
        ticket=row["id"],
        finished=row.get("status") == "finished",
        operations=many,
        done=done,
        failed=failed,
        results=str(row.get("response_body_url") or ""),
    )
