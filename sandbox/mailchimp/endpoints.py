"""Every address of the API, and what it does."""

from __future__ import annotations

import re
from collections.abc import Callable

from sandbox.mailchimp.account import Account
from sandbox.mailchimp.answers import Answer, Json, bad_field, no_content, not_allowed, not_found
from sandbox.mailchimp.call import Call, link
from sandbox.mailchimp.listing import members_page

Handler = Callable[..., Answer]


def work(account: Account, call: Call) -> Answer:
    """Do one call. Raises Problem."""
    path = call.path.rstrip("/") or "/"
    allowed = []
    for method, pattern, handler in _ROUTES:
        found = pattern.fullmatch(path)
        if found and method == call.method:
            if "list_id" in pattern.groupindex and account.records.list_(found["list_id"]) is None:
                raise not_found()
            return handler(account, call, **found.groupdict())
        if found:
            allowed.append(method)
    raise not_allowed(", ".join(allowed)) if allowed else not_found()


def _root(account: Account, call: Call) -> Answer:
    profile = {"account_id": "0123456789abcdef01234567", "account_name": "Harbour Education", "role": "owner"}
    return call.answer(profile | {"total_subscribers": account.records.rows(_SUBSCRIBED)[0]["n"], "_links": []})


def _ping(_: Account, call: Call) -> Answer:
    return call.answer({"health_status": "Everything's Chimpy!"})


def _lists(account: Account, call: Call) -> Answer:
    lists = [account.render.list_(call.base, doc) for doc in account.records.lists()]
    return _page(call, "lists", lists, f"{call.base}/3.0/lists")


def _list(account: Account, call: Call, list_id: str) -> Answer:
    return call.answer(account.render.list_(call.base, account.records.list_(list_id) or {}))


def _batch_subscribe(account: Account, call: Call, list_id: str) -> Answer:
    return call.answer(account.bulk.run(call, list_id))


def _members(account: Account, call: Call, list_id: str) -> Answer:
    page, total = members_page(account.records, account.knobs, call, list_id)
    shown = [account.render.member(call.base, list_id, doc) for doc in page]
    links = [link("self", f"{call.base}/3.0/lists/{list_id}/members")]
    return call.answer({"members": shown, "list_id": list_id, "total_items": total, "_links": links})


def _add_member(account: Account, call: Call, list_id: str) -> Answer:
    member = account.members.add(list_id, call.data(), call.switch("skip_merge_validation"))
    return call.answer(account.render.member(call.base, list_id, member))


def _member(account: Account, call: Call, list_id: str, key: str) -> Answer:
    return call.answer(account.render.member(call.base, list_id, account.members.get(list_id, key)))


def _put_member(account: Account, call: Call, list_id: str, key: str) -> Answer:
    member = account.members.upsert(list_id, key, call.data(), call.switch("skip_merge_validation"))
    return call.answer(account.render.member(call.base, list_id, member))


def _patch_member(account: Account, call: Call, list_id: str, key: str) -> Answer:
    kept = account.members.get(list_id, key)
    member = account.members.update(list_id, kept, call.data(), call.switch("skip_merge_validation"))
    return call.answer(account.render.member(call.base, list_id, member))


def _archive_member(account: Account, _: Call, list_id: str, key: str) -> Answer:
    account.members.archive(list_id, account.members.get(list_id, key))
    return no_content()


def _forget_member(account: Account, _: Call, list_id: str, key: str) -> Answer:
    account.members.forget(list_id, account.members.get(list_id, key))
    return no_content()


def _member_tags(account: Account, call: Call, list_id: str, key: str) -> Answer:
    tags = account.tags.shown(list_id, account.members.get(list_id, key))
    return _page(call, "tags", tags, f"{call.base}/3.0/lists/{list_id}/members/{key}/tags")


def _tag_member(account: Account, call: Call, list_id: str, key: str) -> Answer:
    member = account.members.get(list_id, key)
    data = call.data()
    if not isinstance(data.get("is_syncing", False), bool):
        raise bad_field("is_syncing", "Schema describes boolean, something else found instead.")
    account.members.tag(list_id, member, account.tags.changes(data))
    return no_content()


def _tag_search(account: Account, call: Call, list_id: str) -> Answer:
    found = account.tags.search(list_id, call.query.get("name", ""))
    return call.answer({"tags": found, "total_items": len(found), "_links": []})


def _fields(account: Account, call: Call, list_id: str) -> Answer:
    fields = [account.render.field(call.base, list_id, doc) for doc in account.records.fields(list_id)]
    if call.query.get("type"):
        fields = [field for field in fields if field["type"] == call.query["type"]]
    if call.query.get("required"):
        fields = [field for field in fields if field["required"] == call.switch("required")]
    return _page(call, "merge_fields", fields, f"{call.base}/3.0/lists/{list_id}/merge-fields", list_id=list_id)


def _add_field(account: Account, call: Call, list_id: str) -> Answer:
    return call.answer(account.render.field(call.base, list_id, account.fields.add(list_id, call.data())))


def _field(account: Account, call: Call, list_id: str, merge_id: str) -> Answer:
    return call.answer(account.render.field(call.base, list_id, account.fields.get(list_id, merge_id)))


def _patch_field(account: Account, call: Call, list_id: str, merge_id: str) -> Answer:
    return call.answer(account.render.field(call.base, list_id, account.fields.update(list_id, merge_id, call.data())))


def _remove_field(account: Account, _: Call, list_id: str, merge_id: str) -> Answer:
    account.fields.remove(list_id, merge_id)
    return no_content()


def _batches(account: Account, call: Call) -> Answer:
    return _page(call, "batches", account.batches.all(call.base), f"{call.base}/3.0/batches")


def _start_batch(account: Account, call: Call) -> Answer:
    return call.answer(account.batches.start(call))


def _batch(account: Account, call: Call, batch: str) -> Answer:
    return call.answer(account.batches.get(call.base, batch))


def _remove_batch(account: Account, _: Call, batch: str) -> Answer:
    account.batches.remove(batch)
    return no_content()


def _page(call: Call, name: str, elements: list[Json], here: str, **more: str) -> Answer:
    count, offset = call.page()
    content: Json = {name: elements[offset : offset + count], **more}
    return call.answer(content | {"total_items": len(elements), "_links": [link("self", here)]})


_SUBSCRIBED = "SELECT count(*) AS n FROM mailchimp_members WHERE status = 'subscribed'"
_LIST = "/lists/(?P<list_id>[^/]+)"
_MEMBER = _LIST + "/members/(?P<key>[^/]+)"
_FIELD = _LIST + "/merge-fields/(?P<merge_id>[^/]+)"
_BATCH = "/batches/(?P<batch>[^/]+)"
_ROUTES: list[tuple[str, re.Pattern[str], Handler]] = [
    (method, re.compile(pattern), handler)
    for method, pattern, handler in (
        ("GET", "/", _root),
        ("GET", "/ping", _ping),
        ("GET", "/lists", _lists),
        ("GET", _LIST, _list),
        ("POST", _LIST, _batch_subscribe),
        ("GET", _LIST + "/members", _members),
        ("POST", _LIST + "/members", _add_member),
        ("GET", _MEMBER, _member),
        ("PUT", _MEMBER, _put_member),
        ("PATCH", _MEMBER, _patch_member),
        ("DELETE", _MEMBER, _archive_member),
        ("POST", _MEMBER + "/actions/delete-permanent", _forget_member),
        ("GET", _MEMBER + "/tags", _member_tags),
        ("POST", _MEMBER + "/tags", _tag_member),
        ("GET", _LIST + "/tag-search", _tag_search),
        ("GET", _LIST + "/merge-fields", _fields),
        ("POST", _LIST + "/merge-fields", _add_field),
        ("GET", _FIELD, _field),
        ("PATCH", _FIELD, _patch_field),
        ("DELETE", _FIELD, _remove_field),
        ("GET", "/batches", _batches),
        ("POST", "/batches", _start_batch),
        ("GET", _BATCH, _batch),
        ("DELETE", _BATCH, _remove_batch),
    )
]
