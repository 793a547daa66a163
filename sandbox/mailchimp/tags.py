"""Tags: names without case in one audience, made when somebody gets them."""

from __future__ import annotations

from typing import Any

from sandbox.mailchimp.answers import Json, bad_field
from sandbox.mailchimp.records import Records, written

LONGEST_NAME = 100
SHOWN_ON_MEMBER = 50


class Tags:
    """The rules. A member keeps its tags as ``[id, moment]``, the newest first."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def changes(self, given: Json) -> list[tuple[str, bool]]:
        """Read ``{"tags": [{"name", "status"}]}``. Raises Problem."""
        entries = given.get("tags")
        if not isinstance(entries, list):
            raise bad_field("tags", "Required fields were not provided: tags")
        found = []
        for place, entry in enumerate(entries):
            if not isinstance(entry, dict) or entry.get("status") not in ("active", "inactive"):
                raise bad_field(f"tags.{place}.status", "The value is one of: active, inactive.")
            found.append((_name(entry.get("name"), f"tags.{place}.name"), entry["status"] == "active"))
        return found

    def names(self, given: Any) -> list[str]:
        """Read a plain list of names, as adding members takes it. Raises Problem."""
        if given is None:
            return []
        if not isinstance(given, list):
            raise bad_field("tags", "Schema describes array, something else found instead.")
        return [_name(one, f"tags.{place}") for place, one in enumerate(given)]

    def apply(self, list_id: str, member: Json, changes: list[tuple[str, bool]]) -> bool:
        """Give and take tags; True where that changed anything."""
        before = [one[0] for one in member["tags"]]
        for name, active in changes:
            tag = self._records.tag_id(list_id, name)
            has = tag is not None and any(one[0] == tag for one in member["tags"])
            if active and not has:
                tag = self._records.make_tag(list_id, name) if tag is None else tag
                member["tags"].insert(0, [tag, written(self._records.now())])
            elif has and not active:
                member["tags"] = [one for one in member["tags"] if one[0] != tag]
        return before != [one[0] for one in member["tags"]]

    def replace(self, list_id: str, member: Json, names: list[str]) -> bool:
        """``sync_tags``: exactly these, whoever gave the others."""
        wanted = {name.casefold() for name in names}
        gone = [(tag["name"], False) for tag in self.shown(list_id, member) if tag["name"].casefold() not in wanted]
        return self.apply(list_id, member, [*gone, *((name, True) for name in names)])

    def shown(self, list_id: str, member: Json) -> list[Json]:
        """All tags of a member, the newest first."""
        names = self._records.tag_names(list_id) if member["tags"] else {}
        return [{"id": tag, "name": names[tag], "date_added": added} for tag, added in member["tags"] if tag in names]

    def search(self, list_id: str, beginning: str) -> list[Json]:
        """The audience's tags whose names begin so."""
        names = self._records.tag_names(list_id)
        found = [{"id": tag, "name": name} for tag, name in names.items()]
        return [one for one in found if str(one["name"]).casefold().startswith(beginning.casefold())]


def _name(given: Any, where: str) -> str:
    if not isinstance(given, str) or not given.strip():
        raise bad_field(where, "This value should not be blank.")
    if len(given.strip()) > LONGEST_NAME:
        raise bad_field(where, f"A tag has at most {LONGEST_NAME} characters.")
    return given.strip()
