"""Where a connection may point: a vendor's own hosts over https, or a stand-in on this machine, never a mixture."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from qualy_sync.contracts.errors import Refused

LOCAL = frozenset({"127.0.0.1", "localhost"})


def is_local(url: str, domain: str, subject: str, unreadable: str = "", fragment: bool = False) -> bool:
    """Whether an address is a stand-in's rather than one below the vendor's domain (`example.com`).

    `subject` begins the message of a refusal ("The API address of the x connection"), `unreadable` is the whole message
    for what is no address. `fragment`: its path may stand behind a “#”.

    Raises Refused for any other address.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise Refused(unreadable or f"{subject} is not an address.") from None
    hidden = parts.fragment and not fragment
    plain = not (parts.username or parts.password or parts.query or hidden)
    if plain and host in LOCAL and parts.scheme in {"http", "https"}:
        return True
    if plain and host.endswith(f".{domain}") and parts.scheme == "https" and port in {None, 443}:
        return False
    raise Refused(
        f"{subject} points to {host or 'no host'} ({parts.scheme or 'no scheme'}). Only https://*.{domain}, or a"
        " stand-in on 127.0.0.1 or localhost, is allowed; correct the connection."
    )


def all_local(
    urls: Mapping[str, str],
    domain: str,
    connection: str,
    real: str,
    remedy: str,
    fragments: frozenset[str] = frozenset(),
) -> bool:
    """Whether a connection's addresses, by their names, are a stand-in's. Those named in `fragments` may hold a “#”.

    `real` is what a person calls the service, `remedy` what the connection has to say in full.

    Raises Refused for an address that is neither, and for a mixture.
    """
    local = {
        name: is_local(url, domain, f"The {name} address of the {connection} connection", fragment=name in fragments)
        for name, url in urls.items()
    }
    if len(set(local.values())) > 1:
        ours = ", ".join(name for name, is_ours in local.items() if is_ours)
        theirs = ", ".join(name for name, is_ours in local.items() if not is_ours)
        raise Refused(
            f"The {connection} connection mixes a stand-in ({ours}) with the real {real} ({theirs}). Give {remedy} on"
            " the same host as its API address."
        )
    return all(local.values())
