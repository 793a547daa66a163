"""What happens between us and Conta Azul: whatever is not plainly answered is unknown, and nothing is sent again."""

from __future__ import annotations

import logging
import socket
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from connectors.conta_azul import connect
from connectors.conta_azul.fields import Row
from connectors.conta_azul.pages import PAGE_SIZE, Page, whole
from connectors.conta_azul.transport import Pace
from qualy_sync.contracts.accounting import (
    Accepted,
    Answered,
    Declined,
    NotSent,
    Reply,
    Skipped,
    Unanswered,
    What,
)
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Reconnect, Refused, ToolError, Unreachable
from qualy_sync.outcomes import Code
from tests.sandbox.conta_azul_client import FINANCE
from tests.support.conta_azul_connection import Connected, SandboxClock, contact, document, endpoint

RECEIVABLES = f"{FINANCE}/contas-a-receber"


def fault(conta_azul: Connected, method: str, path: str, do: str, **more: Any) -> None:
    conta_azul.client.control("faults", {"method": method, "path": path, "do": do} | more)


def kinds(reply: Reply) -> list[str]:
    assert isinstance(reply, Answered), reply
    return [type(one).__name__ for one in reply.results]


def queued(conta_azul: Connected) -> int:
    return len(conta_azul.client.sandbox.control("GET", "state/conta_azul")["protocolos"])


# -- writes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("do", ["drop_before", "drop_after", "garbage", "truncate", "status:500", "status_after:502",
                                "page:400", "page:422"])  # fmt: skip
def test_after_any_trouble_a_write_is_unknown_and_is_sent_once(conta_azul: Connected, do: str) -> None:
    fault(conta_azul, "POST", RECEIVABLES, do)
    before, calls = queued(conta_azul), conta_azul.tool.quota.calls
    assert isinstance(conta_azul.send(What.INVOICE, document()), Unanswered)
    assert queued(conta_azul) - before <= 1
    assert conta_azul.tool.quota.calls - calls <= 1


def test_one_lost_answer_says_nothing_of_the_others(conta_azul: Connected) -> None:
    fault(conta_azul, "POST", RECEIVABLES, "drop_after", after=1)
    batch = [document() for _ in range(3)]
    reply = conta_azul.send(What.INVOICE, *batch)
    assert kinds(reply) == ["Accepted", "Accepted"]
    assert {one.ref for one in reply.results} < {one.ref for one in batch}  # type: ignore[union-attr]


def test_one_refusal_is_of_one_record(conta_azul: Connected) -> None:
    wrong = replace(contact(), name="x", document="11111111111")
    good = contact()
    body = conta_azul.tool.body([wrong, good]).replace(b'"tipo_pessoa":"F\xc3\xadsica"', b'"tipo_pessoa":"FISICA"', 1)
    reply = conta_azul.tool.send(What.CONTACT, body, "key")
    assert sorted(kinds(reply)) == ["Declined", "Done"]
    (refused,) = [one for one in reply.results if isinstance(one, Declined)]  # type: ignore[union-attr]
    assert (refused.ref, refused.code) == (wrong.ref, Code.INVALID)
    assert "tipo_pessoa" in refused.message


def test_one_that_is_asked_to_wait_was_surely_not_done(conta_azul: Connected) -> None:
    fault(conta_azul, "POST", RECEIVABLES, "status:429", after=1)
    before = queued(conta_azul)
    reply = conta_azul.send(What.INVOICE, *(document() for _ in range(3)))
    assert sorted(kinds(reply)) == ["Accepted", "Accepted", "Skipped"]
    (skipped,) = [one for one in reply.results if isinstance(one, Skipped)]  # type: ignore[union-attr]
    assert isinstance(skipped.error, OutOfQuota)
    assert queued(conta_azul) - before == 2


def test_a_refused_token_is_renewed_once_and_only_what_it_was_refused_for_is_sent_again(conta_azul: Connected) -> None:
    fault(conta_azul, "POST", RECEIVABLES, "status:401", after=1)
    before = queued(conta_azul)
    reply = conta_azul.send(What.INVOICE, *(document() for _ in range(3)))
    assert kinds(reply) == ["Accepted"] * 3
    assert len({one.ticket for one in reply.results if isinstance(one, Accepted)}) == 3  # type: ignore[union-attr]
    assert queued(conta_azul) - before == 3
    assert conta_azul.tokens.refusals == 1


def test_a_token_that_ended_is_replaced_for_reads_and_writes(conta_azul: Connected) -> None:
    conta_azul.client.clock(3700)
    assert conta_azul.tool.organisation().stand_in
    conta_azul.client.clock(3700)
    assert kinds(conta_azul.send(What.INVOICE, document())) == ["Accepted"]
    assert conta_azul.tokens.refusals == 2


def test_a_token_of_the_developers_portal_is_refused_by_every_call(conta_azul: Connected) -> None:
    fault(conta_azul, "*", "/v1", "status:401", times=None)
    with pytest.raises(Reconnect, match=r"user of the ERP"):
        conta_azul.tool.organisation()
    reply = conta_azul.send(What.INVOICE, document())
    assert isinstance(reply, NotSent)
    assert isinstance(reply.error, Reconnect)


def test_a_plan_without_access_stops_everything_and_says_why(conta_azul: Connected) -> None:
    conta_azul.client.reading(account_status="END_TRIAL")
    with pytest.raises(Refused, match="END_TRIAL"):
        conta_azul.tool.organisation()
    reply = conta_azul.send(What.INVOICE, document())
    assert isinstance(reply, NotSent)
    assert isinstance(reply.error, Refused)


def test_a_wrong_address_is_told_from_a_record_that_is_gone(conta_azul: Connected) -> None:
    at = endpoint(conta_azul.client)
    wrong = replace(at, url=f"{at.url}/v1/v1")
    tool = connect(wrong, conta_azul.tokens, SandboxClock(conta_azul.client), requests.Session())
    with pytest.raises(Refused, match="address"):
        tool.organisation()
    reply = tool.send(What.CONTACT, tool.body([contact()]), "key")
    assert isinstance(reply, NotSent)


def test_nothing_listens_so_nothing_was_sent(conta_azul: Connected) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{free.getsockname()[1]}"
    at = replace(endpoint(conta_azul.client), url=base)
    tool = connect(at, conta_azul.tokens, SandboxClock(conta_azul.client), requests.Session())
    reply = tool.send(What.CONTACT, tool.body([contact()]), "key")
    assert isinstance(reply, NotSent)
    assert isinstance(reply.error, Unreachable)
    with pytest.raises(Unreachable):
        tool.organisation()


# -- reads --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("do", ["drop_before", "truncate", "garbage", "status:500", "status:403", "status:302"])
def test_a_read_that_fails_is_never_an_empty_read(conta_azul: Connected, do: str) -> None:
    fault(conta_azul, "GET", RECEIVABLES, do)
    with pytest.raises(ToolError):
        conta_azul.tool.find(What.INVOICE, ["Q-1"], None)


def test_without_a_word_on_how_long_it_waits_longer_each_time(conta_azul: Connected) -> None:
    conta_azul.client.reading(retry_after=False)
    conta_azul.client.control("quota", {"per_minute": 0})
    waits = []
    for _ in range(4):
        asked = SandboxClock(conta_azul.client).now()
        with pytest.raises(OutOfQuota) as raised:
            conta_azul.tool.organisation()
        assert raised.value.until is not None
        waits.append(round((raised.value.until - asked) / timedelta(seconds=1)))
        assert conta_azul.tool.quota.wait_until is not None
    assert waits == [3, 8, 15, 15]
    conta_azul.client.control("quota", {"per_minute": None})
    conta_azul.tool.organisation()
    assert conta_azul.tool.quota.wait_until is None


def rows(*numbers: int) -> list[Row]:
    return [{"id": f"{number:032x}"} for number in numbers]


def test_a_list_is_read_to_a_short_page_whatever_it_counts() -> None:
    pages = {1: rows(*range(PAGE_SIZE)), 2: rows(PAGE_SIZE, PAGE_SIZE + 1)}
    assert len(whole(lambda number: Page(pages[number], 7))) == PAGE_SIZE + 2


def test_a_row_that_slips_past_between_two_pages_is_caught_by_another_reading() -> None:
    everything = list(range(PAGE_SIZE + 2))
    readings = []

    def fetch(number: int) -> Page:
        if number == 1:
            readings.append(number)
        slipped = len(readings) == 1 and number == 2  # a row of page 1 went away: one of page 2 moved to page 1
        found = everything[(number - 1) * PAGE_SIZE + (1 if slipped else 0) : number * PAGE_SIZE]
        return Page(rows(*found), len(everything))

    assert len(whole(fetch)) == len(everything)
    assert len(readings) == 2


def test_a_list_that_never_holds_still_is_no_answer() -> None:
    seen = iter(range(10_000))
    with pytest.raises(AnswerLost, match="kept changing"):
        whole(lambda number: Page(rows(next(seen)) if number == 1 else [], 2))


@pytest.mark.parametrize("cap", [1, 100, PAGE_SIZE - 1, PAGE_SIZE])
@pytest.mark.parametrize("counts", [250, 260, None])
def test_pages_that_are_shorter_than_asked_for_hide_nothing(cap: int, counts: int | None) -> None:
    everything = rows(*range(250))

    def fetch(number: int) -> Page:
        return Page(everything[(number - 1) * cap : number * cap], counts)

    assert len(whole(fetch)) == 250


# -- pace, secrets, documents -------------------------------------------------------------------------------------


def test_calls_keep_apart() -> None:
    pace = Pace(Decimal(100))
    start = time.monotonic()
    for _ in range(6):
        pace.wait()
    assert time.monotonic() - start >= 0.05


def test_no_text_and_no_log_holds_a_token_or_a_record(conta_azul: Connected, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    new = contact()
    said = []
    for do in ("status:401", "status:403", "status:429", "status:500", "drop_after", "status:404"):
        fault(conta_azul, "*", "/v1/pessoas", do, times=2)
        said.append(repr(conta_azul.send(What.CONTACT, new)))
        conta_azul.client.control("faults", None, "DELETE")
    fault(conta_azul, "GET", "/v1/pessoas", "drop_before", times=None)
    with pytest.raises(AnswerLost) as raised:
        conta_azul.tool.find(What.CONTACT, [new.ref], None)
    said += [str(raised.value), repr(raised.value), caplog.text]
    text = " ".join(said)
    assert conta_azul.client.access_token not in text
    assert new.email not in text
    assert new.name not in text


def test_the_session_is_nobody_elses(conta_azul: Connected) -> None:
    conta_azul.tool.organisation()
    assert conta_azul.session.trust_env is False
    assert not conta_azul.session.cookies
