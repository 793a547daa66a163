"""What QuickBooks can bear, how it goes about things, and what it cannot do."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType

from connectors.quickbooks import write
from qualy_sync.contracts.accounting import Ability, Gap, Limits, Ways, What

PARTIES = ("Customer", "Vendor")
DOCUMENTS = ("Invoice", "Bill", "CreditMemo", "VendorCredit", "RefundReceipt")
PAYMENTS = ("Payment", "BillPayment")
GROUPS = MappingProxyType({What.CONTACT: PARTIES, What.INVOICE: DOCUMENTS, What.SETTLEMENT: PAYMENTS})

LIMITS = Limits(
    per_call=MappingProxyType(dict.fromkeys(What, write.MOST)),
    changes=MappingProxyType(dict.fromkeys(What, write.MOST)),
    together=(frozenset(What),),
    mixes_verbs=True,
    replay=timedelta(0),
    settle=timedelta(minutes=5),
)
WAYS = Ways(
    reads=MappingProxyType(
        {
            What.CONTACT: What.CONTACT,
            What.INVOICE: What.INVOICE,
            What.BILL: What.INVOICE,
            What.CREDIT_NOTE: What.INVOICE,
            What.SUPPLIER_CREDIT: What.INVOICE,
            What.REFUND: What.INVOICE,
            What.SETTLEMENT: What.SETTLEMENT,
            What.BILL_SETTLEMENT: What.SETTLEMENT,
            What.ALLOCATION: What.SETTLEMENT,
        }
    ),
    separate_parties=True,
    currency_per_contact=True,
    refund_alone=True,
    latin_1=frozenset({"US"}),
)
GAPS = (
    Gap(
        "items",
        "Lines of invoices, credits and refunds post through items: a setting names the item and the account it posts"
        " to, such as 204>61. Items are not created here.",
    ),
    Gap(
        "drafts", "QuickBooks has no drafts: invoices and bills are posted when they arrive, so both stand authorised."
    ),
    Gap(
        "removing settlements",
        "QuickBooks does not tell which payments are reconciled, so that none is ever taken back by itself.",
        Ability.REMOVE_SETTLEMENT,
    ),
    Gap("reconciliation", "Whether a payment is reconciled is in no answer.", Ability.SEE_RECONCILED),
    Gap("voiding", "Bills and credits cannot be voided: taking one back deletes it. Invoices are voided and stay."),
    Gap("refunds", "Money given back is a refund receipt of its own, without a credit memo."),
    Gap(
        "deletions",
        "Of more than a thousand changes at once, what was deleted among them is seen by each day's complete reading.",
    ),
    Gap(
        "names",
        "Companies in the United States keep Latin letters alone: texts are spelled in them, names are held or spelled"
        " in them by contacts.latin_names.",
    ),
    Gap(
        "bills in the United States",
        "They carry no tax code: map purchases to NON.",
    ),
    Gap("decimals", "QuickBooks keeps two decimals in every currency, also in those with none (JPY) or three (KWD)."),
)
