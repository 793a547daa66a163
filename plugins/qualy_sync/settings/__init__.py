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
from .csv_files import CsvSettings
from .currencies import Currencies
from .loading import load
from .model import AccountingSettings, Settings
from .problems import Problem, SettingsError
from .rate_table import DatedRate, RateTable
from .source import QualitySettings, SourceSettings

__all__ = [
    "AccountingSettings",
    "Breaker",
    "Contacts",
    "CsvSettings",
    "Currencies",
    "DatedRate",
    "Gate",
    "ItemMap",
    "NextOpenDay",
    "Pace",
    "PartnerDocument",
    "Payments",
    "Problem",
    "QualitySettings",
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
    "load",
]
