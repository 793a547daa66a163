"""What counts as a list, and servers that page in ways nobody can follow."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from connectors.qualy import QualySource, Reading, connect
from connectors.qualy.filters import matches, written
from connectors.qualy.shapes import read_json, rows_of
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import WrongShape
from qualy_sync.model import Kind

Answer = Callable[[dict[str, list[str]]], Any]


@pytest.fixture
def served() -> Iterator[Callable[[Answer], QualySource]]:
    """`served(answer)` is Qualy as a server that answers each query of a list with `answer(query)`."""
    servers: list[ThreadingHTTPServer] = []

    def serve(answer: Answer) -> QualySource:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(answer(parse_qs(urlsplit(self.path).query))).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        url = f"http://127.0.0.1:{server.server_port}/v1"
        reading = Reading(page_size=10, requests_per_second=Decimal(0), first_wait=0.001)
        return connect(Endpoint(url=url, login="tenant", password="key"), reading, requests.Session())

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("rows", [1, 9, 10, 25])
def test_a_server_that_ignores_skip_is_refused_instead_of_read_for_ever(
    served: Callable[[Answer], QualySource], rows: int
) -> None:
    everything = [{"_id": str(i)} for i in range(rows)]
    source = served(lambda query: everything[: int(query["limit"][0])])
    with pytest.raises(WrongShape, match="same rows"):
        list(source.pages(Kind.PAYMENT, sort="_id"))


def test_elements_that_are_no_objects_are_kept_apart(served: Callable[[Answer], QualySource]) -> None:
    elements = [{"_id": "a"}, None, "text", 7, ["list"], {"no": "id"}]
    source = served(lambda query: elements[int(query["skip"][0]) :])
    (page,) = source.pages(Kind.PAYMENT, sort="_id")
    assert page.rows == ({"_id": "a"}, {"no": "id"})
    assert page.strange == ("NoneType", "str", "int", "list")


def test_a_real_service_is_no_stand_in(served: Callable[[Answer], QualySource]) -> None:
    source = served(lambda _: [])
    assert next(iter(source.pages(Kind.TAX, sort="_id"))).last
    assert source.stand_in is False


@pytest.mark.parametrize(
    "document",
    [
        [1],
        {"data": [1]},
        {"data": {"docs": [1], "total": 1}},
        {"data": {"payment-intents": [1]}},
        {"data": {"whatever": [1]}},
        {"data": {"paymentIntents": [1], "warnings": []}},
    ],
)
def test_the_known_forms_of_a_list(document: Any) -> None:
    assert rows_of(document, "/payment-intents") == [1]


@pytest.mark.parametrize(
    "document",
    [
        {},
        None,
        "rows",
        7,
        {"data": None},
        {"data": {}},
        {"data": "rows"},
        {"rows": [1]},
        {"data": {"a": [1], "b": [2]}},
        {"data": {"docs": [1], "items": [2]}},
        {"statusCode": 200, "message": "ana@school.example has no rows"},
    ],
)
def test_an_unknown_form_is_never_an_empty_list(document: Any) -> None:
    with pytest.raises(WrongShape, match="not a list in any known form") as caught:
        rows_of(document, "/payment-intents")
    assert "ana" not in str(caught.value)


def test_numbers_that_json_does_not_have_stay_text() -> None:
    assert read_json(b'{"amount": NaN, "b": 1e999, "c": 0.5}') == {"amount": "NaN", "b": "1e999", "c": 0.5}
    with pytest.raises(ValueError, match="deep"):
        read_json(b"[" * 100_000)


VALUES = st.dictionaries(
    st.sampled_from(["status", "_id", "email"]), st.lists(st.text(min_size=1), min_size=1), min_size=1
)


@given(VALUES)
def test_a_filter_says_the_same_in_every_style(only: dict[str, list[str]]) -> None:
    bare = [(f"{name}[{i}]", value) for name, values in only.items() for i, value in enumerate(values)]
    assert written(only, "B") == bare
    assert [(name.replace("filter[", "", 1).replace("]", "", 1), value) for name, value in written(only, "C")] == bare
    ((name, text),) = written(only, "A")
    assert name == "filter"
    assert text.count("=") == len(bare)  # a value's own signs are written otherwise
    assert matches({name: values[-1] for name, values in only.items()}, only)
