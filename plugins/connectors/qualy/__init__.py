"""Qualy, read over its public API. `connect` is the door; there is no SDK, so it takes a prepared session.

The connection's login is the tenant id, its password the API key.
"""

from __future__ import annotations

import requests

from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.clock import Clock

from .access import Access, access
from .client import QualySource
from .reading import Reading
from .transport import Transport

__all__ = ["Access", "QualySource", "Reading", "access", "connect"]


def connect(endpoint: Endpoint, source: Reading, session: requests.Session, clock: Clock | None = None) -> QualySource:
    """Opens Qualy for reading; nothing is called yet.

    Raises Refused for an address that is not Qualy's, and Reconnect for a connection without tenant or key.
    """
    return QualySource(Transport(access(endpoint), session, source, clock), source)
