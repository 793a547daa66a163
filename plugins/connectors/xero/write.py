"""The exact bodies of what is created, and how their elements are recognised in an answer. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from connectors.xero.fields import loads, same
from qualy_sync.contracts.accounting import (
    Basis,
    Line,
    New,
    NewContact,
    NewDocument,
    NewSettlement,
    Status,
    What,
)
from qualy_sync.model import to_decimal

LONGEST = {"description": 4000, "name": 255, "url": 2000}
_TYPE = {What.INVOICE: "ACCREC", What.BILL: "ACCPAY"}
_STATUS = {Status.DRAFT: "DRAFT", Status.SUBMITTED: "SUBMITTED", Status.AUTHORISED: "AUTHORISED"}
_BASIS = {Basis.INCLUSIVE: "Inclusive", Basis.EXCLUSIVE: "Exclusive"}
_PLAIN = json.JSONEncoder(ensure_ascii=False)  # made once: each call of json.dumps with an option makes another
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def body(batch: Sequence[New]) -> bytes:
    """One batched create as canonical JSON. Raises ValueError for an empty or a mixed batch."""
    collections = {_collection(element) for element in batch}
    if len(collections) != 1:
        raise ValueError("One call to Xero creates contacts, documents or payments; a batch has one of these kinds.")
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
    """What identifies an element in body and answer: number and type, contact number, or invoice and reference."""
    if what is What.CONTACT:
        return (_word(element, "ContactNumber"),)
    if what is What.SETTLEMENT:
        invoice = element.get("Invoice")
        return (_word(invoice if isinstance(invoice, dict) else {}, "InvoiceID"), _word(element, "Reference"))
    return (_word(element, "Type"), _word(element, "InvoiceNumber"))


def refs(what: What, sent: bytes) -> dict[tuple[str, ...], str]:
    """Our refs by the keys of a body's elements."""
    return {key(what, element): _ref(what, element) for element in _elements(sent)}


def _ref(what: What, element: Mapping[str, Any]) -> str:
    if what is What.CONTACT:
        return str(element["ContactNumber"])
    if what is What.SETTLEMENT or element.get("Type") == "ACCREC":
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
    return "Payments" if isinstance(element, NewSettlement) else "Invoices"


def _element(element: New) -> dict[str, Any]:
    if isinstance(element, NewContact):
        return _contact(element)
    return _payment(element) if isinstance(element, NewSettlement) else _document(element)


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
        "Type": _TYPE[new.what],
        "Contact": {"ContactID": new.contact_id},
        "LineAmountTypes": _BASIS[new.basis],
        "LineItems": [_line(line, new.currency) for line in new.lines],
        "Date": new.date.isoformat(),
        "DueDate": new.due_date.isoformat(),
        "InvoiceNumber": new.number if new.what is What.INVOICE else new.ref,
    }
    if new.what is What.INVOICE:
        fields["Reference"] = new.ref
    fields["CurrencyCode"] = new.currency
    if _shows(new.link):
        fields["Url"] = new.link
    fields["Status"] = _STATUS[new.status]
    return fields


def _line(line: Line, currency: str) -> dict[str, Any]:
    return {
        "Description": clean(line.description, LONGEST["description"]) or "-",
        "Quantity": 1,
        "UnitAmount": to_decimal(line.amount, currency),
        "AccountCode": line.account,
        "TaxType": line.tax,
    }


def _payment(new: NewSettlement) -> dict[str, Any]:
    by_id = _GUID.fullmatch(new.account) is not None  # a bank account may have no code
    return {
        "Invoice": {"InvoiceID": new.document_id},
        "Account": {"AccountID" if by_id else "Code": new.account},
        "Date": new.date.isoformat(),
        "Amount": to_decimal(new.amount, new.currency),
        "Reference": new.ref,
    }


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
