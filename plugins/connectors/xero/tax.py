"""Net, tax and total as Xero computes them: tax per line, rounded to two decimals, then summed. Integers only.

Xero keeps two decimals in every currency, also in one with none (JPY) or three (KWD). Which
way exact halves go is not documented; half up (away from zero) is taken, and totals are compared after the write.
"""

from __future__ import annotations

from collections.abc import Sequence

from qualy_sync.contracts.accounting import Basis, Chart, Line, Totals
from qualy_sync.model import exponent

WHOLE = 1_000_000  # 100 % in the units of `TaxCode.rate`
_XERO_DECIMALS = 2


def totals(lines: Sequence[Line], basis: Basis, currency: str, chart: Chart) -> Totals:
    """Totals of a document in minor units. Raises ValueError for a tax code that the chart does not have.

    Computed in hundredths, as Xero does it in every currency, and only then put into the currency's own units: the
    hundredths of three lines in yen may make a whole one.
    """
    net = tax = 0
    for line in lines:
        if line.tax not in chart.taxes:
            raise ValueError(f"The organisation has no tax code {line.tax}.")
        amount = _in_hundredths(line.amount, currency)
        share = tax_of(amount, chart.taxes[line.tax].rate, basis)
        tax += share
        net += amount - share if basis is Basis.INCLUSIVE else amount
    return Totals(*(_in_minor(value, currency) for value in (net, tax, net + tax)))


def _in_hundredths(minor: int, currency: str) -> int:
    return rounded(minor * 10**_XERO_DECIMALS, 10 ** exponent(currency))


def _in_minor(hundredths: int, currency: str) -> int:
    return rounded(hundredths * 10 ** exponent(currency), 10**_XERO_DECIMALS)


def tax_of(amount: int, rate: int, basis: Basis) -> int:
    """The tax on or in one line's amount."""
    return rounded(amount * rate, WHOLE + rate if basis is Basis.INCLUSIVE else WHOLE)


def rounded(numerator: int, denominator: int) -> int:
    """The whole number nearest to a fraction, halves away from zero."""
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return magnitude if numerator >= 0 else -magnitude
