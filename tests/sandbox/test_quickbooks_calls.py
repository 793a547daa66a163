"""What happens to a whole call in the stand-in: batches, request ids, limits, faults, envelopes, the closing date."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quickbooks.batch import batch_create, batch_delete
from quickbooks.exceptions import AuthorizationException, QuickbooksException, SevereException, ValidationException
from quickbooks.objects import Bill, Customer, Preferences

from sandbox.app import load_services
from sandbox.quickbooks.shapes import SHAPES
from sandbox.quickbooks.stand_in import QuickBooksStandIn
from sandbox.world import Wishes, make_world
from tests.sandbox.quickbooks_client import FEES, TODAY, QuickBooksClient, sale_line


def new_customer(name: str) -> Customer:
    customer = Customer()
    customer.DisplayName = name
    return customer


def names(books: QuickBooksClient) -> list[str]:
    return [one["DisplayName"] for one in books.state()["Customer"]]


def items(*wanted: str, operation: str = "create") -> dict[str, Any]:
    return {
        "BatchItemRequest": [
            {"bId": str(n), "operation": operation, "Customer": {"DisplayName": name}} for n, name in enumerate(wanted)
        ]
    }


def test_answers_have_the_envelope_of_quickbooks_and_never_null(books: QuickBooksClient) -> None:
    answer = books.http("POST", "Customer", {"DisplayName": "Ana", "GivenName": None, "Notes": ""})
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.headers["intuit_tid"]
    assert list(answer.json()) == ["Customer", "time"]
    assert "null" not in answer.text
    for method, path in (("GET", "nothing/1"), ("GET", "customer"), ("DELETE", "customer/1"), ("POST", "cdc")):
        assert books.http(method, path).status_code == 404
    assert books.http("POST", "customer", b"{not json").json()["Fault"]["type"] == "ValidationFault"
    assert books.http("POST", "customer", b"[1]").status_code == 400


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_body_of_any_shape_is_taken_or_refused_and_never_breaks_it(books: QuickBooksClient, data: Any) -> None:
    junk = st.sampled_from([5, "x", [], [1], [{}], {}, {"value": []}, {"value": "x"}, True, None, "", {"a": {"b": 1}}])
    kind = data.draw(st.sampled_from(sorted(SHAPES)))
    body = {
        name: data.draw(junk)
        for name in data.draw(st.lists(st.sampled_from(sorted(SHAPES[kind])), max_size=8, unique=True))
    }
    line = {name: data.draw(junk) for name in ("Amount", "LinkedTxn", "Description", "Id")}
    detail = data.draw(st.sampled_from(["SalesItemLineDetail", "AccountBasedExpenseLineDetail", "DiscountLineDetail"]))
    line |= {"DetailType": detail, detail: data.draw(st.sampled_from([None, 1, {"ItemRef": {"value": FEES}}, {}]))}
    people = books.state()
    customer = (people["Customer"] or [books.post("Customer", {"DisplayName": "Ana"})])[0]["Id"]
    vendor = (people["Vendor"] or [books.post("Vendor", {"DisplayName": "Harbour"})])[0]["Id"]
    whole = {"CustomerRef": {"value": customer}, "VendorRef": {"value": vendor}, "TotalAmt": 5, "PayType": "Check"}
    assert books.http("POST", kind.lower(), whole | {"Line": [line]} | body).status_code in (200, 400)


def test_a_batch_keeps_what_is_good_and_says_what_is_not(books: QuickBooksClient) -> None:
    batch = [new_customer("Ana"), new_customer("a:b"), new_customer("Bea"), new_customer("ANA")]
    done = batch_create(batch, qb=books.qb)
    assert [one.DisplayName for one in done.successes] == ["Ana", "Bea"]
    assert [(one.original_object.DisplayName, one.Error[0].code) for one in done.faults] == [
        ("a:b", "2040"),
        ("ANA", "6240"),
    ]
    assert names(books) == ["Ana", "Bea"]


def test_the_sdk_cuts_long_lists_into_batches_of_thirty(books: QuickBooksClient) -> None:
    done = batch_create([new_customer(f"P {n}") for n in range(65)], qb=books.qb)
    assert (len(done.successes), len(names(books))) == (65, 65)
    answer = books.http("POST", "batch", items(*(f"Q {n}" for n in range(31))))
    assert answer.status_code == 400
    assert len(names(books)) == 65


def test_items_of_a_batch_write_delete_void_and_ask(books: QuickBooksClient) -> None:
    bill, invoice = books.bill(books.vendor()), books.invoice(books.customer())
    request = {
        "BatchItemRequest": [
            {"bId": "a", "operation": "create", "Customer": {"DisplayName": "New"}},
            {"bId": "b", "Query": "select count(*) from Customer"},
            {"bId": "c", "operation": "update", "optionsData": "void", "Invoice": {"Id": invoice.Id, "SyncToken": "0"}},
            {"bId": "d", "operation": "delete", "Bill": {"Id": bill.Id, "SyncToken": "0"}},
            {"bId": "e", "Query": "select * from"},
            {"bId": "f", "operation": "create"},
        ]
    }
    books.set_readings(batch_order="reversed")
    answered = books.http("POST", "batch", request).json()["BatchItemResponse"]
    assert [one["bId"] for one in answered] == list("fedcba")
    by_id = {one["bId"]: one for one in answered}
    assert by_id["b"]["QueryResponse"]["totalCount"] == 1, "an item does not see what the batch makes"
    assert by_id["c"]["Invoice"]["TotalAmt"] == 0
    assert by_id["d"]["Bill"]["status"] == "Deleted"
    assert by_id["e"]["Fault"]["Error"][0]["code"] == "4000"
    assert by_id["f"]["Fault"]["Error"][0]["code"] == "2010"
    assert batch_delete([Bill.get(books.bill(books.vendor("V")).Id, qb=books.qb)], qb=books.qb).faults == []


def test_a_batch_that_breaks_off_has_done_its_first_items(books: QuickBooksClient) -> None:
    books.fault("partial_after:2")
    with pytest.raises(requests.exceptions.ConnectionError):
        batch_create([new_customer("Ana"), new_customer("Bea"), new_customer("Cid")], qb=books.qb)
    assert names(books) == ["Ana", "Bea"]


def test_a_request_id_gives_the_first_answer_again(books: QuickBooksClient) -> None:
    customer = books.customer()
    body = {"CustomerRef": {"value": customer.Id}, "Line": [sale_line(10)], "DocNumber": "T-1"}
    first, again = (books.http("POST", "invoice", body, requestid="r-1") for _ in range(2))
    assert first.content == again.content
    assert len(books.state()["Invoice"]) == 1
    other = books.http("POST", "invoice", body | {"DocNumber": "T-2"}, requestid="r-1")
    assert other.json()["Invoice"]["DocNumber"] == "T-1"
    assert books.refused("Invoice", body, requestid="r" * 51)["code"] == "2130"
    books.set_readings(requestid_other_body="2130")
    assert books.refused("Invoice", body | {"DocNumber": "T-2"}, requestid="r-1")["code"] == "2130"
    books.set_readings(requestid_seconds=60)
    books.clock(61)
    assert books.post("Invoice", body | {"DocNumber": "T-2"}, requestid="r-1")["DocNumber"] == "T-2"


def test_a_remembered_refusal_stays_one(books: QuickBooksClient) -> None:
    body = {"DisplayName": "Ana"}
    ana = books.customer("Ana")
    assert books.refused("Customer", body, requestid="r-2")["code"] == "6240"
    books.ui("inactivate_customer", customer=ana.Id)
    assert books.refused("Customer", body, requestid="r-2")["code"] == "6240"
    books.set_readings(requestid_remembers_faults=False)
    assert books.refused("Customer", {"DisplayName": "a:b"}, requestid="r-3")["code"] == "2040"
    assert books.post("Customer", body, requestid="r-3")["DisplayName"] == "Ana"


def test_request_ids_of_batches_are_short_and_their_replay_is_open(books: QuickBooksClient) -> None:
    assert books.http("POST", "batch", items("A"), requestid="r" * 37).json()["Fault"]["Error"][0]["code"] == "2130"
    long = {"BatchItemRequest": [items("A")["BatchItemRequest"][0] | {"bId": "x" * 11}]}
    assert books.http("POST", "batch", long, requestid="r-4").json()["Fault"]["Error"][0]["code"] == "2130"
    first = books.http("POST", "batch", items("A"), requestid="r-5")
    assert books.http("POST", "batch", items("A"), requestid="r-5").content == first.content
    books.set_readings(requestid_batch="6000")
    assert books.http("POST", "batch", items("A"), requestid="r-5").json()["Fault"]["Error"][0]["code"] == "6000"
    assert names(books) == ["A"]


def test_parallel_calls_with_one_request_id_do_the_work_once(books: QuickBooksClient) -> None:
    def send(_: int) -> bytes:
        return books.http("POST", "customer", {"DisplayName": "Ana"}, requestid="r-6").content

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(send, range(6)))) == 1
    assert names(books) == ["Ana"]


def test_an_answer_that_was_lost_was_given_nevertheless(books: QuickBooksClient) -> None:
    books.fault("drop_before")
    with pytest.raises(requests.exceptions.ConnectionError):
        books.customer("Ana")
    assert names(books) == []
    books.fault("drop_after")
    with pytest.raises(requests.exceptions.ConnectionError):
        books.customer("Ana")
    assert names(books) == ["Ana"]
    books.fault("drop_then_commit:30")
    with pytest.raises(requests.exceptions.ConnectionError):
        books.customer("Bea")
    assert names(books) == ["Ana"]
    books.clock(31)
    assert names(books) == ["Ana", "Bea"]
    books.fault("truncate")
    with pytest.raises(QuickbooksException, match="Error reading json response"):
        books.customer("Cid")


def test_statuses_that_are_asked_for_speak_as_quickbooks_does(books: QuickBooksClient) -> None:
    for status, raised, code in (
        (401, AuthorizationException, 401),
        (403, QuickbooksException, 10000),
        (500, SevereException, 10000),
        (503, QuickbooksException, 10000),
    ):
        books.fault(f"status:{status}")
        with pytest.raises(raised) as caught:
            Preferences.get(qb=books.qb)
        assert caught.value.error_code == code
    books.fault("status_after:500")
    with pytest.raises(SevereException):
        books.customer("Ana")
    assert names(books) == ["Ana"]


def test_one_call_too_many_is_429_in_xml_or_json(books: QuickBooksClient) -> None:
    def until_refused() -> httpx.Response:
        return next(one for one in (books.http("GET", "preferences") for _ in range(30)) if one.status_code != 200)

    books.control("quota", {"minute": 5})
    refused = until_refused()
    assert (refused.status_code, refused.headers["content-type"]) == (429, "application/xml;charset=UTF-8")
    assert "retry-after" not in refused.headers
    with pytest.raises(QuickbooksException, match="Error reading json response"):
        Preferences.get(qb=books.qb)
    books.set_readings(throttle_body="json")
    with pytest.raises(ValidationException) as caught:
        Preferences.get(qb=books.qb)
    assert caught.value.error_code == 3001
    books.clock(60)
    assert books.http("GET", "preferences").status_code == 200


def test_batches_reads_and_calls_at_once_have_limits_of_their_own(books: QuickBooksClient) -> None:
    books.control("quota", {"batch_minute": 1})
    answers = [books.http("POST", "batch", items(f"A {n}")).status_code for n in range(3)]
    assert 429 in answers
    assert books.http("GET", "preferences").status_code == 200
    used = books.control("metered", {})
    books.control("quota", {"core_plus_month": used["core_plus_month"]})
    assert books.http("GET", "preferences").status_code == 429
    assert books.post("Customer", {"DisplayName": "data in is never metered"})
    books.control("quota", {"core_plus_month": None, "concurrent": 0})
    assert books.http("GET", "preferences").status_code == 429


def test_the_published_limits_hold_from_the_start(tmp_path: Path) -> None:
    world, _ = make_world(Wishes(today=TODAY, payments=0), tmp_path / "state.db")
    quota = load_services(world, ["quickbooks"])["quickbooks"].set_quota({})
    assert quota == {"second": 10, "minute": 500, "concurrent": 10, "batch_minute": 40, "core_plus_month": None}
    world.store.close()


def test_what_is_dated_in_the_closed_period_cannot_be_touched(books: QuickBooksClient) -> None:
    customer = books.customer()
    old = books.invoice(customer, "T-1", TxnDate="2026-06-30")
    new = books.invoice(customer, "T-2", TxnDate="2026-07-01")
    books.close_books("2026-06-30")
    assert Preferences.get(qb=books.qb).AccountingInfoPrefs.BookCloseDate == "2026-06-30"

    def refused(work: Any) -> None:
        with pytest.raises(QuickbooksException) as caught:
            work()
        assert caught.value.error_code == 6210
        assert caught.value.message == "Account Period Closed, Cannot Update Through Services API"

    old.PrivateNote = "x"
    refused(lambda: books.invoice(customer, "T-3", TxnDate="2026-06-30"))
    refused(lambda: old.save(qb=books.qb))
    refused(lambda: old.void(qb=books.qb))
    refused(lambda: old.delete(qb=books.qb))
    new.TxnDate = "2026-06-15"
    refused(lambda: new.save(qb=books.qb))
    refused(lambda: books.pay(old, 10, TxnDate="2026-06-20"))
    payment = books.pay(old, 10)
    assert payment.Line[0].Amount == 10, "the date of the payment decides, not that of its invoice"
    assert books.ui("edit_customer", customer=customer.Id, fields={"Notes": "names are open"})["Notes"]
    assert books.ui("edit_invoice", invoice="T-1", fields={"PrivateNote": "by a person"}, closed=True)["PrivateNote"]


def test_the_fault_of_a_closed_period_has_several_forms(books: QuickBooksClient) -> None:
    books.close_books("2026-07-14")
    customer = books.customer()
    for reading, code in (("6200", 6200), ("5010", 5010)):
        books.set_readings(closed_period_fault=reading)
        with pytest.raises(QuickbooksException, match="Account Period Closed") as caught:
            books.invoice(customer)
        assert caught.value.error_code == code


def test_a_sandbox_that_starts_again_continues(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    held: list[Any] = []
    for _ in range(2):
        world, _ = make_world(Wishes(today=TODAY, payments=30), path)
        service = load_services(world, ["quickbooks"])["quickbooks"]
        assert isinstance(service, QuickBooksStandIn)
        held.append(json.dumps(service.state(), sort_keys=True))
        world.store.close()
    assert held[0] == held[1]


def test_what_cannot_be_loaded_or_switched_says_why(books: QuickBooksClient) -> None:
    before = books.state()
    for path, body, said in (
        ("load", {"Nothing": []}, "holds no Nothing"),
        ("load", {"Customer": [{"PrimaryEmailAddr": {"Address": "a@b.example"}}]}, "DisplayName"),
        ("readings", {"mood": 1}, "no reading"),
        ("readings", {"over_applied": "perhaps"}, "is one of"),
        ("quota", {"day": 1}, "Unknown limit"),
        ("lock-date", {"period": None, "year_end": "2026-06-30"}, "one closing date"),
    ):
        with pytest.raises(AssertionError, match=said):
            books.control(path, body)
    assert books.state() == before
