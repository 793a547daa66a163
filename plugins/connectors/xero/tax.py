"""Net, tax and total as Xero computes them: tax per line, rounded to two decimals, then summed. Integers only.

Xero keeps two decimals in every currency, so a currency with three (KWD) is rounded to ten of its minor units. Which
way exact halves go is not documented; half up (away from zero) is taken, and totals are compared after the write.
"""

from __future__ import annotations

from collections.abc import Sequence

from qualy_sync.contracts.accounting import Basis, Chart, Line, Totals
from qualy_sync.model import exponent

WHOLE = 1_000_000  # 100 % in the units of `TaxCode.rate`
_XERO_DECIMALS = 2


def totals(lines: Sequence[Line], basis: Basis, currency: str, chart: Chart) -> Totals:
    """Totals of a document in minor units. Raises ValueError for a tax code that the chart does not have."""
    step = 10 ** max(0, exponent(currency) - _XERO_DECIMALS)
    net = tax = 0
    for line in lines:
        if line.tax not in chart.taxes:
            raise ValueError(f"The organisation has no tax code {line.tax}.")
        amount = rounded(line.amount, 1, step)
        share = tax_of(amount, chart.taxes[line.tax].rate, basis, step)
        tax += share
        net += amount - share if basis is Basis.INCLUSIVE else amount
    return Totals(net, tax, net + tax)


def tax_of(amount: int, rate: int, basis: Basis, step: int = 1) -> int:
    """The tax on or in one line's amount, rounded to a multiple of `step`."""
    return rounded(amount * rate, WHOLE + rate if basis is Basis.INCLUSIVE else WHOLE, step)


def rounded(numerator: int, denominator: int, step: int) -> int:
    """The multiple of `step` nearest to a fraction, halves away from zero."""
    whole = denominator * step
    magnitude = (2 * abs(numerator) + whole) // (2 * whole) * step
    return magnitude if numerator >= 0 else -magnitude
