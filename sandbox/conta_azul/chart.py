"""The categories, accounts and cost centres of an exchange agency. Their ids are the same in every world."""

from __future__ import annotations

from typing import Any

_ID = "ca7e0000-0000-4000-8000-000000000{}"

_INCOME = (
    ("101", "Cursos e matrículas"),
    ("102", "Taxas de matrícula"),
    ("103", "Seguro saúde"),
    ("104", "Assessoria de visto"),
    ("105", "Acomodação"),
    ("106", "Traslado"),
    ("107", "Material didático"),
    ("109", "Outras receitas"),
    ("110", "Valores de terceiros recebidos"),
)
_EXPENSE = (
    ("201", "Repasse de cursos"),
    ("202", "Repasse de taxas de matrícula"),
    ("203", "Repasse de seguro"),
    ("204", "Custos de visto"),
    ("205", "Repasse de acomodação"),
    ("206", "Repasse de traslado"),
    ("207", "Custos de material"),
    ("208", "Comissões de agentes"),
    ("210", "Valores de terceiros repassados"),
    ("221", "Tarifas bancárias"),
    ("222", "Aluguel"),
    ("223", "Material de escritório"),
    ("224", "Softwares"),
)
_ACCOUNTS = (
    ("301", "Banco Itaú", "CONTA_CORRENTE", "ITAU", 341, True, True),
    ("302", "Qualy a compensar", "MEIOS_RECEBIMENTO", "NAO_BANCO", 0, False, True),
    ("303", "Pago na escola", "OUTROS", "NAO_BANCO", 0, False, True),
    ("309", "Conta antiga", "POUPANCA", "BRADESCO", 237, False, False),
)
_CENTRES = (("401", "SYD", "Sydney"), ("402", "SAO", "São Paulo"), ("403", "", "Online"), ("409", "OLD", "Rio"))
_OPENING = 2_500_000


def fixed(number: str) -> str:
    """The id of a part of the chart."""
    return _ID.format(number)


def categories() -> list[dict[str, Any]]:
    """Two groups with their leaves, as the API returns them."""
    rows = [_category("100", "Receitas de serviços", "RECEITA", None)]
    rows += [_category(number, name, "RECEITA", "100") for number, name in _INCOME]
    rows.append(_category("200", "Custos e despesas", "DESPESA", None))
    return rows + [_category(number, name, "DESPESA", "200") for number, name in _EXPENSE]


def accounts() -> list[dict[str, Any]]:
    """The bank, two accounts without a bank, and one that is not used any more; ``opening`` in centavos is ours."""
    return [
        {
            "id": fixed(number),
            "banco": bank,
            "codigo_banco": code,
            "nome": name,
            "ativo": active,
            "tipo": kind,
            "conta_padrao": default,
            "possui_config_boleto_bancario": False,
            "agencia": "0001" if code else "",
            "numero": f"12345-{number}" if code else "",
            "opening": _OPENING if default else 0,
        }
        for number, name, kind, bank, code, default, active in _ACCOUNTS
    ]


def centres() -> list[dict[str, Any]]:
    """The offices; one is closed, one has no code."""
    return [
        {"id": fixed(number), "codigo": code, "nome": name, "ativo": number != "409"} for number, code, name in _CENTRES
    ]


def _category(number: str, name: str, kind: str, parent: str | None) -> dict[str, Any]:
    return {
        "id": fixed(number),
        "versao": 0,
        "nome": name,
        "categoria_pai": fixed(parent) if parent else None,
        "tipo": kind,
        "entrada_dre": "RECEITA_BRUTA" if kind == "RECEITA" else "DESPESAS_OPERACIONAIS",
        "considera_custo_dre": False,
    }
