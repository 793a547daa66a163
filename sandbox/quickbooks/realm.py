"""The company's id, and whether the app is connected to it."""

from __future__ import annotations

from sandbox.store import Store

REALMS = {"au": "9341450000000061", "us": "9341450000000001", "br": "9341450000000055"}
_ID, _CONNECTED = "quickbooks.realm", "quickbooks.connected"


class Realm:
    """The one company that this stand-in keeps books for."""

    def __init__(self, store: Store, profile: str) -> None:
        self._store = store
        if store.fact(_ID) is None:
            store.remember(_ID, REALMS[profile])
            self.connect()

    @property
    def id(self) -> str:
        """The realm id, which stands in every address."""
        return str(self._store.fact(_ID))

    def rename(self, realm: str) -> None:
        """Make it another company."""
        if not realm.isdigit():
            raise ValueError("A realm id has digits only.")
        self._store.remember(_ID, realm)

    def connect(self) -> None:
        """Consent was given."""
        self._store.remember(_CONNECTED, "1")

    def disconnect(self) -> None:
        """The connection was taken away, by the app or in QuickBooks."""
        self._store.remember(_CONNECTED, "0")

    def reachable(self, realm: str) -> bool:
        """Whether a call may reach this company."""
        return realm == self.id and self._store.fact(_CONNECTED) == "1"
