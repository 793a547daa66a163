"""Stand-in for the accounting API of QuickBooks Online, strict where QuickBooks is strict."""

from __future__ import annotations

from sandbox.quickbooks.stand_in import QuickBooksStandIn
from sandbox.service import World


def service(world: World) -> QuickBooksStandIn:
    """The service that the sandbox serves under ``/quickbooks``."""
    return QuickBooksStandIn(world)
