"""Everything remembered: the ledger."""

from .engine import Ledger, LedgerError, StandInMismatch

__all__ = ["Ledger", "LedgerError", "StandInMismatch"]
