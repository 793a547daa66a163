"""Instalments: how one is shown, and what a PATCH can change of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.conta_azul.answers import Refused, version_conflict
from sandbox.conta_azul.catalogue import account_shown
from sandbox.conta_azul.company import Company
from sandbox.conta_azul.event_body import METHODS, PARTS, amounts, day, method, positive, reference, text
from sandbox.conta_azul.events import Events
from sandbox.conta_azul.records import ACCOUNTS, CATEGORIES, CENTRES, EVENTS, INSTALMENTS, SETTLEMENTS, Json
from sandbox.conta_azul.wire import number, stamp

PATCHED = (
    "versao", "descricao", "nota", "vencimento", "composicao_valor", "data_pagamento_esperado", "metodo_pagamento",
    "nsu", "perda", "pagamento_agendado", "id_conta_financeira",
)  # fmt: skip
_STATUS = {
    "OPEN": "PENDENTE",
    "PARTIAL": "RECEBIDO_PARCIAL",
    "PAID": "QUITADO",
    "LOST": "PERDIDO",
    "RENEGOTIATED": "RENEGOCIADO",
    "CANCELLED": "CANCELADO",
}


def open_amount(instalment: Json) -> int:
    """Centavos that are not settled yet."""
    return int(max(0, instalment["amounts"]["net"] - instalment["paid"]))


def composition(given: dict[str, int]) -> dict[str, float]:
    """The block of amounts as answers show it."""
    return {name: number(given[part]) for name, part in PARTS.items()} | {"valor_liquido": number(given["net"])}


def same_version(given: Json, kept: Json) -> None:
    """Raises Refused with 409 unless ``versao`` is the stored one."""
    version = given.get("versao")
    if isinstance(version, bool) or version != kept["versao"]:
        raise version_conflict()


class Instalments:
    """The rules about single instalments."""

    def __init__(self, company: Company, events: Events) -> None:
        self._company = company
        self._records = company.records
        self._events = events

    def found(self, id_: str) -> Json:
        """One instalment. Raises Refused with 404."""
        kept = self._records.get(INSTALMENTS, id_)
        if kept is None:
            raise Refused(404, "instalment not found")
        return kept

    def shown(self, instalments: Sequence[Json]) -> list[Json]:
        """Instalments in full, as the API returns them."""
        events = self._records.many(EVENTS, (one["parent"] for one in instalments))
        return [self._one(one, events[one["parent"]]) for one in instalments if one["parent"] in events]

    def patch(self, kept: Json, given: Json) -> Json:
        """Change what can be changed; category, centre and payment are dropped, and ``versao`` rises all the same.

        Raises Refused: 409 for a version, 400 for a closed period or a wrong value.
        """
        same_version(given, kept)
        changed = kept | self._fields(kept, given)
        event = self._records.get(EVENTS, kept["parent"]) or {}
        self._company.guard(event.get("competence"), kept["due"], changed["due"])
        if changed["amounts"]["net"] < kept["paid"]:
            raise Refused(400, "the amount is less than what is settled")
        return self.save(changed)

    def save(self, instalment: Json) -> Json:
        """Keep it with the state that follows from its amounts, one version on, and touch its event."""
        if instalment["state"] not in ("RENEGOTIATED", "CANCELLED"):
            instalment["state"] = _state(instalment)
        instalment["net"] = instalment["amounts"]["net"]
        instalment |= {"versao": instalment["versao"] + 1, "changed": self._company.now()}
        self._records.put(INSTALMENTS, instalment)
        self._events.touch(instalment["parent"])
        return instalment

    def patched(self, kept: Json) -> Json:
        """The answer of a PATCH, which has names of its own."""
        return {
            "nota": kept["nota"],
            "descricao": kept["text"],
            "vencimento": kept["due"],
            "composicao_valor": composition(kept["amounts"]),
            "versao": kept["versao"],
            "data_pagamento_esperado": kept["expected"],
            "metodo_pagamento": kept["method"],
            "perda": _loss(kept),
            "nsu": kept["nsu"],
            "pagamento_agendado": kept["scheduled"],
            "conta_financeira": self._account(kept["account"]),
        }

    def _fields(self, kept: Json, given: Json) -> Json:
        changed: dict[str, Any] = {}
        for name, field in (("descricao", "text"), ("nota", "nota"), ("nsu", "nsu")):
            if given.get(name) is not None:
                changed[field] = self._company.cut(text(given, name))
        for name, field in (("vencimento", "due"), ("data_pagamento_esperado", "expected")):
            if given.get(name) is not None:
                changed[field] = day(given, name)
        if given.get("metodo_pagamento") is not None:
            changed["method"] = method(given, METHODS)
        if isinstance(given.get("pagamento_agendado"), bool):
            changed["scheduled"] = given["pagamento_agendado"]
        return changed | self._money(kept, given)

    def _money(self, kept: Json, given: Json) -> Json:
        changed: dict[str, Any] = {}
        if isinstance(given.get("composicao_valor"), dict):
            changed["amounts"] = amounts(given["composicao_valor"])
        if isinstance(given.get("perda"), dict):
            loss = positive(given["perda"], "valor")
            if loss > open_amount(kept):
                raise Refused(400, "perda is more than what is open")
            changed["perda"] = {"day": day(given["perda"], "data"), "value": loss}
        if given.get("id_conta_financeira") is not None:
            account = self._records.get(ACCOUNTS, reference(given, "id_conta_financeira") or "")
            if account is None or not account["ativo"]:
                raise Refused(400, "financial account not found")
            changed["account"] = account["id"]
        return changed

    def _one(self, kept: Json, event: Json) -> Json:
        settlements = self._records.children(SETTLEMENTS, kept["id"])
        overdue = kept["state"] == "OPEN" and kept["due"] < self._company.today().isoformat()
        return {
            "id": kept["id"],
            "versao": kept["versao"],
            "indice": kept["indice"],
            "referencia": None,
            "status": "ATRASADO" if overdue else _STATUS[kept["state"]],
            "conciliado": any(one["reconciled"] for one in settlements),
            "valor_pago": number(kept["paid"]),
            "nao_pago": number(open_amount(kept)),
            "valor_total_liquido": number(kept["amounts"]["net"]),
            "valor_composicao": composition(kept["amounts"]),
            "data_vencimento": kept["due"],
            "data_pagamento_previsto": kept["expected"],
            "descricao": kept["text"],
            "nota": kept["nota"],
            "metodo_pagamento": kept["method"],
            "nsu": kept["nsu"],
            "conta_financeira": self._account(kept["account"]),
            "id_conta_financeira": kept["account"],
            "baixa_agendada": kept["scheduled"],
            "baixas": [self.settlement(one, kept) for one in settlements],
            "anexos": [],
            "solicitacoes_cobrancas": [],
            "fatura": None,
            "perda": _loss(kept),
            "renegociacao": None,
            "data_alteracao": stamp(kept["changed"]),
            "evento": self._event(event),
        }

    def settlement(self, kept: Json, instalment: Json) -> Json:
        """One settlement as reads show it."""
        return {
            "id": kept["id"],
            "versao": kept["versao"],
            "data_pagamento": kept["due"],
            "valor_composicao": composition(kept["amounts"]),
            "conta_financeira": self._account(kept["account"]),
            "id_reconciliacao": kept["reconciled"],
            "id_parcela": kept["parent"],
            "id_solicitacao_cobranca": None,
            "observacao": kept["text"],
            "metodo_pagamento": kept["method"],
            "origem": "LANCAMENTO_FINANCEIRO",
            "id_recibo_digital": None,
            "tipo_evento_financeiro": instalment["type"],
            "nsu": kept["nsu"],
            "id_referencia": kept["id"],
            "atualizado_em": stamp(kept["changed"]),
            "anexos": [],
        }

    def _event(self, event: Json) -> Json:
        return {
            "id": event["id"],
            "data_competencia": event["competence"],
            "tipo": event["type"],
            "agendado": False,
            "codigo_referencia": None,
            "referencia": {"id": event["protocol"], "revisao": "1", "origem": event["origin"]},
            "rateio": [self._line(line) for line in event["lines"]],
            "condicao_pagamento": {"quantidade_parcelas": event["count"], "montante_fixo": False},
        }

    def _line(self, line: Json) -> Json:
        return {
            "id_categoria": line["category"],
            "nome_categoria": self._name(CATEGORIES, line["category"]),
            "valor": number(line["value"]),
            "valor_bruto": number(line["value"]),
            "rateio_centro_custo": [
                {
                    "id_centro_custo": one["centre"],
                    "nome_centro_custo": self._name(CENTRES, one["centre"]),
                    "valor": number(one["value"]),
                }
                for one in line["centres"]
            ],
        }

    def _account(self, id_: str | None) -> Json | None:
        kept = self._records.get(ACCOUNTS, id_) if id_ else None
        return account_shown(kept) if kept else None

    def _name(self, kind: str, id_: str) -> str | None:
        return (self._records.get(kind, id_) or {}).get("nome")


def _state(instalment: Json) -> str:
    lost = (instalment["perda"] or {}).get("value", 0)
    remaining = open_amount(instalment)
    if remaining == 0:
        return "PAID"
    if lost and lost >= remaining:
        return "LOST"
    return "PARTIAL" if instalment["paid"] > 0 else "OPEN"


def _loss(kept: Json) -> Json | None:
    return {"data": kept["perda"]["day"], "valor": number(kept["perda"]["value"])} if kept["perda"] else None
