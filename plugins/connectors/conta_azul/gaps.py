"""What Conta Azul cannot do, for `check` and for every report."""

from __future__ import annotations

from qualy_sync.contracts.accounting import Ability, Gap

_BY_HAND = "what has to be done there is listed with the record, which is then settled by the decision “theirs”"

GAPS = (
    Gap(
        "changes",
        "Conta Azul's API cannot change a receivable or payable but for its due date and text: another amount,"
        f" category, date or customer waits for a person; {_BY_HAND}.",
        Ability.CHANGE_DOCUMENT,
    ),
    Gap(
        "cancellation",
        f"Conta Azul's API cannot delete or void a receivable or payable: {_BY_HAND}.",
        Ability.VOID,
    ),
    Gap("credit notes", f"Conta Azul has no credit notes: a refund or reduction waits; {_BY_HAND}.", Ability.CREDIT),
    Gap("supplier credits", f"Conta Azul has no credits of suppliers; {_BY_HAND}.", Ability.SUPPLIER_CREDIT),
    Gap("refunds", f"Conta Azul's API has no refunds; {_BY_HAND}.", Ability.REFUND),
    Gap("allocations", "Without credit notes, nothing is allocated in Conta Azul.", Ability.ALLOCATE),
    Gap(
        "discounts",
        "Conta Azul takes no negative amounts: a discount lowers the amount of its own category; where a category would"
        " come to less than zero, the document is held.",
        Ability.NEGATIVE_LINES,
    ),
    Gap(
        "tax",
        "Conta Azul's receivables and payables have no tax field: amounts go in as Qualy has them, tax included, and"
        " tax codes cannot be mapped.",
        Ability.TAX_CODES,
    ),
    Gap("currencies", "Conta Azul keeps its books in BRL alone: payments in other currencies are held.",
        Ability.CURRENCIES),
    Gap("exchange rates", "Conta Azul has no exchange rates.", Ability.TOOL_RATES),
    Gap(
        "closed periods",
        "Conta Azul's API shows no closed period: `closed_until` in the settings stands for it, and has to be kept up"
        " to date by hand.",
        Ability.LOCK_DATE,
    ),
    Gap(
        "accounts",
        "Conta Azul has categories where others have accounts, and none for liabilities: money held for partners needs"
        " a pair of pass-through categories, named in the connection, whose two totals the report compares.",
    ),
    Gap(
        "drafts",
        "Conta Azul has no drafts and no approval: whatever the settings say, receivables and payables count at once.",
    ),
    Gap(
        "late answers",
        "Conta Azul makes receivables and payables some seconds, at times a minute, after it took them in; until then"
        " they are not there, and they are never sent a second time meanwhile.",
    ),
    Gap(
        "deletions",
        "Conta Azul's API does not tell what was deleted by hand: it is noticed when a document is next looked at.",
    ),
    Gap(
        "several addresses",
        "Of a person with several email addresses in Conta Azul, only the first is matched.",
    ),
)  # fmt: skip
