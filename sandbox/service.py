"""What the frame asks of a service, and what it gives to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from starlette.types import ASGIApp

from sandbox.clock import Clock
from sandbox.store import Store

if TYPE_CHECKING:
    from sandbox.population import Population


class NotSupported(Exception):
    """The service has no such thing (Qualy has no lock date); the control call answers 400 with the message."""


@dataclass(frozen=True)
class World:
    """Everything that the services of one sandbox share."""

    clock: Clock
    store: Store
    seed: int
    today: date
    profile: str
    payments: int
    population: Population


class Service(Protocol):
    """One stand-in, served under ``/{name}``."""

    name: str
    title: str

    def app(self) -> ASGIApp:
        """The API itself, mounted at ``/{name}``."""
        ...

    def state(self) -> dict[str, Any]:
        """Everything it holds, each object as the API returns it."""
        ...

    def load(self, objects: dict[str, Any]) -> dict[str, int]:
        """Replace what it holds by the given objects; returns how many of each kind. ValueError: what is wrong."""
        ...

    def set_lock_dates(self, period: date | None, year_end: date | None) -> None:
        """Set both lock dates; None takes one away. NotSupported where the service has none."""
        ...

    def set_quota(self, limits: dict[str, Any]) -> dict[str, Any]:
        """Change some limits and return all that are now in force. ValueError names the known ones."""
        ...
