"""What people do: the marketers in Mailchimp's own pages, and the contacts in their mails and forms."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.mailchimp.account import Account
from sandbox.mailchimp.answers import Json, Problem
from sandbox.mailchimp.members import BOUNCED, BY_PERSON, STATUSES, UNDER_REVIEW, checked_email, email_hash
from sandbox.mailchimp.records import written

BASE = "https://us6.admin.mailchimp.example"


class ByHand:
    """``POST /control/ui/mailchimp`` with ``{"do": ..., "list": ..., "member": ..., ...}``.

    ``list`` is an audience's id (the first one when it is not given), ``member`` an address, hash or contact_id.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._records = account.records
        self._actions: dict[str, Callable[[str, Json], Json]] = {
            "create_member": self._create_member,
            "edit_member": self._edit_member,
            "change_email": self._change_email,
            "unsubscribe": self._unsubscribe,
            "resubscribe": self._resubscribe,
            "confirm": self._confirm,
            "clean": self._clean,
            "review": self._review,
            "archive": self._archive,
            "unarchive": self._unarchive,
            "delete_permanently": self._delete_permanently,
            "throttle": self._throttle,
            "add_tag": lambda list_id, given: self._tag(list_id, given, True),
            "remove_tag": lambda list_id, given: self._tag(list_id, given, False),
            "rename_tag": self._rename_tag,
            "delete_tag": self._delete_tag,
            "create_field": self._create_field,
            "edit_field": self._edit_field,
            "delete_field": self._delete_field,
        }

    def do(self, given: Json) -> Json:
        """Do one thing, and return the member or field. Raises ValueError with what is wrong."""
        action = self._actions.get(str(given.get("do")))
        if action is None:
            raise ValueError(f"do is one of: {', '.join(self._actions)}")
        list_id = str(given.get("list") or self._records.lists()[0]["id"])
        if self._records.list_(list_id) is None:
            raise ValueError(f"There is no audience {list_id!r}.")
        with self._records.store.transaction():
            try:
                return action(list_id, given)
            except Problem as problem:
                raise ValueError(f"{problem.detail} {problem.errors or ''}".strip()) from problem

    def _create_member(self, list_id: str, given: Json) -> Json:
        """``fields`` as in the API, ``status`` subscribed unless given; nothing is required of a marketer."""
        fields = {"status": "subscribed", "email_address": given.get("member")} | _fields(given)
        member = self._account.members.add(list_id, fields, True)
        return self._shown(list_id, member | {"source": "Admin Add"})

    def _edit_member(self, list_id: str, given: Json) -> Json:
        fields = _fields(given)
        if "status" in fields:
            raise ValueError("A status changes by unsubscribe, resubscribe, clean, archive and the like.")
        return self._shown(list_id, self._account.members.update(list_id, self._member(list_id, given), fields, True))

    def _change_email(self, list_id: str, given: Json) -> Json:
        change = {"email_address": checked_email(given.get("email"))}
        return self._shown(list_id, self._account.members.update(list_id, self._member(list_id, given), change, True))

    def _unsubscribe(self, list_id: str, given: Json) -> Json:
        """The person clicked the link in a mail."""
        reason = str(given.get("reason") or "N/A (Unsubscribed by an admin)")
        change = {"status": "unsubscribed", "opt_out": BY_PERSON, "unsubscribe_reason": reason}
        return self._saved(list_id, given, change)

    def _resubscribe(self, list_id: str, given: Json) -> Json:
        """The person filled in a form: that brings everybody back, the permanently deleted too."""
        email = str(given.get("member", ""))
        kept = self._account.members.find(list_id, email)
        if kept is None:
            self._records.set_forgotten(list_id, email_hash(checked_email(email)), False)
            kept = self._account.members.blank(email) | {"source": "Hosted Signup Form"}
        now = written(self._records.now())
        change = {"status": "subscribed", "opt_out": None, "timestamp_opt": now, "timestamp_signup": now}
        return self._shown(list_id, kept | change)

    def _confirm(self, list_id: str, given: Json) -> Json:
        """The person clicked in the mail that ``pending`` sends."""
        if self._member(list_id, given)["status"] != "pending":
            raise ValueError("Only a pending member has a mail to confirm.")
        return self._resubscribe(list_id, given | {"member": self._member(list_id, given)["email_address"]})

    def _clean(self, list_id: str, given: Json) -> Json:
        """Mails to the address came back."""
        return self._saved(list_id, given, {"status": "cleaned", "opt_out": BOUNCED})

    def _review(self, list_id: str, given: Json) -> Json:
        """Mailchimp looks into how the address came here."""
        return self._saved(list_id, given, {"status": "unsubscribed", "opt_out": UNDER_REVIEW})

    def _archive(self, list_id: str, given: Json) -> Json:
        return self._saved(list_id, given, {"status": "archived"})

    def _unarchive(self, list_id: str, given: Json) -> Json:
        if self._member(list_id, given)["status"] != "archived":
            raise ValueError("The member is not archived.")
        status = str(given.get("status", "subscribed"))
        if status not in STATUSES:
            raise ValueError(f"status is one of: {', '.join(STATUSES)}")
        return self._saved(list_id, given, {"status": status, "opt_out": None})

    def _delete_permanently(self, list_id: str, given: Json) -> Json:
        member = self._member(list_id, given)
        self._account.members.forget(list_id, member)
        return {"id": member["id"], "forgotten": True}

    def _throttle(self, list_id: str, given: Json) -> Json:
        """The address signed up to many audiences: for ``seconds``, no more sign-ups."""
        seconds = float(given.get("seconds", 86_400))
        self._records.throttle(list_id, email_hash(checked_email(given.get("member"))), seconds)
        return {"member": given.get("member"), "seconds": seconds}

    def _tag(self, list_id: str, given: Json, active: bool) -> Json:
        member = self._member(list_id, given)
        status = "active" if active else "inactive"
        changes = self._account.tags.changes({"tags": [{"name": given.get("tag"), "status": status}]})
        self._account.members.tag(list_id, member, changes)
        return self._account.render.member(BASE, list_id, member)

    def _rename_tag(self, list_id: str, given: Json) -> Json:
        name = self._account.tags.names([given.get("name")])[0]
        tag = self._tag_id(list_id, given)
        other = self._records.tag_id(list_id, name)
        if other is not None and other != tag:
            raise ValueError(f"There is a tag {name!r} already.")
        self._records.execute("UPDATE mailchimp_tags SET name = ?, folded = ? WHERE id = ?", name, name.casefold(), tag)
        return {"id": tag, "name": name}

    def _delete_tag(self, list_id: str, given: Json) -> Json:
        tag = self._tag_id(list_id, given)
        self._records.execute("DELETE FROM mailchimp_tags WHERE id = ?", tag)
        return {"id": tag, "deleted": True}

    def _create_field(self, list_id: str, given: Json) -> Json:
        return self._account.render.field(BASE, list_id, self._account.fields.add(list_id, _fields(given)))

    def _edit_field(self, list_id: str, given: Json) -> Json:
        """Such as ``{"field": "PHONE", "fields": {"required": true}}``."""
        merge_id = self._merge_id(list_id, given)
        field = self._account.fields.update(list_id, merge_id, _fields(given))
        return self._account.render.field(BASE, list_id, field)

    def _delete_field(self, list_id: str, given: Json) -> Json:
        self._account.fields.remove(list_id, self._merge_id(list_id, given))
        return {"field": given["field"], "deleted": True}

    def _member(self, list_id: str, given: Json) -> Json:
        found = self._account.members.find(list_id, str(given.get("member", "")))
        if found is None:
            raise ValueError(f"There is no member {given.get('member')!r}; give an address, a hash or a contact_id.")
        return found

    def _tag_id(self, list_id: str, given: Json) -> int:
        found = self._records.tag_id(list_id, str(given.get("tag", "")))
        if found is None:
            raise ValueError(f"There is no tag {given.get('tag')!r}.")
        return found

    def _merge_id(self, list_id: str, given: Json) -> str:
        for field in self._records.fields(list_id):
            if field["tag"] == given.get("field"):
                return str(field["merge_id"])
        raise ValueError(f"There is no merge field {given.get('field')!r}; give its tag.")

    def _saved(self, list_id: str, given: Json, change: Json) -> Json:
        return self._shown(list_id, self._member(list_id, given) | change)

    def _shown(self, list_id: str, member: Json) -> Json:
        return self._account.render.member(BASE, list_id, self._account.members.save(list_id, member, None))


def _fields(given: Json) -> Json:
    fields = given.get("fields", {})
    if not isinstance(fields, dict):
        raise ValueError("fields is an object of the fields to set, named as the API names them.")
    return fields
