"""The endpoints: which address does what. An event as a whole has none but those that create and search."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.conta_azul import event_body, instalments, people, settlements
from sandbox.conta_azul.answers import Answer, Refused, no_route, ok, wrong_method
from sandbox.conta_azul.books import Books
from sandbox.conta_azul.events import EXPENSE, INCOME
from sandbox.conta_azul.records import EVENTS, INSTALMENTS, SETTLEMENTS, Json
from sandbox.conta_azul.request import Call
from sandbox.conta_azul.wire import is_uuid

Handler = Callable[[Books, Call], Answer]
_FINANCE = "/v1/financeiro/eventos-financeiros"
_ONE = "([^/]+)"


@dataclass(frozen=True, slots=True)
class Route:
    """One found address; a list ``lags`` where writes take a while to show up in searches."""

    handler: Handler
    ids: tuple[str, ...]
    lags: bool


def find_route(method: str, path: str) -> Route | Answer:
    """The route of a call; the gateway's 404 or a 405 where there is none."""
    there = False
    for pattern, verb, handler in _ROUTES:
        found = re.fullmatch(pattern, path)
        if found and verb == method:
            return Route(handler, found.groups(), handler in _LAGGING)
        there = there or found is not None
    return wrong_method() if there else no_route()


def _people(books: Books, call: Call) -> Answer:
    return books.people_list.read(call)


def _person(books: Books, call: Call) -> Answer:
    call.known()
    return ok(books.people.shown(books.people.found(call.id())))


def _legacy_person(books: Books, call: Call) -> Answer:
    call.known()
    return ok(books.people.shown(books.people.by_legacy(call.id())))


def _company(books: Books, call: Call) -> Answer:
    call.known()
    return ok(books.company.identity)


def _add_person(books: Books, call: Call) -> Answer:
    body = call.body()
    call.known_fields(body, *people.FIELDS)
    return ok(books.people.shown(books.people.create(_without_id(body))), 201)


def _patch_person(books: Books, call: Call) -> Answer:
    body = call.body()
    call.known_fields(body, *people.FIELDS)
    books.people.patch(books.people.found(call.id()), body)
    return Answer(204)


def _put_person(books: Books, call: Call) -> Answer:
    body = call.body()
    call.known_fields(body, *people.FIELDS)
    return ok(books.people.shown(books.people.replace(books.people.found(call.id()), body)))


def _activate(books: Books, call: Call) -> Answer:
    return ok(books.people.switch(_uuids(call), True))


def _inactivate(books: Books, call: Call) -> Answer:
    return ok(books.people.switch(_uuids(call), False))


def _delete_people(books: Books, call: Call) -> Answer:
    books.people.delete(_uuids(call))
    return Answer(204)


def _add_receivable(books: Books, call: Call) -> Answer:
    return _queue(books, call, INCOME)


def _add_payable(books: Books, call: Call) -> Answer:
    return _queue(books, call, EXPENSE)


def _queue(books: Books, call: Call, kind: str) -> Answer:
    call.known()
    body = call.body()
    call.known_fields(body, *event_body.FIELDS)
    return books.events.queue(kind, body)


def _receivables(books: Books, call: Call) -> Answer:
    return books.search.instalments(call, INCOME)


def _payables(books: Books, call: Call) -> Answer:
    return books.search.instalments(call, EXPENSE)


def _changes(books: Books, call: Call) -> Answer:
    return books.search.changes(call)


def _protocol(books: Books, call: Call) -> Answer:
    call.known()
    return books.events.protocol(call.id())


def _event_instalments(books: Books, call: Call) -> Answer:
    call.known()
    if books.company.records.get(EVENTS, call.id()) is None:
        raise Refused(404, "event not found")
    return ok(books.instalments.shown(books.company.records.children(INSTALMENTS, call.id())))


def _instalment(books: Books, call: Call) -> Answer:
    call.known()
    return ok(books.instalments.shown([books.instalments.found(call.id())])[0])


def _patch_instalment(books: Books, call: Call) -> Answer:
    body = call.body()
    call.known_fields(body, *instalments.PATCHED)
    return ok(books.instalments.patched(books.instalments.patch(books.instalments.found(call.id()), body)))


def _settle(books: Books, call: Call) -> Answer:
    body = call.body()
    call.known_fields(body, *settlements.FIELDS)
    made = books.settlements.create(books.settlements.instalment(call.id()), body)
    return ok(books.settlements.written(made))


def _settlements(books: Books, call: Call) -> Answer:
    call.known()
    instalment = books.settlements.instalment(call.id())
    rows = books.company.records.children(SETTLEMENTS, instalment["id"])
    return ok([books.instalments.settlement(row, instalment) for row in rows])


def _settlement(books: Books, call: Call) -> Answer:
    call.known()
    kept = books.settlements.found(call.id())
    return ok(books.instalments.settlement(kept, books.settlements.instalment(kept["parent"])))


def _patch_settlement(books: Books, call: Call) -> Answer:
    body = call.body()
    call.known_fields(body, "versao", *settlements.FIELDS)
    return ok(books.settlements.written(books.settlements.change(books.settlements.found(call.id()), body)))


def _delete_settlement(books: Books, call: Call) -> Answer:
    books.settlements.delete(books.settlements.found(call.id()))
    return Answer(200)


def _next_sale(books: Books, call: Call) -> Answer:
    """No sales are kept here, so there is no number yet."""
    call.known()
    return ok(None)


def _uuids(call: Call) -> list[str]:
    body = call.body()
    call.known_fields(body, "uuids")
    ids = body.get("uuids")
    if not isinstance(ids, list) or not all(is_uuid(one) for one in ids):
        raise Refused(400, "uuids must be a list of UUIDs")
    return [str(one).lower() for one in ids]


def _without_id(body: Json) -> Json:
    return {name: value for name, value in body.items() if name != "id"}


_LAGGING = (_people, _receivables, _payables, _changes)
_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("/v1/pessoas", "GET", _people),
    ("/v1/pessoas", "POST", _add_person),
    ("/v1/pessoas/conta-conectada", "GET", _company),
    ("/v1/pessoas/ativar", "POST", _activate),
    ("/v1/pessoas/inativar", "POST", _inactivate),
    ("/v1/pessoas/excluir", "POST", _delete_people),
    (f"/v1/pessoas/legado/{_ONE}", "GET", _legacy_person),
    (f"/v1/pessoas/{_ONE}", "GET", _person),
    (f"/v1/pessoas/{_ONE}", "PATCH", _patch_person),
    (f"/v1/pessoas/{_ONE}", "PUT", _put_person),
    (f"{_FINANCE}/contas-a-receber", "POST", _add_receivable),
    (f"{_FINANCE}/contas-a-receber/buscar", "GET", _receivables),
    (f"{_FINANCE}/contas-a-pagar", "POST", _add_payable),
    (f"{_FINANCE}/contas-a-pagar/buscar", "GET", _payables),
    (f"{_FINANCE}/alteracoes", "GET", _changes),
    (f"{_FINANCE}/parcelas/baixa/{_ONE}", "GET", _settlement),
    (f"{_FINANCE}/parcelas/baixa/{_ONE}", "PATCH", _patch_settlement),
    (f"{_FINANCE}/parcelas/baixa/{_ONE}", "DELETE", _delete_settlement),
    (f"{_FINANCE}/parcelas/{_ONE}/baixa", "GET", _settlements),
    (f"{_FINANCE}/parcelas/{_ONE}/baixa", "POST", _settle),
    (f"{_FINANCE}/parcelas/{_ONE}", "GET", _instalment),
    (f"{_FINANCE}/parcelas/{_ONE}", "PATCH", _patch_instalment),
    (f"{_FINANCE}/{_ONE}/parcelas", "GET", _event_instalments),
    (f"/v1/protocolo/{_ONE}", "GET", _protocol),
    ("/v1/categorias", "GET", lambda books, call: books.catalogue.categories(call)),
    ("/v1/categorias/configuracao-padrao", "GET", lambda books, call: books.catalogue.defaults(call)),
    ("/v1/financeiro/categorias-dre", "GET", lambda books, call: books.catalogue.statement(call)),
    ("/v1/conta-financeira", "GET", lambda books, call: books.catalogue.accounts(call)),
    (f"/v1/conta-financeira/{_ONE}/saldo-atual", "GET", lambda books, call: books.catalogue.balance(call)),
    ("/v1/centro-de-custo", "GET", lambda books, call: books.catalogue.centres(call)),
    ("/v1/centro-de-custo", "POST", lambda books, call: books.catalogue.add_centre(call)),
    ("/v1/venda/proximo-numero", "GET", _next_sale),
)
