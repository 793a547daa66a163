"""How Qualy is read, and what makes a row too bad to pass on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from .crm import CustomerFields
from .types import Count, Currency, MajorAmount, Names, Rate, Section, Share, Text, WhenEmpty, refused, words

SourceKind = Literal[
    "contacts",
    "payment-intents",
    "payment-splits",
    "split-intents",
    "transactions",
    "partnerships",
    "taxes",
    "users",
    "teams",
    "tags",
]
KINDS: tuple[SourceKind, ...] = (
    "contacts",
    "payment-intents",
    "payment-splits",
    "split-intents",
    "transactions",
    "partnerships",
    "taxes",
    "users",
    "teams",
    "tags",
)
LARGEST_AMOUNT = 10_000_000


def _path(value: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value) or "/." in value:
        raise refused(f"found {value!r}; a path below the connection's address is expected, such as /payment-intents")
    return value


def _every_kind(given: dict[SourceKind, str]) -> dict[SourceKind, str]:
    return {kind: given.get(kind, f"/{kind}") for kind in KINDS}


def _amount_shape(value: Any) -> str:
    return "per currency" if isinstance(value, Mapping) else "one"


def _link(value: str) -> str:
    address = re.fullmatch(r"https?://[A-Za-z0-9.:-]+/[^\s<>\"']*", value)
    if not address or value.count("{id}") != 1 or value.count("{") != 1:
        raise refused(
            f"found {value!r}; an http or https address with {{id}} where the payment's id goes is expected, such as"
            " https://portal.example/payments/{id}/pay"
        )
    return value


Path = Annotated[Text, AfterValidator(_path), words("a path such as /payment-intents")]


class SourceSettings(Section):
    """Where Qualy's lists are, how fast they are read, and what its statuses mean."""

    paths: Annotated[dict[SourceKind, Path], AfterValidator(_every_kind), WhenEmpty] = Field(
        default_factory=lambda: _every_kind({}), description="Path of each list, where it differs from the usual one."
    )
    customer: CustomerFields = Field(default_factory=CustomerFields, description="Owners, teams and tags of customers.")
    filter_style: Literal["auto", "A", "B", "C", "none"] = Field(
        default="auto", description="How filters are written into an address; auto finds out."
    )
    changed_since: Literal["auto", "never"] = Field(
        default="auto",
        description="auto: ask for changes only where Qualy proves to know `updatedAt`.",
    )
    payment_link: Annotated[Text, AfterValidator(_link), words("an address with {id}")] | None = Field(
        default=None, description="Where a person finds a payment in Qualy: stands in documents and reports."
    )
    page_size: Annotated[Count, Field(ge=1, le=1000)] = Field(default=100, description="Rows asked for at once.")
    requests_per_second: Rate = Field(default=Decimal(2), description="Pace towards Qualy.")
    overlap_minutes: Annotated[Count, Field(ge=0, le=1440)] = Field(
        default=15, description="How far each pass reads back behind the last one."
    )
    page_overlap: Annotated[Count, Field(ge=0, le=50)] = Field(
        default=3, description="Rows that two pages share, so that a deleted row hides no other."
    )
    full_sweep_hours: Annotated[Count, Field(ge=1, le=168)] = Field(
        default=24, description="Hours between two complete readings."
    )
    sweep_slice_seconds: Annotated[Count, Field(ge=1, le=60)] = Field(
        default=60, description="Longest slice of a complete reading."
    )
    paid_statuses: Names = Field(default=("paid",), description="Payment: fully paid.")
    open_statuses: Names = Field(
        default=("due", "overdue", "processing", "paid-partial"), description="Payment: still open."
    )
    draft_statuses: Names = Field(default=("draft",), description="Payment: not yet asked for.")
    cancelled_statuses: Names = Field(default=("canceled", "cancelled"), description="Payment: called off.")
    refunded_statuses: Names = Field(default=("refunded",), description="Payment: paid back.")
    final_transaction_statuses: Names = Field(default=("succeeded",), description="Transaction: money is there.")
    pending_transaction_statuses: Names = Field(default=("processing",), description="Transaction: on its way.")
    failed_transaction_statuses: Names = Field(default=("failed",), description="Transaction: came to nothing.")
    disputed_transaction_statuses: Names = Field(default=("disputed",), description="Transaction: contested.")
    paid_split_statuses: Names = Field(default=("paid",), description="Split: paid out.")

    @model_validator(mode="after")
    def _one_meaning_each(self) -> Self:
        """A status in two lists would let the order of the code decide whether money counts."""
        payment = ("paid_statuses", "open_statuses", "draft_statuses", "cancelled_statuses", "refunded_statuses")
        transaction = tuple(f"{word}_transaction_statuses" for word in ("final", "pending", "failed", "disputed"))
        for group in (payment, transaction):
            owner: dict[str, str] = {}
            for name in group:
                for status in getattr(self, name):
                    if status in owner:
                        raise refused(
                            f"the status {status!r} is in {owner[status]} and in {name}; a status has one meaning"
                        )
                    owner[status] = name
        return self


class QualitySettings(Section):
    """When a row, or a whole extraction, is too bad to write anything from."""

    max_failing_share: Share = Field(
        default=Decimal("0.2"), description="Share of failing rows above which nothing at all is written."
    )
    largest_amount: Annotated[
        Annotated[MajorAmount, Tag("one")] | Annotated[dict[Currency, MajorAmount], Tag("per currency")],
        Discriminator(_amount_shape),
    ] = Field(
        default=LARGEST_AMOUNT,
        description="Largest believable payment, in whole units of money: one for all, or one per currency.",
    )

    def ceiling(self, currency: str) -> int:
        """The largest believable amount in *major* units of a currency (the default's where it is not listed)."""
        if isinstance(self.largest_amount, int):
            return self.largest_amount
        return self.largest_amount.get(currency, LARGEST_AMOUNT)
