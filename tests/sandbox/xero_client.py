"""A client of the stand-in for Xero: the official SDK over HTTP, and plain HTTP for what the SDK hides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import httpx
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
from xero_python.identity import IdentityApi

from sandbox.server import Sandbox

TODAY = date(2026, 7, 15)
BANK, SALES, COSTS = "091", "200", "310"


DOCUMENTS = ("Contacts", "Invoices", "CreditNotes", "Payments", "BatchPayments", "Items")
WIDE = {"minute": 100_000, "day": 100_000, "concurrent": 50, "app_minute": 100_000}
CONSENT = {
    "response_type": "code",
    "client_id": "sandbox-app",
    "redirect_uri": "http://localhost:8765/callback",
    "approve": "yes",
}
WEB = httpx.Client(timeout=30)  # one for all tests: making a client takes longer than a call


class XeroClient:
    """One sandbox with Xero alone, an access token, and short ways to write what tests need."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.identity_url = f"{sandbox.url}/xero/identity/connect"
        self.point_the_sdk()
        configuration = Configuration()
        configuration.oauth2_token = OAuth2Token("sandbox-app", "sandbox-secret")
        self.sdk = ApiClient(configuration)
        self.sdk.rest_client.pool_manager.connection_pool_kw["retries"] = False
        self.tokens: dict[str, Any] = {}
        self.sdk.oauth2_token_getter(lambda: dict(self.tokens))
        self.sdk.oauth2_token_saver(lambda token: self.tokens.update(token))
        self.use(self.token(grant_type="client_credentials").json())
        self.api = AccountingApi(self.sdk, base_url=f"{sandbox.url}/xero/api.xro/2.0")
        self.identity = IdentityApi(self.sdk, base_url=f"{sandbox.url}/xero")
        self.tenant = self.identity.get_connections()[0].tenant_id
        held = self.state()
        self.chart = {kind: held[kind] for kind in held if kind not in DOCUMENTS}

    def point_the_sdk(self) -> None:
        """The SDK keeps the token addresses on a class, so the sandbox used last has to set them."""
        TokenApi.refresh_token_url = f"{self.identity_url}/token"
        TokenApi.client_credentials_token_url = f"{self.identity_url}/token"
        TokenApi.revoke_token_url = f"{self.identity_url}/revocation"

    def use(self, issued: dict[str, Any]) -> None:
        """Call with these tokens from now on."""
        self.tokens = {
            "access_token": issued["access_token"],
            "scope": issued["scope"].split(),
            "expires_in": issued["expires_in"],
            "token_type": "Bearer",
            "expires_at": 2**40,
            "refresh_token": issued.get("refresh_token", ""),
            "id_token": "",
        }

    def token(self, **form: str) -> httpx.Response:
        """The token endpoint, with the app's own credentials unless others are given."""
        own = {"client_id": "sandbox-app", "client_secret": "sandbox-secret"}
        return WEB.post(f"{self.identity_url}/token", data=own | form)

    def http(self, method: str, path: str, body: Any = None, *, key: str | None = None, **query: Any) -> httpx.Response:
        """One call of the accounting API without the SDK."""
        headers = {
            "Authorization": f"Bearer {self.tokens['access_token']}",
            "xero-tenant-id": self.tenant,
            "Accept": "application/json",
        } | ({"Idempotency-Key": key} if key else {})
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        url = f"{self.sandbox.url}/xero/api.xro/2.0{path}"
        return WEB.request(method, url, content=content, headers=headers, params=query or None)

    def write(self, method: str, collection: str, *elements: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
        """A batch with ``summarizeErrors=false``: every element of the answer."""
        answer = self.http(method, f"/{collection}", {collection: list(elements)}, summarizeErrors="false", **query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()[collection])

    def put(self, collection: str, *elements: dict[str, Any], **query: Any) -> dict[str, Any]:
        """Create, and return the first element, which was accepted."""
        first = self.write("PUT", collection, *elements, **query)[0]
        assert first["StatusAttributeString"] == "OK", first
        return first

    def read(self, path: str, **query: Any) -> dict[str, Any]:
        """A read that succeeds."""
        answer = self.http("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def sdk_changed_since(self, moment: str) -> list[str]:
        """Numbers of the invoices that changed since, read with the SDK."""
        answer = self.api.get_invoices(self.tenant, if_modified_since=moment, page=1)
        return [one.invoice_number for one in answer.invoices]

    def contact(self, name: str = "Ana Souza", **fields: Any) -> dict[str, Any]:
        """A new contact."""
        return self.put("Contacts", {"Name": name, **fields})

    def invoice(self, contact: dict[str, Any], number: str = "T-1", **fields: Any) -> dict[str, Any]:
        """A new approved invoice over AUD 110 including GST."""
        return self.put("Invoices", invoice_body(contact, number, **fields))

    def bill(self, contact: dict[str, Any], number: str = "B-1", **fields: Any) -> dict[str, Any]:
        """A new approved bill over AUD 110 including GST."""
        lines = [line(AccountCode=COSTS, TaxType="INPUT")]
        return self.put("Invoices", invoice_body(contact, number, Type="ACCPAY", **({"LineItems": lines} | fields)))

    def pay(self, document: dict[str, Any], amount: float, **fields: Any) -> dict[str, Any]:
        """A new payment."""
        return self.put("Payments", payment_body(document, amount, **fields))

    def control(self, path: str, body: Any) -> Any:
        """A control call of Xero's: ``control("lock-date", {...})``."""
        return self.plain_control(f"{path}/xero", body)

    def clock(self, seconds: float) -> None:
        """Let time pass."""
        self.plain_control("clock", {"advance_seconds": seconds})

    def reset(self) -> XeroClient:
        """As new: the first chart, no documents, no locks, wide limits, a fresh token, connected."""
        self.point_the_sdk()
        self.plain_control("load/xero", self.chart | {kind: [] for kind in DOCUMENTS})
        self.control("lock-date", {"period": None, "year_end": None})
        self.control("adviser", {"on": False})
        self.control("quota", WIDE)
        WEB.delete(f"{self.sandbox.url}/control/faults/xero")
        if not self.identity_connected():
            WEB.get(f"{self.identity_url}/authorize", params=CONSENT)
        self.use(self.token(grant_type="client_credentials").json())
        return self

    def identity_connected(self) -> bool:
        """Whether the organisation can be reached."""
        self.use(self.token(grant_type="client_credentials").json())
        connections = self.identity.get_connections()
        if connections:
            self.tenant = connections[0].tenant_id
        return bool(connections)

    def plain_control(self, path: str, body: Any) -> Any:
        """A control call that succeeds."""
        answer = WEB.post(f"{self.sandbox.url}/control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def state(self) -> dict[str, Any]:
        """Everything that the stand-in holds."""
        return dict(WEB.get(f"{self.sandbox.url}/control/state/xero").json())


@contextmanager
def xero_sandbox(payments: int = 0, **wishes: Any) -> Iterator[XeroClient]:
    """A fresh sandbox with Xero alone, wide enough for a test."""
    with Sandbox.start(payments=payments, today=TODAY, services=["xero"], **wishes) as sandbox:
        yield XeroClient(sandbox)


def line(**fields: Any) -> dict[str, Any]:
    """One line over 110."""
    return {
        "Description": "Course",
        "Quantity": 1,
        "UnitAmount": 110,
        "AccountCode": SALES,
        "TaxType": "OUTPUT",
    } | fields


def invoice_body(contact: dict[str, Any], number: str, **fields: Any) -> dict[str, Any]:
    """An approved sales invoice, due in two weeks."""
    return {
        "Type": "ACCREC",
        "Contact": {"ContactID": contact["ContactID"]},
        "InvoiceNumber": number,
        "Date": "2026-07-10",
        "DueDate": "2026-07-24",
        "Status": "AUTHORISED",
        "LineAmountTypes": "Inclusive",
        "LineItems": [line()],
    } | fields


def payment_body(document: dict[str, Any], amount: float, **fields: Any) -> dict[str, Any]:
    """A payment into the clearing account."""
    return {
        "Invoice": {"InvoiceID": document["InvoiceID"]},
        "Account": {"Code": BANK},
        "Date": "2026-07-12",
        "Amount": amount,
    } | fields


def messages(element: dict[str, Any]) -> list[str]:
    """The messages of a refused element."""
    return [error["Message"] for error in element.get("ValidationErrors", [])]
