"""Organisation, chart of accounts, taxes and currencies that each profile starts with, as the API returns them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sandbox.agency import CURRENCY_NAMES, default_period_lock
from sandbox.xero.wire import ms_day, ms_moment

# code, name, type, class, currency of a bank account
_ACCOUNTS = (
    ("200", "Sales", "REVENUE", "REVENUE", "sales"),
    ("205", "Service Fees", "REVENUE", "REVENUE", "sales"),
    ("210", "Commission Income", "REVENUE", "REVENUE", "sales"),
    ("215", "Insurance and Materials", "REVENUE", "REVENUE", "sales"),
    ("220", "Discounts Given", "REVENUE", "REVENUE", "sales"),
    ("260", "Other Revenue", "REVENUE", "REVENUE", "sales"),
    ("299", "Old Sales", "REVENUE", "REVENUE", "sales"),
    ("310", "Agent Commissions", "DIRECTCOSTS", "EXPENSE", "purchases"),
    ("320", "Cost of Tuition", "DIRECTCOSTS", "EXPENSE", "purchases"),
    ("404", "Bank Fees", "EXPENSE", "EXPENSE", "none"),
    ("610", "Accounts Receivable", "CURRENT", "ASSET", "none"),
    ("800", "Accounts Payable", "CURRLIAB", "LIABILITY", "none"),
    ("820", "GST", "CURRLIAB", "LIABILITY", "none"),
    ("860", "Rounding", "CURRLIAB", "LIABILITY", "none"),
    ("880", "Tuition Held for Schools", "CURRLIAB", "LIABILITY", "none"),
    ("999", "Suspense", "CURRLIAB", "LIABILITY", "none"),
)
_SYSTEM = {"610": "DEBTORS", "800": "CREDITORS", "820": "GST", "860": "ROUNDING"}

PROFILES: dict[str, dict[str, Any]] = {
    "au": {
        "name": "Harbour Education Services (stand-in)",
        "country": "AU",
        "version": "AU",
        "zone": "AUSEASTERNSTANDARDTIME",
        "base": "AUD",
        "clearing": ("AUD", "USD", "EUR", "GBP", "JPY"),
        "currencies": ("AUD", "USD", "EUR", "GBP", "JPY"),
        "taxes": (
            ("OUTPUT", "GST on Income", "OUTPUT", 10, "sales"),
            ("INPUT", "GST on Expenses", "INPUT", 10, "purchases"),
            ("EXEMPTOUTPUT", "GST Free Income", "EXEMPTOUTPUT", 0, "sales"),
            ("EXEMPTEXPENSES", "GST Free Expenses", "EXEMPTEXPENSES", 0, "purchases"),
            ("BASEXCLUDED", "BAS Excluded", "BASEXCLUDED", 0, "all"),
        ),
        "defaults": {"sales": "OUTPUT", "purchases": "INPUT", "none": "BASEXCLUDED"},
        "year_end": (30, 6),
    },
    "us": {
        "name": "Harbor Education Services (stand-in)",
        "country": "US",
        "version": "US",
        "zone": "EASTERNSTANDARDTIME",
        "base": "USD",
        "clearing": ("USD", "AUD", "JPY"),
        "currencies": ("USD", "AUD", "EUR", "GBP", "JPY"),
        "taxes": (
            ("NONE", "Tax Exempt", "NONE", 0, "all"),
            ("TAX001", "NY Sales Tax", "OUTPUT", 8.875, "sales"),
        ),
        "defaults": {"sales": "NONE", "purchases": "NONE", "none": "NONE"},
        "year_end": (31, 12),
    },
    "br": {
        "name": "Porto Intercambios (stand-in)",
        "country": "BR",
        "version": "GLOBAL",
        "zone": "ESOUTHAMERICASTANDARDTIME",
        "base": "BRL",
        "clearing": ("BRL", "USD", "JPY"),
        "currencies": ("BRL", "USD", "EUR", "GBP", "JPY"),
        "taxes": (("NONE", "No Tax", "NONE", 0, "all"),),
        "defaults": {"sales": "NONE", "purchases": "NONE", "none": "NONE"},
        "year_end": (31, 12),
    },
}


def organisation(profile: str, today: date, id_: str) -> dict[str, Any]:
    """The organisation, locked up to the end of the month two months back."""
    facts = PROFILES[profile]
    created = datetime.combine(today - timedelta(days=900), time(1, 30), UTC)
    return {
        "OrganisationID": id_,
        "Name": facts["name"],
        "LegalName": facts["name"],
        "PaysTax": True,
        "Version": facts["version"],
        "OrganisationType": "COMPANY",
        "BaseCurrency": facts["base"],
        "CountryCode": facts["country"],
        "IsDemoCompany": False,
        "OrganisationStatus": "ACTIVE",
        "FinancialYearEndDay": facts["year_end"][0],
        "FinancialYearEndMonth": facts["year_end"][1],
        "SalesTaxBasis": "ACCRUALS",
        "SalesTaxPeriod": "QUARTERLY",
        "DefaultSalesTax": "Tax Inclusive",
        "DefaultPurchasesTax": "Tax Inclusive",
        "PeriodLockDate": ms_day(default_period_lock(today)),
        "CreatedDateUTC": ms_moment(created),
        "Timezone": facts["zone"],
        "OrganisationEntityType": "COMPANY",
        "ShortCode": "!hb23x",
        "Class": "PREMIUM",
        "Edition": "BUSINESS",
        "Addresses": [],
        "Phones": [],
        "ExternalLinks": [],
        "PaymentTerms": {},
    }


def accounts(profile: str) -> list[dict[str, Any]]:
    """The chart of accounts, without identifiers."""
    facts = PROFILES[profile]
    found = [_bank("090", "Business Bank", facts["base"], facts)]
    for number, currency in enumerate(facts["clearing"], start=1):
        found.append(_bank(f"09{number}", f"Qualy Clearing {currency}", currency, facts))
    paid_at_school = _account("096", "Paid at School", "CURRENT", "ASSET", facts["defaults"]["none"])
    found.append(paid_at_school | {"EnablePaymentsToAccount": True})
    for code, name, kind, klass, tax in _ACCOUNTS:
        account = _account(code, name, kind, klass, facts["defaults"][tax])
        if code in _SYSTEM:
            account["SystemAccount"] = _SYSTEM[code]
        if code == "299":
            account["Status"] = "ARCHIVED"
        found.append(account)
    return found


def _account(code: str, name: str, kind: str, klass: str, tax: str) -> dict[str, Any]:
    return {
        "Code": code,
        "Name": name,
        "Status": "ACTIVE",
        "Type": kind,
        "TaxType": tax,
        "Class": klass,
        "EnablePaymentsToAccount": False,
        "ShowInExpenseClaims": False,
        "BankAccountType": "",
        "HasAttachments": False,
        "AddToWatchlist": False,
    }


def _bank(code: str, name: str, currency: str, facts: dict[str, Any]) -> dict[str, Any]:
    account = _account(code, name, "BANK", "ASSET", facts["defaults"]["none"])
    return account | {"BankAccountType": "BANK", "BankAccountNumber": f"0123456789{code}", "CurrencyCode": currency}


def tax_rates(profile: str) -> list[dict[str, Any]]:
    """The tax rates with the classes of account that each may be used with."""
    return [_tax_rate(*facts) for facts in PROFILES[profile]["taxes"]]


def _tax_rate(tax_type: str, name: str, report: str, percent: float, side: str) -> dict[str, Any]:
    return {
        "Name": name,
        "TaxType": tax_type,
        "ReportTaxType": report,
        "CanApplyToAssets": True,
        "CanApplyToEquity": True,
        "CanApplyToExpenses": side in {"purchases", "all"},
        "CanApplyToLiabilities": True,
        "CanApplyToRevenue": side in {"sales", "all"},
        "DisplayTaxRate": percent,
        "EffectiveRate": percent,
        "Status": "ACTIVE",
        "TaxComponents": [{"Name": name, "Rate": percent, "IsCompound": False, "IsNonRecoverable": False}],
    }


def currencies(profile: str) -> list[dict[str, Any]]:
    """The currencies that the organisation is subscribed to."""
    return [{"Code": code, "Description": CURRENCY_NAMES[code]} for code in PROFILES[profile]["currencies"]]


def tracking_categories() -> list[dict[str, Any]]:
    """One category, as an agency with several offices has it."""
    options = [{"Name": name, "Status": "ACTIVE"} for name in ("Sydney", "Melbourne", "Online")]
    return [{"Name": "Office", "Status": "ACTIVE", "Options": options}]


def branding_themes(today: date) -> list[dict[str, Any]]:
    """The standard theme and one more."""
    created = ms_moment(datetime.combine(today - timedelta(days=900), time(1, 30), UTC))
    return [
        {"Name": name, "SortOrder": order, "Type": "INVOICE", "CreatedDateUTC": created}
        for order, name in enumerate(("Standard", "Students"))
    ]
