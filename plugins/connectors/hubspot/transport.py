"""Calls through HubSpot's SDK, with what it does behind one's back switched off.

The SDK builds addresses, queries and headers. Sending is done here, because the SDK would repeat a GET four times,
re-write a body, open a pool for each call and put bodies into its exceptions. Here every answer comes back as it is.

The SDK knows the numbered paths alone; a dated version takes their place in the address (HubSpot: the bodies used here
are the same).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import urllib3
from hubspot.crm import contacts, properties
from hubspot.oauth import ApiClient as OAuthClient
from hubspot.oauth import Configuration as OAuthConfiguration
from hubspot.oauth import TokensApi

from connectors.shared.answers import Heard
from connectors.shared.wire import CONNECT_TIMEOUT, Wire

NUMBERED = "v3"
_NUMBERED_PATH = (
    (re.compile(r"^/crm/v3/(objects|properties|owners)(?=/|$)"), r"/crm/\1/{version}"),
    (re.compile(r"^/account-info/v3(?=/|$)"), "/account-info/{version}"),
    (re.compile(r"^/oauth/v1(?=/|$)"), "/oauth/{version}"),
)


class Transport:
    """One connection's calls. Not to be shared between threads, nor carried across a fork."""

    def __init__(self, url: str, version: str, read_timeout: int) -> None:
        self._version = version
        self._timeout = (CONNECT_TIMEOUT, read_timeout)
        pool = urllib3.PoolManager(num_pools=2, maxsize=2, retries=False)
        wire = Wire(pool, "HubSpot", read_timeout)
        self._contacts = _client(contacts, url, wire)
        self._oauth = _prepared(OAuthClient(OAuthConfiguration()), url, wire)
        of_contacts, of_properties = self._contacts, _client(properties, url, wire)
        self._apis: Mapping[str, Any] = {
            "contacts": contacts.BasicApi(of_contacts),
            "batch": contacts.BatchApi(of_contacts),
            "search": contacts.SearchApi(of_contacts),
            "properties": properties.CoreApi(of_properties),
            "property_batch": properties.BatchApi(of_properties),
            "groups": properties.GroupsApi(of_properties),
        }
        for client in (of_contacts, of_properties, self._oauth):
            self._date(client)

    def call(self, token: str, api: str, method: str, *arguments: Any, **options: Any) -> Heard:
        """One request by the SDK's method of that name, sent once.

        Raises Unreachable where nothing was sent, AnswerLost where it was and no whole answer came.
        """
        function = getattr(self._apis[api], method)
        heard: Heard = function(
            *arguments,
            **options,
            _headers={"Authorization": f"Bearer {token}"},
            _preload_content=False,
            _request_timeout=self._timeout,
        )
        return heard

    def account(self, token: str) -> Heard:
        """The account's details, which the SDK has no method for (HubSpot: account information API)."""
        heard: Heard = self._contacts.call_api(
            "/account-info/v3/details",
            "GET",
            header_params={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            _preload_content=False,
            _request_timeout=self._timeout,
        )
        return heard

    def token(self, **form: str) -> Heard:
        """One call of the token service: a form, without a token."""
        heard: Heard = TokensApi(self._oauth).create(**form, _preload_content=False, _request_timeout=self._timeout)
        return heard

    def _date(self, client: Any) -> None:
        """Puts the version into the paths of everything that this client of the SDK calls."""
        call = client.call_api

        def dated(path: str, *arguments: Any, **options: Any) -> Any:
            return call(self._path(path), *arguments, **options)

        client.call_api = dated

    def _path(self, path: str) -> str:
        if self._version != NUMBERED:
            for pattern, dated in _NUMBERED_PATH:
                path = pattern.sub(dated.format(version=self._version), path)
        return path.rstrip("/")


def _client(package: Any, url: str, wire: Wire) -> Any:
    return _prepared(package.ApiClient(package.Configuration()), url, wire)


def _prepared(client: Any, url: str, wire: Wire) -> Any:
    client.configuration.host = url
    client.rest_client = wire
    client.user_agent = f"hubspot-api-client-python; {metadata.version('hubspot-api-client')}"
    return client
