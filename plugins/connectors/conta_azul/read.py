"""Conta Azul's records as the contract's values. Pure; raises WrongShape where one is not understood.

A document is an event with its one instalment, and its id is the instalment's: that is what searches give, what
settlements belong to, and what can be changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from connectors.conta_azul.chart import account_of
from connectors.conta_azul.fields import (
    CURRENCY,
    Row,
    bare,
    centavos,
    day,
    identifier,
    moment,
    needed,
    needed_day,
    objects,
    part,
    text,
    version,
)
from connectors.conta_azul.marks import read_note, read_title
from qualy_sync.contracts.accounting import (
    Basis,
    Line,
    RemoteContact,
    RemoteDocument,
    RemoteLine,
    RemoteSettlement,
    Status,
    What,
)
from qualy_sync.contracts.errors import WrongShape
from qualy_sync.model import normal_email

SIDES: Mapping[What, str] = MappingProxyType({What.INVOICE: "contas-a-receber", What.BILL: "contas-a-pagar"})
KINDS: Mapping[str, What] = MappingProxyType({"RECEITA": What.INVOICE, "DESPESA": What.BILL})

# Of searches (`status_traduzido`) and of single instalments. Written off, renegotiated and cancelled ones are over.
# A word that nobody knows yet counts as not approved, so that nothing is done to that record and to no other.
_STATUS: Mapping[str, Status] = MappingProxyType(
    {
        "EM_ABERTO": Status.AUTHORISED,
        "PENDENTE": Status.AUTHORISED,
        "ATRASADO": Status.AUTHORISED,
        "RECEBIDO_PARCIAL": Status.AUTHORISED,
        "RECEBIDO": Status.PAID,
        "QUITADO": Status.PAID,
        "RENEGOCIADO": Status.VOIDED,
        "PERDIDO": Status.VOIDED,
        "CANCELADO": Status.VOIDED,
    }
)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

Pairs = Mapping[str, str]  # what a mapping calls a category, where it is not its id


def person(row: Row) -> RemoteContact:
    """A person, from a list, from a single reading, or from the answer to its creation.

    Lists do not show `codigo`, so that the note carries our ref too. Of several addresses the first one counts.
    """
    emails = [normal_email(one) for one in text(row, "email").split(",")]
    return RemoteContact(
        id=identifier(row, "id"),
        ref=read_note(text(row, "codigo")) or read_note(text(row, "observacoes_gerais") or text(row, "observacao")),
        name=text(row, "nome"),
        email=next((one for one in emails if one), ""),
        active=row.get("ativo") is not False,
        merged_into="",
        updated_at=moment(row, "data_alteracao") or moment(row, "data_criacao") or _LONG_AGO,
        document=bare(text(row, "documento")),
    )


def row_document(row: Row, what: What, pairs: Pairs) -> RemoteDocument:
    """A row of a search. It shows no version, and the amount of each category only where there is one category."""
    ref, number = read_title(text(row, "descricao"))
    total = centavos(row, "total")
    categories = [identifier(one, "id") for one in objects(row.get("categorias"), "categorias")]
    alone = len(categories) == 1
    return _document(
        row,
        id=identifier(row, "id"),
        what=what,
        ref=ref,
        number=number,
        contact_id=text(part(row, "cliente", "fornecedor"), "id").lower(),
        date=needed_day(row, "data_competencia"),
        status=_status(text(row, "status_traduzido")),
        total=total,
        paid=centavos(row, "pago"),
        due=centavos(row, "nao_pago"),
        lines=(RemoteLine("", total, account_of(categories[0], pairs), ""),) if alone else None,
    )


def instalment(row: Row, contact_id: str, pairs: Pairs) -> RemoteDocument:
    """An instalment read by itself, which says everything but whose it is."""
    event = part(row, "evento")
    what = KINDS.get(text(event, "tipo"))
    if what is None:
        raise WrongShape("Conta Azul answered an instalment that is neither to be received nor to be paid.")
    ref, number = read_title(text(row, "descricao"))
    lines = tuple(
        RemoteLine("", centavos(one, "valor"), account_of(identifier(one, "id_categoria"), pairs), "")
        for one in objects(event.get("rateio"), "rateio")
    )
    return _document(
        row,
        id=identifier(row, "id"),
        what=what,
        ref=ref or read_note(text(row, "nota")),
        number=number or read_note(text(row, "nota")),
        contact_id=contact_id,
        date=needed_day(event, "data_competencia"),
        status=_status(text(row, "status")),
        total=centavos(row, "valor_total_liquido"),
        paid=centavos(row, "valor_pago"),
        due=centavos(row, "nao_pago"),
        version=version(row),
        lines=tuple(sorted(lines, key=lambda line: line.account)),
        rest=json.dumps({"event": text(event, "id"), "protocol": text(part(event, "referencia"), "id")}),
    )


def _document(row: Row, *, total: int, **fields: Any) -> RemoteDocument:
    return RemoteDocument(
        currency=CURRENCY,
        due_date=day(row, "data_vencimento"),
        net=total,
        tax=0,
        total=total,
        credited=0,
        updated_at=moment(row, "data_alteracao") or _LONG_AGO,
        basis=Basis.INCLUSIVE,
        **fields,
    )


def _status(word: str) -> Status:
    return _STATUS.get(word, Status.SUBMITTED)


def settlement(row: Row, document_id: str, of: What | None = None, now: datetime | None = None) -> RemoteSettlement:
    """A settlement as a reading or the answer to a write gives it; they name amounts and account differently."""
    amounts = part(row, "valor_composicao", "composicao_valor")
    account = row.get("conta_financeira")
    of = of or KINDS.get(text(row, "tipo_evento_financeiro"))
    if of is None:
        raise WrongShape("Conta Azul answered a settlement of neither a receivable nor a payable.")
    return RemoteSettlement(
        id=identifier(row, "id"),
        ref=read_note(text(row, "observacao")),
        document_id=document_id or identifier(row, "id_parcela"),
        account=(account if isinstance(account, str) else text(part(row, "conta_financeira"), "id")).lower(),
        currency=CURRENCY,
        amount=centavos(amounts, "valor_bruto"),
        date=needed_day(row, "data_pagamento"),
        status=Status.PAID,
        reconciled=bool(row.get("id_reconciliacao")),
        updated_at=moment(row, "atualizado_em") or now or _LONG_AGO,
        of=of,
        version=version(row),
    )


def protocol_of(row: Row) -> str:
    """The ticket of an event that was queued; two spellings are known. Empty where it names none."""
    return text(row, "protocolo") or text(row, "protocolId") or text(row, "id")


def merged(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Lines as they are kept: one amount for each category, without text and tax, in the order of the categories.

    What cancels out to nothing is not there.
    """
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.account] = sums.get(line.account, 0) + line.amount
    return tuple(Line("", amount, account, "") for account, amount in sorted(sums.items()) if amount)


def needed_ticket(row: Row) -> str:
    """What a protocol says of itself."""
    return needed(row, "status")
