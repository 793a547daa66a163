"""What the account holds before anybody connects: two audiences that marketers have used for a while."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from sandbox.mailchimp import holdings
from sandbox.mailchimp.account import Account
from sandbox.mailchimp.answers import Json
from sandbox.mailchimp.members import BOUNCED, BY_PERSON
from sandbox.mailchimp.records import written
from sandbox.service import World

STUDENTS = "5a4b3c2d1e"
ALUMNI = "0f9e8d7c6b"
_LOOKED_AT = 80
_FIELDS = (("FNAME", "First Name", "text"), ("LNAME", "Last Name", "text"), ("ADDRESS", "Address", "address"),
           ("PHONE", "Phone Number", "phone"))  # fmt: skip
_MARKETERS_TAGS = ("Open day 2026", "Newsletter", "Scholarship interest")
_STRANGERS = ("Nadia Karim", "Oskar Lind", "Paula Reyes", "Quentin Moreau", "Rosa Bianchi", "Sven Holm")


def write(account: Account, world: World) -> None:
    """Audiences, fields, and members in every status; some of them are customers in Qualy."""
    made = _moment(world, -400)
    audiences = [
        holdings.audience(STUDENTS, "Students", made, 510_001),
        holdings.audience(ALUMNI, "Former students", made, 510_002),
    ]
    fields = [
        {"list_id": one["id"], "tag": tag, "name": name, "type": kind, "public": True}
        for one in audiences
        for tag, name, kind in _FIELDS
    ]
    people = _people(world)
    members = _members(world, people)
    compliance = [
        {"id": None, "email_address": member["email_address"], "reason": BY_PERSON if left else BOUNCED}
        for member in members
        if (left := member["status"] == "unsubscribed" and member["unsubscribe_reason"])
        or member["status"] == "cleaned"
    ]
    forgotten = [{"email_address": people[8]["email"]}] if len(people) > 8 else []
    holdings.load(
        account,
        {
            "lists": audiences,
            "merge_fields": fields,
            "members": members,
            "forgotten": forgotten,
            "compliance": compliance,
        },
    )


def _members(world: World, people: list[Json]) -> list[Json]:
    """Customers: three subscribed (one of them in upper case), and one of each other status; and strangers."""
    statuses = (
        "subscribed",
        "subscribed",
        "subscribed",
        "unsubscribed",
        "unsubscribed",
        "cleaned",
        "archived",
        "transactional",
    )
    found = []
    for place, (status, person) in enumerate(zip(statuses, people, strict=False)):
        email = person["email"].upper() if place == 1 else person["email"]
        member = _member(world, place, email, person["given"], person["family"], status)
        if place == 3:
            member["unsubscribe_reason"] = "No longer interested"  # of their own will; the one after, by an app
        found.append(member)
    for place, name in enumerate(_STRANGERS, len(found)):
        given, family = name.split()
        email = f"{given}.{family}@reader.example".lower()
        found.append(_member(world, place, email, given, family, "subscribed"))
    return found


def _member(world: World, place: int, email: str, given: str, family: str, status: str) -> Json:
    when = _moment(world, -300 + 5 * place)
    return {
        "list_id": STUDENTS,
        "email_address": email,
        "status": status,
        "unsubscribe_reason": "",
        "merge_fields": {"FNAME": given, "LNAME": family},
        "tags": [{"name": _MARKETERS_TAGS[place % len(_MARKETERS_TAGS)]}],
        "source": "Hosted Signup Form",
        "timestamp_opt": when if status == "subscribed" else "",
        "timestamp_signup": when,
        "last_changed": when,
    }


def _people(world: World) -> list[dict[str, Any]]:
    """Customers with a usable email that no other of them has."""
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    for index in range(min(_LOOKED_AT, world.population.customers)):
        customer = world.population.customer(index)
        email = str(customer.get("email") or "").strip().lower()
        profile = customer.get("profile") or {}
        if email.count("@") != 1 or " " in email or not email.isascii() or email in seen:
            continue
        seen.add(email)
        found.append({"email": email, "given": profile.get("firstName") or "", "family": profile.get("lastName") or ""})
    return found


def _moment(world: World, days: int) -> str:
    return written(datetime.combine(world.today + timedelta(days=days), time(3, 20), UTC))
