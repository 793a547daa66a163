"""The accounting tool QuickBooks Online, bound to one connection and one company."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from connectors.pages import newest as _latest
from connectors.quickbooks import facts as company
from connectors.quickbooks import names, tax, write
from connectors.quickbooks.classify import batch_answer, fault_of, judged, read_content, refusal
from connectors.quickbooks.complete import Day, Known, as_read_there, banks_needed, complete, rates_needed
from connectors.quickbooks.facts import Facts
from connectors.quickbooks.fields import Row, encode, needed, number, part, reference, text
from connectors.quickbooks.hosts import Addresses
from connectors.quickbooks.limits import GAPS, GROUPS, LIMITS, PARTIES, PAYMENTS, WAYS
from connectors.quickbooks.pacing import Pacer, Rates
from connectors.quickbooks.read import gone, records
from connectors.quickbooks.reading import LOOK_BACK, MOST_CHANGES, NEAR_END, Lists, captured, quoted, stamp
from connectors.quickbooks.transport import Transport
from connectors.quickbooks.write import Item
from connectors.shared.answers import Heard, loads, says_stand_in
from qualy_sync.contracts.accounting import (
    GONE,
    Answered,
    Basis,
    Chart,
    Declined,
    Done,
    EachAnswer,
    Fate,
    Gap,
    Line,
    NewDocument,
    NotSent,
    Organisation,
    Quota,
    Remote,
    RemoteAllocation,
    RemoteDocument,
    RemoteSettlement,
    Reply,
    Result,
    Status,
    TokenSource,
    Totals,
    Unanswered,
    What,
    Write,
    unwatched,
)
from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Reconnect, Refused, ToolError, Unreachable, WrongShape

CLOCKS_APART = timedelta(minutes=5)  # a search by time starts this much earlier: our clock is not QuickBooks'
BACK = timedelta(seconds=1)  # QuickBooks compares to the second


class QuickBooksTool:
    """See `qualy_sync.contracts.accounting.AccountingTool`. `stand_in` is None until the first answer."""

    id = "quickbooks"
    title = "QuickBooks"
    limits = LIMITS
    ways = WAYS
    gaps: Sequence[Gap] = GAPS

    def __init__(
        self, where: Addresses, realm: str, tokens: TokenSource, clock: Clock, read_timeout: int, rates: Rates
    ) -> None:
        self.quota = Quota()
        self.stand_in: bool | None = None
        self._where = where
        self._realm = realm
        self._tokens = tokens
        self._clock = clock
        self._transport = Transport(where, realm, read_timeout)
        self._pacer = Pacer(rates)
        self._lists = Lists(self._ask, self._parse)
        self._known: Facts | None = None
        self._rates: dict[Day, Decimal | None] = {}  # None: QuickBooks has none of that day
        self._banks: dict[str, str] | None = None

    # -- what the company is ---------------------------------------------------------------------------------------

    def organisation(self) -> Organisation:
        """The company and its closing date, read now: one call, by which tax rates come too."""
        return self._read_facts().organisation(self._realm, bool(self.stand_in))

    def chart(self) -> Chart:
        """Accounts, items by the account they post to, tax codes and currencies."""
        found = self._lists.everything(("Account", "Item", "TaxCode", "TaxRate", "CompanyCurrency"))
        codes = company.tax_codes(found["TaxCode"], found["TaxRate"], self._facts.us)
        active = (row for row in found["CompanyCurrency"] if row.get("Active") is not False)
        return Chart(
            accounts=MappingProxyType(company.chart_accounts(found["Account"], found["Item"])),
            taxes=MappingProxyType({code.code: code for code in codes}),
            currencies=frozenset({self._facts.home, *(needed(row, "Code") for row in active)}),
            posts_behind_lock=False,  # the API is closed out of a closed period, whoever asks
        )

    @property
    def _facts(self) -> Facts:
        return self._known or self._read_facts()

    def _read_facts(self) -> Facts:
        found = self._lists.everything(("CompanyInfo", "Preferences", "TaxCode", "TaxRate"))
        info, preferences = found["CompanyInfo"][0], found["Preferences"][0]
        us = text(info, "Country") in ("US", "USA")
        self._known = company.facts(info, preferences, company.tax_codes(found["TaxCode"], found["TaxRate"], us))
        return self._known

    # -- reading ---------------------------------------------------------------------------------------------------

    def changed(
        self, what: What, since: datetime | None, each_answer: EachAnswer = unwatched
    ) -> Iterator[Sequence[Remote]]:
        """Pages of everything changed since, inactive, voided and deleted included.

        CONTACT gives customers and vendors, INVOICE every document, SETTLEMENT every payment. Lately changed: by
        change data capture, which alone tells of deletions; more than it can tell at once: by queries as well.
        """
        kinds = GROUPS[what]
        if since is None or since < self._clock.now() - LOOK_BACK:
            yield from self._lists.changed(kinds, since, each_answer)
            return
        found = self._changes(kinds, since - BACK)
        if len(found) < MOST_CHANGES:
            if found:
                yield [record for kind, row in found for record in self._parse(kind, row)]
            return
        moments: list[datetime] = []
        for page in self._lists.changed(kinds, since, each_answer):
            moments += [record.updated_at for record in page]
            yield page
        late = sorted(moments)[-NEAR_END:]
        if late and late[0] > since:
            found += self._changes(kinds, late[0])
        ends = [record for kind, row in found for record in self._parse(kind, row) if _has_ended(record)]
        if ends:
            yield ends

    def find(
        self, what: What, refs: Sequence[str], since: datetime | None, each_answer: EachAnswer = unwatched
    ) -> Sequence[Remote]:
        """Records by what each kind is searched by: an invoice's number, everything else's ref; every status.

        Raises rather than giving a part. Voided payments are in no query: they come from the changes.
        """
        wanted = set(refs)
        if not wanted:
            return ()
        if what is What.CONTACT:
            pages = self._lists.changed(PARTIES, since - CLOCKS_APART if since else None, each_answer)
            return _latest(record for page in pages for record in page if _key(record) in wanted)
        fields = {kind: "PaymentRefNum" if kind == "Payment" else "DocNumber" for kind in _kinds_of(what)}
        rows: list[tuple[str, Row]] = []
        for kind, name in fields.items():
            rows += [(kind, row) for row in self._lists.where(kind, name, refs)]
            each_answer()
        if set(fields) & set(PAYMENTS) and since and since > self._clock.now() - LOOK_BACK:
            rows += self._changes(tuple(fields), since - CLOCKS_APART)
        found = (record for kind, row in rows for record in self._parse(kind, row))
        return _latest(record for record in found if _key(record) in wanted and _fits(record, what))

    def by_id(self, what: What, remote_ids: Sequence[str], each_answer: EachAnswer = unwatched) -> Sequence[Remote]:
        """Records by our form of QuickBooks' ids, every status; ids that QuickBooks does not know are left out."""
        wanted: dict[str, list[str]] = {}
        for remote_id in remote_ids:
            if what is What.CONTACT:
                kind, own = names.party_of(remote_id)
                wanted.setdefault(kind, []).append(own)
            else:
                for kind in _kinds_of(what):
                    wanted.setdefault(kind, []).append(remote_id.partition(":")[0])
        found: list[tuple[str, Row]] = []
        for kind, ids in wanted.items():
            there = self._lists.where(kind, "Id", ids)
            each_answer()
            found += [(kind, row) for row in there]
            shown = {needed(row, "Id") for row in there}
            for one in dict.fromkeys(ids) if kind in PAYMENTS else ():
                if one not in shown:
                    found += [(kind, row) for row in self._one(kind, one)]
                    each_answer()
        asked = {one.partition(":")[0] for one in remote_ids} | set(remote_ids)
        every = (record for kind, row in found for record in self._parse(kind, row))
        return _latest(record for record in every if record.id in asked or record.id.partition(":")[0] in asked)

    def _one(self, kind: str, remote_id: str) -> list[Row]:
        """A payment that queries do not show: voided, or not there."""
        heard = self._heard(lambda token: self._transport.one(token, kind, remote_id))
        fault = fault_of_answer(heard)
        if fault == "610":
            return []
        return [part(read_content(heard, f"QuickBooks {kind}", self._clock.now()), kind)]

    def _changes(self, kinds: Sequence[str], since: datetime) -> list[tuple[str, Row]]:
        heard = self._heard(lambda token: self._transport.changes(token, ",".join(kinds), stamp(since)))
        return captured(read_content(heard, "QuickBooks changes", self._clock.now()), kinds)

    def _parse(self, kind: str, row: Row) -> list[Remote]:
        return [self._with_page(record) for record in records(kind, row, self._facts.us)]

    def _ask(self, statements: Sequence[str]) -> list[Row]:
        """The answers to some statements: in one call where that may be made, else one by one."""
        if len(statements) > 1 and not self._pacer.wait(batch=True):
            return [
                row
                for at in range(0, len(statements), write.MOST)
                for row in self._asked(statements[at : at + write.MOST])
            ]
        return [self._answer(statement) for statement in statements]

    def _asked(self, statements: Sequence[str]) -> list[Row]:
        asked = [{"bId": str(place), "Query": one} for place, one in enumerate(statements)]
        body = encode({"BatchItemRequest": asked}).encode()
        heard = self._heard(lambda token: self._transport.batch(token, body), batch=True)
        content = read_content(heard, "QuickBooks queries", self._clock.now())
        items = content.get("BatchItemResponse")
        by_id = {text(one, "bId"): one for one in items if isinstance(one, dict)} if isinstance(items, list) else {}
        found = []
        for place in range(len(statements)):
            item = by_id.get(str(place), {})
            fault = fault_of(item)
            if fault is not None:
                raise Refused(f"QuickBooks refuses a question with {fault.code}.")
            if "QueryResponse" not in item:
                raise AnswerLost("QuickBooks' answer did not arrive whole. Nothing was changed; try again.")
            found.append(part(item, "QueryResponse"))
        return found

    def _answer(self, statement: str) -> Row:
        heard = self._heard(lambda token: self._transport.query(token, statement))
        content = read_content(heard, "QuickBooks query", self._clock.now())
        if "QueryResponse" not in content:
            raise AnswerLost("QuickBooks' answer did not arrive whole. Nothing was changed; try again.")
        return part(content, "QueryResponse")

    def _heard(self, call: Callable[[str], Heard], *, batch: bool = False) -> Heard:
        """One read; a refused token is replaced once."""
        self._hold_pace(batch)
        token = self._tokens.access_token()
        heard = self._call(token, call, batch)
        if heard.status != 401:
            return heard
        self._tokens.refused(token)
        return self._call(self._tokens.access_token(), call, batch)

    # -- writing ---------------------------------------------------------------------------------------------------

    def prepare(self, batch: Sequence[Write]) -> None:
        """The company, and where it is needed the rates of exchange of the days, and bank accounts."""
        items, facts = write.elements(batch), self._facts
        days = [day for day in rates_needed(items, facts) if day not in self._rates]
        if days:
            asked = [
                f"SELECT * FROM ExchangeRate WHERE SourceCurrencyCode = {quoted(currency)} AND AsOfDate = {quoted(day)}"
                for currency, day in days
            ]
            for day, answer in zip(days, self._ask(asked), strict=True):
                rates = (number(row, "Rate") for row in answer.get("ExchangeRate") or ())
                self._rates[day] = next(rates, None) or None
        if self._banks is None and banks_needed(items):
            self._banks = self._read_banks()

    def body(self, batch: Sequence[Write]) -> bytes:
        """The exact body of one batch, complete with what `prepare` read."""
        items, facts = write.elements(batch), self._known
        lacking = facts is None or any(day not in self._rates for day in rates_needed(items, facts))
        if facts is None or lacking or (banks_needed(items) and self._banks is None):
            raise ValueError("The elements were not prepared: what QuickBooks says of them is not known.")
        known = Known({day: rate for day, rate in self._rates.items() if rate}, self._banks or {})
        return write.body([complete(item, facts, known) for item in items])

    def send(self, what: What, body: bytes, key: str) -> Reply:
        """Does once what a body says. After a 401, by which nothing was done, it goes once more with a fresh token.

        `key` is not sent: QuickBooks' memory of batches is not to be relied on, so that a lost one is looked for.
        """
        items = write.items(body)
        going = write.going(items)
        try:
            heard = self._sent(write.wire(going)) if going else None
        except _WriteLost as error:
            return Unanswered(error.message)
        except ToolError as error:  # also where a token was asked for and the answer to that was lost
            return NotSent(Unreachable(error.message) if isinstance(error, AnswerLost) else error)
        refused = [Declined(item.ref, *item.refused) for item in items if item.refused is not None]
        if heard is None:
            return Answered(tuple(refused))
        answer = batch_answer(heard, "QuickBooks batch", self._clock.now())
        if not isinstance(answer, list):
            return answer
        return Answered((*refused, *self._results(going, answer)))

    def _read_banks(self) -> dict[str, str]:
        """The first active bank account of each currency."""
        found: dict[str, str] = {}
        for row in self._lists.where("Account", "AccountType", ["Bank"]):
            if row.get("Active") is not False:
                found.setdefault(reference(row, "CurrencyRef") or self._facts.home, needed(row, "Id"))
        return found

    def _sent(self, body: bytes) -> Heard:
        self._hold_pace(batch=True)
        token = self._tokens.access_token()
        heard = self._written(token, body)
        if heard.status != 401:
            return heard
        self._tokens.refused(token)
        return self._written(self._tokens.access_token(), body)

    def _written(self, token: str, body: bytes) -> Heard:
        try:
            return self._call(token, lambda one: self._transport.batch(one, body), True)
        except AnswerLost as error:
            raise _WriteLost(error.message) from None

    def _results(self, going: dict[str, Item], answered: Sequence[Row]) -> list[Result]:
        """One result per element that is answered under its id exactly once, and whose fate is plain."""
        found: dict[str, list[Row]] = {}
        for one in answered:
            found.setdefault(text(one, "bId"), []).append(one)
        results: list[Result] = []
        for bid, item in going.items():
            mine = found.get(bid, [])
            result = self._result(item, mine[0]) if len(mine) == 1 else None
            if result is not None:
                results.append(result)
        return results

    def _result(self, item: Item, answered: Row) -> Result | None:
        fault = fault_of(answered)
        if fault is not None:
            return judged(fault, item.ref, item.verb, self._clock.now())
        row = answered.get(item.kind)
        if not isinstance(row, dict):
            return None
        try:
            if item.verb == "delete":
                same = text(row, "status") == "Deleted" and text(row, "Id") == text(item.entity, "Id")
                return Done(item.ref, gone(item.what, needed(row, "Id"), self._clock.now())) if same else None
            return Done(item.ref, _own(item, self._parse(item.kind, row)))
        except (WrongShape, ValueError):
            return None

    def outcome_of(self, what: What, ref: str, ticket: str) -> Fate:
        """QuickBooks answers at once; it gives no tickets."""
        raise WrongShape("QuickBooks gives no tickets.")

    # -- what needs no call ----------------------------------------------------------------------------------------

    def as_read(self, new: NewDocument) -> NewDocument:
        """A document as QuickBooks gives it back; the company is read first, where it is not known yet."""
        return as_read_there(new, self._facts)

    def totals(self, lines: Sequence[Line], basis: Basis, currency: str, chart: Chart) -> Totals:
        """Net, tax and total as QuickBooks computes them."""
        return tax.totals(lines, basis, currency, chart)

    def contact_name(self, name: str, email: str, suffix: str = "") -> str:
        """`name` as QuickBooks accepts it."""
        return names.contact_name(name, email, suffix)

    def document_url(self, remote_id: str, what: What) -> str:
        """Where a person finds the record."""
        return names.document_url(self._where.versioned, self._realm, self._where.local, remote_id, what)

    def _with_page(self, record: Remote) -> Remote:
        if not isinstance(record, RemoteDocument):
            return record
        return replace(record, url=self.document_url(record.id, record.what))

    # -- the connection --------------------------------------------------------------------------------------------

    def _hold_pace(self, batch: bool) -> None:
        seconds = self._pacer.wait(batch)
        if seconds:
            until = self._clock.now() + timedelta(seconds=seconds)
            limit = "batch" if batch else "per-minute"
            raise OutOfQuota(f"QuickBooks' {limit} calls of this minute are used up.", limit, until)

    def _call(self, token: str, call: Callable[[str], Heard], batch: bool) -> Heard:
        self._pacer.note(batch)
        self.quota.calls += 1
        heard = call(token)
        told = refusal(heard, "call", self._clock.now())
        self.quota.wait_until = told.until if isinstance(told, OutOfQuota) else None
        self.stand_in = says_stand_in(heard, self.stand_in)
        return heard


class _WriteLost(AnswerLost):
    """The batch was sent and not answered, unlike a token that was asked for."""


def fault_of_answer(heard: Heard) -> str:
    """The number of the fault in an answer, empty where there is none."""
    try:
        fault = fault_of(loads(heard.body))
    except ValueError:
        return ""
    return fault.code if fault is not None else ""


def _own(item: Item, found: Sequence[Remote]) -> Remote:
    """Of what an answered payment does, what was asked for; a line may have been dropped with status 200."""
    if item.what is What.ALLOCATION:
        for one in found:
            if isinstance(one, RemoteAllocation) and one.document_id == item.target:
                return one
        first = found[0]
        if isinstance(first, RemoteSettlement):
            return RemoteAllocation(
                first.id, first.ref, "", "", first.currency, 0, first.date, Status.VOIDED, first.updated_at
            )
        return first
    if item.target:
        return next((one for one in found if getattr(one, "document_id", "") == item.target), found[0])
    return found[0]


def _kinds_of(what: What) -> tuple[str, ...]:
    return PAYMENTS if what is What.ALLOCATION else (names.KINDS[what],)


def _key(record: Remote) -> str:
    """What a record is searched by: an invoice's number, everything else's ref."""
    if isinstance(record, RemoteDocument) and record.what is What.INVOICE:
        return record.number
    return record.ref


def _fits(record: Remote, what: What) -> bool:
    """A voided payment tells no more which it was: it fits both."""
    if isinstance(record, RemoteAllocation):
        return what is What.ALLOCATION
    return what is not What.ALLOCATION or not isinstance(record, RemoteSettlement) or record.status in GONE


def _has_ended(record: Remote) -> bool:
    if isinstance(record, RemoteDocument | RemoteSettlement | RemoteAllocation):
        return record.status in GONE
    return not record.active


def realm_of(given: str) -> str:
    """The company's id. Raises Reconnect where none is known."""
    realm = given.strip()
    if not realm:
        raise Reconnect(
            "Which company of QuickBooks is meant is not known. Run `bin/qualy connect quickbooks`, or put the"
            " company's id as realm_id into the extra of the quickbooks connection."
        )
    if not realm.isdigit():
        raise Refused("The realm_id of the quickbooks connection has to be the company's id: digits alone.")
    return realm
