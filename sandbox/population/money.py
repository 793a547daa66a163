"""The money of one payment: charges and refunds, by the state that the table says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.population.calendar import DAY, SECOND
from sandbox.population.draw import Draw
from sandbox.population.profiles import Profile, price
from sandbox.population.states import Entry


@dataclass(frozen=True, slots=True)
class Charge:
    """One movement of money; ``refund_of`` is the number of the charge that it gives back."""

    at: int
    amount: int
    method: str
    status: str = "succeeded"
    refund: bool = False
    refund_of: int | None = None


@dataclass(frozen=True, slots=True)
class Purse:
    """What the money of a payment is made from: two moments in order, the total, a part of it, the method."""

    first: int
    later: int
    total: int
    part: int
    extra: int
    method: str

    def charge(self, at: int, amount: int, status: str = "succeeded") -> Charge:
        """Money that comes in, or tries to."""
        return Charge(at, amount, self.method, status)

    def whole(self, status: str = "succeeded") -> Charge:
        """The whole sum at the first moment."""
        return self.charge(self.first, self.total, status)

    def refund(self, amount: int, refund_of: int | None = 0) -> Charge:
        """Money that goes back at the later moment."""
        return Charge(self.later, -amount, self.method, refund=True, refund_of=refund_of)


MONEY: dict[str, Callable[[Purse], list[Charge]]] = {
    "paid": lambda p: [p.whole()],
    "paid_in_two": lambda p: [p.charge(p.first, p.part), p.charge(p.later, p.total - p.part)],
    "paid_in_part": lambda p: [p.charge(p.first, p.part)],
    "paid_at_school": lambda p: [Charge(p.first, p.total, "PAID_AT_SCHOOL")],
    "paid_in_cash": lambda p: [Charge(p.first, p.total, "CASH")],
    "failed": lambda p: [p.charge(p.later, p.total, "failed")],
    "failed_then_paid": lambda p: [p.whole("failed"), p.charge(p.later, p.total)],
    "processing": lambda p: [p.charge(p.later, p.total, "processing")],
    "overpaid": lambda p: [p.charge(p.first, p.total + p.extra)],
    "disputed": lambda p: [p.whole("disputed")],
    "refunded": lambda p: [p.whole(), p.refund(p.total)],
    "refunded_in_part": lambda p: [p.whole(), p.refund(p.part)],
    "refund_without_charge": lambda p: [p.whole(), p.refund(p.part, None)],
}
"""State -> its money in order of time; a state that is not here has none."""


def charges_of(draw: Draw, profile: Profile, entry: Entry, total: int, created: int, today: int) -> tuple[Charge, ...]:
    """The money of a payment that was made at ``created``, all of it before ``today`` begins (milliseconds)."""
    make = MONEY.get(entry.state)
    if make is None:
        return ()
    waiting = min(today - created, 25 * DAY)
    first, later = (
        (created + waiting * percent // 100) // SECOND * SECOND + SECOND - 1
        for percent in (draw.between(5, 45), draw.between(55, 90))
    )
    part = total * draw.between(20, 75) // 100
    method = draw.of(profile.methods if entry.currency == profile.currency else profile.foreign_methods)
    return tuple(make(Purse(first, later, total, part, price(100, entry.currency), method)))
