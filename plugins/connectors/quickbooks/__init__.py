"""QuickBooks Online: customers, vendors, invoices, bills and payments of one company, through `python-quickbooks`."""

from __future__ import annotations

from connectors.quickbooks.client import QuickBooksTool, realm_of
from connectors.quickbooks.hosts import addresses
from connectors.quickbooks.oauth import Tokens, consent_url, exchange_code, refresh
from connectors.quickbooks.pacing import Rates
from qualy_sync.contracts.accounting import Endpoint, TokenSource
from qualy_sync.contracts.clock import Clock

__all__ = ["QuickBooksTool", "Tokens", "connect", "consent_url", "exchange_code", "refresh"]


def connect(endpoint: Endpoint, tokens: TokenSource, clock: Clock, read_timeout: int = 45) -> QuickBooksTool:
    """QuickBooks for one connection; nothing is sent yet. `read_timeout` in whole seconds.

    `endpoint.url` is the API's address, `endpoint.extra` holds `realm_id` (which company; `tenant_id`, where the
    settings or the ledger pin one, comes before it), and may hold `token_url`, `authorize_url` and this connection's
    share of the limits (`calls_per_second`, `calls_per_minute`, `batches_per_minute`). Raises Refused for a host that
    is neither Intuit's nor this machine's, Reconnect where no company is known.
    """
    extra = endpoint.extra
    realm = realm_of(extra.get("tenant_id", "").strip() or extra.get("realm_id", ""))
    return QuickBooksTool(addresses(endpoint), realm, tokens, clock, int(read_timeout), Rates.of(extra))
