"""Conta Azul: people, receivables, payables and their settlements of one company. There is no SDK: plain HTTP.

The connection's login is the app's client id, its password the client secret.
"""

from __future__ import annotations

import requests

from connectors.conta_azul.access import Access, access
from connectors.conta_azul.client import ContaAzulTool, Known, nothing_known
from connectors.conta_azul.oauth import Tokens, consent_url, exchange_code, refresh
from connectors.conta_azul.transport import Transport
from qualy_sync.contracts.accounting import Endpoint, TokenSource
from qualy_sync.contracts.clock import Clock

__all__ = ["Access", "ContaAzulTool", "Tokens", "connect", "consent_url", "exchange_code", "refresh"]


def connect(
    endpoint: Endpoint,
    tokens: TokenSource,
    clock: Clock,
    session: requests.Session,
    read_timeout: int = 45,
    known: Known = nothing_known,
) -> ContaAzulTool:
    """Conta Azul for one connection; nothing is sent yet. `read_timeout` in whole seconds.

    `endpoint.url` is the API's address; for what `endpoint.extra` may hold, see `access`. `known` gives the settlements
    of documents that were made or read before, so that they are not read again one by one. Raises Refused for a host
    that is neither Conta Azul's nor this machine's.
    """
    at = access(endpoint)
    return ContaAzulTool(at, tokens, clock, Transport(at, session, int(read_timeout)), known)
