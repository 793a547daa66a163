"""Stand-in for Conta Azul's API v2, as strict as what is known of the real one."""

from __future__ import annotations

from sandbox.conta_azul.stand_in import ContaAzulStandIn
from sandbox.service import World


def service(world: World) -> ContaAzulStandIn:
    """The service that the sandbox serves under ``/conta_azul``."""
    return ContaAzulStandIn(world)
