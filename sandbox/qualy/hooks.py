"""Webhooks that Qualy sends: ``{"event": ..., "data": ...}``, one event in each POST."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from sandbox.clock import Clock
from sandbox.qualy.kinds import KINDS, webhook_name
from sandbox.store import Store
from sandbox.webhooks import Post, Settings, Signing

ACTIONS = ("create", "update", "delete")
DOCUMENTED = (
    "transactions.create",
    "transactions.update",
    "paymentIntents.update",
    "splitIntents.create",
    "splitIntents.update",
)
"""The events that Qualy's page names; that others exist is an assumption."""
KNOWN = tuple(f"{webhook_name(kind)}.{action}" for kind in KINDS for action in ACTIONS)

_DEFAULTS: dict[str, Any] = {
    "target": None,
    "headers": {},
    "signature": None,
    "mode": "automatic",
    "retries": [],
    "events": list(DOCUMENTED),
    "data": "whole",
}

Json = dict[str, Any]


class Hooks(Settings):
    """The first tenant's one endpoint, and the queue. A ``sandbox.webhooks.Sender``.

    The target may have a secret in its path; nothing is sent again by default, since Qualy promises nothing.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__("qualy", store, clock, _DEFAULTS)

    def post(self, events: list[Json], attempt: int, signing: Signing) -> Post:
        """One event. The headers are those that were set; a signature is the hex HMAC-SHA256 of the body."""
        body = json.dumps(events[0], ensure_ascii=False).encode()
        headers = dict(self._set["headers"])
        signature = self._set["signature"]
        if signature is not None:
            secret = signature["secret"] if signing.secret is None else signing.secret
            headers[signature["header"]] = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return Post(body, headers)

    def tell(self, kind: str, action: str, body: Json) -> None:
        """Queue the event of one change, where such an event exists."""
        event = f"{webhook_name(kind)}.{action}"
        if event in self._set["events"]:
            data = body if self._set["data"] == "whole" else {"_id": body["_id"]}
            self.outbox.add([{"event": event, "data": data}])

    def checked(self, changed: Json) -> Json:
        """What is told of, how much of it, and how it is signed. Raises ValueError."""
        if changed.get("data", "whole") not in ("whole", "id"):
            raise ValueError("data is whole or id.")
        if "events" in changed:
            changed["events"] = _events(changed["events"])
        signature = changed.get("signature")
        if signature is not None and set(signature) != {"header", "secret"}:
            raise ValueError("signature is null or an object with header and secret.")
        return changed


def _events(given: Any) -> list[str]:
    if given == "documented":
        return list(DOCUMENTED)
    if given == "all":
        return list(KNOWN)
    if not isinstance(given, list) or set(given) - set(KNOWN):
        raise ValueError(f"events is documented, all, or a list of: {', '.join(KNOWN)}.")
    return given
