"""The organisation that the stand-in keeps books for: its settings, lock dates, chart and currencies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tzlocal.windows_tz import win_tz

from sandbox import agency
from sandbox.clock import Clock
from sandbox.store import Store
from sandbox.xero.columns import ID_FIELDS
from sandbox.xero.records import Records, Selection
from sandbox.xero.wire import amount, cents, fold, guid, is_guid, ms_day, parse_day

ADVISER = "xero.adviser"
_ZONES = {re.sub(r"[^A-Z0-9]", "", name.upper()): zone for name, zone in win_tz.items()}


@dataclass(frozen=True, slots=True)
class LockDates:
    """Both lock dates as they bind this connection; documents dated on or before them are locked."""

    period: date | None
    year_end: date | None


class Company:
    """Reads of the organisation's own data, with small caches that follow every change."""

    def __init__(self, store: Store, clock: Clock, seed: int) -> None:
        self.store = store
        self.clock = clock
        self.records = Records(store, clock, seed)
        self._cached: dict[str, tuple[int, list[dict[str, Any]]]] = {}

    def all(self, kind: str) -> list[dict[str, Any]]:
        """A small collection whole, in the order in which it was entered."""
        version = self.records.version(kind)
        kept = self._cached.get(kind)
        if kept is None or kept[0] != version:
            kept = (version, self.records.find(Selection(kind, order="seq")))
            self._cached[kind] = kept
        return kept[1]

    @property
    def organisation(self) -> dict[str, Any]:
        """The organisation as the API returns it."""
        return self.all("Organisation")[0]

    @property
    def base_currency(self) -> str:
        """The currency that the books are kept in."""
        return str(self.organisation["BaseCurrency"])

    def today(self) -> date:
        """Today in the organisation's time zone."""
        zone = _ZONES.get(self.organisation.get("Timezone", ""), "UTC")
        try:
            return self.clock.now().astimezone(ZoneInfo(zone)).date()
        except ZoneInfoNotFoundError:
            return self.clock.now().date()

    def account(self, given: dict[str, Any] | str) -> dict[str, Any] | None:
        """An account by ``{"AccountID"}``, ``{"Code"}`` or a code."""
        if isinstance(given, str):
            given = {"Code": given}
        if is_guid(given.get("AccountID")):
            return self._first("Accounts", "AccountID", guid(given["AccountID"]))
        code = given.get("Code")
        return self._first("Accounts", "Code", code) if isinstance(code, str) and code else None

    def tax_rate(self, tax_type: str) -> dict[str, Any] | None:
        """A tax rate by its TaxType."""
        return self._first("TaxRates", "TaxType", tax_type)

    def has_currency(self, code: str) -> bool:
        """Whether the organisation is subscribed to a currency."""
        return code == self.base_currency or self._first("Currencies", "Code", code) is not None

    def day_rate(self, currency: str) -> Decimal:
        """Foreign units for one unit of the base currency, when nobody gives a rate."""
        if currency == self.base_currency:
            return Decimal(1)
        dollar = Decimal(1)
        foreign, base = (Decimal(agency.PER_DOLLAR.get(code, dollar)) for code in (currency, self.base_currency))
        return (foreign / base).quantize(Decimal("0.000001"))

    def in_base(self, value: Decimal, rate: Decimal) -> Decimal:
        """An amount in the base currency: amount divided by rate."""
        return cents(value / rate)

    @property
    def adviser(self) -> bool:
        """Whether the person behind the connection has the Adviser role, whom the period lock does not bind."""
        return self.store.fact(ADVISER) == "1"

    def set_adviser(self, on: bool) -> None:
        """Give or take the Adviser role."""
        self.store.remember(ADVISER, "1" if on else "0")

    def lock_dates(self) -> LockDates:
        """The lock dates that bind this connection."""
        period = _day(self.organisation.get("PeriodLockDate"))
        return LockDates(None if self.adviser else period, _day(self.organisation.get("EndOfYearLockDate")))

    def set_lock_dates(self, period: date | None, year_end: date | None) -> None:
        """Set both lock dates; a date that is not set is absent from the organisation."""
        organisation = dict(self.organisation)
        for name, day in (("PeriodLockDate", period), ("EndOfYearLockDate", year_end)):
            organisation.pop(name, None)
            if day is not None:
                organisation[name] = ms_day(day)
        with self.records.work():
            self.records.put("Organisation", organisation)

    def default_branding(self) -> str | None:
        """The theme that documents get when they name none."""
        themes = self.all("BrandingThemes")
        return str(themes[0][ID_FIELDS["BrandingThemes"]]) if themes else None

    def _first(self, kind: str, field: str, value: str) -> dict[str, Any] | None:
        return next((doc for doc in self.all(kind) if fold(str(doc.get(field, ""))) == fold(value)), None)


def money(doc: dict[str, Any], field: str) -> Decimal:
    """An amount of a kept document; absent is zero."""
    return amount(doc.get(field, 0))


def _day(value: Any) -> date | None:
    return parse_day(value) if value else None
