"""What holds for the plans of tests: settings, an Australian organisation, its chart, Xero's own arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.xero.names import contact_name
from connectors.xero.tax import totals
from qualy_sync.contracts.accounting import Account, Chart, Organisation, TaxCode
from qualy_sync.plan import Terms
from qualy_sync.settings import Settings

NOW = datetime(2026, 7, 15, 9, 0, tzinfo=UTC)
ITEMS: dict[str, Any] = {
    "Course": {"role": "principal", "account": "200", "tax": "OUTPUT", "purchase_tax": "INPUT"},
    "Tuition": {
        "role": "agent_on_invoice",
        "account": "880",
        "income_account": "210",
        "tax": "EXEMPTOUTPUT",
        "purchase_tax": "EXEMPTEXPENSES",
    },
    "Package": {
        "role": "agent_on_bill",
        "account": "881",
        "income_account": "211",
        "tax": "EXEMPTOUTPUT",
        "income_tax": "EXEMPTEXPENSES",
        "purchase_tax": "EXEMPTEXPENSES",
    },
    "Discount": {"role": "principal", "account": "220", "tax": "EXEMPTOUTPUT"},
}
TYPES: dict[str, Any] = {
    "supplier": {"direction": "we_owe", "principal_share": True},
    "agent": {"direction": "we_owe"},
    "ours": {"direction": "own"},
    "rebate": {"direction": "owed_to_us"},
}
BASE: dict[str, Any] = {
    "accounting": {
        "tool": "xero",
        "start_date": date(2026, 1, 1),
        "payments": {
            "when": "instantly",
            "amounts": "tax_inclusive",
            "invoice_date": "created",
            "number_prefix": "Q-",
        },
        "splits": {
            "when": "with_invoice",
            "amounts": "tax_inclusive",
            "types": TYPES,
            "own_partnerships": ["Our own agency"],
            "payout_accounts": {"AUD": "091", "JPY": "095", "KWD": "096"},
            "map": [
                {"account": "320", "tax": "INPUT"},
                {"category": "Tuition", "account": "880", "tax": "INPUT"},
            ],
        },
        "items": ITEMS,
        "taxes": {"sales": {"tax-gst": "OUTPUT"}, "purchases": {"tax-gst": "INPUT"}},
        "settlement": {
            "accounts": {"CARD": {"AUD": "091", "JPY": "095", "KWD": "096"}, "BANK": {"AUD": "090"}},
            "money_not_moved": {"AT_SCHOOL": "097", "CASH": "hold"},
        },
        "currencies": {"rates": "tool"},
    }
}


def settings_of(**changes: Any) -> Settings:
    """The base settings with changes by path: `payments__when="never"`."""
    data = _copy(BASE)
    for path, value in changes.items():
        place = data if path.startswith("source__") else data["accounting"]
        *above, last = path.split("__")
        for name in above:
            place = place.setdefault(name, {})
        place[last] = value
    return Settings.model_validate(data)


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copy(part) for name, part in value.items()}
    return list(value) if isinstance(value, list) else value


def _account(code: str, kind: str, currency: str | None = None, *, active: bool = True) -> Account:
    return Account(
        code=code,
        name=f"Account {code}",
        kind=kind,
        active=active,
        takes_payments=kind == "bank",
        liability=kind == "liability",
        income=kind == "income",
        expense=kind == "expense",
        currency=currency,
    )


ACCOUNTS = (
    _account("090", "bank", "AUD"),
    _account("091", "bank", "AUD"),
    _account("095", "bank", "JPY"),
    _account("096", "bank", "KWD"),
    _account("097", "bank"),
    _account("200", "income"),
    _account("210", "income"),
    _account("211", "income"),
    _account("220", "income"),
    _account("310", "expense"),
    _account("320", "expense"),
    _account("860", "expense"),
    _account("880", "liability"),
    _account("881", "liability"),
    _account("999", "income", active=False),
)
TAXES = (
    TaxCode("OUTPUT", "GST on income", 100_000, True, True, False),
    TaxCode("EXEMPTOUTPUT", "GST free income", 0, True, True, False),
    TaxCode("INPUT", "GST on expenses", 100_000, True, False, True),
    TaxCode("EXEMPTEXPENSES", "GST free expenses", 0, True, False, True),
    TaxCode("BASEXCLUDED", "Outside of BAS", 0, True, True, True),
    TaxCode("OLD", "Abolished", 0, False, True, True),
)
CHART = Chart(
    accounts={account.code: account for account in ACCOUNTS},
    taxes={tax.code: tax for tax in TAXES},
    currencies=frozenset({"AUD", "JPY", "KWD"}),
)


def terms_of(lock: date | None = None, zone: str = "Australia/Sydney", stop: str = "", **changes: Any) -> Terms:
    """What holds for a run: the base settings with changes, an Australian organisation, Xero's own arithmetic."""
    settings = settings_of(**changes)
    assert settings.accounting is not None
    return Terms(
        settings=settings,
        accounting=settings.accounting,
        organisation=Organisation("org-1", "Harbour", "AUD", ZoneInfo(zone), "AU", period_lock=lock),
        today=NOW.date(),
        chart=CHART,
        tool="xero",
        title="Xero",
        totals=totals,
        contact_name=contact_name,
        taxes={"tax-gst": "GST"},
        payment_link="https://qualy.example/payments/{id}",
        stop_writing=stop,
    )
