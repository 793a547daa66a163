"""The exact bodies of what is written, and how their elements are recognised in an answer. Pure.

A body that creates is what goes on the wire. One that changes, voids, removes or allocates is put together by
`connectors.xero.change`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from connectors.shared.answers import loads
from connectors.xero.fields import same
from qualy_sync.contracts.accounting import (
    CREDITS,
    Basis,
    Line,
    New,
    NewAllocation,
    NewContact,
    NewDocument,
    NewRefund,
    NewSettlement,
    Rate,
    Status,
    What,
)
from qualy_sync.model import to_decimal

LONGEST = {"description": 4000, "name": 255, "url": 2000}
TYPE = {
    What.INVOICE: "ACCREC",
    What.BILL: "ACCPAY",
    What.CREDIT_NOTE: "ACCRECCREDIT",
    What.SUPPLIER_CREDIT: "ACCPAYCREDIT",
}
PAYMENTS = frozenset({What.SETTLEMENT, What.BILL_SETTLEMENT, What.REFUND})
RATE_DIGITS = Decimal("0.000000000001")
_STATUS = {Status.DRAFT: "DRAFT", Status.SUBMITTED: "SUBMITTED", Status.AUTHORISED: "AUTHORISED"}
BASIS = {Basis.INCLUSIVE: "Inclusive", Basis.EXCLUSIVE: "Exclusive"}
_PLAIN = json.JSONEncoder(ensure_ascii=False)  # made once: each call of json.dumps with an option makes another
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def body(batch: Sequence[New]) -> bytes:
    """One batched create as canonical JSON. Raises ValueError for an empty or a mixed batch."""
    collections = {_collection(element) for element in batch}
    if len(collections) != 1:
        raise ValueError(
            "One call to Xero creates contacts, documents, credit notes or payments; a batch has one of these kinds."
        )
    return encode({collections.pop(): [_element(element) for element in batch]}).encode()


def encode(value: Any) -> str:
    """JSON without blanks, keys in the order given, amounts digit by digit."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode(key)}:{encode(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str | int):
        return _PLAIN.encode(value)
    raise TypeError(f"{type(value).__name__} has no place in a body")


def decimals(sent: bytes) -> int:
    """The most digits after the point of any unit amount in a body; above two, Xero has to be asked for four."""
    lines = [line for element in _elements(sent) for line in element.get("LineItems", [])]
    return max((_places(line.get("UnitAmount")) for line in lines), default=0)


def _places(amount: Any) -> int:
    exponent = amount.as_tuple().exponent if isinstance(amount, Decimal) else 0
    return max(0, -exponent) if isinstance(exponent, int) else 0


# -- recognising elements -----------------------------------------------------------------------------------------


def key(what: What, element: Mapping[str, Any]) -> tuple[str, ...]:
    """What identifies an element in body and answer: number and type, contact number, or document and reference."""
    if what is What.CONTACT:
        return (_word(element, "ContactNumber"),)
    if what in PAYMENTS:
        invoice, note = (_part(element, name) for name in ("Invoice", "CreditNote"))
        return (_word(invoice, "InvoiceID") or _word(note, "CreditNoteID"), _word(element, "Reference"))
    return (_word(element, "Type"), _word(element, "CreditNoteNumber" if what in CREDITS else "InvoiceNumber"))


def _part(element: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = element.get(name)
    return found if isinstance(found, dict) else {}


def refs(what: What, sent: bytes) -> dict[tuple[str, ...], str]:
    """Our refs by the keys of a body's elements."""
    return {key(what, element): _ref(what, element) for element in _elements(sent)}


def _ref(what: What, element: Mapping[str, Any]) -> str:
    if what is What.CONTACT:
        return str(element["ContactNumber"])
    if what in CREDITS:
        return str(element["CreditNoteNumber"])
    if what in PAYMENTS or element.get("Type") == "ACCREC":
        return str(element["Reference"])
    return str(element["InvoiceNumber"])


def _word(element: Mapping[str, Any], name: str) -> str:
    value = element.get(name)
    return same(value) if isinstance(value, str) else ""


def _elements(sent: bytes) -> list[dict[str, Any]]:
    content: dict[str, list[dict[str, Any]]] = loads(sent)
    return [element for elements in content.values() for element in elements]


# -- elements -----------------------------------------------------------------------------------------------------


def _collection(element: New) -> str:
    if isinstance(element, NewContact):
        return "Contacts"
    if isinstance(element, NewSettlement | NewRefund):
        return "Payments"
    if isinstance(element, NewAllocation):
        raise ValueError("An allocation goes by itself.")
    return "CreditNotes" if element.what in CREDITS else "Invoices"


def _element(element: New) -> dict[str, Any]:
    if isinstance(element, NewContact):
        return _contact(element)
    if isinstance(element, NewSettlement):
        return _payment("Invoice", element.document_id, element)
    if isinstance(element, NewRefund):
        return _payment("CreditNote", element.note_id, element)
    if isinstance(element, NewAllocation):
        raise ValueError("An allocation goes by itself.")
    return _document(element)


def _contact(new: NewContact) -> dict[str, Any]:
    fields = {
        "Name": clean(new.name, LONGEST["name"]),
        "ContactNumber": new.ref,
        "EmailAddress": new.email.strip(),
        "FirstName": clean(new.first_name, LONGEST["name"]),
        "LastName": clean(new.last_name, LONGEST["name"]),
    }
    return {name: value for name, value in fields.items() if value}


def _document(new: NewDocument) -> dict[str, Any]:
    """Contact by id alone: any other field of it would change the contact. Nothing is ever mailed."""
    if new.status not in _STATUS:
        raise ValueError(f"A document cannot be created as {new.status}.")
    fields: dict[str, Any] = {
        "Type": TYPE[new.what],
        "Contact": {"ContactID": new.contact_id},
        "LineAmountTypes": BASIS[new.basis],
        "LineItems": [line_item(line, new.currency) for line in new.lines],
        "Date": new.date.isoformat(),
    }
    if new.what in CREDITS:
        fields["CreditNoteNumber"] = new.ref
    else:
        if new.due_date is not None:
            fields["DueDate"] = new.due_date.isoformat()
        fields |= {
            "InvoiceNumber": new.number if new.what is What.INVOICE else new.ref,
        }
    if new.what is What.INVOICE:
        fields["Reference"] = new.ref
    fields["CurrencyCode"] = new.currency
    fields |= currency_rate(new.rate)
    if new.what not in CREDITS and _shows(new.link):
        fields["Url"] = new.link
    fields["Status"] = _STATUS[new.status]
    return fields


def currency_rate(rate: Rate | None) -> dict[str, Decimal]:
    """Xero wants foreign units per base unit: the inverse of ours. Without one it takes the day's."""
    return {} if rate is None else {"CurrencyRate": (1 / rate.value).quantize(RATE_DIGITS)}


def line_item(line: Line, currency: str) -> dict[str, Any]:
    """A line as Xero takes it. One that says nothing gets a dash: a line has to have a text."""
    return {
        "Description": description(line),
        "Quantity": 1,
        "UnitAmount": to_decimal(line.amount, currency),
        "AccountCode": line.account,
        "TaxType": line.tax,
    }


def description(line: Line) -> str:
    """A line's text as Xero keeps it."""
    return clean(line.description, LONGEST["description"]) or "-"


def _payment(target: str, target_id: str, new: NewSettlement | NewRefund) -> dict[str, Any]:
    by_id = _GUID.fullmatch(new.account) is not None  # a bank account may have no code
    return {
        target: {f"{target}ID": target_id},
        "Account": {"AccountID" if by_id else "Code": new.account},
        "Date": new.date.isoformat(),
        "Amount": to_decimal(new.amount, new.currency),
        "Reference": new.ref,
    } | currency_rate(new.rate)


def _shows(link: str) -> bool:
    """Whether Xero takes a link: http or https, and its own name nowhere in it."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    fits = len(link) <= LONGEST["url"] and "xero" not in link.lower()
    return fits and parts.scheme in {"http", "https"} and bool(parts.hostname)


def clean(value: str, longest: int) -> str:
    """Text without control characters and stray surrogates, blanks collapsed, cut to a length in UTF-16 units."""
    readable = "".join(" " if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} else char for char in value)
    return cut(" ".join(readable.split()), longest)


def cut(value: str, longest: int) -> str:
    """The beginning of a text that has at most so many UTF-16 units, which is how Xero's platform counts."""
    units = value.encode("utf-16-le")[: longest * 2]
    return units.decode("utf-16-le", "ignore").rstrip()
