"""Files attached to documents and contacts: raw bytes in, raw bytes out, a name only once per document."""

from __future__ import annotations

import mimetypes
from typing import Any
from urllib.parse import quote

from sandbox.xero.answers import Answer, Stop, bad_body, not_found, validation
from sandbox.xero.books import Books
from sandbox.xero.columns import ID_FIELDS
from sandbox.xero.request import Call
from sandbox.xero.wire import switch

MOST = 10
LARGEST = 10_000_000
_FORBIDDEN = frozenset('<>:"/\\|?*+')
_LONGEST_NAME = 255
_ONLINE = ("Invoices", "CreditNotes")


def listed(books: Books, call: Call, kind: str, rest: str) -> Answer:
    """GET ``/{kind}/{id}/Attachments``: what is attached, without the contents."""
    owner = _owner(books, kind, rest)
    return call.answer({"Attachments": books.company.records.attachments(kind, owner)})


def content(books: Books, call: Call, kind: str, rest: str) -> Answer:
    """GET ``/{kind}/{id}/Attachments/{AttachmentID or FileName}``: the file itself."""
    owner, asked = _owner(books, kind, rest), _last(rest)
    for one in books.company.records.attachments(kind, owner):
        if asked.casefold() in (one["AttachmentID"], one["FileName"].casefold()):
            return Answer(200, books.company.records.attached_bytes(one["AttachmentID"]), one["MimeType"])
    return not_found()


def attach(books: Books, call: Call, kind: str, rest: str) -> Answer:
    """PUT or POST of the raw bytes. The same name overwrites; more than ten files are refused."""
    owner, name = _owner(books, kind, rest), _last(rest)
    if not name.strip() or len(name) > _LONGEST_NAME or _FORBIDDEN & set(name):
        return _refused(f"The file name {name!r} is not allowed.")
    if not call.body:
        raise Stop(bad_body("The file has no content."))
    if len(call.body) > LARGEST:
        return _refused(f"A file may have at most {LARGEST} bytes.")
    records = books.company.records
    by_name = {one["FileName"].casefold(): one for one in records.attachments(kind, owner)}
    replaced = by_name.pop(name.casefold(), None)
    if len(by_name) >= MOST:
        return _refused(f"A document may have at most {MOST} attachments.")
    one: dict[str, Any] = {
        "AttachmentID": replaced["AttachmentID"] if replaced else records.new_id(),
        "FileName": name,
        "Url": f"https://api.xero.com/api.xro/2.0/{kind}/{owner}/Attachments/{quote(name)}",
        "MimeType": _media_type(call, name),
        "ContentLength": len(call.body),
    }
    if kind in _ONLINE:
        one["IncludeOnline"] = switch(call.query.get("includeonline", "false"))
    records.attach(kind, owner, one, call.body)
    held = records.get(kind, owner)
    if held is not None:
        records.put(kind, held | {"HasAttachments": True})
    return call.answer({"Attachments": [one]})


def _owner(books: Books, kind: str, rest: str) -> str:
    held = books.find(kind, rest.split("/")[0])
    if held is None:
        raise Stop(not_found())
    return str(held[ID_FIELDS[kind]])


def _last(rest: str) -> str:
    return rest.split("/", 2)[2]


def _media_type(call: Call, name: str) -> str:
    given = call.headers.get("content-type", "").partition(";")[0].strip()
    guessed = mimetypes.guess_type(name)[0]
    return guessed or given or "application/octet-stream"


def _refused(message: str) -> Answer:
    return validation([{"ValidationErrors": [{"Message": message}]}])
