"""Xero's records as the project sees them, and that no record is missed while a list changes under the reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xero_python.accounting.models import TimeZone

from connectors.pages import Part, walk
from connectors.shared.answers import loads
from connectors.xero import chart, fields, read
from qualy_sync.contracts.accounting import RemoteContact, Status, What
from qualy_sync.contracts.errors import AnswerLost, WrongShape

BILL: dict[str, Any] = {
    "Type": "ACCPAY", "InvoiceID": "b-1", "InvoiceNumber": "B1", "Contact": {"ContactID": "c-1", "Name": "School"},
    "Date": "/Date(1782864000000+0000)/", "Status": "VOIDED", "CurrencyCode": "AUD", "SubTotal": 10, "TotalTax": 1,
    "Total": 11, "AmountDue": 0, "UpdatedDateUTC": "/Date(1782907200123+0000)/",
}  # fmt: skip
PAYMENT: dict[str, Any] = {
    "PaymentID": "p-1", "Date": "/Date(1782864000000+0000)/", "Amount": Decimal("46.00"), "Reference": "S1",
    "Status": "AUTHORISED", "IsReconciled": "true", "UpdatedDateUTC": "/Date(1782907200000+0000)/",
    "Account": {"AccountID": "a-1"}, "Invoice": {"Type": "ACCREC", "InvoiceID": "i-1", "CurrencyCode": "NZD"},
}  # fmt: skip


def without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def test_a_bill_goes_by_its_number_and_a_voided_one_is_still_a_bill() -> None:
    bill = read.document(BILL)
    assert (bill.what, bill.ref, bill.number, bill.status) == (What.BILL, "B1", "B1", Status.VOIDED)
    assert (bill.date, bill.due_date, bill.total, bill.due) == (date(2026, 7, 1), None, 11_00, 0)
    assert bill.updated_at == datetime(2026, 7, 1, 12, 0, 0, 123_000, tzinfo=UTC)


def test_a_draft_bill_that_came_by_email_has_neither_date_contact_nor_number() -> None:
    draft = {k: v for k, v in BILL.items() if k not in {"Date", "Contact", "InvoiceNumber"}} | {"Status": "DRAFT"}
    bill = read.document(draft)
    assert (bill.contact_id, bill.number, bill.date) == ("", "", date(2026, 7, 1))
    with pytest.raises(WrongShape):
        read.document(without(BILL, "Date") | {"Status": "AUTHORISED"})


def test_a_payment_names_what_it_paid_and_an_account_without_code_goes_by_its_id() -> None:
    paid = read.settlement(PAYMENT)
    assert (paid.document_id, paid.currency, paid.amount, paid.account) == ("i-1", "NZD", 46_00, "a-1")
    assert paid.reconciled
    refund = without(PAYMENT, "Invoice") | {"CreditNote": {"CreditNoteID": "n-1", "CurrencyCode": "NZD"}}
    assert read.settlement(refund).document_id == "n-1"


def test_a_merged_contact_says_into_whom() -> None:
    row = {"ContactID": "c-1", "ContactStatus": "ARCHIVED", "EmailAddress": " Ana@Example.COM ", "Name": "Ana",
           "MergedToContactID": "c-2", "UpdatedDateUTC": "/Date(1782907200000+0000)/"}  # fmt: skip
    contact = read.contact(row)
    assert (contact.active, contact.merged_into, contact.email, contact.ref) == (False, "c-2", "ana@example.com", "")


@pytest.mark.parametrize("name", [key for key in BILL if key not in {"Contact", "InvoiceNumber", "AmountDue", "Date"}])
def test_a_document_without_what_money_needs_is_not_guessed_at(name: str) -> None:
    with pytest.raises(WrongShape):
        read.document(without(BILL, name))


@pytest.mark.parametrize(
    "change",
    [{"Total": "eleven"}, {"Total": True}, {"Total": [1]}, {"Total": "NaN"}, {"Type": "ACCRECCREDIT"},
     {"Status": "ARCHIVED"}, {"UpdatedDateUTC": "/Date(99999999999999999)/"}, {"InvoiceID": 7}, {"Contact": []}],
)  # fmt: skip
def test_values_that_xero_does_not_document_are_not_guessed_at(change: dict[str, Any]) -> None:
    with pytest.raises(WrongShape):
        read.document(BILL | change)


@pytest.mark.parametrize("content", [None, [], {}, {"Invoices": None}, {"Invoices": {}}, {"Invoices": ["x"]}])
def test_a_page_of_another_shape_is_never_an_empty_page(content: Any) -> None:
    with pytest.raises(WrongShape):
        fields.rows(content, "Invoices")


@given(st.integers(-(10**12), 10**12), st.sampled_from(["AUD", "JPY", "KWD"]))
def test_amounts_are_read_to_the_last_digit(minor: int, currency: str) -> None:
    digits = {"AUD": 2, "JPY": 0, "KWD": 3}[currency]
    row = {"Total": Decimal(minor).scaleb(-digits)}
    assert fields.minor(row, "Total", currency) == minor
    assert fields.minor(loads(f'{{"Total": {row["Total"]:f}}}'.encode()), "Total", currency) == minor


@given(st.dates(date(1990, 1, 1), date(2099, 1, 1)))
def test_dates_are_calendar_dates_whatever_the_form(day: date) -> None:
    ticks = int((datetime(day.year, day.month, day.day, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    for value in (f"/Date({ticks * 1000}+0000)/", f"/Date({ticks * 1000})/", f"{day}T00:00:00", str(day)):
        assert fields.day({"Date": value}, "Date") == day
    assert fields.day({"Date": "/Date(0)/", "DateString": f"{day}T00:00:00"}, "Date") == day


# -- the chart ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [zone.value for zone in TimeZone])
def test_every_time_zone_that_xero_lists_is_known(name: str) -> None:
    assert chart.zone(name).key


def test_time_zones_are_the_right_ones_and_unknown_ones_are_named() -> None:
    assert chart.zone("AUSEASTERNSTANDARDTIME").key == "Australia/Sydney"
    assert chart.zone("ESOUTHAMERICASTANDARDTIME").key == "America/Sao_Paulo"
    with pytest.raises(WrongShape, match="ATLANTISSTANDARDTIME"):
        chart.zone("ATLANTISSTANDARDTIME")


def test_tax_rates_keep_every_digit() -> None:
    row = {"TaxType": "TAX001", "EffectiveRate": Decimal("8.875"), "Status": "ACTIVE", "CanApplyToRevenue": True}
    code = chart.tax_code(row)
    assert (code.rate, code.active, code.sales, code.purchases) == (88_750, True, True, False)


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ([{"Name": chart.POSTS_BEHIND_LOCK, "Status": "ALLOWED"}], True),
        ([{"Name": chart.POSTS_BEHIND_LOCK, "Status": "NOT-ALLOWED"}], False),
        ([{"Name": "UseMulticurrency", "Status": "ALLOWED"}], None),
        ([], None),
    ],
)
def test_whether_the_connection_could_post_behind_the_lock(
    actions: list[dict[str, Any]], expected: bool | None
) -> None:
    assert chart.may_post_behind_lock(actions) is expected


# -- pages --------------------------------------------------------------------------------------------------------

START = datetime(2026, 7, 1, tzinfo=UTC)


def contact(number: int, seconds: float) -> RemoteContact:
    return RemoteContact(f"c-{number}", "", "", "", True, "", START + timedelta(seconds=seconds))


class Listing:
    """A list as Xero serves it, in the order of last change; a record may change after any page."""

    def __init__(self, seconds: Sequence[float], size: int, changes: Sequence[int], *, counts: bool) -> None:
        self.records = {f"c-{number}": contact(number, at) for number, at in enumerate(seconds)}
        self.size, self.counts = size, counts
        self.changes = list(changes)
        self.now = max(seconds, default=0) + 1

    def fetch(self, since: datetime | None, page: int) -> Part:
        found = sorted(self.records.values(), key=lambda one: (one.updated_at, one.id))
        if since is not None:
            found = [one for one in found if one.updated_at > since]
        rows = found[(page - 1) * self.size : page * self.size]
        if self.changes:
            self._change(self.changes.pop())
        return Part(rows, self.counts and page * self.size >= len(found))

    def _change(self, number: int) -> None:
        self.now += 0.25
        name = f"c-{number % len(self.records)}"
        self.records[name] = replace(self.records[name], updated_at=START + timedelta(seconds=self.now))


@given(
    seconds=st.lists(st.integers(0, 40).map(lambda quarter: quarter / 4), min_size=1, max_size=30),
    size=st.integers(1, 5),
    changes=st.lists(st.integers(0, 100), max_size=15),
    counts=st.booleans(),
)
def test_no_record_is_missed_while_others_change(
    seconds: list[float], size: int, changes: list[int], counts: bool
) -> None:
    listing = Listing(seconds, size, changes, counts=counts)
    before = set(listing.records.values())
    read_ones = [one for page in walk(listing.fetch, None) for one in page]
    assert len(set(read_ones)) == len(read_ones)
    assert {one.id for one in read_ones} == {one.id for one in before}


def test_an_empty_list_ends_and_a_list_within_one_second_is_read_whole() -> None:
    assert list(walk(lambda since, page: Part((), False), START)) == []
    listing = Listing([0.0] * 7, 2, [], counts=False)
    assert sum(len(page) for page in walk(listing.fetch, None)) == 7


def test_a_list_in_another_order_is_read_by_page_numbers() -> None:
    pages = [[contact(1, 9), contact(2, 8)], [contact(3, 7), contact(4, 6)], []]
    asked: list[tuple[datetime | None, int]] = []

    def fetch(since: datetime | None, page: int) -> Part:
        asked.append((since, page))
        return Part(pages[page - 1], False)

    assert [one.id for page in walk(fetch, None) for one in page] == ["c-1", "c-2", "c-3", "c-4"]
    assert asked == [(None, 1), (None, 2), (None, 3)] * 2, "read twice: nothing moved meanwhile"


def test_a_list_that_never_holds_still_is_not_taken_for_complete() -> None:
    listing = Listing([0.0] * 4, 2, [0, 1] * 100, counts=False)

    def backwards(since: datetime | None, page: int) -> Part:
        part = listing.fetch(since, page)
        return replace(part, records=[*reversed(part.records)])

    with pytest.raises(AnswerLost):
        list(walk(backwards, None))
