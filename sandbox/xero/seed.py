"""What the organisation holds before anybody connects: contacts, a few documents and payments, all entered by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sandbox import agency
from sandbox.service import World
from sandbox.xero import holdings
from sandbox.xero.books import Books
from sandbox.xero.wire import ms_moment, parse_moment

_SHARED_CUSTOMERS = 12
_SHARED_PARTNERS = 4


def write(books: Books, world: World) -> None:
    """Contacts, documents and payments as a bookkeeper left them some weeks before ``today``."""
    contacts = _contacts(world)
    books_by_hand = _documents(books, world, contacts)
    holdings.load(books, {"Contacts": [contact for contact, _ in contacts]})
    holdings.load(books, books_by_hand)
    _mark_sides(books, books_by_hand["Invoices"])


def _contacts(world: World) -> list[tuple[dict[str, Any], str | None]]:
    """Each contact with the Qualy id of the person that it is, if it is one."""
    people = agency.people(world)
    entered = _moment(world.today, -200)
    found = [(_contact(person["name"], person["email"]), person["_id"]) for person in people[:_SHARED_CUSTOMERS]]
    for person in people[4:8]:
        place = people.index(person)
        found[place] = (_contact(person["name"], person["email"].upper()), person["_id"])
    found += _odd_ones(people)
    partners = [world.population.partner(index) for index in range(min(_SHARED_PARTNERS, world.population.partners))]
    found += [(_contact(one["name"], one["email"]), None) for one in partners if one.get("email")]
    found += [(_contact(name, f"accounts@{name.split()[0].lower()}.example"), None) for name in agency.SUPPLIERS]
    for place, (contact, _) in enumerate(found):
        contact["UpdatedDateUTC"] = ms_moment(entered + timedelta(hours=7 * place))
    return found


def _odd_ones(people: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str | None]]:
    """The ones that need a decision or care: shared email, archived, namesake, another name for an email."""
    if len(people) < _SHARED_CUSTOMERS + 5:
        return []
    twice, archived, namesake, renamed = people[_SHARED_CUSTOMERS : _SHARED_CUSTOMERS + 4]
    return [
        (_contact(twice["name"], twice["email"]), twice["_id"]),
        (_contact(f"{twice['name']} (parents)", twice["email"]), None),
        (_contact(archived["name"], archived["email"], status="ARCHIVED"), archived["_id"]),
        (_contact(namesake["name"], "somebody.else@elsewhere.example"), None),
        (_contact("Ferdinand Quast", renamed["email"]), None),
    ]


def _contact(name: str, email: str, status: str = "ACTIVE") -> dict[str, Any]:
    return {"Name": name, "EmailAddress": email, "ContactStatus": status}


def _documents(
    books: Books, world: World, contacts: list[tuple[dict[str, Any], str | None]]
) -> dict[str, list[dict[str, Any]]]:
    """Bills of the agency's own suppliers, invoices with payments, and one that looks like a Qualy payment."""
    new_id = books.company.records.new_id
    for contact, _ in contacts:
        contact["ContactID"] = new_id()
    own = [contact for contact, _ in contacts if contact["Name"] in agency.SUPPLIERS]
    bank = books.company.account("090") or {}
    invoices, payments = [], []
    for number, contact in enumerate(own[:8]):
        bill = _document("ACCPAY", contact, f"{7000 + 13 * number}", world.today, -40 + 4 * number)
        _lines(books, bill, "404", Decimal(120 + 35 * number))
        invoices.append(bill)
    for number, (contact, _) in enumerate(contacts[:6]):
        invoice = _document("ACCREC", contact, f"HAND-{101 + number}", world.today, -36 + 5 * number)
        _lines(books, invoice, "205", Decimal(250 + 75 * number))
        invoices.append(invoice)
    for document in (*invoices[:3], *invoices[8:11]):
        document["InvoiceID"] = new_id()
        payments.append(_payment(document, bank, new_id(), books.company.base_currency))
    lookalike = _lookalike(books, world, contacts)
    return {"Invoices": [*invoices, *lookalike], "Payments": payments, "CreditNotes": []}


def _document(kind: str, contact: dict[str, Any], number: str, today: date, days: int) -> dict[str, Any]:
    day = today + timedelta(days=days)
    return {
        "Type": kind,
        "Contact": {"ContactID": contact["ContactID"]},
        "InvoiceNumber": number,
        "Date": day.isoformat(),
        "DueDate": (day + timedelta(days=14)).isoformat(),
        "Status": "AUTHORISED",
        "LineAmountTypes": "NoTax",
        "UpdatedDateUTC": ms_moment(_moment(today, days)),
    }


def _lines(books: Books, document: dict[str, Any], account: str, value: Decimal) -> None:
    """One line without tax, and the totals."""
    kept = books.company.account(account) or {}
    whole = float(value)
    line = {
        "Description": f"Entered by hand, {kept['Name']}",
        "Quantity": 1.0,
        "UnitAmount": whole,
        "LineAmount": whole,
        "TaxAmount": 0.0,
        "TaxType": "NONE",
        "AccountCode": account,
        "AccountID": kept["AccountID"],
    }
    document |= {"LineItems": [line], "SubTotal": whole, "TotalTax": 0.0, "Total": whole}


def _payment(document: dict[str, Any], bank: dict[str, Any], payment_id: str, currency: str) -> dict[str, Any]:
    """The document paid in full a few days later, from the everyday bank account."""
    day = date.fromisoformat(document["Date"]) + timedelta(days=3)
    sale = document["Type"] == "ACCREC"
    total = document["Total"]
    applied = {"PaymentID": payment_id, "Date": f"{day.isoformat()}", "Amount": total, "CurrencyRate": 1.0}
    moment = parse_moment(document["UpdatedDateUTC"]) + timedelta(days=3)
    document |= {
        "Payments": [applied | {"Date": ms_moment(parse_moment(applied["Date"])), "HasAccount": False}],
        "UpdatedDateUTC": ms_moment(moment),
    }
    return {
        "PaymentID": payment_id,
        "Date": day.isoformat(),
        "Amount": total,
        "BankAmount": total,
        "Reference": "",
        "CurrencyRate": 1.0,
        "PaymentType": "ACCRECPAYMENT" if sale else "ACCPAYPAYMENT",
        "Status": "AUTHORISED",
        "HasAccount": True,
        "IsReconciled": True,
        "Account": {"AccountID": bank["AccountID"], "Code": bank["Code"]},
        "Invoice": {
            "InvoiceID": document["InvoiceID"],
            "InvoiceNumber": document["InvoiceNumber"],
            "Type": document["Type"],
            "Contact": document["Contact"],
            "CurrencyCode": currency,
            "LineItems": [],
        },
        "HasValidationErrors": False,
        "UpdatedDateUTC": ms_moment(moment),
    }


def _lookalike(books: Books, world: World, contacts: list[tuple[dict[str, Any], str | None]]) -> list[dict[str, Any]]:
    """An invoice that somebody typed in for a payment which Qualy has too: same contact, currency and total."""
    by_person = {person: contact for contact, person in contacts[:_SHARED_CUSTOMERS] if person}
    lock = books.company.lock_dates().period or date.min
    for index in range(min(400, world.population.payments)):
        payment = world.population.payment(index)
        contact = by_person.get(str(payment.get("contact")))
        due = datetime.fromisoformat(str(payment["dueAt"])).date() if payment.get("dueAt") else date.min
        ready = payment["status"] in ("due", "overdue", "paid", "paid-partial") and due > lock
        if contact is None or not ready or not books.company.has_currency(payment["currency"]):
            continue
        day = min(due, world.today) - timedelta(days=2)
        document = _document("ACCREC", contact, "HAND-190", world.today, (day - world.today).days)
        document["CurrencyCode"] = payment["currency"]
        places = agency.MINOR_UNITS.get(payment["currency"], 2)
        _lines(books, document, "200", Decimal(payment["amount"]).scaleb(-places))
        return [document]
    return []


def _mark_sides(books: Books, documents: list[dict[str, Any]]) -> None:
    """Customers and suppliers are those who have a document."""
    for document in documents:
        kept = books.company.records.get("Contacts", document["Contact"]["ContactID"])
        if kept:
            kept["IsCustomer" if document["Type"] == "ACCREC" else "IsSupplier"] = True
            books.company.records.put("Contacts", kept, touch=False)


def _moment(today: date, days: int) -> datetime:
    return datetime.combine(today + timedelta(days=days), time(2, 15), UTC)
