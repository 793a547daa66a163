"""Pages of members: which query parameters choose and order them."""

from __future__ import annotations

from typing import Any

from sandbox.mailchimp.answers import Json, invalid
from sandbox.mailchimp.call import Call
from sandbox.mailchimp.knobs import Knobs
from sandbox.mailchimp.members import STATUSES
from sandbox.mailchimp.records import Records

_MOMENTS = {
    "since_last_changed": "changed > ?",
    "before_last_changed": "changed < ?",
    "since_timestamp_opt": "unixepoch(json_extract(doc, '$.timestamp_opt')) > ?",
    "before_timestamp_opt": "unixepoch(json_extract(doc, '$.timestamp_opt')) < ?",
}
_SORTS = {
    "last_changed": "changed",
    "timestamp_opt": "json_extract(doc, '$.timestamp_opt')",
    "timestamp_signup": "json_extract(doc, '$.timestamp_signup')",
}
_MISSING = ("interest_category_id", "interest_ids", "interest_match", "since_last_campaign", "unsubscribed_since")


def members_page(records: Records, knobs: Knobs, call: Call, list_id: str) -> tuple[list[Json], int]:
    """The members of a page, and how many fit in all. Raises Problem."""
    for name in _MISSING:
        if call.query.get(name):
            raise invalid(f"This stand-in does not know the parameter {name}.")
    conditions, values = _chosen(knobs, call)
    where = "".join(f" AND {one}" for one in conditions)
    page = records.members(list_id, where, values, _order(call), call.page())
    return page, records.count_members(list_id, where, values)


def _chosen(knobs: Knobs, call: Call) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    status = call.query.get("status")
    if status:
        if status not in STATUSES:
            raise invalid(f"status is one of {', '.join(STATUSES)}, not {status!r}.")
        conditions.append("status = ?")
        values.append(status)
    elif not knobs.reading("list_shows_archived"):
        conditions.append("status <> 'archived'")
    for name, condition in _MOMENTS.items():
        moment = call.moment(name)
        if moment is not None:
            conditions.append(condition)
            values.append(moment)
    if call.query.get("email_type"):
        conditions.append("json_extract(doc, '$.email_type') = ?")
        values.append(call.query["email_type"])
    if call.query.get("unique_email_id"):
        conditions.append("substr(hash, 1, 10) = ?")
        values.append(call.query["unique_email_id"])
    if call.switch("vip_only"):
        conditions.append("json_extract(doc, '$.vip') = 1")
    return conditions, values


def _order(call: Call) -> str:
    field, direction = call.query.get("sort_field"), call.query.get("sort_dir", "ASC").upper()
    if not field:
        return "seq"
    if field not in _SORTS or direction not in ("ASC", "DESC"):
        raise invalid(f"sort_field is one of {', '.join(_SORTS)}; sort_dir is ASC or DESC.")
    return f"{_SORTS[field]} {direction}, seq"
