"""Bringing Qualy's records into the ledger, pass by pass. `extract` is the door."""

from .run import Extracted, OtherTenant, extract

__all__ = ["Extracted", "OtherTenant", "extract"]
