"""Webhooks that come in: who may bring one (`doors`), where it is kept (`keeping`), and what it starts (`events`)."""

from .doors import Door, Doors, Refused, Request
from .keeping import Keeper

__all__ = ["Door", "Doors", "Keeper", "Refused", "Request"]
