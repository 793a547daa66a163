"""What an answer of Conta Azul's means: a refusal of everything, something to read, or the fate of one write. Pure.

400, 404 and 422 speak of the record, 403 of the company, 409 of the record's version; a 5xx to a write says nothing,
also where the request itself was wrong. Refusals have no codes, only Portuguese sentences.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from connectors.conta_azul.oauth import RECONNECT
from connectors.shared.answers import Heard, loads, retry_after
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Reconnect, Refused, ToolError, Unreachable
from qualy_sync.outcomes import Code

WAITS = (3, 8, 15)  # seconds, where a 429 says nothing: the limits are of a second and of a minute
LONGEST_WAIT = timedelta(days=1)
_LONGEST_MESSAGE = 300

CODES: tuple[tuple[re.Pattern[str], Code], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), code)
    for pattern, code in (
        (r"per[ií]odo|fechad[oa]|fechamento|bloquead|\b(closed|locked) (period|until)|\bperiod\b", Code.LOCKED_THERE),
        (r"concilia|reconcil", Code.RECONCILED_THERE),
        (r"categor", Code.UNMAPPED_ACCOUNT),
        (r"(conta financeira|financial account|centro de custo|cost cent)", Code.UNMAPPED_ACCOUNT),
        (r"\b(inativ|inactive)", Code.ARCHIVED_CONTACT),
        (r"(maior|more) (do )?(que|than).*(aberto|open)|cannot be settled|j[áa] (foi )?(quitad|pag)|less than what is"
         r" settled", Code.PAID_THERE),
        (r"permiss", Code.NOT_ALLOWED),
    )
)  # fmt: skip


def refusal(heard: Heard, asked: str, now: datetime, turned_away: int = 0) -> ToolError | None:
    """The error of an answer that refuses whatever was asked; None for any other answer.

    `turned_away` is how often in a row the service asked to wait: it need not say how long.
    """
    if heard.status == 401:
        return Reconnect(f"Conta Azul no longer accepts the connection ({asked}). {RECONNECT}")
    if heard.status == 403:
        return Refused(f"Conta Azul refuses the connection for this company ({asked}){_account_status(heard)}.")
    if heard.status == 405 or 300 <= heard.status < 400 or _is_gateway(heard):
        return Refused(f"Conta Azul does not know what was asked for ({asked}). Check the connection's address.")
    if heard.status == 429:
        told = retry_after(heard.headers.get("retry-after", ""), now, LONGEST_WAIT)
        unsaid = now + timedelta(seconds=WAITS[min(turned_away, len(WAITS) - 1)])
        until = told if told is not None and told > now else unsaid
        return OutOfQuota(f"Conta Azul's call limit is reached; it asks to wait ({asked}).", "call", until)
    return None


def read_content(heard: Heard, asked: str, now: datetime, turned_away: int = 0) -> Any:
    """The JSON of an answer to a read. Raises contracts.errors for everything else."""
    refused = refusal(heard, asked, now, turned_away)
    if refused is not None:
        raise refused
    if heard.status >= 500:
        raise Unreachable(f"Conta Azul answered {heard.status} ({asked}). Nothing was changed; try again later.")
    if heard.status == 404:
        raise Refused(f"Conta Azul has nothing there ({asked}).")
    if not 200 <= heard.status < 300:
        raise Refused(f"Conta Azul refuses the question with {heard.status} ({asked}): {message(heard)}")
    try:
        return loads(heard.body)
    except ValueError:
        raise AnswerLost(
            f"Conta Azul's answer did not arrive whole ({asked}). Nothing was changed; try again."
        ) from None


def content(heard: Heard) -> dict[str, Any] | None:
    """The object that a write was answered with; None where it cannot be read."""
    try:
        found = loads(heard.body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def message(heard: Heard) -> str:
    """The service's own words: `message` of finance, `error` of people; without the pages that it puts into them."""
    found = content(heard) or {}
    said = next((found[name] for name in ("message", "error", "mensagem") if isinstance(found.get(name), str)), "")
    plain = re.sub(r"<[^>]{0,200}>", " ", said)
    return " ".join(plain.split())[:_LONGEST_MESSAGE] or f"it answered {heard.status} and gave no reason"


def code_of(said: str) -> Code:
    """Our word for what was said; `invalid` where it is nothing that is known."""
    return next((code for pattern, code in CODES if pattern.search(said)), Code.INVALID)


def _is_gateway(heard: Heard) -> bool:
    """A 404 of the gateway is plain text, one of a record is JSON or empty."""
    return heard.status == 404 and bool(heard.body.strip()) and content(heard) is None


def _account_status(heard: Heard) -> str:
    """Why, where it is one of the service's words (END_TRIAL: the trial is over)."""
    word = (content(heard) or {}).get("status_conta")
    known = isinstance(word, str) and re.fullmatch(r"[A-Z_]{1,40}", word)
    return f": {word}. Its plan has to include API access; ask Conta Azul" if known else ""
