"""``POST /lists/{id}``: up to 500 members in one call, with the refusals inside a 200."""

from __future__ import annotations

from typing import Any

from sandbox.mailchimp import answers
from sandbox.mailchimp.answers import Json, Problem, bad_field
from sandbox.mailchimp.call import Call
from sandbox.mailchimp.members import BOUNCED, BY_PERSON, UNDER_REVIEW, Members, checked_email, email_hash
from sandbox.mailchimp.render import Render
from sandbox.mailchimp.tags import Tags

MOST_MEMBERS = 500


class BatchSubscribe:
    """One such call. It has no ``status_if_new``: with ``update_existing``, the status of who is there changes too."""

    def __init__(self, members: Members, tags: Tags, render: Render) -> None:
        self._members = members
        self._tags = tags
        self._render = render

    def run(self, call: Call, list_id: str) -> Json:
        """What the call answers. Raises Problem where it is refused as a whole."""
        data = call.data()
        given = data.get("members")
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            raise bad_field("members", "Required fields were not provided: members")
        if len(given) > MOST_MEMBERS:
            raise answers.invalid(f"You may only batch up to {MOST_MEMBERS} members at a time.")
        created: list[Json] = []
        updated: list[Json] = []
        errors: list[Json] = []
        seen: set[str] = set()
        for place, one in enumerate(given):
            if call.partial_after is not None and place >= call.partial_after:
                call.lost = True
                break
            try:
                hash_ = email_hash(checked_email(one.get("email_address")))
                if hash_ in seen:
                    if call.switch("skip_duplicate_check"):
                        continue
                    raise answers.invalid("This address stands more than once in the call.")
                seen.add(hash_)
                is_new, member = self._one(call, list_id, data, one)
                shown = self._render.member(call.base, list_id, member)
                (created if is_new else updated).append(shown)
            except Problem as problem:
                errors.append(_error(one, problem))
        return {
            "new_members": created,
            "updated_members": updated,
            "errors": errors,
            "total_created": len(created),
            "total_updated": len(updated),
            "error_count": len(errors),
            "_links": [],
        }

    def _one(self, call: Call, list_id: str, data: Json, given: Json) -> tuple[bool, Json]:
        skip = call.switch("skip_merge_validation")
        names = self._tags.names(given.get("tags"))
        kept = self._members.find(list_id, given["email_address"])
        if kept is None:
            return True, self._members.add(list_id, given, skip)
        if not data.get("update_existing"):
            raise answers.member_exists(given["email_address"])
        if kept["opt_out"] in (BY_PERSON, BOUNCED, UNDER_REVIEW) and kept["status"] != "archived":
            given = {name: value for name, value in given.items() if name != "status"}  # ignored, without a word
        member = self._members.update(list_id, kept, given, skip)
        if data.get("sync_tags") is True:
            changed = self._tags.replace(list_id, member, names)
        else:
            changed = self._tags.apply(list_id, member, [(name, True) for name in names])
        return False, self._members.save(list_id, member, None if changed else member)


def _error(given: Json, problem: Problem) -> Json:
    first: dict[str, Any] = problem.errors[0] if problem.errors else {}
    return {
        "email_address": str(given.get("email_address") or ""),
        "error": problem.detail,
        "error_code": "ERROR_CONTACT_EXISTS" if problem.title == "Member Exists" else "ERROR_GENERIC",
        "field": first.get("field", ""),
        "field_message": first.get("message", ""),
    }
