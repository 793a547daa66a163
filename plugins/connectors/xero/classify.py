"""What an answer of Xero's means: a refusal, something to read, or the fate of a write. Pure.

Sources: Xero's pages on response codes, rate limits and idempotency, and what others met (a 200 that saved nothing, a
400 that had saved all good elements, HTML where JSON was promised).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.shared.answers import Heard, count, loads, retry_after
from connectors.xero.change import Job
from connectors.xero.fields import ZERO_ID, Row
from connectors.xero.read import COLLECTION, ID_FIELD, PARSERS
from connectors.xero.write import key, refs
from qualy_sync.contracts.accounting import (
    Answered,
    Declined,
    Done,
    NotSent,
    RejectedWhole,
    Reply,
    Unanswered,
    What,
)
from qualy_sync.contracts.errors import (
    AnswerLost,
    OutOfQuota,
    Reconnect,
    Refused,
    ToolError,
    Unreachable,
    WrongShape,
)
from qualy_sync.outcomes import Code

RECONNECT = "Run `bin/qualy connect xero` to connect again."
LONGEST_WAIT = timedelta(days=7)
NOT_FOUND = b"resource you're looking for cannot be found"

# Message -> our code, the first that fits. A message may name an account and a tax at once, hence the order.
CODES: tuple[tuple[re.Pattern[str], Code], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), code)
    for pattern, code in (
        (r"(period|end of year) lock date|accounts are locked", Code.LOCKED_THERE),
        (r"invoice # must be unique|another contact has this contact number", Code.NUMBER_TAKEN),
        (r"contact name .*already assigned", Code.DUPLICATE_NAME),
        (r"contact\b.*\barchived", Code.ARCHIVED_CONTACT),
        (r"not subscribed to currency", Code.CURRENCY_NOT_ENABLED),
        (r"tax ?type", Code.UNMAPPED_TAX),
        (r"account code|account could not be found", Code.UNMAPPED_ACCOUNT),
        (r"only be made (against|between) authorised", Code.AWAITING_APPROVAL),
        (r"exceeds the (amount outstanding|remaining credit)", Code.PAID_THERE),
        (r"(has|have) (a )?payments? or credit notes? allocated|not of valid status for modification", Code.PAID_THERE),
        (r"payments within a batch cannot be deleted", Code.RECONCILED_THERE),
        (r"has already been deleted", Code.REMOVED_THERE),
        (r"\bpermission\b", Code.NOT_ALLOWED),
    )
)


def refusal(heard: Heard, asked: str, now: datetime) -> ToolError | None:
    """The error of an answer that refuses a whole request before anything was done; None for any other answer."""
    if heard.status == 401:
        return Reconnect(f"Xero no longer accepts the connection, or a scope is missing ({asked}). {RECONNECT}")
    if heard.status == 403:
        return Refused(
            f"Xero refuses the connection for this organisation ({asked}): it was disconnected, or the tenant_id in the"
            f" settings is another one's. Correct the tenant_id, or connect again. {RECONNECT}"
        )
    if heard.status == 404:
        return Refused(f"Xero does not know what was asked for ({asked}). Check the connection's address.")
    if heard.status == 429:
        limit, until = _limit(heard, now)
        when = f"until {until:%Y-%m-%d %H:%M:%S} UTC" if until else "for a moment"
        return OutOfQuota(f"Xero's {limit} limit is used up; it asks to wait {when} ({asked}).", limit, until)
    return None


def read_content(heard: Heard, asked: str, now: datetime) -> Any:
    """The JSON of an answer to a read. Raises contracts.errors for everything else."""
    refused = refusal(heard, asked, now)
    if refused is not None:
        raise refused
    if heard.status >= 500:
        raise Unreachable(f"Xero answered {heard.status} ({asked}). Nothing was changed; try again later.")
    if not 200 <= heard.status < 300:
        raise Refused(f"Xero refuses the question with {heard.status} ({asked}){_type(heard)}.")
    try:
        return loads(heard.body)
    except ValueError:
        raise AnswerLost(f"Xero's answer did not arrive whole ({asked}). Nothing was changed; try again.") from None


def write_reply(what: What, sent: bytes, heard: Heard, asked: str, now: datetime) -> Reply:
    """The fate of a batched create."""
    refused = refusal(heard, asked, now)
    if refused is not None:
        return NotSent(refused)
    if heard.status == 413:
        return RejectedWhole("The batch is larger than Xero accepts.")
    try:
        content = loads(heard.body)
    except ValueError:
        content = None
    if heard.status == 400:
        return _bad_request(what, sent, content)
    if not 200 <= heard.status < 300:
        return Unanswered(f"Xero answered {heard.status}.")
    elements = content.get(COLLECTION[what]) if isinstance(content, dict) else None
    if not isinstance(elements, list):
        return Unanswered(f"Xero answered {heard.status} with something that cannot be read.")
    return Answered(results(what, sent, elements))


def _bad_request(what: What, sent: bytes, content: Any) -> Reply:
    """A 400. One that lists elements lists the refused ones alone: the others may have been created."""
    if not isinstance(content, dict):
        return Unanswered("Xero answered 400 with something that cannot be read.")
    told = [*messages(content), str(content.get("Message") or content.get("Detail") or "")]
    if any("different request" in message for message in told):
        return Unanswered("Xero says that this idempotency key was used for a different request.")
    elements = content.get("Elements")
    if isinstance(elements, list) and elements:
        return Answered(results(what, sent, elements))
    return RejectedWhole("; ".join(message for message in told if message) or "Xero refused the batch.")


# -- changes ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Saved:
    """What a body that changes, voids, removes or allocates came to: refusals, and the refs of what was saved.

    `rows` are the saved elements as answered, by ref: an answer may echo what it was asked although it saved nothing.
    """

    declined: tuple[Declined, ...]
    rows: Mapping[str, Row]


def job_reply(job: Job, heard: Heard, asked: str, now: datetime) -> Reply | Saved:
    """The fate of what is not a create."""
    refused = refusal(heard, asked, now)
    if refused is not None and not (heard.status == 404 and job.do in ("remove", "allocate")):
        return NotSent(refused)
    if heard.status == 404:
        return Answered(tuple(Declined(ref, Code.REMOVED_THERE, "Xero no longer has it.") for ref in job.refs.values()))
    try:
        content = loads(heard.body)
    except ValueError:
        content = None
    if not isinstance(content, dict) or not (200 <= heard.status < 300 or heard.status == 400):
        return Unanswered(f"Xero answered {heard.status} with something that cannot be read.")
    told = [*messages(content), str(content.get("Message") or content.get("Detail") or "")]
    if heard.status == 400 and any("different request" in message for message in told):
        return Unanswered("Xero says that this idempotency key was used for a different request.")
    found = content.get("Elements" if heard.status == 400 else COLLECTION[job.what])
    if not isinstance(found, list) or not found:
        if heard.status == 400:
            return RejectedWhole("; ".join(message for message in told if message) or "Xero refused the batch.")
        return Unanswered(f"Xero answered {heard.status} with something that cannot be read.")
    return _saved(job, [one for one in found if isinstance(one, dict)])


def _saved(job: Job, found: list[Row]) -> Saved:
    declined: list[Declined] = []
    saved: dict[str, Row] = {}
    for element in found:
        ref = _ref_in(job, element)
        if ref is None:
            continue
        said = messages(element)
        if said or element.get("StatusAttributeString") == "ERROR" or element.get(ID_FIELD[job.what]) == ZERO_ID:
            declined.append(Declined(ref, code_of(said), "; ".join(said) or "Xero saved nothing and gave no reason."))
        elif True not in (element.get("HasErrors"), element.get("HasValidationErrors")):
            saved[ref] = element
    return Saved(tuple(declined), saved)


def _ref_in(job: Job, element: Row) -> str | None:
    """Which of our records an answered element is: by its id, or the only one that was sent."""
    if len(job.refs) == 1:
        return next(iter(job.refs.values()))
    remote_id = element.get(ID_FIELD[job.what])
    return job.refs.get(remote_id.casefold()) if isinstance(remote_id, str) else None


# -- elements -----------------------------------------------------------------------------------------------------


def results(what: What, sent: bytes, elements: list[Any]) -> tuple[Done | Declined, ...]:
    """One result per element that is recognised, by our own key, exactly once, and whose fate is plain."""
    known = refs(what, sent)
    found: dict[str, list[Done | Declined | None]] = {}
    for element in elements:
        ref = known.get(key(what, element)) if isinstance(element, dict) else None
        if ref is not None:
            found.setdefault(ref, []).append(_judged(what, ref, element))
    return tuple(fates[0] for fates in found.values() if len(fates) == 1 and fates[0] is not None)


def _judged(what: What, ref: str, element: Row) -> Done | Declined | None:
    said = messages(element)
    remote_id = element.get(ID_FIELD[what])
    saved = isinstance(remote_id, str) and remote_id not in {"", ZERO_ID}
    if element.get("StatusAttributeString") == "ERROR" or remote_id == ZERO_ID or (said and not saved):
        return Declined(ref, code_of(said), "; ".join(said) or "Xero saved nothing and gave no reason.")
    if said or not saved or True in (element.get("HasErrors"), element.get("HasValidationErrors")):
        return None
    try:
        return Done(ref, PARSERS[what](element))
    except WrongShape:
        return None


def messages(value: Any) -> list[str]:
    """Every validation error inside an element, lines and contact included, each once, in order."""
    found: list[str] = []
    _collect(value, found)
    return list(dict.fromkeys(found))


def _collect(value: Any, found: list[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _collect(item, found)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name == "ValidationErrors" and isinstance(item, list):
                found.extend(_words(error) for error in item)
            else:
                _collect(item, found)


def _words(error: Any) -> str:
    if isinstance(error, dict):
        return str(error.get("Message") or error.get("Description") or "Xero gave no reason.")
    return str(error)


def code_of(said: list[str]) -> Code:
    """Our word for what Xero said; `invalid` where it is nothing that is known."""
    return next((code for pattern, code in CODES if any(pattern.search(message) for message in said)), Code.INVALID)


# -- limits -------------------------------------------------------------------------------------------------------


def remaining(heard: Heard) -> tuple[int | None, int | None]:
    """Calls left this minute and today, as the answer says."""
    return count(heard, "x-minlimit-remaining"), count(heard, "x-daylimit-remaining")


def _limit(heard: Heard, now: datetime) -> tuple[str, datetime | None]:
    """Which limit, and until when. Xero gives a time for minute and day only; a minute's window is a minute."""
    limit = heard.headers.get("x-rate-limit-problem", "").strip().lower() or "rate"
    until = retry_after(heard.headers.get("retry-after", ""), now, LONGEST_WAIT)
    if until is None and "minute" in limit:
        until = now + timedelta(minutes=1)
    return limit, until


def _type(heard: Heard) -> str:
    """The kind of a 400, which Xero names without quoting what was asked."""
    try:
        content = loads(heard.body)
    except ValueError:
        return ""
    kind = content.get("Type") if isinstance(content, dict) else None
    return f": {kind}" if isinstance(kind, str) and kind.isidentifier() else ""
