"""Names as Conta Azul accepts them, and where a person finds a record. Pure."""

from __future__ import annotations

from connectors.conta_azul.marks import cut
from qualy_sync.contracts.accounting import What

LONGEST_NAME = 200
_PAGES = "https://pro.contaazul.com/"  # no address of a single entry is known
_FINANCE = "v1/financeiro/eventos-financeiros"


def contact_name(name: str, email: str, suffix: str = "") -> str:
    """A name of at most 200 characters in one line; the email where there is none. The suffix stands last, whole."""
    end = cut(suffix, LONGEST_NAME)
    start = cut(name, LONGEST_NAME) or cut(email, LONGEST_NAME)
    if not end:
        return start
    return f"{cut(start, LONGEST_NAME - len(end) - 1)} {end}".strip()


def document_url(api: str, local: bool, remote_id: str, what: What) -> str:
    """Conta Azul's own pages; at a stand-in, which has none, the record's address in the API."""
    if not local:
        return _PAGES
    if what is What.CONTACT:
        return f"{api}/v1/pessoas/{remote_id}"
    settled = what in (What.SETTLEMENT, What.BILL_SETTLEMENT)
    return f"{api}/{_FINANCE}/parcelas/{'baixa/' if settled else ''}{remote_id}"
