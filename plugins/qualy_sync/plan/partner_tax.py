"""The tax of a bill: by the split's tax, and by the tax document that the partner gives (or we make: RCTI). Pure."""

from __future__ import annotations

from qualy_sync.contracts.accounting import Ability
from qualy_sync.model import Partner, Split
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.settings import PartnerDocument

from .mapping import known_tax, tax_code
from .values import Terms

NO_DOCUMENT = "none"
_SHOWN = 40


def bill_tax(terms: Terms, split: Split, partner: Partner | None, fallback: str | None, what: str) -> str | Outcome:
    """The tool's code. Without a setting that says where partners' documents stand, they are not asked for."""
    place = terms.accounting.splits.partner_document
    if place is None or not terms.can(Ability.TAX_CODES):
        return tax_code(terms, split.tax, fallback, what, sales=False)
    document = _document(terms, partner, place)
    if isinstance(document, Outcome):
        return document
    own = _own_code(terms, split, document)
    if own is not None:
        return known_tax(terms, own, what, sales=False)
    code = tax_code(terms, split.tax, fallback, what, sales=False)
    if isinstance(code, Outcome) or document.claims_tax or not terms.chart.taxes[code].rate:
        return code
    problem = f"{code}, which claims tax that the partner gives no document for"
    return terms.say(Code.UNMAPPED_TAX, f"no document {code}", what=what, tax=problem)


def _document(terms: Terms, partner: Partner | None, place: str) -> PartnerDocument | Outcome:
    said = partner.at(place) if partner is not None else None
    word = said.strip() if isinstance(said, str) and said.strip() else NO_DOCUMENT
    for name, document in terms.accounting.splits.partner_documents.items():
        if name.casefold() == word.casefold():
            return document
    shown = word[:_SHOWN]
    return terms.say(
        Code.UNMAPPED_TAX,
        f"document {shown}",
        what=f"The partner's tax document “{shown}”",
        tax="not listed under splits.partner_documents",
    )


def _own_code(terms: Terms, split: Split, document: PartnerDocument) -> str | None:
    if not split.tax:
        return document.without_tax
    return document.taxes.get(split.tax) or document.taxes.get(terms.taxes.get(split.tax, ""))
