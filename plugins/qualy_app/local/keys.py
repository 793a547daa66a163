"""The secrets of a local installation: made once, kept readable for their owner alone."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from cryptography.fernet import Fernet


@dataclass(frozen=True, slots=True)
class Keys:
    """Airflow's three, the ledger's own (``QUALY_SECRET_KEYS``), the password of the user ``admin``, and the secret in
    the address that the stand-in for Qualy sends its webhooks to."""

    fernet: str
    jwt: str
    api: str
    ledger: str
    admin_password: str
    webhook: str


def kept_or_made(path: Path) -> Keys:
    """The keys in ``path``, with what it lacks made. What they encrypted is unreadable without them."""
    made = Keys(
        fernet=Fernet.generate_key().decode(),
        jwt=secrets.token_urlsafe(64),
        api=secrets.token_urlsafe(32),
        ledger=Fernet.generate_key().decode(),
        admin_password=secrets.token_urlsafe(12),
        webhook=secrets.token_urlsafe(32),
    )
    found = json.loads(path.read_text()) if path.exists() else {}
    names = {field.name for field in fields(Keys)}
    keys = Keys(**{**asdict(made), **{name: found[name] for name in names & found.keys()}})
    if names - found.keys():
        write_private(path, json.dumps(asdict(keys), indent=2) + "\n")
    return keys


def write_private(path: Path, text: str) -> None:
    """Written whole or not at all, and never readable for others, not even for a moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
    beside.replace(path)
