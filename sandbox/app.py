"""The whole sandbox as one ASGI application: every service under its name, and ``/control``."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.answer import Answer
from sandbox.calls import CallLog
from sandbox.control import control_app
from sandbox.faults import FaultBook
from sandbox.middleware import Around, Frame, Gate
from sandbox.postponed import Postponed
from sandbox.service import Service, World

SERVICES = {
    "qualy": "sandbox.qualy:service",
    "xero": "sandbox.xero:service",
    "quickbooks": "sandbox.quickbooks:service",
    "conta_azul": "sandbox.conta_azul:service",
    "hubspot": "sandbox.hubspot:service",
    "mailchimp": "sandbox.mailchimp:service",
}


def load_services(world: World, names: Iterable[str] | None = None) -> dict[str, Service]:
    """Make the services of the given names (all by default). ValueError for a name that the sandbox does not have."""
    services: dict[str, Service] = {}
    for name in SERVICES if names is None else names:
        if name not in SERVICES:
            raise ValueError(f"The sandbox has no service {name!r}, only {', '.join(SERVICES)}.")
        module, _, function = SERVICES[name].partition(":")
        services[name] = getattr(importlib.import_module(module), function)(world)
    return services


class SandboxApp:
    """Hands each request to the service or the control that its first path segment names."""

    def __init__(self, world: World, services: dict[str, Service]) -> None:
        self._frame = Frame(
            clock=world.clock,
            faults=FaultBook(world.store),
            calls=CallLog(world.store),
            postponed=Postponed(world.store, world.clock),
            gate=Gate(),
        )
        self._inner: dict[str, ASGIApp] = {name: service.app() for name, service in services.items()}
        self._apps: dict[str, ASGIApp] = {
            name: Around(name, app, self._frame, getattr(services[name], "error_answer", None))
            for name, app in self._inner.items()
        }
        self._apps["control"] = control_app(world, services, self._frame, self.carry_out_due)
        self._titles = {name: service.title for name, service in services.items()}

    async def carry_out_due(self) -> int:
        """Let the services do the calls that were dropped and postponed, as far as their time has come."""
        return await self._frame.postponed.carry_out_due(self._inner.__getitem__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        if scope["type"] != "http":
            raise RuntimeError(f"The sandbox speaks HTTP only, not {scope['type']}.")
        await self.carry_out_due()
        segment = scope["path"].split("/", 2)[1] if scope["path"].startswith("/") else ""
        app = self._apps.get(segment)
        if app is None:
            await self._index(404 if segment else 200).send(send)
            return
        await app(dict(scope, root_path=f"/{segment}"), receive, send)

    def _index(self, status: int) -> Answer:
        document = {
            "message": "Stand-ins for development and tests. Nothing here is a real service.",
            "services": {name: f"/{name}/: {title}" for name, title in self._titles.items()},
            "control": "/control/: described in sandbox/README.md",
        }
        return Answer(status, ((b"content-type", b"application/json"),), json.dumps(document, indent=1).encode())
