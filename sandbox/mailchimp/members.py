"""Members of an audience: who they are, and what may become of their status by API."""

from __future__ import annotations

import copy
import hashlib
import re
from typing import Any

from sandbox.mailchimp import answers
from sandbox.mailchimp.answers import Json, bad_field
from sandbox.mailchimp.knobs import Knobs
from sandbox.mailchimp.merge_fields import MergeFields
from sandbox.mailchimp.records import Records, written
from sandbox.mailchimp.tags import Tags

WRITABLE = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
STATUSES = (*WRITABLE, "archived")
BY_API, BY_PERSON, BOUNCED, UNDER_REVIEW = "api", "person", "bounce", "review"
_EMAIL = re.compile(r"[^\s@,;<>\"]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_FAKE = ("example.com", "example.net", "example.org")
_PLAIN: dict[str, type | tuple[type, ...]] = {
    "email_type": str, "language": str, "vip": bool, "location": dict, "interests": dict, "ip_signup": str,
    "timestamp_signup": str, "ip_opt": str, "timestamp_opt": str, "marketing_permissions": list,
}  # fmt: skip


class Members:
    """The rules, over what is kept. All raise Problem for what Mailchimp refuses."""

    def __init__(self, records: Records, fields: MergeFields, tags: Tags, knobs: Knobs) -> None:
        self._records = records
        self._fields = fields
        self._tags = tags
        self._knobs = knobs

    def find(self, list_id: str, key: str) -> Json | None:
        """A member by hash, plain address or ``contact_id``; archived ones are found too."""
        if "@" in key:
            return self._records.by_hash(list_id, email_hash(key))
        return self._records.by_hash(list_id, key.lower()) or self._records.by_contact(list_id, key.lower())

    def get(self, list_id: str, key: str) -> Json:
        """The same; 404 where there is none."""
        member = self.find(list_id, key)
        if member is None:
            raise answers.not_found()
        return member

    def add(self, list_id: str, given: Json, skip_required: bool) -> Json:
        """POST: a new member, or an archived one alive again with what it had."""
        email = checked_email(given.get("email_address"))
        status = checked_status(given, "status", required=True)
        names = self._tags.names(given.get("tags"))
        kept = self.find(list_id, email)
        if kept is not None and kept["status"] != "archived":
            raise answers.member_exists(email)
        member = kept or self._new(list_id, email)
        before = copy.deepcopy(kept)
        if kept is None:
            self._admit(list_id, email, status)
        self._change(list_id, member, given | {"status": status}, skip_required)
        self._tags.apply(list_id, member, [(name, True) for name in names])
        return self.save(list_id, member, before)

    def upsert(self, list_id: str, key: str, given: Json, skip_required: bool) -> Json:
        """PUT: ``status_if_new`` only for a new one, ``status`` (where given) for one that is there."""
        status_if_new = checked_status(given, "status_if_new")
        member = self.find(list_id, key)
        if member is None:
            return self._insert(list_id, key, given, status_if_new, skip_required)
        if member["status"] == "archived" and status_if_new and self._knobs.reading("put_revives_archived"):
            given = {"status": status_if_new} | given
        return self.update(list_id, member, given, skip_required)

    def update(self, list_id: str, member: Json, given: Json, skip_required: bool) -> Json:
        """Change the given parts of a member; another ``email_address`` moves it, with all that it has."""
        before = copy.deepcopy(member)
        checked_status(given, "status")
        if given.get("email_address") is not None:
            self._move(list_id, member, checked_email(given["email_address"]))
        self._change(list_id, member, given, skip_required)
        return self.save(list_id, member, before)

    def tag(self, list_id: str, member: Json, changes: list[tuple[str, bool]]) -> None:
        """Give and take tags."""
        if self._tags.apply(list_id, member, changes):
            self.save(list_id, member, None)

    def archive(self, list_id: str, member: Json) -> None:
        """DELETE: archived, with everything kept. 405 for one that is archived, pending or bounced."""
        if member["status"] in ("archived", "pending", "cleaned"):
            raise answers.not_allowed("GET, PATCH, PUT")
        self.save(list_id, member | {"status": "archived"}, member)

    def forget(self, list_id: str, member: Json) -> None:
        """Delete for ever: the address cannot be added again but by its owner."""
        self._records.remove_member(list_id, member)
        self._records.set_forgotten(list_id, member["id"], True)

    def save(self, list_id: str, member: Json, before: Json | None) -> Json:
        """Keep it; ``last_changed`` moves unless it is what it was ``before``."""
        if member != before:
            member["last_changed"] = written(self._records.now())
            self._records.put_member(list_id, member)
        return member

    def blank(self, email: str) -> Json:
        """A member with nothing but an address."""
        number = self._records.number()
        return {
            "id": email_hash(email),
            "email_address": email,
            "contact_id": self._records.new_id(32),
            "web_id": 400_000_000 + number,
            "status": "",
            "opt_out": None,
            "email_type": "html",
            "merge": {},
            "interests": {},
            "language": "",
            "vip": False,
            "location": {},
            "marketing_permissions": [],
            "ip_signup": "",
            "timestamp_signup": "",
            "ip_opt": "",
            "timestamp_opt": "",
            "source": "API - Generic",
            "unsubscribe_reason": "",
            "tags": [],
            "last_changed": "",
        }

    def _insert(self, list_id: str, key: str, given: Json, status_if_new: str | None, skip_required: bool) -> Json:
        email = checked_email(given.get("email_address") or (key if "@" in key else None))
        status = status_if_new or checked_status(given, "status")
        if status is None:
            raise bad_field("status_if_new", "This value should not be blank.")
        if self.find(list_id, email) is not None:
            raise answers.member_exists(email)
        self._admit(list_id, email, status)
        member = self._new(list_id, email)
        self._change(list_id, member, given | {"status": status}, skip_required)
        return self.save(list_id, member, None)

    def _new(self, list_id: str, email: str) -> Json:
        if self._records.is_forgotten(list_id, email_hash(email)):
            raise answers.forgotten(email)
        return self.blank(email)

    def _admit(self, list_id: str, email: str, status: str | None) -> None:
        if status in ("subscribed", "pending") and self._records.is_throttled(list_id, email_hash(email)):
            raise answers.signed_up_a_lot(email)

    def _move(self, list_id: str, member: Json, email: str) -> None:
        new = email_hash(email)
        if new != member["id"]:
            if self._records.by_hash(list_id, new) is not None:
                raise answers.member_exists(email)
            if self._records.is_forgotten(list_id, new):
                raise answers.forgotten(email)
        member |= {"id": new, "email_address": email}

    def _change(self, list_id: str, member: Json, given: Json, skip_required: bool) -> None:
        member["merge"] = self._fields.checked(list_id, member["merge"], given.get("merge_fields"), skip_required)
        for name, kind in _PLAIN.items():
            if given.get(name) is None:
                continue
            if not isinstance(given[name], kind):
                raise bad_field(name, "Schema describes another type.")
            member[name] = member[name] | given[name] if isinstance(given[name], dict) else given[name]
        if given.get("status") is not None:
            self._set_status(list_id, member, given["status"])

    def _set_status(self, list_id: str, member: Json, status: str) -> None:
        """By API. Who left by themselves, bounced or is under review comes back only by a mail to confirm."""
        if status == member["status"]:
            return
        bound = member["opt_out"] in (BY_PERSON, BOUNCED, UNDER_REVIEW) and member["status"] != "archived"
        if bound and status in ("subscribed", "transactional"):
            raise answers.in_compliance_state(member["email_address"])
        if member["status"] and status in ("subscribed", "pending"):
            self._admit(list_id, member["email_address"], status)
        opted_in = status == "subscribed" and not member["timestamp_opt"]
        member["status"] = status
        if status == "unsubscribed":
            member["opt_out"] = member["opt_out"] if bound else BY_API
        elif status == "cleaned":
            member["opt_out"] = BOUNCED
        elif status != "pending":
            member["opt_out"] = None
        if opted_in:
            member["timestamp_opt"] = written(self._records.now())


def email_hash(email: str) -> str:
    """The member's key: MD5 of the lower-case address."""
    return hashlib.md5(email.strip().lower().encode(), usedforsecurity=False).hexdigest()


def checked_email(given: Any) -> str:
    """An address that can be somebody's. Raises Problem."""
    if given is None or given == "":
        raise bad_field("email_address", "This value should not be blank.")
    if not isinstance(given, str) or not _EMAIL.fullmatch(given) or ".." in given:
        raise answers.invalid("Please provide a valid email address.")
    if given.rpartition("@")[2].lower() in _FAKE:
        raise answers.looks_fake(given)
    return given


def checked_status(given: Json, name: str, required: bool = False) -> str | None:
    """A status that can be written, or None where there is none. Raises Problem."""
    status = given.get(name)
    if status is None and not required:
        return None
    if status not in WRITABLE:
        raise bad_field(name, f"The value is one of: {', '.join(WRITABLE)}.")
    return str(status)
