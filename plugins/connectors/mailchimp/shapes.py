"""Mailchimp's members and fields as the contract's values, and ours as Mailchimp's operations. Pure.

A member's key is the MD5 of the lower-case address; `contact_id` stays when the address changes, and is the id that
links are kept by.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from qualy_sync.contracts.crm import Contact, Form, NewContact, Property, Write
from qualy_sync.contracts.errors import WrongShape
from qualy_sync.model import normal_email

EMAIL = "email"
LONGEST_TAG = 100
ARCHIVED = "archived"
STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
ASKED = ("id", "email_address", "status", "contact_id", "merge_fields", "tags", "tags_count", "last_changed")
MEMBERS_ASKED = ",".join([*(f"members.{name}" for name in ASKED), "total_items"])

_FORMS = {"number": Form.NUMBER, "date": Form.DATE, "phone": Form.PHONE}
_TYPES = {Form.NUMBER: "number", Form.DATE: "date"}
PUT, TAGS = "put", "tags"


def key_of(email: str) -> str:
    """The member's key in paths."""
    return hashlib.md5(normal_email(email).encode(), usedforsecurity=False).hexdigest()


def own_tag(prefix: str, name: str) -> str:
    """A tag of ours in the one spelling that is compared: Mailchimp's names have no case."""
    return f"{prefix}{name}".strip().lower()[:LONGEST_TAG].strip()


def contact(row: Any, prefix: str, tags: Iterable[Any] | None = None) -> Contact:
    """A member with every field that the answer holds. `tags`: all of them, where the answer shows but some."""
    if not isinstance(row, dict) or not isinstance(row.get("contact_id"), str):
        raise WrongShape("Mailchimp answered a member without contact_id.")
    address, status = row.get("email_address"), row.get("status")
    if not isinstance(address, str) or not isinstance(status, str):
        raise WrongShape("Mailchimp answered a member without address or status.")
    fields = row.get("merge_fields")
    values = {str(name): _text(value) for name, value in fields.items()} if isinstance(fields, dict) else {}
    shown = row.get("tags") if tags is None else tags
    email = normal_email(address)
    return Contact(
        id=row["contact_id"],
        values={**values, EMAIL: address.strip()},
        emails=(email,) if email else (),
        updated_at=_moment(row.get("last_changed")),
        archived=status == ARCHIVED,
        tags=frozenset(_own_tags(shown if isinstance(shown, list) else [], prefix)),
        standing=status,
    )


def hides_tags(row: Mapping[str, Any]) -> bool:
    """Whether a member has more tags than the answer shows (50 at most)."""
    shown, many = row.get("tags"), row.get("tags_count")
    return isinstance(many, int) and isinstance(shown, list) and many > len(shown)


def rows(content: Mapping[str, Any] | None, name: str) -> list[Any]:
    """The list of an answer: a missing one is never "none"."""
    found = content.get(name) if content is not None else None
    if not isinstance(found, list):
        raise WrongShape(f"Mailchimp's answer holds no {name}.")
    return found


def total(content: Mapping[str, Any] | None) -> int:
    found = content.get("total_items") if content is not None else None
    if not isinstance(found, int):
        raise WrongShape("Mailchimp's answer does not say how many there are.")
    return found


def property_(row: Any) -> Property:
    """A merge field."""
    if not isinstance(row, dict) or not isinstance(row.get("tag"), str):
        raise WrongShape("Mailchimp answered a merge field without a tag.")
    kind, options = str(row.get("type")), row.get("options")
    choices = options.get("choices") if isinstance(options, dict) else None
    return Property(
        name=row["tag"],
        label=str(row.get("name") or row["tag"]),
        form=_FORMS.get(kind, Form.TEXT),
        writable=kind != "address",
        options=frozenset(str(one) for one in choices) if isinstance(choices, list) else frozenset(),
    )


def new_field(wanted: Property) -> bytes:
    """A merge field of ours: never shown to members, never required."""
    kind = _TYPES.get(wanted.form, "text")
    return encode({"tag": wanted.name, "name": wanted.label, "type": kind, "required": False, "public": False})


# -- operations ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a body. `ref` and `contact_id` say whom it is about."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    name: str

    @property
    def kind(self) -> str:
        return self.name.partition("|")[0]

    @property
    def ref(self) -> str:
        return self.name.partition("|")[2].rpartition("|")[0]

    @property
    def contact_id(self) -> str:
        return self.name.rpartition("|")[2]

    def tags(self, status: str) -> frozenset[str]:
        """The tags that a tags operation gives (`active`) or takes (`inactive`)."""
        return frozenset(one["name"] for one in json.loads(self.body)["tags"] if one["status"] == status)


def operations_of(writes: Sequence[Write], audience: str, status_if_new: str, quiet_tags: bool) -> list[dict[str, Any]]:
    """The operations of a batched write. A member's status is said for somebody new alone, whatever is written.

    A change carries a status for somebody new too, since Mailchimp's PUT demands it: where the member vanished a
    moment ago it comes back as a plain customer, and never as a subscriber.
    """
    found: list[dict[str, Any]] = []
    for one in writes:
        new = isinstance(one, NewContact)
        contact_id = "" if isinstance(one, NewContact) else one.id
        address = one.values.get(EMAIL, "") or one.email
        fields = {name: value for name, value in one.values.items() if name != EMAIL}
        if new or fields or one.values.get(EMAIL):
            content: dict[str, Any] = {
                "email_address": address,
                "status_if_new": status_if_new if new else "transactional",
            }
            if fields:
                content["merge_fields"] = fields
            path = f"/lists/{audience}/members/{key_of(one.email)}"
            query = {"skip_merge_validation": "true"}
            found.append(_operation("PUT", path, query, content, f"{PUT}|{one.ref}|{contact_id}"))
        off = frozenset() if isinstance(one, NewContact) else one.tags_off
        if one.tags_on or off:
            tags = [{"name": name, "status": "active"} for name in sorted(one.tags_on)]
            tags += [{"name": name, "status": "inactive"} for name in sorted(off - one.tags_on)]
            path = f"/lists/{audience}/members/{key_of(address)}/tags"
            content = {"tags": tags, "is_syncing": quiet_tags}
            found.append(_operation("POST", path, {}, content, f"{TAGS}|{one.ref}|{contact_id}"))
    return found


def read_operations(body: bytes) -> list[Operation]:
    """The operations of a body of ours."""
    return [
        Operation(one["method"], one["path"], one.get("params") or {}, one["body"].encode(), one["operation_id"])
        for one in json.loads(body)["operations"]
    ]


def encode(document: Mapping[str, Any]) -> bytes:
    """JSON without blanks."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _operation(
    method: str, path: str, query: Mapping[str, str], content: Mapping[str, Any], name: str
) -> dict[str, Any]:
    return {
        "method": method,
        "path": path,
        "params": dict(query),
        "body": encode(content).decode(),
        "operation_id": name,
    }


def _own_tags(shown: Iterable[Any], prefix: str) -> Iterable[str]:
    for one in shown:
        name = str(one.get("name") or "").strip().lower() if isinstance(one, dict) else ""
        if name.startswith(prefix.strip().lower()):
            yield name


def _text(value: Any) -> str:
    if value is None or isinstance(value, (dict, list)):
        return ""
    return "true" if value is True else "false" if value is False else str(value)


def _moment(text: Any) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise WrongShape("Mailchimp answered a member that does not say when it changed.") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
