"""The nouns: what Qualy has (customer, payment, split, …) and what a tool has (contact, document, settlement).

Source nouns are read from Qualy's JSON as it came: unknown fields are ignored, references may be ids or expanded
objects, anything missing that money needs makes the record malformed (pydantic's ValidationError names the field).
Amounts are integers in the currency's minor units (Qualy: "Currencies and countries").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any

from babel.numbers import get_currency_precision
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt


class Kind(StrEnum):
    """The kinds of source record, named as Qualy names their list."""

    CUSTOMER = "contacts"
    PAYMENT = "payment-intents"
    SPLIT = "payment-splits"
    SPLIT_INTENT = "split-intents"
    TRANSACTION = "transactions"
    PARTNER = "partnerships"
    TAX = "taxes"
    USER = "users"
    TEAM = "teams"
    TAG = "tags"


class Leg(StrEnum):
    """What one source record turns into in a tool."""

    CONTACT = "contact"  # of a customer, in accounting and CRM tools alike
    CUSTOMER = "customer"  # the other way: of a CRM tool's contact, in Qualy
    SUPPLIER = "supplier"  # of a partner
    INVOICE = "invoice"  # of a payment (a bill, where the settings say so)
    BILL = "bill"  # of a split
    SETTLEMENT = "settlement"  # of a transaction: money applied to an invoice, or given back where it is a refund
    PAY_OUT = "pay_out"  # of a split intent: money that settles a bill
    CREDIT_NOTE = "credit_note"  # of a refund, or of a payment that was cancelled after something was paid
    SUPPLIER_CREDIT = "supplier_credit"  # of a split that was made smaller after its bill was paid
    ALLOCATION = "allocation"  # of such a credit: applied to what is unpaid of its invoice or bill


LEG_OF: dict[Kind, Leg] = {
    Kind.CUSTOMER: Leg.CONTACT,
    Kind.PARTNER: Leg.SUPPLIER,
    Kind.PAYMENT: Leg.INVOICE,
    Kind.SPLIT: Leg.BILL,
    Kind.TRANSACTION: Leg.SETTLEMENT,
    Kind.SPLIT_INTENT: Leg.PAY_OUT,
}


def _reference(value: object) -> object:
    """An id, whether given as an id or as an expanded object."""
    return value.get("_id") if isinstance(value, dict) else value


def _aware(value: object) -> object:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return value


def _currency(value: object) -> object:
    if isinstance(value, str):
        code = value.strip().upper()
        if len(code) == 3 and code.isascii() and code.isalpha():
            return code
    raise ValueError("is not an ISO 4217 currency code")


Id = Annotated[str, Field(min_length=1, max_length=200)]
Ref = Annotated[Id, BeforeValidator(_reference)]
OptionalRef = Annotated[Id | None, BeforeValidator(_reference)]
Moment = Annotated[datetime, BeforeValidator(_aware)]
Currency = Annotated[str, BeforeValidator(_currency)]
Minor = StrictInt


class Source(BaseModel):
    """A record of Qualy's, read from its JSON. Fields that are not declared are kept, for settings that name them."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    id: Annotated[Id, Field(alias="_id")]

    def at(self, place: str) -> object:
        """What stands at a place of the record that a setting names; see `at`."""
        return at(self.model_dump(by_alias=True), place)


class Profile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    first_name: Annotated[str | None, Field(alias="firstName")] = None
    last_name: Annotated[str | None, Field(alias="lastName")] = None


class Customer(Source):
    """Who pays (Qualy: contact)."""

    email: str | None = None
    profile: Profile = Profile()

    @property
    def name(self) -> str:
        return " ".join(part.strip() for part in (self.profile.first_name, self.profile.last_name) if part).strip()


class Partner(Source):
    """Who gets a share: agent, school, supplier (Qualy: partnership)."""

    name: str = ""
    legal_name: Annotated[str | None, Field(alias="legalName")] = None
    email: str | None = None


class Item(BaseModel):
    """A line of a payment. `amount` in minor units; a negative one is a discount."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    id: Annotated[Id, Field(alias="_id")]
    name: str = ""
    description: str | None = None
    category: str = ""
    amount: Minor


class Payment(Source):
    """One request for money from a customer (Qualy: payment intent)."""

    number: StrictInt | None = None
    contact: Ref
    currency: Currency
    status: str = ""
    items: tuple[Item, ...]
    tax: OptionalRef = None
    amount: Minor | None = None
    due: Minor | None = None
    due_at: Annotated[Moment | None, Field(alias="dueAt")] = None
    cancelled_at: Annotated[Moment | None, Field(alias="canceledAt")] = None
    created_at: Annotated[Moment, Field(alias="createdAt")]


class Split(Source):
    """A share of a payment meant for one party (Qualy: payment split)."""

    type: str
    currency: Currency
    amount: Minor
    partnership: Ref
    payment: Annotated[Ref, Field(alias="paymentIntent")]
    item: Ref
    due_at: Annotated[Moment | None, Field(alias="dueAt")] = None
    tax: OptionalRef = None
    status: str = ""


class Transaction(Source):
    """Money in, money recorded as received, or a refund (negative amount)."""

    number: StrictInt | None = None
    payment: Annotated[Ref, Field(alias="paymentIntent")]
    amount: Minor
    currency: Currency
    type: Annotated[str, Field(alias="transactionType")]
    method: str = ""
    status: str = ""
    ref: OptionalRef = None
    created_at: Annotated[Moment, Field(alias="createdAt")]
    # What was paid, where that was another currency and `amount` is its worth in the payment's; never read from JSON.
    paid_as: Annotated[tuple[int, str] | None, BeforeValidator(lambda _: None), Field(alias="-paid-as")] = None

    def moment(self, field: str) -> datetime:
        """The time stamp named by a setting, `created_at` where the record has none of that name."""
        given: Any = (self.model_extra or {}).get(field)
        if not isinstance(given, str):
            return self.created_at
        moment = _aware(given)
        return moment if isinstance(moment, datetime) else self.created_at


class SplitIntent(Source):
    """A payable share: the pay-out of a split to its partner (Qualy: split intent).

    Qualy's documentation names none of its fields: what is not there makes a pay-out unclear, and no record malformed.
    """

    split: Annotated[OptionalRef, Field(alias="paymentSplit")] = None
    payment: Annotated[OptionalRef, Field(alias="paymentIntent")] = None
    partnership: OptionalRef = None
    amount: Minor | None = None
    currency: Currency | None = None
    status: str = ""
    paid_at: Annotated[Moment | None, Field(alias="paidAt")] = None


NOUNS: dict[Kind, type[Source]] = {
    Kind.CUSTOMER: Customer,
    Kind.PARTNER: Partner,
    Kind.PAYMENT: Payment,
    Kind.SPLIT: Split,
    Kind.TRANSACTION: Transaction,
    Kind.SPLIT_INTENT: SplitIntent,
}

_STEP = re.compile(r"(\w+)(?:\[(\w+)=([^\]]+)\])?", re.ASCII)


def at(content: Mapping[str, Any], place: str) -> object:
    """What stands at a place of a record's JSON: `taxId`, `payout.document`, or `documents[type=cpf].number`, which is
    the first one of a list with that type (upper and lower case are one). None where there is nothing."""
    found: object = content
    for part in place.split("."):
        step = _STEP.fullmatch(part)
        if step is None or not isinstance(found, Mapping):
            return None
        name, key, wanted = step.groups()
        found = found.get(name)
        if key is not None:
            entries = found if isinstance(found, list | tuple) else ()
            found = next((one for one in entries if _says(one, key, wanted)), None)
    return found


def _says(entry: object, key: str, wanted: str) -> bool:
    said = entry.get(key) if isinstance(entry, Mapping) else None
    return isinstance(said, str) and said.strip().casefold() == wanted.strip().casefold()


def normal_email(email: str | None) -> str:
    """An email as it is compared: trimmed and lower-cased; empty where there is none."""
    return (email or "").strip().lower()


@cache
def exponent(currency: str) -> int:
    """Digits after the point: 2 for AUD, 0 for JPY, 3 for KWD (CLDR, which follows ISO 4217 for live currencies)."""
    return get_currency_precision(currency)


def to_decimal(minor: int, currency: str) -> Decimal:
    """Minor units as a decimal amount of the currency."""
    return Decimal(minor).scaleb(-exponent(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """A decimal amount in minor units. Raises ValueError where it has more digits than the currency."""
    scaled = amount.scaleb(exponent(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} has more digits than {currency} has")
    return int(scaled)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of a currency."""

    minor: int
    currency: str

    def __str__(self) -> str:
        return f"{self.currency} {to_decimal(self.minor, self.currency):,.{exponent(self.currency)}f}"
