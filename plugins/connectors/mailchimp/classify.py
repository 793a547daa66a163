"""What an answer of Mailchimp's means. Pure.

A refusal of one member is told by title and by the named fields. Mailchimp's sentences quote the person's address, so
that they never leave this module: what is kept are field names and fixed words.

Sources: recorded answers, and the titles that Mailchimp's pages and many clients name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from qualy_sync.contracts.accounting import Declined
from qualy_sync.contracts.errors import OutOfQuota, Reconnect, Refused, ToolError, Unreachable
from qualy_sync.outcomes import Code

BUSY = timedelta(seconds=4)
LATER = "signed up to many audiences lately: Mailchimp takes the address later"
_CONSENT = {
    "member in compliance state": "unsubscribed, bounced or under review",
    "forgotten email not subscribed": "permanently deleted",
}
_LATER = "a lot of lists very recently"
_ADDRESS = ("email_address", "email address", "looks fake", "valid email")
_FIELD = re.compile(r"[A-Za-z0-9_.]{1,60}")
_RECONNECT = (
    "Make an API key in Mailchimp (Profile, Extras, API keys), put it into the mailchimp connection, and try it with"
    " `bin/qualy connect mailchimp`."
)


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer: of a call of its own, or of an operation of a batch."""

    status: int
    body: bytes = field(repr=False)

    @property
    def content(self) -> dict[str, Any]:
        """The object in it; empty where there is none."""
        try:
            found = json.loads(self.body) if self.body else {}
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def fine(self) -> bool:
        return 200 <= self.status < 300


def refusal(heard: Heard, asked: str, now: datetime) -> ToolError | None:
    """The error of an answer that refuses a whole call before anything was done; None for any other answer.

    A 403 without an object in it is overload, as 429 is (Mailchimp: "Fundamentals").
    """
    if heard.status == 401:
        return Reconnect(f"Mailchimp does not accept the connection's key ({asked}). {_RECONNECT}")
    if heard.status == 429 or (heard.status == 403 and not heard.content):
        until = now + BUSY
        return OutOfQuota(f"Mailchimp has too many calls at once ({asked}); it is asked again.", "connection", until)
    if heard.status == 403:
        return Refused(f"Mailchimp's key may not do this ({asked}): its user needs the role manager, admin or owner.")
    if 300 <= heard.status < 400:
        return Refused(f"Mailchimp redirects elsewhere ({asked}); it is not followed. Correct the connection's host.")
    if heard.status in (502, 503, 504):
        return Unreachable(f"Mailchimp is in trouble: it answered {heard.status} ({asked}). The next run tries again.")
    return None


def declined(ref: str, heard: Heard) -> Declined | None:
    """The refusal of one member; None where the answer says nothing of its fate."""
    content = heard.content
    if heard.status == 404:
        return Declined(ref, Code.REMOVED_THERE, "not there")
    if heard.status not in (400, 405) or not content:
        return None
    title, detail = str(content.get("title") or "").strip().lower(), str(content.get("detail") or "").lower()
    if title in _CONSENT:
        return Declined(ref, Code.CONSENT_WITHDRAWN, _CONSENT[title])
    if title == "member exists":
        return Declined(ref, Code.DUPLICATE_THERE, "the address is another member's")
    if _LATER in detail:
        return Declined(ref, Code.UNREACHABLE, LATER)
    return Declined(ref, Code.INVALID, _told(content, detail))


def _told(content: Mapping[str, Any], detail: str) -> str:
    """What is wrong by field (`QPAYMENTS: not accepted`); `email` where the address is."""
    named = []
    errors = content.get("errors")
    for one in errors if isinstance(errors, list) else []:
        name = str(one.get("field") or "") if isinstance(one, dict) else ""
        name = name.removeprefix("merge_fields.")
        if _FIELD.fullmatch(name):
            named.append("email: not accepted" if name == "email_address" else f"{name}: not accepted")
    if not named and any(words in detail for words in _ADDRESS):
        named.append("email: not accepted as an address")
    return "; ".join(dict.fromkeys(named)) or "not accepted; Mailchimp named no field"
