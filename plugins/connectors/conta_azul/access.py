"""Where a connection points, how fast it may go, and which categories are a pass-through pair."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import Refused

API = "https://api-v2.contaazul.com"
TOKEN = "https://api-v2.contaazul.com/oauth/token"
AUTHORIZE = "https://login.contaazul.com/#/oauth/authorize"
CALLS_PER_SECOND = Decimal(5)  # 10 are allowed to all apps of a company; 8 were seen to draw lasting refusals
FASTEST = Decimal(1000)

_LOCAL = frozenset({"127.0.0.1", "localhost"})


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
    local = {name: _is_local(name, url) for name, url in clean.items()}
    if len(set(local.values())) > 1:
        ours = ", ".join(name for name, is_local in local.items() if is_local)
        theirs = ", ".join(name for name, is_local in local.items() if not is_local)
        raise Refused(
            f"The conta_azul connection mixes a stand-in ({ours}) with the real service ({theirs}). Give its token_url"
            " and authorize_url on the same host as its API address."
        )
    api = clean["API"].removesuffix("/v1")
    return Access(
        api,
        clean["token"],
        clean["consent"],
        local["API"],
        _rate(extra.get("calls_per_second", "")),
        _pairs(extra.get("pass_through", "")),
        extra.get("account", "").strip().lower(),
    )


def _is_local(name: str, url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise Refused(f"The {name} address of the conta_azul connection is not an address.") from None
    hidden = parts.fragment and name != "consent"  # the login page has its path behind a “#”
    plain = not (parts.username or parts.password or parts.query or hidden)
    if plain and host in _LOCAL and parts.scheme in {"http", "https"}:
        return True
    if plain and host.endswith(".contaazul.com") and parts.scheme == "https" and port in {None, 443}:
        return False
    raise Refused(
        f"The {name} address of the conta_azul connection points to {host or 'no host'}"
        f" ({parts.scheme or 'no scheme'}). Only https://*.contaazul.com, or a stand-in on 127.0.0.1 or localhost,"
        " is allowed; correct the connection."
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
