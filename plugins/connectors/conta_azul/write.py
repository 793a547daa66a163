"""Bodies: what is to be done to each element, one request each, with everything that the answer needs. Pure.

A body is an envelope of ours. Each of its elements goes by itself, since Conta Azul takes nothing in batches.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from connectors.conta_azul.chart import category_of
from connectors.conta_azul.fields import CURRENCY
from connectors.conta_azul.marks import note, title
from connectors.conta_azul.names import contact_name
from connectors.conta_azul.read import SIDES, merged
from connectors.conta_azul.transport import IN_FLIGHT, Request
from connectors.shared.answers import loads
from qualy_sync.contracts.accounting import (
    DOCUMENTS,
    Change,
    Line,
    NewContact,
    NewDocument,
    NewSettlement,
    Party,
    Person,
    RemoteContact,
    RemoteDocument,
    Remove,
    Verb,
    What,
    Write,
    kind_of,
    verb_of,
)
from qualy_sync.model import to_decimal

FINANCE = "/v1/financeiro/eventos-financeiros"
PEOPLE = "/v1/pessoas"
LONGEST_EMAIL = 100
_PERSON = {Person.INDIVIDUAL: "Física", Person.COMPANY: "Jurídica", Person.FOREIGN: "Estrangeira"}
_PROFILES = {Party.CUSTOMER: ("Cliente",), Party.SUPPLIER: ("Fornecedor",), Party.ANY: ("Cliente", "Fornecedor")}
_NUMBER = {Person.INDIVIDUAL: "cpf", Person.COMPANY: "cnpj"}


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a body. `there` is what its answer is completed with: facts of the record that is touched."""

    ref: str
    what: What
    verb: Verb
    request: Request
    there: dict[str, Any]


def body(batch: Sequence[Write], account: str = "") -> bytes:
    """`account` is what receivables and payables are expected on, where one is named.

    Raises ValueError for what does not go together, and for what Conta Azul cannot do.
    """
    if not 1 <= len(batch) <= IN_FLIGHT:
        raise ValueError(f"Conta Azul is sent one to {IN_FLIGHT} elements at a time.")
    families = {(verb_of(one), _family(kind_of(one))) for one in batch}
    if len(families) != 1 or len({one.ref for one in batch}) != len(batch):
        raise ValueError("What is sent at once is of one kind, and no record twice.")
    return _encode([_element(one, account) for one in batch]).encode()


def elements(sent: bytes) -> list[Element]:
    """A body taken apart."""
    return [
        Element(
            one["ref"],
            What(one["what"]),
            Verb(one["verb"]),
            Request(one["method"], one["path"], (), None if one["body"] is None else _encode(one["body"]).encode()),
            one["there"],
        )
        for one in loads(sent)
    ]


def _encode(value: Any) -> str:
    """JSON without blanks, keys in the order given, amounts digit by digit."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_encode(key)}:{_encode(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_encode, value)) + "]"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if value is None or isinstance(value, str | int):
        return json.dumps(value, ensure_ascii=False)
    raise TypeError(f"{type(value).__name__} has no place in a body")


def _family(what: What) -> str:
    if what in (What.INVOICE, What.BILL):
        return "document"
    return "settlement" if what in (What.SETTLEMENT, What.BILL_SETTLEMENT) else str(what)


def _element(one: Write, account: str) -> dict[str, Any]:
    if isinstance(one, NewContact):
        return _as(one, "POST", PEOPLE, person(one))
    if isinstance(one, NewDocument) and one.what in SIDES:
        return _as(one, "POST", f"{FINANCE}/{SIDES[one.what]}", event(one, account))
    if isinstance(one, NewSettlement):
        of = {"document_id": one.document_id, "of": str(one.of)}
        return _as(one, "POST", f"{FINANCE}/parcelas/{one.document_id}/baixa", settlement(one), of)
    if isinstance(one, Remove):
        there = {name: getattr(one.there, name) for name in ("id", "document_id", "account", "amount", "version")} | {
            "date": one.there.date.isoformat(),
            "of": str(one.there.of),
            "ref": one.there.ref,
        }
        return _as(one, "DELETE", f"{FINANCE}/parcelas/baixa/{one.there.id}", None, there)
    if isinstance(one, Change):
        return _changed(one)
    raise ValueError(f"Conta Azul's API has nothing for this ({kind_of(one)}).")


def _as(one: Write, method: str, path: str, wire: Any, there: dict[str, Any] | None = None) -> dict[str, Any]:
    done = {"ref": one.ref, "what": str(kind_of(one)), "verb": str(verb_of(one)), "method": method, "path": path}
    return {**done, "body": wire, "there": there or {}}


# -- creating -----------------------------------------------------------------------------------------------------


def person(new: NewContact) -> dict[str, Any]:
    """A person. The ref stands in `codigo`, and in the note too: lists do not show the code."""
    kind = new.person or (Person.COMPANY if new.party is Party.SUPPLIER else Person.INDIVIDUAL)
    wire: dict[str, Any] = {
        "nome": contact_name(new.name, new.email),
        "tipo_pessoa": _PERSON[kind],
        "perfis": [{"tipo_perfil": one} for one in _PROFILES[new.party]],
        "codigo": new.ref,
        "observacao": note(new.ref),
    }
    if new.email.strip():
        wire["email"] = new.email.strip()
    if new.document and kind in _NUMBER:
        wire[_NUMBER[kind]] = new.document
    return wire


def event(new: NewDocument, account: str) -> dict[str, Any]:
    """A receivable or payable with one instalment. Sums of categories, instalment and event are the same.

    The description of the event is shown nowhere, the instalment's everywhere: both say the same.
    """
    if new.currency != CURRENCY:
        raise ValueError(f"Conta Azul has {CURRENCY} alone, not {new.currency}.")
    lines = merged(new.lines)
    if not lines or any(line.amount < 0 for line in lines):
        raise ValueError("Conta Azul takes an amount above zero for each category.")
    total = _money(sum(line.amount for line in lines))
    named, marked = _title(new), note(new.ref, new.link)
    zero = to_decimal(0, CURRENCY)
    amounts = {
        "valor_bruto": total,
        "valor_liquido": total,
        "multa": zero,
        "juros": zero,
        "desconto": zero,
        "taxa": zero,
    }
    due = (new.due_date or new.date).isoformat()
    expected = {"conta_financeira": account} if account else {}
    return {
        "descricao": named,
        "observacao": marked,
        "data_competencia": new.date.isoformat(),
        "valor": total,
        "contato": new.contact_id,
        **expected,
        "rateio": [
            {"id_categoria": category_of(line.account, sales=new.what is What.INVOICE), "valor": _money(line.amount)}
            for line in lines
        ],
        "condicao_pagamento": {
            "parcelas": [
                {"descricao": named, "data_vencimento": due, "nota": note(new.ref), "detalhe_valor": amounts}
                | expected,
            ]
        },
    }


def settlement(new: NewSettlement) -> dict[str, Any]:
    """Money applied to an instalment; the note is our ref."""
    if new.currency != CURRENCY:
        raise ValueError(f"Conta Azul has {CURRENCY} alone, not {new.currency}.")
    return {
        "data_pagamento": new.date.isoformat(),
        "conta_financeira": new.account,
        "composicao_valor": {"valor_bruto": _money(new.amount)},
        "observacao": note(new.ref),
    }


def _title(new: NewDocument) -> str:
    return title(new.ref, new.number, (line.description for line in new.lines if line.description))


def _money(amount: int) -> Decimal:
    return to_decimal(amount, CURRENCY)


# -- changing -----------------------------------------------------------------------------------------------------


def _changed(one: Change) -> dict[str, Any]:
    if isinstance(one.new, NewDocument) and isinstance(one.there, RemoteDocument):
        return _changed_document(one, one.new, one.there)
    if isinstance(one.new, NewContact) and isinstance(one.there, RemoteContact):
        wire: dict[str, Any] = {"nome": contact_name(one.new.name, one.new.email)}
        if one.new.email.strip():
            wire["email"] = one.new.email.strip()
        return _as(one, "PATCH", f"{PEOPLE}/{one.there.id}", wire, {"id": one.there.id})
    raise ValueError("A record is changed into one of its own kind.")


def _changed_document(one: Change, new: NewDocument, there: RemoteDocument) -> dict[str, Any]:
    """Due date and text. Everything else of an event stands for good once it is made."""
    wanted = as_read(new)
    same_lines = there.lines is None or [(line.amount, line.account) for line in wanted.lines] == [
        (line.amount, line.account) for line in there.lines
    ]
    if new.contact_id != there.contact_id or new.date != there.date or not same_lines or there.what not in DOCUMENTS:
        raise ValueError("Conta Azul can change an instalment's due date and text, and nothing else of an event.")
    if not there.version:
        raise ValueError("The instalment was not read by itself, so that its version is not known.")
    wire = {
        "versao": int(there.version),
        "descricao": _title(new),
        "vencimento": (new.due_date or new.date).isoformat(),
    }
    facts = {"id": there.id, "contact_id": there.contact_id}
    return _as(one, "PATCH", f"{FINANCE}/parcelas/{there.id}", wire, facts)


def as_read(new: NewDocument) -> NewDocument:
    """A document as it reads back: one line for each category, without text or tax code."""
    lines: tuple[Line, ...] = merged(new.lines)
    return replace(new, lines=lines, due_date=new.due_date or new.date)
