"""Commands about the installation itself."""

from __future__ import annotations

from cryptography.fernet import Fernet

from .frame import AsJson, Debug, open_desk, speaking


def new_key(as_json: AsJson = False, debug: Debug = False) -> None:
    """Print a new key for QUALY_SECRET_KEYS; put it before the ones that are there."""
    with speaking(as_json, debug) as output:
        key = Fernet.generate_key().decode()
        output.json({"key": key})
        output.say(key)


def migrate(as_json: AsJson = False, debug: Debug = False) -> None:
    """Bring the ledger's tables up to date."""
    with speaking(as_json, debug) as output:
        desk = open_desk(output, migrate=True)
        desk.ledger.migrate()
        output.json({"migrated": True})
        output.say("The ledger is up to date.")
