"""What the stand-in holds as a whole: loading other objects, and showing all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.conta_azul.answers import Refused
from sandbox.conta_azul.books import Books
from sandbox.conta_azul.catalogue import account_shown, category_shown, centre_shown
from sandbox.conta_azul.event_body import read_event
from sandbox.conta_azul.events import EXPENSE, INCOME
from sandbox.conta_azul.instalments import composition
from sandbox.conta_azul.records import (
    ACCOUNTS,
    CATEGORIES,
    CENTRES,
    EVENTS,
    INSTALMENTS,
    PEOPLE,
    PROTOCOLS,
    REMOVED,
    SETTLEMENTS,
    Json,
    Selection,
)
from sandbox.conta_azul.wire import dump, is_uuid, number, parse, parse_moment, stamp

LOADABLE = (CATEGORIES, ACCOUNTS, CENTRES, PEOPLE, EVENTS)
_WITH_EVENTS = (EVENTS, INSTALMENTS, SETTLEMENTS, PROTOCOLS, REMOVED)


def load(books: Books, objects: dict[str, Any]) -> dict[str, int]:
    """Replace the named kinds; kinds that are not named stay. Raises ValueError, and then nothing is changed.

    People are as ``GET /v1/pessoas/{id}`` shows or ``POST`` takes them; events as ``POST`` takes them, with ``tipo``
    and, if wanted, ``id``, ``protocolo`` and ``data_criacao``; their instalments may have ``id`` and ``baixas``.
    """
    unknown = sorted(set(objects) - set(LOADABLE))
    if unknown:
        raise ValueError(f"Conta Azul holds no {', '.join(unknown)} to load. It takes {', '.join(LOADABLE)}.")
    records = books.company.records
    loaders: dict[str, Callable[[Books, Json], None]] = {PEOPLE: _load_person, EVENTS: _load_event}
    with records.work():
        for kind in LOADABLE:
            if kind not in objects:
                continue
            given = objects[kind]
            if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
                raise ValueError(f"{kind} is a list of objects.")
            for each in _WITH_EVENTS if kind == EVENTS else (kind,):
                records.clear(each)
            for one in given:
                try:
                    exact = parse(dump(one))
                    loaders[kind](books, exact) if kind in loaders else _load_part(books, kind, exact)
                except (Refused, KeyError, TypeError, AttributeError, ValueError) as error:
                    raise ValueError(f"{kind} {one.get('id')}: {error!r}") from error
        records.was_always_there()
    return {kind: len(objects[kind]) for kind in LOADABLE if kind in objects}


def state(books: Books) -> dict[str, Any]:
    """Everything: what ``load`` takes in the form in which it takes it, and instalments and protocols as answered."""
    with books.company.records.work():
        books.events.process_due()
        return _state(books)


def _state(books: Books) -> dict[str, Any]:
    records = books.company.records
    instalments = records.find(Selection(INSTALMENTS))
    by_event: dict[str, list[Json]] = {}
    for one in instalments:
        by_event.setdefault(one["parent"], []).append(one)
    return {
        CATEGORIES: [category_shown(one) for one in records.find(Selection(CATEGORIES))],
        ACCOUNTS: [account_shown(one) | {"opening": one["opening"]} for one in records.find(Selection(ACCOUNTS))],
        CENTRES: [centre_shown(one) for one in records.find(Selection(CENTRES))],
        PEOPLE: [books.people.shown(one) for one in records.find(Selection(PEOPLE))],
        EVENTS: [_event(books, one, by_event.get(one["id"], [])) for one in records.find(Selection(EVENTS))],
        INSTALMENTS: books.instalments.shown(instalments),
        PROTOCOLS: [
            {"id": one["id"], "status": one["state"], "evento_financeiro_id": one.get("result")}
            for one in records.find(Selection(PROTOCOLS))
        ],
    }


def _load_part(books: Books, kind: str, given: Json) -> None:
    doc: Json = {"ativo": True} if kind != CATEGORIES else {"versao": 0, "categoria_pai": None}
    if kind == ACCOUNTS:
        doc |= {"tipo": "CONTA_CORRENTE", "conta_padrao": False, "opening": 0}
    doc |= given
    if kind == CATEGORIES:
        if doc.get("tipo") not in (INCOME, EXPENSE):
            raise ValueError(f"its tipo is {INCOME} or {EXPENSE}")
        doc["parent"] = doc["categoria_pai"]
    if not doc.get("nome"):
        raise ValueError("it has a nome")
    doc["id"] = _id(books, doc)
    books.company.records.put(kind, doc)


def _load_person(books: Books, given: Json) -> None:
    body = dict(given)
    if body.get("documento"):
        body.setdefault("cpf" if body.get("tipo_pessoa") == "Física" else "cnpj", body["documento"])
    created = parse_moment(body["data_criacao"]) if body.get("data_criacao") else None
    kept = books.people.create(body, created)
    if body.get("uuid_legado"):
        kept |= {"uuid_legado": body["uuid_legado"], "id_legado": body["id_legado"]}
    if body.get("data_alteracao"):
        kept["changed"] = parse_moment(body["data_alteracao"])
    books.company.records.put(PEOPLE, kept)


def _load_event(books: Books, given: Json) -> None:
    if given.get("tipo") not in (INCOME, EXPENSE):
        raise ValueError(f"its tipo is {INCOME} or {EXPENSE}")
    event = read_event(given)
    problem = books.events.reference_problem(given["tipo"], event)
    if problem:
        raise ValueError(problem)
    event["id"] = _id(books, given)
    parts = given["condicao_pagamento"]["parcelas"]
    for one, part in zip(event["instalments"], parts, strict=True):
        one["id"] = _id(books, part)
    moment = parse_moment(given["data_criacao"]) if given.get("data_criacao") else books.company.now()
    protocol = given["protocolo"] if is_uuid(given.get("protocolo")) else books.company.records.new_id()
    books.events.make(given["tipo"], event, moment, protocol, given.get("origem") or "LANCAMENTO_FINANCEIRO")
    for one, part in zip(event["instalments"], parts, strict=True):
        for settlement in part.get("baixas") or []:
            kept = books.company.records.get(INSTALMENTS, one["id"])
            made = books.settlements.create(kept or {}, settlement)
            books.company.records.remove(SETTLEMENTS, made["id"])
            own = {"id": _id(books, settlement), "reconciled": settlement.get("id_reconciliacao")}
            books.company.records.put(SETTLEMENTS, made | own)


def _event(books: Books, event: Json, instalments: list[Json]) -> Json:
    return {
        "id": event["id"],
        "tipo": event["type"],
        "protocolo": event["protocol"],
        "origem": event["origin"],
        "data_criacao": stamp(event["created"]),
        "descricao": event["descricao"],
        "observacao": event["observacao"],
        "data_competencia": event["competence"],
        "valor": number(sum(one["amounts"]["gross"] for one in instalments)),
        "contato": event["person"],
        "conta_financeira": event["account"],
        "rateio": [_line(line) for line in event["lines"]],
        "condicao_pagamento": {"parcelas": [_instalment(books, one) for one in instalments]},
    }


def _line(line: Json) -> Json:
    centres = [{"id_centro_custo": one["centre"], "valor": number(one["value"])} for one in line["centres"]]
    return {"id_categoria": line["category"], "valor": number(line["value"]), "rateio_centro_custo": centres}


def _instalment(books: Books, one: Json) -> Json:
    settled = books.company.records.children(SETTLEMENTS, one["id"])
    return {
        "id": one["id"],
        "descricao": one["text"],
        "data_vencimento": one["due"],
        "nota": one["nota"],
        "conta_financeira": one["account"],
        "metodo_pagamento": one["method"],
        "detalhe_valor": composition(one["amounts"]),
        "baixas": [books.settlements.written(each) | {"id_reconciliacao": each["reconciled"]} for each in settled],
    }


def _id(books: Books, given: Json) -> str:
    return str(given["id"]).lower() if is_uuid(given.get("id")) else books.company.records.new_id()
