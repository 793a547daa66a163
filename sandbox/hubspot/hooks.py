"""What HubSpot tells an app of: subscriptions, events, and the signed POST that carries up to 100 of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sandbox.clock import Clock
from sandbox.hubspot.access import APP_ID, CLIENT_SECRET, PORTAL_ID
from sandbox.store import Store
from sandbox.webhooks import Post, Settings, Signing

CONTACT_TYPE = "0-1"
ACTIONS = ("creation", "deletion", "propertyChange", "merge", "restore", "privacyDeletion")
NOT_SUBSCRIBABLE = ("hs_lastmodifieddate", "num_unique_conversion_events")
RETRIES = (60, 300, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 18_000, 21_600)  # ten times within 24 hours
FIRST_SUBSCRIPTION = 1_000_001
_DECODED = re.compile("%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
_COUNTER = "hubspot.events"
_DEFAULTS: dict[str, Any] = {
    "target": None,
    "secret": CLIENT_SECRET,
    "mode": "automatic",
    "batch": 100,
    "retries": list(RETRIES),
    "subscriptions": [],
}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Who made a change, as histories and events name it."""

    kind: str
    id: str
    user: int | None = None


def person(user: int = 1) -> Source:
    """Somebody in HubSpot's own pages."""
    return Source("CRM_UI", f"userId:{user}", user)


def integration(source_id: str) -> Source:
    """An app, by its id."""
    return Source("INTEGRATION", source_id)


class Hooks(Settings):
    """The app's one target, its subscriptions, and the queue. A ``sandbox.webhooks.Sender``."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._clock = clock
        super().__init__("hubspot", store, clock, _DEFAULTS, "secret")

    @property
    def batch(self) -> int:  # type: ignore[override]
        """Most events of one POST."""
        return int(self._set["batch"])

    def post(self, events: list[Json], attempt: int, signing: Signing) -> Post:
        """The array of events with the v3 signature: base64 of HMAC-SHA256 over method, URL, body, timestamp (ms).

        Some escapes of the URL are decoded before it is signed.
        The timestamp is of the machine's clock, since that is the one a receiver compares it with.
        """
        body = json.dumps([event | {"attemptNumber": attempt} for event in events], ensure_ascii=False)
        timestamp = str(int((time.time() + signing.skew_seconds) * 1000))
        secret = self._set["secret"] if signing.secret is None else signing.secret
        address = _DECODED.sub(lambda found: unquote(found[0]), str(self.target()))
        signed = f"POST{address}{body}{timestamp}".encode()
        digest = hmac.new(str(secret).encode(), signed, hashlib.sha256).digest()
        headers = {
            "X-HubSpot-Signature-v3": base64.b64encode(digest).decode(),
            "X-HubSpot-Request-Timestamp": timestamp,
            "User-Agent": "HubSpot Connect 2.0 (http://dev.hubspot.com/) (namespace: webhooks-nio-http-client)",
        }
        return Post(body.encode(), headers)

    def raise_event(self, action: str, object_id: int, source: Source, **more: Any) -> None:
        """Queue one event for each subscription to it, in its spelling."""
        self._raise(self._number(), action, object_id, source, more)

    def raise_changes(self, object_id: int, changed: dict[str, str], source: Source, created: bool) -> None:
        """Creation and property changes of one write. They all have one ``eventId``, which so is not unique."""
        number = self._number()
        if created:
            self._raise(number, "creation", object_id, source, {"changeFlag": "CREATED"})
        for name, value in changed.items():
            more = {"propertyName": name, "propertyValue": value}
            self._raise(number, "propertyChange", object_id, source, more)

    def _raise(self, number: int, action: str, object_id: int, source: Source, more: Json) -> None:
        occurred = int(self._clock.now().timestamp() * 1000)
        events = []
        for subscription in self._set["subscriptions"]:
            spelling, _, subscribed = subscription["subscriptionType"].partition(".")
            wanted = subscription.get("propertyName")
            if subscribed != action or (action == "propertyChange" and wanted != more["propertyName"]):
                continue
            event = {
                "eventId": number,
                "subscriptionId": subscription["id"],
                "portalId": PORTAL_ID,
                "appId": APP_ID,
                "occurredAt": occurred,
                "subscriptionType": subscription["subscriptionType"],
                "objectId": object_id,
                "changeSource": source.kind,
                "sourceId": source.id,
            }
            events.append(event | more | ({"objectTypeId": CONTACT_TYPE} if spelling == "object" else {}))
        self.outbox.add(events)

    def _number(self) -> int:
        number = int(self._store.fact(_COUNTER) or 100) + 1
        self._store.remember(_COUNTER, str(number))
        return number

    def checked(self, changed: Json) -> Json:
        """Size of batches, and subscriptions. Raises ValueError."""
        if "batch" in changed and not (isinstance(changed["batch"], int) and 1 <= changed["batch"] <= 100):
            raise ValueError("batch is a number from 1 to 100.")
        if "subscriptions" in changed:
            listed = enumerate(changed["subscriptions"], FIRST_SUBSCRIPTION)
            changed["subscriptions"] = [_subscription(one, number) for number, one in listed]
        return changed


def _subscription(given: Any, number: int) -> Json:
    """``"contact.creation"``, or ``{"subscriptionType": "contact.propertyChange", "propertyName": "email"}``."""
    one = {"subscriptionType": given} if isinstance(given, str) else dict(given)
    spelling, _, action = str(one.get("subscriptionType")).partition(".")
    if spelling not in ("contact", "object") or action not in ACTIONS:
        raise ValueError(f"A subscriptionType is contact.X or object.X, with X one of {', '.join(ACTIONS)}.")
    name = one.get("propertyName")
    if (action == "propertyChange") != bool(name) or name == "*":
        raise ValueError("A propertyChange subscription names one property, without wildcards; the others name none.")
    if name in NOT_SUBSCRIBABLE:
        raise ValueError(f"{name} cannot be subscribed to.")
    return {"id": number, "subscriptionType": one["subscriptionType"]} | ({"propertyName": name} if name else {})
