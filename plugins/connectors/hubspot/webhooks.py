"""Webhooks of HubSpot: whether one may be believed, and which contacts it speaks of. Pure.

HubSpot: "Validating requests" (v3): `X-HubSpot-Signature-v3` is the base64 of HMAC-SHA256, with the app's secret, over
method, address, body and `X-HubSpot-Request-Timestamp` (milliseconds). Property values in events are never used.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

SIGNATURE, TIMESTAMP = "X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp"
WINDOW_SECONDS = 300  # HubSpot: older ones are to be rejected; from the future ones as well, for a clock may be wrong
CONTACT, ERASED = "contact", "erased"

_CONTACTS = "0-1"  # HubSpot's object type
# HubSpot decodes these escapes of the address before it signs.
_DECODED = re.compile("%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
_NUMBER = re.compile(r"[1-9]\d{0,18}", re.ASCII)


def is_fresh(timestamp: str, now: float) -> bool:
    """Whether a request is at most five minutes old, or ahead. `now` in seconds since 1970, by a right clock."""
    if not _NUMBER.fullmatch(timestamp):
        return False
    return abs(now - int(timestamp) / 1000) <= WINDOW_SECONDS


def verify(
    secrets: Sequence[str], *, method: str, address: str, body: bytes, timestamp: str, signature: str, now: float
) -> bool:
    """Whether HubSpot sent this within the last five minutes. Constant time.

    `address` is the whole URL as HubSpot was given it, whatever proxies made of it on the way. `secrets`: the app's,
    and the one before while it is being changed.
    """
    if not is_fresh(timestamp, now):
        return False
    signed_address = _DECODED.sub(lambda found: unquote(found[0]), address)
    signed = method.encode() + signed_address.encode() + body + timestamp.encode()
    given = signature.strip().encode(errors="replace")
    digests = (hmac.new(secret.encode(), signed, hashlib.sha256).digest() for secret in secrets if secret)
    fits = [hmac.compare_digest(base64.b64encode(digest), given) for digest in digests]
    return any(fits)


def hints(body: bytes, account: str | None = None) -> list[tuple[str, str]]:
    """The contacts that some events speak of, as (CONTACT or ERASED, record id); none where nothing is readable.

    Events of another account than `account` are left out: one app can be installed in several. Both spellings count,
    `contact.creation` and `object.creation` with the type of contacts.
    """
    try:
        events = json.loads(body)
    except (ValueError, RecursionError):
        return []
    events = events if isinstance(events, list) else [events]
    return list(dict.fromkeys(found for event in events for found in _told(event, account)))


def _told(event: Any, account: str | None) -> Iterator[tuple[str, str]]:
    if not isinstance(event, dict) or not isinstance(event.get("subscriptionType"), str):
        return
    spelling, _, action = event["subscriptionType"].partition(".")
    of_contacts = spelling == "contact" or (spelling == "object" and event.get("objectTypeId") == _CONTACTS)
    if not of_contacts or (account and str(event.get("portalId")) != account):
        return
    kind = ERASED if action == "privacyDeletion" else CONTACT
    merged = event.get("mergedObjectIds")
    ids = [event.get("objectId"), event.get("primaryObjectId"), event.get("newObjectId")]
    for one in [*ids, *(merged if isinstance(merged, list) else [])]:
        if not isinstance(one, bool | None) and _NUMBER.fullmatch(str(one)):
            yield kind, str(one)
