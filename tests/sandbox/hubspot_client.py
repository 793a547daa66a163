"""A client of the stand-in for HubSpot: the official SDK over HTTP, and plain HTTP for what the SDK hides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import httpx
from hubspot import HubSpot

from sandbox.server import Sandbox

TODAY = date(2026, 7, 15)
TOKEN = "pat-sandbox-hubspot"
WIDE = {"ten_seconds": 100_000, "daily": 1_000_000, "search_per_second": 100_000}
NORMAL = {"ten_seconds": 190, "daily": 625_000, "search_per_second": 5}
CONTACTS = "/crm/v3/objects/contacts"
QUALY_ID = {
    "name": "qualy_id",
    "label": "Qualy ID",
    "groupName": "qualy",
    "type": "string",
    "fieldType": "text",
    "hasUniqueValue": True,
}
WEB = httpx.Client(timeout=30)  # one for all tests: making a client takes longer than a call


class HubSpotClient:
    """One sandbox with HubSpot alone, and short ways to write what tests need."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.base = f"{sandbox.url}/hubspot"
        self.sdk = HubSpot(access_token=TOKEN, host=self.base, base_url=self.base, retry=False)
        self.basic = self.sdk.crm.contacts.basic_api
        self.batch = self.sdk.crm.contacts.batch_api
        self.searches = self.sdk.crm.contacts.search_api
        self.properties = self.sdk.crm.properties.core_api
        self.groups = self.sdk.crm.properties.groups_api
        self.owners = self.sdk.crm.owners.owners_api
        self._readings = self.control("GET", "readings/hubspot")
        self._owners = self.state()["owners"]

    def reset(self) -> HubSpotClient:
        """An account without contacts and custom properties, and everything as at the start; wide limits."""
        self.control("DELETE", "faults/hubspot")
        self.control("POST", "readings/hubspot", self._readings)
        self.control("POST", "quota/hubspot", WIDE)
        self.control("POST", "revoke/hubspot", {})
        nothing: dict[str, Any] = {"contacts": [], "properties": [], "groups": [], "blocked_emails": []}
        self.control("POST", "load/hubspot", nothing | {"owners": self._owners})
        self.control("POST", "webhooks/hubspot", {"target": None, "mode": "manual", "subscriptions": []})
        self.control("POST", "webhooks/hubspot", {"do": "clear"})
        return self

    def control(self, method: str, path: str, given: Any = None) -> Any:
        """One control call."""
        return self.sandbox.control(method, path, given)

    def readings(self, **given: Any) -> None:
        """Switch readings."""
        self.control("POST", "readings/hubspot", given)

    def ui(self, do: str, **given: Any) -> Any:
        """What a person does in HubSpot's pages."""
        return self.control("POST", "ui/hubspot", {"do": do, **given})

    def later(self, seconds: float) -> None:
        """Let time pass in the sandbox."""
        self.control("POST", "clock", {"advance_seconds": seconds})

    def state(self) -> dict[str, Any]:
        """Everything the account holds."""
        return dict(self.control("GET", "state/hubspot"))

    def kept(self, contact_id: str) -> dict[str, Any]:
        """All properties of one contact that the account holds."""
        return next(one["properties"] for one in self.state()["contacts"] if one["id"] == contact_id)

    def http(self, method: str, path: str, body: Any = None, token: str = TOKEN, params: Any = None) -> httpx.Response:
        """One call without the SDK."""
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return WEB.request(method, self.base + path, content=content, headers=headers, params=params)

    def create(self, email: str | None = None, **properties: Any) -> str:
        """A new contact; returns its id."""
        values = ({"email": email} if email else {}) | properties
        return str(self.basic.create({"properties": values}).id)

    def custom(self, **changes: Any) -> None:
        """The group and the unique property that a sync needs, or another property in that group."""
        if not any(group.name == "qualy" for group in self.groups.get_all("contacts").results):
            self.groups.create("contacts", {"name": "qualy", "label": "Qualy"})
        self.properties.create("contacts", QUALY_ID | changes)

    def found(self, *filters: dict[str, Any], **more: Any) -> list[str]:
        """The ids that a search answers."""
        request = {"filterGroups": [{"filters": list(filters)}] if filters else []} | more
        return [one.id for one in self.searches.do_search(request).results]


@contextmanager
def hubspot_sandbox(payments: int = 20) -> Iterator[HubSpotClient]:
    """A sandbox with HubSpot alone."""
    with Sandbox.start(payments=payments, today=TODAY, services=["hubspot"]) as sandbox:
        yield HubSpotClient(sandbox)
