"""The company that the stand-in keeps books for: its settings, closing date, currencies and rates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox import agency
from sandbox.clock import Clock
from sandbox.quickbooks.answers import Refused
from sandbox.quickbooks.readings import Readings
from sandbox.quickbooks.records import Records, Selection
from sandbox.quickbooks.wire import parse_day
from sandbox.store import Store

_ZONE = "quickbooks.zone"


class Company:
    """Reads of the company's own data."""

    def __init__(self, store: Store, clock: Clock, readings: Readings) -> None:
        self.store = store
        self.clock = clock
        self.readings = readings
        self.records = Records(store, clock)
        self._confirmed = False

    @property
    def info(self) -> dict[str, Any]:
        """CompanyInfo as the API returns it."""
        return self.records.get("CompanyInfo", "1") or {}

    @property
    def preferences(self) -> dict[str, Any]:
        """Preferences as the API returns them."""
        return self.records.get("Preferences", "1") or {}

    @property
    def is_us(self) -> bool:
        """Whether the United States' tax model and character set hold."""
        return bool(self.info.get("Country") in ("US", "USA"))

    @property
    def home(self) -> str:
        """The currency that the books are kept in."""
        return str(self.preferences["CurrencyPrefs"]["HomeCurrency"]["value"])

    @property
    def multicurrency(self) -> bool:
        """Whether foreign currencies are on; once on they stay on."""
        return bool(self.preferences["CurrencyPrefs"]["MultiCurrencyEnabled"])

    @property
    def numbers_itself(self) -> bool:
        """Whether sales documents without a number get one."""
        return not self.preferences["SalesFormsPrefs"]["CustomTxnNumbers"]

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.store.fact(_ZONE) or "America/Los_Angeles")

    def set_zone(self, name: str) -> None:
        """Put the company into a time zone."""
        self.store.remember(_ZONE, name)

    def today(self) -> date:
        """Today where the company is."""
        return self.clock.now().astimezone(self.zone).date()

    @property
    def closed_to(self) -> date | None:
        """BookCloseDate: what is dated on or before it is closed."""
        written = self.preferences["AccountingInfoPrefs"].get("BookCloseDate")
        return parse_day(written) if written else None

    def set_closing_date(self, day: date | None) -> None:
        """Close the books up to a day, or open them."""
        preferences = self.preferences
        preferences["AccountingInfoPrefs"].pop("BookCloseDate", None)
        if day is not None:
            preferences["AccountingInfoPrefs"]["BookCloseDate"] = day.isoformat()
        with self.records.work():
            self.records.replace("Preferences", preferences)

    @contextmanager
    def confirmed(self, on: bool) -> Iterator[None]:
        """Inside a work: a person has confirmed that the closed period is touched."""
        self._confirmed = on
        try:
            yield
        finally:
            self._confirmed = False

    def check_open(self, *days: str | None) -> None:
        """Refuse work on a transaction one of whose days is in the closed period."""
        closed = self.closed_to
        if closed is None or self._confirmed or not any(day and parse_day(day) <= closed for day in days):
            return
        code = self.readings["closed_period_fault"]
        message = "Account Period Closed, Cannot Update Through Services API"
        if code == "5010":
            raise Refused("5010", "The account period has closed. {1}", message=message)
        detail = (
            "The account period has closed and the account books cannot be updated through the QBO Services API."
            " Please use the QBO website to make these changes."
        )
        raise Refused(code, detail, message=message)

    def currency(self, code: str) -> dict[str, str]:
        """The reference to a currency that is active here. Raises Refused."""
        if code == self.home:
            return {"value": code, "name": agency.CURRENCY_NAMES.get(code, code)}
        if not self.multicurrency:
            raise Refused("5030", f"Multicurrency is not enabled for this company: {code}", "CurrencyRef")
        for one in self.records.find(Selection("CompanyCurrency")):
            if one["Code"] == code and one["Active"]:
                return {"value": code, "name": one["Name"]}
        raise Refused("2500", f"Invalid Reference Id : {code} is not an active currency", "CurrencyRef")

    def rate(self, code: str, day: date) -> Decimal:
        """Home units for one unit of a currency on a day: somebody's own rate, else the day's."""
        kept = self.records.get("ExchangeRate", f"{code}:{day.isoformat()}")
        if kept is not None:
            return Decimal(str(kept["Rate"]))
        if code == self.home:
            return Decimal(1)
        per_dollar = {one: Decimal(agency.PER_DOLLAR.get(one, "1")) for one in (code, self.home)}
        sway = Decimal(day.toordinal() * 7919 % 41 - 20) / 2000  # at most one per cent, so that the day matters
        return (per_dollar[self.home] / per_dollar[code] * (1 + sway)).quantize(Decimal("0.000001"))
