"""What differs between the countries in which the agency may sit."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.population.draw import TAX, fixed_id


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax as the agency set it up in Qualy; ``rate`` is a fraction in decimal digits."""

    id: str
    name: str
    rate: float


@dataclass(frozen=True, slots=True)
class Profile:
    """One country: currencies with their share in a thousand payment plans, taxes, methods, homes of the people."""

    name: str
    country: str
    currency: str
    currencies: tuple[tuple[str, int], ...]
    not_enabled: str
    taxes: tuple[Tax, ...]
    tuition_tax: str
    service_tax: str
    methods: tuple[str, ...]
    foreign_methods: tuple[str, ...]
    tax_id_kind: str


GST = Tax(fixed_id(TAX, 1), "GST", 0.1)
GST_FREE = Tax(fixed_id(TAX, 2), "GST-free", 0)
NO_SALES_TAX = Tax(fixed_id(TAX, 11), "No sales tax", 0)
SALES_TAX = Tax(fixed_id(TAX, 12), "Sales tax", 0.08875)
SEM_IMPOSTO = Tax(fixed_id(TAX, 21), "Sem imposto", 0)

PROFILES = {
    "au": Profile(
        name="au",
        country="AU",
        currency="AUD",
        currencies=(("AUD", 735), ("USD", 110), ("EUR", 65), ("GBP", 50), ("JPY", 40)),
        not_enabled="CAD",
        taxes=(GST, GST_FREE),
        tuition_tax=GST_FREE.id,
        service_tax=GST.id,
        methods=("ZAI_PAYID", "ZAI_PAYID", "ZAI_PAYTO", "CARD_AU", "BANK_TRANSFER"),
        foreign_methods=("CARD_INTL", "CARD_INTL", "BANK_TRANSFER"),
        tax_id_kind="ABN",
    ),
    "us": Profile(
        name="us",
        country="US",
        currency="USD",
        currencies=(("USD", 880), ("AUD", 100), ("JPY", 20)),
        not_enabled="CAD",
        taxes=(NO_SALES_TAX, SALES_TAX),
        tuition_tax=NO_SALES_TAX.id,
        service_tax=SALES_TAX.id,
        methods=("CARD_INTL", "CARD_INTL", "BANK_TRANSFER"),
        foreign_methods=("CARD_INTL", "BANK_TRANSFER"),
        tax_id_kind="EIN",
    ),
    "br": Profile(
        name="br",
        country="BR",
        currency="BRL",
        currencies=(("BRL", 850), ("USD", 130), ("JPY", 20)),
        not_enabled="CAD",
        taxes=(SEM_IMPOSTO,),
        tuition_tax=SEM_IMPOSTO.id,
        service_tax=SEM_IMPOSTO.id,
        methods=("PIX", "PIX", "BOLETO", "PGBNK_CC"),
        foreign_methods=("CARD_INTL", "BANK_TRANSFER"),
        tax_id_kind="CNPJ",
    ),
}

WHOLE_UNITS_ONLY = frozenset({"JPY"})
"""Currencies without minor units, whose amounts are whole numbers of the currency itself."""

PER_AUD = {"AUD": 100, "USD": 65, "EUR": 60, "GBP": 52, "JPY": 9_800, "CAD": 90, "BRL": 360}
"""Roughly what 100 AUD are, so that prices look right in every currency."""


def price(dollars: int, currency: str) -> int:
    """A price of about so many AUD, in the smallest unit of ``currency``, rounded to a sum that people ask for."""
    units = dollars * PER_AUD[currency] // 100
    if currency in WHOLE_UNITS_ONLY:
        return max(500, units // 500 * 500)
    return max(500, units // 5 * 5 * 100)
