"""Tax numbers of businesses and people, with valid check digits."""

from __future__ import annotations

from collections.abc import Sequence

ABN_WEIGHTS = (3, 5, 7, 9, 11, 13, 15, 17, 19)


def abn(number: int) -> str:
    """An Australian Business Number from up to 9 digits."""
    text = f"{number % 10**9:09d}"
    weighted = sum(weight * int(digit) for weight, digit in zip(ABN_WEIGHTS, text, strict=True))
    return f"{11 + (-weighted - 1) % 89}{text}"


def cnpj(number: int) -> str:
    """A Brazilian company number from up to 8 digits."""
    digits = [int(digit) for digit in f"{number % 10**8:08d}0001"]
    for _ in range(2):
        digits.append(_modulo_11(digits, [*range(len(digits) - 7, 1, -1), *range(9, 1, -1)]))
    return "".join(map(str, digits))


def cpf(number: int) -> str:
    """A Brazilian personal number from up to 9 digits."""
    digits = [int(digit) for digit in f"{number % 10**9:09d}"]
    for _ in range(2):
        digits.append(_modulo_11(digits, range(len(digits) + 1, 1, -1)))
    return "".join(map(str, digits))


def ein(number: int) -> str:
    """An employer number of the United States; it has no check digit."""
    return f"{10 + number % 80}-{number % 10**7:07d}"


def _modulo_11(digits: Sequence[int], weights: Sequence[int]) -> int:
    remainder = sum(weight * digit for weight, digit in zip(weights, digits, strict=True)) % 11
    return 0 if remainder < 2 else 11 - remainder


TAX_IDS = {"ABN": abn, "CNPJ": cnpj, "EIN": ein}
