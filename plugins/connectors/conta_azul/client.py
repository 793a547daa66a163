"""The accounting tool Conta Azul, bound to one connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar

from connectors.conta_azul import chart as charts
from connectors.conta_azul import names, write
from connectors.conta_azul.access import Access
from connectors.conta_azul.answers import SETTLED, reply_to
from connectors.conta_azul.caller import Caller
from connectors.conta_azul.classify import code_of, read_content, refusal
from connectors.conta_azul.fields import Row, identifier, moment, needed, objects, text
from connectors.conta_azul.gaps import GAPS
from connectors.conta_azul.pages import PAGE_SIZE
from connectors.conta_azul.read import SIDES, instalment, merged, needed_ticket, person, row_document, settlement
from connectors.conta_azul.transport import IN_FLIGHT, Transport
from qualy_sync.contracts.accounting import (
    GONE,
    Answered,
    Basis,
    Chart,
    Done,
    EachAnswer,
    Failed,
    Fate,
    Gap,
    Limits,
    Line,
    Made,
    NewDocument,
    NotSent,
    Organisation,
    Pending,
    Quota,
    Remote,
    RemoteDocument,
    RemoteSettlement,
    Reply,
    Result,
    Status,
    TokenSource,
    Totals,
    Ways,
    What,
    Write,
    unwatched,
)
from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.errors import ToolError, WrongShape

T = TypeVar("T")
Known = Callable[[Sequence[str]], Iterable[RemoteSettlement]]
"""The live settlements of these documents, as far as they were made or read before."""

LATE = timedelta(minutes=10)  # a reading starts so much earlier: what was written may show itself late
WIDE = (("data_vencimento_de", "2000-01-01"), ("data_vencimento_ate", "2100-12-31"))
PROFILES = ("Cliente", "Fornecedor", "Transportadora")
KINDS = ("Física", "Jurídica", "Estrangeira")
MANY = 20  # settlements of so many documents make one page: reading them is one call each

_KINDS_HERE = (What.CONTACT, What.INVOICE, What.BILL, What.SETTLEMENT, What.BILL_SETTLEMENT)
LIMITS = Limits(
    per_call=MappingProxyType(dict.fromkeys(_KINDS_HERE, IN_FLIGHT)),
    changes=MappingProxyType(dict.fromkeys(_KINDS_HERE, IN_FLIGHT)),
    together=(frozenset({What.INVOICE, What.BILL}), SETTLED),
    replay=timedelta(0),
    settle=timedelta(minutes=15),
    settle_by=MappingProxyType(dict.fromkeys((What.INVOICE, What.BILL), timedelta(minutes=60))),
    two_absences=frozenset({What.INVOICE, What.BILL}),
    ticket_after=timedelta(seconds=90),
)
WAYS = Ways(
    reads=MappingProxyType({What.CONTACT: What.CONTACT} | dict.fromkeys(_KINDS_HERE[1:], What.INVOICE)),
    asks_document=True,
)


def nothing_known(_document_ids: Sequence[str]) -> Iterable[RemoteSettlement]:
    return ()


class ContaAzulTool:
    """See `qualy_sync.contracts.accounting.AccountingTool`. `stand_in` is None until the first answer."""

    id = "conta_azul"
    title = "Conta Azul"
    limits = LIMITS
    ways = WAYS
    gaps: Sequence[Gap] = GAPS

    def __init__(self, at: Access, tokens: TokenSource, clock: Clock, transport: Transport, known: Known) -> None:
        self.quota = Quota()
        self._at = at
        self._known = known
        self._pairs = charts.by_category(at.pairs)
        self._caller = Caller(tokens, clock, transport, self.quota)

    @property
    def stand_in(self) -> bool | None:
        return self._caller.stand_in

    # -- what the company is ---------------------------------------------------------------------------------------

    def organisation(self) -> Organisation:
        """The company that the connection reaches, read now."""
        found = self._caller.read("/v1/pessoas/conta-conectada")
        if not isinstance(found, dict):
            raise WrongShape("Conta Azul answered conta-conectada with something that is no company.")
        return charts.organisation(found, bool(self.stand_in))

    def chart(self) -> Chart:
        """Categories (those that take entries), accounts of money, and named pass-through pairs."""
        return charts.chart(
            self._caller.listed("/v1/categorias", [("permite_apenas_filhos", "true")]),
            self._caller.listed("/v1/conta-financeira", [("apenas_ativo", "false")]),
            self._at.pairs,
        )

    # -- reading ---------------------------------------------------------------------------------------------------

    def changed(
        self, what: What, since: datetime | None, each_answer: EachAnswer = unwatched
    ) -> Iterator[Sequence[Remote]]:
        """Pages of what changed since. INVOICE gives bills, and settlements of both, too."""
        start = since - LATE if since else None
        if what is What.CONTACT:
            yield from _pages([person(row) for row in self._people(start, each_answer)])
            return
        for side in SIDES:
            for rows in self._searched(side, start, each_answer):
                for page in _pages([self._document(row, side) for row in rows]):
                    yield page
                    yield from self._settlements_of(page, each_answer)

    def find(
        self, what: What, refs: Sequence[str], since: datetime | None, each_answer: EachAnswer = unwatched
    ) -> Sequence[Remote]:
        """Records by what each kind is searched by: an invoice's number, everything else's ref.

        Nothing can be asked for by it (the filters are not to be trusted), so that everything that changed since is
        looked through. Settlements are the known ones, and are read where those do not explain what is paid.
        """
        wanted = {ref.casefold() for ref in refs}
        if not wanted:
            return ()
        start = since - LATE if since else None
        if what is What.CONTACT:
            return self._find_people(refs, start, each_answer)
        sides = (what,) if what in SIDES else tuple(SIDES)
        found: dict[str, Remote] = {}
        for side in sides:
            for rows in self._searched(side, start, each_answer):
                documents = [self._document(row, side) for row in rows]
                pages: Iterable[Sequence[Remote]] = (documents,)
                if what in SETTLED:
                    # Read ones last: they are what is there now.
                    there = self._settlements_of(documents, each_answer)
                    pages = (list(self._known([one.id for one in documents])), *there)
                for page in pages:
                    found |= {one.id: one for one in page if _sought(one) & wanted}
        return tuple(found.values())

    def by_id(self, what: What, remote_ids: Sequence[str], each_answer: EachAnswer = unwatched) -> Sequence[Remote]:
        """Records by id, one call each (documents: two, since an instalment does not say whose it is)."""
        read: Callable[[str], Remote | None] = self._one_document
        if what is What.CONTACT:
            read = self._one_person
        elif what in SETTLED:
            read = self._one_settlement
        found: list[Remote] = []
        for remote_id in dict.fromkeys(remote_ids):
            one = read(remote_id)
            each_answer()
            found += [one] if one is not None else []
        return tuple(found)

    def _people(self, since: datetime | None, each_answer: EachAnswer) -> list[Row]:
        """People of every profile and type: left out, each of them narrows the answer."""
        found: dict[str, Row] = {}
        for window in self._caller.windows(since):
            for profile in PROFILES:
                for kind in KINDS:
                    query = [("tipo_perfil", profile), ("tipos_pessoa", kind), *window]
                    rows = self._caller.listed(write.PEOPLE, query, each_answer)
                    found |= {identifier(row, "id"): row for row in rows}
        return list(found.values())

    def _find_people(self, refs: Sequence[str], since: datetime | None, each_answer: EachAnswer) -> Sequence[Remote]:
        """By the note that lists show; of people made since then whose note says nothing, by the code."""
        rows = self._people(since, each_answer)
        wanted = {ref.casefold() for ref in refs}
        found: dict[str, Remote] = {one.id: one for one in map(person, rows) if one.ref.casefold() in wanted}
        missing = wanted - {one.ref.casefold() for one in found.values()}
        made_since = [row for row in rows if since is None or (moment(row, "data_criacao") or since) >= since]
        for row in made_since if missing else ():
            if not person(row).ref:
                whole = self._one_person(identifier(row, "id"))
                each_answer()
                if whole is not None and whole.ref.casefold() in missing:
                    found[whole.id] = whole
        return tuple(found.values())

    def _searched(self, side: What, since: datetime | None, each_answer: EachAnswer) -> Iterator[list[Row]]:
        path = f"{write.FINANCE}/{SIDES[side]}/buscar"
        for window in self._caller.windows(since):
            yield self._caller.listed(path, [*WIDE, *window], each_answer)

    def _document(self, row: Row, side: What) -> RemoteDocument:
        return self._with_page(row_document(row, side, self._pairs))

    def _settlements_of(
        self, documents: Sequence[RemoteDocument], each_answer: EachAnswer
    ) -> Iterator[Sequence[Remote]]:
        """Settlements of documents of ours whose paid amount is not the sum of the known ones, taken-back ones too."""
        known: dict[str, list[RemoteSettlement]] = {}
        for one in self._known([document.id for document in documents]):
            if one.status not in GONE:
                known.setdefault(one.document_id, []).append(one)
        page: list[Remote] = []
        for place, document in enumerate(
            document
            for document in documents
            if (document.ref or document.id in known)
            and document.paid != sum(one.amount for one in known.get(document.id, ()))
        ):
            there = self._settlements(document)
            each_answer()
            gone = [one for one in known.get(document.id, ()) if one.id not in {other.id for other in there}]
            page += there
            page += [replace(one, status=Status.DELETED, updated_at=document.updated_at) for one in gone]
            if place % MANY == MANY - 1:
                yield page
                page = []
        if page:
            yield page

    def _settlements(self, document: RemoteDocument) -> list[RemoteSettlement]:
        found = self._caller.read(f"{write.FINANCE}/parcelas/{document.id}/baixa")
        return [settlement(row, document.id, document.what) for row in objects(found, "settlements")]

    def _one_person(self, remote_id: str) -> Remote | None:
        row = self._caller.one(f"{write.PEOPLE}/{remote_id}")
        return None if row is None else person(row)

    def _one_settlement(self, remote_id: str) -> Remote | None:
        row = self._caller.one(f"{write.FINANCE}/parcelas/baixa/{remote_id}")
        return None if row is None else settlement(row, "")

    def _one_document(self, remote_id: str) -> RemoteDocument | None:
        row = self._caller.one(f"{write.FINANCE}/parcelas/{remote_id}")
        return None if row is None else self._whole(row)

    def _whole(self, row: Row) -> RemoteDocument:
        """An instalment with whose it is, which only its row in a search says."""
        found = instalment(row, "", self._pairs)
        due = (found.due_date or found.date).isoformat()
        days = [("data_vencimento_de", due), ("data_vencimento_ate", due)]
        rows = self._caller.listed(f"{write.FINANCE}/{SIDES[found.what]}/buscar", days)
        mine = next((one for one in rows if identifier(one, "id") == found.id), None)
        if mine is None:
            raise WrongShape("Conta Azul's search does not show an instalment that it gives by id.")
        return self._with_page(replace(found, contact_id=row_document(mine, found.what, self._pairs).contact_id))

    # -- writing ---------------------------------------------------------------------------------------------------

    def prepare(self, batch: Sequence[Write]) -> None:
        """Nothing: everything that is sent comes from the elements."""

    def body(self, batch: Sequence[Write]) -> bytes:
        """One to three elements; each becomes one request."""
        return write.body(batch, self._at.account)

    def send(self, what: What, body: bytes, key: str) -> Reply:
        """Does once what a body says, all elements at a time. There is no idempotency: `key` is not sent."""
        sent = write.elements(body)
        try:
            heard = self._caller.write([element.request for element in sent])
        except ToolError as error:
            return NotSent(error)
        reply = reply_to(self._caller, self._pairs, sent, heard)
        if not isinstance(reply, Answered):
            return reply
        return Answered(tuple(self._shown(one) for one in reply.results))

    def outcome_of(self, what: What, ref: str, ticket: str) -> Fate:
        """What a protocol says. One that is not there (yet) is pending: nothing is sent again because of it."""
        path = f"/v1/protocolo/{ticket}"
        heard = self._caller.ask(path)
        if heard.status == 404 and refusal(heard, path, self._caller.now()) is None:
            return Pending()
        found = read_content(heard, "GET /v1/protocolo", self._caller.now())
        if not isinstance(found, dict):
            raise WrongShape("Conta Azul answered a protocol that is no record.")
        status = needed_ticket(found)
        if status == "PENDING":
            return Pending()
        if status == "ERROR":
            said = text(found, "resposta") or "Conta Azul did not make it and gave no reason."
            return Failed(code_of(said), said[:300])
        if status != "SUCCESS":
            raise WrongShape(f"Conta Azul's protocol has a status that it does not document ({status[:40]}).")
        return Made(self._made(needed(found, "evento_financeiro_id"), ref))

    def _made(self, event_id: str, ref: str) -> Remote | None:
        heard = self._caller.ask(f"{write.FINANCE}/{event_id}/parcelas")
        if heard.status == 404:
            return None
        found: Any = read_content(heard, "GET parcelas", self._caller.now())
        rows = objects(found, "instalments")
        mine = [one for one in map(self._whole, rows) if one.ref == ref]
        return mine[0] if len(mine) == 1 else None

    # -- pure ------------------------------------------------------------------------------------------------------

    def as_read(self, new: NewDocument) -> NewDocument:
        """A document as Conta Azul gives it back."""
        return write.as_read(new)

    def totals(self, lines: Sequence[Line], basis: Basis, currency: str, chart: Chart) -> Totals:
        """There is no tax: net and total are the sum of what the categories come to."""
        total = sum(line.amount for line in merged(lines))
        return Totals(total, 0, total)

    def contact_name(self, name: str, email: str, suffix: str = "") -> str:
        """`name` as Conta Azul accepts it."""
        return names.contact_name(name, email, suffix)

    def document_url(self, remote_id: str, what: What) -> str:
        """Where a person finds the record."""
        return names.document_url(self._at.api, self._at.local, remote_id, what)

    def _shown(self, result: Result) -> Result:
        if isinstance(result, Done) and isinstance(result.remote, RemoteDocument):
            return replace(result, remote=self._with_page(result.remote))
        return result

    def _with_page(self, document: RemoteDocument) -> RemoteDocument:
        return replace(document, url=self.document_url(document.id, document.what))


def _pages(records: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(records), PAGE_SIZE):
        yield records[start : start + PAGE_SIZE]


def _sought(one: Remote) -> set[str]:
    """What a record is searched by, in small letters."""
    if isinstance(one, RemoteDocument) and one.what is What.INVOICE:
        return {one.number.casefold()}
    return {one.ref.casefold()}
