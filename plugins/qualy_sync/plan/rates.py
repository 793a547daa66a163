"""Exchange rates: base units per one foreign unit, with source and day. Pure.

A document has the rate of its date, a settlement that of its own, fixed by the first attempt. Where the tool fills one
in, none is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from qualy_sync.contracts.accounting import (
    Ability,
    Change,
    NewDocument,
    NewRefund,
    NewSettlement,
    Rate,
    Write,
)
from qualy_sync.model import Transaction, to_decimal
from qualy_sync.outcomes import Code, Outcome

from .values import Ruling, Terms

PLACES = Decimal("1e-10")
LARGEST = Decimal(10) ** 9


def rate_problem(terms: Terms, currency: str, day: date) -> Outcome | None:
    """Why no rate can be had for a currency at all; the day's own is looked for once the day is sure."""
    if currency == terms.organisation.base_currency:
        return None
    if not terms.can(Ability.CURRENCIES):
        return terms.say(Code.CURRENCY_NOT_ENABLED, currency, currency=currency)
    source = terms.accounting.currencies.rates
    if source is None or (source == "tool" and not terms.can(Ability.TOOL_RATES)):
        return _no_rate(terms, currency, day)
    return None


def rated(
    terms: Terms,
    ruling: Ruling,
    said: object = None,
    paid: Transaction | None = None,
    fixed: Mapping[str, Any] = MappingProxyType({}),
) -> Ruling:
    """The ruling's step with the rate of its day, or held without one.

    `said` is what Qualy's record holds at the place of its own rate. `paid`: the transaction that a settlement is
    made for; with both amounts of it, they are the rate. `fixed` is what an earlier attempt, or a link, has fixed:
    the rate of the same day stays what it was.
    """
    step = ruling.step
    if step is None or not step.currency or step.currency == terms.organisation.base_currency:
        return ruling
    if not isinstance(step.new, NewDocument | NewSettlement | NewRefund | Change):
        return ruling
    day = date.fromisoformat(str(step.facts["date"]))
    found: Any = _fixed(fixed, day) or _of_both_amounts(terms, paid, day)
    found = found or _of_the_day(terms, step.currency, day, said)
    if isinstance(found, Outcome):
        return replace(ruling, outcome=ruling.outcome or found)
    rate, facts = found
    step = replace(step, new=_with(step.new, rate), facts=dict(step.facts) | {"rate": facts})
    return replace(ruling, step=step)


def _with(write: Write, rate: Rate | None) -> Write:
    if isinstance(write, Change):
        return replace(write, new=replace(write.new, rate=rate)) if isinstance(write.new, NewDocument) else write
    return replace(write, rate=rate) if isinstance(write, NewDocument | NewSettlement | NewRefund) else write


def _fixed(fixed: Mapping[str, Any], day: date) -> tuple[Rate, dict[str, Any]] | None:
    """The rate that was sent before; what the tool was to fill in is its own affair, and is asked for anew."""
    rate = fixed.get("rate")
    if not rate or "value" not in rate or fixed.get("date") != day.isoformat():
        return None
    source = "table" if rate["source"].startswith("table") else "qualy"
    return Rate(Decimal(rate["value"]), source, date.fromisoformat(rate["date"])), dict(rate)


def _of_the_day(terms: Terms, currency: str, day: date, said: object) -> tuple[Rate | None, dict[str, Any]] | Outcome:
    """What is sent, and what is kept of it. Nothing is sent where the tool fills it in."""
    problem = rate_problem(terms, currency, day)
    if problem is not None:
        return problem
    currencies = terms.accounting.currencies
    if currencies.rates == "tool":
        return None, {"source": "tool", "date": day.isoformat()}
    if currencies.rates == "table":
        dated = currencies.dated.on(currency, day, currencies.carry_days)
        if dated is None:
            return _no_rate(terms, currency, day)
        return _kept(Rate(dated.rate, "table", dated.day), f"table: {dated.source}")
    value = _decimal(said)
    return _no_rate(terms, currency, day) if value is None else _kept(Rate(value, "qualy", day), "Qualy")


def _of_both_amounts(terms: Terms, paid: Transaction | None, day: date) -> tuple[Rate | None, dict[str, Any]] | None:
    """What was paid in the base currency, per unit of what it was worth in the document's."""
    if paid is None or paid.paid_as is None or paid.paid_as[1] != terms.organisation.base_currency:
        return None
    base, foreign = to_decimal(*paid.paid_as), to_decimal(paid.amount, paid.currency)
    return _kept(Rate((base / foreign).quantize(PLACES), "qualy", day), "Qualy: both amounts")


def _kept(rate: Rate, source: str) -> tuple[Rate, dict[str, Any]]:
    return rate, {"value": format(rate.value.normalize(), "f"), "source": source, "date": rate.date.isoformat()}


def _decimal(said: object) -> Decimal | None:
    """A rate as Qualy may write it: a number, or a number as text; None for anything else."""
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return None
    try:
        value = Decimal(str(said).strip())
    except InvalidOperation:
        return None
    return value.quantize(PLACES) if value.is_finite() and PLACES <= value < LARGEST else None


def _no_rate(terms: Terms, currency: str, day: date) -> Outcome:
    return terms.say(Code.NO_RATE, currency, currency=currency, date=day.isoformat())
