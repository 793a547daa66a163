"""Changed settings applied to documents that exist: only where somebody asked for it, and for which days. Pure.

A changed mapping holds for what is not made yet. Asked to reapply, the plan makes an existing document out anew under
the settings of now, and changes it where that differs, by the same rules as a change in Qualy: unpaid, its period
open, nobody touched it. Its date, number and rate stay. Settlements are never reapplied: money stays where it went.
"""

from __future__ import annotations

from datetime import date

from qualy_sync.ledger.attempts import Link
from qualy_sync.model import Leg

from .values import Terms

OURS = ("created", "adopted")  # a document that a person linked is somebody else's, and stays as it is
LEGS = (Leg.INVOICE, Leg.BILL)


def reapplies(terms: Terms, link: Link) -> bool:
    """Whether a linked document is to be made out anew: of ours, of a day asked for, made under other settings."""
    span = terms.reapply
    if span is None or link.leg not in LEGS or link.how not in OURS or "date" not in link.facts:
        return False
    if link.settings_version == terms.settings.version:
        return False
    return span.holds(date.fromisoformat(str(link.facts["date"])))
