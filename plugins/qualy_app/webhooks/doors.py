"""One door for each service that sends webhooks: opened by the settings, with the secrets of its connection.

A secret is changed without losing anything: the new one becomes `webhook_secret`, the old one `webhook_secret_old` in
the connection's extra, until the service has been told; then the old one is taken away.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.ledger.inbox import Hint

from ..addresses import WEBHOOKS
from ..connections import resolve, variable
from ..settings_file import changed, settings_path
from ..signals import RunProblem

if TYPE_CHECKING:
    from qualy_sync.settings import Settings

REMEMBERED = 15.0  # seconds; so soon does a changed connection count
UNAUTHORISED, FORBIDDEN, UNAVAILABLE = 401, 403, 503

log = logging.getLogger(__name__)


class Refused(Exception):
    """The request is not let in; `status` is all that whoever sent it is told."""

    def __init__(self, status: int) -> None:
        super().__init__(f"refused with {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """What came, without its body: `secret` is what stands behind the service's name in the path."""

    method: str
    secret: str
    query: str
    headers: Mapping[str, str] = field(repr=False)  # names in small letters


class Door(Protocol):
    """What one service's webhooks have to fulfil, and what they say."""

    @property
    def largest_body(self) -> int:
        """In bytes."""
        ...

    @property
    def inbox_limit(self) -> int:
        """In records."""
        ...

    def before_body(self, request: Request) -> None:
        """What can be told without reading the body. Raises Refused."""
        ...

    def after_body(self, request: Request, body: bytes) -> None:
        """What needs the body. Raises Refused."""
        ...

    def hints(self, body: bytes) -> list[Hint]:
        """The records to read again."""
        ...


class Doors:
    """The doors as settings and connections say now; one for each process of the web server.

    What came of opening one, a failure too, is remembered: nobody can make us read the settings, or ask Airflow's
    database, or write a line to the log, for each request that they send. A change of the settings file or of an
    environment variable counts at once, one of a connection stored in Airflow after `REMEMBERED` on the clock `now`.
    """

    def __init__(self, environment: Mapping[str, str] | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._environment = os.environ if environment is None else environment
        self._now = now
        self._lock = threading.Lock()
        self._found: dict[str, _Opened] = {}

    def door(self, tool: str) -> Door:
        """Raises Refused: 403 where webhooks of this service are off or have no secret, 503 where nobody can tell."""
        with self._lock:  # one at a time asks the settings and Airflow
            found = self._found.get(tool)
            seen = self._seen(tool)
            if found is None or found.seen != seen or self._now() - found.at > REMEMBERED:
                found = _Opened(seen, self._now(), self._open(tool))
                self._found[tool] = found
        if isinstance(found.door, int):
            raise Refused(found.door)
        return found.door

    def _seen(self, tool: str) -> tuple[object, ...]:
        """What differs once the settings file or the environment changed."""
        path = settings_path(self._environment)
        return path, changed(path), self._environment.get(variable(tool))

    def _open(self, tool: str) -> Door | int:
        from ..desk import Desk  # not above: every component of Airflow loads the plugin, and one of them needs this

        desk = Desk(self._environment)
        try:
            settings = desk.settings
            if tool not in MAKERS or not getattr(settings.webhooks, tool).enabled:
                return FORBIDDEN
            endpoint, _ = resolve(tool, desk.environment)
        except RunProblem as problem:
            log.error("Webhooks of %s are refused. %s", tool, problem)
            return UNAVAILABLE
        except Exception as error:  # Airflow's database is away; its text might hold the connection
            log.error("Webhooks of %s are refused: the connection cannot be read (%s).", tool, type(error).__name__)
            return UNAVAILABLE
        door = MAKERS[tool](settings, endpoint)
        if not door.secrets:
            log.error("Webhooks of %s are refused: the connection has no webhook_secret of enough letters.", tool)
            return FORBIDDEN
        return door


@dataclass(frozen=True, slots=True)
class _Opened:
    """What came of opening a door: it, or the status that whoever knocks is refused with."""

    seen: tuple[object, ...] = field(repr=False)
    at: float
    door: Door | int


@dataclass(frozen=True)
class _Common:
    settings: Settings
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def largest_body(self) -> int:
        """In bytes."""
        return self.settings.webhooks.largest_body_kb * 1024

    @property
    def inbox_limit(self) -> int:
        """In records."""
        return self.settings.webhooks.inbox_limit


@dataclass(frozen=True)
class QualyDoor(_Common):
    """A secret in the path, and a header besides where the settings name one."""

    signing_secrets: tuple[str, ...] = field(repr=False, default=())

    def before_body(self, request: Request) -> None:
        from connectors.qualy import webhooks

        wanted = self.settings.webhooks.qualy.signature_header
        if not webhooks.verify_secret(request.secret, self.secrets):
            raise Refused(UNAUTHORISED)
        if wanted and wanted.lower() not in request.headers:
            raise Refused(UNAUTHORISED)

    def after_body(self, request: Request, body: bytes) -> None:
        from connectors.qualy import webhooks

        wanted = self.settings.webhooks.qualy
        if wanted.signature_header is None:
            return
        given = request.headers.get(wanted.signature_header.lower(), "")
        if not webhooks.verify_signature(body, given, self.signing_secrets, wanted.signature_form):
            raise Refused(UNAUTHORISED)

    def hints(self, body: bytes) -> list[Hint]:
        from connectors.qualy import webhooks

        return [Hint(kind.value, record_id) for kind, record_id in webhooks.hints(body)]


@dataclass(frozen=True)
class HubSpotDoor(_Common):
    """A signature over method, address, body and time."""

    address: str = ""
    now: Callable[[], float] = time.time  # the machine's: the time is the sender's, and not the ledger's affair

    def before_body(self, request: Request) -> None:
        from connectors.hubspot import webhooks

        timestamp = request.headers.get(webhooks.TIMESTAMP.lower(), "")
        if request.secret or webhooks.SIGNATURE.lower() not in request.headers:
            raise Refused(UNAUTHORISED)
        if not webhooks.is_fresh(timestamp, self.now()):
            raise Refused(UNAUTHORISED)

    def after_body(self, request: Request, body: bytes) -> None:
        from connectors.hubspot import webhooks

        if not webhooks.verify(
            self.secrets,
            method=request.method,
            address=self.address + (f"?{request.query}" if request.query else ""),
            body=body,
            timestamp=request.headers.get(webhooks.TIMESTAMP.lower(), ""),
            signature=request.headers.get(webhooks.SIGNATURE.lower(), ""),
            now=self.now(),
        ):
            raise Refused(UNAUTHORISED)

    def hints(self, body: bytes) -> list[Hint]:
        from connectors.hubspot import webhooks

        return [Hint(kind, record_id) for kind, record_id in webhooks.hints(body, self.settings.hubspot.account)]


def secrets_of(tool: str, endpoint: Endpoint) -> tuple[str, ...]:
    """The secrets that count for a service's webhooks: one, two while it is being changed, none where none will do."""
    found = _both(endpoint, "webhook_secret")
    if tool == "hubspot":
        # The app's secret; where the connection is an OAuth app's, that is its password.
        app = endpoint.password if endpoint.extra.get("refresh_token") else ""
        return found or _filled([app])
    from connectors.qualy.webhooks import SHORTEST_SECRET

    return tuple(one for one in found if len(one) >= SHORTEST_SECRET)


def _qualy(settings: Settings, endpoint: Endpoint) -> QualyDoor:
    return QualyDoor(settings, secrets_of("qualy", endpoint), _both(endpoint, "webhook_signing_secret"))


def _hubspot(settings: Settings, endpoint: Endpoint) -> HubSpotDoor:
    return HubSpotDoor(settings, secrets_of("hubspot", endpoint), f"{public_url(settings)}{WEBHOOKS}/hubspot")


MAKERS: Mapping[str, Callable[[Settings, Endpoint], QualyDoor | HubSpotDoor]] = {"qualy": _qualy, "hubspot": _hubspot}


# Services whose webhooks are told by a secret that stands behind their name in the address.
SECRET_IN_PATH = frozenset({"qualy"})


def public_url(settings: Settings) -> str:
    """Where the outside reaches this Airflow; without a slash at its end."""
    if settings.webhooks.public_url:
        return settings.webhooks.public_url
    from airflow.configuration import conf

    return (conf.get("api", "base_url", fallback="") or "http://localhost:8080").rstrip("/")


def _both(endpoint: Endpoint, name: str) -> tuple[str, ...]:
    return _filled(endpoint.extra.get(key, "") for key in (name, f"{name}_old"))


def _filled(secrets: Iterable[str]) -> tuple[str, ...]:
    return tuple(one.strip() for one in secrets if one.strip())
