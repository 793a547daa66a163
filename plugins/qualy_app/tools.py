"""The accounting tools by name: the one place that picks a connector."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from qualy_sync.contracts.accounting import AccountingTool, Endpoint, RemoteSettlement
from qualy_sync.contracts.errors import Refused
from qualy_sync.ledger import Ledger, mirror
from qualy_sync.ledger.books import live_book
from qualy_sync.ledger.engine import get_meta, set_meta
from qualy_sync.ledger.tokens import LedgerTokens

Mask = Callable[[str], None]  # hears each token before it is used, so that logs can hide it
REALM = "quickbooks.realm"
TOKEN_LEASE = timedelta(seconds=75)


@dataclass(frozen=True, slots=True)
class Tool:
    """How an accounting tool is opened. `connection` is its Airflow connection id."""

    title: str
    connection: str
    open: Callable[[Ledger, Endpoint, int, Mask | None], AccountingTool]


def xero_tokens(ledger: Ledger, endpoint: Endpoint) -> LedgerTokens:
    """Xero's tokens: of a consent (`bin/qualy connect xero`), of the connection's `refresh_token`, or, for a custom
    connection, asked for whenever one is needed."""
    from connectors import xero

    def renew() -> xero.Tokens:
        try:
            return xero.client_credentials(endpoint, clock=ledger)
        except Refused as refused:
            remedy = "Unless the app is a custom connection, agree to the access first: bin/qualy connect xero"
            raise Refused(f"{refused.message} {remedy}") from None

    return LedgerTokens(
        ledger,
        "xero",
        endpoint.extra.get("refresh_token", ""),
        lambda token: xero.refresh(endpoint, token, clock=ledger),
        TOKEN_LEASE,
        renew=renew if endpoint.password else None,
        mask=hide_in_logs,
        grace=xero.REFRESH_GRACE,
    )


def _xero(ledger: Ledger, endpoint: Endpoint, read_timeout: int, mask: Mask | None) -> AccountingTool:
    from connectors import xero

    return xero.connect(endpoint, xero_tokens(ledger, endpoint), ledger, read_timeout)


def conta_azul_tokens(ledger: Ledger, endpoint: Endpoint) -> LedgerTokens:
    """Conta Azul's tokens: of a consent (`bin/qualy connect conta_azul`), or of the connection's `refresh_token`."""
    from connectors import conta_azul

    return LedgerTokens(
        ledger,
        "conta_azul",
        endpoint.extra.get("refresh_token", ""),
        lambda token: conta_azul.refresh(endpoint, token, clock=ledger),
        TOKEN_LEASE,
        mask=hide_in_logs,
    )


def _conta_azul(ledger: Ledger, endpoint: Endpoint, read_timeout: int, mask: Mask | None) -> AccountingTool:
    from connectors import conta_azul

    from .sessions import http_session

    tokens = conta_azul_tokens(ledger, endpoint)
    session = http_session("conta_azul", endpoint)
    return conta_azul.connect(endpoint, tokens, ledger, session, read_timeout, _known_settlements(ledger))


def _known_settlements(ledger: Ledger) -> Callable[[Sequence[str]], Iterable[RemoteSettlement]]:
    """What the mirror holds of some documents' settlements: a tool that shows them one by one need not read these."""

    def known(document_ids: Sequence[str]) -> Iterable[RemoteSettlement]:
        book = live_book(ledger)
        if book is None:
            return ()
        with ledger.reading() as connection:
            return mirror.settlements_by(connection, book.id, "document_id", list(document_ids))

    return known


def quickbooks_tokens(ledger: Ledger, endpoint: Endpoint) -> LedgerTokens:
    """QuickBooks' tokens: of a consent (`bin/qualy connect quickbooks`), or of the connection's `refresh_token`."""
    from connectors import quickbooks

    return LedgerTokens(
        ledger,
        "quickbooks",
        endpoint.extra.get("refresh_token", ""),
        lambda token: quickbooks.refresh(endpoint, token, clock=ledger),
        TOKEN_LEASE,
        mask=hide_in_logs,
    )


def keep_realm(ledger: Ledger, realm: str) -> None:
    """Which company a consent was for: the address at the end of it says so, and nothing later does."""
    with ledger.writing() as connection:
        set_meta(connection, REALM, realm)


def _quickbooks(ledger: Ledger, endpoint: Endpoint, read_timeout: int, mask: Mask | None) -> AccountingTool:
    from connectors import quickbooks

    if not (endpoint.extra.get("tenant_id") or endpoint.extra.get("realm_id")):
        with ledger.reading() as connection:
            realm = get_meta(connection, REALM) or ""
        endpoint = replace(endpoint, extra=dict(endpoint.extra) | {"realm_id": realm})
    return quickbooks.connect(endpoint, quickbooks_tokens(ledger, endpoint), ledger, read_timeout)


def hide_in_logs(token: str) -> None:
    """Airflow masks the secrets that it hands out itself; this one it has to be told."""
    if "airflow.sdk" in sys.modules:
        from airflow.sdk.log import mask_secret

        mask_secret(token)


TOOLS: Mapping[str, Tool] = {
    "xero": Tool("Xero", "xero", _xero),
    "conta_azul": Tool("Conta Azul", "conta_azul", _conta_azul),
    "quickbooks": Tool("QuickBooks", "quickbooks", _quickbooks),
}
