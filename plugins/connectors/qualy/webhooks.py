"""Webhooks of Qualy: whether one may be believed, and which records it speaks of. Pure.

Qualy's public pages show no signature (Qualy: "Webhooks"): a secret stands in the address, and a header can be checked
besides once Qualy has confirmed one. Nothing of `data` but ids is used; the records are read again over the API.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeGuard

from qualy_sync.model import Kind

from .shapes import read_json

SignatureForm = Literal["hmac-sha256-hex", "hmac-sha256-base64", "same"]

SHORTEST_SECRET = 24  # characters; a shorter one is never accepted
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
# Qualy: "Webhooks" names transactions, paymentIntents and splitIntents; that the others exist is an assumption.
_KINDS = {
    "contacts": Kind.CUSTOMER,
    "paymentIntents": Kind.PAYMENT,
    "paymentSplits": Kind.SPLIT,
    "splitIntents": Kind.SPLIT_INTENT,
    "transactions": Kind.TRANSACTION,
    "partnerships": Kind.PARTNER,
    "taxes": Kind.TAX,
    "users": Kind.USER,
    "teams": Kind.TEAM,
    "tags": Kind.TAG,
}


def verify_secret(given: str, valid: Sequence[str]) -> bool:
    """Whether the address's secret is one of those that count (two while it is being changed). Constant time."""
    return _is_one_of(given, valid)


def verify_signature(body: bytes, given: str, valid: Sequence[str], form: SignatureForm) -> bool:
    """Whether a header was made with one of the signing secrets. Constant time."""
    if form == "same":
        return _is_one_of(given, valid)
    digests = [hmac.new(secret.encode(), body, hashlib.sha256).digest() for secret in valid if secret]
    if form == "hmac-sha256-hex":
        return _is_one_of(given.strip().removeprefix("sha256=").lower(), [digest.hex() for digest in digests])
    return _is_one_of(given.strip(), [base64.b64encode(digest).decode() for digest in digests])


def hints(body: bytes) -> list[tuple[Kind, str]]:
    """The records that a webhook speaks of; none where it is of no known kind, or not readable at all."""
    try:
        document = read_json(body)
    except ValueError:
        return []
    if not isinstance(document, dict) or not isinstance(document.get("event"), str):
        return []
    kind = _KINDS.get(document["event"].partition(".")[0])
    data = document.get("data")
    if kind is None:
        return []
    return list(dict.fromkeys(_told(kind, data if isinstance(data, list) else [data])))


def _told(kind: Kind, data: list[Any]) -> Iterator[tuple[Kind, str]]:
    for one in data:
        if not isinstance(one, dict):
            continue
        if _is_id(record_id := one.get("_id")):
            yield kind, record_id
        # What belongs to a payment changes the payment, too, and the event of that one may be lost.
        payment = one.get("paymentIntent")
        payment = payment.get("_id") if isinstance(payment, dict) else payment
        if kind is not Kind.PAYMENT and _is_id(payment):
            yield Kind.PAYMENT, payment


def _is_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _is_one_of(given: str, valid: Sequence[str]) -> bool:
    """Compares with each, whichever fits; digests, so that lengths tell nothing either."""
    mine = hashlib.sha256(given.encode(errors="replace")).digest()
    fits = [hmac.compare_digest(mine, hashlib.sha256(one.encode()).digest()) for one in valid if one]
    return any(fits)
