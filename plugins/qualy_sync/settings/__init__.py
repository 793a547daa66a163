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
from .csv_files import CsvSettings
from .loading import load
from .model import AccountingSettings, Settings
from .problems import Problem, SettingsError
from .source import QualitySettings, SourceSettings

__all__ = [
    "AccountingSettings",
    "Breaker",
    "Contacts",
    "CreateInQualy",
    "CrmPace",
    "CsvSettings",
    "Currencies",
    "CustomerFields",
    "Gate",
    "HubSpotField",
    "HubSpotSettings",
    "ItemMap",
    "MailchimpSettings",
    "Pace",
    "Payments",
    "Problem",
    "QualitySettings",
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
    "load",
]
