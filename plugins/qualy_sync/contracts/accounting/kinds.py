"""The kinds of thing that are written and read, and the words for their state, in which every tool's can be put."""

from __future__ import annotations

from enum import StrEnum


class What(StrEnum):
    """The kinds of thing that are written, in the order they have to be."""

    CONTACT = "contact"
    INVOICE = "invoice"
    BILL = "bill"
    CREDIT_NOTE = "credit_note"  # to a customer
    SUPPLIER_CREDIT = "supplier_credit"  # from a partner
    SETTLEMENT = "settlement"  # money applied to an invoice
    BILL_SETTLEMENT = "bill_settlement"  # money applied to a bill
    ALLOCATION = "allocation"  # credit of a credit note applied to the unpaid part of an invoice (or of a bill)
    REFUND = "refund"  # money given back: of a credit note, or with lines of its own (`Ways.refund_alone`)


DOCUMENTS = frozenset({What.INVOICE, What.BILL, What.CREDIT_NOTE, What.SUPPLIER_CREDIT})
CREDITS = frozenset({What.CREDIT_NOTE, What.SUPPLIER_CREDIT})
SALES = frozenset({What.INVOICE, What.CREDIT_NOTE})  # the others are purchases


class Verb(StrEnum):
    """What is done to a record."""

    CREATE = "create"
    CHANGE = "change"  # in place: the fields that we own
    VOID = "void"  # a document: voided where the tool has that, deleted where it has only that
    REMOVE = "remove"  # a settlement of ours: taken back, so that its document is open again


class Basis(StrEnum):
    """Whether line amounts hold their tax."""

    INCLUSIVE = "tax_inclusive"
    EXCLUSIVE = "tax_exclusive"


class Status(StrEnum):
    """A document's or settlement's status, in words that every tool's can be put into."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    AUTHORISED = "authorised"
    PAID = "paid"
    VOIDED = "voided"
    DELETED = "deleted"


GONE = frozenset({Status.VOIDED, Status.DELETED})


class Party(StrEnum):
    """What a contact is there for, where a tool keeps customers and suppliers apart (`Ways.separate_parties`)."""

    ANY = "any"  # one kind of record serves both
    CUSTOMER = "customer"
    SUPPLIER = "supplier"


class Person(StrEnum):
    """What kind of person a contact is, where a tool asks for it."""

    INDIVIDUAL = "individual"
    COMPANY = "company"
    FOREIGN = "foreign"


class Ability(StrEnum):
    """What a tool may or may not be able to do. It can, unless a `Gap` names the ability and says why not."""

    CHANGE_DUE_DATE = "change_due_date"  # of an unpaid document, in place
    CHANGE_DOCUMENT = "change_document"  # lines, date and contact of an unpaid document, in place
    VOID = "void"  # an unpaid invoice or bill (voided or deleted)
    CREDIT = "credit"  # credit notes to customers
    SUPPLIER_CREDIT = "supplier_credit"
    REFUND = "refund"  # money given back out of an account
    ALLOCATE = "allocate"  # a credit applied to an unpaid part
    REMOVE_SETTLEMENT = "remove_settlement"
    SETTLE_BILLS = "settle_bills"
    SEE_RECONCILED = "see_reconciled"  # whether a settlement is reconciled (else None: unknown)
    CHANGE_CONTACT = "change_contact"
    NEGATIVE_LINES = "negative_lines"
    TAX_CODES = "tax_codes"
    TOOL_RATES = "tool_rates"  # it fills in an exchange rate of the day where none is sent
    CURRENCIES = "currencies"  # other than the base currency
    LOCK_DATE = "lock_date"  # its API shows the lock date; else `closed_until` in the settings stands for it
