"""Settlements: at once, in parts, twice if posted twice, and gone for good when deleted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.conta_azul_client import (
    BANK,
    CLEARING,
    CLOSED,
    FINANCE,
    NOBODY,
    RENT,
    ContaAzulClient,
    settlement_body,
)


def step(conta_azul: ContaAzulClient, instalment: dict[str, Any]) -> tuple[str, int, float]:
    now = conta_azul.instalment(instalment["id"])
    return now["status"], now["versao"], now["nao_pago"]


def balance(conta_azul: ContaAzulClient, account: str = BANK) -> float:
    return float(conta_azul.read(f"/v1/conta-financeira/{account}/saldo-atual")["saldo_atual"])


def one(settlement: dict[str, Any]) -> str:
    return f"{FINANCE}/parcelas/baixa/{settlement['id']}"


def test_two_halves_settle_an_instalment_step_by_step(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event(amount=1.00)
    assert step(conta_azul, kept) == ("PENDENTE", 0, 1.00)
    assert conta_azul.settle(kept, 0.50).status_code == 200
    assert step(conta_azul, kept) == ("RECEBIDO_PARCIAL", 1, 0.50)
    assert conta_azul.search(status="RECEBIDO_PARCIAL")[0]["pago"] == 0.50
    second = conta_azul.settle(kept, 0.50).json()
    assert step(conta_azul, kept) == ("QUITADO", 2, 0)
    row = conta_azul.search(status="RECEBIDO")[0]
    assert (row["status"], row["status_traduzido"], row["nao_pago"]) == ("ACQUITTED", "RECEBIDO", 0)
    answer = conta_azul.http("DELETE", one(second))
    assert (answer.status_code, answer.content) == (200, b"")
    assert step(conta_azul, kept) == ("RECEBIDO_PARCIAL", 3, 0.50)


def test_writes_and_reads_name_the_same_things_differently(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    made = conta_azul.settle(kept, 60, metodo_pagamento="PIX_PAGAMENTO_INSTANTANEO", nsu="77").json()
    assert (made["conta_financeira"], made["composicao_valor"]["valor_bruto"], made["versao"]) == (BANK, 60, 0)
    rows = conta_azul.read(f"{FINANCE}/parcelas/{kept['id']}/baixa")
    assert rows == [conta_azul.read(one(made))] == conta_azul.instalment(kept["id"])["baixas"]
    row = rows[0]
    assert (row["conta_financeira"]["id"], row["valor_composicao"]["valor_bruto"]) == (BANK, 60)
    assert (row["observacao"], row["nsu"], row["id_parcela"]) == ("P1", "77", kept["id"])
    assert row["tipo_evento_financeiro"] == "RECEITA"


def test_the_account_moves_by_the_net_and_the_debt_by_the_gross(conta_azul: ContaAzulClient) -> None:
    before = balance(conta_azul)
    kept = conta_azul.event()
    value = {"valor_bruto": 50, "juros": 5, "multa": 1, "desconto": 2, "taxa": 3}
    made = conta_azul.settle(kept, 0, composicao_valor=value).json()
    assert balance(conta_azul) == before + 51
    assert step(conta_azul, kept)[2] == 50
    bill = conta_azul.event("contas-a-pagar", amount=30, category=RENT)
    conta_azul.settle(bill, 30, conta_financeira=CLEARING)
    assert balance(conta_azul, CLEARING) == -30
    conta_azul.http("DELETE", one(made))
    assert balance(conta_azul) == before


def test_nothing_notices_the_same_settlement_twice(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    ids = {conta_azul.settle(kept, 50).json()["id"] for _ in range(2)}
    assert len(ids) == 2
    assert step(conta_azul, kept) == ("QUITADO", 2, 0)


@pytest.mark.parametrize("name", ["data_pagamento", "conta_financeira", "composicao_valor"])
def test_a_missing_field_brings_a_page_inside_the_message(conta_azul: ContaAzulClient, name: str) -> None:
    kept = conta_azul.event()
    body = settlement_body(10)
    del body[name]
    answer = conta_azul.http("POST", f"{FINANCE}/parcelas/{kept['id']}/baixa", body)
    assert answer.status_code == 400
    assert "<h1>Internal Server Error</h1>" in answer.json()["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"composicao_valor": {"valor_bruto": -1}},
        {"composicao_valor": {"valor_bruto": 10, "juros": -1}},
        {"composicao_valor": {"valor_bruto": 10.005}},
        {"data_pagamento": "2026-07-16"},
        {"data_pagamento": "14/07/2026"},
        {"conta_financeira": NOBODY},
        {"conta_financeira": CLOSED},
        {"metodo_pagamento": "PIX_COBRANCA"},
    ],
)
def test_wrong_settlements_are_refused(conta_azul: ContaAzulClient, fields: dict[str, Any]) -> None:
    kept = conta_azul.event()
    answer = conta_azul.settle(kept, 10, **fields)
    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert step(conta_azul, kept) == ("PENDENTE", 0, 100)


def test_paying_more_than_is_open(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    assert conta_azul.settle(kept, 100.01).status_code == 400
    conta_azul.settle(kept, 100)
    assert conta_azul.settle(kept, 1).status_code == 400
    conta_azul.reading(overpayment="accepted")
    assert conta_azul.settle(kept, 1).status_code == 200
    assert step(conta_azul, kept) == ("QUITADO", 2, 0)


def test_which_days_a_settlement_may_have_is_open(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    assert conta_azul.settle(kept, 1, data_pagamento="2026-07-01").status_code == 200
    conta_azul.reading(settlement_dates="not_before_event")
    assert conta_azul.settle(kept, 1, data_pagamento="2026-07-01").status_code == 400
    conta_azul.reading(settlement_dates="any")
    assert conta_azul.settle(kept, 1, data_pagamento="2027-07-01").status_code == 200


def test_a_settlement_is_changed_with_its_version(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    made = conta_azul.settle(kept, 60).json()
    change = {"composicao_valor": {"valor_bruto": 100}, "conta_financeira": CLEARING}
    for version in ({}, {"versao": 1}):
        answer = conta_azul.http("PATCH", one(made), change | version)
        assert (answer.status_code, answer.json()["name"]) == (409, "version")
    assert conta_azul.http("PATCH", one(made), change | {"versao": 0}).json()["versao"] == 1
    assert step(conta_azul, kept) == ("QUITADO", 2, 0)
    assert balance(conta_azul, CLEARING) == 100
    again = {"versao": 1, "composicao_valor": {"valor_bruto": 101}}
    assert conta_azul.http("PATCH", one(made), again).status_code == 400


def test_a_missing_settlement_is_an_empty_404(conta_azul: ContaAzulClient) -> None:
    missing = {"id": NOBODY}
    answers = [conta_azul.http(method, one(missing), {"versao": 0}) for method in ("GET", "PATCH", "DELETE")]
    answers.append(conta_azul.settle(missing, 1))
    assert [(answer.status_code, answer.content) for answer in answers] == [(404, b"")] * 4


def test_a_reconciled_settlement_stays_as_it_is(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    made = conta_azul.settle(kept, 60).json()
    conta_azul.ui("reconcile", settlement=made["id"])
    assert conta_azul.instalment(kept["id"])["conciliado"] is True
    assert conta_azul.read(one(made))["id_reconciliacao"]
    assert conta_azul.http("DELETE", one(made)).status_code == 400
    assert conta_azul.http("PATCH", one(made), {"versao": 0, "observacao": "x"}).status_code == 400
    conta_azul.ui("reconcile", settlement=made["id"], on=False)
    assert conta_azul.http("DELETE", one(made)).status_code == 200


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.integers(1, 6000), st.just(0)), min_size=1, max_size=8))
def test_whatever_is_settled_and_undone_the_sums_agree(conta_azul: ContaAzulClient, steps: list[int]) -> None:
    """Each step settles so many centavos, or undoes the newest settlement (0); refused ones leave nothing behind."""
    conta_azul.noon()
    opening, kept = balance(conta_azul), conta_azul.event()
    paid: list[tuple[str, int]] = []
    done = 0
    for value in steps:
        if value == 0 and paid:
            assert conta_azul.http("DELETE", f"{FINANCE}/parcelas/baixa/{paid.pop()[0]}").status_code == 200
        elif value:
            answer = conta_azul.settle(kept, value / 100)
            fits = sum(amount for _, amount in paid) + value <= 10_000
            assert answer.status_code == (200 if fits else 400)
            if not fits:
                continue
            paid.append((answer.json()["id"], value))
        else:
            continue
        done += 1
    now, total = conta_azul.instalment(kept["id"]), sum(amount for _, amount in paid)
    assert (round(now["valor_pago"] * 100), round(now["nao_pago"] * 100)) == (total, 10_000 - total)
    assert (now["versao"], len(now["baixas"])) == (done, len(paid))
    assert round((balance(conta_azul) - opening) * 100) == total
    assert now["status"] == {0: "PENDENTE", 10_000: "QUITADO"}.get(total, "RECEBIDO_PARCIAL")
