"""Where the connection may point, and its key: a data centre of Mailchimp's, or a stand-in on this machine."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import Reconnect, Refused

LOGIN = "https://login.mailchimp.com"
LOCAL = frozenset({"127.0.0.1", "localhost"})
_API_HOST = re.compile(r"[a-z]{2}\d{1,3}\.api\.mailchimp\.com")
_CENTRE = re.compile(r"[a-z]{2}\d{1,3}")


@dataclass(frozen=True, slots=True)
class Access:
    """A checked address that ends with `/3.0`, where OAuth tokens are asked about, and the headers of every call."""

    url: str
    login_url: str
    oauth: bool
    headers: dict[str, str] = field(repr=False)
    token: str = field(default="", repr=False)

    @property
    def local(self) -> bool:
        return (urlsplit(self.url).hostname or "") in LOCAL


def access(endpoint: Endpoint) -> Access:
    """Reads a connection. Raises Refused for another host, Reconnect where the key is missing or names no place.

    Mailchimp: an API key is sent as Basic with any user name and ends with its data centre (`...-us6`); an OAuth token
    is a Bearer and names none.
    """
    key = endpoint.password.strip()
    if not key:
        raise Reconnect("The mailchimp connection has no password: it is an API key (Mailchimp: Profile, API keys).")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise Reconnect("The mailchimp connection's password holds a blank or a character that no key has.")
    oauth = endpoint.extra.get("auth", "").lower() == "oauth"
    url = _checked((endpoint.url or _own_address(key, oauth)).strip().rstrip("/"))
    basic = base64.b64encode(f"qualy-sync:{key}".encode()).decode()
    headers = {"Authorization": f"Bearer {key}" if oauth else f"Basic {basic}", "Accept": "application/json"}
    return Access(url, _login(endpoint, url), oauth, headers, key)


def _own_address(key: str, oauth: bool) -> str:
    centre = key.rpartition("-")[2].lower()
    if oauth or not _CENTRE.fullmatch(centre):
        raise Reconnect(
            "The mailchimp connection names no data centre. An API key ends with it (…-us6); with OAuth the host does:"
            " https://us6.api.mailchimp.com. `bin/qualy connect mailchimp` says which one it is."
        )
    return f"https://{centre}.api.mailchimp.com/3.0"


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise Refused("The mailchimp connection's address is not an address.") from None
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if plain and host in LOCAL and parts.scheme in {"http", "https"}:
        return url if parts.path.endswith("/3.0") else f"{url}/3.0"
    theirs = bool(_API_HOST.fullmatch(host)) and parts.scheme == "https" and port in {None, 443}
    if plain and theirs and parts.path in {"", "/3.0"}:
        return f"https://{host}/3.0"
    raise Refused(
        f"The mailchimp connection points to {host or 'no host'} ({parts.scheme or 'no scheme'}). Only"
        " https://DC.api.mailchimp.com/3.0, DC being the data centre at the key's end, or a stand-in on 127.0.0.1 or"
        " localhost, is allowed; correct the connection."
    )


def _login(endpoint: Endpoint, url: str) -> str:
    """Where a token's data centre is asked for; another place than Mailchimp's for a stand-in alone."""
    if (urlsplit(url).hostname or "") in LOCAL:
        return endpoint.extra.get("login_url", "").rstrip("/") or url.removesuffix("/3.0")
    return LOGIN
