"""The accounting tools by name: the one place that picks a connector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from qualy_sync.contracts.accounting import AccountingTool, Endpoint
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.tokens import LedgerTokens

TOKEN_LEASE = timedelta(seconds=75)


@dataclass(frozen=True, slots=True)
class Tool:
    """How an accounting tool is opened. `connection` is its Airflow connection id."""

    title: str
    connection: str
    open: Callable[[Ledger, Endpoint, int], AccountingTool]


def _xero(ledger: Ledger, endpoint: Endpoint, read_timeout: int) -> AccountingTool:
    from connectors import xero

    seed = endpoint.extra.get("refresh_token", "")
    if seed:
        tokens = LedgerTokens(
            ledger, "xero", seed, lambda token: xero.refresh(endpoint, token, clock=ledger), TOKEN_LEASE
        )
    else:
        # A custom connection: one organisation, and a new token whenever one is needed.
        tokens = LedgerTokens.custom(
            ledger, "xero", endpoint.login, lambda: xero.client_credentials(endpoint, clock=ledger), TOKEN_LEASE
        )
    return xero.connect(endpoint, tokens, ledger, read_timeout)


TOOLS: Mapping[str, Tool] = {"xero": Tool("Xero", "xero", _xero)}
