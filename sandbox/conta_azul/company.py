"""The company that the stand-in keeps books for: who it is, its clock, its readings, its closing date."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from sandbox.clock import Clock
from sandbox.conta_azul.answers import Refused
from sandbox.conta_azul.readings import Readings
from sandbox.conta_azul.records import Records
from sandbox.conta_azul.wire import SAO_PAULO
from sandbox.store import Store

_LOCK = "conta_azul.locked_until"
_IDENTITY = "conta_azul.company"
IDENTITY = {
    "id_empresa": "ca7e0000-0000-4000-8000-000000000001",
    "documento": "11222333000181",
    "razao_social": "Agência de Intercâmbio Exemplo Ltda.",
    "nome_fantasia": "Intercâmbio Exemplo",
    "data_fundacao": "2015-03-02",
    "email": "financeiro@agency.example",
}
LOCKED = "the period is closed"


class Company:
    """One company with its own connection."""

    def __init__(self, store: Store, clock: Clock, seed: int) -> None:
        self.store = store
        self.clock = clock
        self.records = Records(store, clock, seed)
        self.readings = Readings(store)

    def now(self) -> float:
        """Seconds since 1970 on the sandbox clock."""
        return self.records.now()

    def today(self) -> date:
        """Today in São Paulo."""
        return datetime.fromtimestamp(self.now(), SAO_PAULO).date()

    @property
    def identity(self) -> dict[str, Any]:
        """What ``conta-conectada`` answers."""
        return IDENTITY | json.loads(self.store.fact(_IDENTITY) or "{}")

    def set_identity(self, fields: dict[str, Any]) -> None:
        """Be another company, or have another name."""
        self.store.remember(_IDENTITY, json.dumps(self.identity | fields))

    @property
    def locked_until(self) -> date | None:
        """The closing date. No call of the API shows it."""
        kept = self.store.fact(_LOCK)
        return date.fromisoformat(kept) if kept else None

    def lock(self, until: date | None) -> None:
        """Close everything up to and including a day; None opens it."""
        self.store.remember(_LOCK, until.isoformat() if until else "")

    def is_locked(self, *days: str | None) -> bool:
        """Whether any of the days (ISO) lies in the closed time."""
        until = self.locked_until
        return until is not None and any(day is not None and day <= until.isoformat() for day in days)

    def guard(self, *days: str | None) -> None:
        """Raises Refused with 400 where a day is closed."""
        if self.is_locked(*days):
            raise Refused(400, LOCKED)

    def cut(self, text: str) -> str:
        """A description or note as it is kept."""
        limit = self.readings["text_limit"]
        return text if limit is None else text[: int(limit)]
