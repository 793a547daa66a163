"""Reading the body that creates a receivable or a payable: what is demanded, and whether its sums agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.conta_azul.answers import Refused
from sandbox.conta_azul.records import Json
from sandbox.conta_azul.wire import cents, is_uuid, parse_day

SETTLEMENT_METHODS = (
    "DINHEIRO", "CARTAO_CREDITO", "BOLETO_BANCARIO", "CARTAO_CREDITO_VIA_LINK", "CHEQUE", "CARTAO_DEBITO",
    "TRANSFERENCIA_BANCARIA", "OUTRO", "CARTEIRA_DIGITAL", "CASHBACK", "CREDITO_LOJA", "CREDITO_VIRTUAL",
    "DEPOSITO_BANCARIO", "PIX_PAGAMENTO_INSTANTANEO",
)  # fmt: skip
METHODS = (
    *SETTLEMENT_METHODS, "PROGRAMA_FIDELIDADE", "SEM_PAGAMENTO", "VALE_ALIMENTACAO", "VALE_COMBUSTIVEL",
    "VALE_PRESENTE", "VALE_REFEICAO", "PIX_COBRANCA", "DEBITO_AUTOMATICO",
)  # fmt: skip
FIELDS = (
    "descricao", "observacao", "data_competencia", "valor", "contato", "conta_financeira", "rateio",
    "condicao_pagamento",
)  # fmt: skip
PARTS = {"valor_bruto": "gross", "juros": "interest", "multa": "fine", "desconto": "discount", "taxa": "fee"}


def read_event(body: Json) -> Json:
    """The event in the form that is kept, amounts in centavos. Raises Refused with everything that is missing."""
    missing = _missing(body)
    if missing:
        raise Refused(400, f"required: {', '.join(missing)}")
    event = {
        "descricao": text(body, "descricao"),
        "observacao": text(body, "observacao"),
        "competence": day(body, "data_competencia"),
        "value": positive(body, "valor"),
        "person": reference(body, "contato"),
        "account": reference(body, "conta_financeira"),
        "lines": [_line(one) for one in body["rateio"]],
        "instalments": [_instalment(one) for one in body["condicao_pagamento"]["parcelas"]],
    }
    _check_sums(event)
    return event


def amounts(given: Json) -> dict[str, int]:
    """A block of amounts in centavos, with the net of them. Raises Refused."""
    found = {}
    for name, part in PARTS.items():
        value = given.get(name)
        found[part] = 0 if value is None and name != "valor_bruto" else read(name, value, cents)
        if found[part] < 0:
            raise Refused(400, f"{name} must not be negative")
    found["net"] = found["gross"] + found["interest"] + found["fine"] - found["discount"] - found["fee"]
    if found["gross"] <= 0:
        raise Refused(400, "valor_bruto must be greater than zero")
    if given.get("valor_liquido") is not None and read("valor_liquido", given["valor_liquido"], cents) != found["net"]:
        raise Refused(400, "valor_liquido is not valor_bruto + juros + multa - desconto - taxa")
    return found


def text(given: Json, name: str) -> str:
    """An optional text."""
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise Refused(400, f"{name} must be a text")
    return value or ""


def day(given: Json, name: str) -> str:
    """A day, as ISO text."""
    return str(read(name, given.get(name), parse_day).isoformat())


def positive(given: Json, name: str) -> int:
    """Centavos above zero."""
    value = int(read(name, given.get(name), cents))
    if value <= 0:
        raise Refused(400, f"{name} must be greater than zero")
    return value


def reference(given: Json, name: str) -> str | None:
    """An optional UUID."""
    value = given.get(name)
    if value is None or value == "":
        return None
    if not is_uuid(value):
        raise Refused(400, f"{name} must be a UUID")
    return str(value).lower()


def method(given: Json, allowed: tuple[str, ...]) -> str | None:
    """An optional payment method."""
    value = given.get("metodo_pagamento")
    if value is not None and value not in allowed:
        raise Refused(400, f"metodo_pagamento must be one of {', '.join(allowed)}")
    return value


def read(name: str, value: Any, reader: Callable[[Any], Any]) -> Any:
    """One value by its reader. Raises Refused with the field's name."""
    try:
        return reader(value)
    except ValueError as error:
        raise Refused(400, f"{name}: {error}") from error


def _missing(body: Json) -> list[str]:
    """Everything that is missing, at once, by the service's inner English names."""
    found = []
    if body.get("valor") is None:
        found.append("value")
    if not body.get("data_competencia"):
        found.append("competenceDate")
    lines = _objects(body.get("rateio"))
    found += [] if lines else ["categoriesRatio"]
    for number, line in enumerate(lines):
        found += [f"categoriesRatio[{number}].{inner}" for name, inner in _LINE if line.get(name) is None]
    condition = body.get("condicao_pagamento")
    instalments = _objects(condition.get("parcelas") if isinstance(condition, dict) else None)
    found += [] if instalments else ["paymentCondition.installments"]
    for number, one in enumerate(instalments):
        where = f"paymentCondition.installments[{number}]"
        given = one.get("detalhe_valor")
        detail = given if isinstance(given, dict) else {}
        found += [f"{where}.{inner}" for name, inner in _INSTALMENT if not one.get(name)]
        found += [f"{where}.valueComposition.{inner}" for name, inner in _DETAIL if detail.get(name) is None]
    return found


_LINE = (("id_categoria", "categoryId"), ("valor", "value"))
_INSTALMENT = (("descricao", "description"), ("data_vencimento", "dueDate"))
_DETAIL = (("valor_bruto", "grossValue"), ("valor_liquido", "netValue"))


def _objects(value: Any) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _line(given: Json) -> Json:
    centres = [
        {"centre": reference(one, "id_centro_custo"), "value": positive(one, "valor")}
        for one in _objects(given.get("rateio_centro_custo"))
    ]
    return {"category": reference(given, "id_categoria"), "value": positive(given, "valor"), "centres": centres}


def _instalment(given: Json) -> Json:
    return {
        "descricao": text(given, "descricao"),
        "nota": text(given, "nota"),
        "due": day(given, "data_vencimento"),
        "account": reference(given, "conta_financeira"),
        "method": method(given, METHODS),
        "amounts": amounts(given["detalhe_valor"]),
    }


def _check_sums(event: Json) -> None:
    if sum(line["value"] for line in event["lines"]) != event["value"]:
        raise Refused(400, "the sum of rateio is not valor")
    if sum(one["amounts"]["gross"] for one in event["instalments"]) != event["value"]:
        raise Refused(400, "the sum of valor_bruto of the instalments is not valor")
    for line in event["lines"]:
        if line["centres"] and sum(one["value"] for one in line["centres"]) != line["value"]:
            raise Refused(400, "the sum of rateio_centro_custo is not the valor of its category")
