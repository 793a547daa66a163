"""``GET /v1/pessoas``: its filters, as far as anybody knows them."""

from __future__ import annotations

from typing import Any

from sandbox.conta_azul.answers import Answer, Refused, ok
from sandbox.conta_azul.company import Company
from sandbox.conta_azul.people import KINDS, PROFILES, People
from sandbox.conta_azul.records import PEOPLE, Selection, marks
from sandbox.conta_azul.request import Call
from sandbox.conta_azul.wire import masked, parse_day, parse_moment

_KNOWN = (
    "pagina", "tamanho_pagina", "busca", "emails", "documentos", "nomes", "telefones", "ids", "codigos_pessoa",
    "tipo_perfil", "tipos_pessoa", "paises", "cidades", "ufs", "com_endereco", "data_criacao_inicio",
    "data_criacao_fim", "data_alteracao_de", "data_alteracao_ate", "tipo_ordenacao", "ordem_ordenacao",
)  # fmt: skip
_ORDERS = {
    "NOME": "folded(json_extract(doc, '$.nome'))",
    "EMAIL": "json_extract(doc, '$.email')",
    "DOCUMENTO": "json_extract(doc, '$.document')",
    "ATIVO": "json_extract(doc, '$.ativo')",
}
_PLACES = {"paises": "pais", "cidades": "cidade", "ufs": "estado"}
_EMAIL, _NAME = "folded(json_extract(doc, '$.email'))", "folded(json_extract(doc, '$.nome'))"
_DAY_SECONDS = 86_400


class PeopleList:
    """The list, page by page."""

    def __init__(self, company: Company, people: People) -> None:
        self._company = company
        self._people = people

    def read(self, call: Call) -> Answer:
        """One page; ``items`` is null when nobody fits."""
        call.known(*_KNOWN)
        where = _Where()
        self._by_kind(call, where)
        self._by_value(call, where)
        self._by_time(call, where)
        selection = Selection(PEOPLE, where.conditions, where.values, _order(call))
        total, rows = call.rows(selection)
        with_address = bool(call.flag("com_endereco"))
        items = [self._people.listed(row, with_address) for row in rows]
        return ok({"totalItems": total, "items": items or None})

    def _by_kind(self, call: Call, where: _Where) -> None:
        """Profiles and types; left out, the declared defaults (Cliente, Física) may narrow the answer."""
        profiles, kinds = call.many("tipo_perfil", tuple(PROFILES)), call.many("tipos_pessoa", tuple(KINDS))
        if self._company.readings["default_filters"]:
            profiles, kinds = profiles or ["Cliente"], kinds or ["Física"]
        if profiles:
            where.any("instr(text, ?) > 0", [f"|{one}|" for one in profiles])
        if kinds:
            where.add(f"type IN ({marks(kinds)})", *kinds)
        if not self._company.readings["inactive_listed"]:
            where.add("json_extract(doc, '$.ativo') = 1")

    def _by_value(self, call: Call, where: _Where) -> None:
        document = "json_extract(doc, '$.document')"
        if text := call.one("busca"):
            folded = text.casefold()
            where.add(f"(instr({_NAME}, ?) > 0 OR instr(folded({document}), ?) > 0)", folded, folded)
        how = self._company.readings["emails_filter"]
        if (emails := call.many("emails")) and how != "ignored":
            condition = f"{_EMAIL} = ?" if how == "exact" else f"instr({_EMAIL}, ?) > 0"
            where.any(condition, [one.casefold() for one in emails])
        if documents := call.many("documentos"):
            where.any(f"{document} = ?", self._stored(documents))
        if names := call.many("nomes"):
            where.any(f"{_NAME} = ?", [one.casefold() for one in names])
        if ids := call.uuids("ids"):
            where.add(f"id IN ({marks(ids)})", *ids)
        if codes := call.many("codigos_pessoa"):
            where.any("json_extract(doc, '$.codigo') = ?", codes)
        if phones := call.many("telefones"):
            both = "json_extract(doc, '$.telefone_celular'), json_extract(doc, '$.telefone_comercial')"
            where.any(f"? IN ({both})", phones)
        for name, field in _PLACES.items():
            if given := call.many(name):
                one = f"EXISTS (SELECT 1 FROM json_each(doc, '$.enderecos') WHERE json_extract(value, '$.{field}') = ?)"
                where.any(one, given)

    def _by_time(self, call: Call, where: _Where) -> None:
        first, last = call.one("data_criacao_inicio"), call.one("data_criacao_fim")
        if (first is None) != (last is None):
            raise Refused(400, "data_criacao_inicio and data_criacao_fim are both needed")
        if first and last:
            try:
                start, end = (parse_moment(f"{parse_day(day)}T00:00:00") for day in (first, last))
            except ValueError as error:
                raise Refused(400, f"data_criacao: {error}") from error
            where.add("created >= ? AND created < ?", start, end + _DAY_SECONDS)
        if window := call.moments("data_alteracao_de", "data_alteracao_ate"):
            where.add("changed >= ? AND changed < ?", window[0], window[1] + 1)

    def _stored(self, documents: list[str]) -> list[str]:
        """The filter compares with the form in which documents are shown, and with no other."""
        if self._company.readings["documents_shown"] == "bare":
            return documents
        plain = {masked(bare_form): bare_form for one in documents if (bare_form := _unmasked(one)) != one}
        return [plain.get(one, "") for one in documents]


class _Where:
    """SQL conditions with their values."""

    def __init__(self) -> None:
        self.conditions: list[str] = []
        self.values: list[Any] = []

    def add(self, condition: str, *values: Any) -> None:
        """This has to hold."""
        self.conditions.append(condition)
        self.values += values

    def any(self, condition: str, values: list[Any]) -> None:
        """It has to hold for one of the values."""
        self.add(f"({' OR '.join(condition for _ in values)})", *values)


def _order(call: Call) -> str:
    words, ways = call.many("tipo_ordenacao", tuple(_ORDERS)), call.many("ordem_ordenacao", ("ASC", "DESC"))
    return f"{_ORDERS[words[0] if words else 'NOME']} {ways[0] if ways else 'ASC'}, seq"


def _unmasked(document: str) -> str:
    return "".join(one for one in document if one.isalnum())
