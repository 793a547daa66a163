"""What Intuit tells an app of: changes of a company's records, in the older form and as CloudEvents, signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC
from typing import Any

from sandbox.clock import Clock
from sandbox.store import Store
from sandbox.webhooks import Post, Settings, Signing

# After 10 s, 20 s, 30 s, 5 min, 20 min, 2 h, 4 h, then every 6 h; for how long is not documented.
RETRIES = (10, 20, 30, 300, 1_200, 7_200, 14_400, 21_600, 21_600, 21_600)
FORMATS = ("cloudevents", "notifications")
ENTITIES = (
    "Customer", "Vendor", "Employee", "Account", "Item", "Class", "Department", "Term", "PaymentMethod", "Invoice",
    "Bill", "Payment", "BillPayment", "CreditMemo", "VendorCredit", "RefundReceipt", "Deposit", "Preferences",
)  # fmt: skip
_PAST = {"Create": "created", "Update": "updated", "Delete": "deleted", "Merge": "merged", "Void": "voided"}
_COUNTER = "quickbooks.events"
_DEFAULTS: dict[str, Any] = {
    "target": None,
    "verifier": "sandbox-verifier-token",
    "mode": "automatic",
    "retries": list(RETRIES),
    "format": "cloudevents",
    "entities": list(ENTITIES),
    "batch": 30,
}

Json = dict[str, Any]


class Hooks(Settings):
    """The app's one endpoint, and the queue. A ``sandbox.webhooks.Sender``."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._clock = clock
        super().__init__("quickbooks", store, clock, _DEFAULTS, "verifier")

    @property
    def batch(self) -> int:  # type: ignore[override]
        """Most events of one POST."""
        return int(self._set["batch"])

    def post(self, events: list[Json], attempt: int, signing: Signing) -> Post:
        """The events in the form that is set, with the signature: base64 of HMAC-SHA256 over the raw body."""
        form = _as_cloud_events if self._set["format"] == "cloudevents" else _as_notifications
        body = json.dumps(form(events), ensure_ascii=False).encode()
        secret = self._set["verifier"] if signing.secret is None else signing.secret
        digest = hmac.new(str(secret).encode(), body, hashlib.sha256).digest()
        return Post(body, {"intuit-signature": base64.b64encode(digest).decode()})

    def tell(self, realm: str, kind: str, id_: str, operation: str) -> None:
        """Queue the event of one change: ids only, whoever made it."""
        if kind not in self._set["entities"] or self.target() is None:
            return
        number = int(self._store.fact(_COUNTER) or 0) + 1
        self._store.remember(_COUNTER, str(number))
        at = self._clock.now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event = {"number": number, "realm": realm, "kind": kind, "id": id_, "operation": operation, "at": at}
        self.outbox.add([event])

    def checked(self, changed: Json) -> Json:
        """Form, entities and size of batches. Raises ValueError."""
        if changed.get("format", FORMATS[0]) not in FORMATS:
            raise ValueError(f"format is {' or '.join(FORMATS)}.")
        if set(changed.get("entities", ())) - set(ENTITIES):
            raise ValueError(f"entities is a list of: {', '.join(ENTITIES)}.")
        batch = changed.get("batch", 1)
        if not (isinstance(batch, int) and 1 <= batch <= 1_000):
            raise ValueError("batch is a number from 1 to 1,000.")
        return changed


def _as_cloud_events(events: list[Json]) -> list[Json]:
    """An array, each event for itself. What a test sends of its own making goes as it is."""
    return [
        {
            "specversion": "1.0",
            "id": f"00000000-0000-4000-8000-{one['number']:012d}",
            "source": "intuit.sandbox",
            "type": f"qbo.{one['kind'].lower()}.{_PAST[one['operation']]}.v1",
            "datacontenttype": "application/json",
            "time": one["at"],
            "intuitentityid": one["id"],
            "intuitaccountid": one["realm"],
            "data": {},
        }
        if "operation" in one
        else one
        for one in events
    ]


def _as_notifications(events: list[Json]) -> Json:
    """The older form: one notification for each company, with its changes."""
    by_realm: dict[str, list[Json]] = {}
    given = []
    for one in events:
        if "operation" not in one:
            given.append(one)
            continue
        changed = {"name": one["kind"], "id": one["id"], "operation": one["operation"], "lastUpdated": one["at"]}
        by_realm.setdefault(one["realm"], []).append(changed)
    told = [{"realmId": realm, "dataChangeEvent": {"entities": found}} for realm, found in by_realm.items()]
    return {"eventNotifications": [*told, *given]}
