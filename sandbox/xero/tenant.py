"""The one connection between the app and the organisation, as ``/connections`` shows it."""

from __future__ import annotations

import json
import uuid
from typing import Any

from sandbox.clock import Clock
from sandbox.store import Store

_FACT = "xero.connection"


class Tenant:
    """The connected organisation; it can be disconnected, and connected again by a new consent."""

    def __init__(self, store: Store, clock: Clock, seed: int, profile: str) -> None:
        self._store = store
        self._clock = clock
        if store.fact(_FACT) is None:
            tenant = str(uuid.uuid5(uuid.NAMESPACE_URL, f"sandbox:xero:tenant:{profile}:{seed}"))
            self._write({"tenantId": tenant})
            self.connect()

    @property
    def id(self) -> str:
        """The tenantId, which calls name in ``xero-tenant-id``."""
        return str(self._read()["tenantId"])

    def connect(self) -> None:
        """Consent was given: there is a connection."""
        now = self._clock.now().replace(tzinfo=None).isoformat(timespec="microseconds") + "0"
        event = {"id": str(uuid.uuid4()), "authEventId": str(uuid.uuid4())}
        self._write(event | {"createdDateUtc": now, "updatedDateUtc": now} | {"tenantId": self.id})

    def disconnect(self) -> None:
        """The connection was taken away, by the app or in Xero."""
        self._write({"tenantId": self.id})

    def rename(self, tenant_id: str) -> None:
        """Make it another organisation's connection."""
        self._write(self._read() | {"tenantId": str(uuid.UUID(tenant_id))})

    def reachable(self, header: str, custom: bool) -> bool:
        """Whether a call may reach the organisation; a custom connection need not name it."""
        if "id" not in self._read():
            return False
        return header.strip().lower() == self.id or (custom and not header.strip())

    def connections(self, name: str) -> list[dict[str, Any]]:
        """What ``GET /connections`` answers; an empty list when the app was disconnected."""
        kept = self._read()
        return [kept | {"tenantType": "ORGANISATION", "tenantName": name}] if "id" in kept else []

    def _read(self) -> dict[str, Any]:
        return dict(json.loads(self._store.fact(_FACT) or "{}"))

    def _write(self, connection: dict[str, Any]) -> None:
        self._store.remember(_FACT, json.dumps(connection))
