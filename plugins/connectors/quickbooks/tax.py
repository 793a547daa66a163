"""Net, tax and total as QuickBooks computes them. Integers only.

Amounts without tax: the tax of each code is computed on the sum of its lines and then rounded. Amounts with tax: each
line is rounded by itself. QuickBooks keeps two decimals in every currency, also in one with none (JPY) or three (KWD).
Which way exact halves go is not documented; half up is taken, and totals are compared after the write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from qualy_sync.contracts.accounting import Basis, Chart, Line, Totals
from qualy_sync.model import exponent

WHOLE = 1_000_000  # 100 % in the units of `TaxCode.rate`
_CENT = Decimal("0.01")


def totals(lines: Sequence[Line], basis: Basis, currency: str, chart: Chart) -> Totals:
    """Totals of a document in minor units. Raises ValueError for a tax code that the chart does not have."""
    net, sums, tax = 0, dict[str, int](), 0
    for line in lines:
        if line.tax not in chart.taxes:
            raise ValueError(f"The organisation has no tax code {line.tax}.")
        amount = rounded(line.amount * 100, 10 ** exponent(currency))
        if basis is Basis.INCLUSIVE:
            share = tax_inside(amount, chart.taxes[line.tax].rate)
            net, tax = net + amount - share, tax + share
        else:
            net += amount
            sums[line.tax] = sums.get(line.tax, 0) + amount
    tax += sum(rounded(amount * chart.taxes[code].rate, WHOLE) for code, amount in sums.items())
    return Totals(*(rounded(value * 10 ** exponent(currency), 100) for value in (net, tax, net + tax)))


def tax_inside(amount: int, rate: int) -> int:
    """The tax in an amount that holds it: what is left above the rounded net."""
    return amount - rounded(amount * WHOLE, WHOLE + rate)


def net_of(amount: Decimal, rate: int) -> Decimal:
    """The net of an amount that holds its tax."""
    return (amount * WHOLE / (WHOLE + rate)).quantize(_CENT, ROUND_HALF_UP)


def total_tax(nets: Mapping[str, Decimal], rates: Mapping[str, int]) -> Decimal:
    """The tax on sums by code."""
    found = ((net * rates.get(code, 0) / WHOLE).quantize(_CENT, ROUND_HALF_UP) for code, net in nets.items())
    return sum(found, Decimal(0))


def rounded(numerator: int, denominator: int) -> int:
    """The whole number nearest to a fraction, halves away from zero."""
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return magnitude if numerator >= 0 else -magnitude
