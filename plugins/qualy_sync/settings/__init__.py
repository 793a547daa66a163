"""What a user decides, validated: `load(path)` gives `Settings`, or `SettingsError` tells every mistake."""

from __future__ import annotations

from .accounting import (
    Breaker,
    Contacts,
    Currencies,
    Gate,
    ItemMap,
    Pace,
    Payments,
    Rounding,
    Settlement,
    SplitMap,
    Splits,
    SplitType,
    Taxes,
)
from .crm import CreateInQualy, CrmPace, CustomerFields, HubSpotField, HubSpotSettings, MailchimpSettings, UpdateInQualy
from .loading import load
from .model import AccountingSettings, Settings
from .problems import Problem, SettingsError
from .source import QualitySettings, SourceSettings
from .webhooks import HubSpotWebhooks, QualyWebhooks, WebhookSettings

__all__ = [
    "AccountingSettings",
    "Breaker",
    "Contacts",
    "CreateInQualy",
    "CrmPace",
    "Currencies",
    "CustomerFields",
    "Gate",
    "HubSpotField",
    "HubSpotSettings",
    "HubSpotWebhooks",
    "ItemMap",
    "MailchimpSettings",
    "Pace",
    "Payments",
    "Problem",
    "QualitySettings",
    "QualyWebhooks",
    "Rounding",
    "Settings",
    "SettingsError",
    "Settlement",
    "SourceSettings",
    "SplitMap",
    "SplitType",
    "Splits",
    "Taxes",
    "UpdateInQualy",
    "WebhookSettings",
    "load",
]
