"""The closing date, which no call shows: what it refuses at once, and what only the protocol tells."""

from __future__ import annotations

from typing import Any

from tests.sandbox.conta_azul_client import FINANCE, ContaAzulClient

CLOSED = "sim: the period is closed"


def lock(conta_azul: ContaAzulClient, day: str | None, year_end: str | None = None) -> None:
    conta_azul.control("lock-date", {"period": day, "year_end": year_end})


def refused(conta_azul: ContaAzulClient, method: str, path: str, body: Any = None) -> bool:
    answer = conta_azul.http(method, f"{FINANCE}/parcelas/{path}", body)
    if answer.status_code == 200:
        return False
    assert (answer.status_code, answer.json()) == (400, {"code": 400, "message": CLOSED})
    return True


def test_a_new_event_is_taken_in_and_fails_later(conta_azul: ContaAzulClient) -> None:
    lock(conta_azul, "2026-06-30")
    assert conta_azul.failed(data_competencia="2026-06-30") == CLOSED
    assert conta_azul.search() == []
    assert conta_azul.event(data_competencia="2026-07-01", due="2026-06-15")["status"] == "ATRASADO"


def test_a_loss_without_a_word_does_not_hide_the_closing_date(conta_azul: ContaAzulClient) -> None:
    conta_azul.reading(wrong_reference="lost")
    lock(conta_azul, "2026-06-30")
    assert conta_azul.failed(data_competencia="2026-06-01") == CLOSED


def test_closing_while_an_event_waits_stops_it(conta_azul: ContaAzulClient) -> None:
    protocol = conta_azul.queue(data_competencia="2026-06-30")
    lock(conta_azul, "2026-06-30")
    conta_azul.clock(60)
    assert conta_azul.read(f"/v1/protocolo/{protocol}")["status"] == "ERROR"


def test_a_settlement_follows_its_own_day(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event(data_competencia="2026-06-20")
    lock(conta_azul, "2026-06-30")
    assert conta_azul.settle(kept, 10, data_pagamento="2026-06-30").json()["message"] == CLOSED
    made = conta_azul.settle(kept, 10, data_pagamento="2026-07-01").json()
    assert refused(conta_azul, "PATCH", f"baixa/{made['id']}", {"versao": 0, "data_pagamento": "2026-06-30"})
    assert not refused(conta_azul, "DELETE", f"baixa/{made['id']}")


def test_a_settlement_in_the_closed_time_stays_as_it_is(conta_azul: ContaAzulClient) -> None:
    kept = conta_azul.event()
    made = conta_azul.settle(kept, 10, data_pagamento="2026-06-30").json()
    lock(conta_azul, "2026-06-30")
    assert refused(conta_azul, "DELETE", f"baixa/{made['id']}")
    assert refused(conta_azul, "PATCH", f"baixa/{made['id']}", {"versao": 0, "data_pagamento": "2026-07-02"})
    assert conta_azul.instalment(kept["id"])["valor_pago"] == 10
    lock(conta_azul, None)
    assert not refused(conta_azul, "DELETE", f"baixa/{made['id']}")


def test_an_instalment_follows_its_event_and_both_due_days(conta_azul: ContaAzulClient) -> None:
    old, kept = conta_azul.event(data_competencia="2026-06-20"), conta_azul.event()
    lock(conta_azul, None, year_end="2026-06-30")
    assert refused(conta_azul, "PATCH", old["id"], {"versao": 0, "nota": "x"})
    assert refused(conta_azul, "PATCH", kept["id"], {"versao": 0, "vencimento": "2026-06-30"})
    assert not refused(conta_azul, "PATCH", kept["id"], {"versao": 0, "vencimento": "2026-07-31"})
    assert conta_azul.instalment(old["id"])["versao"] == 0


def test_no_answer_shows_the_closing_date(conta_azul: ContaAzulClient) -> None:
    lock(conta_azul, "1999-12-31")
    conta_azul.event()
    shown = [conta_azul.read("/v1/pessoas/conta-conectada"), conta_azul.search(), conta_azul.instalment(
        conta_azul.search()[0]["id"])]  # fmt: skip
    assert "1999" not in str(shown)
