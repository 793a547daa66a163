"""The granular scopes, and which of them opens which endpoint."""

from __future__ import annotations

READ = ".read"
SETTINGS = "accounting.settings"
CONTACTS = "accounting.contacts"
INVOICES = "accounting.invoices"
PAYMENTS = "accounting.payments"
ATTACHMENTS = "accounting.attachments"

_FAMILIES = (SETTINGS, CONTACTS, INVOICES, PAYMENTS, ATTACHMENTS, "accounting.banktransactions")
KNOWN = frozenset(
    {"offline_access", "openid", "profile", "email"} | {name for base in _FAMILIES for name in (base, base + READ)}
)
DEFAULT = (
    "offline_access",
    "accounting.attachments",
    "accounting.contacts",
    "accounting.invoices",
    "accounting.payments",
    "accounting.settings",
    "accounting.settings.read",
)


def allows(granted: frozenset[str], needed: str, method: str) -> bool:
    """Whether a token opens an endpoint: the full scope for everything, its ``.read`` twin for reads."""
    return needed in granted or (method in {"GET", "HEAD"} and needed + READ in granted)
