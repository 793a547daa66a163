"""Serving the sandbox: in a thread for tests and benchmarks, in the main thread for the command line."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.app import SandboxApp, load_services
from sandbox.world import Wishes, make_world

HOST = "127.0.0.1"
NAMES_ITSELF = ("X-Sandbox", "Qualy Sync stand-in, not the real service")


class PortTaken(Exception):
    """Something listens there already; the message says what to do."""


class Protocol(HttpToolsProtocol):
    """HTTP whose connection can be closed by the application without an answer."""

    def on_message_begin(self) -> None:
        """Put the connection where the frame's faults find it."""
        super().on_message_begin()
        self.scope["sandbox.transport"] = self.transport  # type: ignore[typeddict-unknown-key]


class Server(uvicorn.Server):
    """Ends with status 0 on SIGINT and SIGTERM; the second SIGINT waits for nothing."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came."""
        self.force_exit = self.should_exit
        self.should_exit = True


def listen(port: int) -> socket.socket:
    """A socket on the loopback address; port 0 takes a free one. Raises PortTaken."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
        found.listen(256)
    except (OSError, OverflowError) as error:
        found.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"Port {port} on {HOST} is taken. End what listens there, or choose another port with --port."
            ) from error
        raise PortTaken(f"Port {port} on {HOST} cannot be used ({error}). Choose another port with --port.") from error
    return found


def make_server(app: ASGIApp) -> Server:
    """A server for the application; it listens on a socket from ``listen``."""
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        headers=[NAMES_ITSELF],
        timeout_graceful_shutdown=1,
    )
    return Server(config)


class Sandbox:
    """A sandbox in a thread of this process, for tests and benchmarks.

    ``with Sandbox.start(payments=50) as sandbox: httpx.get(sandbox.url + "/qualy/v1/contacts", ...)``
    """

    def __init__(self, server: Server, thread: threading.Thread, url: str, app: SandboxApp, close: Any) -> None:
        self._server = server
        self._thread = thread
        self._close = close
        import httpx  # here, since the command line, which needs no client, starts faster without it

        self._client = httpx.Client(timeout=60)
        self.url = url
        self.app = app

    @classmethod
    def start(
        cls,
        port: int = 0,
        seed: int = 1,
        today: date | None = None,
        payments: int = 500,
        profile: str = "au",
        state: Path | None = None,
        services: Sequence[str] | None = None,
    ) -> Sandbox:
        """Start one and return when it answers. Raises PortTaken, StateFileTrouble, ValueError."""
        listening = listen(port)
        try:
            world, _ = make_world(Wishes(seed, today, payments, profile), state)
            app = SandboxApp(world, load_services(world, services))
        except BaseException:
            listening.close()
            raise
        server = make_server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="sandbox", daemon=True)
        thread.start()
        sandbox = cls(server, thread, f"http://{HOST}:{listening.getsockname()[1]}", app, world.store.close)
        sandbox._client.get(sandbox.url)
        return sandbox

    def control(self, method: str, path: str, json: Any = None) -> Any:
        """One control call, such as ``control("POST", "clock", {"advance_seconds": 60})``; returns its JSON.

        Raises ValueError with the sandbox's message where it refuses.
        """
        url = f"{self.url}/control/{path.removeprefix('/control').lstrip('/')}"
        answer = self._client.request(method, url, json=json)
        if answer.is_error:
            raise ValueError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def stop(self) -> None:
        """End it; the state file, if any, can be opened again afterwards."""
        self._client.close()
        self._server.should_exit = True
        self._thread.join(timeout=15)
        self._close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
