"""Names as Xero accepts them, and where a person finds a record. Pure."""

from __future__ import annotations

from connectors.xero.write import LONGEST, clean, cut
from qualy_sync.contracts.accounting import What

_PAGES = {
    What.CONTACT: "https://go.xero.com/Contacts/View/{id}",
    What.INVOICE: "https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID={id}",
    What.BILL: "https://go.xero.com/AccountsPayable/View.aspx?InvoiceID={id}",
    What.CREDIT_NOTE: "https://go.xero.com/AccountsReceivable/ViewCreditNote.aspx?creditNoteID={id}",
    What.SUPPLIER_CREDIT: "https://go.xero.com/AccountsPayable/ViewCreditNote.aspx?creditNoteID={id}",
}
_PAYMENT = "https://go.xero.com/Bank/ViewTransaction.aspx?bankTransactionID={id}"
_STAND_IN = {
    What.CONTACT: "Contacts",
    What.INVOICE: "Invoices",
    What.BILL: "Invoices",
    What.CREDIT_NOTE: "CreditNotes",
    What.SUPPLIER_CREDIT: "CreditNotes",
}


def contact_name(name: str, email: str, suffix: str = "") -> str:
    """A name of at most 255 characters without `<`, `>`, doubled or outer blanks; the email where there is none.

    The suffix stands last, after a blank, and is never cut.
    """
    longest = LONGEST["name"]
    end = clean(_without_brackets(suffix), longest)
    start = clean(_without_brackets(name), longest) or clean(_without_brackets(email), longest)
    if not end:
        return start
    room = longest - len(end.encode("utf-16-le")) // 2 - 1
    return f"{cut(start, max(0, room))} {end}".strip()


def document_url(api: str, local: bool, remote_id: str, what: What) -> str:
    """The page of a record in Xero's screens; at a stand-in, which has none, its address in the API."""
    if local:
        return f"{api}/{_STAND_IN.get(what, 'Payments')}/{remote_id}"
    return _PAGES.get(what, _PAYMENT).format(id=remote_id)


def _without_brackets(value: str) -> str:
    return value.replace("<", " ").replace(">", " ")
