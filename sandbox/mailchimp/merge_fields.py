"""Merge fields: the columns of an audience, made by people and apps, and the rules for what members have in them."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from sandbox.mailchimp.answers import Json, bad_field, invalid, not_found
from sandbox.mailchimp.knobs import Knobs
from sandbox.mailchimp.records import Records

TYPES = (
    "text", "number", "address", "phone", "date", "url", "imageurl", "radio", "dropdown", "birthday", "zip",
)  # fmt: skip
LONGEST_TEXT = 255
_TAG = re.compile(r"[A-Z0-9_]{1,10}")
_US_PHONE = re.compile(r"\d{3}-\d{3}-\d{4}")
_ADDRESS = ("addr1", "city", "state", "zip")
_OPTIONS = ("default_country", "phone_format", "date_format", "choices", "size")
_INVALID = "Your merge fields were invalid."
_NO_SCHEMA = "Data did not match any of the schemas described in anyOf."


class WrongValue(Exception):
    """A value does not fit its field; the message is for the field."""


class MergeFields:
    """The rules, over what is kept. A member's values are kept by ``merge_id``, so a field can be renamed."""

    def __init__(self, records: Records, knobs: Knobs) -> None:
        self._records = records
        self._knobs = knobs

    def get(self, list_id: str, merge_id: str) -> Json:
        """One field. Raises Problem 404."""
        for field in self._records.fields(list_id):
            if str(field["merge_id"]) == merge_id:
                return field
        raise not_found()

    def add(self, list_id: str, given: Json) -> Json:
        """A new field; without a ``tag`` it becomes MMERGEn. Raises Problem."""
        name, kind = given.get("name"), given.get("type")
        if not isinstance(name, str) or not name.strip():
            raise bad_field("name", "This value should not be blank.")
        if kind not in TYPES:
            raise bad_field("type", f"The value is one of: {', '.join(TYPES)}.")
        present = self._records.fields(list_id)
        if len(present) >= self._knobs.limit("merge_fields"):
            raise invalid("This audience has as many merge fields as the plan allows.")
        merge_id = 1 + max((field["merge_id"] for field in present), default=0)
        field = {
            "merge_id": merge_id,
            "tag": f"MMERGE{merge_id}",
            "name": name,
            "type": kind,
            "required": False,
            "default_value": "",
            "public": False,
            "display_order": merge_id + 1,
            "options": {"size": 25} if kind == "text" else {},
            "help_text": "",
        }
        return self._saved(list_id, field, given)

    def update(self, list_id: str, merge_id: str, given: Json) -> Json:
        """Change a field; its type stays what it is. Raises Problem."""
        field = self.get(list_id, merge_id)
        if given.get("type", field["type"]) != field["type"]:
            raise bad_field("type", "The type of a merge field cannot be changed.")
        if "name" in given and (not isinstance(given["name"], str) or not given["name"].strip()):
            raise bad_field("name", "This value should not be blank.")
        return self._saved(list_id, field, given)

    def remove(self, list_id: str, merge_id: str) -> None:
        """Delete a field, with what members have in it. Raises Problem 404."""
        self._records.remove_field(list_id, self.get(list_id, merge_id)["merge_id"])

    def checked(self, list_id: str, kept: Json, given: Any, skip_required: bool) -> Json:
        """``kept`` (values by merge_id) with the ``given`` ones (by tag) in it. Unknown tags are dropped, silently.

        Raises Problem that names every field whose value is wrong or missing.
        """
        if given is not None and not isinstance(given, dict):
            raise bad_field("merge_fields", "Schema describes object, something else found instead.")
        values = dict(kept)
        problems = []
        for field in self._records.fields(list_id):
            key, tag = str(field["merge_id"]), field["tag"]
            if given and tag in given:
                try:
                    values[key] = self._converted(field, given[tag], values.get(key, ""))
                except WrongValue as wrong:
                    problems.append({"field": tag, "message": str(wrong)})
            missing = field["required"] and not skip_required and values.get(key, "") == ""
            if missing and not any(problem["field"] == tag for problem in problems):
                problems.append({"field": tag, "message": "Please enter a value"})
        if problems:
            raise invalid(_INVALID, problems)
        return values

    def shown(self, list_id: str, values: Json) -> Json:
        """A member's values by tag: every field of the audience, ``""`` where it has none."""
        return {field["tag"]: values.get(str(field["merge_id"]), "") for field in self._records.fields(list_id)}

    def _converted(self, field: Json, value: Any, before: Any) -> Any:
        if value is None:
            reading = self._knobs.reading("null_merge_value")
            if reading == "refused":
                raise bad_field(f"merge_fields.{field['tag']}", _NO_SCHEMA)
            return before if reading == "ignored" else ""
        allowed = isinstance(value, str | int | float) and not isinstance(value, bool)
        if not allowed and not (isinstance(value, dict) and field["type"] == "address"):
            raise bad_field(f"merge_fields.{field['tag']}", _NO_SCHEMA)
        return value if value == "" else converted(field, value)

    def _saved(self, list_id: str, field: Json, given: Json) -> Json:
        tag = given.get("tag") or field["tag"]
        if not isinstance(tag, str) or not _TAG.fullmatch(tag):
            raise bad_field("tag", "A merge tag has up to 10 upper-case letters, digits and underscores.")
        for other in self._records.fields(list_id):
            if other["merge_id"] != field["merge_id"] and other["tag"] == tag:
                raise invalid(f"A merge field with the tag {tag} exists already.")
        for name in ("required", "public"):
            if not isinstance(given.get(name, False), bool):
                raise bad_field(name, "Schema describes boolean, something else found instead.")
        plain = ("name", "required", "public", "default_value", "display_order", "help_text")
        field |= {name: given[name] for name in plain if name in given} | {"tag": tag}
        field["options"] |= _options(field["type"], given)
        if field["type"] in ("radio", "dropdown") and not field["options"].get("choices"):
            raise bad_field("options.choices", "A field of this type needs choices.")
        self._records.put_field(list_id, field)
        return field


def converted(field: Json, value: Any) -> Any:
    """A value (text, number, or the parts of an address) as a field of its type keeps it. Raises WrongValue."""
    kind = field["type"]
    if kind == "address":
        return _address(value)
    if kind == "number":
        return _number(value)
    if kind in _TEXTS:
        return _TEXTS[kind](field["options"], str(value))
    if len(str(value).encode()) > LONGEST_TEXT:
        raise WrongValue(f"Please enter a value of at most {LONGEST_TEXT} bytes")
    return str(value)


def _options(kind: str, given: Json) -> Json:
    options = given.get("options") or {}
    if not isinstance(options, dict):
        raise bad_field("options", "Schema describes object, something else found instead.")
    choices = options.get("choices")
    if choices is not None:
        wrong = not isinstance(choices, list) or not all(isinstance(one, str) and one for one in choices)
        if wrong or kind not in ("radio", "dropdown"):
            raise bad_field("options.choices", "Choices are texts, for the types radio and dropdown.")
    return {name: options[name] for name in _OPTIONS if name in options}


def _number(value: Any) -> int | float:
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", str(value).strip(), re.ASCII):
        raise WrongValue("Please enter a number")
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _address(value: Any) -> Json:
    if not isinstance(value, dict) or not all(isinstance(value.get(part), str) and value[part] for part in _ADDRESS):
        raise WrongValue("Please enter a complete address")
    return {name: str(value.get(name, "")) for name in ("addr1", "addr2", "city", "state", "zip", "country")}


def _date(_: Json, text: str) -> str:
    for form in ("%Y-%m-%d", "%m/%d/%Y"):
        try:
            return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a calendar day
        except ValueError:
            continue
    raise WrongValue("Please enter a date")


def _birthday(_: Json, text: str) -> str:
    try:
        month, day = (int(part) for part in text.split("/"))
        date(2024, month, day)
    except ValueError as error:
        raise WrongValue("Please enter a month (01-12) and a day (01-31)") from error
    return f"{month:02}/{day:02}"


def _url(_: Json, text: str) -> str:
    if not re.match(r"https?://[^\s/]+", text):
        raise WrongValue("Please enter a valid URL")
    return text


def _phone(options: Json, text: str) -> str:
    if options.get("phone_format") == "US" and not _US_PHONE.fullmatch(text):
        raise WrongValue("Please enter a phone number such as 404-555-0112")
    if len(text.encode()) > LONGEST_TEXT:
        raise WrongValue("Please enter a phone number")
    return text


def _choice(options: Json, text: str) -> str:
    if text not in options["choices"]:
        raise WrongValue("Please choose one of the given values")
    return text


def _zip(_: Json, text: str) -> str:
    if not re.fullmatch(r"\d{5}", text):
        raise WrongValue("Please enter a zip code of 5 digits")
    return text


_TEXTS = {
    "date": _date,
    "birthday": _birthday,
    "url": _url,
    "imageurl": _url,
    "phone": _phone,
    "radio": _choice,
    "dropdown": _choice,
    "zip": _zip,
}
