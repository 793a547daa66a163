"""The CRM tool HubSpot, bound to one connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.hubspot import shapes
from connectors.hubspot.classify import (
    batch_fate,
    declined,
    loads,
    read_content,
    refusal,
    remaining,
    told,
)
from connectors.hubspot.transport import Transport
from connectors.shared.answers import Heard, says_stand_in
from qualy_sync.contracts.accounting import Declined, Gap, NotSent, Quota, RejectedWhole, TokenSource, Unanswered
from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.crm import (
    Account,
    Act,
    Answered,
    ChangedPage,
    Contact,
    ContactPage,
    CrmLimits,
    Done,
    Property,
    Reply,
    Write,
)
from qualy_sync.contracts.errors import (
    AnswerLost,
    OutOfQuota,
    Reconnect,
    Refused,
    ToolError,
    Unreachable,
    WrongShape,
)
from qualy_sync.outcomes import Code

PER_CALL = 100
SEARCH_PAGE = 200
CHANGED_AT = "lastmodifieddate"  # of contacts; other objects call it hs_lastmodifieddate
LIMITS = CrmLimits(
    per_write=PER_CALL,
    per_read=PER_CALL,
    settle=timedelta(minutes=2),
    index_lag=timedelta(seconds=60),
)
GAPS = (
    Gap(
        "deletion", "HubSpot lists archived and erased contacts in no change list: the daily whole reading finds them."
    ),
    Gap(
        "concurrent edits", "HubSpot has no version check: an edit made within a write's own second may be overwritten."
    ),
)


class HubSpotTool:
    """See `qualy_sync.contracts.crm.CrmTool`. `stand_in` is None until the first answer.

    `only` is the one account that may be reached, "" for whichever it is. No call of HubSpot's names the account, so
    that it is asked for before the first one: a connection may have been pointed to another one since.
    """

    id = "hubspot"
    title = "HubSpot"
    email_field = shapes.EMAIL
    limits = LIMITS
    gaps: Sequence[Gap] = GAPS

    def __init__(
        self, url: str, tokens: TokenSource, clock: Clock, version: str, key_field: str, read_timeout: int, only: str
    ) -> None:
        self.key_field = key_field
        self.quota = Quota()
        self.stand_in: bool | None = None
        self._tokens = tokens
        self._clock = clock
        self._transport = Transport(url, version, read_timeout)
        self._zone: ZoneInfo | None = None
        self._portal = ""
        self._only = only

    # -- what the account is ---------------------------------------------------------------------------------------

    def account(self) -> Account:
        """The account (HubSpot: portal)."""
        content = self._said(self._once("account details", self._transport.account), "account details")
        portal = content.get("portalId")
        if not isinstance(portal, int) or isinstance(portal, bool):
            raise WrongShape("HubSpot's account details name no portalId.")
        self._portal = str(portal)
        domain = content.get("uiDomain")
        ours = isinstance(domain, str) and domain.endswith(".hubspot.com")
        page = f"https://{domain if ours else 'app.hubspot.com'}/contacts/{self._portal}/record/0-1/{{id}}"
        try:
            self._zone = ZoneInfo(str(content.get("timeZone")))
        except (ZoneInfoNotFoundError, ValueError):
            self._zone = None
        stand_in = bool(self.stand_in)
        return Account(self._portal, f"HubSpot account {self._portal}", stand_in, "" if stand_in else page)

    def properties(self) -> Mapping[str, Property]:
        """Every property of contacts that is in use."""
        content = self._read("properties", "get_all", "contacts")
        found = (shapes.property_(row) for row in shapes.results(content, "properties"))
        return {one.name: one for one in found}

    def create_properties(self, wanted: Sequence[Property]) -> None:
        """Makes groups, then properties; what is there already stays. Raises Refused."""
        for group in dict.fromkeys(one.group for one in wanted):
            body = shapes.encode({"name": group, "label": group.replace("_", " ").title(), "displayOrder": -1})
            heard = self._ask("groups", "create", "contacts", body)
            if heard.status != 409:
                self._said(heard, "property groups")
        inputs = [shapes.property_body(one) for one in wanted]
        for start in range(0, len(inputs), PER_CALL):
            body = shapes.encode({"inputs": inputs[start : start + PER_CALL]})
            content = self._read("property_batch", "create", "contacts", body)
            errors = [one for one in content.get("errors") or [] if isinstance(one, dict)]
            if wrong := [told(one) for one in errors if one.get("category") != "CONFLICT"]:
                raise Refused(f"HubSpot does not make the properties: {'; '.join(dict.fromkeys(wrong))}.")

    # -- reading ---------------------------------------------------------------------------------------------------

    def contacts(self, names: Sequence[str], *, archived: bool = False, after: str = "") -> ContactPage:
        """A page of the whole list, or of the recycle bin."""
        more = {"after": after} if after else {}
        wanted = shapes.asked_names((*names, self.key_field))
        content = self._read("contacts", "get_page", limit=PER_CALL, properties=wanted, archived=archived, **more)
        following = shapes.next_page(content)
        if following and following == after:
            raise WrongShape("HubSpot's list of contacts does not go on: two pages name the same next one.")
        return ContactPage(shapes.contacts(shapes.results(content, "contacts")), following)

    def changed(self, since: datetime, *, after: str = "") -> ChangedPage:
        """From the search, which lags behind: a hint. No page is skipped, however many have one time stamp."""
        content = self._read("search", "do_search", shapes.search_body(CHANGED_AT, since, after or "0", SEARCH_PAGE))
        found = tuple(shapes.changed(row, CHANGED_AT) for row in shapes.results(content, "search"))
        total = content.get("total")
        # What was archived since the index was made counts in the total and is not there.
        whole = len(found) < SEARCH_PAGE and isinstance(total, int) and total <= len(found)
        if not found or whole:
            return ChangedPage(found, "")
        last = max(int(one.id) for one in found)
        if last <= int(after or 0):
            raise WrongShape("HubSpot's search does not go on behind the last id.")
        return ChangedPage(found, str(last))

    def by_id(self, ids: Sequence[str], names: Sequence[str], *, archived: bool = False) -> Sequence[Contact]:
        """Contacts by record id; the record that a merged one went into answers for it."""
        return self._by("", [one for one in ids if one.isdecimal()], names, archived=archived)

    def by_email(self, emails: Sequence[str], names: Sequence[str]) -> Sequence[Contact]:
        """Contacts by any of their addresses. HubSpot does not say which address led to which contact."""
        return self._by(shapes.EMAIL, emails, names)

    def by_key(self, refs: Sequence[str], names: Sequence[str]) -> Sequence[Contact]:
        """Contacts by the ref that they carry."""
        return self._by(self.key_field, refs, names)

    def _by(
        self, id_property: str, keys: Sequence[str], names: Sequence[str], *, archived: bool = False
    ) -> Sequence[Contact]:
        found: dict[str, Contact] = {}
        wanted = (*names, self.key_field)
        for chunk in _chunks(list(dict.fromkeys(keys))):
            body = shapes.read_body(chunk, wanted, id_property)
            content = self._read("batch", "read", body, archived=archived)
            if other := [one for one in content.get("errors") or [] if _category(one) != "OBJECT_NOT_FOUND"]:
                raise Refused(f"HubSpot does not answer for some contacts: {_category(other[0]) or 'no reason given'}.")
            found |= {one.id: one for one in shapes.contacts(shapes.results(content, "contacts"))}
        return tuple(found.values())

    # -- writing ---------------------------------------------------------------------------------------------------

    def body(self, act: Act, batch: Sequence[Write]) -> bytes:
        """The exact body of one batched write."""
        return shapes.write_body(act, batch, self.key_field)

    def send(self, act: Act, body: bytes) -> Reply:
        """Sends a body once. After a 401, by which nothing was done, it goes once more with a fresh token."""
        asked = f"contacts {act}"
        try:
            self._at_home()
        except AnswerLost as error:  # of the question whose account it is: nothing else was sent
            return NotSent(Unreachable(error.message))
        except ToolError as error:
            return NotSent(error)
        try:
            token = self._tokens.access_token()
            heard = self._call(token, asked, lambda given: self._transport.call(given, "batch", str(act), body))
            if heard.status == 401:
                fresh = self._fresh(token)
                heard = self._call(fresh, asked, lambda given: self._transport.call(given, "batch", str(act), body))
        except AnswerLost as error:
            return Unanswered(error.message)
        except ToolError as error:
            return NotSent(error)
        fate = batch_fate(heard, asked, self._clock.now(), self._zone)
        if isinstance(fate, RejectedWhole) and heard.status == 409 and len(refs := _refs(body)) == 1:
            return Answered((Declined(refs[0], Code.DUPLICATE_THERE, fate.message),))
        return Answered(self._matched(act, body, fate)) if isinstance(fate, dict) else fate

    def _matched(self, act: Act, body: bytes, content: Mapping[str, Any]) -> tuple[Done | Declined, ...]:
        """Results by our own marks: they come in another order, and some may be missing."""
        inputs = loads(body)["inputs"]
        known = {one["objectWriteTraceId"] for one in inputs}
        by_id = {one["id"]: one["objectWriteTraceId"] for one in inputs} if act is Act.UPDATE else {}
        found: dict[str, Done | Declined] = {one.ref: one for one in declined(content) if one.ref in known}
        for row in content["results"]:
            try:
                contact = shapes.contact(row)
            except WrongShape:
                continue
            ref = by_id.get(contact.id) or contact.values.get(self.key_field) or row.get("objectWriteTraceId")
            if ref in known and ref not in found:
                found[ref] = Done(ref, contact, created=act is Act.CREATE)
        return tuple(found.values())

    # -- the connection --------------------------------------------------------------------------------------------

    def _read(self, api: str, method: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        return self._said(self._ask(api, method, *arguments, **options), f"{api} {method}")

    def _said(self, heard: Heard, asked: str) -> dict[str, Any]:
        return read_content(heard, asked, self._clock.now(), self._zone)

    def _ask(self, api: str, method: str, *arguments: Any, **options: Any) -> Heard:
        """One call; a refused token is replaced once."""
        self._at_home()
        return self._once(
            f"{api} {method}", lambda token: self._transport.call(token, api, method, *arguments, **options)
        )

    def _at_home(self) -> None:
        """Asks whose account it is, once. Raises Refused for another one than it has to be."""
        if self._only and not self._portal:
            self.account()
        if self._only and self._portal != self._only:
            raise Refused(
                f"The HubSpot connection reaches account {self._portal}, and the contacts that are linked are in"
                f" account {self._only}. Correct the connection."
            )

    def _once(self, asked: str, call: Callable[[str], Heard]) -> Heard:
        token = self._tokens.access_token()
        heard = self._call(token, asked, call)
        if heard.status != 401:
            return heard
        return self._call(self._fresh(token), asked, call)

    def _fresh(self, refused: str) -> str:
        try:
            self._tokens.refused(refused)
            return self._tokens.access_token()
        except AnswerLost as error:  # of the token call, not of what was asked
            raise Reconnect(error.message) from None

    def _call(self, token: str, asked: str, call: Callable[[str], Heard]) -> Heard:
        self.quota.calls += 1
        heard = call(token)
        self.quota.minute, self.quota.day = remaining(heard)
        refused = refusal(heard, asked, self._clock.now(), self._zone)
        self.quota.wait_until = refused.until if isinstance(refused, OutOfQuota) else None
        self.stand_in = says_stand_in(heard, self.stand_in)
        return heard


def _refs(body: bytes) -> list[str]:
    return [one["objectWriteTraceId"] for one in loads(body)["inputs"]]


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), PER_CALL):
        yield keys[start : start + PER_CALL]


def _category(error: Any) -> str:
    return str(error.get("category") or "") if isinstance(error, dict) else ""
