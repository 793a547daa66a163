"""Where a connection points, how fast it may go, and which categories are a pass-through pair."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from connectors.shared.hosts import all_local
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import Refused

API = "https://api-v2.contaazul.com"
TOKEN = "https://api-v2.contaazul.com/oauth/token"
AUTHORIZE = "https://login.contaazul.com/#/oauth/authorize"
CALLS_PER_SECOND = Decimal(5)  # 10 are allowed to all apps of a company; 8 were seen to draw lasting refusals
FASTEST = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Access:
    """The addresses of one connection, checked; none ends with a slash.

    `pairs` are pass-through pairs: the category that receives, and the one that passes on. `account` is the account of
    money that receivables and payables are expected on, empty where none is named.
    """

    api: str
    token: str
    authorize: str
    local: bool
    calls_per_second: Decimal
    pairs: tuple[tuple[str, str], ...]
    account: str


def access(endpoint: Endpoint) -> Access:
    """What a connection says, Conta Azul's own addresses where it names none. Raises Refused.

    `extra` may hold `token_url` and `authorize_url` (there are two generations of both), `calls_per_second`,
    `pass_through`: pairs of category ids as `RECEITA+DESPESA`, with commas between pairs; and `account`: the id of the
    account (conta financeira) that receivables and payables are expected on, which the documents demand and the live
    service does not.
    """
    extra = endpoint.extra
    named = {
        "API": endpoint.url or API,
        "token": extra.get("token_url") or TOKEN,
        "consent": extra.get("authorize_url") or AUTHORIZE,
    }
    clean = {name: url.strip().rstrip("/") for name, url in named.items()}
    local = all_local(
        clean,
        "contaazul.com",
        "conta_azul",
        "service",
        "its token_url and authorize_url",
        frozenset({"consent"}),  # the login page has its path behind a “#”
    )
    api = clean["API"].removesuffix("/v1")
    return Access(
        api,
        clean["token"],
        clean["consent"],
        local,
        _rate(extra.get("calls_per_second", "")),
        _pairs(extra.get("pass_through", "")),
        extra.get("account", "").strip().lower(),
    )


def _rate(text: str) -> Decimal:
    if not text.strip():
        return CALLS_PER_SECOND
    try:
        rate = Decimal(text.strip())
    except InvalidOperation:
        rate = Decimal(0)
    if not rate.is_finite() or not 0 < rate <= FASTEST:
        raise Refused("calls_per_second of the conta_azul connection has to be a number above 0, such as 5.")
    return rate


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for written in text.split(","):
        if not written.strip():
            continue
        income, plus, expense = (part.strip().lower() for part in written.partition("+"))
        if not (income and plus and expense):
            raise Refused("pass_through of the conta_azul connection has to be pairs of category ids: RECEITA+DESPESA.")
        pairs.append((income, expense))
    return tuple(pairs)
