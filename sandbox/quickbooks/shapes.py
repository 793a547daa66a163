"""Which fields of each entity may be written, and what they may hold. Anything else that is sent is ignored."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One writable field: its kind of value, and a length, the kind referred to, or the allowed words."""

    name: str
    type: str
    limit: int = 0
    target: str = ""
    words: tuple[str, ...] = ()


def _fields(text: str) -> dict[str, Field]:
    """Read ``name type argument; ...``."""
    found = {}
    for part in text.split(";"):
        words = part.split()
        if not words:
            continue
        name, type_ = words[0], words[1]
        argument = words[2] if len(words) > 2 else ""
        found[name] = Field(
            name,
            type_,
            int(argument) if argument.isdigit() else 0,
            argument if type_ == "ref" else "",
            tuple(argument.split("|")) if type_ == "enum" else (),
        )
    return found


_PERSON = (
    "Title text 16; GivenName text 100; MiddleName text 100; FamilyName text 100; Suffix text 16;"
    "DisplayName text 500; PrintOnCheckName text 110; Active bool; PrimaryPhone object; Mobile object;"
    "PrimaryEmailAddr email 100;"
)
_COMPANY = (
    "CompanyName text 100; AlternatePhone object; Fax object; WebAddr object; BillAddr object; CurrencyRef currency;"
    "Notes text 4000; AcctNum text 100; CustomField object;"
)
_TXN = (
    "TxnDate date; PrivateNote text 4000; CurrencyRef currency; ExchangeRate number; DepartmentRef ref Department;"
    "Line lines;"
)
_SALE = (
    "DocNumber text 21; CustomerRef ref Customer; CustomerMemo memo 1000; BillAddr object; ShipAddr object;"
    "BillEmail email 100; BillEmailCc email 200; BillEmailBcc email 200; ClassRef ref Class; TxnTaxDetail struct;"
    "GlobalTaxCalculation enum TaxExcluded|TaxInclusive|NotApplicable; ApplyTaxAfterDiscount bool;"
    "PrintStatus enum NotSet|NeedToPrint|PrintComplete; EmailStatus enum NotSet|NeedToSend|EmailSent;"
    "CustomField object; ShipDate date; TrackingNum text 31;"
)
_PURCHASE = (
    "DocNumber text 21; VendorRef ref Vendor; APAccountRef ref Account; VendorAddr object; TxnTaxDetail struct;"
    "GlobalTaxCalculation enum TaxExcluded|TaxInclusive|NotApplicable;"
)

SHAPES: dict[str, dict[str, Field]] = {
    "Customer": _fields(
        _PERSON + _COMPANY + "ShipAddr object; Taxable bool; Job bool; ParentRef ref Customer; BillWithParent bool;"
        "SalesTermRef ref Term; PaymentMethodRef ref PaymentMethod; PreferredDeliveryMethod text 20; ResaleNum text 16;"
        "DefaultTaxCodeRef ref TaxCode"
    ),
    "Vendor": _fields(
        _PERSON + _COMPANY + "TermRef ref Term; Vendor1099 bool; TaxIdentifier text 20; APAccountRef ref Account;"
        "BusinessNumber text 20"
    ),
    "Employee": _fields(_PERSON + "PrimaryAddr object; EmployeeNumber text 100"),
    "Account": _fields(
        "Name text 100; AcctNum text 7; Description text 100; Active bool; AccountType text 100;"
        "AccountSubType text 100; CurrencyRef currency; ParentRef ref Account; SubAccount bool"
    ),
    "Item": _fields(
        "Name text 100; Sku text 100; Description text 4000; Active bool; UnitPrice number; Taxable bool;"
        "Type enum Service|NonInventory|Inventory|Category; IncomeAccountRef ref Account;"
        "ExpenseAccountRef ref Account; AssetAccountRef ref Account; PurchaseDesc text 1000; PurchaseCost number;"
        "SalesTaxCodeRef ref TaxCode; PurchaseTaxCodeRef ref TaxCode; ParentRef ref Item; SubItem bool;"
        "TrackQtyOnHand bool; QtyOnHand number; InvStartDate date; SalesTaxIncluded bool; PurchaseTaxIncluded bool"
    ),
    "Class": _fields("Name text 100; Active bool; ParentRef ref Class; SubClass bool"),
    "Department": _fields("Name text 100; Active bool; ParentRef ref Department; SubDepartment bool"),
    "Term": _fields("Name text 31; Active bool; DueDays number; DiscountPercent number; DiscountDays number"),
    "PaymentMethod": _fields("Name text 31; Active bool; Type text 30"),
    "CompanyCurrency": _fields("Code text 3; Name text 100; Active bool"),
    "Invoice": _fields(
        _TXN + _SALE + "DueDate date; SalesTermRef ref Term; Deposit number; AllowIPNPayment bool;"
        "AllowOnlineCreditCardPayment bool; AllowOnlineACHPayment bool"
    ),
    "CreditMemo": _fields(_TXN + _SALE + "SalesTermRef ref Term; PaymentMethodRef ref PaymentMethod"),
    "RefundReceipt": _fields(
        _TXN + _SALE + "DepositToAccountRef ref Account; PaymentMethodRef ref PaymentMethod; PaymentRefNum text 21"
    ),
    "Bill": _fields(_TXN + _PURCHASE + "DueDate date; SalesTermRef ref Term"),
    "VendorCredit": _fields(_TXN + _PURCHASE),
    "Payment": _fields(
        _TXN + "CustomerRef ref Customer; TotalAmt number; PaymentRefNum cut 21; PaymentMethodRef ref PaymentMethod;"
        "DepositToAccountRef ref Account; ARAccountRef ref Account; CreditCardPayment object"
    ),
    "BillPayment": _fields(
        _TXN + "DocNumber text 21; VendorRef ref Vendor; TotalAmt number; APAccountRef ref Account;"
        "PayType enum Check|CreditCard; CheckPayment struct; CreditCardPayment struct"
    ),
}

# What has to be there on create, full update and sparse update alike.
REQUIRED = {
    "Bill": ("VendorRef",),
    "VendorCredit": ("VendorRef",),
    "BillPayment": ("VendorRef", "PayType"),
    "Payment": ("CustomerRef",),
    "Account": ("Name", "AccountType"),
    "Item": ("Name",),
    "Class": ("Name",),
    "Department": ("Name",),
    "Term": ("Name",),
    "PaymentMethod": ("Name",),
    "CompanyCurrency": ("Code",),
}
# What has to be there on create and full update, and may be left out of a sparse one.
REQUIRED_WHOLE = {
    "Invoice": ("CustomerRef", "Line"),
    "CreditMemo": ("CustomerRef", "Line"),
    "RefundReceipt": ("CustomerRef", "DepositToAccountRef", "Line"),
    "Bill": ("Line",),
    "VendorCredit": ("Line",),
}

PEOPLE = ("Customer", "Vendor", "Employee")
TRANSACTIONS = ("Invoice", "Bill", "Payment", "BillPayment", "CreditMemo", "VendorCredit", "RefundReceipt", "Deposit")
LISTS = (
    *PEOPLE, "Account", "Item", "Class", "Department", "Term", "PaymentMethod",
    "CompanyCurrency", "TaxCode", "TaxRate", "TaxAgency",
)  # fmt: skip
SINGLE = ("CompanyInfo", "Preferences")
KINDS = (*LISTS, *TRANSACTIONS, *SINGLE, "ExchangeRate")
BY_PATH = {kind.lower(): kind for kind in KINDS}
