"""Stand-in for Xero's accounting API, strict where Xero is strict."""

from __future__ import annotations

from sandbox.service import World
from sandbox.xero.stand_in import XeroStandIn


def service(world: World) -> XeroStandIn:
    """The service that the sandbox serves under ``/xero``."""
    return XeroStandIn(world)
