"""What the company holds before anybody connects: names, a few documents and payments, all entered by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sandbox import agency
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.wire import stamp
from sandbox.service import World

Json = dict[str, Any]
_SHARED_CUSTOMERS = 12
_SHARED_PARTNERS = 4


class Seed:
    """A bookkeeper's work of the weeks before ``today``, done by the same rules as everything else."""

    def __init__(self, books: Books, world: World) -> None:
        self._books = books
        self._records = books.company.records
        self._world = world
        self._us = books.company.is_us

    def write(self) -> None:
        """Customers, vendors, invoices, bills and payments; the books are closed afterwards."""
        customers = self._customers()
        vendors = self._vendors()
        for number, vendor in enumerate(vendors[-8:]):
            bill = self._bill(vendor, str(7000 + 13 * number), -40 + 4 * number, Decimal(120 + 35 * number))
            if number < 3:
                self._pay_bill(bill, -37 + 4 * number)
        for number, (customer, _) in enumerate(customers[:6]):
            invoice = self._invoice(customer, f"HAND-{101 + number}", -36 + 5 * number, Decimal(250 + 75 * number))
            if number < 3:
                self._pay_invoice(invoice, -33 + 5 * number)
        self._lookalike(customers)

    def _customers(self) -> list[tuple[Json, str | None]]:
        """Each customer with the Qualy id of the person that it is, if it is one."""
        people = [one for one in agency.people(self._world) if not self._us or _is_latin(one["name"])]
        wanted = [(one["name"], one["email"], one["_id"]) for one in people[:_SHARED_CUSTOMERS]]
        for place in range(4, min(8, len(wanted))):
            name, email, id_ = wanted[place]
            wanted[place] = (name, email.upper(), id_)
        wanted += _odd_ones(people)
        made = [
            (self._person("Customer", name, email, -200, place), id_) for place, (name, email, id_) in enumerate(wanted)
        ]
        if len(people) >= _SHARED_CUSTOMERS + 5:
            gone = next(one for one, id_ in made if id_ == people[_SHARED_CUSTOMERS + 1]["_id"])
            changed = self._write("Customer", gone | {"Active": False, "sparse": True}, -150)
            made = [(changed if one["Id"] == gone["Id"] else one, id_) for one, id_ in made]
            self._person("Vendor", people[_SHARED_CUSTOMERS + 4]["name"], "tutor@elsewhere.example", -180, 0)
        return made

    def _vendors(self) -> list[Json]:
        population = self._world.population
        partners = [population.partner(index) for index in range(min(_SHARED_PARTNERS, population.partners))]
        wanted = [(one["name"], one["email"]) for one in partners if one.get("email") and self._fits(one["name"])]
        wanted += [(name, f"accounts@{name.split()[0].lower()}.example") for name in agency.SUPPLIERS]
        return [self._person("Vendor", name, email, -190, place) for place, (name, email) in enumerate(wanted)]

    def _fits(self, name: str) -> bool:
        return not self._us or _is_latin(name)

    def _person(self, kind: str, name: str, email: str, days: int, hours: int) -> Json:
        return self._write(kind, {"DisplayName": name, "PrimaryEmailAddr": {"Address": email}}, days, hours)

    def _invoice(self, customer: Json, number: str, days: int, value: Decimal) -> Json:
        line = {
            "Amount": value,
            "Description": "Entered by hand",
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {"ItemRef": {"value": "204"}},
        }
        return self._document("Invoice", "CustomerRef", customer, number, days, line)

    def _bill(self, vendor: Json, number: str, days: int, value: Decimal) -> Json:
        line = {
            "Amount": value,
            "Description": "Entered by hand",
            "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "73"}},
        }
        return self._document("Bill", "VendorRef", vendor, number, days, line)

    def _document(self, kind: str, field: str, party: Json, number: str, days: int, line: Json) -> Json:
        day = self._world.today + timedelta(days=days)
        doc = {
            field: {"value": party["Id"]},
            "DocNumber": number,
            "TxnDate": day.isoformat(),
            "DueDate": (day + timedelta(days=14)).isoformat(),
            "Line": [line],
        }
        return self._write(kind, doc, days)

    def _pay_invoice(self, invoice: Json, days: int) -> None:
        link = {"TxnId": invoice["Id"], "TxnType": "Invoice"}
        payment = {
            "CustomerRef": invoice["CustomerRef"],
            "TotalAmt": invoice["TotalAmt"],
            "TxnDate": (self._world.today + timedelta(days=days)).isoformat(),
            "DepositToAccountRef": {"value": "40"},
            "Line": [{"Amount": invoice["TotalAmt"], "LinkedTxn": [link]}],
        }
        self._write("Payment", payment, days)
        self._backdate("Invoice", invoice["Id"], days)

    def _pay_bill(self, bill: Json, days: int) -> None:
        link = {"TxnId": bill["Id"], "TxnType": "Bill"}
        payment = {
            "VendorRef": bill["VendorRef"],
            "TotalAmt": bill["TotalAmt"],
            "TxnDate": (self._world.today + timedelta(days=days)).isoformat(),
            "PayType": "Check",
            "CheckPayment": {"BankAccountRef": {"value": "40"}},
            "Line": [{"Amount": bill["TotalAmt"], "LinkedTxn": [link]}],
        }
        self._write("BillPayment", payment, days)
        self._backdate("Bill", bill["Id"], days)

    def _lookalike(self, customers: list[tuple[Json, str | None]]) -> None:
        """An invoice that somebody typed in for a payment which Qualy has too: same person, currency and total."""
        by_person = {person: customer for customer, person in customers[:_SHARED_CUSTOMERS] if person}
        closed = agency.default_period_lock(self._world.today)
        for index in range(min(400, self._world.population.payments)):
            payment = self._world.population.payment(index)
            customer = by_person.get(str(payment.get("contact")))
            due = datetime.fromisoformat(str(payment["dueAt"])).date() if payment.get("dueAt") else date.min
            ready = payment["status"] in ("due", "overdue", "paid", "paid-partial") and due > closed
            if customer is None or not ready or payment["currency"] != self._books.company.home:
                continue
            day = min(due, self._world.today) - timedelta(days=2)
            total = Decimal(payment["amount"]).scaleb(-agency.MINOR_UNITS.get(payment["currency"], 2))
            self._invoice(customer, "HAND-190", (day - self._world.today).days, total)
            return

    def _write(self, kind: str, given: Json, days: int, hours: int = 0) -> Json:
        doc = self._books.write(kind, given)
        return self._backdate(kind, doc["Id"], days, hours)

    def _backdate(self, kind: str, id_: str, days: int, hours: int = 0) -> Json:
        """As if it had been entered back then."""
        moment = stamp(datetime.combine(self._world.today, time(2, 15), UTC) + timedelta(days=days, hours=hours))
        doc = self._records.get(kind, id_) or {}
        times = {"CreateTime": moment} | doc["MetaData"] | {"LastUpdatedTime": moment}
        times["CreateTime"] = min(times["CreateTime"], moment)
        return self._records.keep(kind, doc | {"MetaData": times})


def _odd_ones(people: list[Json]) -> list[tuple[str, str, str | None]]:
    """The ones that need a decision or care: shared email, inactive, namesake, another name for an email."""
    if len(people) < _SHARED_CUSTOMERS + 5:
        return []
    twice, inactive, namesake, renamed = people[_SHARED_CUSTOMERS : _SHARED_CUSTOMERS + 4]
    return [
        (twice["name"], twice["email"], twice["_id"]),
        (f"{twice['name']} (parents)", twice["email"], None),
        (inactive["name"], inactive["email"], inactive["_id"]),
        (namesake["name"], "somebody.else@elsewhere.example", None),
        ("Ferdinand Quast", renamed["email"], None),
    ]


def _is_latin(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True
