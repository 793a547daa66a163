"""Customers, staff and partners, as Qualy returns them."""

from __future__ import annotations

from typing import Any

from sandbox.population.documents import TAX_IDS, cpf
from sandbox.population.draw import (
    CONTACT,
    FIXED_SECONDS,
    PARTNERSHIP,
    TAG,
    TEAM,
    USER,
    Draw,
    fixed_id,
    object_id,
    stamp,
)
from sandbox.population.names import AGENTS, ORIGINS, PLACES, PROVIDERS, SCHOOLS
from sandbox.population.profiles import Profile

MAIL_HOSTS = ("mail.example", "post.example", "student.example", "inbox.example")
TAG_NAMES = ("VIP", "scholarship", "renewal", "group booking", "latam", "needs visa")
TEAM_NAMES = ("Sydney", "São Paulo", "Online")
USER_NAMES = (("Helena", "Prado"), ("Marcus", "Webb"), ("Aiko", "Mori"), ("Priya", "Nair"))
OWN_PARTNERSHIP = fixed_id(PARTNERSHIP, 1)
PARTNER_WITHOUT_EMAIL = 4
SET_UP = stamp(FIXED_SECONDS * 1000)


def tags() -> list[dict[str, Any]]:
    """The agency's tags."""
    return [_fixed(TAG, number, {"name": name}) for number, name in enumerate(TAG_NAMES, 1)]


def teams() -> list[dict[str, Any]]:
    """The agency's offices."""
    return [_fixed(TEAM, number, {"name": name}) for number, name in enumerate(TEAM_NAMES, 1)]


def users() -> list[dict[str, Any]]:
    """The agency's staff; the first is the user of the accepted key."""
    return [
        _fixed(
            USER,
            number,
            {
                "email": f"{given.lower()}@agency.example",
                "profile": {"firstName": given, "lastName": family},
                "teams": [fixed_id(TEAM, 1 + number % len(TEAM_NAMES))],
            },
        )
        for number, (given, family) in enumerate(USER_NAMES, 1)
    ]


def taxes(profile: Profile) -> list[dict[str, Any]]:
    """The taxes that the agency set up; their ids depend on the profile alone."""
    return [
        {"_id": tax.id, "name": tax.name, "rate": tax.rate, "createdAt": SET_UP, "updatedAt": SET_UP}
        for tax in profile.taxes
    ]


def own_partnership(profile: Profile) -> dict[str, Any]:
    """The made-up partner that stands for the agency itself in splits."""
    body = {
        "name": "Our own share",
        "legalName": "The Agency",
        "email": "accounts@agency.example",
        "type": "own",
        "taxId": TAX_IDS[profile.tax_id_kind](51_824_753),
        "country": profile.country,
    }
    return _fixed(PARTNERSHIP, 1, body)


def partner_kind(index: int) -> str:
    """School, agent or supplier."""
    return ("school", "agent", "school", "supplier", "agent", "school")[index % 6]


def partner_id(base: int, moment: int, index: int) -> str:
    """The id of partner ``index``, made at ``moment`` (milliseconds)."""
    return object_id(moment, PARTNERSHIP, base, index)


def partner(base: int, profile: Profile, moment: int, index: int) -> dict[str, Any]:
    """Partner ``index``, made at ``moment``."""
    draw = Draw(base, PARTNERSHIP, index)
    kind = partner_kind(index)
    place, country = draw.of(PLACES)
    noun = draw.of({"school": SCHOOLS, "agent": AGENTS, "supplier": PROVIDERS}[kind])
    name = f"{place} {noun}" if index < 6 else f"{place} {noun} {index}"
    email: str | None = f"billing{index}@{kind}{index}.example"
    if index == PARTNER_WITHOUT_EMAIL:
        email = None
    elif index % 9 == 7:
        email = f"Accounts{index}@{kind.title()}{index}.EXAMPLE"
    created = stamp(moment)
    return {
        "_id": partner_id(base, moment, index),
        "name": name,
        "legalName": f"{name} {draw.of(('Pty Ltd', 'Ltda.', 'GmbH', 'Inc.', '株式会社'))}",
        "email": email,
        "type": kind,
        "taxId": TAX_IDS[profile.tax_id_kind](draw.below(10**8)) if country == profile.country else None,
        "country": country,
        "createdAt": created,
        "updatedAt": created,
    }


def customer_id(base: int, moment: int, index: int) -> str:
    """The id of customer ``index``, made at ``moment`` (milliseconds)."""
    return object_id(moment, CONTACT, base, index)


def customer(base: int, profile: Profile, table: tuple[str | None, ...], moment: int, index: int) -> dict[str, Any]:
    """Customer ``index``, made at ``moment``."""
    draw = Draw(base, CONTACT, index)
    origin = draw.of(ORIGINS)
    given, family = draw.of(origin.given), draw.of(origin.family)
    created = stamp(moment)
    trouble = table[index % len(table)]
    body: dict[str, Any] = {
        "_id": customer_id(base, moment, index),
        "number": 101 + index,
        "email": f"{given[1]}.{family[1]}.{index}@{draw.of(MAIL_HOSTS)}",
        "profile": {
            "firstName": given[0],
            "lastName": family[0].replace("_", " "),
            "phone": f"{origin.calling_code}{draw.between(200_000_000, 999_999_999)}",
        },
        "country": origin.country,
        "language": origin.language,
        "tags": [fixed_id(TAG, draw.between(1, len(TAG_NAMES)))] if draw.below(3) == 0 else [],
        "owners": [fixed_id(USER, draw.between(1, len(USER_NAMES)))],
        "teams": [fixed_id(TEAM, draw.between(1, len(TEAM_NAMES)))],
        "createdAt": created,
        "updatedAt": created,
    }
    if profile.name == "br":
        body["documents"] = [{"type": "cpf", "number": cpf(draw.below(10**9))}]
    if draw.below(12) == 0:
        del body["profile"]["phone"]
    return _with_email_trouble(body, trouble)


def _with_email_trouble(body: dict[str, Any], trouble: str | None) -> dict[str, Any]:
    """Spoil the email; a shared one is set by the caller, who knows the other customer."""
    email = body["email"]
    if trouble == "no_email":
        del body["email"]
    elif trouble == "empty_email":
        body["email"] = ""
    elif trouble == "malformed":
        body["email"] = email.replace("@", " at ") if body["number"] % 4 else email.replace("@", "@@")
    elif trouble == "upper_case":
        body["email"] = email.upper()
    elif trouble == "padded":
        body["email"] = f"  {email} "
    return body


def _fixed(kind: int, number: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"_id": fixed_id(kind, number), **body, "createdAt": SET_UP, "updatedAt": SET_UP}
