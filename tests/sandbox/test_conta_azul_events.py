"""Receivables and payables: queued, made later, never changed as a whole, never noticed twice."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.conta_azul_client import (
    BANK,
    CLEARING,
    CLOSED,
    COURSES,
    FINANCE,
    NOBODY,
    OTHER_INCOME,
    PASSED_ON,
    RENT,
    SAO_PAULO,
    SYDNEY,
    ContaAzulClient,
    event_body,
    part,
)


def post(conta_azul: ContaAzulClient, body: Any) -> httpx.Response:
    return conta_azul.http("POST", f"{FINANCE}/contas-a-receber", body)


def status(conta_azul: ContaAzulClient, protocol: str) -> str:
    return str(conta_azul.read(f"/v1/protocolo/{protocol}")["status"])


def test_an_event_is_pending_before_it_is_there(conta_azul: ContaAzulClient) -> None:
    protocol = conta_azul.queue()
    assert status(conta_azul, protocol) == "PENDING"
    assert conta_azul.search() == []
    conta_azul.clock(60)
    done = conta_azul.read(f"/v1/protocolo/{protocol}")
    assert done["status"] == "SUCCESS"
    instalments = conta_azul.read(f"{FINANCE}/{done['evento_financeiro_id']}/parcelas")
    assert [(one["versao"], one["indice"], one["status"]) for one in instalments] == [(0, 1, "PENDENTE")]
    assert instalments[0]["data_alteracao"].startswith("2026-07-15T12:0")
    assert conta_azul.search()[0]["id"] == instalments[0]["id"]


def test_each_so_many_writes_one_takes_much_longer(conta_azul: ContaAzulClient) -> None:
    assert [conta_azul.first_readings[f"protocol_{name}"] for name in ("seconds", "tail_seconds", "tail_every")] == [
        3,
        90,
        17,
    ]
    conta_azul.reading(protocol_tail_every=2, protocol_tail_seconds=1500)
    quick, slow = conta_azul.queue(), conta_azul.queue()
    conta_azul.clock(60)
    assert (status(conta_azul, quick), status(conta_azul, slow)) == ("SUCCESS", "PENDING")
    conta_azul.clock(1440)
    assert status(conta_azul, slow) == "SUCCESS"


def test_the_delay_is_a_setting_and_none_is_one_too(conta_azul: ContaAzulClient) -> None:
    conta_azul.reading(protocol_seconds=0)
    assert status(conta_azul, conta_azul.queue()) == "SUCCESS"
    conta_azul.reading(protocol_seconds=2000, protocol_hidden_seconds=400)
    protocol = conta_azul.queue()
    assert conta_azul.http("GET", f"/v1/protocolo/{protocol}").status_code == 404
    conta_azul.clock(500)
    assert status(conta_azul, protocol) == "PENDING"


def test_the_answer_may_be_as_the_documents_say(conta_azul: ContaAzulClient) -> None:
    conta_azul.reading(created_status=202, protocol_names="english")
    answer = post(conta_azul, event_body())
    assert (answer.status_code, set(answer.json())) == (202, {"protocolId", "status", "createdAt"})


def test_everything_that_is_missing_is_named_at_once(conta_azul: ContaAzulClient) -> None:
    answer = post(conta_azul, {})
    assert answer.status_code == 400
    message = answer.json()["message"]
    for name in ("value", "competenceDate", "categoriesRatio", "paymentCondition.installments"):
        assert name in message
    without_net = part(100) | {"detalhe_valor": {"valor_bruto": 100}}
    answer = post(conta_azul, event_body(condicao_pagamento={"parcelas": [without_net]}))
    assert answer.json()["message"] == "sim: required: paymentCondition.installments[0].valueComposition.netValue"


def test_what_the_documents_demand_and_the_service_does_not(conta_azul: ContaAzulClient) -> None:
    body = event_body()
    for name in ("observacao", "conta_financeira"):
        del body[name]
    for name in ("nota", "conta_financeira"):
        del body["condicao_pagamento"]["parcelas"][0][name]
    assert post(conta_azul, body).status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"valor": "100.00"},
        {"valor": 100.005},
        {"valor": -100},
        {"valor": 0},
        {"valor": 99.99},
        {"valor": True},
        {"data_competencia": "10/07/2026"},
        {"data_competencia": "2026-07-10T00:00:00"},
        {"contato": "Ana"},
        {"rateio": [{"id_categoria": COURSES, "valor": 60}]},
        {"rateio": [{"id_categoria": COURSES, "valor": 110}, {"id_categoria": COURSES, "valor": -10}]},
        {"rateio": [{"id_categoria": COURSES, "valor": 100,
                     "rateio_centro_custo": [{"id_centro_custo": SYDNEY, "valor": 60}]}]},
        {"condicao_pagamento": {"parcelas": [part(60)]}},
        {"condicao_pagamento": {"parcelas": [part(100, metodo_pagamento="PIX")]}},
        {"condicao_pagamento": {"parcelas": [part(100, detalhe_valor={"valor_bruto": 100, "valor_liquido": 90})]}},
    ],
)  # fmt: skip
def test_wrong_values_and_sums_are_refused_at_once(conta_azul: ContaAzulClient, fields: dict[str, Any]) -> None:
    answer = post(conta_azul, event_body(**fields))
    assert (answer.status_code, answer.json()["code"]) == (400, 400)


def test_a_body_that_is_no_json_is_refused(conta_azul: ContaAzulClient) -> None:
    assert post(conta_azul, b"{").status_code == 400
    assert post(conta_azul, [event_body()]).status_code == 400


WRONG = [
    {"contato": NOBODY},
    {"category": NOBODY},
    {"category": RENT},
    {"category": "ca7e0000-0000-4000-8000-000000000100"},
    {"conta_financeira": CLOSED},
    {
        "rateio": [
            {"id_categoria": COURSES, "valor": 100, "rateio_centro_custo": [{"id_centro_custo": NOBODY, "valor": 100}]}
        ]
    },
]


@pytest.mark.parametrize("fields", WRONG)
def test_a_wrong_reference_shows_only_in_the_protocol(conta_azul: ContaAzulClient, fields: dict[str, Any]) -> None:
    assert "not found" in conta_azul.failed(**fields)
    assert conta_azul.search() == []


def test_a_wrong_reference_may_vanish_without_a_word(conta_azul: ContaAzulClient) -> None:
    conta_azul.reading(wrong_reference="lost")
    protocol = conta_azul.queue(category=NOBODY)
    conta_azul.clock(86_400)
    conta_azul.renew()
    assert status(conta_azul, protocol) == "PENDING"
    assert conta_azul.search() == []


def test_the_protocol_is_the_second_proof(conta_azul: ContaAzulClient) -> None:
    protocol = conta_azul.queue()
    conta_azul.clock(60)
    event = conta_azul.instalment(conta_azul.search()[0]["id"])["evento"]
    assert event["referencia"] == {"id": protocol, "revisao": "1", "origem": "LANCAMENTO_FINANCEIRO"}
    assert (event["tipo"], event["data_competencia"]) == ("RECEITA", "2026-07-10")


def test_the_person_is_attached_by_contato_alone(conta_azul: ContaAzulClient) -> None:
    ana, school = conta_azul.person(), conta_azul.person("Escola", "Fornecedor", tipo_pessoa="Jurídica")
    conta_azul.event(contato=ana["id"])
    conta_azul.event(id_cliente=ana["id"], text="Curso 2")
    rows = conta_azul.search()
    assert [row["cliente"] for row in rows] == [{"id": ana["id"], "nome": "Ana Souza"}, {"id": None, "nome": None}]
    conta_azul.event("contas-a-pagar", contato=school["id"], category=PASSED_ON)
    conta_azul.event("contas-a-pagar", id_fornecedor=school["id"], category=RENT)
    rows = conta_azul.search("contas-a-pagar")
    assert [row["fornecedor"]["nome"] for row in rows] == ["Escola", None]


def test_look_alike_names_of_the_account_are_dropped(conta_azul: ContaAzulClient) -> None:
    body = event_body(id_conta_financeira=CLEARING)
    assert post(conta_azul, body).status_code == 200
    conta_azul.clock(60)
    shown = conta_azul.instalment(conta_azul.search()[0]["id"])
    assert (shown["conta_financeira"]["id"], shown["id_conta_financeira"]) == (BANK, BANK)


def test_only_the_instalments_text_is_seen(conta_azul: ContaAzulClient) -> None:
    conta_azul.event(descricao="of the event", condicao_pagamento={"parcelas": [part(100, text="of the instalment")]})
    row = conta_azul.search()[0]
    detail = conta_azul.instalment(row["id"])
    assert (row["descricao"], detail["descricao"]) == ("of the instalment", "of the instalment")
    assert "of the event" not in str(detail)


def test_long_texts_are_cut_so_a_mark_stands_first(conta_azul: ContaAzulClient) -> None:
    text = "R1 " + "x" * 300
    assert conta_azul.event(text=text)["descricao"] == text[:200]
    conta_azul.reading(text_limit=None)
    assert conta_azul.event(text=text)["descricao"] == text


def test_several_instalments_categories_and_centres(conta_azul: ContaAzulClient) -> None:
    centres = [{"id_centro_custo": SYDNEY, "valor": 20}, {"id_centro_custo": SAO_PAULO, "valor": 13.34}]
    lines = [
        {"id_categoria": COURSES, "valor": 66.66},
        {"id_categoria": OTHER_INCOME, "valor": 33.34, "rateio_centro_custo": centres},
    ]
    parts = [part(33.34, "2026-07-20", "1/2"), part(66.66, "2026-08-20", "2/2", metodo_pagamento="PIX_COBRANCA")]
    first = conta_azul.event(rateio=lines, condicao_pagamento={"parcelas": parts})
    both = conta_azul.read(f"{FINANCE}/{first['evento']['id']}/parcelas")
    assert [(one["indice"], one["nao_pago"], one["data_vencimento"]) for one in both] == [
        (1, 33.34, "2026-07-20"),
        (2, 66.66, "2026-08-20"),
    ]
    assert [one["valor"] for one in both[1]["evento"]["rateio"]] == [66.66, 33.34]
    row = conta_azul.search()[0]
    assert [one["nome"] for one in row["centros_de_custo"]] == ["Sydney", "São Paulo"]
    assert len(conta_azul.search(ids_centros_de_custo=SYDNEY)) == 2
    assert conta_azul.search(ids_centros_de_custo=NOBODY) == []


def test_two_equal_posts_make_two_events(conta_azul: ContaAzulClient) -> None:
    conta_azul.event()
    conta_azul.event()
    assert [row["descricao"] for row in conta_azul.search()] == ["Curso 1", "Curso 1"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_an_event_as_a_whole_has_no_address(conta_azul: ContaAzulClient, method: str) -> None:
    event = conta_azul.event()["evento"]["id"]
    for address in (f"{FINANCE}/{event}", f"{FINANCE}/contas-a-receber/{event}"):
        answer = conta_azul.http(method, address, {} if method != "GET" else None)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/plain")


def test_an_instalment_is_changed_with_its_version(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    address = f"{FINANCE}/parcelas/{kept['id']}"
    for version in ({}, {"versao": 1}, {"versao": "0"}, {"versao": None}):
        answer = conta_azul.http("PATCH", address, {"descricao": "new"} | version)
        assert (answer.status_code, answer.json()["name"]) == (409, "version")
    changed = {"versao": 0, "descricao": "new", "nota": "n", "vencimento": "2026-08-10", "nsu": "7"}
    answer = conta_azul.http("PATCH", address, changed | {"data_pagamento_esperado": "2026-08-12"})
    assert answer.status_code == 200
    assert (answer.json()["versao"], answer.json()["vencimento"]) == (1, "2026-08-10")
    after = conta_azul.instalment(kept["id"])
    assert (after["versao"], after["descricao"], after["data_vencimento"]) == (1, "new", "2026-08-10")
    assert after["data_pagamento_previsto"] == "2026-08-12"


def test_a_patch_neither_settles_nor_moves_the_category(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    more = {"rateio": [{"id_categoria": OTHER_INCOME, "valor": 100}], "data_pagamento": "2026-07-14", "valor_pago": 100}
    assert conta_azul.http("PATCH", f"{FINANCE}/parcelas/{kept['id']}", {"versao": 0} | more).status_code == 200
    after = conta_azul.instalment(kept["id"])
    assert (after["versao"], after["status"], after["valor_pago"]) == (1, "PENDENTE", 0)
    assert after["evento"]["rateio"][0]["id_categoria"] == COURSES


def test_a_patch_changes_amounts_account_and_writes_off(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    address = f"{FINANCE}/parcelas/{kept['id']}"
    conta_azul.settle(kept, 40)
    assert conta_azul.http("PATCH", address, {"versao": 1, "composicao_valor": {"valor_bruto": 30}}).status_code == 400
    money = {"versao": 1, "composicao_valor": {"valor_bruto": 90}, "id_conta_financeira": CLEARING}
    assert conta_azul.http("PATCH", address, money).json()["conta_financeira"]["id"] == CLEARING
    lost = {"versao": 2, "perda": {"data": "2026-07-15", "valor": 50}}
    assert conta_azul.http("PATCH", address, lost | {"perda": {"data": "2026-07-15", "valor": 51}}).status_code == 400
    assert conta_azul.http("PATCH", address, lost).status_code == 200
    after = conta_azul.instalment(kept["id"])
    assert (after["status"], after["perda"], after["nao_pago"]) == ("PERDIDO", {"data": "2026-07-15", "valor": 50}, 50)


def test_strict_mode_names_what_would_be_dropped(conta_azul: ContaAzulClient) -> None:
    conta_azul.reading(strict_names=True)
    answer = post(conta_azul, event_body(id_cliente=NOBODY))
    assert (answer.status_code, answer.json()["message"]) == (400, "sim: unknown fields id_cliente")
    assert post(conta_azul, event_body()).status_code == 200
