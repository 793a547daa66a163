"""What goes into the accounting tool, when, how, and onto which accounts.

A key without a default decides what the books say; nobody but the customer's accountant can answer it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from .currencies import FieldPath
from .types import (
    Bool,
    Code,
    Count,
    Currency,
    MajorAmount,
    Names,
    Section,
    Share,
    Text,
    WhenEmpty,
    WhenNoItems,
    distinct,
    no_catch_all,
    refused,
    words,
)

DocumentStatus = Literal["draft", "submitted", "authorised"]
AmountsAre = Literal["tax_inclusive", "tax_exclusive"]
Role = Literal["principal", "agent_on_invoice", "agent_on_bill"]
Direction = Literal["we_owe", "owed_to_us", "own"]
ContactField = Literal["name", "email"]

CodeOrHold = Annotated[Text, words("a code in quotes, or hold")]

LONGEST_NUMBER = 21  # the shortest limit among the tools that number documents (QuickBooks: DocNumber)
LONGEST_PREFIX = LONGEST_NUMBER - 9  # room for Qualy's own number
PREFIX_WORDS = f"at most {LONGEST_PREFIX} letters, digits and . _ / # -"


def _prefix(value: str) -> str:
    if len(value) > LONGEST_PREFIX:
        raise refused(
            f"found {value!r}, {len(value)} characters; at most {LONGEST_PREFIX}, "
            f"so that the number of an invoice stays within {LONGEST_NUMBER}"
        )
    if not re.fullmatch(r"[A-Za-z0-9._/#-]+", value):
        raise refused(f"found {value!r}; only letters A to Z, digits and . _ / # -, no spaces, no quotes, such as Q-")
    return value


def _date_field(value: str) -> str:
    if value.replace("_", "").lower() == "updatedat":
        raise refused("the last change of a record is no date of a settlement; use createdAt or paidAt")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,60}", value):
        raise refused(f"found {value!r}; the name of a field of Qualy's transactions is expected, such as createdAt")
    return value


class Cancelled(Section):
    """What becomes of the document of a payment that Qualy called off."""

    before_payment: Literal["void", "credit_note", "hold"] = Field(
        default="void", description="Nothing was paid yet, and its period is open."
    )
    after_payment: Literal["credit_note", "hold"] = Field(
        default="credit_note", description="Something was paid: what is unpaid is credited."
    )
    locked: Literal["credit_note", "hold"] = Field(
        default="credit_note", description="Its period is locked: it is credited in an open one."
    )


class Payments(Section):
    """When a Qualy payment becomes a document, and what that looks like."""

    model_config = ConfigDict(populate_by_name=True)

    when: Literal["instantly", "when_fully_paid", "never"] = Field(description="When a payment gets its document.")
    as_: Literal["invoice", "bill"] = Field(
        default="invoice", alias="as", description="An invoice to the customer, or a bill from them."
    )
    amounts: AmountsAre = Field(description="Whether Qualy's amounts hold the tax.")
    invoice_date: Literal["created", "due", "earlier_of_due_and_first_receipt"] = Field(
        description="Which day the invoice is dated."
    )
    invoice_status: DocumentStatus = Field(default="authorised", description="State in which invoices are made.")
    number_prefix: Annotated[Text, AfterValidator(_prefix), words(PREFIX_WORDS)] = Field(
        description="What stands before Qualy's number in the invoice's number."
    )
    mark_paid: Bool = Field(default=True, description="Whether receipts are applied to the invoice.")
    settle_locked_invoice: Literal["hold", "try"] = Field(
        default="hold", description="A receipt on an open day for an invoice in a locked period."
    )
    cancelled: Cancelled = Field(default_factory=Cancelled, description="Payments that Qualy called off.")
    refund_lines: Literal["hold", "proportional"] = Field(
        default="hold",
        description="Lines of a credit note for a part of an invoice: a person's, or a share of each line.",
    )


class SplitType(Section):
    """Who owes whom for one type of split."""

    direction: Direction = Field(
        description="we_owe makes a bill, own makes nothing, owed_to_us follows splits.owed_to_us."
    )
    principal_share: Bool = Field(
        default=False, description="This split carries gross and commission of an agent_on_bill item."
    )


class SplitMap(Section):
    """Where the bill of a split posts. The most specific entry wins: partnership, then type, then category."""

    partnership: Text = Field(default="*", description="Qualy id or exact name of the partner, or '*'.")
    type: Text = Field(default="*", description="Type of split, or '*'.")
    category: Text = Field(default="*", description="Category of the item, or '*'.")
    account: Code = Field(description="Account of the bill's line.")
    tax: Code | None = Field(default=None, description="Tax code where Qualy gives none.")


class PartnerDocument(Section):
    """Which tax codes a bill has by the tax document that the partner gives (or that we make for it: RCTI)."""

    taxes: Annotated[dict[Text, Code], no_catch_all("tax"), WhenEmpty] = Field(
        default_factory=dict, description="Qualy's taxes, by id or exact name, as codes; they win over taxes.purchases."
    )
    without_tax: Code | None = Field(default=None, description="The code where Qualy's split has no tax.")
    claims_tax: Bool = Field(
        default=True, description="false: without a tax document nothing is claimed; a code with a rate is refused."
    )


class Splits(Section):
    """When a split becomes a bill to the partner, and where it posts."""

    when: Literal["with_invoice", "when_customer_paid", "when_paid_out", "never"] = Field(
        default="when_customer_paid", description="When a split gets its bill."
    )
    amounts: AmountsAre = Field(description="Whether the splits' amounts hold the tax.")
    bill_status: DocumentStatus = Field(default="authorised", description="State in which bills are made.")
    types: Annotated[dict[Text, SplitType], no_catch_all("type"), WhenEmpty] = Field(
        default_factory=dict, description="What each type of split means; a type that is not listed is held."
    )
    own_partnerships: Names = Field(
        default=(), description="Partners that are the business itself, by Qualy id or exact name: no bill."
    )
    owed_to_us: Literal["hold", "invoice"] = Field(
        default="hold", description="What a partner owes us: held, or an invoice to the partner."
    )
    mark_paid: Bool = Field(default=False, description="Whether bills are marked paid once Qualy paid the partner out.")
    payout_accounts: Annotated[dict[Currency, Code], WhenEmpty] = Field(
        default_factory=dict, description="By currency: the account that pay-outs leave from. Needed by mark_paid."
    )
    partner_document: FieldPath | None = Field(
        default=None, description="Field of a partner with the kind of tax document it gives; empty: not asked."
    )
    partner_documents: Annotated[dict[Text, PartnerDocument], no_catch_all("kind of document"), WhenEmpty] = Field(
        default_factory=dict, description="By what that field says ('none' where it says nothing): tax codes of bills."
    )
    map: Annotated[tuple[SplitMap, ...], WhenNoItems] = Field(
        default=(), description="Accounts of bills; what no entry fits is held."
    )


class ItemMap(Section):
    """How items of one category post, and whose money they are."""

    role: Role = Field(description="Whose money: ours (principal), or collected for a partner (agent).")
    account: Code = Field(description="principal: the income account; agent: the liability account, on both legs.")
    income_account: Code | None = Field(default=None, description="agent, required: income account of our own share.")
    tax: Code | None = Field(default=None, description="Tax code on sales, where Qualy gives none.")
    income_tax: Code | None = Field(default=None, description="agent: tax code of our own share or commission.")
    purchase_tax: Code | None = Field(default=None, description="Tax code on bills, where Qualy gives none.")
    expense_account: Code | None = Field(default=None, description="The account where payments become bills.")
    suspense: Bool = Field(
        default=False, description="The account is a suspense account: each use is listed as to recode. Needs tax."
    )


class Taxes(Section):
    """Qualy's taxes, by id or exact name, as codes of the tool. They win over an item's own code."""

    sales: Annotated[dict[Text, Code], no_catch_all("tax"), WhenEmpty] = Field(
        default_factory=dict, description="Codes on invoices."
    )
    purchases: Annotated[dict[Text, Code], no_catch_all("tax"), WhenEmpty] = Field(
        default_factory=dict, description="Codes on bills."
    )


class Settlement(Section):
    """Where money arrived, and on which day."""

    mode: Literal["per_transaction", "when_fully_paid"] = Field(
        default="per_transaction", description="One settlement for each receipt, or one when all is paid."
    )
    date_field: Annotated[Text, AfterValidator(_date_field), words("a field's name, not updatedAt")] = Field(
        default="createdAt", description="Field of the transaction that dates a settlement; never its last change."
    )
    reversal: Literal["hold", "remove"] = Field(
        default="hold",
        description="A receipt or pay-out that Qualy took back: a person's, or our payment is taken back too.",
    )
    accounts: Annotated[
        dict[Text, Annotated[dict[Currency, Code], WhenEmpty]], no_catch_all("payment method"), WhenEmpty
    ] = Field(default_factory=dict, description="By payment method, then currency: where the money arrived.")
    money_not_moved: Annotated[dict[Text, CodeOrHold], no_catch_all("payment method"), WhenEmpty] = Field(
        default_factory=dict, description="Methods whose money Qualy did not move: an account, or hold."
    )


class Contacts(Section):
    """Who is who."""

    update: Bool = Field(default=False, description="Whether a change in Qualy changes contacts that we made.")
    overwrite: Annotated[tuple[ContactField, ...], distinct()] = Field(
        default=("name", "email"), description="What an update may overwrite; everything else stays as it is there."
    )
    on_shared_email: Literal["hold", "one_contact"] = Field(
        default="hold", description="Two Qualy customers with one email: held, or one contact for both."
    )
    latin_names: Literal["hold", "transliterate"] = Field(
        default="hold",
        description="Names that the tool cannot keep (QuickBooks, United States): wait, or spelled in Latin.",
    )
    suffix: Literal["ref"] = Field(default="ref", description="What tells namesakes apart.")
    customer_tax_id: FieldPath | None = Field(
        default=None, description="Field of a customer with its CPF or CNPJ; empty: not read."
    )
    partner_tax_id: FieldPath | None = Field(
        default=None, description="Field of a partner with its CNPJ; empty: not read."
    )
    country: FieldPath | None = Field(
        default=None, description="Field of customers and partners with the country of their address; empty: not read."
    )


class NextOpenDay(Section):
    """Per kind of record, who approves that a document on a locked day is dated on the first open one instead."""

    invoice: Text | None = Field(default=None, description="The approver for invoices, by name; empty: they are held.")
    bill: Text | None = Field(default=None, description="The approver for bills; empty: they are held.")
    settlement: Text | None = Field(default=None, description="The approver for settlements; empty: they are held.")
    credit_note: Text | None = Field(default=None, description="The approver for credit notes; empty: they are held.")


class Rounding(Section):
    """How far the tool's total may be from Qualy's, and where the difference goes."""

    cents: Annotated[Count, Field(ge=0, le=99)] = Field(default=0, description="Largest difference, in minor units.")
    account: Code | None = Field(default=None, description="Account of the difference; required above 0 cents.")
    tax: Code | None = Field(default=None, description="Its tax code; required above 0 cents.")


class Breaker(Section):
    """What is more than any honest day brings. Beyond it nothing is written until a person looked."""

    max_creates_24h: Annotated[Count, Field(ge=1, le=1_000_000)] = Field(
        default=2000, description="Documents made, changed or voided in 24 hours."
    )
    max_amount_24h: Annotated[dict[Currency, MajorAmount], WhenEmpty] = Field(
        default_factory=dict, description="Amount per currency in 24 hours, in whole units of money."
    )
    vanish_share: Share = Field(
        default=Decimal("0.01"), description="Share of Qualy's records that may vanish in seven complete readings."
    )


class Gate(Section):
    """What must be true before anything is written."""

    confirm_first_run: Bool = Field(
        default=True, description="The first writing run waits until its preview is confirmed."
    )
    breaker: Breaker = Field(default_factory=Breaker, description="Limits of one day.")


class Pace(Section):
    """How long, how fast and how patiently the tool is written to."""

    load_minutes: Annotated[Count, Field(ge=1, le=600)] = Field(
        default=10, description="Longest a load works before the rest waits its turn."
    )
    day_reserve: Annotated[Count, Field(ge=0, le=4000)] = Field(
        default=50, description="Calls of a day that are left to others."
    )
    minute_reserve: Annotated[Count, Field(ge=0, le=50)] = Field(
        default=3, description="Calls of a minute that are left to others."
    )
    resend_minutes: Annotated[Count, Field(ge=1, le=5)] = Field(
        default=4, description="How long an unanswered call may be repeated with its key."
    )
    settle_minutes: Annotated[Count, Field(ge=1, le=1440)] = Field(
        default=10, description="How long absence of an unanswered record must last to be believed."
    )
    give_up_hours: Annotated[Count, Field(ge=1, le=168)] = Field(
        default=24, description="When an unanswered record goes to a person."
    )
    lease_seconds: Annotated[Count, Field(ge=10, le=600)] = Field(
        default=75, description="How long one process may hold the right to write."
    )
    read_timeout: Annotated[Count, Field(ge=1, le=300)] = Field(
        default=45, description="Seconds to wait for an answer; shorter than the lease."
    )
