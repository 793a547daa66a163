"""What the account holds before anybody connects: people who are in Qualy too, and others who are not."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from sandbox.hubspot import holdings
from sandbox.hubspot.by_hand import owner
from sandbox.hubspot.contacts import Contacts
from sandbox.hubspot.moments import stamp
from sandbox.service import World

_LOOKED_AT = 80
_SHARED = 24
_FIRST_OWNER = 901
_WON = 2  # of the leads became customers in HubSpot, and nobody has entered them in Qualy yet
_LEADS = (
    ("Mina", "Okafor"), ("Jonas", "Lindqvist"), ("Tereza", "Novak"), ("Samir", "Haddad"), ("Chloe", "Bennett"),
    ("Rafael", "Duarte"), ("Linh", "Tran"), ("Oskar", "Nowicki"),
)  # fmt: skip

Json = dict[str, Any]


def write(contacts: Contacts, world: World) -> None:
    """Owners like Qualy's users, and contacts that a team entered over the last months."""
    owners = _owners(world)
    holdings.load(contacts, {"owners": owners, "contacts": _contacts(world, [one["id"] for one in owners])})


def _owners(world: World) -> list[Json]:
    """One owner for each user of Qualy, matched by email, and one who has left."""
    entered = _moment(world, -300)
    teams = {team["_id"]: (str(700 + number), team["name"]) for number, team in enumerate(world.population.teams())}
    found = []
    for number, user in enumerate(world.population.users()):
        profile = user["profile"]
        listed = [
            {"id": teams[team][0], "name": teams[team][1], "primary": place == 0}
            for place, team in enumerate(user["teams"])
        ]
        names = {"firstName": profile["firstName"], "lastName": profile["lastName"]}
        found.append(owner(_FIRST_OWNER + number, entered, email=user["email"], teams=listed, **names))
    names = {"firstName": "Greta", "lastName": "Holm", "userId": None}
    gone = owner(_FIRST_OWNER + len(found), entered, email="greta@agency.example", archived=True, **names)
    return [*found, gone]


def _contacts(world: World, owners: list[str]) -> list[Json]:
    people = _people(world)
    found = [_contact(person, "customer", {"hubspot_owner_id": owners[0]}) for person in people[:_SHARED]]
    for place in range(0, min(_SHARED, len(people)), 5):
        found[place]["properties"] |= {"phone": "", "lifecyclestage": "lead"}
    found += _odd_ones(people[_SHARED:])
    for place, (given, family) in enumerate(_LEADS):
        person = {"email": f"{given}.{family}@prospect.example".lower(), "firstname": given, "lastname": family}
        found.append(_contact(person, "customer" if place < _WON else "lead", {}))
    found.append(_contact({"firstname": "Caller", "lastname": "Unknown", "phone": "+61 2 5550 0101"}, "lead", {}))
    for place, one in enumerate(found):
        one["createdAt"] = one["updatedAt"] = stamp(_moment(world, -200) + place * 7 * 3_600_000)
    return found


def _odd_ones(people: list[Json]) -> list[Json]:
    """The ones that need care: found by a secondary address only, archived, of another name, put together of two."""
    if len(people) < 4:
        return []
    secondary, archived, renamed, merged = people[:4]
    return [
        _contact(
            secondary | {"email": f"home.{secondary['email']}", "hs_additional_emails": secondary["email"]},
            "customer",
            {},
        ),
        _contact(archived, "customer", {}) | {"archived": True},
        _contact(renamed | {"firstname": "Ferdinand", "lastname": "Quast"}, "lead", {}),
        _contact(
            merged,
            "customer",
            {"hs_merged_object_ids": "41001;41002", "hs_additional_emails": f"old.{merged['email']}"},
        ),
    ]


def _people(world: World) -> list[Json]:
    """Customers with a usable email that no other of them has."""
    found: list[Json] = []
    seen: set[str] = set()
    for index in range(min(_LOOKED_AT, world.population.customers)):
        customer = world.population.customer(index)
        email = str(customer.get("email") or "").strip().lower()
        if email.count("@") != 1 or " " in email or not email.isascii() or email in seen:
            continue
        seen.add(email)
        profile = customer.get("profile") or {}
        person = {"email": email, "firstname": profile.get("firstName"), "lastname": profile.get("lastName")}
        found.append(person | {"phone": profile.get("phone", "")})
    return found


def _contact(person: Json, stage: str, more: Json) -> Json:
    return {"properties": person | {"lifecyclestage": stage} | more}


def _moment(world: World, days: int) -> int:
    moment = datetime.combine(world.today + timedelta(days=days), time(2, 15), UTC)
    return int(moment.timestamp() * 1000)
