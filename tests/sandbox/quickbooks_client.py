"""A client of the stand-in for QuickBooks: the official SDK over HTTP, and plain HTTP for what the SDK hides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import requests
from quickbooks import QuickBooks
from quickbooks.objects import (
    AccountBasedExpenseLine,
    Bill,
    BillPayment,
    CreditMemo,
    Customer,
    Invoice,
    Payment,
    SalesItemLine,
    Vendor,
)
from quickbooks.objects.base import EmailAddress, Ref
from quickbooks.objects.billpayment import BillPaymentLine, CheckPayment
from quickbooks.objects.detailline import AccountBasedExpenseLineDetail, SalesItemLineDetail
from quickbooks.objects.payment import PaymentLine

from sandbox.server import Sandbox

TODAY = date(2026, 7, 15)
FEES, GST, GST_FREE, NO_GST = "204", "10", "11", "12"
BANK_FEES, CLEARING, CLEARING_USD = "73", "41", "42"
DOCUMENTS = (
    "Customer", "Vendor", "Employee", "Invoice", "Bill", "Payment", "BillPayment", "CreditMemo", "VendorCredit",
    "RefundReceipt", "Deposit", "ExchangeRate",
)  # fmt: skip
WIDE = {"second": None, "minute": None, "concurrent": 50, "batch_minute": None, "core_plus_month": None}
APP = ("sandbox-app", "sandbox-secret")
CONSENT = {
    "response_type": "code",
    "client_id": "sandbox-app",
    "redirect_uri": "http://localhost:8765/callback",
    "scope": "com.intuit.quickbooks.accounting",
    "state": "s",
    "approve": "yes",
}
WEB = httpx.Client(timeout=30)  # one for all tests: making a client takes longer than a call


class TokenSession(requests.Session):
    """What the SDK needs of a session."""

    access_token = ""


class QuickBooksClient:
    """One sandbox with QuickBooks alone, an access token, and short ways to write what tests need."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.url = f"{sandbox.url}/quickbooks"
        held = self.state()
        self.chart = {kind: held[kind] for kind in held if kind not in DOCUMENTS}
        self.readings = WEB.get(f"{sandbox.url}/control/readings/quickbooks").json()
        self.realm = self.control("company", {})["realm"]
        self.qb = QuickBooks(company_id=self.realm, minorversion=75, use_decimal=True)
        self.qb.session = TokenSession()
        self.qb.api_url_v3 = f"{self.url}/v3"
        self.sign_in()

    def sign_in(self) -> None:
        """Consent, and call with the tokens of it from now on."""
        answer = WEB.get(f"{self.url}/connect/oauth2", params=CONSENT)
        code = httpx.URL(answer.headers["location"]).params["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CONSENT["redirect_uri"]}
        self.tokens = self.token(**form).json()
        self.qb.session.access_token = self.tokens["access_token"]

    def token(self, headers: dict[str, str] | None = None, **form: str) -> httpx.Response:
        """The token endpoint, as the app."""
        return WEB.post(f"{self.url}/oauth2/v1/tokens/bearer", data=form, auth=APP, headers=headers)

    def http(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        """One call of the accounting API without the SDK."""
        headers = {"Authorization": f"Bearer {self.qb.session.access_token}", "Accept": "application/json"}
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        url = f"{self.url}/v3/company/{self.realm}/{path}"
        return WEB.request(method, url, content=content, headers=headers, params={"minorversion": 75} | query)

    def post(self, kind: str, body: dict[str, Any], **query: Any) -> dict[str, Any]:
        """A write that is accepted."""
        answer = self.http("POST", kind.lower(), body, **query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()[kind])

    def refused(self, kind: str, body: dict[str, Any], **query: Any) -> dict[str, Any]:
        """The first error of a write that is refused."""
        answer = self.http("POST", kind.lower(), body, **query)
        assert answer.status_code == 400, answer.text
        return dict(answer.json()["Fault"]["Error"][0])

    def read(self, kind: str, id_: str) -> dict[str, Any]:
        """One object."""
        answer = self.http("GET", f"{kind.lower()}/{id_}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json()[kind])

    def query(self, statement: str) -> dict[str, Any]:
        """A query that is understood."""
        answer = self.http("GET", "query", query=statement)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["QueryResponse"])

    def query_error(self, statement: str) -> dict[str, Any]:
        """The error of a query that is not."""
        answer = self.http("GET", "query", query=statement)
        assert answer.status_code == 400, answer.text
        return dict(answer.json()["Fault"]["Error"][0])

    def customer(self, name: str = "Ana Souza", currency: str | None = None) -> Customer:
        """A new customer, made with the SDK."""
        customer = Customer()
        customer.DisplayName = name
        customer.PrimaryEmailAddr = EmailAddress()
        customer.PrimaryEmailAddr.Address = f"{name.split()[0].lower()}@mail.example"
        if currency:
            customer.CurrencyRef = _ref(currency)
        return customer.save(qb=self.qb)

    def vendor(self, name: str = "Harbour School", currency: str | None = None) -> Vendor:
        """A new vendor, made with the SDK."""
        vendor = Vendor()
        vendor.DisplayName = name
        if currency:
            vendor.CurrencyRef = _ref(currency)
        return vendor.save(qb=self.qb)

    def invoice(self, customer: Customer, number: str = "T-1", amount: int = 100, **fields: Any) -> Invoice:
        """A new invoice of one line plus 10 % GST, made with the SDK."""
        return _with(fill(Invoice(), customer, number, amount), fields).save(qb=self.qb)

    def credit_memo(self, customer: Customer, number: str = "C-1", amount: int = 100) -> CreditMemo:
        """A new credit memo, made with the SDK."""
        return fill(CreditMemo(), customer, number, amount).save(qb=self.qb)

    def bill(self, vendor: Vendor, number: str = "B-1", amount: int = 100, **fields: Any) -> Bill:
        """A new bill without tax, made with the SDK."""
        bill = Bill()
        bill.VendorRef, bill.DocNumber, bill.TxnDate = vendor.to_ref(), number, "2026-07-10"
        line = AccountBasedExpenseLine()
        line.Amount = amount
        line.AccountBasedExpenseLineDetail = AccountBasedExpenseLineDetail()
        line.AccountBasedExpenseLineDetail.AccountRef = _ref(BANK_FEES)
        bill.Line = [line]
        return _with(bill, fields).save(qb=self.qb)

    def pay(self, invoice: Invoice, amount: Any, **fields: Any) -> Payment:
        """A new payment into the clearing account, made with the SDK."""
        payment = Payment()
        payment.CustomerRef, payment.TotalAmt, payment.TxnDate = invoice.CustomerRef, amount, "2026-07-12"
        payment.DepositToAccountRef = _ref(CLEARING)
        line = PaymentLine()
        line.Amount, line.LinkedTxn = amount, [invoice.to_linked_txn()]
        payment.Line = [line]
        return _with(payment, fields).save(qb=self.qb)

    def pay_bill(self, bill: Bill, amount: Any, number: str = "") -> BillPayment:
        """A new bill payment from the bank, made with the SDK."""
        payment = BillPayment()
        payment.VendorRef, payment.TotalAmt, payment.DocNumber, payment.PayType = (
            bill.VendorRef,
            amount,
            number,
            "Check",
        )
        payment.CheckPayment = CheckPayment()
        payment.CheckPayment.BankAccountRef = _ref("40")
        line = BillPaymentLine()
        line.Amount, line.LinkedTxn = amount, [bill.to_linked_txn()]
        payment.Line = [line]
        return payment.save(qb=self.qb)

    def control(self, path: str, body: Any) -> Any:
        """A control call of QuickBooks': ``control("lock-date", {...})``."""
        return self.plain_control(f"{path}/quickbooks", body)

    def ui(self, do: str, **given: Any) -> Any:
        """What a person does in QuickBooks' pages."""
        return self.control("ui", {"do": do} | given)

    def set_readings(self, **readings: Any) -> None:
        """Switch open questions."""
        self.control("readings", readings)

    def close_books(self, day: str | None) -> None:
        """Set the closing date."""
        self.control("lock-date", {"period": day, "year_end": None})

    def today(self) -> date:
        """The company's today: in Sydney it may be tomorrow already."""
        now = datetime.fromisoformat(WEB.get(f"{self.sandbox.url}/control/clock").json()["now"])
        return now.astimezone(ZoneInfo("Australia/Sydney")).date()

    def clock(self, seconds: float) -> None:
        """Let time pass."""
        self.plain_control("clock", {"advance_seconds": seconds})

    def fault(self, do: str, **where: Any) -> None:
        """Ask for a fault."""
        self.plain_control("faults/quickbooks", [{"method": "*", "path": "/v3/", "do": do} | where])

    def plain_control(self, path: str, body: Any) -> Any:
        """A control call that succeeds."""
        answer = WEB.post(f"{self.sandbox.url}/control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def state(self) -> dict[str, Any]:
        """Everything that the stand-in holds."""
        return dict(WEB.get(f"{self.sandbox.url}/control/state/quickbooks").json())

    def reset(self) -> QuickBooksClient:
        """As new: the first chart, nobody and no documents, books open, wide limits, connected."""
        self.control("load", self.chart | {kind: [] for kind in DOCUMENTS})
        self.close_books(None)
        self.control("quota", WIDE)
        self.set_readings(**self.readings)
        WEB.delete(f"{self.sandbox.url}/control/faults/quickbooks")
        self.sign_in()
        return self


def fill(document: Any, customer: Customer, number: str, amount: int) -> Any:
    """A sales document of one line."""
    document.CustomerRef, document.DocNumber, document.TxnDate = customer.to_ref(), number, "2026-07-10"
    line = SalesItemLine()
    line.Amount = amount
    line.SalesItemLineDetail = SalesItemLineDetail()
    line.SalesItemLineDetail.ItemRef = _ref(FEES)
    line.SalesItemLineDetail.TaxCodeRef = _ref(GST)
    document.Line = [line]
    return document


def sale_line(amount: Any, code: str | None = GST, **detail: Any) -> dict[str, Any]:
    """A sales line as plain JSON."""
    tax = {"TaxCodeRef": {"value": code}} if code else {}
    item = {"ItemRef": {"value": FEES}}
    return {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": item | tax | detail}


def _ref(value: str) -> Ref:
    ref = Ref()
    ref.value = value
    return ref


def _with(document: Any, fields: dict[str, Any]) -> Any:
    for name, value in fields.items():
        setattr(document, name, value)
    return document


@contextmanager
def quickbooks_sandbox(payments: int = 0, **wishes: Any) -> Iterator[QuickBooksClient]:
    """A fresh sandbox with QuickBooks alone, wide enough for a test."""
    with Sandbox.start(payments=payments, today=TODAY, services=["quickbooks"], **wishes) as sandbox:
        client = QuickBooksClient(sandbox)
        client.control("quota", WIDE)
        yield client
