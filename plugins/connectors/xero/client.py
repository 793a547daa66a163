"""The accounting tool Xero, bound to one connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from connectors.pages import Part, walk, watched
from connectors.pages import newest as _latest
from connectors.shared.answers import Heard, says_stand_in
from connectors.xero import change, names, tax, write
from connectors.xero import chart as charts
from connectors.xero.classify import (
    NOT_FOUND,
    Saved,
    job_reply,
    read_content,
    refusal,
    remaining,
    write_reply,
)
from connectors.xero.fields import Row, needed, number, part, rows, same, text
from connectors.xero.hosts import Addresses
from connectors.xero.read import COLLECTION, PARSERS, allocation, search_key
from connectors.xero.transport import Transport
from qualy_sync.contracts.accounting import (
    CREDITS,
    Answered,
    Basis,
    Change,
    Chart,
    Done,
    EachAnswer,
    Fate,
    Gap,
    Limits,
    Line,
    NewAllocation,
    NewDocument,
    NotSent,
    Organisation,
    Quota,
    Remote,
    RemoteDocument,
    Remove,
    Reply,
    TokenSource,
    Totals,
    Unanswered,
    Void,
    Ways,
    What,
    Write,
    unwatched,
)
from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Reconnect, Refused, ToolError, WrongShape

PAGE_SIZE = 1000
IDS_PER_CALL = 40  # more ids make the address too long, which Xero answers with 404
LONGEST_LIST = 1500  # characters of one comma list, encoded, well inside the 2,048 of a whole query
CLOCKS_APART = timedelta(minutes=5)  # a search by time starts this much earlier: our clock is not Xero's

LIMITS = Limits(
    per_call=MappingProxyType({what: 50 for what in What if what is not What.ALLOCATION}),
    changes=MappingProxyType(dict.fromkeys((What.CONTACT, What.INVOICE, What.BILL), IDS_PER_CALL)),
    together=(
        frozenset({What.INVOICE, What.BILL}),
        frozenset({What.CREDIT_NOTE, What.SUPPLIER_CREDIT}),
        frozenset({What.SETTLEMENT, What.BILL_SETTLEMENT, What.REFUND}),
    ),
    replay=timedelta(minutes=4),
    settle=timedelta(minutes=10),
    two_absences=frozenset({What.BILL}),
    reads_per_page=PAGE_SIZE,
)
WAYS = Ways(
    reads=MappingProxyType(
        {
            What.CONTACT: What.CONTACT,
            What.INVOICE: What.INVOICE,
            What.BILL: What.INVOICE,
            What.CREDIT_NOTE: What.CREDIT_NOTE,
            What.SUPPLIER_CREDIT: What.CREDIT_NOTE,
            What.SETTLEMENT: What.SETTLEMENT,
            What.BILL_SETTLEMENT: What.SETTLEMENT,
            What.REFUND: What.SETTLEMENT,
            What.ALLOCATION: What.CREDIT_NOTE,
        }
    ),
    allocations_on_note=True,
)
GAPS = (
    Gap(
        "period lock",
        "Xero does not apply its period lock date to users with the Adviser role; a connection made by one is held back"
        " by our own check of the lock dates only.",
    ),
    Gap("bills", "Xero has no reference field on bills and accepts a number twice: a bill's number is our reference."),
    Gap("decimals", "Xero computes with two decimals in every currency, also in those with none (JPY) or three (KWD)."),
)
_READS = MappingProxyType(
    {
        What.CONTACT: "get_contacts",
        What.INVOICE: "get_invoices",
        What.BILL: "get_invoices",
        What.CREDIT_NOTE: "get_credit_notes",
        What.SUPPLIER_CREDIT: "get_credit_notes",
        What.SETTLEMENT: "get_payments",
        What.BILL_SETTLEMENT: "get_payments",
        What.REFUND: "get_payments",
    }
)
_WRITES = MappingProxyType(
    {
        What.CONTACT: ("create_contacts", "contacts"),
        What.INVOICE: ("create_invoices", "invoices"),
        What.BILL: ("create_invoices", "invoices"),
        What.CREDIT_NOTE: ("create_credit_notes", "credit_notes"),
        What.SUPPLIER_CREDIT: ("create_credit_notes", "credit_notes"),
        What.SETTLEMENT: ("create_payments", "payments"),
        What.BILL_SETTLEMENT: ("create_payments", "payments"),
        What.REFUND: ("create_payments", "payments"),
    }
)
_CHANGES = MappingProxyType(
    {
        What.CONTACT: ("update_or_create_contacts", "contacts"),
        What.INVOICE: ("update_or_create_invoices", "invoices"),
        What.CREDIT_NOTE: ("update_or_create_credit_notes", "credit_notes"),
    }
)


class XeroTool:
    """See `qualy_sync.contracts.accounting.AccountingTool`. `stand_in` is None until the first answer."""

    id = "xero"
    title = "Xero"
    limits = LIMITS
    ways = WAYS
    gaps: Sequence[Gap] = GAPS

    def __init__(self, where: Addresses, tenant: str, tokens: TokenSource, clock: Clock, read_timeout: int) -> None:
        self.quota = Quota()
        self.stand_in: bool | None = None
        self._where = where
        self._tenant = tenant
        self._tokens = tokens
        self._clock = clock
        self._transport = Transport(where, read_timeout)

    # -- what the organisation is ----------------------------------------------------------------------------------

    def organisation(self) -> Organisation:
        """The organisation and its lock dates, read now."""
        found = rows(self._read("get_organisations", xero_tenant_id=self._tenant_id()), "Organisations")
        if len(found) != 1:
            raise WrongShape(f"Xero answered {len(found)} organisations instead of one.")
        return charts.organisation(found[0], self._tenant_id(), bool(self.stand_in))

    def chart(self) -> Chart:
        """Accounts, tax rates, currencies, and whether the connection's user may post behind the period lock."""
        tenant = self._tenant_id()
        accounts = [charts.account(row) for row in rows(self._read("get_accounts", xero_tenant_id=tenant), "Accounts")]
        taxes = [charts.tax_code(row) for row in rows(self._read("get_tax_rates", xero_tenant_id=tenant), "TaxRates")]
        currencies = rows(self._read("get_currencies", xero_tenant_id=tenant), "Currencies")
        return Chart(
            accounts=MappingProxyType({account.code: account for account in accounts}),
            taxes=MappingProxyType({code.code: code for code in taxes}),
            currencies=frozenset(needed(row, "Code") for row in currencies),
            posts_behind_lock=self._posts_behind_lock(tenant),
        )

    def _posts_behind_lock(self, tenant: str) -> bool | None:
        try:
            content = self._read("get_organisation_actions", xero_tenant_id=tenant)
        except Refused:
            return None
        return charts.may_post_behind_lock(rows(content, "Actions"))

    # -- reading ---------------------------------------------------------------------------------------------------

    def changed(
        self, what: What, since: datetime | None, each_answer: EachAnswer = unwatched
    ) -> Iterator[Sequence[Remote]]:
        """Pages of everything changed since, archived, voided and deleted included. INVOICE gives bills too."""
        narrow = {"where": f'Type=="{write.TYPE[what]}"'} if what in (What.BILL, What.SUPPLIER_CREDIT) else {}
        return self._walk(what, since, each_answer, **narrow)

    def find(
        self, what: What, refs: Sequence[str], since: datetime | None, each_answer: EachAnswer = unwatched
    ) -> Sequence[Remote]:
        """Records by what each kind is searched by: an invoice's number, everything else's ref; every status.

        Invoices are asked for by number. The others are looked for among what changed since, or among everything
        where `since` is None. Raises rather than giving a part.
        """
        wanted = {same(ref) for ref in refs}
        if not wanted:
            return ()
        pages: Iterator[Sequence[Remote]]
        if what is What.INVOICE:
            chunks = _chunks(refs)
            pages = (page for one in chunks for page in self._walk(what, None, each_answer, invoice_numbers=one))
        else:
            pages = self.changed(what, since - CLOCKS_APART if since else None, each_answer)
        return _latest(record for page in pages for record in page if _fits(record, what, wanted))

    def by_id(self, what: What, remote_ids: Sequence[str], each_answer: EachAnswer = unwatched) -> Sequence[Remote]:
        """Records by Xero's ids, every status; ids that Xero does not know are left out."""
        if what in write.PAYMENTS or what in CREDITS:
            found = (self._one(what, remote_id, each_answer) for remote_id in dict.fromkeys(remote_ids))
            return tuple(record for record in found if record is not None)
        pages = (page for chunk in _chunks(remote_ids) for page in self._walk(what, None, each_answer, i_ds=chunk))
        return _latest(record for page in pages for record in page)

    def _walk(
        self, what: What, since: datetime | None, each_answer: EachAnswer, **narrow: Any
    ) -> Iterator[Sequence[Remote]]:
        tenant = self._tenant_id()
        if what is What.CONTACT:
            narrow["include_archived"] = True

        def fetch(start: datetime | None, page: int) -> Part:
            asked = {**narrow, "order": "UpdatedDateUTC ASC", "page": page, "page_size": PAGE_SIZE}
            if start is not None:
                asked["if_modified_since"] = f"{start.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
            content = self._read(_READS[what], xero_tenant_id=tenant, **asked)
            found = [self._with_page(PARSERS[what](row)) for row in rows(content, COLLECTION[what])]
            count = number(part(content, "pagination"), "pageCount")
            return Part(found, count is not None and page >= count)

        return walk(watched(fetch, each_answer), since)

    def _one(self, what: What, remote_id: str, each_answer: EachAnswer) -> Remote | None:
        """A payment or a credit note: Xero takes no lists of their ids."""
        method, name = ("get_credit_note", "credit_note_id") if what in CREDITS else ("get_payment", "payment_id")
        heard = self._ask(method, xero_tenant_id=self._tenant_id(), **{name: remote_id})
        each_answer()
        if heard.status == 404 and NOT_FOUND in heard.body:
            return None
        found = rows(read_content(heard, f"Xero {method}", self._clock.now()), COLLECTION[what])
        if len(found) != 1:
            raise WrongShape(f"Xero answered {len(found)} records for one id.")
        return self._with_page(PARSERS[what](found[0]))

    def _read(self, method: str, **arguments: Any) -> Any:
        return read_content(self._ask(method, **arguments), f"Xero {method}", self._clock.now())

    def _ask(self, method: str, **arguments: Any) -> Heard:
        """One read; a refused token is replaced once."""
        token = self._tokens.access_token()
        heard = self._call(token, method, **arguments)
        if heard.status != 401:
            return heard
        self._tokens.refused(token)
        return self._call(self._tokens.access_token(), method, **arguments)

    # -- writing ---------------------------------------------------------------------------------------------------

    def prepare(self, batch: Sequence[Write]) -> None:
        """Nothing: Xero itself knows its rates, and takes amounts as they are meant."""

    def body(self, batch: Sequence[Write]) -> bytes:
        """The exact body of one batch: creates as they go on the wire, everything else in an envelope."""
        new = [one for one in batch if not isinstance(one, Change | Void | Remove | NewAllocation)]
        return write.body(new) if len(new) == len(batch) else change.body(batch)

    def send(self, what: What, body: bytes, key: str) -> Reply:
        """Does once what a body says. After a 401, by which nothing was done, it goes once more with a fresh token."""
        job = change.job(body)
        if job is not None:
            return self._do(job, key)
        method, argument = _WRITES[what]
        arguments: dict[str, Any] = {argument: body, "summarize_errors": False}
        if argument in ("invoices", "credit_notes") and write.decimals(body) > 2:
            arguments["unitdp"] = 4
        heard = self._write(method, key, arguments)
        if not isinstance(heard, Heard):
            return heard
        reply = write_reply(what, body, heard, f"Xero {method}", self._clock.now())
        if not isinstance(reply, Answered):
            return reply
        return Answered(
            tuple(
                replace(result, remote=self._with_page(result.remote)) if isinstance(result, Done) else result
                for result in reply.results
            )
        )

    def _do(self, job: change.Job, key: str) -> Reply:
        """Changes, voids, removals and allocations. What was saved is read back: an answer may only echo the wish."""
        arguments: dict[str, Any]
        if job.do == "remove":
            method = "delete_payment"
            arguments = {"payment_id": job.elements[0]["PaymentID"], "payment_delete": b'{"Status":"DELETED"}'}
        elif job.do == "allocate":
            method = "create_credit_note_allocation"
            element = dict(job.elements[0])
            arguments = {"credit_note_id": element.pop("CreditNoteID"), "summarize_errors": False}
            arguments["allocations"] = write.encode({"Allocations": [element]}).encode()
        else:
            method, argument = _CHANGES[job.what]
            arguments = {argument: job.wire, "summarize_errors": False}
            if argument != "contacts" and write.decimals(job.wire) > 2:
                arguments["unitdp"] = 4
        heard = self._write(method, key, arguments)
        if not isinstance(heard, Heard):
            return heard
        reply = job_reply(job, heard, f"Xero {method}", self._clock.now())
        if not isinstance(reply, Saved):
            return reply
        return Answered((*reply.declined, *self._as_saved(job, reply)))

    def _as_saved(self, job: change.Job, saved: Saved) -> list[Done]:
        """What was saved, as it is there now. What cannot be read is left out: its fate is unknown."""
        if not saved.rows:
            return []
        try:
            if job.do == "remove":
                return [Done(ref, PARSERS[job.what](row)) for ref, row in saved.rows.items()]
            ids = {remote_id: ref for remote_id, ref in job.refs.items() if ref in saved.rows}
            what = What.CREDIT_NOTE if job.do == "allocate" else job.what
            there = {same(one.id): one for one in self.by_id(what, list(ids))}
            if job.do != "allocate":
                return [Done(ref, there[remote_id]) for remote_id, ref in ids.items() if remote_id in there]
            return [
                Done(ref, allocation(note, needed(saved.rows[ref], "AllocationID")))
                for remote_id, ref in ids.items()
                if isinstance(note := there.get(remote_id), RemoteDocument)
            ]
        except ToolError:
            return []

    def outcome_of(self, what: What, ref: str, ticket: str) -> Fate:
        """Xero answers at once; it gives no tickets."""
        raise WrongShape("Xero gives no tickets.")

    def _write(self, method: str, key: str, arguments: dict[str, Any]) -> Heard | Reply:
        try:
            arguments = {"xero_tenant_id": self._tenant_id(), "idempotency_key": key} | arguments
            token = self._tokens.access_token()
        except ToolError as error:
            return NotSent(error)
        try:
            heard = self._call(token, method, **arguments)
            if heard.status == 401:
                heard = self._again(token, method, arguments)
        except AnswerLost as error:
            return Unanswered(error.message)
        except ToolError as error:
            return NotSent(error)
        return heard

    def _again(self, refused: str, method: str, arguments: dict[str, Any]) -> Heard:
        try:
            self._tokens.refused(refused)
            token = self._tokens.access_token()
        except AnswerLost as error:  # of the token call, not of the write: that was refused
            raise Reconnect(error.message) from None
        return self._call(token, method, **arguments)

    # -- pure ------------------------------------------------------------------------------------------------------

    def as_read(self, new: NewDocument) -> NewDocument:
        """A document as Xero gives it back."""
        return change.as_read(new)

    def totals(self, lines: Sequence[Line], basis: Basis, currency: str, chart: Chart) -> Totals:
        """Net, tax and total as Xero computes them."""
        return tax.totals(lines, basis, currency, chart)

    def contact_name(self, name: str, email: str, suffix: str = "") -> str:
        """`name` as Xero accepts it."""
        return names.contact_name(name, email, suffix)

    def document_url(self, remote_id: str, what: What) -> str:
        """Where a person finds the record."""
        return names.document_url(self._where.api, self._where.local, remote_id, what)

    def _with_page(self, record: Remote) -> Remote:
        if not isinstance(record, RemoteDocument):
            return record
        return replace(record, url=self.document_url(record.id, record.what))

    # -- the connection --------------------------------------------------------------------------------------------

    def _tenant_id(self) -> str:
        """The organisation's id: pinned by the settings, else the only one that the connection reaches."""
        if not self._tenant:
            content = read_content(
                self._ask("get_connections", api="identity"), "Xero get_connections", self._clock.now()
            )
            self._tenant = only_organisation(rows({"connections": content}, "connections"))
        return self._tenant

    def _call(self, token: str, method: str, **arguments: Any) -> Heard:
        self.quota.calls += 1
        heard = self._transport.call(token, method, **arguments)
        self.quota.minute, self.quota.day = remaining(heard)
        told = refusal(heard, method, self._clock.now())
        self.quota.wait_until = told.until if isinstance(told, OutOfQuota) else None
        self.stand_in = says_stand_in(heard, self.stand_in)
        return heard


def only_organisation(connections: Sequence[Row]) -> str:
    """The tenant id of the one organisation that a connection reaches. Raises Reconnect or Refused."""
    found = [row for row in connections if text(row, "tenantType") in {"", "ORGANISATION"}]
    if not found:
        raise Reconnect(
            "The Xero connection reaches no organisation any more: the app was disconnected there. Run `bin/qualy"
            " connect xero` to connect again."
        )
    if len(found) > 1:
        listed = "; ".join(f"{text(row, 'tenantName')} = {needed(row, 'tenantId')}" for row in found)
        raise Refused(
            f"The Xero connection reaches {len(found)} organisations. Pin one of them as tenant_id in the settings:"
            f" {listed}."
        )
    return needed(found[0], "tenantId")


def _fits(record: Remote, what: What, wanted: set[str]) -> bool:
    kind_fits = not isinstance(record, RemoteDocument) or record.what is what
    return kind_fits and same(search_key(record)) in wanted


def _chunks(values: Sequence[str]) -> Iterator[list[str]]:
    """The values, each once, in lists that fit into an address. Raises ValueError for one with a comma."""
    chunk: list[str] = []
    size = 0
    for value in dict.fromkeys(values):
        if "," in value:
            raise ValueError("Xero cannot be asked for a number that holds a comma.")
        length = 3 * len(value.encode()) + 3
        if chunk and (len(chunk) == IDS_PER_CALL or size + length > LONGEST_LIST):
            yield chunk
            chunk, size = [], 0
        chunk.append(value)
        size += length
    if chunk:
        yield chunk
