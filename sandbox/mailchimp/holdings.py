"""What the stand-in holds as a whole: loading other objects, and showing all of it."""

from __future__ import annotations

from typing import Any

from sandbox.mailchimp.account import Account
from sandbox.mailchimp.answers import Json, Problem
from sandbox.mailchimp.members import BOUNCED, BY_PERSON, STATUSES, UNDER_REVIEW, checked_email, email_hash
from sandbox.mailchimp.records import written

LOADABLE = ("lists", "merge_fields", "tags", "members", "forgotten", "compliance")
BASE = "https://us6.admin.mailchimp.example"
_REASONS = (BY_PERSON, BOUNCED, UNDER_REVIEW)


def audience(list_id: str, name: str, made: str, web_id: int) -> Json:
    """A new audience, without members."""
    return {
        "id": list_id,
        "web_id": web_id,
        "name": name,
        "contact": {
            "company": "Harbour Education",
            "address1": "1 Harbour Street",
            "address2": "",
            "city": "Sydney",
            "state": "NSW",
            "zip": "2000",
            "country": "AU",
            "phone": "",
        },
        "permission_reminder": "You asked us for news about your studies.",
        "use_archive_bar": True,
        "campaign_defaults": {
            "from_name": "Harbour Education",
            "from_email": "news@agency.example",
            "subject": "",
            "language": "en",
        },
        "notify_on_subscribe": "",
        "notify_on_unsubscribe": "",
        "date_created": made,
        "list_rating": 3,
        "email_type_option": False,
        "subscribe_url_short": "https://eepurl.example/abc",
        "subscribe_url_long": f"https://agency.us6.list-manage.example/subscribe?id={list_id}",
        "beamer_address": "us6-abc@inbound.mailchimp.example",
        "visibility": "prv",
        "double_optin": False,
        "has_welcome": False,
        "marketing_permissions": False,
        "modules": [],
    }


def load(account: Account, objects: dict[str, Any]) -> dict[str, int]:
    """Replace the named kinds by the given objects, each as the API returns it; kinds that are not named stay.

    Objects say their ``list_id``; without one they belong to the first audience. ``forgotten`` are ``{"list_id",
    "email_address" or "id"}``, ``compliance`` are ``{"list_id", "email_address" or "id", "reason"}``.
    Raises ValueError, and then nothing is changed.
    """
    unknown = sorted(set(objects) - set(LOADABLE))
    if unknown:
        raise ValueError(f"Mailchimp holds no {', '.join(unknown)}. It holds {', '.join(LOADABLE)}.")
    counts = {}
    with account.records.store.transaction():
        for kind in LOADABLE:
            if kind not in objects:
                continue
            given = objects[kind]
            if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
                raise ValueError(f"{kind} is a list of objects.")
            if kind != "compliance":
                account.records.clear(kind)
            for one in given:
                _load_one(account, kind, one)
            counts[kind] = len(given)
    return counts


def state(account: Account) -> dict[str, Any]:
    """Everything, each object as the API returns it; ``members`` with all of their tags."""
    records = account.records
    held: dict[str, Any] = {kind: [] for kind in LOADABLE} | {"forgotten": records.forgotten()}
    for audience_ in records.lists():
        list_id = audience_["id"]
        held["lists"].append(account.render.list_(BASE, audience_))
        held["merge_fields"] += [account.render.field(BASE, list_id, one) for one in records.fields(list_id)]
        held["tags"] += [
            {"id": tag, "name": name, "list_id": list_id} for tag, name in records.tag_names(list_id).items()
        ]
        for member in records.members(list_id, "", (), "seq", (-1, 0)):
            tags = [{"id": tag["id"], "name": tag["name"]} for tag in account.tags.shown(list_id, member)]
            held["members"].append(account.render.member(BASE, list_id, member) | {"tags": tags})
            if member["opt_out"] in _REASONS:
                held["compliance"].append({"list_id": list_id, "id": member["id"], "reason": member["opt_out"]})
    held["batches"] = account.batches.all(BASE)
    return held


def _load_one(account: Account, kind: str, given: Json) -> None:
    records = account.records
    if kind == "lists":
        made = written(records.now())
        empty = audience(str(given.get("id") or records.new_id(10)), "Audience", made, records.number())
        records.put_list(empty | {name: value for name, value in given.items() if name in empty})
        return
    list_id = str(given.get("list_id") or records.lists()[0]["id"])
    if records.list_(list_id) is None:
        raise ValueError(f"There is no audience {list_id!r}.")
    try:
        _LOADERS[kind](account, list_id, given)
    except (Problem, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{kind} {given.get('email_address') or given.get('tag') or given}: {error}") from error


def _load_field(account: Account, list_id: str, given: Json) -> None:
    field = account.fields.add(list_id, given)
    if "merge_id" in given and given["merge_id"] != field["merge_id"]:
        account.records.remove_field(list_id, field["merge_id"])
        account.records.put_field(list_id, field | {"merge_id": int(given["merge_id"])})


def _load_tag(account: Account, list_id: str, given: Json) -> None:
    if account.records.tag_id(list_id, given["name"]) is None:
        account.records.make_tag(list_id, given["name"])


def _load_member(account: Account, list_id: str, given: Json) -> None:
    member = account.members.blank(checked_email(given["email_address"]))
    status = given.get("status", "subscribed")
    if status not in STATUSES:
        raise ValueError(f"status is one of {', '.join(STATUSES)}")
    taken = ("contact_id", "web_id", "email_type", "language", "vip", "location", "interests", "ip_signup",
             "timestamp_signup", "ip_opt", "timestamp_opt", "source", "unsubscribe_reason")  # fmt: skip
    member |= {name: given[name] for name in taken if name in given} | {"status": status}
    values = {tag: value for tag, value in (given.get("merge_fields") or {}).items() if value != ""}
    member["merge"] = account.fields.checked(list_id, {}, values, True)
    names = [tag["name"] if isinstance(tag, dict) else str(tag) for tag in given.get("tags", [])]
    account.tags.apply(list_id, member, [(name, True) for name in reversed(names)])
    member["last_changed"] = given.get("last_changed") or written(account.records.now())
    account.records.put_member(list_id, member)


def _load_forgotten(account: Account, list_id: str, given: Json) -> None:
    account.records.set_forgotten(list_id, _hash(given), True)


def _load_compliance(account: Account, list_id: str, given: Json) -> None:
    if given.get("reason") not in _REASONS:
        raise ValueError(f"reason is one of {', '.join(_REASONS)}")
    member = account.members.get(list_id, _hash(given))
    account.records.put_member(list_id, member | {"opt_out": given["reason"]})


def _hash(given: Json) -> str:
    return str(given.get("id") or email_hash(given["email_address"]))


_LOADERS = {
    "merge_fields": _load_field,
    "tags": _load_tag,
    "members": _load_member,
    "forgotten": _load_forgotten,
    "compliance": _load_compliance,
}
