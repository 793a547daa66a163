"""Texts in the characters of ISO 8859-1, for organisations that keep no others. Pure."""

from __future__ import annotations

import unicodedata

UNKNOWN = "?"
_ALIKE = str.maketrans(
    {"đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ı": "i", "œ": "oe", "Œ": "OE", "–": "-", "—": "-", "’": "'", "‘": "'",
     "“": '"', "”": '"', "…": "..."}
)  # fmt: skip


def is_latin(text: str) -> bool:
    """Whether such an organisation keeps the text as it is."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def to_latin(text: str) -> str:
    """Letters without the marks that are not kept; what has no likeness (other scripts) becomes `?`."""
    plain = unicodedata.normalize("NFC", text).translate(_ALIKE)
    return "".join(char if is_latin(char) else _bare(char) for char in plain)


def _bare(char: str) -> str:
    bare = "".join(one for one in unicodedata.normalize("NFKD", char) if not unicodedata.combining(one))
    return bare if bare and is_latin(bare) else UNKNOWN
