"""The stand-ins are told where this Airflow takes webhooks in, so that a change in one of them goes through at once."""

from __future__ import annotations

from typing import Any

import httpx

from qualy_app.local.places import Places
from qualy_app.local.trouble import Trouble

PROPERTIES = ("email", "firstname", "lastname", "phone", "lifecyclestage")
ACTIONS = ("creation", "deletion", "merge", "restore", "privacyDeletion")


def register(places: Places, secret: str) -> None:
    """Raises Trouble where a stand-in will not have it."""
    changes = [{"subscriptionType": "contact.propertyChange", "propertyName": name} for name in PROPERTIES]
    wanted: dict[str, dict[str, Any]] = {
        "qualy": {"target": f"{places.ui}/webhooks/qualy/{secret}", "events": "all"},
        "hubspot": {
            "target": f"{places.ui}/webhooks/hubspot",
            "subscriptions": [*(f"contact.{action}" for action in ACTIONS), *changes],
        },
    }
    for service, settings in wanted.items():
        address = f"{places.sandbox}/control/webhooks/{service}"
        answer = httpx.post(address, json={"mode": "automatic", **settings}, timeout=30.0, trust_env=False)
        if not answer.is_success:
            raise Trouble(f"The stand-in for {service} takes no webhooks: it answered {answer.status_code}.")
