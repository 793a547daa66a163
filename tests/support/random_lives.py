"""Random lives of payments, told to Qualy's stand-in event by event, and what the books have to show in the end.

An oracle of its own: what is outstanding follows from Qualy's amounts alone, and not from how the plan reasons.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from qualy_sync.contracts.accounting import Ability
from tests.support.acceptance import ToolWorld
from tests.support.world import OWN, Json, Maker, object_id

PRICES = (15_500, 33_333, 60_000, 90_001, 100)
EVENTS = ("pay", "pay", "pay_rest", "pay_rest", "overpay", "refund", "refund_all", "unlinked", "cancel", "reopen")
EVENTS += ("reprice", "postpone", "fail", "dispute", "recover", "reshare", "nothing")
FIRST = 500  # the ledger knows other payments already
FOREIGN = "USD"
FAULTS = ("drop_before", "drop_after", "status:500", "status_after:500", "truncate", "status:429")


@dataclass
class Life:
    """One payment: what Qualy says of it now."""

    number: int
    customer: str
    price: int
    partner: str | None
    share: int
    currency: str
    cancelled: bool = False
    charges: dict[str, tuple[int, str]] = field(default_factory=dict)  # id: amount, status
    refunds: dict[str, tuple[int, str]] = field(default_factory=dict)  # id: amount (positive), charge or ""

    @property
    def id(self) -> str:
        return object_id(3, self.number)

    @property
    def received(self) -> int:
        return sum(amount for amount, status in self.charges.values() if status == "succeeded")

    @property
    def given_back(self) -> int:
        return sum(amount for amount, _ in self.refunds.values())

    @property
    def outstanding(self) -> int:
        """What the invoice has to show as unpaid; nothing once it was called off."""
        return 0 if self.cancelled else self.price - min(self.received, self.price)

    @property
    def status(self) -> str:
        if self.cancelled:
            return "canceled"
        if self.refunds and self.given_back > max(0, self.received - self.price):
            return "refunded"
        if self.received - self.given_back >= self.price:
            return "paid"
        return "paid-partial" if self.received else "due"

    def body(self, items: list[Json]) -> Json:
        """What Qualy's payment says."""
        due = max(0, self.price - self.received + self.given_back)
        return {
            "_id": self.id,
            "status": self.status,
            "amount": self.price,
            "due": due,
            "items": [items[0] | {"amount": self.price}],
        }


class Lives:
    """Some payments of a world, and what happens to them. The same seed gives the same lives."""

    def __init__(self, world: ToolWorld, seed: int, number: int) -> None:
        self._world = world
        self._random = random.Random(seed)
        self._serial = 0
        self._foreign = all(gap.ability is not Ability.CURRENCIES for gap in world.desk().tool.gaps)
        self.lives: list[Life] = []
        self._items: dict[str, list[Json]] = {}
        self._begin(number)

    def _begin(self, number: int) -> None:
        made = Maker(self._world.now() - timedelta(days=9))
        school = made.partner(50, "Cork School of Hospitality", "billing@school.example", taxId="11222333000181")
        for one in range(FIRST, FIRST + number):
            # Every third payment is in another currency, and the same customer's as the one before it.
            foreign = self._foreign and one % 3 == 2 and bool(self.lives)
            currency = FOREIGN if foreign else self._world.case.currency
            customer = made.customer(one, "Ana", f"Silva {one}", f"ana.{one}@mail.example")
            if foreign:
                customer = self.lives[-1].customer
            price = self._random.choice(PRICES)
            partner = school if price > 50_000 and self._random.random() < 0.5 else None
            share = price // 2 if partner else 0
            shares = [("remainder", OWN, price - share, 0)]
            shares += [("amount-flat", partner, share, 0)] if partner else []
            category = "Accommodation" if partner else "Visa"
            made.payment(
                one,
                customer,
                "due",
                items=[(category, price)],
                shares=shares,
                currency=currency,
                tax=None,
            )
            self.lives.append(Life(one, customer, price, partner, share, currency))
        self._items = {one["_id"]: one["items"] for one in made.objects["payment-intents"]}
        self._world.sandbox.control("POST", "load/qualy", made.objects)
        self._world.read_source()

    def happen(self) -> None:
        """One event in each life, in a random order, and Qualy is read."""
        for life in self._random.sample(self.lives, len(self.lives)):
            event = self._random.choice(EVENTS)
            getattr(self, f"_{event}")(life)
            change = {"update": {"payment-intents": [life.body(self._items[life.id])]}}
            self._world.sandbox.control("POST", "change/qualy", change)
        self._world.read_source()

    def faults(self) -> Iterator[Json]:
        """A few faults at the addresses that are written to, whatever is done there."""
        tool = self._world.case.tool
        for path in sorted({path.removeprefix(f"/{tool}") for _, path in self._world.case.writes.values()}):
            if self._random.random() < 0.5:
                after, fault = self._random.randrange(5), self._random.choice(FAULTS)
                # Twice: the first repetition of a call is met as well.
                yield {"method": "*", "path": path, "do": fault, "times": 2, "after": after}

    # -- events

    def _nothing(self, life: Life) -> None: ...

    def _pay(self, life: Life) -> None:
        left = life.price - life.received
        if not life.cancelled and left > 1 and not life.refunds:
            self._charge(life, self._random.randrange(1, left))

    def _pay_rest(self, life: Life) -> None:
        left = life.price - life.received
        if not life.cancelled and left > 0 and not life.refunds:
            self._charge(life, left)

    def _overpay(self, life: Life) -> None:
        left = life.price - life.received
        if not life.cancelled and left > 0 and not life.refunds:
            self._charge(life, left + 777)

    def _refund(self, life: Life) -> None:
        self._give_back(life, self._random.random())

    def _refund_all(self, life: Life) -> None:
        self._give_back(life, 1.0)

    def _give_back(self, life: Life, part: float) -> None:
        left = life.received - life.given_back
        final = [(one, amount) for one, (amount, status) in life.charges.items() if status == "succeeded"]
        if not final or left <= 0 or (not life.cancelled and life.received < life.price):
            return
        charge, amount = final[0]
        amount = min(left, max(1, int(amount * part)))
        self._transaction(life, -amount, ref=charge)
        life.refunds[self._last] = (amount, charge)

    def _unlinked(self, life: Life) -> None:
        left = life.received - life.given_back
        if life.received >= life.price and left > 0 and self._random.random() < 0.3:
            self._transaction(life, -1)
            life.refunds[self._last] = (1, "")

    def _cancel(self, life: Life) -> None:
        life.cancelled = True

    def _reopen(self, life: Life) -> None:
        life.cancelled = False

    def _reprice(self, life: Life) -> None:
        if life.charges or life.cancelled:
            return
        life.price += self._random.choice((-50, 500, 1))
        self._shares(life)

    def _reshare(self, life: Life) -> None:
        if life.partner:
            life.share = max(1, life.share - 1_000)
            self._shares(life)

    def _shares(self, life: Life) -> None:
        shares = [{"_id": object_id(4, 10 * life.number), "amount": life.price - life.share}]
        if life.partner:
            shares.append({"_id": object_id(4, 10 * life.number + 1), "amount": life.share})
        self._world.sandbox.control("POST", "change/qualy", {"update": {"payment-splits": shares}})

    def _postpone(self, life: Life) -> None:
        due = {"_id": life.id, "dueAt": f"2031-0{self._random.randrange(1, 9)}-01T00:00:00.000Z"}
        self._world.sandbox.control("POST", "change/qualy", {"update": {"payment-intents": [due]}})

    def _fail(self, life: Life) -> None:
        self._restate(life, "failed")

    def _dispute(self, life: Life) -> None:
        self._restate(life, "disputed")

    def _recover(self, life: Life) -> None:
        self._restate(life, "succeeded")

    def _restate(self, life: Life, status: str) -> None:
        if life.charges and not life.refunds:
            charge = self._random.choice(sorted(life.charges))
            life.charges[charge] = (life.charges[charge][0], status)
            change = {"update": {"transactions": [{"_id": charge, "status": status}]}}
            self._world.sandbox.control("POST", "change/qualy", change)

    def _charge(self, life: Life, amount: int) -> None:
        self._transaction(life, amount)
        life.charges[self._last] = (amount, "succeeded")

    def _transaction(self, life: Life, amount: int, **more: str) -> None:
        self._serial += 1
        self._last = object_id(5, 10_000 + self._serial)
        moment = self._stamp(self._world.now())
        body = {
            "_id": self._last,
            "number": self._serial,
            "paymentIntent": life.id,
            "amount": amount,
            "currency": life.currency,
            "transactionType": "refund" if amount < 0 else "charge",
            "method": "BANK_TRANSFER",
            "status": "succeeded",
            "createdAt": moment,
            "paidAt": moment,
        }
        self._world.sandbox.control("POST", "change/qualy", {"insert": {"transactions": [body | more]}})

    @staticmethod
    def _stamp(moment: datetime) -> str:
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def lively(case_settings: Path, folder: Path) -> Path:
    """The tool's example settings where all that can go by itself does: lines by share, settlements taken back."""
    text = case_settings.read_text()
    text = text.replace("refund_lines: hold", "refund_lines: proportional").replace(
        "reversal: hold", "reversal: remove"
    )
    path = folder / f"{case_settings.stem}.lively.yaml"
    path.write_text(text)
    return path
