"""Refs: the keys that the tool carries for us, so that a lost answer can be settled by looking.

A ref is a leg letter and the Qualy id (an ObjectId, 24 hex digits) in base 36: 20 characters in all; ids of
another kind are hashed, under another letter. From the second generation on, a generation character follows.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from qualy_sync.model import Leg

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WIDTH = 19  # enough for 96 bits in base 36
_LETTERS = {
    Leg.CONTACT: "C",
    Leg.SUPPLIER: "S",
    Leg.INVOICE: "I",
    Leg.BILL: "B",
    Leg.SETTLEMENT: "P",
    Leg.PAY_OUT: "O",
    Leg.CREDIT_NOTE: "N",
    Leg.SUPPLIER_CREDIT: "V",
    Leg.ALLOCATION: "A",
}
WHOLE_PAYMENT = "W"  # one settlement for a whole payment: its ref is made from the payment's id
_HASHED = {"C": "D", "S": "T", "I": "J", "B": "K", "P": "Q", "W": "X", "N": "M", "V": "U", "A": "E", "O": "Y"}
_OBJECT_ID = re.compile(r"[0-9a-f]{24}")
_REF = re.compile(r"[CSIBPWONVADTJKQXMUEY][0-9A-Z]{19}[0-9A-Z]?")


def make_ref(leg: Leg, source_id: str, generation: int = 1, *, letter: str | None = None) -> str:
    """The ref of a step. Raises ValueError for a generation outside 1 to 36."""
    letter = letter or _LETTERS[leg]
    if _OBJECT_ID.fullmatch(source_id):
        number = int(source_id, 16)
    else:
        letter = _HASHED[letter]
        number = int.from_bytes(hashlib.sha256(source_id.encode()).digest()[:12], "big")
    return letter + _base36(number) + _generation(generation)


def contact_ref(leg: Leg, source_id: str, variant: str, base_currency: str) -> str:
    """The ref of a contact: of one per currency each has its own, that in the base currency the plain one."""
    return make_ref(leg, source_id if variant in ("", base_currency) else f"{source_id}:{variant}")


def looks_like_ref(text: str) -> bool:
    """Whether a text in the tool may be one of our refs."""
    return bool(_REF.fullmatch(text))


def make_number(prefix: str, number: int | None, ref: str, generation: int = 1) -> str:
    """The number that people read: prefix and Qualy's own number, or the ref where Qualy gives none."""
    if number is None or number < 0:
        return ref
    text = f"{prefix}{number}" + (f"-{generation}" if generation > 1 else "")
    return text if len(text) <= 21 else ref


@lru_cache(maxsize=8192)  # one slice asks for the same record's ref several times
def _base36(number: int) -> str:
    digits = ""
    while number:
        number, place = divmod(number, 36)
        digits = DIGITS[place] + digits
    return digits.rjust(WIDTH, "0")


def _generation(generation: int) -> str:
    if not 1 <= generation <= 36:
        raise ValueError(f"generation {generation} is outside 1 to 36")
    return "" if generation == 1 else DIGITS[generation - 1]
