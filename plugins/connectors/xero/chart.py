"""The organisation and its chart, from Xero's JSON. Pure; raises WrongShape."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from connectors.xero.fields import Row, day, needed, number, text
from qualy_sync.contracts.accounting import Account, Organisation, TaxCode
from qualy_sync.contracts.errors import WrongShape

POSTS_BEHIND_LOCK = "ApproveTransactionsBeforePeriodLockDate"

# Names that Xero still lists and the table of Windows time zones has dropped.
_RETIRED = {"KAMCHATKASTANDARDTIME": "Asia/Kamchatka", "MIDATLANTICSTANDARDTIME": "Etc/GMT+2"}


def organisation(row: Row, tenant: str, stand_in: bool) -> Organisation:
    """The organisation with its lock dates; a lock date that is not set is absent in Xero's answer."""
    return Organisation(
        id=tenant,
        name=needed(row, "Name"),
        base_currency=needed(row, "BaseCurrency"),
        zone=zone(needed(row, "Timezone")),
        country=text(row, "CountryCode"),
        period_lock=day(row, "PeriodLockDate"),
        year_end_lock=day(row, "EndOfYearLockDate"),
        stand_in=stand_in,
    )


def zone(name: str) -> ZoneInfo:
    """The time zone behind a Windows name as Xero writes it (`AUSEASTERNSTANDARDTIME`). Raises WrongShape."""
    found = _zones().get(_letters(name))
    if found is None:
        raise WrongShape(f"Xero names a time zone that is not known ({name}); dates cannot be told from it.")
    return ZoneInfo(found)


def account(row: Row) -> Account:
    """An account; one without a code (some bank accounts) goes by its id."""
    kind, nature = needed(row, "Type"), text(row, "Class")
    return Account(
        code=text(row, "Code") or needed(row, "AccountID"),
        name=text(row, "Name"),
        kind=kind.lower(),
        active=text(row, "Status") == "ACTIVE",
        takes_payments=kind == "BANK" or row.get("EnablePaymentsToAccount") is True,
        liability=nature == "LIABILITY",
        income=nature == "REVENUE",
        expense=nature == "EXPENSE",
        currency=text(row, "CurrencyCode") or None,
    )


def tax_code(row: Row) -> TaxCode:
    """A tax rate. The effective rate is taken: it is what Xero charges, compound parts included."""
    percent = number(row, "EffectiveRate")
    if percent is None:
        raise WrongShape("Xero answered a tax rate without EffectiveRate.")
    return TaxCode(
        code=needed(row, "TaxType"),
        name=text(row, "Name"),
        rate=int((percent * 10_000).quantize(Decimal(1), ROUND_HALF_UP)),
        active=text(row, "Status") == "ACTIVE",
        sales=row.get("CanApplyToRevenue") is True,
        purchases=row.get("CanApplyToExpenses") is True,
    )


def may_post_behind_lock(actions: Sequence[Row]) -> bool | None:
    """Whether the connection's user is an adviser, whom the period lock does not bind; None where Xero is silent."""
    for action in actions:
        if text(action, "Name") == POSTS_BEHIND_LOCK:
            return text(action, "Status") == "ALLOWED"
    return None


@cache
def _zones() -> dict[str, str]:
    return _RETIRED | {_letters(windows): iana for windows, iana in win_tz.items()}


def _letters(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper())
