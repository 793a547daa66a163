"""Tokens and documents go to Xero, or to a stand-in on this machine, and nowhere else."""

from __future__ import annotations

import pytest

from connectors.xero import hosts
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import Refused

LOCAL = {
    "identity_url": "http://127.0.0.1:8099/xero/identity",
    "connections_url": "http://localhost:8099/xero/connections",
    "authorize_url": "http://127.0.0.1:8099/xero/identity/connect/authorize",
}


def test_without_addresses_it_is_the_real_xero() -> None:
    where = hosts.addresses(Endpoint(""))
    assert (where.api, where.local) == ("https://api.xero.com/api.xro/2.0", False)
    assert where.token == "https://identity.xero.com/connect/token"


def test_a_stand_in_on_this_machine_is_allowed() -> None:
    where = hosts.addresses(Endpoint("http://127.0.0.1:8099/xero/api.xro/2.0/", LOCAL))
    assert (where.api, where.local) == ("http://127.0.0.1:8099/xero/api.xro/2.0", True)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.xero.com.example.com/api.xro/2.0",
        "https://xero.com.example/api.xro/2.0",
        "https://notxero.com/api.xro/2.0",
        "https://api.xero.com@example.com/",
        "https://user:secret@api.xero.com/",
        "http://api.xero.com/api.xro/2.0",
        "https://api.xero.com:8443/api.xro/2.0",
        "https://127.0.0.1.example.com/",
        "http://127.0.0.2/",
        "http://[::1]/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://api.xero.com:port/",
        "https://api.xero.com/api.xro/2.0?x=1",
        "nonsense",
    ],
)
def test_every_other_host_is_refused_without_showing_a_secret(url: str) -> None:
    with pytest.raises(Refused) as raised:
        hosts.addresses(Endpoint(url))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("missing", sorted(LOCAL))
def test_a_stand_in_never_shares_a_connection_with_the_real_xero(missing: str) -> None:
    extra = {name: url for name, url in LOCAL.items() if name != missing}
    with pytest.raises(Refused, match="mixes a stand-in"):
        hosts.addresses(Endpoint("http://127.0.0.1:8099/xero/api.xro/2.0", extra))


def test_the_connections_address_has_to_be_one() -> None:
    with pytest.raises(Refused, match="/connections"):
        hosts.addresses(Endpoint("", {"connections_url": "https://api.xero.com/tenants"}))
