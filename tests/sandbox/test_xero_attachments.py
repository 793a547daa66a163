"""Files attached to Xero's documents, with the official SDK."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.xero_client import XeroClient, xero_sandbox

PDF = b"%PDF-1.7 a receipt \x00\xff"


@pytest.fixture(scope="module")
def xero() -> Iterator[XeroClient]:
    with xero_sandbox() as client:
        yield client


def attach(xero: XeroClient, invoice_id: str, name: str, body: bytes = PDF) -> int:
    """The status of one PUT of raw bytes."""
    return xero.http("PUT", f"/Invoices/{invoice_id}/Attachments/{name}", body).status_code


def test_a_file_comes_back_as_it_went_in_and_the_invoice_says_that_it_has_one(xero: XeroClient) -> None:
    invoice = xero.invoice(xero.contact("Ana Anexo"), "ATT-1")
    made = xero.api.create_invoice_attachment_by_file_name(
        xero.tenant, invoice["InvoiceID"], "Recibo São Paulo.pdf", PDF, include_online=True
    )
    [one] = made.attachments
    assert (one.file_name, one.mime_type, one.content_length) == ("Recibo São Paulo.pdf", "application/pdf", len(PDF))
    listed = xero.read(f"/Invoices/{invoice['InvoiceID']}/Attachments")["Attachments"]
    assert [(each["AttachmentID"], each["IncludeOnline"]) for each in listed] == [(one.attachment_id, True)]
    for asked in (one.attachment_id, "recibo são paulo.PDF"):
        answer = xero.http("GET", f"/Invoices/{invoice['InvoiceID']}/Attachments/{asked}")
        assert (answer.content, answer.headers["content-type"]) == (PDF, "application/pdf")
    assert xero.read(f"/Invoices/{invoice['InvoiceID']}")["Invoices"][0]["HasAttachments"] is True


def test_the_same_name_overwrites_and_the_eleventh_file_is_refused(xero: XeroClient) -> None:
    invoice = xero.invoice(xero.contact("Bea Anexo"), "ATT-2")["InvoiceID"]
    assert [attach(xero, invoice, f"{number}.pdf") for number in range(10)] == [200] * 10
    assert attach(xero, invoice, "9.PDF", b"newer") == 200
    assert attach(xero, invoice, "10.pdf") == 400
    assert len(xero.read(f"/Invoices/{invoice}/Attachments")["Attachments"]) == 10
    assert xero.http("GET", f"/Invoices/{invoice}/Attachments/9.pdf").content == b"newer"


@pytest.mark.parametrize("name", ["a%3Cb.pdf", "a%3Ab.pdf", "a%2Ab.pdf", "a%2Bb.pdf", "a%7Cb.pdf", "a%22b.pdf"])
def test_a_name_with_a_forbidden_character_is_refused(xero: XeroClient, name: str) -> None:
    invoice = xero.invoice(xero.contact(f"Cy {name}"), f"ATT-{name[2:4]}")["InvoiceID"]
    assert attach(xero, invoice, name) == 400
    assert xero.read(f"/Invoices/{invoice}/Attachments")["Attachments"] == []


def test_nothing_is_attached_to_what_is_not_there_or_by_whom_the_scope_is_missing(xero: XeroClient) -> None:
    assert attach(xero, "00000000-0000-4000-8000-000000000000", "a.pdf") == 404
    invoice = xero.invoice(xero.contact("Di Anexo"), "ATT-4")["InvoiceID"]
    assert attach(xero, invoice, "a.pdf", b"x" * 10_000_001) in (400, 413)
    xero.sandbox.control("POST", "scopes/xero", {"scopes": ["accounting.invoices", "accounting.attachments.read"]})
    assert attach(xero, invoice, "a.pdf") == 401
    assert xero.http("GET", f"/Invoices/{invoice}/Attachments").status_code == 200
