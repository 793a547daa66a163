"""What a person does in Conta Azul's own pages, for tests: the same rules, and the powers that the API lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.conta_azul.answers import Refused
from sandbox.conta_azul.books import Books
from sandbox.conta_azul.catalogue import account_shown, category_shown
from sandbox.conta_azul.event_body import read_event
from sandbox.conta_azul.events import EXPENSE, INCOME
from sandbox.conta_azul.instalments import composition, open_amount
from sandbox.conta_azul.records import ACCOUNTS, CATEGORIES, EVENTS, INSTALMENTS, PEOPLE, SETTLEMENTS, Json, Selection
from sandbox.conta_azul.wire import dump, is_uuid, number, parse

_BANK = "ca7e0000-0000-4000-8000-000000000301"
_NAMED = "folded(json_extract(doc, '$.nome')) = ?"


class ByHand:
    """``POST /control/ui/conta_azul`` with ``{"do": ..., ...}``; people also by name, events also by an instalment."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._records = books.company.records
        self._actions: dict[str, Callable[[Json], Json]] = {
            "create_person": self._create_person,
            "edit_person": self._edit_person,
            "inactivate_person": lambda given: self._switch(given, False),
            "activate_person": lambda given: self._switch(given, True),
            "delete_person": self._delete_person,
            "create_event": self._create_event,
            "edit_event": self._edit_event,
            "delete_event": self._delete_event,
            "edit_instalment": self._edit_instalment,
            "settle": self._settle,
            "undo_settlement": self._undo_settlement,
            "reconcile": self._reconcile,
            "create_category": self._create_category,
            "rename_category": self._rename_category,
            "delete_category": self._delete_category,
            "inactivate_account": self._inactivate_account,
        }

    def do(self, given: Json) -> Json:
        """Do one thing. Raises ValueError with what is refused, or with the known actions."""
        action = self._actions.get(str(given.get("do")))
        if action is None:
            raise ValueError(f"do is one of: {', '.join(self._actions)}")
        try:
            with self._records.work():
                self._books.events.process_due()
                return action(parse(dump(given)))
        except Refused as refused:
            raise ValueError(str(refused)) from refused

    def _create_person(self, given: Json) -> Json:
        return self._books.people.shown(self._books.people.create(_fields(given)))

    def _edit_person(self, given: Json) -> Json:
        return self._books.people.shown(self._books.people.patch(self._person(given), _fields(given)))

    def _switch(self, given: Json, active: bool) -> Json:
        person = self._person(given)
        self._books.people.switch([person["id"]], active)
        return self._books.people.shown(self._books.people.found(person["id"]))

    def _delete_person(self, given: Json) -> Json:
        person = self._person(given)
        self._books.people.delete([person["id"]])
        return {"id": person["id"]}

    def _create_event(self, given: Json) -> Json:
        """``fields`` as the API takes them, and ``tipo``; it is there at once."""
        kind = given.get("tipo", INCOME)
        if kind not in (INCOME, EXPENSE):
            raise ValueError(f"tipo is {INCOME} or {EXPENSE}")
        event = read_event(_fields(given))
        self._books.company.guard(event["competence"])
        self._check(kind, event)
        made = self._books.events.make(kind, event, self._books.company.now(), self._records.new_id())
        return self._event_shown(made)

    def _edit_event(self, given: Json) -> Json:
        """What the API cannot: person, categories, competence date, account, and the amount of a single instalment."""
        event = self._event(given)
        fields = _fields(given)
        instalments = self._records.children(INSTALMENTS, event["id"])
        if any(one["paid"] for one in instalments) and {"valor", "rateio"} & set(fields):
            raise ValueError("An event with settlements keeps its amount and its categories.")
        if "valor" in fields and len(instalments) != 1:
            raise ValueError("Only the amount of an event with one instalment can be set here.")
        if "valor" in fields and "rateio" not in fields and len(event["lines"]) == 1:
            fields = fields | {"rateio": [{"id_categoria": event["lines"][0]["category"], "valor": fields["valor"]}]}
        read = read_event(self._as_body(event, instalments) | fields | _detail(instalments, fields))
        self._check(event["type"], read)
        self._books.company.guard(event["competence"], read["competence"])
        kept = {name: read[name] for name in ("person", "competence", "descricao", "observacao", "account", "value")}
        event = self._records.put(EVENTS, event | kept | {"lines": read["lines"]})
        for one, new in zip(instalments, read["instalments"], strict=True):
            texts = {"text": new["descricao"], "nota": new["nota"], "due": new["due"], "amounts": new["amounts"]}
            same = {"person": read["person"], "competence": read["competence"]}
            self._books.instalments.save(one | texts | same)
        return self._event_shown(self._records.get(EVENTS, event["id"]) or event)

    def _delete_event(self, given: Json) -> Json:
        event = self._event(given)
        instalments = self._records.children(INSTALMENTS, event["id"])
        paid = [each["due"] for one in instalments for each in self._records.children(SETTLEMENTS, one["id"])]
        self._books.company.guard(event["competence"], *paid)
        self._books.events.delete(event)
        return {"id": event["id"]}

    def _edit_instalment(self, given: Json) -> Json:
        kept = self._instalment(given)
        changed = self._books.instalments.patch(kept, _fields(given) | {"versao": kept["versao"]})
        return self._books.instalments.shown([changed])[0]

    def _settle(self, given: Json) -> Json:
        """``amount`` is all that is open, ``account`` the bank, ``date`` today unless given."""
        kept = self._instalment(given)
        body = {
            "data_pagamento": given.get("date") or self._books.company.today().isoformat(),
            "conta_financeira": given.get("account") or _BANK,
            "composicao_valor": {"valor_bruto": given.get("amount", number(open_amount(kept)))},
            "observacao": given.get("note") or "",
            "metodo_pagamento": given.get("method"),
        }
        return self._books.settlements.written(self._books.settlements.create(kept, body))

    def _undo_settlement(self, given: Json) -> Json:
        kept = self._settlement(given)
        self._books.settlements.delete(kept)
        return {"id": kept["id"]}

    def _reconcile(self, given: Json) -> Json:
        """Match a settlement with the bank's statement; ``{"on": false}`` takes that back."""
        kept = self._settlement(given)
        mark = self._records.new_id() if given.get("on", True) else None
        self._records.put(SETTLEMENTS, kept | {"reconciled": mark})
        return {"id": kept["id"], "id_reconciliacao": mark}

    def _create_category(self, given: Json) -> Json:
        fields = _fields(given)
        if fields.get("tipo") not in (INCOME, EXPENSE) or not fields.get("nome"):
            raise ValueError(f"A category has a nome, and its tipo is {INCOME} or {EXPENSE}.")
        parent = fields.get("categoria_pai")
        made = {"versao": 0, "considera_custo_dre": False} | fields | {"categoria_pai": parent, "parent": parent}
        return category_shown(self._records.put(CATEGORIES, made | {"id": self._records.new_id()}))

    def _rename_category(self, given: Json) -> Json:
        kept = self._part(CATEGORIES, given, "category")
        renamed = kept | {"nome": str(given.get("name") or kept["nome"]), "versao": kept["versao"] + 1}
        return category_shown(self._records.put(CATEGORIES, renamed))

    def _delete_category(self, given: Json) -> Json:
        kept = self._part(CATEGORIES, given, "category")
        self._records.remove(CATEGORIES, kept["id"])
        return {"id": kept["id"]}

    def _inactivate_account(self, given: Json) -> Json:
        kept = self._part(ACCOUNTS, given, "account")
        return account_shown(self._records.put(ACCOUNTS, kept | {"ativo": False}))

    def _check(self, kind: str, event: Json) -> None:
        problem = self._books.events.reference_problem(kind, event)
        if problem:
            raise ValueError(problem)

    def _person(self, given: Json) -> Json:
        return self._part(PEOPLE, given, "person")

    def _instalment(self, given: Json) -> Json:
        return self._part(INSTALMENTS, given, "instalment")

    def _settlement(self, given: Json) -> Json:
        return self._part(SETTLEMENTS, given, "settlement")

    def _event(self, given: Json) -> Json:
        """By its id, or by that of one of its instalments."""
        id_ = str(given.get("event", ""))
        instalment = self._records.get(INSTALMENTS, id_)
        event = self._records.get(EVENTS, instalment["parent"] if instalment else id_)
        if event is None:
            raise ValueError("There is no such event; give its id, or that of an instalment, as event.")
        return event

    def _part(self, kind: str, given: Json, key: str) -> Json:
        value = str(given.get(key, ""))
        if is_uuid(value):
            kept = self._records.get(kind, value)
        else:
            kept = next(iter(self._records.find(Selection(kind, (_NAMED,), (value.casefold(),)), 1)), None)
        if kept is None:
            raise ValueError(f"There is no {key} {value!r}; give its id (or, where it has one, its name) as {key}.")
        return kept

    def _event_shown(self, event: Json) -> Json:
        instalments = self._records.children(INSTALMENTS, event["id"])
        return {"id": event["id"], "parcelas": self._books.instalments.shown(instalments)}

    def _as_body(self, event: Json, instalments: list[Json]) -> Json:
        lines = [
            {
                "id_categoria": line["category"],
                "valor": number(line["value"]),
                "rateio_centro_custo": [
                    {"id_centro_custo": one["centre"], "valor": number(one["value"])} for one in line["centres"]
                ],
            }
            for line in event["lines"]
        ]
        return {
            "descricao": event["descricao"],
            "observacao": event["observacao"],
            "data_competencia": event["competence"],
            "valor": number(event["value"]),
            "contato": event["person"],
            "conta_financeira": event["account"],
            "rateio": lines,
        } | _detail(instalments, {})


def _detail(instalments: list[Json], fields: Json) -> Json:
    """The instalments as a body has them; a new amount belongs to the only one."""
    parts = []
    for one in instalments:
        value: dict[str, Any] = composition(one["amounts"])
        if "valor" in fields:
            value = {"valor_bruto": fields["valor"], "valor_liquido": fields["valor"]}
        parts.append(
            {
                "descricao": fields.get("descricao", one["text"]),
                "data_vencimento": fields.get("data_vencimento", one["due"]),
                "nota": one["nota"],
                "conta_financeira": one["account"],
                "detalhe_valor": value,
            }
        )
    return {"condicao_pagamento": {"parcelas": parts}}


def _fields(given: Json) -> Json:
    fields = given.get("fields")
    if not isinstance(fields, dict):
        raise ValueError("fields is an object of the fields to set, named as the API names them.")
    return fields
