"""How HubSpot's stand-in answers over HTTP: tokens, scopes, versions of paths, limits, and what goes wrong."""

from __future__ import annotations

import httpx
import pytest
from hubspot import HubSpot
from hubspot.crm.contacts.exceptions import (
    ApiException,
    ForbiddenException,
    NotFoundException,
    ServiceException,
    UnauthorizedException,
)
from urllib3.exceptions import ProtocolError

from sandbox.server import Sandbox
from tests.sandbox.hubspot_client import CONTACTS, NORMAL, TOKEN, WEB, HubSpotClient

REFRESH = {
    "grant_type": "refresh_token",
    "refresh_token": "sandbox-hubspot-refresh-token",
    "client_id": "sandbox-hubspot-app",
    "client_secret": "sandbox-hubspot-secret",
}


def test_each_call_has_its_own_status(hubspot: HubSpotClient) -> None:
    created = hubspot.http("POST", CONTACTS, {"properties": {"email": "a@mail.example"}})
    other = hubspot.create("b@mail.example")
    batched = hubspot.http("POST", f"{CONTACTS}/batch/create", {"inputs": [{"properties": {"firstname": "C"}}]})
    merged = hubspot.http(
        "POST", f"{CONTACTS}/merge", {"primaryObjectId": created.json()["id"], "objectIdToMerge": other}
    )
    third = batched.json()["results"][0]["id"]
    assert (created.status_code, batched.status_code, merged.status_code) == (201, 201, 200)
    assert hubspot.http("PATCH", f"{CONTACTS}/{third}", {"properties": {"firstname": "D"}}).status_code == 200
    gone = hubspot.http("DELETE", f"{CONTACTS}/{third}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert hubspot.http("POST", f"{CONTACTS}/batch/archive", {"inputs": [{"id": third}]}).status_code == 204
    forgotten = hubspot.http("POST", f"{CONTACTS}/gdpr-delete", {"objectId": merged.json()["id"]})
    assert (forgotten.status_code, forgotten.content) == (204, b"")


def test_answers_name_their_kind_and_can_be_correlated(hubspot: HubSpotClient) -> None:
    good = hubspot.http("GET", CONTACTS)
    assert good.headers["content-type"] == "application/json;charset=utf-8"
    assert good.headers["x-hubspot-correlation-id"]
    bad = hubspot.http("GET", f"{CONTACTS}/1")
    assert bad.headers["x-hubspot-correlation-id"] == bad.json()["correlationId"]
    assert (bad.json()["status"], bad.json()["category"]) == ("error", "OBJECT_NOT_FOUND")


def test_lists_and_truths_are_taken_in_every_spelling(hubspot: HubSpotClient) -> None:
    contact = hubspot.create("plus+tag@mail.example", firstname="Ana")
    repeated = hubspot.http("GET", f"{CONTACTS}/{contact}", params=[("properties", "email"), ("properties", "phone")])
    commas = hubspot.http("GET", f"{CONTACTS}/{contact}", params={"properties": "email,phone"})
    assert repeated.json() == commas.json()
    by_email = hubspot.basic.get_by_id("plus+tag@mail.example", id_property="email", archived=False)
    assert by_email.id == contact
    for path in ("/crm/v3/owners", "/crm/v3/owners/", "/crm/owners/2026-03", "/crm/owners/2026-09/"):
        for spelled in ("True", "true"):
            found = hubspot.http("GET", path, params={"archived": spelled}).json()["results"]
            assert [one["email"] for one in found] == ["greta@agency.example"]


def test_dated_paths_answer_as_the_numbered_ones_and_add_a_link(hubspot: HubSpotClient) -> None:
    contact = hubspot.create("a@mail.example")
    numbered = hubspot.http("GET", f"{CONTACTS}/{contact}").json()
    for version in ("2026-03", "2026-09"):
        dated = hubspot.http("GET", f"/crm/objects/{version}/contacts/{contact}").json()
        assert dated.pop("url").endswith(f"/0-1/{contact}")
        assert dated == numbered
        assert hubspot.http("GET", f"/crm/properties/{version}/contacts/email").status_code == 200
    assert hubspot.http("GET", f"/crm/objects/2020-01/contacts/{contact}").status_code == 404
    hubspot.readings(numbered_versions=False)
    assert hubspot.http("GET", f"{CONTACTS}/{contact}").status_code == 404
    assert hubspot.http("GET", f"/crm/objects/2026-09/contacts/{contact}").status_code == 200


def test_a_token_that_is_missing_wrong_or_withdrawn_is_refused(hubspot: HubSpotClient) -> None:
    for token in ("", "pat-wrong"):
        refused = hubspot.http("GET", CONTACTS, token=token)
        assert (refused.status_code, refused.json()["category"]) == (401, "INVALID_AUTHENTICATION")
    assert hubspot.http("GET", CONTACTS, token="pat-sandbox-service-key").status_code == 200
    hubspot.control("POST", "revoke/hubspot", {"token": TOKEN})
    with pytest.raises(UnauthorizedException):
        hubspot.basic.get_page()
    hubspot.control("POST", "revoke/hubspot", {})
    hubspot.basic.get_page()


def test_an_oauth_token_lasts_half_an_hour_or_less(hubspot: HubSpotClient) -> None:
    issued = hubspot.sdk.oauth.tokens_api.create(**REFRESH)
    assert (issued.expires_in, issued.token_type) == (1800, "bearer")
    assert hubspot.sdk.oauth.access_tokens_api.get(issued.access_token).hub_id == 4_000_001
    page = hubspot.http("GET", CONTACTS, token=issued.access_token)
    assert page.status_code == 200
    assert "x-hubspot-ratelimit-max" in page.headers
    assert "x-hubspot-ratelimit-daily" not in page.headers
    hubspot.later(1801)
    late = hubspot.http("GET", CONTACTS, token=issued.access_token)
    assert (late.status_code, late.json()["category"]) == (401, "EXPIRED_AUTHENTICATION")
    again = hubspot.sdk.oauth.tokens_api.create(**REFRESH).access_token
    assert hubspot.http("GET", CONTACTS, token=again).status_code == 200
    hubspot.control("POST", "expire/hubspot", {})
    assert hubspot.http("GET", CONTACTS, token=again).status_code == 401


def test_consent_gives_a_code_that_buys_tokens_once(hubspot: HubSpotClient) -> None:
    redirect = "http://localhost:8765/callback"
    code = hubspot.control("POST", "consent/hubspot", {"redirect_uri": redirect})["code"]
    form = REFRESH | {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
    del form["refresh_token"]
    bought = WEB.post(f"{hubspot.base}/oauth/2026-09/token", data=form)
    assert bought.json()["refresh_token"] == REFRESH["refresh_token"]
    assert WEB.post(f"{hubspot.base}/oauth/v1/token", data=form).json()["status"] == "BAD_AUTH_CODE"
    wrong = WEB.post(f"{hubspot.base}/oauth/v1/token", data=REFRESH | {"client_secret": "x"})
    assert wrong.status_code == 400


def test_a_missing_scope_is_named(hubspot: HubSpotClient) -> None:
    hubspot.control("POST", "scopes/hubspot", {"scopes": ["crm.objects.contacts.read"]})
    try:
        hubspot.basic.get_page()
        with pytest.raises(ForbiddenException) as refused:
            hubspot.create("a@mail.example")
        assert "MISSING_SCOPES" in refused.value.body
        assert "crm.objects.contacts.write" in refused.value.body
        assert hubspot.http("POST", "/crm/v3/properties/contacts/groups", {}).status_code == 403
        assert hubspot.http("GET", "/crm/v3/owners").status_code == 403
    finally:
        everything = ["oauth", *(f"crm.objects.contacts.{verb}" for verb in ("read", "write"))]
        everything += [*(f"crm.schemas.contacts.{verb}" for verb in ("read", "write")), "crm.objects.owners.read"]
        hubspot.control("POST", "scopes/hubspot", {"scopes": everything})
    assert hubspot.http("GET", "/crm/v3/owners").status_code == 200


def test_the_window_of_ten_seconds_is_each_tokens_own(hubspot: HubSpotClient) -> None:
    hubspot.later(10)
    hubspot.control("POST", "quota/hubspot", NORMAL | {"ten_seconds": 3})
    said = [hubspot.http("GET", CONTACTS).headers["x-hubspot-ratelimit-remaining"] for _ in range(3)]
    assert said == ["2", "1", "0"]
    over = hubspot.http("GET", CONTACTS)
    assert over.status_code == 429
    assert over.json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert over.json()["errorType"] == "RATE_LIMIT"
    assert "retry-after" not in over.headers
    assert hubspot.http("GET", CONTACTS, token="pat-sandbox-service-key").status_code == 200
    hubspot.readings(retry_after=10)
    assert hubspot.http("GET", CONTACTS).headers["retry-after"] == "10"
    hubspot.later(10)
    assert hubspot.http("GET", CONTACTS).status_code == 200


def test_searches_are_counted_for_the_account_and_say_nothing_of_the_window(hubspot: HubSpotClient) -> None:
    hubspot.later(10)
    hubspot.control("POST", "quota/hubspot", {"search_per_second": 2})
    first = hubspot.http("POST", f"{CONTACTS}/search", {})
    assert "x-hubspot-ratelimit-remaining" not in first.headers
    assert "x-hubspot-ratelimit-daily-remaining" in first.headers
    hubspot.control("POST", "quota/hubspot", {"search_per_second": 0})
    over = hubspot.http("POST", f"{CONTACTS}/search", {}, token="pat-sandbox-service-key")
    assert over.status_code == 429
    assert over.json()["category"] == "RATE_LIMITS"
    assert "policyName" not in over.json()
    assert hubspot.http("GET", CONTACTS).status_code == 200


def test_the_day_ends_at_midnight_where_the_account_is(hubspot: HubSpotClient) -> None:
    hubspot.control("POST", "clock", {"now": "2026-08-20T13:50:00Z"})  # ten to midnight in Sydney
    left = int(hubspot.http("GET", CONTACTS).headers["x-hubspot-ratelimit-daily-remaining"])
    used = 1_000_000 - left
    hubspot.control("POST", "quota/hubspot", {"daily": used + 1})
    assert hubspot.http("GET", CONTACTS).status_code == 200
    over = hubspot.http("GET", CONTACTS)
    assert (over.status_code, over.json()["policyName"]) == (429, "DAILY")
    hubspot.later(601)
    assert hubspot.http("GET", CONTACTS).status_code == 200


@pytest.mark.parametrize(
    ("status", "kind"), [(423, "json"), (477, "json"), (429, "json"), (502, "html"), (504, "html")]
)
def test_refusals_asked_for_look_like_hubspots(hubspot: HubSpotClient, status: int, kind: str) -> None:
    hubspot.control("POST", "faults/hubspot", {"do": f"status:{status}", "times": 2})
    answer = hubspot.http("GET", CONTACTS)
    assert answer.status_code == status
    assert kind in answer.headers["content-type"]
    assert answer.headers.get("retry-after") == ("60" if status == 477 else None)
    with pytest.raises(ServiceException if status >= 500 else ApiException) as refused:
        hubspot.basic.get_page()
    assert refused.value.status == status


def test_a_create_whose_answer_is_lost_is_done_all_the_same(hubspot: HubSpotClient) -> None:
    hubspot.control("POST", "faults/hubspot", {"method": "POST", "do": "drop_after"})
    with pytest.raises(ProtocolError):
        hubspot.create("a@mail.example")
    assert [one["properties"]["email"] for one in hubspot.state()["contacts"]] == ["a@mail.example"]
    with pytest.raises(ApiException, match="CONFLICT"):
        hubspot.create("a@mail.example")


def test_half_a_batch_can_be_done_before_the_connection_breaks(hubspot: HubSpotClient) -> None:
    hubspot.control("POST", "faults/hubspot", {"method": "POST", "do": "partial_after:2"})
    inputs = [{"properties": {"email": f"{n}@mail.example"}} for n in range(5)]
    with pytest.raises(httpx.RemoteProtocolError):
        hubspot.http("POST", f"{CONTACTS}/batch/create", {"inputs": inputs})
    assert len(hubspot.state()["contacts"]) == 2


def test_what_is_no_json_or_no_endpoint_is_refused(hubspot: HubSpotClient) -> None:
    assert hubspot.http("POST", CONTACTS, b"{").status_code == 400
    assert hubspot.http("POST", CONTACTS, b"[]").status_code == 400
    assert hubspot.http("GET", "/crm/v3/objects/deals").status_code == 404
    assert hubspot.http("GET", CONTACTS, params={"properties": "a" * 20_000}).status_code == 414
    with pytest.raises(NotFoundException):
        hubspot.basic.get_by_id("no-number")


def test_the_sdks_plain_requests_come_here_too(hubspot: HubSpotClient) -> None:
    client = HubSpot(access_token=TOKEN, host=hubspot.base, base_url=hubspot.base)
    answer = client.api_request({"method": "GET", "path": "/crm/owners/2026-09"})
    assert len(answer.json()["results"]) == 4


def test_a_state_file_keeps_the_account(tmp_path_factory: pytest.TempPathFactory) -> None:
    state = tmp_path_factory.mktemp("hubspot") / "state.db"
    with Sandbox.start(payments=20, services=["hubspot"], state=state) as sandbox:
        first = HubSpotClient(sandbox)
        first.custom()
        first.create("kept@mail.example", qualy_id="6a10")
        before = first.state()
    with Sandbox.start(services=["hubspot"], state=state) as sandbox:
        again = HubSpotClient(sandbox)
        assert {**again.state(), "contacts": 0} == {**before, "contacts": 0}
        assert again.basic.get_by_id("6a10", id_property="qualy_id", properties=["email"]).properties["email"]
