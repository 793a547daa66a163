"""What an answer of QuickBooks' means: a refusal, something to read, or the fate of a write. Pure.

Faults are told apart by their number alone: their texts are localised. Sources: Intuit's pages on error codes and
limits, and recorded answers (throttling as XML, and as 403; a closed period under 5010).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.quickbooks.fields import Row
from connectors.shared.answers import Heard, loads, retry_after
from qualy_sync.contracts.accounting import Conflict, Declined, NotSent, RejectedWhole, Reply, Skipped, Unanswered
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Reconnect, Refused, ToolError, Unreachable
from qualy_sync.outcomes import Code

RECONNECT = "Run `bin/qualy connect quickbooks` to connect again."
WAIT = timedelta(seconds=60)  # what Intuit asks for after 429; no source shows a Retry-After
LONGEST_WAIT = timedelta(days=1)

_CODES: Mapping[str, Code] = {
    "2500": Code.INVALID,
    "5020": Code.NOT_ALLOWED,
    "6100": Code.UNMAPPED_TAX,
    "6140": Code.NUMBER_TAKEN,
    "6170": Code.UNMAPPED_TAX,
    "6200": Code.LOCKED_THERE,
    "6210": Code.LOCKED_THERE,
    "6240": Code.DUPLICATE_NAME,
    "6250": Code.ARCHIVED_CONTACT,
    "6430": Code.UNMAPPED_ACCOUNT,
    "6450": Code.PAID_THERE,
    "6540": Code.RECONCILED_THERE,
}
# What a missing or inactive reference is about, by the field that holds it or the kind that the text names.
_REFERENCES = (
    (re.compile(r"CurrencyRef|\bcurrency\b", re.IGNORECASE), Code.CURRENCY_NOT_ENABLED),
    (re.compile(r"CustomerRef|VendorRef|\b(Customer|Vendor) (:|\d)", re.IGNORECASE), Code.ARCHIVED_CONTACT),
    (re.compile(r"TaxCode", re.IGNORECASE), Code.UNMAPPED_TAX),
    (re.compile(r"ItemRef|AccountRef|\b(Item|Account) (:|\d)", re.IGNORECASE), Code.UNMAPPED_ACCOUNT),
    (re.compile(r"LinkedTxn", re.IGNORECASE), Code.REMOVED_THERE),
)
_CLOSED = re.compile(r"period (has )?closed", re.IGNORECASE)
_MONEY_ON_IT = re.compile(r"settle|applied to it|open balance", re.IGNORECASE)
# Throttling, in JSON and in XML; the number alone may be anybody's (an id, an amount).
_THROTTLED = re.compile(rb'ThrottleExceeded|code"?\s*[=:]\s*"?0*3001\b', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """The first error of a fault."""

    code: str
    message: str
    element: str

    @property
    def closed(self) -> bool:
        """The books are closed; once seen under the number of a stale record."""
        return self.code in ("6200", "6210") or (self.code == "5010" and bool(_CLOSED.search(self.message)))


def fault_of(content: Any) -> Fault | None:
    """The fault inside an answer or an item of a batch, None where there is none."""
    if not isinstance(content, dict):
        return None
    found = content.get("Fault") or content.get("fault")
    if not isinstance(found, dict):
        return None
    errors = found.get("Error") or found.get("error")
    first = next((one for one in errors if isinstance(one, dict)), {}) if isinstance(errors, list) else {}
    message, detail = (str(first.get(name) or first.get(name.lower()) or "") for name in ("Message", "Detail"))
    code = str(first.get("code") or "").lstrip("0")
    told = detail if message and message in detail else ": ".join(part for part in (message, detail) if part)
    return Fault(code, told or "QuickBooks gave no reason.", str(first.get("element") or ""))


def refusal(heard: Heard, asked: str, now: datetime) -> ToolError | None:
    """The error of an answer that refuses a whole request before anything was done; None for any other answer."""
    content = _content(heard) if heard.status in (200, 400, 403) else None
    fault = fault_of(content)
    if heard.status == 429 or _is_throttled(heard, content, fault):
        until = _until(heard, now)
        return OutOfQuota(
            f"QuickBooks' limit of calls is used up; wait until {until:%Y-%m-%d %H:%M:%S} UTC ({asked}).", "rate", until
        )
    if heard.status == 401:
        return Reconnect(f"QuickBooks no longer accepts the connection ({asked}). {RECONNECT}")
    if heard.status == 403:
        return Refused(
            f"QuickBooks refuses the connection for this company ({asked}): it was disconnected, or the realm_id is"
            f" another company's. Correct the realm_id, or connect again. {RECONNECT}"
        )
    if heard.status == 404:
        return Refused(f"QuickBooks does not know what was asked for ({asked}). Check the connection's address.")
    return _whole(fault, asked) if fault is not None else None


def _is_throttled(heard: Heard, content: Any, fault: Fault | None) -> bool:
    """Too many calls, said with another status than 429: a fault of the whole answer, or a page of XML."""
    if fault is not None:
        return fault.code == "3001" or "ThrottleExceeded" in fault.message
    return content is None and heard.status in (400, 403) and _THROTTLED.search(heard.body) is not None


def _whole(fault: Fault, asked: str) -> ToolError | None:
    """A fault that says that the app or the company may do nothing at all."""
    if fault.code == "6190":
        return Refused(f"QuickBooks says that the company's subscription has a problem ({asked}, 6190).")
    if fault.code == "3200":
        return Reconnect(f"QuickBooks no longer accepts the connection ({asked}). {RECONNECT}")
    if fault.code == "3100":
        return Refused(f"QuickBooks refuses the app for this company ({asked}). {RECONNECT}")
    return None


def read_content(heard: Heard, asked: str, now: datetime) -> dict[str, Any]:
    """The JSON of an answer to a read. Raises contracts.errors for everything else: an error is never absence."""
    refused = refusal(heard, asked, now)
    if refused is not None:
        raise refused
    if heard.status >= 500:
        raise Unreachable(f"QuickBooks answered {heard.status} ({asked}). Nothing was changed; try again later.")
    content = _content(heard)
    fault = fault_of(content)
    if fault is not None and fault.code == "10000":
        raise Unreachable(f"QuickBooks has a failure of its own ({asked}). Nothing was changed; try again later.")
    if fault is not None or not 200 <= heard.status < 300:
        number = fault.code if fault is not None else ""
        raise Refused(f"QuickBooks refuses the question with {heard.status} {number}".rstrip() + f" ({asked}).")
    if not isinstance(content, dict):
        raise AnswerLost(f"QuickBooks' answer did not arrive whole ({asked}). Nothing was changed; try again.")
    return content


def batch_answer(heard: Heard, asked: str, now: datetime) -> Reply | list[Row]:
    """The items of a batch's answer, or what the whole of it means."""
    refused = refusal(heard, asked, now)
    if refused is not None:
        return NotSent(refused)
    content = _content(heard)
    fault = fault_of(content)
    if heard.status < 500 and fault is not None and fault.code != "10000":
        return RejectedWhole(fault.message)
    if heard.status == 413:
        return RejectedWhole("The batch is larger than QuickBooks accepts.")
    items = content.get("BatchItemResponse") if isinstance(content, dict) else None
    if not 200 <= heard.status < 300 or not isinstance(items, list):
        return Unanswered(f"QuickBooks answered {heard.status} with something that cannot be read.")
    return [one for one in items if isinstance(one, dict)]


def judged(fault: Fault, ref: str, verb: str, now: datetime) -> Declined | Conflict | Skipped | None:
    """What a fault of one item means; None where it does not say whether anything was saved."""
    if fault.code in ("", "10000"):
        return None
    if fault.code == "3001":
        return Skipped(ref, OutOfQuota("QuickBooks' limit of calls is used up.", "rate", now + WAIT))
    whole = _whole(fault, "batch")
    if whole is not None:
        return Skipped(ref, whole)
    if fault.closed:
        return Declined(ref, Code.LOCKED_THERE, fault.message)
    if fault.code == "5010":
        return Conflict(ref, fault.message)
    return Declined(ref, _code(fault, verb), fault.message)


def _code(fault: Fault, verb: str) -> Code:
    text = f"{fault.element} {fault.message}"
    if fault.code == "5030":
        return Code.CURRENCY_NOT_ENABLED if "currency" in text.lower() else Code.NOT_ALLOWED
    if fault.code in ("610", "2500"):
        about = next((code for pattern, code in _REFERENCES if pattern.search(text)), None)
        if about is not None:
            return about
        return Code.REMOVED_THERE if fault.code == "610" and verb != "create" else Code.INVALID
    if fault.code == "6000" and _MONEY_ON_IT.search(text):
        return Code.PAID_THERE
    return _CODES.get(fault.code, Code.INVALID)


def _content(heard: Heard) -> Any:
    try:
        return loads(heard.body)
    except ValueError:
        return None


def _until(heard: Heard, now: datetime) -> datetime:
    return retry_after(heard.headers.get("retry-after", ""), now, LONGEST_WAIT) or now + WAIT
