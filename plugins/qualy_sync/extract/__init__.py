"""Bringing Qualy's records into the ledger, pass by pass. `extract` is the door; `extract_hints` that of webhooks."""

from .hints import INBOX, extract_hints, sweep_is_due, whole_one_is_due
from .run import Extracted, OtherTenant, extract

__all__ = ["INBOX", "Extracted", "OtherTenant", "extract", "extract_hints", "sweep_is_due", "whole_one_is_due"]
