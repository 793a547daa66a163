"""Totals the way Xero computes them: tax per line, to the cent, then the sum."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.xero import tax
from qualy_sync.contracts.accounting import Basis, Chart, Line, TaxCode, Totals

RATES = {"GST": 100_000, "NONE": 0, "NY": 88_750, "VAT": 200_000}
CHART = Chart(
    accounts={},
    taxes={code: TaxCode(code, code, rate, True, True, True) for code, rate in RATES.items()},
    currencies=frozenset(),
)


def lines(*amounts: tuple[int, str]) -> list[Line]:
    return [Line("x", amount, "200", code) for amount, code in amounts]


@pytest.mark.parametrize(
    ("given_lines", "basis", "currency", "expected"),
    [
        (lines((110_00, "GST")), Basis.INCLUSIVE, "AUD", Totals(100_00, 10_00, 110_00)),
        (lines((100_00, "GST")), Basis.EXCLUSIVE, "AUD", Totals(100_00, 10_00, 110_00)),
        # three lines of 0.05: 0.005 each rounds up to 0.01, so 0.03 and not the 0.02 of the sum's tax
        (lines((5, "GST"), (5, "GST"), (5, "GST")), Basis.EXCLUSIVE, "AUD", Totals(15, 3, 18)),
        (lines((110_00, "GST"), (-11_00, "GST")), Basis.INCLUSIVE, "AUD", Totals(90_00, 9_00, 99_00)),
        (lines((-5, "GST")), Basis.EXCLUSIVE, "AUD", Totals(-5, -1, -6)),
        (lines((100_00, "NY")), Basis.EXCLUSIVE, "USD", Totals(100_00, 8_88, 108_88)),
        (lines((1_005, "GST")), Basis.EXCLUSIVE, "JPY", Totals(1_005, 101, 1_106)),
        # Xero has two decimals, the dinar three: the last digit is always rounded away
        (lines((1_236, "NONE")), Basis.EXCLUSIVE, "KWD", Totals(1_240, 0, 1_240)),
        ([], Basis.INCLUSIVE, "AUD", Totals(0, 0, 0)),
    ],
)
def test_totals(given_lines: list[Line], basis: Basis, currency: str, expected: Totals) -> None:
    assert tax.totals(given_lines, basis, currency, CHART) == expected


def test_a_tax_code_that_the_organisation_does_not_have_is_named() -> None:
    with pytest.raises(ValueError, match="no tax code OLD"):
        tax.totals(lines((1, "OLD")), Basis.INCLUSIVE, "AUD", CHART)


@given(
    amounts=st.lists(st.tuples(st.integers(-(10**11), 10**11), st.sampled_from(sorted(RATES))), max_size=8),
    basis=st.sampled_from(list(Basis)),
)
def test_totals_agree_with_decimal_arithmetic(amounts: list[tuple[int, str]], basis: Basis) -> None:
    made = tax.totals(lines(*amounts), basis, "AUD", CHART)
    expected = 0
    for amount, code in amounts:
        rate = Decimal(RATES[code]) / 1_000_000
        share = amount * rate if basis is Basis.EXCLUSIVE else amount * rate / (1 + rate)
        expected += int(share.quantize(Decimal(1), ROUND_HALF_UP))
    whole = sum(amount for amount, _ in amounts)
    assert made.tax == expected
    assert made.net + made.tax == made.total
    assert (made.total if basis is Basis.INCLUSIVE else made.net) == whole
