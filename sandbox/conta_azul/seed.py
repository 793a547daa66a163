"""What the company holds before anybody connects: people, a few entries and settlements, all entered by hand."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from sandbox.conta_azul.books import Books
from sandbox.conta_azul.chart import fixed
from sandbox.conta_azul.events import EXPENSE, INCOME
from sandbox.conta_azul.records import EVENTS, INSTALMENTS, PEOPLE, SETTLEMENTS, Json
from sandbox.conta_azul.wire import SAO_PAULO, is_cnpj, number
from sandbox.service import World

_LOOKED_AT = 60
_SHARED_CUSTOMERS = 12
_SHARED_PARTNERS = 4
_BANK = fixed("301")
_OWN_BUSINESS = (
    "Águas do Litoral", "Bela Vista Imóveis", "Café do Porto", "Correio Expresso Sul", "Editora Horizonte",
    "Energia Paulista", "Gráfica Aurora", "Limpeza Brilhante", "Papelaria Central", "Segurança Norte",
    "Software Lanterna", "Telefonia Opala",
)  # fmt: skip


def write(books: Books, world: World) -> None:
    """People and entries as a bookkeeper left them some weeks before ``today``."""
    people = _usable(world)
    known = _people(books, world, people)
    own = [_supplier(books, world, name, place) for place, name in enumerate(_OWN_BUSINESS)]
    for place, supplier in enumerate(own[:8]):
        made = _entry(books, world, EXPENSE, supplier, f"Nota {7000 + 13 * place}", 12_000 + 3_500 * place, -40, place)
        if place < 3:
            _settle(books, world, made)
    for place, person in enumerate(list(known.values())[:6]):
        made = _entry(books, world, INCOME, person, f"Recibo {101 + place}", 25_000 + 7_500 * place, -36, place)
        if place < 3:
            _settle(books, world, made)
    _lookalike(books, world, known)
    books.company.records.was_always_there()


def _people(books: Books, world: World, people: list[Json]) -> dict[str, str]:
    """Qualy's customers and partners who are here too; the identifier here by the customer's there."""
    known: dict[str, str] = {}
    for place, person in enumerate(people[:_SHARED_CUSTOMERS]):
        email = person["email"].upper() if 4 <= place < 8 else person["email"]
        if place == 9:
            email = f"{email}, familia{place}@mail.example"
        known[person["_id"]] = _person(books, world, place, person["name"], email, document=person["cpf"])
    for place, person in enumerate(_odd_ones(people), _SHARED_CUSTOMERS):
        made = _person(books, world, place, person["name"], person["email"])
        if not person["active"]:
            kept = books.company.records.get(PEOPLE, made) or {}
            books.company.records.put(PEOPLE, kept | {"ativo": False})
    for place in range(min(_SHARED_PARTNERS, world.population.partners)):
        partner = world.population.partner(place)
        if partner.get("email"):
            document = partner["taxId"] if is_cnpj(str(partner.get("taxId"))) else None
            kind = "Jurídica" if document else "Estrangeira"
            profiles = ["Cliente", "Fornecedor"] if place == 0 else ["Fornecedor"]
            _person(books, world, 30 + place, partner["name"], partner["email"], profiles, kind, document)
    return known


def _odd_ones(people: list[Json]) -> list[Json]:
    """The ones that need a decision or care: shared email, inactive, namesake, another name for an email."""
    if len(people) < _SHARED_CUSTOMERS + 5:
        return []
    twice, inactive, namesake, renamed = people[_SHARED_CUSTOMERS : _SHARED_CUSTOMERS + 4]
    return [
        {"name": twice["name"], "email": twice["email"], "active": True},
        {"name": f"{twice['name']} (responsável)", "email": twice["email"], "active": True},
        {"name": inactive["name"], "email": inactive["email"], "active": False},
        {"name": namesake["name"], "email": "outra.pessoa@elsewhere.example", "active": True},
        {"name": "Fernando Quintela", "email": renamed["email"], "active": True},
    ]


def _usable(world: World) -> list[Json]:
    """Customers with a usable email and a name that no other of them has."""
    found: list[Json] = []
    seen: set[str] = set()
    for index in range(min(_LOOKED_AT, world.population.customers)):
        customer = world.population.customer(index)
        email = str(customer.get("email") or "").strip().lower()
        profile = customer.get("profile") or {}
        name = " ".join(f"{profile.get('firstName') or ''} {profile.get('lastName') or ''}".split())
        if email.count("@") != 1 or " " in email or not email.isascii() or not name or {email, name} & seen:
            continue
        seen |= {email, name}
        cpf = next((one["number"] for one in customer.get("documents", []) if one["type"] == "cpf"), None)
        found.append({"_id": customer["_id"], "name": name, "email": email, "cpf": cpf})
    return found


def _person(
    books: Books,
    world: World,
    place: int,
    name: str,
    email: str,
    profiles: list[str] | None = None,
    kind: str = "Física",
    document: str | None = None,
) -> str:
    body: dict[str, Any] = {
        "nome": name,
        "email": email,
        "tipo_pessoa": kind,
        "perfis": [{"tipo_perfil": one} for one in profiles or ["Cliente"]],
    }
    if document:
        body["cpf" if kind == "Física" else "cnpj"] = document
    return str(books.people.create(body, _moment(world.today, -200) + 7 * 3600 * place)["id"])


def _supplier(books: Books, world: World, name: str, place: int) -> str:
    email = f"contas{place}@{name.split()[0].lower().encode('ascii', 'ignore').decode()}.example"
    return _person(books, world, 40 + place, name, email, ["Fornecedor"], "Jurídica")


def _entry(
    books: Books, world: World, kind: str, person: str, text: str, value: int, days: int, place: int
) -> tuple[str, date]:
    """One entry with one instalment, due two weeks after its day; returns its id and day."""
    day = world.today + timedelta(days=days + 4 * place)
    category = fixed("223" if kind == EXPENSE else "109")
    amounts = {"gross": value, "interest": 0, "fine": 0, "discount": 0, "fee": 0, "net": value}
    instalment = {
        "descricao": text,
        "nota": "",
        "due": (day + timedelta(days=14)).isoformat(),
        "account": _BANK,
        "method": None,
        "amounts": amounts,
    }
    event = {
        "person": person,
        "competence": day.isoformat(),
        "descricao": text,
        "observacao": "",
        "account": _BANK,
        "value": value,
        "lines": [{"category": category, "value": value, "centres": []}],
        "instalments": [instalment],
    }
    made = books.events.make(kind, event, _moment(day, 0), books.company.records.new_id())
    return str(made["id"]), day


def _settle(books: Books, world: World, entry: tuple[str, date]) -> None:
    """Paid in full a few days later, and matched with the bank's statement."""
    event_id, day = entry
    records = books.company.records
    instalment = records.children(INSTALMENTS, event_id)[0]
    paid_on = min(day + timedelta(days=3), world.today)
    body = {
        "data_pagamento": paid_on.isoformat(),
        "conta_financeira": _BANK,
        "composicao_valor": {"valor_bruto": number(instalment["amounts"]["gross"])},
    }
    made = books.settlements.create(instalment, body)
    moment = _moment(paid_on, 0)
    records.put(SETTLEMENTS, made | {"reconciled": records.new_id(), "changed": moment, "created": moment})
    for kind, id_ in ((INSTALMENTS, instalment["id"]), (EVENTS, event_id)):
        kept = records.get(kind, id_)
        if kept:
            records.put(kind, kept | {"changed": moment})


def _lookalike(books: Books, world: World, known: dict[str, str]) -> None:
    """A receivable that somebody typed in for a payment which Qualy has too: same person and amount, in BRL."""
    for index in range(min(400, world.population.payments)):
        payment = world.population.payment(index)
        person = known.get(str(payment.get("contact")))
        ready = payment["status"] in ("due", "overdue", "paid", "paid-partial") and payment.get("dueAt")
        if person is None or not ready or payment["currency"] != "BRL":
            continue
        due = datetime.fromisoformat(str(payment["dueAt"])).date()
        days = (min(due, world.today) - world.today).days - 2
        _entry(books, world, INCOME, person, "Recibo 190", int(payment["amount"]), days, 0)
        return


def _moment(today: date, days: int) -> float:
    return datetime.combine(today + timedelta(days=days), time(9, 15), SAO_PAULO).timestamp()
