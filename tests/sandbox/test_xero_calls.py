"""What happens to a whole call: batches, idempotency keys, limits, faults, bodies that are none."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xero_python.exceptions import AccountingBadRequestException
from xero_python.exceptions.http_status_exceptions import RateLimitException

from sandbox.app import load_services
from sandbox.world import Wishes, make_world
from sandbox.xero.stand_in import XeroStandIn
from tests.sandbox.xero_client import TODAY, WEB, XeroClient, invoice_body, line, messages, payment_body, xero_sandbox


def numbers(xero: XeroClient) -> list[str]:
    return [one["InvoiceNumber"] for one in xero.state()["Invoices"]]


def fault(xero: XeroClient, do: str, **where: Any) -> None:
    xero.plain_control("faults/xero", [{"method": "*", "path": "/api.xro/2.0/", "do": do} | where])


def test_without_summarize_errors_false_a_400_hides_what_was_created(xero: XeroClient) -> None:
    contact = xero.contact()
    bodies = [
        invoice_body(contact, "T-1"),
        invoice_body(contact, "T-2", CurrencyCode="CAD"),
        invoice_body(contact, "T-3"),
    ]
    with pytest.raises(AccountingBadRequestException) as caught:
        xero.api.create_invoices(xero.tenant, invoices={"Invoices": bodies})
    assert caught.value.reason == "Organisation is not subscribed to currency CAD"
    assert caught.value.error_data["ErrorNumber"] == 10
    assert caught.value.error_data["Message"] == "A validation exception occurred"
    assert [one["InvoiceNumber"] for one in caught.value.error_data["Elements"]] == ["T-2"]
    assert numbers(xero) == ["T-1", "T-3"]


def test_with_summarize_errors_false_every_element_answers_for_itself(xero: XeroClient) -> None:
    contact = xero.contact()
    bodies = [invoice_body(contact, "T-1"), invoice_body(contact, "T-2", CurrencyCode="CAD")]
    made = xero.api.create_invoices(xero.tenant, invoices={"Invoices": bodies}, summarize_errors=False).invoices
    assert [(one.invoice_number, one.status_attribute_string, one.has_errors) for one in made] == [
        ("T-1", "OK", False),
        ("T-2", "ERROR", True),
    ]
    assert made[1].validation_errors[0].message == "Organisation is not subscribed to currency CAD"


def test_a_bare_object_and_a_bare_list_are_taken_too(xero: XeroClient) -> None:
    assert xero.http("PUT", "/Contacts", {"Name": "One"}).status_code == 200
    assert xero.http("PUT", "/Contacts", [{"Name": "Two"}, {"Name": "Three"}]).status_code == 200
    assert len(xero.state()["Contacts"]) == 3


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{not json", "PostDataInvalidException"),
        (b'{"Contacts":[{"Name":NaN}]}', "PostDataInvalidException"),
        (b'{"Contacts":[]}', "NoDataProcessedException"),
        (b"[1,2]", "NoDataProcessedException"),
    ],
)
def test_a_body_that_is_none_is_a_400_without_elements(xero: XeroClient, body: bytes, kind: str) -> None:
    answer = xero.http("PUT", "/Contacts", body)
    assert (answer.status_code, answer.json()["Type"]) == (400, kind)


def test_what_is_not_there_is_404_in_plain_text(xero: XeroClient) -> None:
    for method, path in (("GET", "/Nothing"), ("GET", "/Invoices/none"), ("DELETE", "/Invoices"), ("PUT", "/Accounts")):
        answer = xero.http(method, path)
        assert (answer.status_code, answer.text) == (404, "The resource you're looking for cannot be found")
        assert answer.headers["content-type"].startswith("text/plain")


def test_a_body_above_the_limit_is_refused(xero: XeroClient) -> None:
    assert xero.http("PUT", "/Contacts", b" " * 3_600_000).status_code == 413


def test_the_envelope_is_xeros_and_never_holds_null(xero: XeroClient) -> None:
    answer = xero.http("PUT", "/Contacts", {"Name": "Ana", "FirstName": None})
    assert list(answer.json()) == ["Id", "Status", "ProviderName", "DateTimeUTC", "Contacts"]
    assert "null" not in answer.text
    assert answer.headers["Xero-Correlation-Id"]


def test_a_key_repeats_the_first_answer_for_six_minutes(xero: XeroClient) -> None:
    invoice = xero.invoice(xero.contact())
    body = {"Payments": [payment_body(invoice, 10)]}
    first = xero.http("PUT", "/Payments", body, key="k-1")
    xero.clock(5 * 60)
    assert xero.http("PUT", "/Payments", body, key="k-1").content == first.content
    assert len(xero.state()["Payments"]) == 1
    xero.clock(61)
    assert xero.http("PUT", "/Payments", body, key="k-1").status_code == 200
    assert len(xero.state()["Payments"]) == 2


def test_a_key_repeats_a_refusal_even_when_its_cause_is_gone(xero: XeroClient) -> None:
    contact = xero.contact()
    xero.control("lock-date", {"period": "2026-07-31", "year_end": None})
    body = {"Invoices": [invoice_body(contact, "T-1")]}
    first = xero.http("PUT", "/Invoices", body, key="k-2")
    xero.control("lock-date", {"period": None, "year_end": None})
    again = xero.http("PUT", "/Invoices", body, key="k-2")
    assert (again.status_code, again.content) == (400, first.content)
    assert xero.http("PUT", "/Invoices", body, key="k-3").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "name"), [("PUT", "/Contacts", "B"), ("POST", "/Contacts", "A"), ("PUT", "/Items", "A")]
)
def test_a_key_with_another_request_is_refused(xero: XeroClient, method: str, path: str, name: str) -> None:
    key = f"k-{method}{path[1:]}{name}"
    assert xero.http("PUT", "/Contacts", {"Name": "A"}, key=key).status_code == 200
    other = xero.http(method, path, {"Name": name}, key=key)
    assert other.status_code == 400
    assert other.json()["Message"] == f"Idempotency Key: {key} is used with a different request."


def test_keys_are_at_most_128_characters_and_ignored_on_reads(xero: XeroClient) -> None:
    assert xero.http("PUT", "/Contacts", {"Name": "A"}, key="k" * 129).status_code == 400
    assert xero.state()["Contacts"] == []
    assert xero.http("GET", "/Contacts", key="r-1").json()["Contacts"] == []
    xero.contact()
    assert len(xero.http("GET", "/Contacts", key="r-1").json()["Contacts"]) == 1


def test_the_minute_limit_counts_down_and_names_itself(xero: XeroClient) -> None:
    xero.clock(120)
    xero.control("quota", {"minute": 3})
    left = [xero.http("GET", "/Currencies").headers["X-MinLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    with pytest.raises(RateLimitException) as caught:
        xero.api.get_currencies(xero.tenant)
    assert caught.value.rate_limit == "minute"
    wait = int(caught.value.headers["Retry-After"])
    assert 1 <= wait <= 60
    xero.clock(wait)
    assert xero.http("GET", "/Currencies").status_code == 200


def test_the_day_limit_of_the_starter_tier_is_1000(xero: XeroClient) -> None:
    xero.clock(2 * 86_400)
    xero.use(xero.token(grant_type="client_credentials").json())
    assert xero.control("quota", {"tier": "starter"})["limits"]["day"] == 1000
    assert xero.http("GET", "/Currencies").headers["X-DayLimit-Remaining"] == "999"
    xero.control("quota", {"day": 1})
    limited = xero.http("GET", "/Currencies")
    assert (limited.status_code, limited.headers["X-Rate-Limit-Problem"]) == (429, "day")
    assert int(limited.headers["Retry-After"]) > 60


def test_a_limit_is_decided_before_the_key_and_nothing_is_written(xero: XeroClient) -> None:
    xero.clock(120)
    assert xero.http("PUT", "/Contacts", {"Name": "A"}, key="q-1").status_code == 200
    xero.control("quota", {"minute": 1})
    assert xero.http("PUT", "/Contacts", {"Name": "A"}, key="q-1").status_code == 429
    assert xero.http("PUT", "/Contacts", {"Name": "B"}, key="q-2").status_code == 429
    xero.control("quota", {"minute": 1000})
    assert xero.http("PUT", "/Contacts", {"Name": "B"}, key="q-2").status_code == 200


def test_an_unknown_limit_is_named_with_the_known_ones(xero: XeroClient) -> None:
    answer = WEB.post(f"{xero.sandbox.url}/control/quota/xero", json={"hour": 5})
    assert answer.status_code == 400
    assert "minute" in answer.text


class InProcess:
    """The service called directly, so that a test decides when each answer is taken."""

    def __init__(self) -> None:
        world, _ = make_world(Wishes(today=TODAY, payments=0), None)
        service = load_services(world, ["xero"])["xero"]
        assert isinstance(service, XeroStandIn)
        self.service, self.app = service, service.app()
        token = service.tokens.client_credentials(("accounting.contacts", "accounting.settings"))["access_token"]
        self.headers = [(b"authorization", f"Bearer {token}".encode()), (b"host", b"127.0.0.1")]

    async def call(
        self, method: str, path: str, body: bytes = b"", key: str = "", gate: asyncio.Event | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        headers = [*self.headers, *([(b"idempotency-key", key.encode())] if key else [])]
        full = f"/xero/api.xro/2.0{path}"
        scope = {"type": "http", "method": method, "path": full, "root_path": "/xero", "query_string": b""}
        scope |= {"headers": headers, "server": ("127.0.0.1", 80), "scheme": "http", "raw_path": full.encode()}
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if gate is not None:
                await gate.wait()
            sent.append(message)

        await self.app(scope, receive, send)  # type: ignore[arg-type]
        found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], found, b"".join(part.get("body", b"") for part in sent[1:])


def test_the_sixth_call_at_once_is_refused_without_retry_after() -> None:
    async def story() -> tuple[list[int], tuple[int, dict[str, str], bytes], int]:
        direct, gate = InProcess(), asyncio.Event()
        five = [asyncio.create_task(direct.call("GET", "/Currencies", gate=gate)) for _ in range(5)]
        for _ in range(3):
            await asyncio.sleep(0)
        sixth = await direct.call("GET", "/Currencies")
        gate.set()
        statuses = [status for status, _, _ in await asyncio.gather(*five)]
        after, _, _ = await direct.call("GET", "/Currencies")
        return statuses, sixth, after

    statuses, sixth, after = asyncio.run(story())
    assert statuses == [200] * 5
    assert (sixth[0], sixth[1]["x-rate-limit-problem"]) == (429, "concurrent")
    assert "retry-after" not in sixth[1]
    assert after == 200


def test_a_parallel_repeat_waits_and_gets_the_first_answer() -> None:
    async def story() -> tuple[set[bytes], int]:
        direct = InProcess()
        body = json.dumps({"Name": "Only Once"}).encode()
        calls = [direct.call("PUT", "/Contacts", body, key="same") for _ in range(4)]
        answers = await asyncio.gather(*calls)
        names = [one["Name"] for one in direct.service.state()["Contacts"]]
        return {answer for _, _, answer in answers}, names.count("Only Once")

    answers, made = asyncio.run(story())
    assert (len(answers), made) == (1, 1)


def test_an_answer_that_breaks_off_leaves_what_was_done_and_a_500_under_the_key(xero: XeroClient) -> None:
    contact = xero.contact()
    fault(xero, "partial_after:2", method="PUT")
    body = {"Invoices": [invoice_body(contact, f"T-{number}") for number in range(5)]}
    with pytest.raises(Exception, match=r"disconnected|closed|reset"):
        xero.http("PUT", "/Invoices", body, key="lost")
    assert numbers(xero) == ["T-0", "T-1"]
    assert xero.http("PUT", "/Invoices", body, key="lost").status_code == 500
    assert numbers(xero) == ["T-0", "T-1"]


def test_a_lost_answer_is_found_again_with_the_same_key(xero: XeroClient) -> None:
    invoice = xero.invoice(xero.contact())
    fault(xero, "drop_after", method="PUT")
    body = {"Payments": [payment_body(invoice, 10)]}
    with pytest.raises(Exception, match=r"disconnected|closed|reset"):
        xero.http("PUT", "/Payments", body, key="once")
    assert xero.http("PUT", "/Payments", body, key="once").status_code == 200
    assert len(xero.state()["Payments"]) == 1


def test_statuses_that_are_asked_for_speak_as_xero_does(xero: XeroClient) -> None:
    def asked(do: str) -> httpx.Response:
        fault(xero, do, method="PUT")
        return xero.http("PUT", "/Contacts", {"Contacts": [{"Name": "Ana"}]})

    assert [asked(f"status:{status}").json()["Title"] for status in (401, 403)] == ["Unauthorized", "Forbidden"]
    assert asked("status:404").text == "The resource you're looking for cannot be found"
    limited = asked("status:429")
    assert (limited.headers["X-Rate-Limit-Problem"], limited.headers["Retry-After"]) == ("minute", "1")
    assert asked("status:503").json()["Status"] == 503
    assert "<h1>400</h1>" in asked("page:400").text
    assert xero.read("/Contacts", where='Name=="Ana"')["Contacts"] == []


def test_stale_reads_show_the_books_as_they_were(xero: XeroClient) -> None:
    contact = xero.contact("Old Name")
    xero.clock(120)
    xero.write("POST", "Contacts", {"ContactID": contact["ContactID"], "Name": "New Name"})
    xero.contact("Newcomer")
    fault(xero, "stale_reads:60", method="GET")
    assert [one["Name"] for one in xero.read("/Contacts", page=1)["Contacts"]] == ["Old Name"]
    assert {one["Name"] for one in xero.read("/Contacts", page=1)["Contacts"]} == {"New Name", "Newcomer"}


def test_a_missing_control_action_is_named_with_the_known_ones(xero: XeroClient) -> None:
    answer = WEB.post(f"{xero.sandbox.url}/control/ui/xero", json={"do": "dance"})
    assert answer.status_code == 400
    assert "void_invoice" in answer.text


def test_a_person_can_void_pay_and_take_back_in_the_screens(xero: XeroClient) -> None:
    invoice = xero.invoice(xero.contact())
    payment = xero.control("ui", {"do": "pay_invoice", "invoice": "T-1", "amount": 40, "reference": "by hand"})
    assert payment["Reference"] == "by hand"
    refused = WEB.post(f"{xero.sandbox.url}/control/ui/xero", json={"do": "void_invoice", "invoice": "T-1"})
    assert "cannot be applied" in refused.text
    xero.control("ui", {"do": "delete_payment", "payment": payment["PaymentID"]})
    assert (
        xero.control("ui", {"do": "edit_invoice", "invoice": "T-1", "fields": {"Reference": "x"}})["Reference"] == "x"
    )
    assert xero.control("ui", {"do": "void_invoice", "invoice": invoice["InvoiceID"]})["Status"] == "VOIDED"


def test_messages_come_only_with_refusals(xero: XeroClient) -> None:
    assert messages(xero.contact()) == []


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner))
FIELDS = [
    "Type",
    "Status",
    "Contact",
    "ContactID",
    "InvoiceID",
    "InvoiceNumber",
    "Reference",
    "Date",
    "DueDate",
    "LineItems",
    "CurrencyCode",
    "CurrencyRate",
    "LineAmountTypes",
    "Url",
    "SentToContact",
    "BrandingThemeID",
    "RoundingAmount",
    "Name",
    "EmailAddress",
    "ContactNumber",
    "ContactStatus",
    "Addresses",
    "Phones",
    "ContactPersons",
    "Invoice",
    "CreditNote",
    "Account",
    "Amount",
    "BankAmount",
    "Payments",
    "Code",
    "DefaultCurrency",
]
LINE_FIELDS = [
    "Description",
    "Quantity",
    "UnitAmount",
    "LineAmount",
    "TaxAmount",
    "TaxType",
    "AccountCode",
    "Tracking",
    "ItemCode",
    "LineItemID",
]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    collection=st.sampled_from(["Invoices", "Contacts", "Payments", "CreditNotes", "BatchPayments", "Items"]),
    method=st.sampled_from(["PUT", "POST"]),
    fields=st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3),
    line_fields=st.dictionaries(st.sampled_from(LINE_FIELDS), VALUES, max_size=2),
)
def test_whatever_is_sent_the_answer_is_xeros_and_never_a_500(
    xero: XeroClient, collection: str, method: str, fields: dict[str, Any], line_fields: dict[str, Any]
) -> None:
    kind = {"Invoices": "ACCREC", "CreditNotes": "ACCRECCREDIT"}.get(collection, "")
    whole = invoice_body(
        {"ContactID": ""}, "", Contact={"Name": "Ana"}, Type=kind, LineItems=[line(**line_fields)], InvoiceNumber=None
    )
    answer = xero.http(method, f"/{collection}", {collection: [whole | {"Name": "Ana"} | fields]})
    assert answer.status_code in (200, 400), answer.text
    assert "null" not in answer.text or "null" in json.dumps([fields, line_fields])


@pytest.mark.parametrize(("key", "payments"), [("postponed", 1), (None, 2)])
def test_a_commit_that_comes_late_is_a_second_payment_unless_a_key_guards_it(
    xero: XeroClient, key: str | None, payments: int
) -> None:
    invoice = xero.invoice(xero.contact())
    fault(xero, "drop_then_commit:200", method="PUT")
    body = {"Payments": [payment_body(invoice, 10)]}
    with pytest.raises(Exception, match=r"disconnected|closed|reset"):
        xero.http("PUT", "/Payments", body, key=key)
    assert xero.http("PUT", "/Payments", body, key=key).status_code == 200
    xero.clock(201)
    assert len(xero.state()["Payments"]) == payments


def test_a_state_file_keeps_books_tokens_and_remembered_answers(tmp_path: Path) -> None:
    with xero_sandbox(state=tmp_path / "state") as first:
        made = first.http("PUT", "/Contacts", {"Name": "Kept"}, key="kept")
        tenant, token = first.tenant, first.tokens["access_token"]
        held = first.state()
    with xero_sandbox(state=tmp_path / "state") as again:
        assert again.tenant == tenant
        assert again.state() == held
        again.tokens["access_token"] = token
        assert again.http("PUT", "/Contacts", {"Name": "Kept"}, key="kept").content == made.content
