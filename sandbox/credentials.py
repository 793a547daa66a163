"""How the client of a token endpoint says which app it is."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping


def app_of(authorization: str, form: Mapping[str, str]) -> tuple[str, str]:
    """Client id and secret from HTTP Basic, else from the form; empty where they are not there or unreadable."""
    kind, _, value = authorization.partition(" ")
    if kind.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        name, _, secret = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret
