"""The people, partners and payments of a made-up education agency."""

from __future__ import annotations

from datetime import date
from typing import Any

from sandbox.population import people
from sandbox.population.calendar import Calendar
from sandbox.population.draw import mixed
from sandbox.population.objects import PLACES, Objects, intent_places
from sandbox.population.plan import Plan, make_plan
from sandbox.population.profiles import PROFILES
from sandbox.population.states import BLOCK_STARTS, customer_table, payment_table

__all__ = ["PLACES", "PROFILES", "Population"]

Json = dict[str, Any]


class Population:
    """What one agency holds in Qualy. Every object is a pure function of the arguments and its index."""

    def __init__(self, *, seed: int, profile: str, today: date, payments: int) -> None:
        self.profile = PROFILES[profile]
        self.payments = payments
        self.customers = payments // 10 * 4 + sum(1 for start in BLOCK_STARTS if start < payments % 10)
        self.partners = max(6, payments // 60)
        self._base = mixed("population", seed, profile)
        self.calendar = Calendar.around(today, payments, self._base)
        self.objects = Objects(self._base, self.calendar)
        self._payment_table = payment_table(seed, self.profile)
        self._customer_table = customer_table(seed, self.profile)

    def plan(self, index: int) -> Plan:
        """Payment ``index`` in short form."""
        entry = self._payment_table[index % len(self._payment_table)]
        return make_plan(self._base, self.profile, self.calendar, entry, self.partners, index)

    def payment(self, index: int) -> Json:
        """Payment intent ``index``, as Qualy returns it."""
        return self.objects.payment(self.plan(index))

    def splits(self, index: int) -> list[Json]:
        """The payment splits of payment ``index``."""
        plan = self.plan(index)
        return [self.objects.split(plan, k) for k in range(len(plan.shares))]

    def transactions(self, index: int) -> list[Json]:
        """The transactions of payment ``index``."""
        plan = self.plan(index)
        return [self.objects.transaction(plan, k) for k in range(len(plan.charges))]

    def split_intents(self, index: int) -> list[Json]:
        """The split intents of payment ``index``."""
        plan = self.plan(index)
        return [self.objects.split_intent(plan, k) for k in intent_places(plan)]

    def customer(self, index: int) -> Json:
        """Contact ``index``, as Qualy returns it."""
        body = self._customer(index)
        if self._customer_table[index % len(self._customer_table)] == "shared":
            body["email"] = self._customer(index - 1)["email"]
        return body

    def customer_id(self, index: int) -> str:
        """The id of contact ``index``."""
        return people.customer_id(self._base, self.calendar.customer(index), index)

    def partner(self, index: int) -> Json:
        """Partnership ``index`` (an outside party), as Qualy returns it."""
        return people.partner(self._base, self.profile, self.calendar.partner(index), index)

    def own_partnership(self) -> Json:
        """The partnership that stands for the agency's own share; its id is the same in every world."""
        return people.own_partnership(self.profile)

    def taxes(self) -> list[Json]:
        """The agency's taxes; their ids depend on the profile alone."""
        return people.taxes(self.profile)

    def tags(self) -> list[Json]:
        """The agency's tags."""
        return people.tags()

    def teams(self) -> list[Json]:
        """The agency's offices."""
        return people.teams()

    def users(self) -> list[Json]:
        """The agency's staff."""
        return people.users()

    def _customer(self, index: int) -> Json:
        moment = self.calendar.customer(index)
        return people.customer(self._base, self.profile, self._customer_table, moment, index)
