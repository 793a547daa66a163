"""What is read of QuickBooks: whole lists, changes, deletions, and the figures of a United States company."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.quickbooks import QuickBooksTool, connect
from qualy_sync.contracts.accounting import (
    Answered,
    Basis,
    Declined,
    Done,
    Line,
    NewDocument,
    Party,
    Remote,
    RemoteContact,
    RemoteDocument,
    RemoteSettlement,
    Status,
    What,
    owned_hash,
)
from qualy_sync.contracts.errors import ToolError
from qualy_sync.outcomes import Code
from sandbox.server import Sandbox
from tests.support.quickbooks_connection import FreshTokens, SandboxClock, endpoint, new_contact, ref, send

TODAY = date(2026, 7, 15)
BEFORE = datetime(2026, 7, 14, 12, tzinfo=UTC)
WIDE = {"second": None, "minute": None, "batch_minute": None}
GROUPS = {What.CONTACT: ("Customer", "Vendor"), What.INVOICE: ("Invoice", "Bill"), What.SETTLEMENT: ("Payment",)}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.start(payments=30, today=TODAY, services=["quickbooks"]) as sandbox:
        sandbox.control("POST", "quota/quickbooks", WIDE)
        yield sandbox


@pytest.fixture(scope="module")
def american() -> Iterator[Sandbox]:
    with Sandbox.start(payments=1, today=TODAY, profile="us", services=["quickbooks"]) as sandbox:
        sandbox.control("POST", "quota/quickbooks", WIDE)
        yield sandbox


def opened(sandbox: Sandbox, profile: str = "au") -> QuickBooksTool:
    at = endpoint(sandbox, profile)
    return connect(at, FreshTokens(at), SandboxClock(sandbox), read_timeout=5)


@pytest.fixture
def tool(sandbox: Sandbox) -> QuickBooksTool:
    return opened(sandbox)


def everything(tool: QuickBooksTool, what: What, since: datetime | None = None) -> list[Remote]:
    return [one for page in tool.changed(what, since) for one in page]


def answered(tool: QuickBooksTool, *batch: Any) -> list[Any]:
    reply = send(tool, *batch)
    assert isinstance(reply, Answered), reply
    return list(reply.results)


@pytest.mark.parametrize("short", [None, 1, 7])
def test_whole_lists_are_read_however_short_their_pages_are(sandbox: Sandbox, tool: QuickBooksTool, short: int) -> None:
    sandbox.control("POST", "readings/quickbooks", {"short_pages": short})
    state = sandbox.control("GET", "state/quickbooks")
    for what, kinds in GROUPS.items():
        there = sum(len(state[kind]) for kind in kinds)
        found = {one.id for one in everything(tool, what)}
        assert len(found) >= there > 0, what
    assert len([code for code in tool.chart().accounts if ">" in code]) == len(state["Item"])
    sandbox.control("POST", "readings/quickbooks", {"short_pages": None})


@pytest.mark.parametrize("short", [None, 1, 7])
def test_looking_for_records_finds_all_of_them_however_short_the_pages_are(
    sandbox: Sandbox, tool: QuickBooksTool, short: int
) -> None:
    sandbox.control("POST", "readings/quickbooks", {"short_pages": short})
    invoices = sandbox.control("GET", "state/quickbooks")["Invoice"]
    numbers = [one["DocNumber"] for one in invoices if one.get("DocNumber")]
    found = tool.find(What.INVOICE, [*numbers, "NO-SUCH-NUMBER"], None)
    assert sorted(one.number for one in found if isinstance(one, RemoteDocument)) == sorted(numbers)
    assert len(numbers) > 3
    read = tool.by_id(What.INVOICE, [one.id for one in found])
    assert {one.id for one in read} == {one.id for one in found}
    sandbox.control("POST", "readings/quickbooks", {"short_pages": None})


def test_inactive_people_are_read_and_an_error_is_never_absence(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    gone = answered(tool, new_contact())[0].remote
    sandbox.control("POST", "ui/quickbooks", {"do": "inactivate_customer", "customer": gone.id.split("-")[1]})
    people = [one for one in everything(tool, What.CONTACT) if isinstance(one, RemoteContact)]
    assert {one.active for one in people} == {True, False}
    sandbox.control("POST", "faults/quickbooks", {"method": "*", "path": "/v3", "do": "status:404", "times": 1})
    with pytest.raises(ToolError):
        tool.find(What.CONTACT, ["C" + "0" * 19], None)
    assert tool.find(What.INVOICE, ["it's \\ odd' OR"], None) == (), "a value cannot end its own quotes"


def test_what_changed_lately_takes_one_call_and_tells_of_deletions(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    made = answered(tool, new_contact())[0].remote
    tool.organisation()
    before = tool.quota.calls
    found = everything(tool, What.CONTACT, BEFORE)
    assert tool.quota.calls == before + 1
    assert made in found
    assert everything(tool, What.INVOICE, SandboxClock(sandbox).now()) == []


def test_more_changes_than_one_answer_holds_are_read_to_the_end(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    since = SandboxClock(sandbox).now()
    wanted: set[str] = set()
    for _ in range(35):
        wanted |= {one.remote.id for one in answered(tool, *(new_contact() for _ in range(30)))}
    found = {one.id for one in everything(tool, What.CONTACT, since)}
    assert len(wanted) == 1050
    assert wanted <= found


def test_one_payment_over_several_documents_is_one_for_each(sandbox: Sandbox, tool: QuickBooksTool) -> None:
    contact = answered(tool, new_contact())[0].remote
    documents = [
        NewDocument(
            What.INVOICE, mine := ref("I"), f"S-{mine[-9:]}", contact.id, "AUD", TODAY, TODAY, Status.AUTHORISED,
            Basis.EXCLUSIVE, (Line("Course", 100_00, "204>61", "11"),),
        )
        for _ in range(2)
    ]  # fmt: skip
    first, second = (one.remote for one in answered(tool, *documents))
    links = [{"TxnId": one.id, "TxnType": "Invoice"} for one in (first, second)]
    fields = {
        "CustomerRef": {"value": contact.id.split("-")[1]},
        "TotalAmt": 150,
        "Line": [{"Amount": 100, "LinkedTxn": [links[0]]}, {"Amount": 50, "LinkedTxn": [links[1]]}],
    }
    paid = sandbox.control("POST", "ui/quickbooks", {"do": "create_payment", "fields": fields})
    found = tool.by_id(What.SETTLEMENT, [paid["Id"], f"{paid['Id']}:{second.id}"])
    assert {(one.id, one.document_id, one.amount) for one in found if isinstance(one, RemoteSettlement)} == {
        (paid["Id"], first.id, 100_00),
        (f"{paid['Id']}:{second.id}", second.id, 50_00),
    }


# -- the United States --------------------------------------------------------------------------------------------


def invoice(contact_id: str, tax: str, basis: Basis, text: str = "Course") -> NewDocument:
    mine = ref("I")
    lines = (Line(text, 100_07, "204>61", tax), Line("Held", 50_00, "201>81", "NON"))
    return NewDocument(
        What.INVOICE, mine, f"US-{mine[-9:]}", contact_id, "USD", TODAY, TODAY, Status.AUTHORISED, basis, lines
    )


@pytest.mark.parametrize("basis", list(Basis))
@pytest.mark.parametrize("code", ["TAX", "NON"])
def test_an_american_invoice_says_its_whole_tax(american: Sandbox, basis: Basis, code: str) -> None:
    tool = opened(american, "us")
    contact = answered(tool, new_contact(currency="USD"))[0].remote
    new = invoice(contact.id, code, basis)
    there = answered(tool, new)[0].remote
    totals = tool.totals(new.lines, basis, "USD", tool.chart())
    assert (there.net, there.tax, there.total) == (totals.net, totals.tax, totals.total)
    assert (there.tax > 0) == (code == "TAX")
    read = tool.as_read(new)
    assert owned_hash(read, read.lines) == owned_hash(there, there.lines)


def test_short_pages_hide_no_tax_rate_and_a_code_that_is_not_there_is_not_taxed_with_nothing(american: Sandbox) -> None:
    american.control("POST", "readings/quickbooks", {"short_pages": 1})
    tool = opened(american, "us")
    contact = answered(tool, new_contact(currency="USD"))[0].remote
    there = answered(tool, invoice(contact.id, "TAX", Basis.EXCLUSIVE))[0].remote
    assert there.tax == 8_88  # 8.875 % of 100.07
    (refused,) = answered(tool, invoice(contact.id, "GONE", Basis.EXCLUSIVE))
    assert (refused.code, refused.message) == (Code.UNMAPPED_TAX, "QuickBooks has no tax code GONE.")
    american.control("POST", "readings/quickbooks", {"short_pages": None})


def test_an_american_bill_carries_no_code(american: Sandbox) -> None:
    tool = opened(american, "us")
    vendor = answered(tool, new_contact(party=Party.SUPPLIER, currency="USD"))[0].remote
    mine = ref("B")
    new = NewDocument(
        What.BILL, mine, mine, vendor.id, "USD", TODAY, TODAY, Status.AUTHORISED, Basis.INCLUSIVE,
        (Line("Share", 80_00, "72", "NON"),),
    )  # fmt: skip
    there = answered(tool, new)[0].remote
    assert (there.total, there.tax, there.lines[0].tax) == (80_00, 0, "NON")
    (raw,) = [one for one in american.control("GET", "state/quickbooks")["Bill"] if one["Id"] == there.id]
    assert "TaxCodeRef" not in raw["Line"][0]["AccountBasedExpenseLineDetail"]
    taxes = tool.chart().taxes
    assert (taxes["NON"].purchases, taxes["TAX"].purchases, taxes["TAX"].sales) == (True, False, True)


def test_an_american_company_keeps_latin_letters_alone(american: Sandbox) -> None:
    tool = opened(american, "us")
    results = answered(tool, new_contact("陈伟", currency="USD"), new_contact("José Muñoz", currency="USD"))
    assert [type(one) for one in results] == [Declined, Done]
    contact = results[1].remote
    result = answered(tool, invoice(contact.id, "NON", Basis.EXCLUSIVE, "Kurs języka – Łódź"))[0]
    assert isinstance(result, Done), result
    there: Any = result.remote
    assert there.lines[0].description == "Kurs jezyka - Lódz"
