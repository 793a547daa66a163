"""Stand-in for HubSpot's contacts, properties and owners, strict where HubSpot is strict."""

from __future__ import annotations

from sandbox.hubspot.stand_in import HubSpotStandIn
from sandbox.service import World


def service(world: World) -> HubSpotStandIn:
    """The service that the sandbox serves under ``/hubspot``."""
    return HubSpotStandIn(world)
