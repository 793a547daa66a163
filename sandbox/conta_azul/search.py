"""The searches over instalments (``buscar``) and the list of events that were saved (``alteracoes``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.conta_azul.answers import Answer
from sandbox.conta_azul.company import Company
from sandbox.conta_azul.events import INCOME
from sandbox.conta_azul.instalments import open_amount
from sandbox.conta_azul.records import (
    CATEGORIES,
    CENTRES,
    EVENTS,
    INSTALMENTS,
    PEOPLE,
    REMOVED,
    Json,
    Selection,
    marks,
)
from sandbox.conta_azul.request import Call
from sandbox.conta_azul.wire import number, stamp

WORDS = ("PERDIDO", "RECEBIDO", "EM_ABERTO", "RENEGOCIADO", "RECEBIDO_PARCIAL", "ATRASADO")
_KNOWN = (
    "pagina", "tamanho_pagina", "campo_ordenado_ascendente", "campo_ordenado_descendente", "descricao",
    "data_vencimento_de", "data_vencimento_ate", "data_competencia_de", "data_competencia_ate", "data_pagamento_de",
    "data_pagamento_ate", "data_alteracao_de", "data_alteracao_ate", "data_criacao_de", "data_criacao_ate", "valor_de",
    "valor_ate", "status", "ids_contas_financeiras", "ids_categorias", "ids_centros_de_custo",
)  # fmt: skip
_STATES = {"PERDIDO": "LOST", "RECEBIDO": "PAID", "RENEGOCIADO": "RENEGOTIATED", "RECEBIDO_PARCIAL": "PARTIAL"}
_SHOWN = {
    "PARTIAL": ("PARTIAL", "RECEBIDO_PARCIAL"),
    "PAID": ("ACQUITTED", "RECEBIDO"),
    "LOST": ("LOST", "PERDIDO"),
    "RENEGOTIATED": ("RENEGOTIATED", "RENEGOCIADO"),
    "CANCELLED": ("CANCELLED", "PERDIDO"),
}
_OPEN = "max(0, net - paid)"
_IN_LINES = (
    "parent IN (SELECT events.id FROM conta_azul_records AS events, json_each(events.doc, '$.lines') AS line"
    " WHERE events.kind = 'eventos' AND json_extract(line.value, '$.category') IN ({}))"
)
_IN_CENTRES = (
    "parent IN (SELECT events.id FROM conta_azul_records AS events, json_each(events.doc, '$.lines') AS line,"
    " json_each(line.value, '$.centres') AS part"
    " WHERE events.kind = 'eventos' AND json_extract(part.value, '$.centre') IN ({}))"
)
_PAID_ON = (
    "id IN (SELECT paid.parent FROM conta_azul_records AS paid WHERE paid.kind = 'baixas'"
    " AND paid.due >= ? AND paid.due <= ?)"
)


class Search:
    """Both searches and the changes."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._records = company.records

    def instalments(self, call: Call, kind: str) -> Answer:
        """``GET .../contas-a-receber/buscar`` and ``.../contas-a-pagar/buscar``; the due window is demanded."""
        call.known(*_KNOWN, *(("ids_clientes",) if kind == INCOME else ()))
        call.page(required=True)
        conditions, values = self._conditions(call, kind)
        selection = Selection(INSTALMENTS, conditions, values, "due, seq")
        total, rows = call.rows(selection, required=True)
        return call.listed(total, self._rows(rows, kind), {"totais": self._totals(selection)})

    def changes(self, call: Call) -> Answer:
        """``GET .../alteracoes``: ids of events, whatever was saved of them, settlements too."""
        call.known("pagina", "tamanho_pagina", "data_inicio", "data_fim")
        start, end = call.moments("data_inicio", "data_fim", required=True) or (0.0, 0.0)
        window = (("changed >= ?", "changed < ?"), (start, end + 1), "changed, seq")
        total, rows = call.rows(Selection(EVENTS, *window))
        if self._company.readings["deletions_in_changes"]:
            both = (*self._records.find(Selection(EVENTS, *window)), *self._records.find(Selection(REMOVED, *window)))
            size, before = call.page()
            total = len(both)
            rows = sorted(both, key=lambda one: float(one["changed"]))[before : before + size]
        return call.listed(total, [{"id": row["id"]} for row in rows])

    def _conditions(self, call: Call, kind: str) -> tuple[list[str], list[Any]]:
        conditions = ["type = ?", "due >= ?", "due <= ?"]
        values: list[Any] = [kind, *call.days("data_vencimento", required=True)]
        self._windows(call, conditions, values)
        if text := call.one("descricao"):
            conditions.append("instr(folded(text), ?) > 0")
            values.append(text.casefold())
        for name, sign in (("valor_de", ">="), ("valor_ate", "<=")):
            if (amount := call.amount(name)) is not None:
                conditions.append(f"net {sign} ?")
                values.append(amount)
        clients = [("ids_clientes", "person IN ({})")] if kind == INCOME else []
        for name, condition in [
            *clients,
            ("ids_contas_financeiras", "account IN ({})"),
            ("ids_categorias", _IN_LINES),
            ("ids_centros_de_custo", _IN_CENTRES),
        ]:
            if ids := call.uuids(name):
                conditions.append(condition.format(marks(ids)))
                values += ids
        if words := call.many("status", WORDS):
            conditions.append(f"({' OR '.join(self._state(word) for word in words)})")
        return conditions, values

    def _windows(self, call: Call, conditions: list[str], values: list[Any]) -> None:
        for name, column in (("data_alteracao", "changed"), ("data_criacao", "created")):
            if window := call.moments(f"{name}_de", f"{name}_ate"):
                conditions += [f"{column} >= ?", f"{column} < ?"]
                values += [window[0], window[1] + 1]
        first, last = call.days("data_competencia")
        for day, sign in ((first, ">="), (last, "<=")):
            if day:
                conditions.append(f"json_extract(doc, '$.competence') {sign} ?")
                values.append(day)
        first, last = call.days("data_pagamento")
        if first or last:
            conditions.append(_PAID_ON)
            values += [first or "0001-01-01", last or "9999-12-31"]

    def _state(self, word: str) -> str:
        if word in _STATES:
            return f"state = '{_STATES[word]}'"
        return f"(state = 'OPEN' AND due {'<' if word == 'ATRASADO' else '>='} '{self._company.today()}')"

    def _totals(self, selection: Selection) -> Json:
        """Sums by situation, in spite of what the specification says."""
        today = self._company.today()
        sums = {
            "pago": "sum(paid)",
            "vencido": f"sum(CASE WHEN state IN ('OPEN', 'PARTIAL') AND due < '{today}' THEN {_OPEN} ELSE 0 END)",
            "aberto": f"sum(CASE WHEN state IN ('OPEN', 'PARTIAL') AND due >= '{today}' THEN {_OPEN} ELSE 0 END)",
            "todos": "sum(net)",
        }
        return {name: number(found) for name, found in self._records.totals(selection, sums).items()}

    def _rows(self, rows: Sequence[Json], kind: str) -> list[Json]:
        people = self._records.many(PEOPLE, (row["person"] for row in rows if row["person"]))
        events = self._records.many(EVENTS, (row["parent"] for row in rows))
        lines = {id_: event["lines"] for id_, event in events.items()}
        names = {
            CATEGORIES: self._records.many(CATEGORIES, {one["category"] for each in lines.values() for one in each}),
            CENTRES: self._records.many(
                CENTRES, {part["centre"] for each in lines.values() for one in each for part in one["centres"]}
            ),
        }
        return [self._row(row, kind, people, names, lines.get(row["parent"], [])) for row in rows]

    def _row(
        self, row: Json, kind: str, people: dict[str, Json], names: dict[str, dict[str, Json]], lines: list[Json]
    ) -> Json:
        overdue = row["due"] < self._company.today().isoformat()
        raw, word = _SHOWN.get(row["state"], ("OVERDUE", "ATRASADO") if overdue else ("PENDING", "EM_ABERTO"))
        person = people.get(row["person"] or "", {})
        shown = {
            "id": row["id"],
            "descricao": row["text"],
            "data_vencimento": row["due"],
            "data_competencia": row["competence"],
            "data_criacao": stamp(row["created"]),
            "data_alteracao": stamp(row["changed"]),
            "status": raw,
            "status_traduzido": word,
            "total": number(row["amounts"]["net"]),
            "pago": number(row["paid"]),
            "nao_pago": number(open_amount(row)),
            "categorias": _named(names[CATEGORIES], [line["category"] for line in lines]),
            "centros_de_custo": _named(names[CENTRES], [part["centre"] for line in lines for part in line["centres"]]),
            "cliente" if kind == INCOME else "fornecedor": {"id": person.get("id"), "nome": person.get("nome")},
        }
        return shown | ({"renegociacao": None} if kind == INCOME else {})


def _named(known: dict[str, Json], ids: Sequence[str]) -> list[Json]:
    return [{"id": id_, "nome": known.get(id_, {}).get("nome")} for id_ in dict.fromkeys(ids)]
