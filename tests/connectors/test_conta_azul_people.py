"""People in Conta Azul: one kind of record for customers and suppliers, whose lists hide what is not asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from qualy_sync.contracts.accounting import Change, Party, Person, RemoteContact, What
from tests.sandbox.conta_azul_client import ContaAzulClient
from tests.support.conta_azul_connection import Connected, SandboxClock, contact


def stored(client: ContaAzulClient, person_id: str) -> dict[str, object]:
    return dict(client.read(f"/v1/pessoas/{person_id}"))


def test_a_customer_and_a_supplier_are_made_as_such_and_carry_our_ref_twice(conta_azul: Connected) -> None:
    new = contact(document="52998224725", person=Person.INDIVIDUAL)
    made = conta_azul.done(What.CONTACT, new)
    assert isinstance(made, RemoteContact)
    assert (made.ref, made.name, made.email, made.document) == (new.ref, new.name, new.email, "52998224725")
    kept = stored(conta_azul.client, made.id)
    assert (kept["codigo"], kept["observacao"], kept["tipo_pessoa"]) == (new.ref, new.ref, "Física")
    assert kept["perfis"] == [{"tipo_perfil": "Cliente"}]
    supplier = contact(party=Party.SUPPLIER, person=Person.COMPANY, document="12ABC34501DE35")
    kept = stored(conta_azul.client, conta_azul.done(What.CONTACT, supplier).id)
    assert (kept["tipo_pessoa"], kept["documento"]) == ("Jurídica", "12ABC34501DE35")
    assert kept["perfis"] == [{"tipo_perfil": "Fornecedor"}]
    both = contact(party=Party.ANY, person=Person.FOREIGN, document="ignored")
    kept = stored(conta_azul.client, conta_azul.done(What.CONTACT, both).id)
    assert (kept["tipo_pessoa"], kept["documento"]) == ("Estrangeira", None)
    assert kept["perfis"] == [{"tipo_perfil": "Cliente"}, {"tipo_perfil": "Fornecedor"}]


@pytest.mark.parametrize("narrow", [True, False])
def test_everybody_is_read_whatever_lists_leave_out_by_themselves(conta_azul: Connected, narrow: bool) -> None:
    client = conta_azul.client
    assert conta_azul.changed(What.CONTACT) == [], "nobody: items is null"
    client.reading(default_filters=narrow)
    ids = {
        client.person("Ana")["id"],
        client.person("Escola", "Fornecedor", tipo_pessoa="Jurídica")["id"],
        client.person("School", "Fornecedor", tipo_pessoa="Estrangeira")["id"],
        client.person("Carga", "Transportadora", tipo_pessoa="Jurídica")["id"],
    }
    inactive = client.person("Bia", "Fornecedor")["id"]
    client.ui("inactivate_person", person=inactive)
    read = {one.id: one for one in conta_azul.changed(What.CONTACT)}
    assert set(read) == ids | {inactive}
    assert [one.id for one in read.values() if not one.active] == [inactive]


def test_an_address_is_trimmed_and_made_small_and_of_several_the_first_counts(conta_azul: Connected) -> None:
    conta_azul.client.person("Ana", email=" Ana@Mail.Example , second@mail.example")
    (read,) = conta_azul.changed(What.CONTACT)
    assert read.email == "ana@mail.example"


def test_tax_numbers_are_compared_without_their_masks(conta_azul: Connected) -> None:
    conta_azul.client.reading(documents_shown="masked")
    conta_azul.done(What.CONTACT, contact(document="11222333000181", person=Person.COMPANY))
    (read,) = conta_azul.changed(What.CONTACT)
    assert read.document == "11222333000181"


def test_a_person_is_found_by_our_ref_and_by_the_code_where_somebody_wrote_over_the_note(conta_azul: Connected) -> None:
    new, other = contact(), contact()
    made = conta_azul.done(What.CONTACT, new)
    conta_azul.done(What.CONTACT, other)
    since = SandboxClock(conta_azul.client).now() - timedelta(minutes=1)
    assert conta_azul.tool.find(What.CONTACT, [new.ref], since) == (made,)
    conta_azul.client.ui("edit_person", person=made.id, fields={"observacao": "Aluna VIP"})
    (found,) = conta_azul.tool.find(What.CONTACT, [new.ref], since)
    assert (found.id, found.ref) == (made.id, new.ref)
    assert conta_azul.tool.find(What.CONTACT, ["C0000000000000NOBODY"], since) == ()
    assert conta_azul.tool.by_id(What.CONTACT, [made.id, "00000000-0000-4000-8000-00000000dead"]) == (found,)


def test_two_people_with_one_ref_are_both_shown(conta_azul: Connected) -> None:
    """Conta Azul takes everything twice: it is for the core to notice."""
    new = contact()
    conta_azul.done(What.CONTACT, new)
    conta_azul.done(What.CONTACT, new)
    assert len(conta_azul.tool.find(What.CONTACT, [new.ref], None)) == 2


def test_changes_are_read_by_windows_of_wall_time_without_a_zone(conta_azul: Connected) -> None:
    client = conta_azul.client
    client.person("Ana")
    client.noon("2026-07-15")
    long_ago = SandboxClock(client).now() - timedelta(days=800)
    assert [one.name for one in conta_azul.changed(What.CONTACT, long_ago)] == ["Ana"]
    client.clock(3600)
    client.renew()
    recently = SandboxClock(client).now() - timedelta(minutes=5)
    assert conta_azul.changed(What.CONTACT, recently) == []
    client.person("Bia")
    assert [one.name for one in conta_azul.changed(What.CONTACT, recently)] == ["Bia"]


def test_name_and_email_are_changed_and_nothing_else(conta_azul: Connected) -> None:
    client = conta_azul.client
    new = contact()
    made = conta_azul.done(What.CONTACT, new)
    client.ui("edit_person", person=made.id, fields={"telefone_celular": "+55 11 90000-0000"})
    changed = contact(ref=new.ref, name="Ana Nova", email="nova@mail.example")
    now = conta_azul.done(What.CONTACT, Change(new.ref, made, changed))
    assert (now.name, now.email, now.ref) == ("Ana Nova", "nova@mail.example", new.ref)
    assert stored(client, made.id)["telefone_celular"] == "+55 11 90000-0000"
