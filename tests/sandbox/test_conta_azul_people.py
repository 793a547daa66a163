"""People: what is demanded, how writes and reads differ, how they are found, when they cannot go."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.conta_azul_client import NOBODY, ContaAzulClient, conta_azul_sandbox, person_body

CPF, OTHER_CPF, CNPJ, LETTERS = "39053344705", "52998224725", "11222333000181", "12ABC34501DE35"
COMPANY = {"tipo_pessoa": "Jurídica"}


def post(conta_azul: ContaAzulClient, **fields: Any) -> httpx.Response:
    return conta_azul.http("POST", "/v1/pessoas", person_body(**fields))


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["nome"] for row in rows]


def test_writing_and_reading_use_different_words(conta_azul: ContaAzulClient) -> None:
    made = conta_azul.person(email="ana@mail.example", cpf=CPF, codigo="K1", observacao="sabe tudo")
    detail = conta_azul.read(f"/v1/pessoas/{made['id']}")
    assert detail == made
    assert detail["perfis"] == [{"tipo_perfil": "Cliente"}]
    assert (detail["documento"], detail["codigo"], detail["observacao"]) == (CPF, "K1", "sabe tudo")
    row = conta_azul.people()[0]
    assert (row["tipo_pessoa"], row["perfis"]) == ("FISICA", ["CLIENTE"])
    assert (row["documento"], row["observacoes_gerais"]) == (CPF, "sabe tudo")
    assert row["data_criacao"].startswith("2026-07-15T12:0")
    assert conta_azul.read(f"/v1/pessoas/legado/{row['uuid_legado']}") == detail
    assert conta_azul.http("GET", f"/v1/pessoas/legado/{row['id_legado']}").status_code == 400


def test_what_is_missing_shows_one_at_a_time(conta_azul: ContaAzulClient) -> None:
    answers = [conta_azul.http("POST", "/v1/pessoas", body) for body in ({}, {"nome": "Ana"})]
    answers.append(conta_azul.http("POST", "/v1/pessoas", {"nome": "Ana", "tipo_pessoa": "Física"}))
    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert [answer.json()["error"] for answer in answers] == [
        "sim: nome is required",
        "sim: tipo_pessoa is required",
        "sim: perfis is required",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"tipo_pessoa": "FISICA"},
        {"perfis": [{"tipo_perfil": "CLIENTE"}]},
        {"perfis": [{"tipo_perfil": "Cliente"}, {}]},
        {"nome": "x" * 201},
        {"codigo": "x" * 21},
        {"email": "x" * 101},
        {"observacao": "x" * 2001},
        {"enderecos": [{"estado": "sp"}]},
        {"enderecos": [{"logradouro": "x" * 101}]},
        {"inscricoes": [{"indicador_inscricao_estadual": "ISENTA"}]},
        {"cpf": "11111111111"},
        {"cpf": "123.456.789-00"},
        {"cpf": "191"},
        {"cnpj": CNPJ},
        {"tipo_pessoa": "Jurídica", "cnpj": "11111111111111"},
        {"tipo_pessoa": "Estrangeira", "cpf": CPF},
    ],
)
def test_wrong_values_are_refused(conta_azul: ContaAzulClient, fields: dict[str, Any]) -> None:
    answer = post(conta_azul, **fields)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("sim: ")
    assert conta_azul.people() == []


def test_documents_may_be_masked_and_have_letters(conta_azul: ContaAzulClient) -> None:
    assert conta_azul.person(cpf="529.982.247-25")["documento"] == OTHER_CPF
    assert conta_azul.person(**COMPANY, cnpj="12.abc.345/01DE-35")["documento"] == LETTERS
    conta_azul.reading(documents_shown="masked", alphanumeric_cnpj=False)
    assert post(conta_azul, **COMPANY, cnpj=LETTERS).status_code == 400
    assert names(conta_azul.people(documentos="12.ABC.345/01DE-35")) == ["Ana Souza"]
    assert conta_azul.people(documentos=LETTERS) == []


def test_nothing_notices_a_second_person_unless_asked_to(conta_azul: ContaAzulClient) -> None:
    for _ in range(2):
        assert post(conta_azul, cpf=CPF, email="ana@mail.example", codigo="K1").status_code == 201
    assert len(conta_azul.people(documentos=CPF)) == 2
    conta_azul.reading(duplicate_document="refused")
    assert post(conta_azul, cpf=CPF).status_code == 400
    assert post(conta_azul, cpf=OTHER_CPF).status_code == 201


def test_a_patch_answers_nothing_and_changes_what_is_given(conta_azul: ContaAzulClient) -> None:
    made = conta_azul.person(email="ana@mail.example", codigo="K1")
    conta_azul.clock(60)
    answer = conta_azul.http("PATCH", f"/v1/pessoas/{made['id']}", {"email": "nova@mail.example", "nonsense": 1})
    assert (answer.status_code, answer.content) == (204, b"")
    after = conta_azul.read(f"/v1/pessoas/{made['id']}")
    assert (after["email"], after["codigo"]) == ("nova@mail.example", "K1")
    assert after["data_alteracao"] > after["data_criacao"]


@pytest.mark.parametrize(("how", "left"), [("replace", ["Fornecedor"]), ("merge", ["Cliente", "Fornecedor"])])
def test_a_patch_of_profiles_replaces_or_merges_them(conta_azul: ContaAzulClient, how: str, left: list[str]) -> None:
    conta_azul.reading(profiles_patch=how)
    made = conta_azul.person()
    conta_azul.http("PATCH", f"/v1/pessoas/{made['id']}", {"perfis": [{"tipo_perfil": "Fornecedor"}]})
    after = conta_azul.read(f"/v1/pessoas/{made['id']}")
    assert [one["tipo_perfil"] for one in after["perfis"]] == left


def test_a_put_demands_nearly_every_field(conta_azul: ContaAzulClient) -> None:
    made = conta_azul.person(cpf=CPF)
    address = f"/v1/pessoas/{made['id']}"
    assert conta_azul.http("PUT", address, person_body("Ana Lima")).status_code == 400
    whole = {name: value for name, value in made.items() if name not in ("documento", "id")}
    answer = conta_azul.http("PUT", address, whole | {"nome": "Ana Lima"})
    assert (answer.status_code, answer.json()["nome"], answer.json()["documento"]) == (200, "Ana Lima", None)


def test_people_are_switched_off_and_on_ten_at_a_time(conta_azul: ContaAzulClient) -> None:
    ids = [conta_azul.person(f"Ana {number}")["id"] for number in range(11)]
    assert conta_azul.http("POST", "/v1/pessoas/inativar", {"uuids": ids}).status_code == 400
    answer = conta_azul.http("POST", "/v1/pessoas/inativar", {"uuids": ids[:2]}).json()
    assert answer == {"todos": None, "ativos": None, "inativos": 2}
    assert sum(not row["ativo"] for row in conta_azul.people()) == 2
    conta_azul.reading(inactive_listed=False)
    assert len(conta_azul.people()) == 9
    conta_azul.http("POST", "/v1/pessoas/ativar", {"uuids": ids[:2]})
    assert len(conta_azul.people()) == 11


def test_a_person_with_entries_stays(conta_azul: ContaAzulClient) -> None:
    used, unused = conta_azul.person("Ana"), conta_azul.person("Bia")
    conta_azul.event(contato=used["id"])
    answer = conta_azul.http("POST", "/v1/pessoas/excluir", {"uuids": [unused["id"], used["id"]]})
    assert answer.status_code == 400
    assert "entries" in answer.json()["error"]
    assert len(conta_azul.people()) == 2
    assert conta_azul.http("POST", "/v1/pessoas/excluir", {"uuids": [unused["id"]]}).status_code == 204
    assert conta_azul.http("POST", "/v1/pessoas/excluir", {"uuids": [unused["id"]]}).status_code == 400
    gone = conta_azul.http("GET", f"/v1/pessoas/{unused['id']}")
    assert (gone.status_code, list(gone.json())) == (404, ["error"])


def test_nobody_found_is_null(conta_azul: ContaAzulClient) -> None:
    assert conta_azul.read("/v1/pessoas") == {"totalItems": 0, "items": None}


def test_leaving_out_profile_and_type_may_narrow_the_list(conta_azul: ContaAzulClient) -> None:
    conta_azul.person("Ana")
    conta_azul.person("Escola", "Fornecedor", **COMPANY)
    conta_azul.person("School", "Fornecedor", tipo_pessoa="Estrangeira")
    assert names(conta_azul.read("/v1/pessoas")["items"]) == ["Ana"]
    assert names(conta_azul.people(tipo_perfil="Fornecedor")) == ["Escola", "School"]
    assert names(conta_azul.people(tipos_pessoa="Jurídica")) == ["Escola"]
    conta_azul.reading(default_filters=False)
    assert len(conta_azul.read("/v1/pessoas")["items"]) == 3
    assert conta_azul.http("GET", "/v1/pessoas", query={"tipo_perfil": "CLIENTE"}).status_code == 400


@pytest.mark.parametrize(
    ("how", "email", "found"),
    [
        ("exact", "Ana@mail.example", True),
        ("exact", "bia@mail.example", False),
        ("contains", "bia@mail.example", True),
        ("contains", "nobody@mail.example", False),
        ("ignored", "nobody@mail.example", True),
    ],
)
def test_nobody_knows_how_emails_are_compared(conta_azul: ContaAzulClient, how: str, email: str, found: bool) -> None:
    conta_azul.reading(emails_filter=how)
    conta_azul.person("Ana", email="ana@mail.example")
    conta_azul.person("Família", email="rui@mail.example, bia@mail.example")
    assert bool(conta_azul.people(emails=email)) is found


def test_further_filters(conta_azul: ContaAzulClient) -> None:
    place = {"cidade": "Santos", "estado": "SP", "pais": "Brasil"}
    ana = conta_azul.person("Ana Souza", codigo="K1", telefone_celular="+5513", enderecos=[place])
    conta_azul.person("Bia Lima", cpf=CPF)
    queries: list[dict[str, Any]] = [
        {"busca": "souza"}, {"codigos_pessoa": "K1"}, {"ids": ana["id"]}, {"nomes": "ana souza"},
        {"telefones": "+5513"}, {"ufs": ["RJ", "SP"]}, {"cidades": "Santos"}, {"paises": "Brasil"},
    ]  # fmt: skip
    for query in queries:
        assert names(conta_azul.people(**query)) == ["Ana Souza"], query
    assert names(conta_azul.people(busca=CPF)) == ["Bia Lima"]
    assert names(conta_azul.people(tipo_ordenacao="NOME", ordem_ordenacao="DESC")) == ["Bia Lima", "Ana Souza"]
    assert conta_azul.people(ids=ana["id"], com_endereco="true")[0]["endereco"] == place


def test_changed_people_are_found_by_a_window_without_zone(conta_azul: ContaAzulClient) -> None:
    conta_azul.person("Ana")
    conta_azul.clock(1800)
    conta_azul.person("Bia")
    window = {"data_alteracao_de": "2026-07-15T12:20:00", "data_alteracao_ate": "2026-07-15T13:30:00"}
    assert names(conta_azul.people(**window)) == ["Bia"]
    assert len(conta_azul.people(data_criacao_inicio="2026-07-15", data_criacao_fim="2026-07-15")) == 2
    for wrong in (
        {"data_alteracao_de": "2026-07-15T12:30:00Z", "data_alteracao_ate": "2026-07-15T13:30:00Z"},
        {"data_alteracao_de": "2025-07-14T12:00:00", "data_alteracao_ate": "2026-07-15T12:00:00"},
        {"data_alteracao_de": "2026-07-15T12:30:00"},
        {"data_criacao_inicio": "2026-07-15"},
    ):
        assert conta_azul.http("GET", "/v1/pessoas", query=wrong).status_code == 400, wrong
    year = {"data_alteracao_de": "2025-07-15T13:30:00", "data_alteracao_ate": "2026-07-15T13:30:00"}
    assert len(conta_azul.people(**year)) == 2


def test_an_unknown_person_is_a_404_of_their_own_form(conta_azul: ContaAzulClient) -> None:
    answer = conta_azul.http("PATCH", f"/v1/pessoas/{NOBODY}", {})
    assert (answer.status_code, answer.json()) == (404, {"error": "sim: person not found"})


def test_people_in_qualy_are_here_from_the_start() -> None:
    with conta_azul_sandbox(payments=200) as fresh:
        rows = fresh.people()
    emails = [row["email"] or "" for row in rows]
    assert any(email.isupper() for email in emails)
    assert any("," in email for email in emails)
    assert len(emails) > len({email.lower() for email in emails})
    assert any(not row["ativo"] for row in rows)
    assert any(row["perfis"] == ["CLIENTE", "FORNECEDOR"] for row in rows)
    assert any(row["documento"] for row in rows)
