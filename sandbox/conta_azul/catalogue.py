"""Categories, financial accounts and cost centres, which the API reads and (but for centres) cannot make."""

from __future__ import annotations

from typing import Any

from sandbox.conta_azul.answers import Answer, Refused, ok
from sandbox.conta_azul.company import Company
from sandbox.conta_azul.records import ACCOUNTS, CATEGORIES, CENTRES, SETTLEMENTS, Json, Selection, marks
from sandbox.conta_azul.request import Call
from sandbox.conta_azul.wire import number

ACCOUNT_TYPES = (
    "APLICACAO", "CAIXINHA", "CONTA_CORRENTE", "CARTAO_CREDITO", "INVESTIMENTO", "OUTROS", "MEIOS_RECEBIMENTO",
    "POUPANCA", "COBRANCAS_CONTA_AZUL", "RECEBA_FACIL_CARTAO",
)  # fmt: skip
_ACCOUNT_FIELDS = (
    "id", "banco", "codigo_banco", "nome", "ativo", "tipo", "conta_padrao", "possui_config_boleto_bancario", "agencia",
    "numero",
)  # fmt: skip
_CATEGORY_FIELDS = ("id", "versao", "nome", "categoria_pai", "tipo", "entrada_dre", "considera_custo_dre")
_CENTRE_FIELDS = ("id", "codigo", "nome", "ativo")
_OPERATIONS = (
    "DESCONTOS_FINANCEIROS_OBTIDOS", "DESCONTOS_FINANCEIROS_CONCEDIDOS", "MULTAS_RECEBIDAS", "MULTAS_PAGAS",
    "JUROS_RECEBIDOS", "JUROS_PAGOS", "TARIFAS", "PERDAS",
)  # fmt: skip
_FOLDED_NAME = "folded(json_extract(doc, '$.nome'))"
_IN_USE = "json_extract(doc, '$.ativo') = 1"
_NOT_IN_USE = "json_extract(doc, '$.ativo') = 0"
_LEAF = "id NOT IN (SELECT parent FROM conta_azul_records WHERE kind = 'categorias' AND parent IS NOT NULL)"


def account_shown(kept: Json) -> Json:
    """A financial account as the API returns it."""
    return {name: kept.get(name) for name in _ACCOUNT_FIELDS}


def category_shown(kept: Json) -> Json:
    """A category as the API returns it."""
    return {name: kept.get(name) for name in _CATEGORY_FIELDS}


def centre_shown(kept: Json) -> Json:
    """A cost centre as the API returns it."""
    return {name: kept.get(name) for name in _CENTRE_FIELDS}


class Catalogue:
    """Reads, and the one write."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._records = company.records

    def categories(self, call: Call) -> Answer:
        """``GET /v1/categorias``."""
        call.known(
            "pagina", "tamanho_pagina", "campo_ordenado_ascendente", "campo_ordenado_descendente", "busca", "tipo",
            "apenas_filhos", "nome", "permite_apenas_filhos",
        )  # fmt: skip
        leaves_only = call.flag("permite_apenas_filhos")
        if leaves_only is None:
            raise Refused(400, "permite_apenas_filhos is required")
        conditions, values = _named(call, "busca", "nome")
        kinds = call.many("tipo", ("RECEITA", "DESPESA"))
        if kinds:
            conditions.append(f"json_extract(doc, '$.tipo') IN ({marks(kinds)})")
            values += kinds
        if leaves_only or call.flag("apenas_filhos"):
            conditions.append(_LEAF)
        return self._list(call, CATEGORIES, conditions, values, category_shown, required=True)

    def accounts(self, call: Call) -> Answer:
        """``GET /v1/conta-financeira``."""
        call.known(
            "pagina", "tamanho_pagina", "tipos", "nome", "apenas_ativo", "esconde_conta_digital", "mostrar_caixinha"
        )
        conditions, values = _named(call, "nome")
        if call.flag("apenas_ativo"):
            conditions.append(_IN_USE)
        types = call.many("tipos", ACCOUNT_TYPES)
        if types:
            conditions.append(f"json_extract(doc, '$.tipo') IN ({marks(types)})")
            values += types
        return self._list(call, ACCOUNTS, conditions, values, account_shown)

    def balance(self, call: Call) -> Answer:
        """``GET /v1/conta-financeira/{id}/saldo-atual``: what it opened with and all settlements since."""
        call.known()
        kept = self._records.get(ACCOUNTS, call.id())
        if kept is None:
            raise Refused(404, "financial account not found")
        settled = Selection(SETTLEMENTS, ("account = ?",), (kept["id"],))
        sign = "CASE type WHEN 'RECEITA' THEN 1 ELSE -1 END"
        moved = self._records.total(settled, f"sum(net * {sign})")
        return ok({"saldo_atual": number(kept.get("opening", 0) + moved)})

    def centres(self, call: Call) -> Answer:
        """``GET /v1/centro-de-custo``."""
        call.known(
            "pagina", "tamanho_pagina", "busca", "filtro_rapido", "campo_ordenado_ascendente",
            "campo_ordenado_descendente",
        )  # fmt: skip
        conditions, values = _named(call, "busca")
        wanted = call.many("filtro_rapido", ("ATIVO", "INATIVO", "TODOS"))
        conditions += {"ATIVO": [_IN_USE], "INATIVO": [_NOT_IN_USE]}.get(wanted[0] if wanted else "TODOS", [])
        name = self._company.readings["cost_centre_rows"]
        return self._list(call, CENTRES, conditions, values, centre_shown, required=True, name=name)

    def add_centre(self, call: Call) -> Answer:
        """``POST /v1/centro-de-custo``: 200, and no way to change or delete it."""
        call.known()
        body = call.body()
        call.known_fields(body, "nome", "codigo")
        if not isinstance(body.get("nome"), str) or not body["nome"].strip():
            raise Refused(400, "nome is required")
        code = body.get("codigo")
        if code is not None and not isinstance(code, str):
            raise Refused(400, "codigo must be a text")
        made = {"id": self._records.new_id(), "codigo": code, "nome": body["nome"], "ativo": True}
        return ok(centre_shown(self._records.put(CENTRES, made)))

    def defaults(self, call: Call) -> Answer:
        """``GET /v1/categorias/configuracao-padrao``: a bare array."""
        call.known("sugestao_padrao")
        tariff = self._by_name("Tarifas bancárias")
        rows = []
        for operation in _OPERATIONS:
            kept = tariff if operation == "TARIFAS" else None
            rows.append(
                {
                    "tipo_operacao": operation,
                    "id_categoria": kept["id"] if kept else None,
                    "nome_categoria": kept["nome"] if kept else None,
                    "sugestao_padrao": None,
                }
            )
        return ok(rows)

    def statement(self, call: Call) -> Answer:
        """``GET /v1/financeiro/categorias-dre``: the lines of the income statement with their categories."""
        call.known()
        rows = self._records.find(Selection(CATEGORIES, (_LEAF,)))
        lines = (("RECEITA", "Receita operacional bruta", "01"), ("DESPESA", "Custos e despesas", "02"))
        return ok({"itens": [_line(place, *line, rows) for place, line in enumerate(lines, 1)]})

    def _list(self, call: Call, kind: str, conditions: list[str], values: list[Any], shown: Any, **how: Any) -> Answer:
        name = how.pop("name", "itens")
        order = f"{_FOLDED_NAME}, seq"
        total, rows = call.rows(Selection(kind, conditions, values, order), **how)
        return call.listed(total, [shown(row) for row in rows], {"totais": self._totals(kind)}, name)

    def _totals(self, kind: str) -> Json:
        every = self._records.total(Selection(kind))
        unused = self._records.total(Selection(kind, (_NOT_IN_USE,)))
        return {"ativo": every - unused, "inativo": unused, "todos": every}

    def _by_name(self, name: str) -> Json | None:
        found = self._records.find(Selection(CATEGORIES, (f"{_FOLDED_NAME} = ?",), (name.casefold(),)), 1)
        return found[0] if found else None


def _named(call: Call, *parameters: str) -> tuple[list[str], list[Any]]:
    given = [value for name in parameters if (value := call.one(name))]
    return [f"instr({_FOLDED_NAME}, ?) > 0" for _ in given], [value.casefold() for value in given]


def _line(place: int, kind: str, title: str, code: str, rows: list[Json]) -> Json:
    return {
        "id": f"ca7e0000-0000-4000-8000-00000000090{place}",
        "descricao": title,
        "codigo": code,
        "posicao": place,
        "indica_totalizador": False,
        "representa_soma_custo_medio": False,
        "subitens": [],
        "categorias_financeiras": [
            {"id": row["id"], "codigo": f"{code}.{row['id'][-2:]}", "nome": row["nome"], "ativo": True}
            for row in rows
            if row["tipo"] == kind
        ],
    }
