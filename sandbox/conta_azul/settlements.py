"""Settlements (baixas): synchronous, as many as somebody posts, and taken back for good by DELETE."""

from __future__ import annotations

from sandbox.conta_azul.answers import Refused
from sandbox.conta_azul.company import Company
from sandbox.conta_azul.event_body import SETTLEMENT_METHODS, amounts, day, method, reference, text
from sandbox.conta_azul.instalments import Instalments, composition, open_amount, same_version
from sandbox.conta_azul.records import ACCOUNTS, EVENTS, INSTALMENTS, SETTLEMENTS, Json

FIELDS = ("data_pagamento", "conta_financeira", "composicao_valor", "metodo_pagamento", "observacao", "nsu")
_PAGE = "<html><head><title>Internal Server Error</title></head><body><h1>Internal Server Error</h1></body></html>"


class Settlements:
    """The rules about settlements. Nothing makes a repeated one unique."""

    def __init__(self, company: Company, instalments: Instalments) -> None:
        self._company = company
        self._records = company.records
        self._instalments = instalments

    def instalment(self, id_: str) -> Json:
        """The instalment of the path. Raises Refused with an empty 404."""
        kept = self._records.get(INSTALMENTS, id_)
        if kept is None:
            raise Refused(404, empty=True)
        return kept

    def found(self, id_: str) -> Json:
        """One settlement. Raises Refused with an empty 404."""
        kept = self._records.get(SETTLEMENTS, id_)
        if kept is None:
            raise Refused(404, empty=True)
        return kept

    def create(self, instalment: Json, given: Json) -> Json:
        """Settle a part or all. Raises Refused with 400."""
        value = given.get("composicao_valor")
        gross = value.get("valor_bruto") if isinstance(value, dict) else None
        if not given.get("data_pagamento") or not given.get("conta_financeira") or gross is None:
            raise Refused(400, f"the settlement service answered {_PAGE}")
        if instalment["state"] in ("LOST", "RENEGOTIATED", "CANCELLED"):
            raise Refused(400, "the instalment cannot be settled")
        settlement = {
            "id": self._records.new_id(),
            "parent": instalment["id"],
            "type": instalment["type"],
            "created": self._company.now(),
            "versao": 0,
            "reconciled": None,
            "method": None,
            "text": "",
            "nsu": None,
        } | self._fields(instalment, given)
        self._check(instalment, settlement, 0)
        return self._save(instalment, settlement, settlement["amounts"]["gross"])

    def change(self, kept: Json, given: Json) -> Json:
        """Change one. Raises Refused: 409 for a version, 400 for a wrong value or a closed day."""
        same_version(given, kept)
        instalment = self.instalment(kept["parent"])
        self._free(kept)
        self._company.guard(kept["due"])
        changed = kept | self._fields(instalment, given)
        before = kept["amounts"]["gross"]
        self._check(instalment, changed, before)
        changed["versao"] = kept["versao"] + 1
        return self._save(instalment, changed, changed["amounts"]["gross"] - before)

    def delete(self, kept: Json) -> None:
        """Take one back: the instalment and the account go back with it. Raises Refused with 400."""
        self._free(kept)
        self._company.guard(kept["due"])
        instalment = self.instalment(kept["parent"])
        self._records.remove(SETTLEMENTS, kept["id"])
        instalment["paid"] -= kept["amounts"]["gross"]
        self._instalments.save(instalment)

    def written(self, kept: Json) -> Json:
        """The answer of a write, which names the account and the amounts otherwise than reads do."""
        return {
            "id": kept["id"],
            "versao": kept["versao"],
            "data_pagamento": kept["due"],
            "composicao_valor": composition(kept["amounts"]),
            "conta_financeira": kept["account"],
            "metodo_pagamento": kept["method"],
            "observacao": kept["text"],
            "nsu": kept["nsu"],
        }

    def _fields(self, instalment: Json, given: Json) -> Json:
        changed: Json = {}
        if given.get("data_pagamento") is not None:
            changed["due"] = day(given, "data_pagamento")
        if given.get("conta_financeira") is not None:
            account = self._records.get(ACCOUNTS, reference(given, "conta_financeira") or "")
            if account is None or not account["ativo"]:
                raise Refused(400, "financial account not found")
            changed["account"] = account["id"]
        if isinstance(given.get("composicao_valor"), dict):
            changed["amounts"] = amounts(given["composicao_valor"])
        if given.get("metodo_pagamento") is not None:
            changed["method"] = method(given, SETTLEMENT_METHODS)
        for name, field in (("observacao", "text"), ("nsu", "nsu")):
            if given.get(name) is not None:
                changed[field] = self._company.cut(text(given, name))
        return changed

    def _check(self, instalment: Json, settlement: Json, before: int) -> None:
        self._company.guard(settlement["due"])
        readings = self._company.readings
        rule = readings["settlement_dates"]
        if rule != "any" and settlement["due"] > self._company.today().isoformat():
            raise Refused(400, "data_pagamento lies in the future")
        event = self._records.get(EVENTS, instalment["parent"]) or {}
        if rule == "not_before_event" and settlement["due"] < event.get("competence", ""):
            raise Refused(400, "data_pagamento lies before the event")
        too_much = settlement["amounts"]["gross"] - before > open_amount(instalment)
        if too_much and readings["overpayment"] == "refused":
            raise Refused(400, "the amount is more than what is open")

    def _save(self, instalment: Json, settlement: Json, more: int) -> Json:
        settlement |= {"changed": self._company.now(), "net": settlement["amounts"]["net"]}
        self._records.put(SETTLEMENTS, settlement)
        instalment["paid"] += more
        self._instalments.save(instalment)
        return settlement

    def _free(self, kept: Json) -> None:
        if kept["reconciled"]:
            raise Refused(400, "the settlement is reconciled")
