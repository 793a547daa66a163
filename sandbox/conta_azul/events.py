"""Receivables and payables: queued by a protocol, made when its time has come, with no way back but by hand."""

from __future__ import annotations

from typing import Any

from sandbox.conta_azul.answers import Answer, Refused, ok
from sandbox.conta_azul.company import LOCKED, Company
from sandbox.conta_azul.event_body import read_event
from sandbox.conta_azul.records import (
    ACCOUNTS,
    CATEGORIES,
    CENTRES,
    EVENTS,
    INSTALMENTS,
    PEOPLE,
    PROTOCOLS,
    REMOVED,
    SETTLEMENTS,
    Json,
    Selection,
)
from sandbox.conta_azul.wire import stamp

INCOME, EXPENSE = "RECEITA", "DESPESA"
ENTRY = "LANCAMENTO_FINANCEIRO"


class Events:
    """The rules about events as a whole; nothing notices that two of them are equal."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._records = company.records

    def queue(self, kind: str, body: Json) -> Answer:
        """Take an event in and answer a protocol. Raises Refused for what is seen at once."""
        readings = self._company.readings
        event = read_event(body)
        now = self._company.now()
        protocol = {
            "id": self._records.new_id(),
            "type": kind,
            "state": "PENDING",
            "created": now,
            "at": now + self._delay(),
            "event": event,
        }
        self._records.put(PROTOCOLS, protocol)
        names = ("protocolo", "data_criacao")
        if readings["protocol_names"] == "english":
            names = ("protocolId", "createdAt")
        shown = {names[0]: protocol["id"], "status": "PENDING", names[1]: stamp(now)}
        return ok(shown, readings["created_status"])

    def protocol(self, id_: str) -> Answer:
        """How far a queued event is. Raises Refused with 404 for an unknown one, or one that does not show yet."""
        kept = self._records.get(PROTOCOLS, id_)
        hidden = self._company.readings["protocol_hidden_seconds"]
        if kept is None or self._company.now() < kept["created"] + hidden:
            raise Refused(404, "protocol not found")
        state = "PENDING" if kept["state"] == "LOST" else kept["state"]
        return ok(
            {
                "id": kept["id"],
                "status": state,
                "resposta": kept.get("answer", "sim: queued"),
                "evento_financeiro_id": kept.get("result"),
            }
        )

    def process_due(self) -> None:
        """Make every event whose time has come, in the order in which they fell due."""
        now = self._company.now()
        waiting = Selection(
            PROTOCOLS,
            ("state = 'PENDING'", "json_extract(doc, '$.at') <= ?"),
            (now,),
            "json_extract(doc, '$.at'), seq",
        )
        due = self._records.find(waiting)
        if not due:
            return
        with self._records.work():
            for protocol in due:
                self._process(protocol)

    def make(self, kind: str, event: Json, moment: float, protocol: str, origin: str = ENTRY) -> Json:
        """Write an event and its instalments, as of a moment. The references are not checked here."""
        made = {
            "id": event.get("id") or self._records.new_id(),
            "type": kind,
            "person": event["person"],
            "created": moment,
            "changed": moment,
            "competence": event["competence"],
            "descricao": self._company.cut(event["descricao"]),
            "observacao": self._company.cut(event["observacao"]),
            "account": event["account"],
            "value": event["value"],
            "lines": event["lines"],
            "count": len(event["instalments"]),
            "protocol": protocol,
            "origin": origin,
        }
        self._records.put(EVENTS, made)
        for number, one in enumerate(event["instalments"], 1):
            self._records.put(INSTALMENTS, self._instalment(made, one, number))
        return made

    def reference_problem(self, kind: str, event: Json) -> str | None:
        """What an event names that is not there, not in use, or of the wrong kind."""
        if event["person"] and self._records.get(PEOPLE, event["person"]) is None:
            return "person not found"
        for id_ in {event["account"], *(one["account"] for one in event["instalments"])} - {None}:
            account = self._records.get(ACCOUNTS, id_)
            if account is None or not account["ativo"]:
                return "financial account not found"
        for line in event["lines"]:
            category = self._records.get(CATEGORIES, line["category"])
            if category is None or category["tipo"] != kind or self._records.children(CATEGORIES, category["id"]):
                return "category not found"
            for part in line["centres"]:
                centre = self._records.get(CENTRES, part["centre"]) if part["centre"] else None
                if centre is None or not centre["ativo"]:
                    return "cost centre not found"
        return None

    def touch(self, event_id: str) -> None:
        """The event counts as saved now, with or without a change."""
        event = self._records.get(EVENTS, event_id)
        if event:
            self._records.put(EVENTS, event | {"changed": self._company.now()})

    def delete(self, event: Json) -> None:
        """By hand only: the event with its instalments and settlements."""
        for instalment in self._records.children(INSTALMENTS, event["id"]):
            for settlement in self._records.children(SETTLEMENTS, instalment["id"]):
                self._records.remove(SETTLEMENTS, settlement["id"])
            self._records.remove(INSTALMENTS, instalment["id"])
        self._records.remove(EVENTS, event["id"])
        self._records.put(REMOVED, {"id": event["id"], "changed": self._company.now()})

    def _delay(self) -> float:
        """Mostly short; every so many writes (17 as it is found) takes much longer."""
        readings = self._company.readings
        every = int(readings["protocol_tail_every"])
        number = self._records.total(Selection(PROTOCOLS)) + 1
        late = every > 0 and number % every == 0
        return float(readings["protocol_tail_seconds" if late else "protocol_seconds"])

    def _process(self, protocol: Json) -> None:
        event: Json = protocol["event"]
        locked = self._company.is_locked(event["competence"])
        problem = LOCKED if locked else self.reference_problem(protocol["type"], event)
        if problem is None:
            made = self.make(protocol["type"], event, protocol["at"], protocol["id"])
            done: dict[str, Any] = {"state": "SUCCESS", "answer": "sim: event created", "result": made["id"]}
        elif not locked and self._company.readings["wrong_reference"] == "lost":
            done = {"state": "LOST"}
        else:
            done = {"state": "ERROR", "answer": f"sim: {problem}"}
        self._records.put(PROTOCOLS, protocol | done)

    def _instalment(self, event: Json, one: Json, number: int) -> Json:
        return {
            "id": one.get("id") or self._records.new_id(),
            "parent": event["id"],
            "type": event["type"],
            "person": event["person"],
            "account": one["account"] or event["account"],
            "due": one["due"],
            "state": "OPEN",
            "text": self._company.cut(one["descricao"]),
            "net": one["amounts"]["net"],
            "created": event["created"],
            "changed": event["changed"],
            "versao": 0,
            "indice": number,
            "nota": self._company.cut(one["nota"]),
            "method": one["method"],
            "amounts": one["amounts"],
            "paid": 0,
            "expected": one["due"],
            "nsu": None,
            "scheduled": False,
            "perda": None,
            "competence": event["competence"],
        }
