"""Our ref in Conta Azul's texts: first, so that no cutting loses it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 200  # of descriptions and notes; no limit is documented
_REF = r"[A-Z][0-9A-Z]{18,20}"
_TITLE = re.compile(rf"\s*({_REF})(?: ([^|]{{1,40}}?))? \|")
_NOTE = re.compile(rf"\s*({_REF})(?=\s|$)")


def title(ref: str, number: str, texts: Iterable[str]) -> str:
    """What an instalment is called: `REF NUMBER | text`; the number where it is not the ref itself."""
    named = ref if number in ("", ref) else f"{ref} {number.replace('|', ' ')}"
    return cut(f"{named} | {'; '.join(dict.fromkeys(texts))}")


def read_title(said: str) -> tuple[str, str]:
    """Ref and number of a title; both empty where somebody else wrote it."""
    found = _TITLE.match(said)
    if found is None:
        return read_note(said), read_note(said)
    return found[1], found[2] or found[1]


def note(ref: str, more: str = "") -> str:
    """A note that begins with the ref."""
    return cut(f"{ref} {more}".strip())


def read_note(said: str) -> str:
    """The ref at the beginning of a note, empty where there is none."""
    found = _NOTE.match(said)
    return found[1] if found else ""


def cut(said: str, longest: int = LONGEST) -> str:
    """At most so many characters, in one line."""
    return " ".join(said.split())[:longest].rstrip()
