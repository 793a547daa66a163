"""Webhooks that come in: who may bring one (`doors`), where it is kept (`keeping`), and what it starts (`events`)."""

from .doors import MAKERS, SECRET_IN_PATH, Door, Doors, Refused, Request, secrets_of
from .keeping import Keeper

__all__ = ["MAKERS", "SECRET_IN_PATH", "Door", "Doors", "Keeper", "Refused", "Request", "secrets_of"]
