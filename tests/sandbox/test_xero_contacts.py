"""Xero's rules about contacts."""

from __future__ import annotations

import pytest

from tests.sandbox.xero_client import XeroClient, invoice_body, messages

NAME_TAKEN = (
    "The contact name Ana Souza is already assigned to another contact. "
    "The contact name must be unique across all active contacts."
)
NUMBER_TAKEN = "Another contact has this contact number. Please enter a different contact number."
ARCHIVED = (
    "The contact with the specified contact details has been archived. "
    "The contact must be un-archived before creating new invoices or credit notes."
)


def refused(xero: XeroClient, method: str = "PUT", **fields: object) -> list[str]:
    element = xero.write(method, "Contacts", fields)[0]
    assert element["StatusAttributeString"] == "ERROR"
    assert element["HasValidationErrors"] is True
    return messages(element)


def test_the_sdk_creates_a_contact_and_reads_it_by_id_and_by_number(xero: XeroClient) -> None:
    made = xero.api.create_contacts(
        xero.tenant,
        contacts={"Contacts": [{"Name": "Łukasz Wiśniewski", "EmailAddress": "l@x.example", "ContactNumber": "K-1"}]},
        summarize_errors=False,
    ).contacts[0]
    assert made.status_attribute_string == "OK"
    assert not made.has_validation_errors
    assert xero.api.get_contact(xero.tenant, contact_id=made.contact_id).contacts[0].name == "Łukasz Wiśniewski"
    assert xero.api.get_contact_by_contact_number(xero.tenant, "K-1").contacts[0].contact_id == made.contact_id
    assert xero.http("GET", "/Contacts/nobody").status_code == 404


def test_names_are_unique_among_active_contacts_without_case(xero: XeroClient) -> None:
    first = xero.contact("ANA souza")
    assert refused(xero, Name="Ana Souza") == [NAME_TAKEN]
    xero.control("ui", {"do": "archive_contact", "contact": first["ContactID"]})
    assert xero.contact("Ana Souza")["ContactID"] != first["ContactID"]


def test_numbers_are_unique_among_all_contacts_archived_ones_too(xero: XeroClient) -> None:
    first = xero.contact(ContactNumber="K-1")
    xero.control("ui", {"do": "archive_contact", "contact": first["ContactID"]})
    assert refused(xero, Name="Somebody else", ContactNumber="k-1") == [NUMBER_TAKEN]


def test_emails_are_not_unique_and_are_found_without_case_and_accents(xero: XeroClient) -> None:
    xero.contact("Ana", EmailAddress="ANA@mail.example")
    xero.contact("Bea", EmailAddress="ana@mail.example")
    found = xero.read("/Contacts", where='EmailAddress=="Aná@MAIL.example"', page=1)
    assert {one["Name"] for one in found["Contacts"]} == {"Ana", "Bea"}
    assert found["pagination"] == {"page": 1, "pageSize": 100, "pageCount": 1, "itemCount": 2}


@pytest.mark.parametrize("email", ["no-at-sign", "a@@mail.example", "müller@mail.example", "a b@mail.example", "a@b"])
def test_a_malformed_email_is_refused(xero: XeroClient, email: str) -> None:
    assert refused(xero, Name="Ana", EmailAddress=email) == ["Email address must be valid."]


@pytest.mark.parametrize("name", ["", "  ", "Ana <b>", " Ana", "Ana  Souza", "x" * 256])
def test_a_name_that_xero_does_not_take_is_refused(xero: XeroClient, name: str) -> None:
    assert len(refused(xero, Name=name)) == 1


def test_post_with_a_taken_name_overwrites_that_contacts_email(xero: XeroClient) -> None:
    first = xero.contact(EmailAddress="old@mail.example", ContactNumber="K-1")
    second = xero.write("POST", "Contacts", {"Name": "ana souza", "EmailAddress": "new@mail.example"})[0]
    assert second["ContactID"] == first["ContactID"]
    assert second["EmailAddress"] == "new@mail.example"
    assert second["ContactNumber"] == "K-1"


def test_post_with_an_id_updates_only_what_is_given(xero: XeroClient) -> None:
    first = xero.contact(EmailAddress="a@mail.example", FirstName="Ana")
    answer = xero.http("POST", f"/Contacts/{first['ContactID']}", {"LastName": "Souza"})
    changed = answer.json()["Contacts"][0]
    assert (changed["FirstName"], changed["LastName"], changed["EmailAddress"]) == ("Ana", "Souza", "a@mail.example")


def test_a_document_for_an_archived_contact_is_refused(xero: XeroClient) -> None:
    contact = xero.contact()
    xero.control("ui", {"do": "archive_contact", "contact": contact["ContactID"]})
    assert messages(xero.write("PUT", "Invoices", invoice_body(contact, "T-1"))[0]) == [ARCHIVED]


def test_the_api_cannot_bring_an_archived_contact_back_but_a_person_can(xero: XeroClient) -> None:
    contact = xero.contact()
    xero.control("ui", {"do": "archive_contact", "contact": contact["ContactID"]})
    back = {"ContactID": contact["ContactID"], "ContactStatus": "ACTIVE"}
    assert "archived" in messages(xero.write("POST", "Contacts", back)[0])[0]
    xero.control("ui", {"do": "unarchive_contact", "contact": contact["ContactID"]})
    assert xero.invoice(contact)["Status"] == "AUTHORISED"


def test_archived_contacts_are_listed_only_on_request(xero: XeroClient) -> None:
    contact = xero.contact(EmailAddress="a@mail.example")
    xero.control("ui", {"do": "archive_contact", "contact": contact["ContactID"]})
    where = 'EmailAddress=="a@mail.example"'
    assert xero.read("/Contacts", where=where, page=1)["Contacts"] == []
    with_archived = xero.read("/Contacts", where=where, page=1, includeArchived="True")["Contacts"]
    assert [one["ContactStatus"] for one in with_archived] == ["ARCHIVED"]


def test_a_merged_contact_points_to_the_one_that_has_its_documents(xero: XeroClient) -> None:
    gone, kept = xero.contact("Ana S."), xero.contact("Ana Souza")
    invoice = xero.invoice(gone)
    xero.control("ui", {"do": "merge_contacts", "from": gone["ContactID"], "into": kept["ContactID"]})
    assert xero.read(f"/Contacts/{gone['ContactID']}")["Contacts"][0]["MergedToContactID"] == kept["ContactID"]
    assert xero.read(f"/Invoices/{invoice['InvoiceID']}")["Invoices"][0]["Contact"]["ContactID"] == kept["ContactID"]
    paged = xero.read("/Contacts", page=1, includeArchived="true")["Contacts"]
    assert [one.get("MergedToContactID") for one in paged if one["Name"] == "Ana S."] == [kept["ContactID"]]
    whole = xero.read("/Contacts", includeArchived="true")["Contacts"]
    assert not any("MergedToContactID" in one for one in whole)


def test_documents_make_customers_and_suppliers_without_moving_their_date(xero: XeroClient) -> None:
    contact = xero.contact()
    assert (contact["IsCustomer"], contact["IsSupplier"]) == (False, False)
    xero.invoice(contact)
    xero.bill(contact)
    now = xero.read(f"/Contacts/{contact['ContactID']}")["Contacts"][0]
    assert (now["IsCustomer"], now["IsSupplier"]) == (True, True)
    assert now["UpdatedDateUTC"] == contact["UpdatedDateUTC"]


def test_more_than_the_id_in_a_document_changes_the_contact_and_drops_its_persons(xero: XeroClient) -> None:
    contact = xero.contact(ContactPersons=[{"FirstName": "Mum", "EmailAddress": "mum@mail.example"}])
    more = {"ContactID": contact["ContactID"], "Name": "Renamed By A Document"}
    xero.put("Invoices", invoice_body(contact, "T-1", Contact=more))
    now = xero.read(f"/Contacts/{contact['ContactID']}")["Contacts"][0]
    assert (now["Name"], now["ContactPersons"]) == ("Renamed By A Document", [])


def test_a_bare_name_in_a_document_makes_a_new_contact(xero: XeroClient) -> None:
    made = xero.put("Invoices", invoice_body({"ContactID": ""}, "T-1", Contact={"Name": "Nobody Knows"}))
    assert xero.state()["Contacts"][0]["ContactID"] == made["Contact"]["ContactID"]


def test_search_looks_into_names_numbers_and_emails(xero: XeroClient) -> None:
    xero.contact("Ana", EmailAddress="one@mail.example")
    xero.contact("Bea", ContactNumber="ANA-7")
    xero.contact("Eve")
    found = xero.read("/Contacts", searchTerm="ana", page=1)["Contacts"]
    assert {one["Name"] for one in found} == {"Ana", "Bea"}


def test_a_quote_inside_a_filter_is_doubled(xero: XeroClient) -> None:
    xero.contact('Ana "Nina" Souza')
    assert xero.read("/Contacts", where='Name=="Ana ""Nina"" Souza"', page=1)["pagination"]["itemCount"] == 1
    bad = xero.http("GET", "/Contacts", where='Name=="Ana "Nina" Souza"')
    assert bad.status_code == 400
    assert bad.json()["Type"] == "QueryParseException"
    assert "Elements" not in bad.json()
