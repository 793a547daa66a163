"""Which account and data centre an OAuth token belongs to (Mailchimp: "Access user data with OAuth 2")."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import Reconnect, Unreachable, WrongShape

from .access import _CENTRE, LOGIN

TIMEOUT = (5, 30)


@dataclass(frozen=True, slots=True)
class Metadata:
    """The data centre (`us6`), the API's address there, and the account's name."""

    centre: str
    address: str
    account: str


def metadata(endpoint: Endpoint, session: requests.Session) -> Metadata:
    """Asks Mailchimp what an OAuth token (the connection's password) stands for. Raises ToolError."""
    place = endpoint.extra.get("login_url", "").rstrip("/")
    local = place.startswith(("http://127.0.0.1:", "http://localhost:"))
    url = f"{place if local else LOGIN}/oauth2/metadata"
    headers = {"Authorization": f"OAuth {endpoint.password.strip()}", "Accept": "application/json"}
    try:
        answer = session.get(url, headers=headers, timeout=TIMEOUT, allow_redirects=False)
    except (requests.RequestException, OSError):
        raise Unreachable("Mailchimp could not be asked what the token stands for. Try again later.") from None
    if answer.status_code in (401, 403):
        raise Reconnect("Mailchimp does not accept the connection's OAuth token. Make a new one.")
    try:
        found = answer.json()
        centre, address, account = str(found["dc"]), str(found["api_endpoint"]), str(found.get("accountname") or "")
    except (ValueError, KeyError, TypeError):
        raise WrongShape("Mailchimp did not say which data centre the token belongs to.") from None
    if not _CENTRE.fullmatch(centre):
        raise WrongShape("Mailchimp named a data centre that is none.")
    return Metadata(centre, address, account)
