"""Searches, pages, changes, the catalogue, and what a call without sense is answered."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.conta_azul_client import (
    BANK,
    CLEARING,
    COURSES,
    FINANCE,
    NOBODY,
    OTHER_INCOME,
    PASSED_ON,
    YEAR,
    ContaAzulClient,
    Query,
    conta_azul_sandbox,
    part,
)

SEARCH = f"{FINANCE}/contas-a-receber/buscar"
CHANGES = f"{FINANCE}/alteracoes"
TODAY = {"data_inicio": "2026-07-15T00:00:00", "data_fim": "2026-07-15T23:59:59"}
PAGE = {"pagina": 1, "tamanho_pagina": 50}


def get(conta_azul: ContaAzulClient, path: str, query: Query | None = None) -> httpx.Response:
    return conta_azul.http("GET", path, query=query)


def texts(rows: list[dict[str, Any]]) -> list[str]:
    return [row["descricao"] for row in rows]


@pytest.mark.parametrize("name", list(YEAR))
def test_a_search_demands_the_due_window_and_the_page(conta_azul: ContaAzulClient, name: str) -> None:
    answer = get(conta_azul, SEARCH, {key: value for key, value in YEAR.items() if key != name})
    assert (answer.status_code, answer.json()["code"]) == (400, 400)


@pytest.mark.parametrize("size", [0, 1, 25, 2000, "x"])
def test_only_some_page_sizes_are_allowed(conta_azul: ContaAzulClient, size: Any) -> None:
    assert get(conta_azul, SEARCH, YEAR | {"tamanho_pagina": size}).status_code == 400
    assert get(conta_azul, "/v1/pessoas", {"tamanho_pagina": size}).status_code == 400


def test_pages_do_not_overlap(conta_azul: ContaAzulClient) -> None:
    parts = [part(1, f"2026-08-{day:02d}", f"{day}") for day in range(1, 13)]
    conta_azul.event(amount=12, condicao_pagamento={"parcelas": parts})
    pages = [conta_azul.read(SEARCH, YEAR | {"tamanho_pagina": 10, "pagina": number}) for number in (1, 2, 3)]
    assert [page["itens_totais"] for page in pages] == [12, 12, 12]
    assert texts([row for page in pages for row in page["itens"]]) == [str(day) for day in range(1, 13)]


def test_a_row_has_what_it_has_and_lacks_the_rest(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    row = conta_azul.search()[0]
    assert row["id"] == kept["id"] != kept["evento"]["id"]
    assert row["categorias"] == [{"id": COURSES, "nome": "Cursos e matrículas"}]
    assert "centros_de_custo" in row
    assert not {"evento", "versao", "data_pagamento", "documento", "valor_bruto"} & set(row)


def test_two_vocabularies_of_status_and_overdue_by_the_clock(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event(due="2026-07-16")
    seen = []
    for day in ("2026-07-16", "2026-07-17"):
        conta_azul.noon(day)
        seen.append((conta_azul.search()[0]["status_traduzido"], conta_azul.instalment(kept["id"])["status"]))
    assert seen == [("EM_ABERTO", "PENDENTE"), ("ATRASADO", "ATRASADO")]
    assert conta_azul.search()[0]["status"] == "OVERDUE"
    assert texts(conta_azul.search(status="ATRASADO")) == ["Curso 1"]
    assert conta_azul.search(status="EM_ABERTO") == []
    assert len(conta_azul.search(status=["EM_ABERTO", "ATRASADO"])) == 1
    assert get(conta_azul, SEARCH, YEAR | {"status": "QUITADO"}).status_code == 400
    assert get(conta_azul, SEARCH, YEAR | {"status": "EM_ABERTO,ATRASADO"}).status_code == 400


def test_the_day_ends_in_sao_paulo(conta_azul: ContaAzulClient) -> None:
    conta_azul.event(due="2026-07-15")
    conta_azul.plain_control("clock", {"now": "2026-07-16T02:30:00Z"})
    conta_azul.renew()
    assert conta_azul.search()[0]["status_traduzido"] == "EM_ABERTO"
    conta_azul.plain_control("clock", {"now": "2026-07-16T03:30:00Z"})
    conta_azul.renew()
    assert conta_azul.search()[0]["status_traduzido"] == "ATRASADO"


def test_filters_of_the_search(conta_azul: ContaAzulClient) -> None:
    ana = conta_azul.person()
    first = conta_azul.event(text="R1 Curso", contato=ana["id"], data_competencia="2026-07-01", due="2026-07-20")
    elsewhere = [part(50, "2026-08-20", "R2 Seguro", conta_financeira=CLEARING)]
    conta_azul.event(amount=50, text="R2 Seguro", category=OTHER_INCOME, condicao_pagamento={"parcelas": elsewhere})
    conta_azul.settle(first, 10, data_pagamento="2026-07-12")
    queries: list[dict[str, Any]] = [
        {"descricao": "r1 cur"},
        {"data_vencimento_ate": "2026-07-31"},
        {"data_competencia_ate": "2026-07-05"},
        {"data_pagamento_de": "2026-07-12", "data_pagamento_ate": "2026-07-12"},
        {"valor_de": "50.01"},
        {"ids_clientes": ana["id"]},
        {"ids_contas_financeiras": BANK},
        {"ids_categorias": [COURSES, NOBODY]},
    ]
    for query in queries:
        assert texts(conta_azul.search(**query)) == ["R1 Curso"], query
    assert texts(conta_azul.search(valor_ate="50.00", descricao="seguro")) == ["R2 Seguro"]
    assert len(conta_azul.search(nonsense="R1")) == 2
    for wrong in ({"valor_de": "ten"}, {"ids_clientes": "Ana"}, {"data_competencia_de": "01/07/2026"}):
        assert get(conta_azul, SEARCH, YEAR | wrong).status_code == 400


def test_the_totals_are_sums_by_situation(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event(due="2026-07-10")
    conta_azul.settle(kept, 40)
    conta_azul.event(amount=50)
    totals = conta_azul.read(SEARCH, YEAR)["totais"]
    assert totals == {"pago": 40, "vencido": 60, "aberto": 50, "todos": 150}


def test_payables_cannot_be_searched_by_supplier(conta_azul: ContaAzulClient) -> None:
    conta_azul.event("contas-a-pagar", category=PASSED_ON)
    assert len(conta_azul.search("contas-a-pagar", ids_clientes=NOBODY)) == 1
    assert conta_azul.search(ids_clientes=NOBODY) == []


def test_saves_show_as_changes_of_events(conta_azul: ContaAzulClient) -> None:
    income, cost = conta_azul.event(), conta_azul.event("contas-a-pagar", category=PASSED_ON)
    ids = {income["evento"]["id"], cost["evento"]["id"]}
    assert {row["id"] for row in conta_azul.read(CHANGES, TODAY)["itens"]} == ids
    conta_azul.noon("2026-07-16")
    conta_azul.settle(income, 10)
    later = {"data_inicio": "2026-07-16T00:00:00", "data_fim": "2026-07-16T23:00:00"}
    assert conta_azul.read(CHANGES, later) == {"itens_totais": 1, "itens": [{"id": income["evento"]["id"]}]}
    made = conta_azul.instalment(income["id"])["baixas"][0]
    conta_azul.noon("2026-07-17")
    conta_azul.http("DELETE", f"{FINANCE}/parcelas/baixa/{made['id']}")
    later = {"data_inicio": "2026-07-17T00:00:00", "data_fim": "2026-07-17T23:00:00"}
    assert conta_azul.read(CHANGES, later)["itens_totais"] == 1


@pytest.mark.parametrize(
    ("start", "end", "status"),
    [
        ("2025-07-15T00:00:00", "2026-07-15T00:00:00", 200),
        ("2025-07-14T23:59:59", "2026-07-15T00:00:00", 400),
        ("2026-07-01T00:00:00Z", "2026-07-15T00:00:00Z", 400),
        ("2026-07-01T00:00:00-03:00", "2026-07-15T00:00:00-03:00", 400),
        ("2026-07-15T00:00:00", "2026-07-01T00:00:00", 400),
        ("2026-07-01", "2026-07-15", 400),
        ("2026-07-01T00:00:00", "", 400),
    ],
)
def test_the_window_of_changes(conta_azul: ContaAzulClient, start: str, end: str, status: int) -> None:
    assert get(conta_azul, CHANGES, {"data_inicio": start, "data_fim": end}).status_code == status


def test_a_deletion_by_hand_shows_nowhere_unless_asked_to(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    conta_azul.ui("delete_event", event=kept["id"])
    assert conta_azul.read(CHANGES, TODAY)["itens"] == []
    assert get(conta_azul, f"{FINANCE}/parcelas/{kept['id']}").status_code == 404
    conta_azul.reading(deletions_in_changes=True)
    assert conta_azul.read(CHANGES, TODAY)["itens"] == [{"id": kept["evento"]["id"]}]


def test_searches_may_lag_behind_single_reads(conta_azul: ContaAzulClient) -> None:
    conta_azul.reading(visible_after_seconds=600)
    ana = conta_azul.person()
    kept = conta_azul.event(contato=ana["id"])
    assert conta_azul.instalment(kept["id"])["versao"] == 0
    assert conta_azul.read(f"/v1/pessoas/{ana['id']}") == ana
    assert (conta_azul.search(), conta_azul.people(), conta_azul.read(CHANGES, TODAY)["itens"]) == ([], [], [])
    conta_azul.clock(600)
    assert len(conta_azul.search()) == len(conta_azul.people()) == 1


def test_a_stale_read_shows_things_as_they_were(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    conta_azul.clock(300)
    conta_azul.settle(kept, 40)
    fault = {"method": "GET", "path": "/v1/", "do": "stale_reads:200"}
    conta_azul.control("faults", fault)
    before = conta_azul.instalment(kept["id"])
    assert (before["versao"], before["baixas"]) == (0, [])
    assert conta_azul.instalment(kept["id"])["versao"] == 1


def test_a_lost_answer_was_done_all_the_same(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    address = f"{FINANCE}/parcelas/{kept['id']}/baixa"
    conta_azul.control("faults", [{"method": "POST", "path": address, "do": "drop_after"},
                                  {"method": "POST", "path": address, "do": "status:502"}])  # fmt: skip
    with pytest.raises(httpx.RemoteProtocolError):
        conta_azul.settle(kept, 40)
    assert conta_azul.settle(kept, 40).status_code == 502
    assert len(conta_azul.read(address)) == 1


def test_an_event_may_arrive_long_after_its_connection_broke(conta_azul: ContaAzulClient) -> None:
    fault = {"method": "POST", "path": f"{FINANCE}/contas-a-receber", "do": "drop_then_commit:7200"}
    conta_azul.control("faults", fault)
    with pytest.raises(httpx.RemoteProtocolError):
        conta_azul.queue()
    conta_azul.clock(3700)
    conta_azul.renew()
    assert conta_azul.search() == []
    conta_azul.clock(3600)
    conta_azul.clock(60)
    conta_azul.renew()
    assert texts(conta_azul.search()) == ["Curso 1"]


def test_arrays_are_repeated_and_never_bracketed(conta_azul: ContaAzulClient) -> None:
    assert get(conta_azul, SEARCH, [*YEAR.items(), ("status[]", "ATRASADO")]).status_code == 400
    assert get(conta_azul, "/v1/pessoas", {"emails[]": "a@b.example"}).status_code == 400


def test_unknown_parameters_are_dropped_or_named(conta_azul: ContaAzulClient) -> None:
    conta_azul.person()
    assert len(conta_azul.people(email="nobody@mail.example")) == 1
    conta_azul.reading(strict_names=True)
    assert get(conta_azul, "/v1/pessoas", {"email": "nobody@mail.example"}).status_code == 400


def test_no_route_is_plain_text_and_a_wrong_method_is_405(conta_azul: ContaAzulClient) -> None:
    answer = get(conta_azul, "/v1/eventos-financeiros")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    for method, path in (
        ("POST", "/v1/categorias"),
        ("DELETE", "/v1/centro-de-custo"),
        ("GET", CHANGES[:-11] + "/contas-a-pagar"),
    ):
        assert conta_azul.http(method, path).status_code == 405, path
    assert get(conta_azul, f"{FINANCE}/parcelas/not-a-uuid").status_code == 400


def test_categories_by_kind_and_leaves_only(conta_azul: ContaAzulClient) -> None:
    assert get(conta_azul, "/v1/categorias", PAGE).status_code == 400
    leaves = conta_azul.read("/v1/categorias", PAGE | {"permite_apenas_filhos": "true", "tipo": "RECEITA"})["itens"]
    assert {row["tipo"] for row in leaves} == {"RECEITA"}
    assert all(row["categoria_pai"] for row in leaves)
    every = conta_azul.read("/v1/categorias", PAGE | {"permite_apenas_filhos": "false"})["itens"]
    assert {row["nome"] for row in every if row["categoria_pai"] is None} == {
        "Receitas de serviços",
        "Custos e despesas",
    }
    found = conta_azul.read("/v1/categorias", PAGE | {"permite_apenas_filhos": "true", "busca": "REPASSE de c"})[
        "itens"
    ]
    assert [row["nome"] for row in found] == ["Repasse de cursos"]


def test_accounts_and_what_they_hold(conta_azul: ContaAzulClient) -> None:
    every = conta_azul.read("/v1/conta-financeira")["itens"]
    used = conta_azul.read("/v1/conta-financeira", {"apenas_ativo": "true"})["itens"]
    assert {row["nome"] for row in every} - {row["nome"] for row in used} == {"Conta antiga"}
    kinds = conta_azul.read("/v1/conta-financeira", {"tipos": ["OUTROS", "POUPANCA"]})["itens"]
    assert len(kinds) == 2
    assert "opening" not in every[0]
    assert get(conta_azul, f"/v1/conta-financeira/{NOBODY}/saldo-atual").status_code == 404


def test_cost_centres_are_made_but_never_changed() -> None:
    with conta_azul_sandbox() as fresh:
        made = fresh.http("POST", "/v1/centro-de-custo", {"nome": "Recife", "codigo": "REC"})
        assert (made.status_code, made.json()["ativo"]) == (200, True)
        assert fresh.http("POST", "/v1/centro-de-custo", {"codigo": "X"}).status_code == 400
        assert fresh.http("PATCH", f"/v1/centro-de-custo/{made.json()['id']}", {}).status_code == 404
        used = fresh.read("/v1/centro-de-custo", PAGE | {"filtro_rapido": "ATIVO"})["itens"]
        assert {row["nome"] for row in used} == {"Sydney", "São Paulo", "Online", "Recife"}
        fresh.reading(cost_centre_rows="items")
        assert "items" in fresh.read("/v1/centro-de-custo", PAGE)


def test_the_default_categories_and_the_statement(conta_azul: ContaAzulClient) -> None:
    rows = conta_azul.read("/v1/categorias/configuracao-padrao")
    assert [row["nome_categoria"] for row in rows if row["tipo_operacao"] == "TARIFAS"] == ["Tarifas bancárias"]
    lines = conta_azul.read("/v1/financeiro/categorias-dre")["itens"]
    assert all(line["categorias_financeiras"] for line in lines)
    assert conta_azul.read("/v1/venda/proximo-numero") is None
