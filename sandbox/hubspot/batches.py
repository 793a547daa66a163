"""Batches of contacts: at most 100 inputs, all or nothing unless every input has a trace id of its own."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from sandbox.hubspot.answers import Answer, Refused, duplicates, invalid
from sandbox.hubspot.contacts import Contacts
from sandbox.hubspot.records import Contact
from sandbox.hubspot.render import batch, read_record, written_record
from sandbox.hubspot.request import Call, record_number
from sandbox.hubspot.values import normal_email

MOST = 100
MOST_WITH_HISTORY = 50

Json = dict[str, Any]
Work = Callable[[Json], Json | None]


def create(contacts: Contacts, call: Call) -> Answer:
    """``POST .../batch/create``: 201, or 207 with trace ids."""
    inputs = _inputs(call, ("properties",))
    emails = [one["properties"].get("email") for one in inputs if isinstance(one["properties"], dict)]
    _refuse_repeats([normal_email(str(email)) for email in emails if email])
    for name in contacts.definitions.unique_names():
        _refuse_repeats([str(one["properties"][name]) for one in inputs if one["properties"].get(name)])

    def work(one: Json) -> Json:
        _no_associations(one)
        contact = contacts.create(one["properties"], call.source)
        return _written(contacts, contact, one, call)

    return _each(contacts, call, inputs, work, success=201)


def update(contacts: Contacts, call: Call) -> Answer:
    """``POST .../batch/update``: by record id or a unique property, but not by email. A merged id is passed over."""
    inputs = _inputs(call, ("id", "properties"))
    for one in inputs:
        if one.get("idProperty") == "email" and not contacts.readings.batch_update_by_email:
            raise invalid("idProperty email is not supported for batch updates of CONTACT")
    _refuse_repeats([_key(one) for one in inputs])

    def work(one: Json) -> Json | None:
        id_property, number = _id_property(one), record_number(str(one["id"]))
        by_id = id_property in (None, "hs_object_id")
        if by_id and number is not None and contacts.records.is_merged_away(number):
            return None
        contact = contacts.existing(str(one["id"]), id_property)
        return _written(contacts, contacts.update(contact, one["properties"], call.source), one, call)

    return _each(contacts, call, inputs, work, success=200)


def upsert(contacts: Contacts, call: Call) -> Answer:
    """``POST .../batch/upsert`` by email or a unique property; each result says whether it is new."""
    inputs = _inputs(call, ("id", "properties"))
    for one in inputs:
        if not one.get("idProperty"):
            raise invalid("idProperty is required for an upsert")
        contacts.check_id_property(str(one["idProperty"]))
    _refuse_repeats([_key(one) for one in inputs])

    def work(one: Json) -> Json:
        contact, new = _upserted(contacts, call, one)
        named = one | {"properties": contact.values} if new else one
        return _written(contacts, contact, named, call) | {"new": new}

    return _each(contacts, call, inputs, work, success=200)


def read(contacts: Contacts, call: Call) -> Answer:
    """``POST .../batch/read``: 207 when some are missing; a result does not say which input it answers."""
    document = call.document()
    history, wanted = call.names("propertiesWithHistory"), call.names("properties")
    inputs = _inputs(call, ("id",), MOST_WITH_HISTORY if history else MOST)
    id_property, archived = _id_property(document), call.truth("archived")
    found: dict[int, Contact] = {}
    missing: list[str] = []
    for one in inputs:
        contact = contacts.find(str(one["id"]), id_property)
        if contact is None or (contact.archived_at is not None) != archived:
            missing.append(str(one["id"]))
        else:
            found[contact.id] = contact
    results = [read_record(contacts, one, wanted, history, dated=call.dated) for one in found.values()]
    message = "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."
    error = Refused(404, "OBJECT_NOT_FOUND", message).in_batch({"ids": missing})
    return _answered(contacts, results, [error] if missing else [], 200)


def archive(contacts: Contacts, call: Call) -> Answer:
    """``POST .../batch/archive``: 204, whatever was there."""
    for one in _inputs(call, ("id",)):
        call.break_off()
        contact = contacts.find(str(one["id"]))
        if contact is not None:
            contacts.archive(contact, call.source)
        call.element_done()
    return Answer(204)


def _upserted(contacts: Contacts, call: Call, one: Json) -> tuple[Contact, bool]:
    name, value, given = str(one["idProperty"]), str(one["id"]), one["properties"]
    found = contacts.find(value, name)
    if found is not None and found.archived_at is None:
        erase = name == "email" and contacts.readings.email_upsert == "erases"
        return contacts.update(found, given, call.source, erase=erase), False
    if not isinstance(given, dict):
        raise invalid("Invalid input JSON: the required field 'properties' is missing")
    return contacts.create({name: value} | given, call.source), True


def _each(contacts: Contacts, call: Call, inputs: list[Json], work: Work, success: int) -> Answer:
    partial = _traced(inputs)
    results: list[Json] = []
    errors: list[Json] = []
    for one in inputs:
        call.break_off()
        try:
            result = work(one)
        except Refused as refused:
            if not partial:
                raise
            errors.append(refused.in_batch({"objectWriteTraceId": [one["objectWriteTraceId"]]}))
            continue
        call.element_done()
        if result is not None:
            results.append(result)
    return _answered(contacts, results, errors, success)


def _answered(contacts: Contacts, results: list[Json], errors: list[Json], success: int) -> Answer:
    """The results in another order than the inputs, the same one for the same records."""
    if contacts.readings.shuffle_results and len(results) > 1:
        before = list(results)
        random.Random(len(results)).shuffle(results)
        if results == before:
            results.reverse()
    return Answer(207 if errors else success, batch(results, errors, contacts.records.now()))


def _written(contacts: Contacts, contact: Contact, one: Json, call: Call) -> Json:
    shown = written_record(contacts, contact, list(one["properties"]), dated=call.dated)
    trace = one.get("objectWriteTraceId")
    return shown | ({"objectWriteTraceId": trace} if trace else {})


def _inputs(call: Call, required: tuple[str, ...], most: int = MOST) -> list[Json]:
    inputs = call.document().get("inputs")
    if not isinstance(inputs, list):
        raise invalid("Invalid input JSON: the required field 'inputs' is missing")
    if len(inputs) > most:
        raise invalid(f"The maximum number of inputs supported in a batch request is {most}. Received {len(inputs)}.")
    for one in inputs:
        for name in required:
            if not isinstance(one, dict) or one.get(name) is None:
                raise invalid(f"Invalid input JSON: the required field '{name}' is missing in an input")
        if "properties" in required and not isinstance(one["properties"], dict):
            raise invalid("Invalid input JSON: 'properties' is an object")
    return inputs


def _key(one: Json) -> str:
    return normal_email(str(one["id"])) if one.get("idProperty") == "email" else str(one["id"])


def _id_property(one: Json) -> str | None:
    found = one.get("idProperty")
    return str(found) if found else None


def _refuse_repeats(keys: list[str]) -> None:
    repeated = [key for key, times in Counter(keys).items() if times > 1]
    if repeated:
        raise duplicates(repeated)


def _traced(inputs: list[Json]) -> bool:
    traces = [one.get("objectWriteTraceId") for one in inputs]
    return all(isinstance(trace, str) and trace for trace in traces) and len(set(traces)) == len(traces)


def _no_associations(one: Json) -> None:
    if one.get("associations"):
        raise invalid("There are no objects to associate a contact with in this account")
