"""Names and texts as QuickBooks accepts them, ids of customers and vendors, and where a person finds a record. Pure."""

from __future__ import annotations

import re
import unicodedata

from qualy_sync.contracts.accounting import Party, What

LONGEST_NAME = 100  # 500 by one schema; integrations meet a limit of 100
LONGEST_PART = 100
LONGEST_TEXT = 4000
KIND_OF_PARTY = {"customer": "Customer", "vendor": "Vendor"}

_MARK = re.compile(r"\bQualy ([A-Z][0-9A-Z]{17,20})\b")
_PAGES = {
    What.INVOICE: "invoice?txnId=",
    What.BILL: "bill?txnId=",
    What.CREDIT_NOTE: "creditmemo?txnId=",
    What.SUPPLIER_CREDIT: "vendorcredit?txnId=",
    What.REFUND: "refundreceipt?txnId=",
    What.SETTLEMENT: "recvpayment?txnId=",
    What.ALLOCATION: "recvpayment?txnId=",
    What.BILL_SETTLEMENT: "billpayment?txnId=",
}
KINDS = {
    What.INVOICE: "Invoice",
    What.BILL: "Bill",
    What.CREDIT_NOTE: "CreditMemo",
    What.SUPPLIER_CREDIT: "VendorCredit",
    What.REFUND: "RefundReceipt",
    What.SETTLEMENT: "Payment",
    What.BILL_SETTLEMENT: "BillPayment",
}


def contact_id(kind: str, number: str) -> str:
    """Customers and vendors are records of two kinds: ours says which."""
    return f"{kind.lower()}-{number}" if number else ""


def party_of(remote_id: str) -> tuple[str, str]:
    """Kind (Customer, Vendor) and QuickBooks' id of a contact. Raises ValueError."""
    word, _, number = remote_id.partition("-")
    if word not in KIND_OF_PARTY or not number:
        raise ValueError(f"{remote_id!r} names neither a customer nor a vendor of QuickBooks, such as customer-12.")
    return KIND_OF_PARTY[word], number


def kind_of_party(party: Party) -> str:
    """Customer, unless a supplier is wanted."""
    return "Vendor" if party is Party.SUPPLIER else "Customer"


def mark(ref: str) -> str:
    """Our ref as it stands among words that people read."""
    return f"Qualy {ref}"


def marked(text: str) -> str:
    """The ref in a text, empty where there is none."""
    found = _MARK.search(text)
    return found[1] if found else ""


def clean(value: str, longest: int) -> str:
    """Text without control characters, blanks collapsed, cut."""
    readable = "".join(" " if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} else char for char in value)
    return " ".join(readable.split())[:longest].strip()


def contact_name(name: str, email: str, suffix: str = "") -> str:
    """A DisplayName of at most 100 characters without colons; the email where there is no name.

    The suffix stands last, after a blank, and is never cut.
    """
    end = clean(suffix.replace(":", " "), LONGEST_NAME)
    start = clean(name.replace(":", " "), LONGEST_NAME) or clean(email.replace(":", " "), LONGEST_NAME)
    if not end:
        return start
    return f"{start[: max(0, LONGEST_NAME - len(end) - 1)].strip()} {end}".strip()


def document_url(api: str, realm: str, local: bool, remote_id: str, what: What) -> str:
    """The page of a record in QuickBooks' screens; at a stand-in, which has none, its address in the API."""
    if what is What.CONTACT:
        kind, number = party_of(remote_id)
        if local:
            return f"{api}/company/{realm}/{kind.lower()}/{number}"
        return f"https://qbo.intuit.com/app/{kind.lower()}detail?nameId={number}"
    number = remote_id.partition(":")[0]
    if local:
        return f"{api}/company/{realm}/{KINDS.get(what, 'Payment').lower()}/{number}"
    return f"https://qbo.intuit.com/app/{_PAGES[what]}{number}"
