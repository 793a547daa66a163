"""HubSpot over its SDK: whose account it is, what an answer means, tokens, and that nothing personal is told."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.hubspot import HubSpotTool, StaticToken, connect, refresh
from connectors.hubspot.classify import batch_fate, refusal
from connectors.shared.answers import Heard
from qualy_sync.contracts.accounting import Declined, Endpoint, NotSent, RejectedWhole, Unanswered
from qualy_sync.contracts.crm import Act, Answered, Change, Done, NewContact, Reply
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Reconnect, Refused, Unreachable
from qualy_sync.outcomes import Code
from sandbox.server import Sandbox
from tests.sandbox.hubspot_client import QUALY_ID, TOKEN, HubSpotClient

NOW = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)
PORTAL = "4000001"
CONSENT = "sandbox-hubspot-refresh-token"
BATCH = "/batch/"


class Stopped:
    def now(self) -> datetime:
        return NOW


@pytest.fixture(scope="module")
def begun(sandbox: Callable[..., Sandbox]) -> HubSpotClient:
    return HubSpotClient(sandbox(payments=0, services=["hubspot"]))


@pytest.fixture
def hubspot(begun: HubSpotClient) -> Iterator[HubSpotClient]:
    """An account without contacts, with the property that carries our ref."""
    begun.reset()
    begun.control("POST", "load/hubspot", {"groups": [{"name": "qualy", "label": "Qualy"}], "properties": [QUALY_ID]})
    begun.control("DELETE", "calls/hubspot")
    yield begun
    begun.reset()


def endpoint(hubspot: HubSpotClient) -> Endpoint:
    return Endpoint(hubspot.base, {}, "sandbox-hubspot-app", "sandbox-hubspot-secret")


def tool(hubspot: HubSpotClient, token: str = TOKEN, only: str = "") -> HubSpotTool:
    return connect(endpoint(hubspot), StaticToken(token), Stopped(), "2026-09", "qualy_id", 5, only)


def create(hubspot: HubSpotTool, *emails: str, **values: str) -> Reply:
    batch = [NewContact(f"q{number}", email, values) for number, email in enumerate(emails, 1)]
    return hubspot.send(Act.CREATE, hubspot.body(Act.CREATE, batch))


def results(reply: Reply) -> dict[str, Any]:
    assert isinstance(reply, Answered), reply
    return {one.ref: one for one in reply.results}


def calls(hubspot: HubSpotClient) -> list[str]:
    return [one["path"] for one in hubspot.control("GET", "calls/hubspot")["calls"]]


# -- whose account


def test_the_account_is_asked_for_once_before_anything_else(hubspot: HubSpotClient) -> None:
    there = tool(hubspot, only=PORTAL)
    create(there, "a@mail.example")
    there.by_email(["a@mail.example"], [])
    asked = calls(hubspot)
    assert [path.endswith("/details") for path in asked] == [True, False, False]


def test_in_another_account_nothing_is_read_and_nothing_written(hubspot: HubSpotClient) -> None:
    elsewhere = tool(hubspot, only="123")
    reply = create(elsewhere, "a@mail.example")
    assert isinstance(reply, NotSent)
    assert isinstance(reply.error, Refused)
    assert PORTAL in str(reply.error)
    with pytest.raises(Refused, match="account 123"):
        elsewhere.contacts(["email"])
    assert not [path for path in calls(hubspot) if "contacts" in path]


def test_a_lost_answer_about_the_account_is_not_a_lost_write(hubspot: HubSpotClient) -> None:
    hubspot.control("POST", "faults/hubspot", [{"method": "GET", "path": "/account-info", "do": "drop_after"}])
    reply = create(tool(hubspot, only=PORTAL), "a@mail.example")
    assert isinstance(reply, NotSent)
    assert isinstance(reply.error, Unreachable)
    assert hubspot.state()["contacts"] == []


# -- batches


def test_each_result_finds_its_record_and_refusals_name_properties_and_nobody(hubspot: HubSpotClient) -> None:
    there = tool(hubspot)
    create(there, "taken@mail.example")
    batch = [
        NewContact("n1", "new@mail.example", {"firstname": "N"}),
        NewContact("n2", "taken@mail.example", {"firstname": "T"}),
        NewContact("n3", "no address", {"firstname": "Wrong"}),
    ]
    found = results(there.send(Act.CREATE, there.body(Act.CREATE, batch)))
    assert isinstance(found["n1"], Done)
    assert found["n1"].contact.email == "new@mail.example"
    assert found["n2"].code is Code.DUPLICATE_THERE
    assert found["n3"] == Declined("n3", Code.INVALID, "email: INVALID_EMAIL")


def test_one_contact_twice_in_a_batch_refuses_the_whole_of_it(hubspot: HubSpotClient) -> None:
    there = tool(hubspot)
    contact = results(create(there, "a@mail.example"))["q1"].contact.id
    twice = [Change(ref, contact, "a@mail.example", {"firstname": ref}) for ref in ("one", "two")]
    reply = there.send(Act.UPDATE, there.body(Act.UPDATE, twice))
    assert isinstance(reply, RejectedWhole)
    assert "mail.example" not in reply.message
    assert there.by_id([contact], ["firstname"])[0].values["firstname"] == ""


def test_a_contact_that_was_merged_away_is_missing_from_the_answer(hubspot: HubSpotClient) -> None:
    there = tool(hubspot)
    made = results(create(there, "a@mail.example", "b@mail.example"))
    ids = {ref: one.contact.id for ref, one in made.items()}
    hubspot.ui("merge_contacts", **{"into": ids["q1"], "from": ids["q2"]})
    changes = [Change("q2", ids["q2"], "b@mail.example", {"firstname": "B"})]
    assert results(there.send(Act.UPDATE, there.body(Act.UPDATE, changes))) == {}
    (one,) = there.by_id([ids["q2"]], [])
    assert ids["q2"] in one.was


@pytest.mark.parametrize("do", ["drop_after", "status:500", "status_after:502", "garbage", "truncate"])
def test_a_write_without_an_answer_says_so(hubspot: HubSpotClient, do: str) -> None:
    hubspot.control("POST", "faults/hubspot", [{"method": "POST", "path": "/", "do": do}])
    assert isinstance(create(tool(hubspot), "a@mail.example"), Unanswered)


def test_no_line_and_a_wrong_token_are_no_write(hubspot: HubSpotClient) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = replace(endpoint(hubspot), url=f"http://127.0.0.1:{free.getsockname()[1]}")
    gone = connect(closed, StaticToken(TOKEN), Stopped(), "2026-09", "qualy_id", 5)
    for there, kind in ((gone, Unreachable), (tool(hubspot, "pat-unknown"), Reconnect)):
        reply = create(there, "a@mail.example")
        assert isinstance(reply, NotSent)
        assert isinstance(reply.error, kind)


# -- limits


@pytest.mark.parametrize(
    ("status", "body", "limit", "wait"),
    [
        (429, {"policyName": "TEN_SECONDLY_ROLLING", "errorType": "RATE_LIMIT"}, "ten-second", timedelta(seconds=10)),
        (429, {"message": "You have reached your secondly limit."}, "search", timedelta(seconds=1)),
        (429, {"policyName": "DAILY"}, "daily", timedelta(hours=10, minutes=1)),  # midnight in Berlin, UTC+2 in July
        (423, {}, "record lock", timedelta(seconds=2)),
        (477, {}, "account migration", timedelta(hours=1)),
    ],
)  # fmt: skip
def test_each_limit_has_its_own_wait(status: int, body: dict[str, str], limit: str, wait: timedelta) -> None:
    found = refusal(Heard(status, {}, json.dumps(body).encode()), "read", NOW, ZoneInfo("Europe/Berlin"))
    assert isinstance(found, OutOfQuota)
    assert (found.limit, found.until) == (limit, NOW + wait)
    for said in ("7", format_datetime(NOW + timedelta(seconds=7))):
        asked = refusal(Heard(status, {"retry-after": said}, json.dumps(body).encode()), "read", NOW)
        assert isinstance(asked, OutOfQuota)
        assert asked.until == NOW + timedelta(seconds=7)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"category":"VALIDATION_ERROR"}', RejectedWhole),
        (400, b"<html>", Unanswered),
        (409, b'{"category":"CONFLICT"}', RejectedWhole),
        (413, b"", RejectedWhole),
        (403, b'{"category":"MISSING_SCOPES"}', NotSent),
        (404, b"", NotSent),
        (502, b"<html>", Unanswered),
        (200, b"<html>", Unanswered),
        (200, b'{"results":null}', Unanswered),
        (301, b"", Unanswered),
    ],
)
def test_only_a_readable_refusal_concludes_anything(status: int, body: bytes, kind: type[Any]) -> None:
    assert isinstance(batch_fate(Heard(status, {}, body), "contacts create", NOW), kind)


# -- tokens


def test_a_consent_gives_tokens_for_half_an_hour(hubspot: HubSpotClient) -> None:
    given = refresh(endpoint(hubspot), CONSENT, "2026-09", clock=Stopped())
    assert given.expires_at == NOW + timedelta(minutes=30)
    assert given.refresh_token == CONSENT
    assert given.access_token not in repr(given)
    assert results(create(tool(hubspot, given.access_token), "a@mail.example"))


def test_a_dead_consent_a_wrong_app_and_a_dead_line_have_different_remedies(hubspot: HubSpotClient) -> None:
    with pytest.raises(Reconnect, match="bin/qualy connect hubspot") as raised:
        refresh(endpoint(hubspot), "never-issued", "2026-09")
    assert "never-issued" not in str(raised.value)
    with pytest.raises(Refused, match=r"client id \(login\)"):
        refresh(replace(endpoint(hubspot), password="wrong"), CONSENT, "2026-09")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = replace(endpoint(hubspot), url=f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(Unreachable):
        refresh(closed, CONSENT, "2026-09")
    with pytest.raises(Refused):
        refresh(replace(endpoint(hubspot), url="https://tokens.example.com"), CONSENT, "2026-09")


@pytest.mark.parametrize("do", ["drop_before", "garbage", "truncate", "status:500", "status_after:502"])
def test_an_answer_of_the_token_service_that_cannot_be_read_is_lost(hubspot: HubSpotClient, do: str) -> None:
    hubspot.control("POST", "faults/hubspot", [{"method": "POST", "path": "/oauth", "do": do}])
    with pytest.raises(AnswerLost):
        refresh(endpoint(hubspot), CONSENT, "2026-09")


def test_a_token_that_no_header_can_hold_is_told_without_showing_it(hubspot: HubSpotClient) -> None:
    reply = create(tool(hubspot, "pat-sécret"), "a@mail.example")
    assert isinstance(reply, NotSent)
    assert "cannot be sent" in str(reply.error)
    assert "sécret" not in str(reply.error)
