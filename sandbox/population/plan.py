"""One payment with all that belongs to it, in a short form: items, shares, money, dates."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.population.calendar import DAY, SECOND, Calendar
from sandbox.population.draw import PAYMENT, Draw
from sandbox.population.money import Charge, charges_of
from sandbox.population.profiles import Profile, price
from sandbox.population.shares import Share, shares_of
from sandbox.population.states import OWNER, Entry

SERVICES = (
    ("Insurance", "Health cover", 180, 700),
    ("Visa", "Visa application", 90, 400),
    ("Accommodation", "Homestay", 300, 1400),
    ("Airport transfer", "Airport pick-up", 60, 180),
    ("Materials", "Books and materials", 50, 260),
)
COURSES = (
    "General English",
    "IELTS preparation",
    "Certificate III in Cookery",
    "Diploma of Business",
    "High school year 11",
    "Bachelor of Nursing",
    "Barista course",
    "日本語コース",
)
PAID_STATES = frozenset(
    {
        "paid",
        "paid_in_two",
        "failed_then_paid",
        "paid_at_school",
        "paid_in_cash",
        "overpaid",
        "disputed",
        "refunded_in_part",
        "refund_without_charge",
        "nothing_to_pay",
    }
)
STATUS = {
    "due": "due",
    "failed": "due",
    "overdue": "overdue",
    "processing": "processing",
    "draft": "draft",
    "canceled": "canceled",
    "refunded": "refunded",
    "paid_in_part": "paid-partial",
}
MONEY_NOT_MOVED = frozenset({"paid_at_school", "paid_in_cash"})


@dataclass(frozen=True, slots=True)
class Item:
    """One line; ``amount`` in minor units, tax inclusive."""

    category: str
    name: str
    description: str
    amount: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about one payment that its objects are made of. Moments in milliseconds."""

    index: int
    entry: Entry
    customer: int
    created: int
    due_at: int
    status: str
    installment: bool
    tax: str
    items: tuple[Item, ...]
    charges: tuple[Charge, ...]
    shares: tuple[Share, ...]
    completed: int | None
    paid_out: int | None
    total: int = field(default=0)
    outstanding: int = field(default=0)

    @property
    def updated(self) -> int:
        """When it changed last."""
        return max((charge.at for charge in self.charges), default=self.created)


def make_plan(base: int, profile: Profile, calendar: Calendar, entry: Entry, partners: int, index: int) -> Plan:
    """Payment ``index``."""
    draw = Draw(base, PAYMENT, index)
    created = calendar.payment(index)
    items = _tuition(draw, entry, index) if entry.tuition else _services(draw, entry)
    total = sum(item.amount for item in items)
    charges = charges_of(draw, profile, entry, total, created, calendar.today)
    received = sum(charge.amount for charge in charges if charge.status == "succeeded")
    settled = entry.state in PAID_STATES or entry.state in ("refunded", "canceled")
    completed = max((c.at for c in charges if not c.refund), default=None) if entry.state in PAID_STATES else None
    pay_out = None if completed is None or entry.state in MONEY_NOT_MOVED else completed + draw.between(2, 5) * DAY
    return Plan(
        index=index,
        entry=entry,
        customer=index // 10 * 4 + OWNER[index % 10],
        created=created,
        due_at=_due_at(draw, entry, index, created, calendar.today, charges),
        status="paid" if entry.state in PAID_STATES else STATUS[entry.state],
        installment=index % 10 < 7,
        tax=profile.tuition_tax if entry.tuition else profile.service_tax,
        items=items,
        charges=charges,
        shares=shares_of(draw, entry, [(item.category, item.amount) for item in items], partners),
        completed=completed,
        paid_out=pay_out if pay_out is not None and pay_out < calendar.today else None,
        total=total,
        outstanding=0 if settled else total - received,
    )


def _tuition(draw: Draw, entry: Entry, index: int) -> tuple[Item, ...]:
    course = draw.of(COURSES)
    amount = price(draw.between(600, 4_800), entry.currency)
    items = [Item("Tuition", f"Tuition, part {1 + index % 10 % 4}", course, amount)]
    if entry.state == "nothing_to_pay":
        return (*items, Item("Discount", "Scholarship", "Full scholarship", -amount))
    if index % 10 in (0, 4, 7, 9):
        items.append(Item("Enrolment fee", "Enrolment fee", "", price(draw.between(100, 280), entry.currency)))
    if entry.discounted:
        percent = draw.of((5, 10, 15))
        items.append(Item("Discount", f"Early bird {percent} %", "", -(amount * percent // 100)))
    return tuple(items)


def _services(draw: Draw, entry: Entry) -> tuple[Item, ...]:
    first = draw.below(len(SERVICES))
    chosen = [SERVICES[(first + step) % len(SERVICES)] for step in range(draw.of((1, 1, 2, 3)))]
    if entry.trouble == "unmapped_item":
        chosen.append(("Excursion", "Blue Mountains day trip", 80, 220))
    return tuple(
        Item(category, name, "", price(draw.between(low, high), entry.currency)) for category, name, low, high in chosen
    )


def _due_at(draw: Draw, entry: Entry, index: int, created: int, today: int, charges: tuple[Charge, ...]) -> int:
    waiting = today - created
    if entry.state in ("due", "draft", "processing", "failed"):
        return today + (draw.between(1, 20) + 20 * (index % 4)) * DAY + draw.below(86_400) * SECOND
    if entry.state == "overdue":
        return created + waiting * draw.between(30, 95) // 100 // SECOND * SECOND
    anchor = charges[0].at if charges else created + min(waiting, 20 * DAY) // 2
    return max(created + SECOND, anchor + draw.between(-5, 9) * DAY) // SECOND * SECOND
