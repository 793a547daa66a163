"""The CRM and audience tools by name: the one place that picks a connector and puts the settings into terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from qualy_sync.contracts.accounting import Endpoint, TokenSource
from qualy_sync.contracts.crm import CrmTool, Form, Property
from qualy_sync.crm.merge import Rule, Way, Wins
from qualy_sync.crm.terms import Copied, FromTool, Terms, own_properties
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.tokens import LedgerTokens
from qualy_sync.settings import Settings
from qualy_sync.settings.crm import KEY

from .tools import TOKEN_LEASE, hide_in_logs


@dataclass(frozen=True, slots=True)
class CrmWiring:
    """How a CRM tool is opened, and on which terms. `connection` is its Airflow connection id.

    `section` gives the tool's settings, `properties` the ones of our own that have to be there.
    """

    title: str
    connection: str
    section: Callable[[Settings], Any]
    terms: Callable[[Settings], Terms]
    properties: Callable[[Settings], list[Property]]
    open: Callable[[Ledger, Endpoint, Settings], CrmTool]


def hubspot_terms(settings: Settings) -> Terms:
    """HubSpot's section as terms."""
    chosen = settings.hubspot
    key, facts = own_properties(chosen.property_prefix, chosen.property_group, chosen.facts)
    ways = {"both": Way.BOTH, "to_hubspot": Way.TO_TOOL, "to_qualy": Way.TO_QUALY}
    wins = {"qualy": Wins.QUALY, "hubspot": Wins.TOOL, "ask": Wins.ASK}
    update, create = chosen.update_in_qualy, chosen.create_in_qualy
    copied = tuple(
        Copied(
            one.qualy,
            Rule(
                one.property,
                Form(one.form),
                ways[one.direction],
                wins[one.wins],
                one.empty_erases,
                update.enabled and (one.qualy != "email" or update.email),
            ),
        )
        for one in chosen.fields
    )
    return Terms(
        tool="hubspot",
        title="HubSpot",
        key_field=key.name,
        email_field="email",
        copied=copied,
        facts=facts,
        source=settings.source,
        settings_version=settings.version,
        pace=chosen.pace,
        max_changes=chosen.max_changes_24h,
        vanish_share=chosen.vanish_share,
        creates=chosen.create_contacts,
        into_qualy=update.enabled,
        from_tool=FromTool(create.when.property, frozenset(create.when.values), create.most_per_day)
        if create.enabled
        else None,
    )


def hubspot_properties(settings: Settings) -> list[Property]:
    """The key, and one property for each fact that is told."""
    chosen = settings.hubspot
    key, facts = own_properties(chosen.property_prefix, chosen.property_group, chosen.facts)
    return [key, *(one.own for one in facts)]


def hubspot_tokens(ledger: Ledger, endpoint: Endpoint, version: str) -> TokenSource:
    """A service key or an app's token (the connection's password), or OAuth by the connection's `refresh_token`."""
    from connectors import hubspot

    seed = endpoint.extra.get("refresh_token", "")
    if not seed:
        hide_in_logs(endpoint.password)
        return hubspot.StaticToken(endpoint.password)
    return LedgerTokens(
        ledger,
        "hubspot",
        seed,
        lambda token: hubspot.refresh(endpoint, token, version, clock=ledger),
        TOKEN_LEASE,
        mask=hide_in_logs,
    )


def _hubspot(ledger: Ledger, endpoint: Endpoint, settings: Settings) -> CrmTool:
    from connectors import hubspot

    chosen = settings.hubspot
    tokens = hubspot_tokens(ledger, endpoint, chosen.api_version)
    key = f"{chosen.property_prefix}{KEY}"
    return hubspot.connect(endpoint, tokens, ledger, chosen.api_version, key, chosen.pace.read_timeout)


CRM_TOOLS: Mapping[str, CrmWiring] = {
    "hubspot": CrmWiring(
        "HubSpot", "hubspot", lambda settings: settings.hubspot, hubspot_terms, hubspot_properties, _hubspot
    )
}
PROPERTIES_EVERY = timedelta(hours=24)
