"""What every accounting stand-in needs to know of the agency: people who are there too, rates, its own suppliers."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import Any

from sandbox.service import World

_LOOKED_AT = 60

# Units of each currency for one US dollar, near enough for a day rate that nobody looked up.
PER_DOLLAR = {
    "USD": "1", "AUD": "1.52", "EUR": "0.86", "GBP": "0.75", "JPY": "155.2", "CAD": "1.39", "NZD": "1.71",
    "BRL": "5.35", "SGD": "1.30", "CHF": "0.80", "CNY": "7.11", "INR": "88.6", "COP": "3790", "MXN": "18.4",
}  # fmt: skip
CURRENCY_NAMES = {
    "AUD": "Australian Dollar",
    "BRL": "Brazilian Real",
    "EUR": "Euro",
    "GBP": "British Pound",
    "JPY": "Japanese Yen",
    "USD": "United States Dollar",
}
MINOR_UNITS = {"JPY": 0}
SUPPLIERS = (
    "Blue Gum Stationery", "City Water Authority", "Corner Print Works", "Eastside Cleaning", "Ferry Lane Properties",
    "Green Cup Coffee", "Harbour Lights Electricity", "Ironbark Furniture", "Jetty Road Florists", "Kestrel Couriers",
    "Lantern Software", "Mainsail Insurance Brokers", "North Wharf Security", "Opal Telecom", "Pilot Street Parking",
    "Quayside Catering", "Regent Legal", "Southern Cross Travel Desk",
)  # fmt: skip


def default_period_lock(today: date) -> date:
    """The end of the month two months before today's."""
    month = date(today.year, today.month, 1)
    for _ in range(2):
        month = (month - timedelta(days=1)).replace(day=1)
    return month.replace(day=monthrange(month.year, month.month)[1])


def people(world: World) -> list[dict[str, Any]]:
    """Customers with a usable email and a name that no other of them has."""
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    for index in range(min(_LOOKED_AT, world.population.customers)):
        customer = world.population.customer(index)
        email = str(customer.get("email") or "").strip().lower()
        profile = customer.get("profile") or {}
        name = " ".join(f"{profile.get('firstName') or ''} {profile.get('lastName') or ''}".split())
        if email.count("@") != 1 or " " in email or not email.isascii() or not name or {email, name} & seen:
            continue
        seen |= {email, name}
        found.append({"_id": customer["_id"], "name": name, "email": email})
    return found
