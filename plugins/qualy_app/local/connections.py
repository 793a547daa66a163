"""The connections of a local installation: they point at the stand-ins and hold nobody's secret."""

from __future__ import annotations

from typing import Any

from qualy_app.local.places import Places
from qualy_app.local.trouble import Trouble

NOTE = "Points at the local stand-in; written anew at each make run."


def for_tool(tool: str, places: Places, webhook_secret: str = "") -> dict[str, dict[str, Any]]:
    """By Airflow connection id: Qualy, the tool that the payments go to, HubSpot and Mailchimp.

    `webhook_secret` stands in the address that the stand-in for Qualy is told to deliver its webhooks to.

    Raises Trouble for a tool that has no stand-in.
    """
    tools = {"xero": _xero, "conta_azul": _conta_azul, "quickbooks": _quickbooks}
    if tool not in tools:
        raise Trouble(f"There is no local stand-in for {tool!r}: TOOL is one of {', '.join(sorted(tools))}.")
    return {
        "qualy": _qualy(places.sandbox, webhook_secret),
        tool: tools[tool](places.sandbox),
        "hubspot": _hubspot(places.sandbox),
        "mailchimp": _mailchimp(places.sandbox),
    }


def _qualy(sandbox: str, webhook_secret: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "conn_type": "http",
        "description": NOTE,
        "host": f"{sandbox}/qualy/v1",
        "login": "eu1-sandbox",
        "password": "pk_sandbox_qualy",
    }
    return found | ({"extra": {"webhook_secret": webhook_secret}} if webhook_secret else {})


def _hubspot(sandbox: str) -> dict[str, Any]:
    return {
        "conn_type": "http",
        "description": NOTE,
        "host": f"{sandbox}/hubspot",
        "password": "pat-sandbox-hubspot",
        "extra": {"webhook_secret": "sandbox-hubspot-secret"},
    }


def _mailchimp(sandbox: str) -> dict[str, Any]:
    return {
        "conn_type": "http",
        "description": NOTE,
        "host": f"{sandbox}/mailchimp/3.0",
        "password": "sandboxmailchimpkey-us6",
    }


def _xero(sandbox: str) -> dict[str, Any]:
    return {
        "conn_type": "http",
        "description": NOTE,
        "host": f"{sandbox}/xero/api.xro/2.0",
        "login": "sandbox-app",
        "password": "sandbox-secret",
        "extra": {
            "identity_url": f"{sandbox}/xero/identity",
            "connections_url": f"{sandbox}/xero/connections",
            "authorize_url": f"{sandbox}/xero/identity/connect/authorize",
            "refresh_token": "sandbox-refresh-token",
        },
    }


def _conta_azul(sandbox: str) -> dict[str, Any]:
    return {
        "conn_type": "http",
        "description": NOTE,
        "host": f"{sandbox}/conta_azul",
        "login": "sandbox-app",
        "password": "sandbox-secret",
        "extra": {
            "token_url": f"{sandbox}/conta_azul/oauth/token",
            "authorize_url": f"{sandbox}/conta_azul/#/oauth/authorize",
            "refresh_token": "sandbox-refresh-token",
            "calls_per_second": "8",
            "account": "ca7e0000-0000-4000-8000-000000000302",
            "pass_through": "ca7e0000-0000-4000-8000-000000000110+ca7e0000-0000-4000-8000-000000000210",
        },
    }


def _quickbooks(sandbox: str) -> dict[str, Any]:
    return {
        "conn_type": "http",
        "description": NOTE,
        "host": f"{sandbox}/quickbooks",
        "login": "sandbox-app",
        "password": "sandbox-secret",
        "extra": {
            "token_url": f"{sandbox}/quickbooks/oauth2/v1/tokens/bearer",
            "authorize_url": f"{sandbox}/quickbooks/connect/oauth2",
            "refresh_token": "sandbox-refresh-token",
            "realm_id": "9341450000000061",
        },
    }
