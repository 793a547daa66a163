"""What each answer of Xero's means for what was sent: done, declined, not sent, or unknown, and never guessed."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors.shared.answers import Heard
from connectors.xero import write
from connectors.xero.classify import read_content, write_reply
from qualy_sync.contracts.accounting import (
    Answered,
    Basis,
    Declined,
    Done,
    Line,
    NewContact,
    NewDocument,
    NewSettlement,
    NotSent,
    RejectedWhole,
    RemoteDocument,
    Status,
    Unanswered,
    What,
)
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Reconnect, Refused, ToolError, Unreachable
from qualy_sync.outcomes import Code

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
ZERO = "00000000-0000-0000-0000-000000000000"
GUID = "5b2c1f50-1111-4000-8000-00000000000"


def invoice(number: int) -> NewDocument:
    day = date(2026, 7, 1)
    one_line = (Line("Course", 100_00, "200", "OUTPUT"),)
    return NewDocument(
        What.INVOICE, f"REF{number}", f"N-{number}", "c", "AUD", day, day, Status.AUTHORISED, Basis.INCLUSIVE, one_line
    )


SENT = write.body([invoice(1), invoice(2), invoice(3)])


def saved(number: int, **more: Any) -> dict[str, Any]:
    return {
        "Type": "ACCREC", "InvoiceID": f"{GUID}{number}", "InvoiceNumber": f"N-{number}", "Reference": f"REF{number}",
        "Contact": {"ContactID": "c"}, "DateString": "2026-07-01T00:00:00", "Date": "/Date(1782864000000+0000)/",
        "DueDate": "/Date(1782864000000+0000)/", "Status": "AUTHORISED", "CurrencyCode": "AUD", "SubTotal": 90.91,
        "TotalTax": 9.09, "Total": 100.00, "AmountDue": 100.00, "AmountPaid": 0, "HasErrors": False,
        "UpdatedDateUTC": "/Date(1782907200000+0000)/", "StatusAttributeString": "OK",
    } | more  # fmt: skip


def failed(number: int, *messages: str, **more: Any) -> dict[str, Any]:
    told = [{"Message": message} for message in messages]
    error = {"InvoiceID": ZERO, "StatusAttributeString": "ERROR", "HasErrors": True, "ValidationErrors": told}
    return {"Type": "ACCREC", "InvoiceNumber": f"N-{number}"} | error | more


def heard(status: int, content: Any = None, **headers: str) -> Heard:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Heard(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def reply(answer: Heard) -> Any:
    return write_reply(What.INVOICE, SENT, answer, "Xero create_invoices", NOW)


def test_one_bad_document_does_not_touch_the_others() -> None:
    bad = failed(2, "Account code '999' is not a valid code for this document.")
    made = reply(heard(200, {"Invoices": [saved(3), bad, saved(1)]}))
    assert isinstance(made, Answered)
    by_ref = {result.ref: result for result in made.results}
    assert set(by_ref) == {"REF1", "REF2", "REF3"}
    assert isinstance(by_ref["REF1"], Done)
    assert by_ref["REF1"].remote == RemoteDocument(
        f"{GUID}1", What.INVOICE, "REF1", "N-1", "c", "AUD", date(2026, 7, 1), date(2026, 7, 1), Status.AUTHORISED,
        90_91, 9_09, 100_00, 0, 0, 100_00, datetime(2026, 7, 1, 12, tzinfo=UTC),
    )  # fmt: skip
    message = "Account code '999' is not a valid code for this document."
    assert by_ref["REF2"] == Declined("REF2", Code.UNMAPPED_ACCOUNT, message)


@pytest.mark.parametrize(
    ("element", "why"),
    [
        (saved(2, InvoiceNumber="INV-0001"), "another number came back"),
        (saved(2, Type="ACCPAY"), "another type came back"),
        (saved(2, HasErrors=True), "an id and an error flag"),
        (saved(2, ValidationErrors=[{"Message": "?"}]), "an id and an error"),
        (saved(2, UpdatedDateUTC="yesterday"), "a record that cannot be read"),
        ({"Type": "ACCREC", "InvoiceNumber": "N-2"}, "no id and no error"),
        ("N-2", "no object"),
        (None, "nothing"),
    ],
)
def test_an_element_whose_fate_is_not_plain_is_left_unknown(element: Any, why: str) -> None:
    made = reply(heard(200, {"Invoices": [saved(1), element, saved(3)]}))
    assert isinstance(made, Answered)
    assert {result.ref for result in made.results} == {"REF1", "REF3"}, why


def test_an_element_that_comes_twice_is_left_unknown() -> None:
    made = reply(heard(200, {"Invoices": [saved(1), saved(2), failed(2, "Invoice # must be unique.")]}))
    assert isinstance(made, Answered)
    assert {result.ref for result in made.results} == {"REF1"}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("The document date cannot be before the period lock date, currently set at 30-Nov-2018", Code.LOCKED_THERE),
        ("The document date cannot be before the end of year lock date, currently set at 31-Jul-2013",
         Code.LOCKED_THERE),
        ("The document cannot be edited as it is currently dated before the period lock date", Code.LOCKED_THERE),
        ("Organisation accounts are locked on the specified payment date", Code.LOCKED_THERE),
        ("Invoice # must be unique.", Code.NUMBER_TAKEN),
        ("Another contact has this contact number. Please enter a different contact number.", Code.NUMBER_TAKEN),
        ("The contact name Ana is already assigned to another contact. The contact name must be unique across all"
         " active contacts.", Code.DUPLICATE_NAME),
        ("The contact with the specified contact details has been archived. The contact must be un-archived before"
         " creating new invoices or credit notes.", Code.ARCHIVED_CONTACT),
        ("Organisation is not subscribed to currency EUR", Code.CURRENCY_NOT_ENABLED),
        ("Account code '999' is not a valid code for this document.", Code.UNMAPPED_ACCOUNT),
        ("Account code 'X' has been archived, or has been deleted. Each line item must reference a valid account.",
         Code.UNMAPPED_ACCOUNT),
        ("Account could not be found.", Code.UNMAPPED_ACCOUNT),
        ("The TaxType code 'INPUT' cannot be used with account code '630'.", Code.UNMAPPED_TAX),
        ("The TaxType field is mandatory", Code.UNMAPPED_TAX),
        ("Payments can only be made against Authorised documents", Code.AWAITING_APPROVAL),
        ("Payment amount exceeds the amount outstanding on this document", Code.PAID_THERE),
        ("The document DueDate field must be specified", Code.INVALID),
        ("Email address must be valid.", Code.INVALID),
        ("You have reached the limit of invoices you can approve", Code.INVALID),
    ],
)  # fmt: skip
def test_every_known_message_has_its_word(message: str, code: Code) -> None:
    for shape in ({"Message": message}, {"Description": message}):
        made = reply(heard(200, {"Invoices": [failed(1, ValidationErrors=[shape])]}))
        assert made == Answered((Declined("REF1", code, message),))


def test_both_lock_messages_and_those_of_lines_are_collected_once() -> None:
    period, year = "before the period lock date", "before the end of year lock date"
    element = failed(1, period, year, LineItems=[{"ValidationErrors": [{"Message": "line"}, {"Message": period}]}])
    made = reply(heard(200, {"Invoices": [element]}))
    assert made == Answered((Declined("REF1", Code.LOCKED_THERE, f"{period}; {year}; line"),))


def test_a_200_that_saved_nothing_is_a_refusal() -> None:
    made = reply(heard(200, {"Invoices": [saved(1, InvoiceID=ZERO)]}))
    assert made == Answered((Declined("REF1", Code.INVALID, "Xero saved nothing and gave no reason."),))


def test_a_400_with_elements_lists_the_refused_ones_and_leaves_the_rest_unknown() -> None:
    bad = failed(2, "Invoice # must be unique.")
    del bad["StatusAttributeString"]
    made = reply(heard(400, {"Type": "ValidationException", "Message": "A validation exception", "Elements": [bad]}))
    assert made == Answered((Declined("REF2", Code.NUMBER_TAKEN, "Invoice # must be unique."),))


def test_a_400_to_the_whole_batch_is_an_answer() -> None:
    made = reply(heard(400, {"Type": "PostDataInvalidException", "Message": "JSON for post data was invalid"}))
    assert made == RejectedWhole("JSON for post data was invalid")


@pytest.mark.parametrize("wrap", [lambda said: {"Message": said},
                                  lambda said: {"Elements": [{"ValidationErrors": [{"Message": said}]}]}])  # fmt: skip
def test_a_key_used_for_a_different_request_tells_nothing_about_this_one(wrap: Any) -> None:
    made = reply(heard(400, wrap("Idempotency Key: K is used with a different request.")))
    assert isinstance(made, Unanswered)


@pytest.mark.parametrize("status", [400, 200])
@pytest.mark.parametrize("body", [b"<html>Bad Request</html>", b'{"Invoices": [{"Type"', b"", b"[1]", b"\xff", b"NaN"])
def test_what_cannot_be_read_settles_nothing(status: int, body: bytes) -> None:
    assert isinstance(reply(heard(status, body)), Unanswered)


@pytest.mark.parametrize("status", [100, 302, 408, 409, 500, 502, 503, 504])
def test_other_statuses_settle_nothing(status: int) -> None:
    assert isinstance(reply(heard(status, {"Invoices": [saved(1)]})), Unanswered)


def test_a_batch_that_is_too_large_is_halved() -> None:
    assert isinstance(reply(heard(413, b"too large")), RejectedWhole)


@pytest.mark.parametrize(("status", "error"), [(401, Reconnect), (403, Refused), (404, Refused), (429, OutOfQuota)])
def test_refusals_of_the_whole_request_were_not_sent(status: int, error: type[ToolError]) -> None:
    made = reply(heard(status, b"The resource you're looking for cannot be found"))
    assert isinstance(made, NotSent)
    assert isinstance(made.error, error)


@pytest.mark.parametrize(
    ("headers", "limit", "until"),
    [
        ({"x_rate_limit_problem": "minute", "retry_after": "17"}, "minute", NOW + timedelta(seconds=17)),
        ({"x_rate_limit_problem": "day", "retry_after": "66975"}, "day", NOW + timedelta(seconds=66975)),
        ({"x_rate_limit_problem": "minute"}, "minute", NOW + timedelta(minutes=1)),
        ({"x_rate_limit_problem": "concurrent"}, "concurrent", None),
        ({"retry_after": "Wed, 01 Jul 2026 13:00:00 GMT"}, "rate", datetime(2026, 7, 1, 13, tzinfo=UTC)),
        ({}, "rate", None),
    ],
)
def test_each_limit_says_how_long_to_wait(headers: dict[str, str], limit: str, until: datetime | None) -> None:
    made = reply(heard(429, b"", **headers))
    assert isinstance(made, NotSent)
    assert isinstance(made.error, OutOfQuota)
    assert (made.error.limit, made.error.until) == (limit, until)
    assert pickle.loads(pickle.dumps(made.error)).until == until


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (heard(401, {"Title": "Unauthorized"}), Reconnect),
        (heard(403, {"Title": "Forbidden"}), Refused),
        (heard(404, b"<html>404.15</html>"), Refused),
        (heard(400, b"<html>Bad Request</html>"), Refused),
        (heard(400, {"Type": "QueryParseException", "Message": 'No property "ana@example.com"'}), Refused),
        (heard(302, b""), Refused),
        (heard(503, b""), Unreachable),
        (heard(200, b'{"Invoices": ['), AnswerLost),
    ],
)
def test_reads_raise_and_never_show_what_was_answered(answer: Heard, error: type[ToolError]) -> None:
    with pytest.raises(error) as raised:
        read_content(answer, "Xero get_contacts", NOW)
    assert "example" not in str(raised.value)
    assert "html" not in str(raised.value)


def test_contacts_are_matched_by_number_and_payments_by_invoice_and_reference() -> None:
    contacts = write.body([NewContact("C1", "Ana", "ana@example.com"), NewContact("C2", "Ana B", "b@example.com")])
    name = {"Message": "The contact name Ana is already assigned to another contact."}
    refused = {"ContactID": ZERO, "ContactNumber": "C1", "HasValidationErrors": True, "ValidationErrors": [name]}
    made = write_reply(What.CONTACT, contacts, heard(200, {"Contacts": [refused]}), "x", NOW)
    assert isinstance(made, Answered)
    assert [(one.ref, one.code) for one in made.results if isinstance(one, Declined)] == [("C1", Code.DUPLICATE_NAME)]

    day = date(2026, 7, 1)
    payments = write.body(
        [NewSettlement(ref, doc, "091", day, 1, "AUD") for ref, doc in (("S1", "inv-a"), ("S2", "inv-b"))]
    )
    swapped = {"PaymentID": ZERO, "Invoice": {"InvoiceID": "inv-b"}, "Reference": "S1"}
    too_much = [{"Message": "Payment amount exceeds the amount outstanding on this document"}]
    right = swapped | {"Invoice": {"InvoiceID": "INV-B"}, "Reference": "S2", "ValidationErrors": too_much}
    made = write_reply(What.SETTLEMENT, payments, heard(200, {"Payments": [swapped, right]}), "x", NOW)
    assert isinstance(made, Answered)
    assert [(one.ref, one.code) for one in made.results if isinstance(one, Declined)] == [("S2", Code.PAID_THERE)]
