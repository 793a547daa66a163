"""Qualy over its public API: read, and its contacts written where the settings name the calls.

`connect` and `writer` are the doors; there is no SDK, so they take a prepared session.

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
from .writing import Call, QualyWriter

__all__ = ["Access", "Call", "QualySource", "QualyWriter", "Reading", "access", "connect", "writer"]


def connect(endpoint: Endpoint, source: Reading, session: requests.Session, clock: Clock | None = None) -> QualySource:
    """Opens Qualy for reading; nothing is called yet.

    Raises Refused for an address that is not Qualy's, and Reconnect for a connection without tenant or key.
    """
    return QualySource(Transport(access(endpoint), session, source, clock), source)


def writer(
    endpoint: Endpoint,
    source: Reading,
    session: requests.Session,
    create: Call,
    update: Call,
    clock: Clock | None = None,
) -> QualyWriter:
    """Opens Qualy for writing contacts, by the calls that the settings name; nothing is called yet."""
    return QualyWriter(Transport(access(endpoint), session, source, clock), create, update)
