"""The whole of what a user decides, in one frozen value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from .accounting import (
    Contacts,
    Gate,
    ItemMap,
    NextOpenDay,
    Pace,
    Payments,
    Rounding,
    Settlement,
    Splits,
    Taxes,
)
from .checks import Parts, disagreement, disagreements
from .crm import HubSpotSettings, MailchimpSettings
from .csv_files import CsvSettings
from .currencies import Currencies
from .source import QualitySettings, SourceSettings
from .types import Day, Section, Text, WhenEmpty, words
from .webhooks import WebhookSettings


class AccountingSettings(Section):
    """Everything about the accounting tool."""

    tool: Annotated[Text, words("none, or the name of a tool")] = Field(
        description="The accounting tool: one, or none."
    )
    organisation: Text | None = Field(
        default=None, description="Id of the organisation there; the one of the first contact where it is not given."
    )
    start_date: Day = Field(description="Documents with an earlier date are left alone, on purpose.")
    closed_until: Day | None = Field(
        default=None, description="Your own closing date, that day included: a lock date like the tool's."
    )
    due_zone: Literal["utc", "organisation"] = Field(
        default="utc", description="Time zone in which Qualy's due time becomes a day."
    )
    payments: Payments = Field(description="Payments and their documents.")
    splits: Splits = Field(description="Splits and their bills.")
    items: Annotated[dict[Text, ItemMap], WhenEmpty] = Field(
        default_factory=dict, description="By item category: role, accounts and tax. What is not listed is held."
    )
    taxes: Taxes = Field(default_factory=Taxes, description="Tax codes.")
    settlement: Settlement = Field(default_factory=Settlement, description="Receipts and their accounts.")
    contacts: Contacts = Field(default_factory=Contacts, description="Contacts.")
    currencies: Currencies = Field(default_factory=Currencies, description="Exchange rates.")
    next_open_day: NextOpenDay = Field(default_factory=NextOpenDay, description="Documents on locked days.")
    rounding: Rounding = Field(default_factory=Rounding, description="Differences of cents.")
    gate: Gate = Field(default_factory=Gate, description="Before anything is written.")
    pace: Pace = Field(default_factory=Pace, description="Speed and patience.")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        parts = Parts(
            self.payments, self.splits, self.items, self.settlement, self.rounding, self.pace, self.currencies
        )
        found = list(disagreements(parts))
        if found:
            raise disagreement(found)
        return self


class Settings(Section):
    """What a user decides. `accounting` is None where no tool is chosen."""

    source: SourceSettings = Field(default_factory=SourceSettings, description="Reading from Qualy.")
    quality: QualitySettings = Field(default_factory=QualitySettings, description="Rows too bad to pass on.")
    csv: CsvSettings = Field(default_factory=CsvSettings, description="The CSV files.")
    accounting: AccountingSettings | None = Field(default=None, description="The accounting tool.")
    hubspot: HubSpotSettings = Field(default_factory=HubSpotSettings, description="Customers both ways.")
    mailchimp: MailchimpSettings = Field(default_factory=MailchimpSettings, description="Customers to an audience.")
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings, description="Near real time.")

    @cached_property
    def version(self) -> str:
        """First 12 hex digits of a hash over every value, defaults included, whatever their order.

        Without the CSV files: a new version would have every document planned again.
        """
        values = self.model_dump(by_alias=True, exclude={"csv"})
        return sha256(json.dumps(_canonical(values)).encode()).hexdigest()[:12]


def _canonical(value: Any) -> Any:
    """One form for equal settings. No list of the settings has an order that means something."""
    if isinstance(value, Mapping):
        return {str(key): _canonical(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (tuple, list)):
        return sorted((_canonical(entry) for entry in value), key=json.dumps)
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value.isoformat() if isinstance(value, date) else value
