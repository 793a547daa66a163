"""The stand-in and our calls against Conta Azul's own OpenAPI documents, where a developer has them (QUALY_SPECS)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.conta_azul_client import (
    CLEARING,
    COURSES,
    FINANCE,
    PASSED_ON,
    SYDNEY,
    WEB,
    YEAR,
    ContaAzulClient,
    conta_azul_sandbox,
    event_body,
    part,
)
from tests.sandbox.conta_azul_contract import DOCUMENTS, Contract, described, specifications
from tests.sandbox.recorded import Recorded, Seen

PAGE = {"pagina": 1, "tamanho_pagina": 100}
LEAVES = PAGE | {"permite_apenas_filhos": "true"}

pytestmark = pytest.mark.skipif(
    not specifications(),
    reason=f"QUALY_SPECS names no directory with {', '.join(DOCUMENTS)}: not checked against Conta Azul's documents",
)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract(specifications())


@pytest.fixture(scope="module")
def shared() -> Iterator[ContaAzulClient]:
    with conta_azul_sandbox(payments=100) as client:
        yield client


@pytest.fixture
def recorded(contract: Contract) -> Iterator[Recorded]:
    def problems(seen: Seen) -> list[str]:
        return contract.problems(seen.method, seen.path, set(seen.query), seen.body, seen.status, seen.answer)

    with Recorded("/conta_azul", problems, described).of_client(WEB) as record:
        yield record


def test_what_it_holds_from_the_start_is_as_the_documents_say(shared: ContaAzulClient, recorded: Recorded) -> None:
    shared.control("quota", {"per_second": None})
    shared.reading(cost_centre_rows="items")
    shared.read("/v1/categorias", LEAVES)
    shared.read("/v1/categorias/configuracao-padrao")
    shared.read("/v1/financeiro/categorias-dre")
    shared.read("/v1/centro-de-custo", PAGE)
    for account in shared.read("/v1/conta-financeira", PAGE)["itens"][:1]:
        shared.read(f"/v1/conta-financeira/{account['id']}/saldo-atual")
    rows = shared.search() + shared.search("contas-a-pagar")
    assert len(rows) > 10
    shared.read(f"{FINANCE}/alteracoes", {"data_inicio": "2026-01-01T00:00:00", "data_fim": "2026-07-15T00:00:00"})
    for row in rows[:3]:
        shared.instalment(row["id"])
    assert len(recorded.seen) == 12
    assert recorded.problems == []


def test_writes_and_their_answers_are_as_the_documents_say(shared: ContaAzulClient, recorded: Recorded) -> None:
    conta_azul = shared.reset()
    conta_azul.reading(created_status=202)
    ana = conta_azul.person()
    lines = [
        {"id_categoria": COURSES, "valor": 100, "rateio_centro_custo": [{"id_centro_custo": SYDNEY, "valor": 100}]}
    ]
    body = event_body(contato=ana["id"], rateio=lines)
    answer = conta_azul.http("POST", f"{FINANCE}/contas-a-receber", body)
    assert conta_azul.http("POST", f"{FINANCE}/contas-a-pagar", body | {"rateio": [
        {"id_categoria": PASSED_ON, "valor": 100}]}).status_code == 202  # fmt: skip
    conta_azul.read(f"/v1/protocolo/{answer.json()['protocolo']}")
    conta_azul.clock(60)
    done = conta_azul.read(f"/v1/protocolo/{answer.json()['protocolo']}")
    kept = conta_azul.read(f"{FINANCE}/{done['evento_financeiro_id']}/parcelas")[0]
    made = conta_azul.settle(kept, 60).json()
    conta_azul.http("PATCH", f"{FINANCE}/parcelas/baixa/{made['id']}", {"versao": 0, "conta_financeira": CLEARING})
    change = {"versao": 2, "nota": "n", "vencimento": "2026-08-01", "composicao_valor": {"valor_bruto": 90}}
    assert conta_azul.http("PATCH", f"{FINANCE}/parcelas/{kept['id']}", change).status_code == 200
    conta_azul.instalment(kept["id"])
    conta_azul.http("DELETE", f"{FINANCE}/parcelas/baixa/{made['id']}")
    assert conta_azul.http("POST", "/v1/centro-de-custo", {"nome": "Recife"}).status_code == 200
    assert len(recorded.seen) == 11
    assert recorded.problems == []


def test_refusals_are_as_the_documents_say(shared: ContaAzulClient, recorded: Recorded) -> None:
    conta_azul = shared.reset()
    wrong = event_body(contato=conta_azul.person()["id"], condicao_pagamento={"parcelas": [part(60)]})
    assert conta_azul.http("POST", f"{FINANCE}/contas-a-receber", wrong).status_code == 400
    assert conta_azul.http("GET", f"{FINANCE}/contas-a-pagar/buscar", query=PAGE).status_code == 400
    conta_azul.control("quota", {"per_minute": 0})
    assert conta_azul.http("GET", "/v1/conta-financeira").status_code == 429
    conta_azul.access_token = "wrong"
    assert conta_azul.http("GET", "/v1/categorias", query=LEAVES).status_code == 401
    assert len(recorded.seen) == 4
    assert recorded.problems == []


def test_a_settlement_that_is_read_has_the_account_as_an_object(shared: ContaAzulClient, contract: Contract) -> None:
    conta_azul = shared.reset()
    made = conta_azul.settle(conta_azul.event(), 60).json()
    path = f"{FINANCE}/parcelas/baixa/{made['id']}"
    found = contract.problems("GET", path, set(), None, 200, conta_azul.read(path))
    assert len(found) == 1
    assert "conta_financeira" in found[0]


def test_the_check_itself_notices_what_is_wrong(contract: Contract) -> None:
    wrong = {"itens_totais": "one", "itens": [{"id": 7, "status_traduzido": "OVERDUE", "total": "x"}]}
    found = contract.problems("GET", f"{FINANCE}/contas-a-receber/buscar", {*YEAR, "nonsense"}, None, 200, wrong)
    assert len(found) == 5, found
    body = event_body(valor="ten")
    assert len(contract.problems("POST", f"{FINANCE}/contas-a-pagar", set(), body, 200, {})) >= 2
    assert contract.problems("DELETE", FINANCE, set(), None, 200, {}) == [f"DELETE {FINANCE} is not in the documents"]
