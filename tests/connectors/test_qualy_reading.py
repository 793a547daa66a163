"""Reading Qualy's lists over HTTP, under every reading of what its documentation leaves open."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import requests

from connectors.qualy import QualySource, Reading, connect
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import OutOfQuota, Reconnect, Refused, ToolError, Unreachable, WrongShape
from qualy_sync.model import Kind
from sandbox.server import Sandbox

KEY = "pk_sandbox_qualy"
MANY = 40
FAST = {"requests_per_second": Decimal(0), "first_wait": 0.001, "connect_timeout": 5, "read_timeout": 5}
PLAIN = {"envelope": "data-list", "filter": "A", "limit_cap": None, "default_limit": 100, "expanded": False}
PLAIN |= {"updated_at": True, "updated_at_sorts": True, "total": False, "forbidden": []}


@pytest.fixture
def qualy(sandbox: Callable[..., Sandbox], world: list[Sandbox]) -> Iterator[Sandbox]:
    """A stand-in of Qualy with 40 customers, as good as new for each test."""
    if not world:
        world.append(sandbox(payments=0, services=["qualy"]))
    world[0].control("POST", "load/qualy", {"contacts": [customer(i) for i in range(MANY)]})
    world[0].control("POST", "readings/qualy", PLAIN)
    yield world[0]
    world[0].control("DELETE", "faults/qualy")
    world[0].control("POST", "quota/qualy", {"per_second": None, "per_minute": None, "per_hour": None})


@pytest.fixture(scope="module")
def world() -> list[Sandbox]:
    return []


def customer(i: int) -> dict[str, Any]:
    moment = f"2026-06-01T{i // 60:02d}:{i % 60:02d}:00.000Z"
    return {
        "_id": f"{1780272000 + i * 60:08x}{i:016x}",
        "email": f"student{i}@school.example",
        "profile": {"firstName": "Ana", "lastName": f"Souza {i}"},
        "status": "even" if i % 2 == 0 else "odd",
        "createdAt": moment,
        "updatedAt": moment,
    }


def reader(qualy: Sandbox, login: str = "eu1-sandbox", password: str = KEY, **wishes: Any) -> QualySource:
    endpoint = Endpoint(url=f"{qualy.url}/qualy/v1", login=login, password=password)
    return connect(endpoint, Reading(**{**FAST, **wishes}), requests.Session())


def ids(source: QualySource, **wishes: Any) -> list[str]:
    """The ids of all rows in the order in which they were first met."""
    pages = source.pages(Kind.CUSTOMER, **{"sort": "_id", **wishes})
    return list(dict.fromkeys(row["_id"] for page in pages for row in page.rows))


def calls(qualy: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = qualy.control("GET", "calls/qualy")["calls"]
    return found


EVERYONE = [customer(i)["_id"] for i in range(MANY)]


@pytest.mark.parametrize("envelope", ["data-list", "bare", "data-object"])
@pytest.mark.parametrize("cap", [None, 1, 7, 39])
def test_every_row_is_read_under_every_envelope_and_cap(qualy: Sandbox, envelope: str, cap: int | None) -> None:
    qualy.control("POST", "readings/qualy", {"envelope": envelope, "limit_cap": cap})
    assert ids(reader(qualy)) == EVERYONE
    assert ids(reader(qualy, page_size=13), sort="-createdAt") == EVERYONE[::-1]


@pytest.mark.parametrize("size", [1, 3, 13, 39, 40, 41])
@pytest.mark.parametrize("overlap", [0, 3, 50])
def test_every_row_is_read_whatever_the_page(qualy: Sandbox, size: int, overlap: int) -> None:
    pages = list(reader(qualy, page_size=size, page_overlap=overlap).pages(Kind.CUSTOMER, sort="_id"))
    assert list(dict.fromkeys(row["_id"] for page in pages for row in page.rows)) == EVERYONE
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]


@pytest.mark.parametrize("where", [0, 15, 23, 37])
@pytest.mark.parametrize("many", [1, 3])
def test_rows_deleted_between_two_pages_hide_no_other(qualy: Sandbox, where: int, many: int) -> None:
    pages = reader(qualy, page_size=8).pages(Kind.CUSTOMER, sort="_id")
    met = [row["_id"] for _ in range(3) for row in next(pages).rows]
    gone = EVERYONE[where : where + many]
    qualy.control("POST", "change/qualy", {"delete": {"contacts": gone}})
    met += [row["_id"] for page in pages for row in page.rows]
    assert set(EVERYONE) - set(gone) <= set(met)


def test_rows_inserted_between_two_pages_hide_no_other(qualy: Sandbox) -> None:
    pages = reader(qualy, page_size=8).pages(Kind.CUSTOMER, sort="-createdAt")
    met = [row["_id"] for row in next(pages).rows]
    new = [customer(i) for i in range(40, 60)]
    qualy.control("POST", "change/qualy", {"insert": {"contacts": new}})
    met += [row["_id"] for page in pages for row in page.rows]
    assert set(EVERYONE) <= set(met)


def test_reading_goes_on_from_a_place(qualy: Sandbox) -> None:
    first = next(reader(qualy, page_size=8).pages(Kind.CUSTOMER, sort="_id"))
    rest = ids(reader(qualy, page_size=8), skip=first.skip)
    assert rest == EVERYONE[5:]


def test_an_empty_list_is_one_empty_last_page(qualy: Sandbox) -> None:
    (page,) = reader(qualy).pages(Kind.TAX, sort="_id")
    assert (page.rows, page.last) == ((), True)


@pytest.mark.parametrize("style", ["A", "B", "C"])
def test_the_way_filters_are_written_is_found_out(qualy: Sandbox, style: str) -> None:
    qualy.control("POST", "readings/qualy", {"filter": style})
    source = reader(qualy)
    assert source.filters
    before = len(calls(qualy))
    assert ids(source, only={"_id": EVERYONE[5:8]}) == EVERYONE[5:8]
    assert len(calls(qualy)) - before == 2  # the page and the empty one behind it


@pytest.mark.parametrize("style", ["auto", "A", "B", "C", "none"])
def test_a_filter_that_the_server_ignores_is_applied_here(qualy: Sandbox, style: str) -> None:
    qualy.control("POST", "readings/qualy", {"filter": "ignored"})
    source = reader(qualy, filter_style=style)
    assert source.filters == (style in {"A", "B", "C"})
    assert ids(source, only={"status": ["odd"]}) == EVERYONE[1::2]


def test_an_expanded_reference_is_filtered_by_its_id(qualy: Sandbox) -> None:
    payment = {"_id": "a" * 24, "contact": EVERYONE[3], "status": "due", "createdAt": "2026-06-02T00:00:00.000Z"}
    qualy.control("POST", "change/qualy", {"insert": {"payment-intents": [payment]}})
    qualy.control("POST", "readings/qualy", {"expanded": True, "filter": "ignored"})
    (page,) = reader(qualy).pages(Kind.PAYMENT, sort="_id", only={"contact": [EVERYONE[3]]})
    assert page.rows[0]["contact"]["email"] == "student3@school.example"


def test_one_record_is_read_by_its_id(qualy: Sandbox) -> None:
    source = reader(qualy)
    assert (source.one(Kind.CUSTOMER, EVERYONE[7]) or {})["email"] == "student7@school.example"
    assert source.one(Kind.CUSTOMER, "f" * 24) is None


def test_a_stand_in_is_known_by_its_first_answer(qualy: Sandbox) -> None:
    source = reader(qualy)
    assert source.stand_in is None
    assert source.whoami()["_id"]
    assert source.stand_in is True
    assert source.tenant == "eu1-sandbox"


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "garbage", "truncate", "status:500"])
def test_a_passing_trouble_is_ridden_out(qualy: Sandbox, fault: str) -> None:
    qualy.control("POST", "faults/qualy", [{"method": "GET", "path": "/v1/contacts", "do": fault, "times": 4}])
    assert ids(reader(qualy, page_size=12)) == EVERYONE


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ("drop_before", Unreachable),
        ("status:502", Unreachable),
        ("garbage", WrongShape),
        ("status:401", Reconnect),
        ("status:403", Refused),
        ("status:404", Refused),
        ("status:422", Refused),
        ("status:302", Refused),
    ],
)
def test_a_lasting_trouble_is_named(qualy: Sandbox, fault: str, raised: type[ToolError]) -> None:
    qualy.control("POST", "faults/qualy", [{"method": "GET", "path": "/v1/contacts", "do": fault, "times": 99}])
    before = len(calls(qualy))
    with pytest.raises(raised) as caught:
        ids(reader(qualy), only={"email": ["student1@school.example"]})
    assert len(calls(qualy)) - before <= 5
    assert "student1" not in str(caught.value)
    assert KEY not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_missing_role_is_named(qualy: Sandbox) -> None:
    qualy.control("POST", "readings/qualy", {"forbidden": ["contacts"]})
    with pytest.raises(Refused, match="contacts:"):
        ids(reader(qualy))


@pytest.mark.parametrize(("login", "password"), [("eu1-sandbox", "pk_wrong"), ("eu1-other", KEY)])
def test_a_key_of_another_tenant_is_not_accepted(qualy: Sandbox, login: str, password: str) -> None:
    with pytest.raises(Reconnect, match="does not accept the API key"):
        reader(qualy, login, password).whoami()


def test_being_asked_to_slow_down_is_obeyed_or_said(qualy: Sandbox) -> None:
    qualy.control("POST", "quota/qualy", {"per_hour": 1})
    source = reader(qualy)

    def three_times() -> None:
        """Of three calls two lie in one hour, even where the clock strikes between them."""
        for _ in range(3):
            source.whoami()

    with pytest.raises(OutOfQuota) as caught:
        three_times()
    assert caught.value.until is not None
    assert 0 < (caught.value.until - datetime.now(UTC)).total_seconds() <= 3601


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/v1",
        "http://api.qualyhq.com/v1",
        "https://api.qualyhq.com.example/v1",
        "https://u:p@127.0.0.1/",
    ],
)
def test_the_key_goes_to_qualy_or_this_machine_only(url: str) -> None:
    with pytest.raises(Refused, match="qualy connection"):
        connect(Endpoint(url=url, login="tenant", password="key"), Reading(), requests.Session())


@pytest.mark.parametrize(("login", "password"), [("", "key"), ("tenant", ""), ("tenant", "key\nX-Other: 1")])
def test_a_connection_without_tenant_or_key_is_refused(login: str, password: str) -> None:
    with pytest.raises(Reconnect, match="qualy connection"):
        connect(
            Endpoint(url="https://api.qualyhq.com/v1", login=login, password=password), Reading(), requests.Session()
        )
