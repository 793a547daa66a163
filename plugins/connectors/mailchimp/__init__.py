"""Mailchimp over its Marketing API 3.0: one audience, one way. Its SDK is not maintained, so this is plain HTTP.

`connect` is the door; it takes a prepared session. The connection's password is an API key (its end names the data
centre), or an OAuth token where the connection's extra says `auth: oauth`; then the host names the data centre.
"""

from __future__ import annotations

import requests

from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.clock import Clock

from .access import Access, access
from .client import Mailchimp
from .metadata import Metadata, metadata
from .shapes import own_tag
from .transport import Transport

__all__ = ["Access", "Mailchimp", "Metadata", "access", "connect", "metadata", "own_tag"]


def connect(
    endpoint: Endpoint,
    session: requests.Session,
    clock: Clock,
    *,
    audience: str,
    status_if_new: str,
    tag_prefix: str,
    key_field: str,
    quiet_tags: bool = True,
    read_timeout: int = 30,
) -> Mailchimp:
    """Opens an audience ("": the account's only one); nothing is called yet. Raises Refused, Reconnect."""
    transport = Transport(access(endpoint), session, clock, read_timeout)
    return Mailchimp(transport, audience, status_if_new, tag_prefix, key_field, quiet_tags)
