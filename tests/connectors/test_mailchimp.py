"""Mailchimp over HTTP: where the connection may point, what answers mean, and that nothing personal is told."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from connectors.mailchimp import Mailchimp, access, connect, metadata
from connectors.mailchimp.archive import entries
from connectors.mailchimp.classify import Heard, refusal
from connectors.mailchimp.shapes import key_of, own_tag, read_operations
from connectors.mailchimp.transport import Transport
from qualy_sync.contracts.accounting import Declined, Endpoint, NotSent, Unanswered
from qualy_sync.contracts.crm import Act, Answered, Change, Done, Form, NewContact, Property
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Reconnect, Refused, Unreachable, WrongShape
from qualy_sync.outcomes import Code
from sandbox.server import Sandbox
from tests.sandbox.mailchimp_contract import Contract, specification

KEY, VIEWER, TOKEN = "sandboxmailchimpkey-us6", "sandboxviewerkey-us6", "sandbox-mailchimp-token"
LIST, OTHER = "5a4b3c2d1e", "0f9e8d7c6b"
ANA = "ana@school.test"


class Clock:
    """A clock for errors that name a time."""

    def now(self) -> datetime:
        return datetime(2026, 7, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> list[Sandbox]:
    return []


@pytest.fixture
def stand_in(sandbox: Callable[..., Sandbox], world: list[Sandbox]) -> Iterator[Sandbox]:
    """Mailchimp's stand-in with one audience and one member, as good as new for each test."""
    if not world:
        world.append(sandbox(payments=0, services=["mailchimp"]))
    lists = [{"id": LIST, "name": "Students"}]
    member = {"list_id": LIST, "email_address": ANA, "status": "subscribed", "tags": [{"name": "Qualy:VIP"}]}
    fields = [{"list_id": LIST, "tag": "FNAME", "name": "First Name", "type": "text"}]
    held = {"lists": lists, "merge_fields": fields, "tags": [], "members": [member], "forgotten": []}
    world[0].control("POST", "load/mailchimp", held)
    world[0].control("POST", "readings/mailchimp", {"overload": 429, "empty_errors": False})
    world[0].control("POST", "revoke/mailchimp", {"keys": []})
    world[0].control("DELETE", "calls/mailchimp")
    yield world[0]
    world[0].control("DELETE", "faults/mailchimp")


def tool(stand_in: Sandbox, password: str = KEY, audience: str = LIST, **extra: str) -> Mailchimp:
    endpoint = Endpoint(f"{stand_in.url}/mailchimp/3.0", extra, password=password)
    session = requests.Session()
    given = {"status_if_new": "transactional", "tag_prefix": "qualy:", "key_field": "QID"}
    return connect(endpoint, session, Clock(), audience=audience, read_timeout=5, **given)


def ui(stand_in: Sandbox, do: str, member: str = ANA, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = stand_in.control("POST", "ui/mailchimp", {"do": do, "member": member} | more)
    return found


def new(email: str, ref: str = "1", **values: str) -> NewContact:
    return NewContact(ref, email, values)


def sent(mailchimp: Mailchimp, *writes: Any) -> Any:
    return mailchimp.send(Act.UPDATE, mailchimp.body(Act.UPDATE, writes))


# -- the connection


@pytest.mark.parametrize(
    ("url", "key", "place"),
    [
        ("", "0123456789abcdef-us19", "https://us19.api.mailchimp.com/3.0"),
        ("https://us6.api.mailchimp.com", "0123-us6", "https://us6.api.mailchimp.com/3.0"),
        ("https://US6.api.mailchimp.com/3.0/", "0123-us6", "https://us6.api.mailchimp.com/3.0"),
        ("http://127.0.0.1:8900/mailchimp/3.0", "0123-us6", "http://127.0.0.1:8900/mailchimp/3.0"),
    ],
)
def test_a_key_names_its_data_centre(url: str, key: str, place: str) -> None:
    found = access(Endpoint(url, password=key))
    assert found.url == place
    assert base64.b64decode(found.headers["Authorization"].removeprefix("Basic ")).decode().endswith(f":{key}")
    assert key not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        "http://us6.api.mailchimp.com/3.0",
        "https://us6.api.mailchimp.com.evil.example/3.0",
        "https://evil.example/us6.api.mailchimp.com",
        "https://us6.api.mailchimp.com@evil.example/3.0",
        "https://us6.api.mailchimp.com:8443/3.0",
        "https://api.mailchimp.com/3.0",
        "https://us6.api.mailchimp.com/1.3",
        "ftp://127.0.0.1/3.0",
        "https://[oops",
    ],
)
def test_the_key_goes_to_mailchimp_and_to_nobody_else(url: str) -> None:
    with pytest.raises(Refused) as told:
        access(Endpoint(url, password="0123secret-us6"))
    assert "0123secret" not in str(told.value)


@pytest.mark.parametrize("key", ["", "no centre", "0123456789", "x\n-us6", "0123-us6.evil"])
def test_a_key_that_cannot_be_one_is_told(key: str) -> None:
    with pytest.raises(Reconnect):
        access(Endpoint("", password=key))


def test_a_token_names_no_data_centre_and_is_asked_about(stand_in: Sandbox) -> None:
    with pytest.raises(Reconnect):
        access(Endpoint("", {"auth": "oauth"}, password=TOKEN))
    found = metadata(Endpoint("", {"login_url": f"{stand_in.url}/mailchimp"}, password=TOKEN), requests.Session())
    assert (found.centre, found.account) == ("us6", "Harbour Education")
    with pytest.raises(Reconnect):
        metadata(Endpoint("", {"login_url": f"{stand_in.url}/mailchimp"}, password="wrong"), requests.Session())
    assert tool(stand_in, TOKEN, auth="oauth").account().id == LIST


def test_the_audience_is_the_only_one_or_has_to_be_named(stand_in: Sandbox) -> None:
    found = tool(stand_in, audience="").account()
    assert (found.id, found.name, found.stand_in) == (LIST, "Students", True)
    lists = [{"id": LIST, "name": "Students"}, {"id": OTHER, "name": "Former students"}]
    stand_in.control("POST", "load/mailchimp", {"lists": lists})
    with pytest.raises(Refused, match=f"{LIST} .Students.*{OTHER}"):
        tool(stand_in, audience="").account()
    with pytest.raises(Refused, match="has no audience 0000000000"):
        tool(stand_in, audience="0000000000").account()


# -- what answers mean


def test_who_has_no_right_to_write_is_told_which_one(stand_in: Sandbox) -> None:
    reply = sent(tool(stand_in, VIEWER), new("bo@school.test"))
    assert isinstance(reply, NotSent)
    assert isinstance(reply.error, Refused)
    with pytest.raises(Reconnect, match="Make an API key"):
        tool(stand_in, "wrong-us6").account()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"title":"API Key Invalid"}', Reconnect),
        (403, b'{"title":"Forbidden"}', Refused),
        (403, b"<html>Access Denied</html>", OutOfQuota),
        (429, b"", OutOfQuota),
        (302, b"", Refused),
        (503, b"", Unreachable),
    ],
)
def test_a_refused_call_is_of_one_kind(status: int, body: bytes, kind: type[Exception]) -> None:
    assert isinstance(refusal(Heard(status, body), "GET /lists", Clock().now()), kind)


@pytest.mark.parametrize("do", ["unsubscribe", "clean", "archive"])
def test_a_member_who_left_is_answered_as_such_and_gets_no_tags(stand_in: Sandbox, do: str) -> None:
    contact_id = ui(stand_in, do)["contact_id"]
    mailchimp = tool(stand_in)
    reply = sent(mailchimp, Change("1", contact_id, ANA, {"FNAME": "Ana"}, frozenset({"qualy:new"})))
    (done,) = reply.results
    assert isinstance(done, Done)
    assert done.contact.standing in mailchimp.withdrawn
    assert done.contact.tags == {"qualy:vip"}


def test_a_forgotten_address_is_a_withdrawn_consent(stand_in: Sandbox) -> None:
    ui(stand_in, "delete_permanently")
    (declined,) = sent(tool(stand_in), new(ANA)).results
    assert declined == Declined("1", Code.CONSENT_WITHDRAWN, "permanently deleted")


def test_refusals_name_fields_and_nobody(stand_in: Sandbox) -> None:
    mailchimp = tool(stand_in)
    mailchimp.create_properties([Property("QPAYMENTS", "Payments", Form.NUMBER)])
    ui(stand_in, "create_member", "cy@school.test")
    contact_id = ui(stand_in, "edit_member")["contact_id"]
    reply = sent(
        mailchimp,
        new("bo@school.test", "1", QPAYMENTS="many"),
        new("no address", "2"),
        new("x@example.com", "3"),
        Change("4", contact_id, ANA, {"email": "cy@school.test"}),
    )
    told = {one.ref: (one.code, one.message) for one in reply.results}
    assert told["1"] == (Code.INVALID, "QPAYMENTS: not accepted")
    assert told["2"][0] is told["3"][0] is Code.INVALID
    assert told["2"][1].startswith("email:")
    assert told["3"][1].startswith("email:")
    assert told["4"][0] is Code.DUPLICATE_THERE
    assert "@" not in str(told)


def test_somebody_new_and_somebody_known_in_one_body(stand_in: Sandbox) -> None:
    mailchimp = tool(stand_in)
    (ana,) = mailchimp.by_email([ANA.upper()], ())
    assert (ana.tags, ana.standing) == ({"qualy:vip"}, "subscribed")
    writes = [
        NewContact("1", "Bo@School.test", {"FNAME": "Bo"}, frozenset({"qualy:new"})),
        Change("2", ana.id, ANA, {"email": "ana@home.test"}, frozenset({"qualy:new"}), frozenset({"qualy:vip"})),
    ]
    one, two = sent(mailchimp, *writes).results
    assert (one.created, one.contact.standing, one.contact.tags) == (True, "transactional", {"qualy:new"})
    assert (two.contact.id, two.contact.emails, two.contact.tags) == (ana.id, ("ana@home.test",), {"qualy:new"})
    (read,) = mailchimp.by_id([ana.id], ())
    assert (read.tags, read.values["email"]) == ({"qualy:new"}, "ana@home.test")


@pytest.mark.parametrize("do", ["drop_after", "status:500", "garbage"])
def test_a_write_without_an_answer_says_so(stand_in: Sandbox, do: str) -> None:
    stand_in.control("POST", "faults/mailchimp", [{"method": "PUT", "path": "/3.0/lists", "do": do}])
    reply = sent(tool(stand_in), new("bo@school.test"))
    assert isinstance(reply, Unanswered) or reply == Answered(())


def test_errors_without_a_body_conclude_nothing(stand_in: Sandbox) -> None:
    stand_in.control("POST", "readings/mailchimp", {"empty_errors": True})
    assert sent(tool(stand_in), new("x@example.com")) == Answered(())


def test_a_batch_answers_as_single_calls_do(stand_in: Sandbox) -> None:
    mailchimp = tool(stand_in)
    body = mailchimp.body(Act.UPDATE, [new("bo@school.test", "1", FNAME="Bo"), new("x@example.com", "2")])
    started = mailchimp.start(body)
    progress = mailchimp.progress([started.ticket])[started.ticket]
    assert not progress.finished
    stand_in.control("POST", "clock", {"advance_seconds": 30})
    progress = mailchimp.progress([started.ticket])[started.ticket]
    assert (progress.finished, progress.operations, progress.failed) == (True, 2, 1)
    assert not progress.all_went_well
    found = {one.ref: type(one) for one in mailchimp.results(body, progress).results}
    assert found == {"1": Done, "2": Declined}
    assert mailchimp.progress(["0000000000"]) == {}
    stand_in.control("POST", "clock", {"advance_seconds": 700})
    with pytest.raises(AnswerLost):
        mailchimp.results(body, progress)


def test_members_are_read_with_all_their_tags_and_every_status(stand_in: Sandbox) -> None:
    for number in range(55):
        ui(stand_in, "add_tag", tag=f"Open day {number}")
    ui(stand_in, "create_member", "cy@school.test")
    ui(stand_in, "archive", "cy@school.test")
    mailchimp = tool(stand_in)
    found, after = [], ""
    while True:
        page = mailchimp.contacts((), after=after)
        found += page.contacts
        if not (after := page.after):
            break
    assert [(one.email, one.tags) for one in found] == [(ANA, {"qualy:vip"})]
    (archived,) = mailchimp.contacts((), archived=True).contacts
    assert archived.archived


def test_results_are_fetched_from_mailchimp_s_places_alone() -> None:
    found = Transport(access(Endpoint("", password="0123-us6")), requests.Session(), Clock(), 5)
    for url in ("https://evil.example/x", "http://mailchimp-api-batch.s3.amazonaws.com/x", "http://127.0.0.1/x"):
        with pytest.raises(WrongShape):
            found.download(url)


def packed(name: str, content: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        about = tarfile.TarInfo(name)
        about.size, about.type = len(content), kind
        archive.addfile(about, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", b"not an archive", packed("a.json", b"{")[:40], packed("a.json", b"["), packed("a.json", b'[{"x": 1}]')],
)
def test_results_that_cannot_be_read_are_no_answer(content: bytes) -> None:
    with pytest.raises(AnswerLost):
        entries(content)


def test_links_and_folders_of_an_archive_are_passed_over() -> None:
    assert entries(packed("../../etc/passwd", b"", tarfile.SYMTYPE)) == {}
    one = json.dumps([{"operation_id": "put|1|", "status_code": 200, "response": "{}"}]).encode()
    assert entries(packed("a.json", one)) == {"put|1|": (200, b"{}")}


def test_keys_and_tags_have_one_spelling() -> None:
    assert key_of(" Ana@School.test ") == key_of(ANA) == "679805a5db2a1043ec3454b487034e1a"
    assert own_tag("qualy:", "VIP ") == "qualy:vip"
    assert len(own_tag("qualy:", "x" * 200)) == 100


def test_what_is_sent_is_what_the_specification_knows(stand_in: Sandbox) -> None:
    folder = specification()
    if folder is None:
        pytest.skip("the official specification is not at hand")
    contract, mailchimp = Contract(folder), tool(stand_in)
    body = mailchimp.body(
        Act.UPDATE,
        [
            NewContact("1", "bo@school.test", {"FNAME": "Bo"}, frozenset({"qualy:new"})),
            Change("2", "c", ANA, {"email": "ana@home.test"}, frozenset(), frozenset({"qualy:vip"})),
        ],
    )
    problems = contract.problems("POST", "/batches", {}, json.loads(body), 0, None)
    for one in read_operations(body):
        problems += contract.problems(one.method, one.path, dict(one.query), json.loads(one.body), 0, None)
    assert len(read_operations(body)) == 4
    assert problems == []
