"""What a person does in Conta Azul's own pages, and what a load and a restart make of it all."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.sandbox.conta_azul_client import (
    COURSES,
    OTHER_INCOME,
    WEB,
    ContaAzulClient,
    conta_azul_sandbox,
    event_body,
    person_body,
)


def refused(conta_azul: ContaAzulClient, **given: object) -> str:
    answer: httpx.Response = WEB.post(f"{conta_azul.sandbox.url}/control/ui/conta_azul", json=given)
    assert answer.status_code == 400, answer.text
    return str(answer.json()["message"])


def test_people_are_kept_by_hand_too(conta_azul: ContaAzulClient) -> None:
    made = conta_azul.ui("create_person", fields=person_body("Ana Souza", email="ana@mail.example"))
    conta_azul.ui("edit_person", person="ana souza", fields={"nome": "Ana Lima"})
    assert conta_azul.read(f"/v1/pessoas/{made['id']}")["nome"] == "Ana Lima"
    conta_azul.ui("inactivate_person", person=made["id"])
    assert conta_azul.people()[0]["ativo"] is False
    conta_azul.ui("activate_person", person=made["id"])
    conta_azul.ui("delete_person", person=made["id"])
    assert conta_azul.people() == []
    assert "There is no person" in refused(conta_azul, do="delete_person", person=made["id"])


def test_an_event_by_hand_is_there_at_once_and_can_be_changed(conta_azul: ContaAzulClient) -> None:
    ana = conta_azul.person()
    made = conta_azul.ui("create_event", tipo="RECEITA", fields=event_body(80.1))
    row = conta_azul.search()[0]
    changed = {"valor": 90.2, "contato": ana["id"], "data_competencia": "2026-07-12", "descricao": "New"}
    conta_azul.ui("edit_event", event=row["id"], fields=changed)
    conta_azul.ui("edit_event", event=made["id"], fields={"rateio": [{"id_categoria": OTHER_INCOME, "valor": 90.2}]})
    after = conta_azul.search()[0]
    assert (after["id"], after["total"], after["cliente"]["id"]) == (row["id"], 90.2, ana["id"])
    assert (after["descricao"], after["data_competencia"]) == ("New", "2026-07-12")
    assert after["categorias"][0]["id"] == OTHER_INCOME
    assert conta_azul.instalment(row["id"])["versao"] == 2
    assert "not found" in refused(conta_azul, do="edit_event", event=made["id"], fields={"contato": made["id"]})


def test_settling_and_undoing_by_hand(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    conta_azul.ui("settle", instalment=kept["id"], amount=40, date="2026-07-13", note="by hand")
    made = conta_azul.ui("settle", instalment=kept["id"])
    after = conta_azul.instalment(kept["id"])
    assert (after["status"], [one["observacao"] for one in after["baixas"]]) == ("QUITADO", ["by hand", ""])
    assert "amount" in refused(conta_azul, do="edit_event", event=kept["id"], fields={"valor": 1})
    conta_azul.ui("undo_settlement", settlement=made["id"])
    assert conta_azul.instalment(kept["id"])["nao_pago"] == 60


def test_an_instalment_and_the_chart_by_hand(conta_azul: ContaAzulClient) -> None:
    with conta_azul_sandbox() as fresh:
        kept = fresh.ui("create_event", fields=event_body())["parcelas"][0]
        fresh.ui("edit_instalment", instalment=kept["id"], fields={"vencimento": "2026-09-01"})
        assert fresh.search()[0]["data_vencimento"] == "2026-09-01"
        new = fresh.ui("create_category", fields={"nome": "Passeios", "tipo": "RECEITA"})
        fresh.ui("rename_category", category=new["id"], name="Excursões")
        fresh.ui("delete_category", category="excursões")
        fresh.ui("delete_category", category=COURSES)
        fresh.ui("inactivate_account", account="Qualy a compensar")
        accounts = fresh.read("/v1/conta-financeira", {"apenas_ativo": "true"})["itens"]
        assert [row["nome"] for row in accounts] == ["Banco Itaú", "Pago na escola"]
        assert "category not found" in refused(fresh, do="create_event", fields=event_body())
        assert "do is one of" in refused(fresh, do="dance")


def test_the_closing_date_binds_people_too(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    conta_azul.control("lock-date", {"period": "2026-07-14"})
    assert "closed" in refused(conta_azul, do="settle", instalment=kept["id"], date="2026-07-14")
    assert "closed" in refused(conta_azul, do="delete_event", event=kept["id"])
    assert "closed" in refused(conta_azul, do="create_event", fields=event_body())


def test_what_it_shows_can_be_loaded_again() -> None:
    with conta_azul_sandbox(payments=100) as fresh:
        held = fresh.control("state", None, "GET")
        kinds = ("categorias", "contas_financeiras", "centros_de_custo", "pessoas", "eventos")
        loaded = fresh.control("load", {kind: held[kind] for kind in kinds})["loaded"]
        assert loaded == {kind: len(held[kind]) for kind in kinds}
        again = fresh.control("state", None, "GET")
        assert again["pessoas"] == held["pessoas"]
        events = [[{**event, "condicao_pagamento": None} for event in state["eventos"]] for state in (held, again)]
        assert events[0] == events[1]
        paid = [[one["valor_pago"] for one in state["parcelas"]] for state in (held, again)]
        assert paid[0] == paid[1]
        assert any(paid[0])
        answer = WEB.post(f"{fresh.sandbox.url}/control/load/conta_azul", json={"eventos": [{"tipo": "RECEITA"}]})
        assert answer.status_code == 400
        assert fresh.control("state", None, "GET")["eventos"] == again["eventos"]


def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.db"
    with conta_azul_sandbox(state=state) as first:
        first.reading(protocol_seconds=60, protocol_tail_every=0, emails_filter="contains")
        protocol = first.queue()
        first.control("lock-date", {"period": "2026-06-30"})
        token, held = first.refresh_token, first.control("state", None, "GET")
    with conta_azul_sandbox(state=state, token=token) as second:
        assert second.control("state", None, "GET") == held
        assert second.control("readings", None, "GET")["emails_filter"] == "contains"
        second.clock(60)
        assert second.read(f"/v1/protocolo/{protocol}")["status"] == "SUCCESS"
        assert second.failed(data_competencia="2026-06-30") == "sim: the period is closed"
