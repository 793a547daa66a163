"""What a user decides, validated: `load(path)` gives `Settings`, or `SettingsError` tells every mistake."""

from __future__ import annotations

from .accounting import (
    Breaker,
    Contacts,
    Gate,
    ItemMap,
    NextOpenDay,
    Pace,
    PartnerDocument,
    Payments,
    Rounding,
    Settlement,
    SplitMap,
    Splits,
    SplitType,
    Taxes,
)
from .crm import CreateInQualy, CrmPace, CustomerFields, HubSpotField, HubSpotSettings, MailchimpSettings, UpdateInQualy
from .csv_files import CsvSettings
from .currencies import Currencies
from .loading import load
from .model import AccountingSettings, Settings
from .problems import Problem, SettingsError
from .rate_table import DatedRate, RateTable
from .source import QualitySettings, SourceSettings
from .webhooks import HubSpotWebhooks, QualyWebhooks, WebhookSettings

__all__ = [
    "AccountingSettings",
    "Breaker",
    "Contacts",
    "CreateInQualy",
    "CrmPace",
    "CsvSettings",
    "Currencies",
    "CustomerFields",
    "DatedRate",
    "Gate",
    "HubSpotField",
    "HubSpotSettings",
    "HubSpotWebhooks",
    "ItemMap",
    "MailchimpSettings",
    "NextOpenDay",
    "Pace",
    "PartnerDocument",
    "Payments",
    "Problem",
    "QualitySettings",
    "QualyWebhooks",
    "RateTable",
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
