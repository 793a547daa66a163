"""Company, preferences, chart of accounts, items, taxes and currencies that each profile starts with.

Their ids are small and the same in every world, so that settings can name them.
"""

from __future__ import annotations

from typing import Any

from sandbox.agency import CURRENCY_NAMES

Json = dict[str, Any]

# id, name, type, subtype
_ACCOUNTS = (
    ("1", "Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable"),
    ("2", "Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable"),
    ("3", "Undeposited Funds", "Other Current Asset", "UndepositedFunds"),
    ("4", "Tax Payable", "Other Current Liability", "GlobalTaxPayable"),
    ("40", "Business Bank", "Bank", "Checking"),
    ("46", "Paid at School", "Other Current Asset", "OtherCurrentAssets"),
    ("47", "Business Credit Card", "Credit Card", "CreditCard"),
    ("60", "Sales", "Income", "SalesOfProductIncome"),
    ("61", "Service Fees", "Income", "ServiceFeeIncome"),
    ("62", "Commission Income", "Income", "ServiceFeeIncome"),
    ("63", "Insurance and Materials", "Income", "ServiceFeeIncome"),
    ("64", "Discounts Given", "Income", "DiscountsRefundsGiven"),
    ("69", "Old Sales", "Income", "SalesOfProductIncome"),
    ("71", "Agent Commissions", "Cost of Goods Sold", "OtherCostsOfServiceCos"),
    ("72", "Cost of Services", "Cost of Goods Sold", "OtherCostsOfServiceCos"),
    ("73", "Bank Fees", "Expense", "BankCharges"),
    ("81", "Tuition Held for Schools", "Other Current Liability", "OtherCurrentLiabilities"),
    ("86", "Rounding", "Other Current Liability", "OtherCurrentLiabilities"),
    ("89", "Suspense", "Other Current Liability", "OtherCurrentLiabilities"),
)
# id, name, income account, expense account
_ITEMS = (
    ("201", "Tuition collected", "81", None),
    ("202", "Commission", "62", None),
    ("203", "Insurance commission", "63", None),
    ("204", "Fees", "61", None),
    ("205", "Services", "60", "72"),
    ("206", "Discount", "64", None),
    ("207", "To recode", "89", "89"),
    ("208", "Rounding", "86", None),
    ("209", "Old course", "69", None),
)
_INACTIVE = {"69", "209"}

PROFILES: dict[str, Json] = {
    "au": {
        "name": "Harbour Education Services (stand-in)",
        "country": "AU",
        "zone": "Australia/Sydney",
        "currencies": ("AUD", "USD", "EUR", "GBP", "JPY"),
        # code id, name, rate ids for sales and purchases, per cent
        "taxes": (("10", "GST", "3", "4", 10), ("11", "GST free", "5", "6", 0), ("12", "Out of Scope", "7", "8", 0)),
        "agency": "Australian Taxation Office",
        "fiscal": "July",
    },
    "us": {
        "name": "Harbor Education Services (stand-in)",
        "country": "US",
        "zone": "America/New_York",
        "currencies": ("USD", "AUD", "EUR", "GBP", "JPY"),
        "taxes": (("TAX", "TAX", "3", None, 8.875), ("NON", "NON", None, None, 0)),
        "agency": "New York Department of Taxation and Finance",
        "fiscal": "January",
    },
    "br": {
        "name": "Porto Intercambios (stand-in)",
        "country": "BR",
        "zone": "America/Sao_Paulo",
        "currencies": ("BRL", "USD", "EUR", "GBP", "JPY"),
        "taxes": (("10", "Isento", "3", "4", 0),),
        "agency": "Receita Federal",
        "fiscal": "January",
    },
}


def everything(profile: str) -> dict[str, list[Json]]:
    """All of it, each object as the API returns it but for what every object has."""
    facts = PROFILES[profile]
    return {
        "CompanyInfo": [_company_info(facts)],
        "Preferences": [_preferences(facts, profile == "us")],
        "CompanyCurrency": [
            {"Id": str(number), "Code": code, "Name": CURRENCY_NAMES[code], "Active": True}
            for number, code in enumerate(facts["currencies"][1:], start=1)
        ],
        "Account": _accounts(facts["currencies"]),
        "TaxAgency": [{"Id": "1", "DisplayName": facts["agency"]}],
        "TaxRate": [rate for tax in facts["taxes"] for rate in _tax_rates(tax)],
        "TaxCode": [_tax_code(tax) for tax in facts["taxes"]],
        "Term": [
            {"Id": id_, "Name": name, "Active": True, "Type": "STANDARD", "DueDays": days}
            for id_, name, days in (("1", "Due on receipt", 0), ("2", "Net 14", 14), ("3", "Net 30", 30))
        ],
        "PaymentMethod": [
            {"Id": id_, "Name": name, "Active": True, "Type": "NON_CREDIT_CARD"}
            for id_, name in (("1", "Cash"), ("2", "Cheque"), ("3", "Bank transfer"), ("4", "Qualy"))
        ],
        "Class": _named(("1", "Students"), ("2", "Partners")),
        "Department": _named(("1", "Sydney"), ("2", "Melbourne"), ("3", "Online")),
        "Item": [_item(*one) for one in _ITEMS],
    }


def _named(*pairs: tuple[str, str]) -> list[Json]:
    return [{"Id": id_, "Name": name, "FullyQualifiedName": name, "Active": True} for id_, name in pairs]


def _accounts(currencies: tuple[str, ...]) -> list[Json]:
    """The chart; ids 41 and on are the clearing accounts, 11 and 21 and on receivables and payables, by currency."""
    home, foreign = currencies[0], currencies[1:]
    found = [_account(id_, name, kind, sub, home) for id_, name, kind, sub in _ACCOUNTS]
    for place, code in enumerate(currencies):
        found.append(_account(str(41 + place), f"Qualy Clearing {code}", "Bank", "Checking", code))
    for place, code in enumerate(foreign):
        receivable, payable = f"Accounts Receivable (A/R) - {code}", f"Accounts Payable (A/P) - {code}"
        found.append(_account(str(11 + place), receivable, "Accounts Receivable", "AccountsReceivable", code))
        found.append(_account(str(21 + place), payable, "Accounts Payable", "AccountsPayable", code))
    return found


def _account(id_: str, name: str, kind: str, sub: str, currency: str) -> Json:
    return {
        "Id": id_,
        "Name": name,
        "FullyQualifiedName": name,
        "Active": id_ not in _INACTIVE,
        "SubAccount": False,
        "AccountType": kind,
        "AccountSubType": sub,
        "CurrencyRef": {"value": currency, "name": CURRENCY_NAMES[currency]},
    }


def _item(id_: str, name: str, income: str, expense: str | None) -> Json:
    names = {one[0]: one[1] for one in _ACCOUNTS}
    item: Json = {
        "Id": id_,
        "Name": name,
        "FullyQualifiedName": name,
        "Active": id_ not in _INACTIVE,
        "Type": "Service",
        "Taxable": False,
        "UnitPrice": 0,
        "IncomeAccountRef": {"value": income, "name": names[income]},
    }
    return item | ({"ExpenseAccountRef": {"value": expense, "name": names[expense]}} if expense else {})


def _tax_rates(tax: tuple[str, str, str | None, str | None, float]) -> list[Json]:
    _, name, sales, purchases, percent = tax
    return [
        {
            "Id": id_,
            "Name": f"{name} ({side})",
            "Description": name,
            "Active": True,
            "RateValue": percent,
            "AgencyRef": {"value": "1"},
            "SpecialTaxType": "NONE",
            "DisplayType": "ReadOnly",
        }
        for id_, side in ((sales, "Sales"), (purchases, "Purchases"))
        if id_
    ]


def _tax_code(tax: tuple[str, str, str | None, str | None, float]) -> Json:
    id_, name, sales, purchases, _ = tax

    def rates(rate: str | None) -> Json:
        detail = {"TaxRateRef": {"value": rate}, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0}
        return {"TaxRateDetail": [detail] if rate else []}

    return {
        "Id": id_,
        "Name": name,
        "Description": name,
        "Active": True,
        "Hidden": False,
        "Taxable": id_ != "NON",
        "TaxGroup": True,
        "SalesTaxRateList": rates(sales),
        "PurchaseTaxRateList": rates(purchases),
    }


def _company_info(facts: Json) -> Json:
    return {
        "Id": "1",
        "CompanyName": facts["name"],
        "LegalName": facts["name"],
        "Country": facts["country"],
        "FiscalYearStartMonth": facts["fiscal"],
        "SupportedLanguages": "en",
        "DefaultTimeZone": facts["zone"],
        "CompanyStartDate": "2020-01-01",
        "CompanyAddr": {"Id": "1", "Line1": "1 Harbour Street", "Country": facts["country"]},
        "Email": {"Address": "accounts@agency.example"},
        "NameValue": [{"Name": "NeoEnabled", "Value": "true"}],
    }


def _preferences(facts: Json, us: bool) -> Json:
    return {
        "Id": "1",
        "AccountingInfoPrefs": {
            "FirstMonthOfFiscalYear": facts["fiscal"],
            "UseAccountNumbers": False,
            "TaxYearMonth": facts["fiscal"],
            "ClassTrackingPerTxn": False,
            "ClassTrackingPerTxnLine": True,
            "TrackDepartments": True,
            "CustomerTerminology": "Customers",
        },
        "CurrencyPrefs": {"HomeCurrency": {"value": facts["currencies"][0]}, "MultiCurrencyEnabled": True},
        "SalesFormsPrefs": {
            "CustomTxnNumbers": True,
            "AllowDeposit": False,
            "AllowDiscount": True,
            "AllowEstimates": True,
            "AutoApplyCredit": False,
            "AutoApplyPayments": False,
            "DefaultTerms": {"value": "1"},
            "ETransactionEnabledStatus": "NotApplicable",
        },
        "TaxPrefs": {"UsingSalesTax": True, "PartnerTaxEnabled": us},
        "VendorAndPurchasesPrefs": {"TrackingByCustomer": False, "BillableExpenseTracking": False},
        "ProductAndServicesPrefs": {"ForSales": True, "ForPurchase": True, "QuantityOnHand": False},
        "EmailMessagesPrefs": {"InvoiceMessage": {"Subject": "Invoice", "Message": ""}},
        "ReportPrefs": {"ReportBasis": "Accrual"},
        "TimeTrackingPrefs": {"UseServices": False},
        "OtherPrefs": {"NameValue": []},
    }
