"""Text from outside, made harmless where it is shown: HTML, JSON in a script element, CSV, links.

Control characters and those that turn the reading direction are shown as what they are, so that no text can pass
itself off as another one.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

# Categories that show nothing or move what is shown: control, format, surrogate, private use, separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Joiners that some scripts and emoji need to be written at all.
_NEEDED = frozenset("\u200c\u200d")
_SPACE = re.compile(r"[\t\r\n\f\v]+")
_FORMULA = re.compile(r"[\s'\u200c\u200d]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_PLAIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/?&=%#-]*)?")
_SCRIPT = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def visible(text: str) -> str:
    """One line of text in which nothing is hidden: a control or direction mark shows as ⟨U+202E⟩."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_seen(sign) for sign in _SPACE.sub(" ", text))


def script_json(value: Any) -> Markup:
    """JSON that cannot end a script element or a line of script."""
    return Markup(json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_SCRIPT))


def csv_text(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    if text[:1].isalnum() and text.isascii() and text.isprintable():
        return text
    formula = text.startswith(("\t", "\r")) or _FORMULA.match(text) is not None
    return ("'" if formula else "") + visible(text)


def web_link(url: str) -> str:
    """The address if it is http or https with a host, else nothing."""
    if not url or _PLAIN.fullmatch(url):
        return url
    if not url.isprintable() or any(sign.isspace() or sign in "\"'<>\\" for sign in url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""


def _seen(sign: str) -> str:
    if sign in _NEEDED or unicodedata.category(sign) not in _UNSEEN:
        return sign
    return f"⟨U+{ord(sign):04X}⟩"
