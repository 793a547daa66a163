"""People (pessoas): customers and suppliers are profiles of one kind of record."""

from __future__ import annotations

from typing import Any

from sandbox.conta_azul.answers import Refused
from sandbox.conta_azul.company import Company
from sandbox.conta_azul.records import EVENTS, PEOPLE, Json, Selection
from sandbox.conta_azul.wire import bare, is_cnpj, is_cpf, is_uuid, masked, stamp

KINDS = {"Física": "FISICA", "Jurídica": "JURIDICA", "Estrangeira": "ESTRANGEIRA"}
PROFILES = {"Cliente": "CLIENTE", "Fornecedor": "FORNECEDOR", "Transportadora": "TRANSPORTADORA"}
LENGTHS = {"nome": 200, "nome_fantasia": 200, "email": 100, "codigo": 20, "observacao": 2000}
_TEXTS = (
    "nome", "nome_fantasia", "codigo", "email", "telefone_celular", "telefone_comercial", "data_nascimento", "rg",
    "observacao",
)  # fmt: skip
_FLAGS = ("ativo", "optante_simples", "agencia_publica")
_LISTS = ("enderecos", "inscricoes", "outros_contatos")
FIELDS = (*_TEXTS, *_FLAGS, *_LISTS, "tipo_pessoa", "perfis", "cpf", "cnpj", "contato_cobranca_faturamento")
_WHOLE = ("nome", "tipo_pessoa", "perfis", "email", "telefone_celular", "telefone_comercial", "codigo", "observacao",
          "ativo", "enderecos", "inscricoes", "outros_contatos")  # fmt: skip
_STATE_TAX = ("NAO CONTRIBUINTE", "CONTRIBUINTE", "ISENTO")
_MOST_AT_ONCE = 10


class People:
    """The rules. Nothing here notices that a person is there already, unless a reading says so."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._records = company.records

    def found(self, id_: str) -> Json:
        """One person. Raises Refused with 404."""
        kept = self._records.get(PEOPLE, id_)
        if kept is None:
            raise Refused(404, "person not found")
        return kept

    def by_legacy(self, id_: str) -> Json:
        """One person by ``uuid_legado``. Raises Refused with 404."""
        selection = Selection(PEOPLE, ("json_extract(doc, '$.uuid_legado') = ?",), (id_,))
        rows = self._records.find(selection, 1)
        if not rows:
            raise Refused(404, "person not found")
        return rows[0]

    def create(self, given: Json, moment: float | None = None) -> Json:
        """A new person. Raises Refused with the first thing that is wrong."""
        for name in ("nome", "tipo_pessoa", "perfis"):
            if not given.get(name):
                raise Refused(400, f"{name} is required")
        now = self._company.now() if moment is None else moment
        empty: Json = {name: None for name in _TEXTS} | {name: [] for name in _LISTS}
        kept = {
            "id": given["id"] if is_uuid(given.get("id")) else self._records.new_id(),
            "id_legado": self._records.next_number(),
            "uuid_legado": self._records.new_id(),
            "created": now,
            "document": None,
            "contato_cobranca_faturamento": None,
            "ativo": True,
            "optante_simples": False,
            "agencia_publica": False,
        } | empty
        return self._save(kept, given, now)

    def patch(self, kept: Json, given: Json) -> Json:
        """Only what is given. Raises Refused with 400."""
        return self._save(kept, given, self._company.now())

    def replace(self, kept: Json, given: Json) -> Json:
        """All of it, and nearly every field is demanded. Raises Refused with 400."""
        for name in _WHOLE:
            if name not in given:
                raise Refused(400, f"{name} is required")
        return self._save(kept | {"document": None}, given, self._company.now())

    def switch(self, ids: list[str], active: bool) -> Json:
        """Activate or inactivate at most ten. Raises Refused with 400."""
        for person in self._all(ids):
            self._records.put(PEOPLE, person | {"ativo": active, "changed": self._company.now()})
        done = len(ids)
        return {"todos": None, "ativos": done if active else None, "inativos": None if active else done}

    def delete(self, ids: list[str]) -> None:
        """Take people away who have no entry. Raises Refused with 400 for any other, and then nobody goes."""
        for person in self._all(ids):
            if self._records.total(Selection(EVENTS, ("person = ?",), (person["id"],))):
                raise Refused(400, "the person has entries")
            self._records.remove(PEOPLE, person["id"])

    def shown(self, kept: Json) -> Json:
        """One person in full."""
        return {
            "id": kept["id"],
            "id_legado": kept["id_legado"],
            "uuid_legado": kept["uuid_legado"],
            "documento": self._document(kept),
            "tipo_pessoa": kept["type"],
            "perfis": [{"tipo_perfil": one} for one in profiles_of(kept)],
            "pessoas_legado": [{"id": kept["id_legado"], "uuid": kept["uuid_legado"]}],
            "data_criacao": stamp(kept["created"]),
            "data_alteracao": stamp(kept["changed"]),
            "contato_cobranca_faturamento": kept["contato_cobranca_faturamento"],
        } | {name: kept[name] for name in (*_TEXTS, *_FLAGS, *_LISTS)}

    def listed(self, kept: Json, with_address: bool) -> Json:
        """One person as lists show it: other words for type and profiles, another name for the note."""
        addresses = kept["enderecos"]
        return {
            "id": kept["id"],
            "id_legado": kept["id_legado"],
            "uuid_legado": kept["uuid_legado"],
            "nome": kept["nome"],
            "documento": self._document(kept),
            "email": kept["email"],
            "telefone": kept["telefone_celular"] or kept["telefone_comercial"],
            "tipo_pessoa": KINDS[kept["type"]],
            "perfis": [PROFILES[one] for one in profiles_of(kept)],
            "ativo": kept["ativo"],
            "data_criacao": stamp(kept["created"]),
            "data_alteracao": stamp(kept["changed"]),
            "observacoes_gerais": kept["observacao"],
            "endereco": addresses[0] if with_address and addresses else None,
        }

    def _document(self, kept: Json) -> str | None:
        document = kept["document"]
        return masked(document) if document and self._company.readings["documents_shown"] == "masked" else document

    def _save(self, kept: Json, given: Json, now: float) -> Json:
        person = kept | self._plain(given)
        if "tipo_pessoa" in given:
            if given["tipo_pessoa"] not in KINDS:
                raise Refused(400, f"tipo_pessoa must be one of {', '.join(KINDS)}")
            person["type"] = given["tipo_pessoa"]
        if "perfis" in given:
            person["text"] = "|".join(["", *self._profiles(kept, given["perfis"]), ""])
        if given.get("cpf") or given.get("cnpj"):
            person["document"] = self._checked_document(person, given)
        person["changed"] = now
        return self._records.put(PEOPLE, person)

    def _plain(self, given: Json) -> Json:
        found: Json = {}
        for names, kind, words in ((_TEXTS, str, "a text"), (_FLAGS, bool, "true or false"), (_LISTS, list, "a list")):
            for name in names:
                value = given.get(name)
                if value is None:
                    continue
                if not isinstance(value, kind):
                    raise Refused(400, f"{name} must be {words}")
                found[name] = value
        for name, longest in LENGTHS.items():
            if len(found.get(name) or "") > longest:
                raise Refused(400, f"{name} has more than {longest} characters")
        if "nome" in found and not found["nome"].strip():
            raise Refused(400, "nome is required")
        _check_lists(found)
        billing = given.get("contato_cobranca_faturamento")
        return found | ({"contato_cobranca_faturamento": billing} if isinstance(billing, dict) else {})

    def _profiles(self, kept: Json, given: Any) -> list[str]:
        words = (
            [str(one.get("tipo_perfil")) for one in given if isinstance(one, dict)] if isinstance(given, list) else []
        )
        if not words or not all(word in PROFILES for word in words):
            raise Refused(400, f"tipo_perfil must be one of {', '.join(PROFILES)}")
        if self._company.readings["profiles_patch"] == "merge" and kept.get("text"):
            words = [*profiles_of(kept), *words]
        return list(dict.fromkeys(words))

    def _checked_document(self, person: Json, given: Json) -> str:
        """A CPF for a Física, a CNPJ for a Jurídica; foreigners have neither."""
        name = {"Física": "cpf", "Jurídica": "cnpj"}.get(person["type"])
        if name is None or not isinstance(given.get(name), str):
            raise Refused(400, f"a person of type {person['type']} has {name or 'no cpf or cnpj'}")
        document = bare(given[name])
        readings = self._company.readings
        if readings["document_check"] and not (is_cpf if name == "cpf" else is_cnpj)(document):
            raise Refused(400, f"{name} is not valid")
        if not readings["alphanumeric_cnpj"] and not document.isdigit():
            raise Refused(400, f"{name} must have digits only")
        if readings["duplicate_document"] == "refused":
            same = Selection(PEOPLE, ("json_extract(doc, '$.document') = ?", "id <> ?"), (document, person["id"]))
            if self._records.total(same):
                raise Refused(400, f"{name} belongs to another person")
        return document

    def _all(self, ids: list[str]) -> list[Json]:
        if not ids or len(ids) > _MOST_AT_ONCE:
            raise Refused(400, f"uuids must have 1 to {_MOST_AT_ONCE} entries")
        people = self._records.many(PEOPLE, ids)
        if len(people) < len(set(ids)):
            raise Refused(400, "a person was not found")
        return list(people.values())


def profiles_of(kept: Json) -> list[str]:
    """The profiles of a kept person, as writes name them."""
    return [one for one in kept["text"].split("|") if one]


def _check_lists(found: Json) -> None:
    for address in found.get("enderecos", []):
        state = address.get("estado") if isinstance(address, dict) else 0
        if state not in (None, "") and not (isinstance(state, str) and len(state) == 2 and state.isupper()):
            raise Refused(400, "estado must be 2 capital letters")
        if len(str(address.get("logradouro") or "")) > 100:
            raise Refused(400, "logradouro has more than 100 characters")
    for one in found.get("inscricoes", []):
        if not isinstance(one, dict) or one.get("indicador_inscricao_estadual") not in _STATE_TAX:
            raise Refused(400, f"indicador_inscricao_estadual must be one of {', '.join(_STATE_TAX)}")
