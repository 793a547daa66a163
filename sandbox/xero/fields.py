"""The properties that ``where`` and ``order`` know, by kind, with their types (from Xero's specification)."""

from __future__ import annotations

_CONTACT = {
    "guid": "ContactID MergedToContactID",
    "string": "ContactNumber AccountNumber Name FirstName LastName CompanyNumber EmailAddress BankAccountDetails"
    " TaxNumber AccountsReceivableTaxType AccountsPayableTaxType DefaultCurrency SalesDefaultAccountCode"
    " PurchasesDefaultAccountCode XeroNetworkKey Website",
    "enum": "ContactStatus",
    "bool": "IsSupplier IsCustomer HasAttachments",
    "date": "UpdatedDateUTC",
}
_DOCUMENT = {
    "guid": "BrandingThemeID Contact.ContactID",
    "string": "Reference Contact.Name Contact.ContactNumber CurrencyCode",
    "enum": "Type Status LineAmountTypes",
    "bool": "SentToContact HasAttachments",
    "date": "Date DueDate FullyPaidOnDate UpdatedDateUTC",
    "number": "SubTotal TotalTax Total CurrencyRate",
}
_INVOICE = {
    "guid": "InvoiceID RepeatingInvoiceID",
    "string": "InvoiceNumber Url",
    "date": "ExpectedPaymentDate PlannedPaymentDate",
    "number": "AmountDue AmountPaid AmountCredited TotalDiscount",
    "bool": "IsDiscounted",
}
_CREDIT_NOTE = {"guid": "CreditNoteID", "string": "CreditNoteNumber", "number": "RemainingCredit AppliedAmount"}
_PAYMENT = {
    "guid": "PaymentID BatchPaymentID Account.AccountID Invoice.InvoiceID Invoice.Contact.ContactID"
    " CreditNote.CreditNoteID",
    "string": "Reference Account.Code Invoice.InvoiceNumber CreditNote.CreditNoteNumber Invoice.Contact.Name"
    " Invoice.CurrencyCode",
    "enum": "Status PaymentType Invoice.Type",
    "date": "Date UpdatedDateUTC",
    "number": "Amount BankAmount CurrencyRate",
    "bool": "IsReconciled",
}
_ACCOUNT = {
    "guid": "AccountID",
    "string": "Code Name TaxType BankAccountNumber Description CurrencyCode ReportingCode SystemAccount",
    "enum": "Type Status Class BankAccountType",
    "bool": "EnablePaymentsToAccount ShowInExpenseClaims HasAttachments",
    "date": "UpdatedDateUTC",
}
_TAX_RATE = {
    "string": "Name TaxType",
    "enum": "Status ReportTaxType",
    "bool": "CanApplyToAssets CanApplyToEquity CanApplyToExpenses CanApplyToLiabilities CanApplyToRevenue",
    "number": "DisplayTaxRate EffectiveRate",
}
_BATCH = {
    "guid": "BatchPaymentID Account.AccountID",
    "string": "Reference Account.Code",
    "enum": "Type Status",
    "date": "Date UpdatedDateUTC",
    "number": "TotalAmount",
    "bool": "IsReconciled",
}
_ITEM = {
    "guid": "ItemID",
    "string": "Code Name Description PurchaseDescription",
    "bool": "IsSold IsPurchased IsTrackedAsInventory",
    "date": "UpdatedDateUTC",
}


def _table(*parts: dict[str, str]) -> dict[str, tuple[str, str]]:
    return {name.lower(): (name, kind) for part in parts for kind, names in part.items() for name in names.split()}


_FIELDS = {
    "Contacts": _table(_CONTACT),
    "Invoices": _table(_DOCUMENT, _INVOICE),
    "CreditNotes": _table(_DOCUMENT, _CREDIT_NOTE),
    "Payments": _table(_PAYMENT),
    "BatchPayments": _table(_BATCH),
    "Accounts": _table(_ACCOUNT),
    "TaxRates": _table(_TAX_RATE),
    "Items": _table(_ITEM),
    "Currencies": _table({"string": "Code Description"}),
    "TrackingCategories": _table({"guid": "TrackingCategoryID", "string": "Name", "enum": "Status"}),
    "BrandingThemes": _table({"guid": "BrandingThemeID", "string": "Name"}),
}


def type_of(kind: str, path: str) -> tuple[str, str] | None:
    """The property's proper spelling and its type; None when the kind has no such property."""
    return _FIELDS.get(kind, {}).get(path.lower())
