"""Answers that the stand-in does not give: redirects, cut bodies, several organisations, strange shapes."""

from __future__ import annotations

import json
import socket
import threading
from datetime import timedelta
from typing import Any

import pytest

from connectors.xero import XeroTool, connect
from qualy_sync.contracts.accounting import (
    Answered,
    NotSent,
    Unanswered,
    What,
)
from qualy_sync.contracts.errors import (
    AnswerLost,
    Reconnect,
    Refused,
    WrongShape,
)
from tests.support.xero_connection import FreshTokens, Stopped, endpoint, new_contact, send


class Scripted:
    """A server of one socket that gives fixed bytes to each connection, for answers nobody can ask Xero for."""

    def __init__(self, *answers: bytes) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        self._answers = answers
        self.requests: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        for answer in self._answers:
            connection, _ = self._socket.accept()
            with connection:
                self.requests.append(_whole_request(connection))
                connection.sendall(answer)
        self._socket.close()


def _whole_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    sizes = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while sizes and len(rest) < sizes[0]:
        rest += connection.recv(65536)
    return head + b"\r\n\r\n" + rest


def http(status: str, content: Any = b"", *headers: str, length: int | None = None) -> bytes:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", "Connection: close"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def scripted(*answers: bytes, **extra: str) -> tuple[Scripted, XeroTool]:
    server = Scripted(*answers)
    at = endpoint(server.url, **extra)
    return server, connect(at, FreshTokens(at, "token"), Stopped(), read_timeout=5)


def test_a_redirect_is_not_followed_and_settles_nothing() -> None:
    server, tool = scripted(http("307 Temporary Redirect", b"", "Location: http://127.0.0.1:9/"), tenant_id="t")
    assert isinstance(send(tool, What.CONTACT, new_contact()), Unanswered)
    assert len(server.requests) == 1


def test_a_cut_answer_is_not_an_answer() -> None:
    _, tool = scripted(http("200 OK", b'{"Contacts": []}', length=500), tenant_id="t")
    assert isinstance(send(tool, What.CONTACT, new_contact()), Unanswered)
    _, tool = scripted(http("200 OK", b'{"Contacts": []}', length=500), tenant_id="t")
    with pytest.raises(AnswerLost):
        tool.find(What.CONTACT, ["C1"], None)


def test_a_429_that_asks_to_wait_for_hours_is_passed_on_at_once() -> None:
    headers = ("X-Rate-Limit-Problem: day", "Retry-After: 66975")
    server, tool = scripted(http("429 Too Many Requests", b"", *headers), tenant_id="t")
    reply = send(tool, What.CONTACT, new_contact())
    assert isinstance(reply, NotSent)
    assert tool.quota.wait_until == Stopped().now() + timedelta(seconds=66975)
    assert len(server.requests) == 1


def test_a_real_service_does_not_name_itself_a_stand_in() -> None:
    organisation = {"Name": "A", "BaseCurrency": "AUD", "Timezone": "UTC", "CountryCode": "AU"}
    _, tool = scripted(http("200 OK", {"Organisations": [organisation]}), tenant_id="t")
    assert not tool.organisation().stand_in
    assert tool.stand_in is False


def test_a_page_of_an_unknown_shape_is_not_an_empty_page() -> None:
    _, tool = scripted(http("200 OK", {"data": []}), tenant_id="t")
    with pytest.raises(WrongShape):
        list(tool.changed(What.INVOICE, None))


def test_several_organisations_have_to_be_told_apart_by_a_person() -> None:
    two = [{"tenantId": f"t-{name}", "tenantType": "ORGANISATION", "tenantName": name} for name in ("North", "South")]
    _, tool = scripted(http("200 OK", two))
    with pytest.raises(Refused, match=r"tenant_id.*North = t-North; South = t-South"):
        tool.organisation()


def test_a_connection_without_organisation_has_to_be_made_again() -> None:
    _, tool = scripted(http("200 OK", []))
    reply = send(tool, What.CONTACT, new_contact())
    assert isinstance(reply, NotSent)
    assert isinstance(reply.error, Reconnect)


def test_the_request_carries_token_tenant_and_key() -> None:
    server, tool = scripted(http("200 OK", {"Contacts": []}), tenant_id="tenant-1")
    body = tool.body([new_contact()])
    assert tool.send(What.CONTACT, body, "key-1") == Answered(())
    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert sent == body
    text = head.decode().lower()
    assert text.startswith("put /xero/api.xro/2.0/contacts?summarizeerrors=false http/1.1")
    assert all(f"{line}\r\n" in f"{text}\r\n" for line in ("authorization: bearer token", "idempotency-key: key-1"))
    assert "xero-tenant-id: tenant-1" in text
