"""Lock dates: what is refused on or before them, for whom, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.xero_client import XeroClient, invoice_body, messages, payment_body, xero_sandbox

PERIOD = "The document date cannot be before the period lock date, currently set at 31-May-2026"
YEAR_END = "The document date cannot be before the end of year lock date, currently set at 31-May-2026"
EDIT = "The document cannot be edited as it is currently dated before the period lock date"
PAYMENT = "Organisation accounts are locked on the specified payment date 31-May-2026"


def lock(xero: XeroClient, period: str | None = None, year_end: str | None = None) -> None:
    xero.control("lock-date", {"period": period, "year_end": year_end})


def put(xero: XeroClient, contact: dict[str, Any], number: str, day: str, **fields: Any) -> list[str]:
    return messages(xero.write("PUT", "Invoices", invoice_body(contact, number, Date=day, **fields))[0])


def test_the_default_lock_is_the_end_of_the_month_two_months_back() -> None:
    with xero_sandbox() as fresh:
        organisation = fresh.read("/Organisation")["Organisations"][0]
    assert organisation["PeriodLockDate"] == "/Date(1780185600000+0000)/"
    assert "EndOfYearLockDate" not in organisation


def test_a_lock_date_that_is_taken_away_is_absent(xero: XeroClient) -> None:
    lock(xero, year_end="2025-06-30")
    organisation = xero.api.get_organisations(xero.tenant).organisations[0]
    assert organisation.period_lock_date is None
    assert organisation.end_of_year_lock_date.isoformat() == "2025-06-30"


def test_the_lock_counts_inclusively_although_the_message_says_before(xero: XeroClient) -> None:
    lock(xero, period="2026-05-31")
    contact = xero.contact()
    assert put(xero, contact, "T-1", "2026-05-31") == [PERIOD]
    assert put(xero, contact, "T-2", "2026-06-01") == []
    assert put(xero, contact, "B-1", "2026-05-31", Type="ACCPAY", LineAmountTypes="NoTax") == [PERIOD]


def test_both_locks_give_both_messages_the_period_first(xero: XeroClient) -> None:
    lock(xero, period="2026-05-31", year_end="2026-05-31")
    assert put(xero, xero.contact(), "T-1", "2026-01-10") == [PERIOD, YEAR_END]


def test_an_adviser_is_bound_by_the_year_end_alone(xero: XeroClient) -> None:
    lock(xero, period="2026-05-31", year_end="2025-06-30")
    xero.control("adviser", {"on": True})
    contact = xero.contact()
    assert put(xero, contact, "T-1", "2026-05-31") == []
    assert len(put(xero, contact, "T-2", "2025-06-30")) == 1
    actions = {one.name: one.status for one in xero.api.get_organisation_actions(xero.tenant).actions}
    assert actions["ApproveTransactionsBeforePeriodLockDate"] == "ALLOWED"


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED"])
def test_a_draft_may_carry_a_locked_date_but_cannot_be_approved(xero: XeroClient, status: str) -> None:
    lock(xero, period="2026-05-31")
    draft = xero.invoice(xero.contact(), Date="2026-05-20", Status=status)
    approved = xero.write("POST", "Invoices", {"InvoiceID": draft["InvoiceID"], "Status": "AUTHORISED"})[0]
    assert messages(approved) == [PERIOD]


def test_locked_documents_are_neither_edited_nor_voided(xero: XeroClient) -> None:
    invoice = xero.invoice(xero.contact(), Date="2026-05-20")
    lock(xero, period="2026-05-31")
    for change in ({"Reference": "new"}, {"Status": "VOIDED"}):
        answer = xero.write("POST", "Invoices", {"InvoiceID": invoice["InvoiceID"]} | change)[0]
        assert messages(answer) == [EDIT]


def test_a_payment_follows_its_own_date_not_the_invoices(xero: XeroClient) -> None:
    invoice = xero.invoice(xero.contact(), Date="2026-05-20")
    lock(xero, period="2026-05-31")
    locked = xero.write("PUT", "Payments", payment_body(invoice, 10, Date="2026-05-31"))[0]
    assert messages(locked) == [PAYMENT]
    assert xero.pay(invoice, 110, Date="2026-06-01")["Status"] == "AUTHORISED"


def test_a_payment_in_a_locked_period_cannot_be_deleted(xero: XeroClient) -> None:
    payment = xero.pay(xero.invoice(xero.contact(), Date="2026-05-20"), 110, Date="2026-05-31")
    lock(xero, period="2026-05-31")
    answer = xero.http("POST", f"/Payments/{payment['PaymentID']}", {"Status": "DELETED"})
    assert messages(answer.json()["Elements"][0]) == [PAYMENT]


def test_moving_the_lock_lets_the_same_document_through(xero: XeroClient) -> None:
    contact = xero.contact()
    lock(xero, period="2026-05-31")
    assert put(xero, contact, "T-1", "2026-05-20") == [PERIOD]
    lock(xero, period="2026-04-30")
    assert put(xero, contact, "T-1", "2026-05-20") == []
