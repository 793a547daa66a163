"""The lines of a document in QuickBooks, there and back, with what of a line is not ours left as it is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.quickbooks.facts import POSTS_TO, account_of, item_of
from connectors.quickbooks.fields import Row, encode, minor, number, part, parts, reference, text
from connectors.quickbooks.names import LONGEST_TEXT, clean
from connectors.shared.answers import loads
from qualy_sync.contracts.accounting import Basis, Line, RemoteLine
from qualy_sync.model import to_decimal

SALE, EXPENSE, BOUGHT = "SalesItemLineDetail", "AccountBasedExpenseLineDetail", "ItemBasedExpenseLineDetail"
MODES = {Basis.INCLUSIVE: "TaxInclusive", Basis.EXCLUSIVE: "TaxExcluded"}
NO_CODE = "NON"  # stands for a line without a tax code on a United States company's bill
_BASES = {mode: basis for basis, mode in MODES.items()}


def description(line: Line) -> str:
    """A line's text as QuickBooks keeps it."""
    return clean(line.description, LONGEST_TEXT)


# -- there --------------------------------------------------------------------------------------------------------


def line_row(line: Line, currency: str, basis: Basis, sale: bool) -> dict[str, Any]:
    """A line of an invoice or credit memo goes through an item, one of a bill straight to the account.

    With `basis` inclusive the amount still holds its tax here: `connectors.quickbooks.complete` knows the rates.
    """
    amount = to_decimal(line.amount, currency)
    detail: dict[str, Any] = (
        {"ItemRef": {"value": item_of(line.account)}} if sale else {"AccountRef": {"value": account_of(line.account)}}
    )
    if line.tax:
        detail["TaxCodeRef"] = {"value": line.tax}
    if basis is Basis.INCLUSIVE:
        detail["TaxInclusiveAmt"] = amount
    kind = SALE if sale else EXPENSE
    return {"Amount": amount, "Description": description(line), "DetailType": kind, kind: detail}


def changed_rows(
    new: Sequence[Line], there: Sequence[RemoteLine], currency: str, basis: Basis, sale: bool
) -> list[dict[str, Any]]:
    """All lines as they are to be: one that stays goes back as it was read, and none loses what is not ours."""
    left = list(enumerate(there))
    found: list[RemoteLine | None] = []
    for place, line in enumerate(new):
        chosen = next((one for one in left if is_same(line, one[1])), None)
        if chosen is None:  # the one in its place, unless that is another line of the new ones
            at_place = (one for one in left if one[0] == place)
            chosen = next((one for one in at_place if not any(is_same(other, one[1]) for other in new)), None)
        found.append(chosen[1] if chosen is not None else None)
        if chosen is not None:
            left.remove(chosen)
    return [_merged(line_row(line, currency, basis, sale), line, one) for line, one in zip(new, found, strict=True)]


def _merged(row: dict[str, Any], line: Line, there: RemoteLine | None) -> dict[str, Any]:
    if there is None or not there.rest:
        return row
    kept: dict[str, Any] = loads(there.rest.encode())
    if is_same(line, there):
        return kept
    kind = row["DetailType"]
    if kept.get("DetailType") != kind:
        return row
    detail = dict(kept[kind])
    for gone in ("Qty", "UnitPrice", "TaxInclusiveAmt", "ItemAccountRef"):  # they would contradict the new amount
        detail.pop(gone, None)
    return kept | row | {kind: detail | row[kind]}


def is_same(line: Line, there: RemoteLine) -> bool:
    """Whether a line is there as it is wanted."""
    return (line.description, line.amount, line.account, line.tax) == (
        there.description,
        there.amount,
        there.account,
        there.tax,
    )


# -- back ---------------------------------------------------------------------------------------------------------


def basis_of(row: Row, us: bool) -> Basis | None:
    """Whether amounts hold their tax; in the United States they never do."""
    return Basis.EXCLUSIVE if us else _BASES.get(text(row, "GlobalTaxCalculation"))


def lines_of(row: Row, currency: str, us: bool) -> tuple[RemoteLine, ...]:
    """The lines that somebody wrote; sums that QuickBooks puts between them are left out."""
    inclusive = basis_of(row, us) is Basis.INCLUSIVE
    written = (one for one in parts(row, "Line") if text(one, "DetailType") != "SubTotalLineDetail")
    return tuple(_line(one, currency, inclusive, us) for one in written)


def _line(row: Row, currency: str, inclusive: bool, us: bool) -> RemoteLine:
    kind = text(row, "DetailType")
    detail = part(row, kind)
    gross = inclusive and number(detail, "TaxInclusiveAmt") is not None
    amount = minor(detail, "TaxInclusiveAmt", currency) if gross else minor(row, "Amount", currency)
    account, tax = reference(detail, "AccountRef"), reference(detail, "TaxCodeRef")
    if kind in (SALE, BOUGHT):
        account = f"{reference(detail, 'ItemRef')}{POSTS_TO}{reference(detail, 'ItemAccountRef')}"
    if us and kind == EXPENSE and not tax:
        tax = NO_CODE
    return RemoteLine(
        description=text(row, "Description"),
        amount=-amount if kind == "DiscountLineDetail" else amount,
        account=account,
        tax=tax,
        rest=encode(row),
    )
