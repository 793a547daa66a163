"""Creating and changing contacts in Qualy, each call sent once. Verb and path come from the settings.

Qualy's public pages show no such call. What its pages on errors and limits say of every call holds here as well; what
they do not say is an unknown fate.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
from urllib3.exceptions import HTTPError

from connectors.shared.network import unsent
from qualy_sync.contracts.accounting import Declined, NotSent, Unanswered
from qualy_sync.contracts.crm import Customer, Saved
from qualy_sync.contracts.errors import OutOfQuota, Refused, Unreachable, WrongShape
from qualy_sync.outcomes import Code

from .shapes import object_of, read_json
from .transport import Transport

Fate = Saved | Declined | NotSent | Unanswered


@dataclass(frozen=True, slots=True)
class Call:
    """A verb, and a path below the connection's address; `{id}` stands for the contact's id."""

    verb: str
    path: str


class QualyWriter:
    """See `qualy_sync.contracts.crm.CustomerWriter`."""

    def __init__(self, transport: Transport, create: Call, update: Call) -> None:
        self._transport = transport
        self._create = create
        self._update = update

    def create(self, content: Mapping[str, object]) -> Fate:
        """Creates a contact."""
        return self._send(self._create.verb, self._create.path, content)

    def update(self, record_id: str, content: Mapping[str, object]) -> Fate:
        """Changes the named fields of a contact."""
        path = self._update.path.replace("{id}", quote(record_id, safe=""))
        return self._send(self._update.verb, path, content)

    def _send(self, verb: str, path: str, content: Mapping[str, object]) -> Fate:
        body = json.dumps(content, ensure_ascii=False).encode()
        try:
            answer = self._transport.send(verb, path, body)
        except (OSError, HTTPError) as error:  # those of requests are the former; some of urllib3's come through it
            why = unsent(error)
            if why == "connection":
                return NotSent(Unreachable(f"Qualy could not be reached ({verb} {path})."))
            if why == "certificate":
                return NotSent(Refused(f"Qualy's certificate is not accepted ({verb} {path}); nothing was sent."))
            return Unanswered("Qualy's answer did not arrive.")
        return self._fate(answer, verb, path)

    def _fate(self, answer: requests.Response, verb: str, path: str) -> Fate:
        status = answer.status_code
        if 200 <= status < 300:
            return Saved(_customer(answer, path))
        if status == 409:
            return Declined("", Code.DUPLICATE_THERE, "a contact with this email exists already")
        if status in (400, 422):
            return Declined("", Code.INVALID, _fields(answer))
        if status == 408 or status >= 500:
            return Unanswered(f"Qualy answered {status}.")
        error = self._transport.refused(answer, f"{verb} {path}")
        if status == 429 and not isinstance(error, OutOfQuota):
            error = OutOfQuota("Qualy asks to slow down.", "request", None)
        return NotSent(error)


def _customer(answer: requests.Response, path: str) -> Customer | None:
    """The contact in an answer; None where it holds none that can be told by its id."""
    try:
        found = object_of(read_json(answer.content), path)
    except (ValueError, WrongShape):
        return None
    record_id = found.get("_id")
    return Customer(record_id, found) if isinstance(record_id, str) and record_id else None


def _fields(answer: requests.Response) -> str:
    """Which fields Qualy names in its messages, never what they hold: its messages may quote a person's data."""
    try:
        content: Any = read_json(answer.content)
    except ValueError:
        content = None
    said = content.get("message") if isinstance(content, dict) else None
    texts = said if isinstance(said, list) else [said]
    names = [text.split()[0] for text in texts if isinstance(text, str) and text.split()]
    known = [name for name in names if name.isascii() and name.replace(".", "").isalnum() and len(name) <= 40]
    return f"it names {', '.join(dict.fromkeys(known))}" if known else "it gave no reason"
