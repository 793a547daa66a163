"""Reading what a client sent for an entity: known fields alone, each checked, references resolved."""

from __future__ import annotations

import re
from typing import Any

from sandbox.quickbooks.answers import Refused
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.shapes import REQUIRED, REQUIRED_WHOLE, SHAPES, Field
from sandbox.quickbooks.wire import amount, parse_day, ref, switch

Json = dict[str, Any]
_ADDRESS = re.compile(r"^[^@\s<>(),;:\"\[\]\\]+@[^@\s<>(),;:\"\[\]\\]+\.[^@\s<>(),;:\"\[\]\\.]+$")
_LISTS = ("Line", "LinkedTxn", "TaxLine")


def well_formed(given: Any, name: str = "") -> None:
    """Refuse lists, details and references that are something else. Raises Refused."""
    nothing = given in (None, "")
    if name in _LISTS and not nothing and not (isinstance(given, list) and all(isinstance(o, dict) for o in given)):
        raise Refused("2010", f"Property {name} is not a list of objects", name)
    if name.endswith("Detail") and not nothing and not isinstance(given, dict):
        raise Refused("2010", f"Property {name} is not an object", name)
    if name.endswith("Ref"):
        value = given.get("value") if isinstance(given, dict) else given
        if not (value is None or (isinstance(value, str | int) and not isinstance(value, bool))):
            raise Refused("2030", f"Invalid ID : {value}", name)
    if isinstance(given, dict):
        for part, value in given.items():
            well_formed(value, part)
    elif isinstance(given, list):
        for value in given:
            well_formed(value)


class Reader:
    """Turns what came in into fields as they are kept. ``old`` is what is kept so far, on an update."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def fields(self, kind: str, given: Json, old: Json | None = None) -> Json:
        """The writable fields that were given. Raises Refused.

        An empty text counts as "not given" on create and in a full update; in a sparse one it blanks the field.
        """
        sparse = old is not None and switch(given.get("sparse", False))
        self._demand(kind, given, sparse)
        found: Json = {}
        for field in SHAPES[kind].values():
            if field.name not in given or given[field.name] is None:
                continue
            if given[field.name] == "":
                if sparse:
                    found[field.name] = None
                continue
            value = self._value(field, given[field.name], old)
            if value is not None:
                found[field.name] = value
        if not sparse:
            return found
        kept = {name: old[name] for name in SHAPES[kind] if old and name in old}
        return {name: value for name, value in (kept | found).items() if value is not None}

    def resolve(self, target: str, id_: str, element: str, known: str = "") -> Json:
        """The record that a reference names. Raises Refused; one that was named before may have become inactive."""
        found = self._company.records.get(target, id_)
        if found is None:
            raise Refused("2500", f"Invalid Reference Id : {element} Id {id_} does not exist", element)
        if not found.get("Active", True) and id_ != known:
            detail = f"Something you're trying to use has been made inactive. {element} : {id_}"
            raise Refused(self._company.readings["inactive_reference"], detail, element)
        return found

    def _demand(self, kind: str, given: Json, sparse: bool) -> None:
        needed = REQUIRED.get(kind, ()) if sparse else (*REQUIRED.get(kind, ()), *REQUIRED_WHOLE.get(kind, ()))
        for name in needed:
            value = given.get(name)
            empty = isinstance(value, dict) and "value" in value and value["value"] in ("", None)
            if value in (None, "", [], {}) or empty:
                detail = f"Required parameter {name} is missing in the request"
                raise Refused("2020", detail, name)

    def _value(self, field: Field, value: Any, old: Json | None) -> Any:
        if field.type == "struct" and not isinstance(value, dict):
            raise Refused("2010", f"Property {field.name} is not an object", field.name)
        if field.type in ("lines", "object", "struct"):
            return self._latin(field, value)
        return getattr(self, f"_{field.type}")(field, value, old)

    def _text(self, field: Field, value: Any, _: Any = None) -> str:
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise Refused("2010", f"Property {field.name} is not a text", field.name)
        text = str(self._latin(field, str(value)))
        if field.limit and len(text) > field.limit:
            detail = f"String length specified does not match the supported length. Min:0 Max:{field.limit}"
            raise Refused("2050", f"{detail} supported. Supplied length:{len(text)}", field.name)
        return text

    def _cut(self, field: Field, value: Any, _: Any) -> str:
        """A text that is cut without a word."""
        if not isinstance(value, str | int):
            raise Refused("2010", f"Property {field.name} is not a text", field.name)
        return str(self._latin(field, str(value)))[: field.limit]

    def _memo(self, field: Field, value: Any, _: Any) -> Json:
        return {"value": self._text(field, value.get("value", "") if isinstance(value, dict) else value)}

    def _email(self, field: Field, value: Any, _: Any) -> Json | None:
        address = value.get("Address") if isinstance(value, dict) else value
        if address in (None, ""):
            return None
        text = self._text(field, address)
        if not all(_ADDRESS.match(one.strip()) for one in text.split(",")):
            raise Refused("2210", f"Email Address does not conform to the standard format: {text}", field.name)
        return {"Address": text}

    def _date(self, field: Field, value: Any, _: Any) -> str:
        try:
            return parse_day(value).isoformat()
        except ValueError as error:
            raise Refused("2060", f"Invalid date format. Value: {value}", field.name) from error

    def _number(self, field: Field, value: Any, _: Any) -> Any:
        try:
            return amount(value)
        except ValueError as error:
            raise Refused("2090", f"Invalid Number : {value}", field.name) from error

    def _bool(self, field: Field, value: Any, _: Any) -> bool:
        if str(value).lower() not in ("true", "false"):
            raise Refused("2010", f"Property {field.name} is true or false, not {value}", field.name)
        return switch(value)

    def _enum(self, field: Field, value: Any, _: Any) -> str:
        if value not in field.words:
            raise Refused("2170", f"Invalid Enumeration : {value}", field.name)
        return str(value)

    def _currency(self, field: Field, value: Any, old: Any) -> Json | None:
        code = value.get("value") if isinstance(value, dict) else value
        if code in (None, ""):
            return None
        kept = ref(old or {}, field.name)
        return dict(old[field.name]) if code == kept else self._company.currency(str(code))

    def _ref(self, field: Field, value: Any, old: Any) -> Json | None:
        given = value.get("value") if isinstance(value, dict) else value
        if given in (None, ""):
            return None
        found = self.resolve(field.target, str(given), field.name, ref(old or {}, field.name))
        name = found.get("FullyQualifiedName") or found.get("DisplayName") or found.get("Name") or ""
        return {"value": found["Id"], "name": name}

    def _latin(self, field: Field, value: Any) -> Any:
        """A company in the United States keeps ISO-8859-1 alone."""
        if not self._company.is_us:
            return value
        if isinstance(value, dict):
            return {name: self._latin(field, one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._latin(field, one) for one in value]
        if not isinstance(value, str):
            return value
        try:
            value.encode("latin-1")
        except UnicodeEncodeError as error:
            if self._company.readings["non_latin"] == "2040":
                raise Refused("2040", f"Property {field.name} has unsupported characters", field.name) from error
            return value.encode("latin-1", "replace").decode("latin-1")
        return value
