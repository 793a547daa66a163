"""The CRM and audience tools by name: the one place that picks a connector and puts the settings into terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from qualy_sync.contracts.accounting import Endpoint, TokenSource
from qualy_sync.contracts.crm import CrmTool, Form, Property
from qualy_sync.crm.merge import Rule, Way, Wins
from qualy_sync.crm.payments import PaymentFacts
from qualy_sync.crm.people import Person
from qualy_sync.crm.terms import FACTS, AudienceTerms, Copied, Fact, FromTool, Terms, own_properties
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.books import find_book
from qualy_sync.ledger.tokens import LedgerTokens
from qualy_sync.settings import Settings
from qualy_sync.settings.crm import KEY

from .tools import TOKEN_LEASE, hide_in_logs


@dataclass(frozen=True, slots=True)
class CrmWiring:
    """How a CRM tool is opened, and on which terms. `connection` is its Airflow connection id.

    `section` gives the tool's settings, `properties` the ones of our own that have to be there, `stages` the tasks of a
    run that have to come to their end. `calls_name_account`: no call can reach another account unseen.
    """

    title: str
    connection: str
    section: Callable[[Settings], Any]
    terms: Callable[[Settings], Terms]
    properties: Callable[[Settings], list[Property]]
    open: Callable[[Ledger, Endpoint, Settings], CrmTool]
    stages: tuple[str, ...] = ("check", "plan", "write", "into_qualy")
    calls_name_account: bool = False


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
    return hubspot.connect(
        endpoint,
        tokens,
        ledger,
        chosen.api_version,
        key,
        chosen.pace.read_timeout,
        chosen.account or _known_account(ledger, "hubspot"),
    )


def _known_account(ledger: Ledger, tool: str) -> str:
    """The account that a tool's links belong to; "" before the first contact."""
    found = find_book(ledger, tool)
    return str(found.organisation) if found else ""


def mailchimp_terms(settings: Settings) -> Terms:
    """Mailchimp's section as terms: everything one way."""
    chosen = settings.mailchimp
    address = Copied("email", Rule("email", Form.EMAIL, Way.TO_TOOL))
    copied = (Copied(one.qualy, Rule(one.field, Form(one.form), Way.TO_TOOL)) for one in chosen.fields)
    key, facts = _merge_fields(settings)
    return Terms(
        tool="mailchimp",
        title="Mailchimp",
        key_field=key.name,
        email_field=address.rule.field,
        copied=(address, *copied),
        facts=facts,
        source=settings.source,
        settings_version=settings.version,
        pace=chosen.pace,
        max_changes=chosen.max_people_24h,
        tags=partial(_mailchimp_tags, chosen.tag_prefix, chosen.tags),
        longest_text=255,
        audience=AudienceTerms(
            direct_up_to=chosen.batches.direct_up_to,
            poll=timedelta(seconds=chosen.batches.poll_seconds),
            give_up=timedelta(hours=chosen.batches.give_up_hours),
        ),
    )


def mailchimp_properties(settings: Settings) -> list[Property]:
    """The merge field that carries Qualy's id, and those of the facts that are told."""
    key, facts = _merge_fields(settings)
    return [key, *(one.own for one in facts)]


_MERGE_TAGS = {
    "number": "NUMBER", "owners": "OWNERS", "owner_emails": "OWNMAILS", "teams": "TEAMS", "tags": "TAGS",
    "payments": "PAYMENTS", "paid": "PAID", "due": "DUE", "overdue": "OVERDUE", "last_paid": "LASTPAID",
    "next_due": "NEXTDUE",
}  # fmt: skip  # a merge tag has ten characters, two of them for the prefix


def _merge_fields(settings: Settings) -> tuple[Property, tuple[Fact, ...]]:
    prefix = settings.mailchimp.field_prefix
    facts = (
        Fact(Property(f"{prefix}{_MERGE_TAGS[name]}", label, form), of)
        for chosen in dict.fromkeys(settings.mailchimp.facts)
        for name, label, form, of in FACTS[chosen]
    )
    return Property(f"{prefix}ID", "Qualy id"), tuple(facts)


def _mailchimp_tags(prefix: str, chosen: Sequence[str], person: Person, facts: PaymentFacts) -> frozenset[str]:
    from connectors.mailchimp import own_tag

    names: list[str] = []
    if "tags" in chosen:
        names += person.tags
    if "owners" in chosen:
        names += [f"owner {name}" for name in person.owners]
    if "teams" in chosen:
        names += [f"team {name}" for name in person.teams]
    if "payments" in chosen:
        told = {"overdue": facts.overdue, "due": facts.due, "paid": facts.paid}
        names += [name for name, amounts in told.items() if any(amounts.values())]
    return frozenset(own_tag(prefix, name) for name in names)


def _mailchimp(ledger: Ledger, endpoint: Endpoint, settings: Settings) -> CrmTool:
    from connectors import mailchimp

    from .sessions import http_session

    chosen = settings.mailchimp
    hide_in_logs(endpoint.password)
    key, _ = _merge_fields(settings)
    return mailchimp.connect(
        endpoint,
        http_session("mailchimp", endpoint),
        ledger,
        audience=chosen.audience or _known_account(ledger, "mailchimp"),
        status_if_new=chosen.status_if_new,
        tag_prefix=chosen.tag_prefix,
        key_field=key.name,
        quiet_tags=not chosen.tags_start_automations,
        read_timeout=chosen.pace.read_timeout,
    )


CRM_TOOLS: Mapping[str, CrmWiring] = {
    "hubspot": CrmWiring(
        "HubSpot", "hubspot", lambda settings: settings.hubspot, hubspot_terms, hubspot_properties, _hubspot
    ),
    "mailchimp": CrmWiring(
        "Mailchimp",
        "mailchimp",
        lambda settings: settings.mailchimp,
        mailchimp_terms,
        mailchimp_properties,
        _mailchimp,
        stages=("check", "plan", "write"),
        calls_name_account=True,
    ),
}
PROPERTIES_EVERY = timedelta(hours=24)
