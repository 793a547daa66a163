"""What an answer of HubSpot's means: a refusal, something to read, or the fate of a batch. Pure.

Sources: HubSpot's pages on error handling and usage guidelines, its official Node client (how long each policy of a
429 asks to wait), and what others met (a batch update that leaves a merged record out, 207 with trace ids alone).
A message of HubSpot's may quote a person's data: only its codes and property names are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.shared.answers import Heard, count, retry_after
from qualy_sync.contracts.accounting import Declined, NotSent, RejectedWhole, Unanswered
from qualy_sync.contracts.errors import (
    AnswerLost,
    OutOfQuota,
    Reconnect,
    Refused,
    ToolError,
    Unreachable,
)
from qualy_sync.outcomes import Code

RECONNECT = "Run `bin/qualy connect hubspot` to see how to connect again."
_LOCKED, _MIGRATING = 423, 477
_BUSY = timedelta(seconds=2)
_LONGEST_WAIT = timedelta(days=1)
_MIGRATION = timedelta(hours=1)
_VALUES = re.compile(r"\[\{.*\}\]", re.DOTALL)
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def loads(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises ValueError for anything else."""
    try:
        found = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("is not an object")
    return found


def content_of(heard: Heard) -> dict[str, Any]:
    """The object in an answer; empty where it cannot be read."""
    try:
        return loads(heard.body)
    except ValueError:
        return {}


def refusal(heard: Heard, asked: str, now: datetime, zone: ZoneInfo | None = None) -> ToolError | None:
    """The error of an answer that refuses a whole request before anything was done; None for any other answer."""
    if heard.status == 401:
        return Reconnect(f"HubSpot no longer accepts the connection's token ({asked}). {RECONNECT}")
    if heard.status == 403:
        return Refused(f"HubSpot's connection may not do this ({asked}){_scopes(content_of(heard))}. {RECONNECT}")
    if heard.status == 404:
        return Refused(
            f"HubSpot does not know what was asked for ({asked}). Check the connection's address and"
            " hubspot.api_version in the settings."
        )
    if heard.status in (429, _LOCKED, _MIGRATING):
        limit, until = _limit(heard, now, zone)
        return OutOfQuota(f"HubSpot asks to wait until {until:%Y-%m-%d %H:%M:%S} UTC ({limit}, {asked}).", limit, until)
    return None


def read_content(heard: Heard, asked: str, now: datetime, zone: ZoneInfo | None = None) -> dict[str, Any]:
    """The object of an answer to a read. Raises contracts.errors for everything else."""
    refused = refusal(heard, asked, now, zone)
    if refused is not None:
        raise refused
    if heard.status >= 500:
        raise Unreachable(f"HubSpot answered {heard.status} ({asked}). Nothing was changed; try again later.")
    if not 200 <= heard.status < 300:
        raise Refused(f"HubSpot refuses the question with {heard.status} ({asked}): {told(content_of(heard))}.")
    try:
        return loads(heard.body)
    except ValueError:
        raise AnswerLost(f"HubSpot's answer did not arrive whole ({asked}). Nothing was changed; try again.") from None


def batch_fate(
    heard: Heard, asked: str, now: datetime, zone: ZoneInfo | None = None
) -> dict[str, Any] | RejectedWhole | NotSent | Unanswered:
    """The fate of a batched write: its answer, to be matched, or that there is none."""
    refused = refusal(heard, asked, now, zone)
    if refused is not None:
        return NotSent(refused)
    content = content_of(heard)
    if heard.status in (400, 409, 413, 414) and (content or heard.status >= 413):
        return RejectedWhole(told(content))
    if not 200 <= heard.status < 300:
        return Unanswered(f"HubSpot answered {heard.status}.")
    if not isinstance(content.get("results"), list):
        return Unanswered(f"HubSpot answered {heard.status} with something that cannot be read.")
    return content


def declined(content: Mapping[str, Any]) -> Iterator[Declined]:
    """The inputs that a partial answer names as refused, by their trace ids."""
    for error in _list(content.get("errors")):
        if not isinstance(error, dict):
            continue
        context = error.get("context")
        traces = context.get("objectWriteTraceId") if isinstance(context, dict) else None
        for ref in _list(traces):
            if isinstance(ref, str):
                yield Declined(ref, code_of(error), told(error))


def code_of(error: Mapping[str, Any]) -> Code:
    """Our word for one error of a batch."""
    category = str(error.get("category") or "")
    if category == "OBJECT_NOT_FOUND":
        return Code.REMOVED_THERE
    if category == "CONFLICT" or "CONFLICTING_UNIQUE_VALUE" in str(error.get("message")):
        return Code.DUPLICATE_THERE
    if category == "MISSING_SCOPES":
        return Code.NOT_ALLOWED
    return Code.INVALID


def told(error: Mapping[str, Any]) -> str:
    """What is wrong, by property and code (`email: INVALID_EMAIL`); the category where it names none."""
    found = [*_bad_values(error), *_named(error)]
    return "; ".join(dict.fromkeys(found)) or _word(error.get("category")) or "it gave no reason"


def _bad_values(error: Mapping[str, Any]) -> Iterator[str]:
    """HubSpot puts a list of objects, as text, behind a sentence."""
    inside = _VALUES.search(str(error.get("message") or ""))
    if inside is None:
        return
    try:
        values = json.loads(inside.group())
    except ValueError:
        return
    for one in values:
        if isinstance(one, dict):
            yield f"{_word(one.get('name')) or 'a property'}: {_word(one.get('error')) or 'not valid'}"


def _named(error: Mapping[str, Any]) -> Iterator[str]:
    for one in _list(error.get("errors")):
        if not isinstance(one, dict):
            continue
        context = one.get("context")
        names = _list(context.get("propertyName")) if isinstance(context, dict) else []
        code = _word(one.get("code"))
        for name in names:
            yield f"{_word(name)}: {code or 'not valid'}"


def _scopes(content: Mapping[str, Any]) -> str:
    found: list[str] = []
    for one in _list(content.get("errors")):
        context = one.get("context") if isinstance(one, dict) else None
        found += [_word(scope) for scope in _list((context or {}).get("requiredGranularScopes"))]
    named = ", ".join(scope for scope in found if scope)
    return f"; it needs {named}" if named else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _word(value: Any) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""


# -- limits -------------------------------------------------------------------------------------------------------


def remaining(heard: Heard) -> tuple[int | None, int | None]:
    """Calls left in the ten seconds and today, as the answer says; searches and OAuth say less."""
    return count(heard, "x-hubspot-ratelimit-remaining"), count(heard, "x-hubspot-ratelimit-daily-remaining")


def _limit(heard: Heard, now: datetime, zone: ZoneInfo | None) -> tuple[str, datetime]:
    """Which limit, and until when. HubSpot sends no `Retry-After` as a rule: each policy has its own window."""
    asked = retry_after(heard.headers.get("retry-after", ""), now, _LONGEST_WAIT)
    if heard.status == _LOCKED:
        return "record lock", asked or now + _BUSY
    if heard.status == _MIGRATING:
        return "account migration", asked or now + _MIGRATION
    content = content_of(heard)
    policy = str(content.get("policyName") or "")
    if policy == "DAILY":
        return "daily", asked or _midnight(now, zone)
    if policy == "TEN_SECONDLY_ROLLING":
        return "ten-second", asked or now + timedelta(seconds=10)
    secondly = "secondly" in f"{policy} {content.get('message') or ''}".lower()
    return (
        ("search", asked or now + timedelta(seconds=1)) if secondly else ("rate", asked or now + timedelta(seconds=10))
    )


def _midnight(now: datetime, zone: ZoneInfo | None) -> datetime:
    """The day of the limit ends at midnight in the account's time zone."""
    local = now.astimezone(zone or UTC)
    start = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return (start + timedelta(days=1, minutes=1)).astimezone(UTC)
