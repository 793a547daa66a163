"""What is put on the wire for Xero: exact amounts, no field that would change or mail anything by the way."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.xero import names, write
from qualy_sync.contracts.accounting import Basis, Line, NewContact, NewDocument, NewSettlement, Status, What
from qualy_sync.model import to_decimal


def document(what: What = What.INVOICE, *, amount: int = 110_00, currency: str = "AUD", link: str = "") -> NewDocument:
    return NewDocument(
        what=what,
        ref="I0123456789ABCDEFGH",
        number="QY-17",
        contact_id="5b2c1f50-0000-4000-8000-000000000001",
        currency=currency,
        date=date(2026, 7, 1),
        due_date=date(2026, 7, 15),
        status=Status.AUTHORISED,
        basis=Basis.INCLUSIVE,
        lines=(Line("English course, 12 weeks", amount, "200", "OUTPUT"),),
        link=link,
    )


def elements(sent: bytes) -> list[dict[str, object]]:
    return next(iter(json.loads(sent, parse_float=Decimal).values()))


def test_an_invoice_carries_its_number_our_ref_and_nothing_left_to_defaults() -> None:
    assert write.body([document(link="https://app.example/payments/1")]) == (
        b'{"Invoices":[{"Type":"ACCREC","Contact":{"ContactID":"5b2c1f50-0000-4000-8000-000000000001"},'
        b'"LineAmountTypes":"Inclusive","LineItems":[{"Description":"English course, 12 weeks","Quantity":1,'
        b'"UnitAmount":110.00,"AccountCode":"200","TaxType":"OUTPUT"}],"Date":"2026-07-01","DueDate":"2026-07-15",'
        b'"InvoiceNumber":"QY-17","Reference":"I0123456789ABCDEFGH","CurrencyCode":"AUD",'
        b'"Url":"https://app.example/payments/1","Status":"AUTHORISED"}]}'
    )


def test_a_bill_carries_our_ref_as_its_number_because_bills_have_no_reference() -> None:
    (bill,) = elements(write.body([document(What.BILL)]))
    assert (bill["Type"], bill["InvoiceNumber"]) == ("ACCPAY", "I0123456789ABCDEFGH")
    assert "Reference" not in bill


def test_invoices_and_bills_share_a_batch_and_are_told_apart_in_it() -> None:
    sent = write.body([document(), document(What.BILL)])
    assert write.refs(What.INVOICE, sent) == {
        ("accrec", "qy-17"): "I0123456789ABCDEFGH",
        ("accpay", "i0123456789abcdefgh"): "I0123456789ABCDEFGH",
    }


@pytest.mark.parametrize(
    "link", ["https://go.xero.com/1", "https://a.example/XERO", "javascript:alert(1)", "ftp://a.example", "https://["]
)
def test_a_link_that_xero_would_refuse_is_left_out(link: str) -> None:
    (invoice,) = elements(write.body([document(link=link)]))
    assert "Url" not in invoice


def test_a_payment_names_invoice_account_and_our_ref() -> None:
    paid = NewSettlement("S0123456789ABCDEFGH", "inv-1", "091", date(2026, 7, 2), 5, "AUD")
    assert write.body([paid]) == (
        b'{"Payments":[{"Invoice":{"InvoiceID":"inv-1"},"Account":{"Code":"091"},"Date":"2026-07-02",'
        b'"Amount":0.05,"Reference":"S0123456789ABCDEFGH"}]}'
    )


def test_a_bank_account_without_code_is_named_by_its_id() -> None:
    account = "13918178-849A-4823-9A31-57B7EAC713D7"
    (paid,) = elements(write.body([NewSettlement("S1", "inv-1", account, date(2026, 7, 2), 100, "AUD")]))
    assert paid["Account"] == {"AccountID": account}


def test_a_contact_carries_only_what_is_known() -> None:
    (contact,) = elements(write.body([NewContact("C1", "Zoë Núñez", "zoe@example.com", "Zoë", "")]))
    assert contact == {
        "Name": "Zoë Núñez",
        "ContactNumber": "C1",
        "EmailAddress": "zoe@example.com",
        "FirstName": "Zoë",
    }


def test_kinds_are_not_mixed_and_an_empty_batch_is_no_batch() -> None:
    with pytest.raises(ValueError, match="one of these kinds"):
        write.body([NewContact("C1", "A", "a@example.com"), document()])
    with pytest.raises(ValueError, match="one of these kinds"):
        write.body([])


def test_a_document_is_never_created_as_paid() -> None:
    paid = NewSettlement("S1", "inv-1", "091", date(2026, 7, 2), 1, "AUD")
    assert elements(write.body([paid]))
    with pytest.raises(ValueError, match="cannot be created as paid"):
        write.body(
            [
                NewDocument(
                    What.INVOICE, "I1", "1", "c", "AUD", date(2026, 7, 1), date(2026, 7, 1), Status.PAID,
                    Basis.INCLUSIVE, (Line("x", 1, "200", "OUTPUT"),),
                )
            ]
        )  # fmt: skip


@given(
    amount=st.integers(-(10**12), 10**12),
    currency=st.sampled_from(["AUD", "JPY", "KWD", "BRL"]),
    description=st.text(max_size=60),
)
def test_any_amount_and_text_comes_back_digit_by_digit(amount: int, currency: str, description: str) -> None:
    new = document(amount=amount, currency=currency)
    line = Line(description, amount, "200", "OUTPUT")
    sent = write.body([new, *[NewDocument(**{**_fields(new), "what": What.BILL, "lines": (line,)})]])
    first, second = elements(sent)
    assert Decimal(str(first["LineItems"][0]["UnitAmount"])) == to_decimal(amount, currency)  # type: ignore[index]
    said = second["LineItems"][0]["Description"]  # type: ignore[index]
    assert said == " ".join(said.split())
    assert said.isprintable() or not description.isprintable()
    assert (write.decimals(sent) > 2) == (currency == "KWD")


def _fields(new: NewDocument) -> dict[str, object]:
    return {name: getattr(new, name) for name in NewDocument.__slots__}


@given(name=st.text(max_size=400), suffix=st.text(alphabet="ABCDEFGH0123456789()", max_size=21))
def test_a_contact_name_always_fits_and_keeps_its_suffix(name: str, suffix: str) -> None:
    made = names.contact_name(name, "ana@example.com", suffix)
    assert made
    assert len(made.encode("utf-16-le")) // 2 <= 255
    assert made == " ".join(made.split())
    assert not set(made) & {"<", ">"}
    assert made.endswith(suffix)


def test_a_person_without_a_name_goes_by_the_email() -> None:
    assert names.contact_name(" <> ", "ana@example.com") == "ana@example.com"
    assert names.contact_name("Ana  Silva", "ana@example.com", "(7F3)") == "Ana Silva (7F3)"
