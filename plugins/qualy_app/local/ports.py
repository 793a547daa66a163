"""Whether a port is free, and a sentence with the remedy where it is not."""

from __future__ import annotations

import contextlib
import socket

import psutil

from qualy_app.local.trouble import Trouble

ANY = "127.0.0.1"


def require_free(port: int, *, purpose: str, option: str) -> None:
    """Raises Trouble where something listens on ``port``, naming it and the option that picks another port."""
    if not 1 <= port <= 65535:
        raise Trouble(
            f"{port} is not a port for {purpose}: name one from 1024 to 65535, as in make run "
            f"{option}={next_free(8079)}."
        )
    if is_free(port):
        return
    raise Trouble(
        f"Port {port}, meant for {purpose}, is taken{_by_whom(port)}. "
        f"Stop that, or choose another one: make run {option}={next_free(port)}"
    )


def is_free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ANY, port))
        except OSError:
            return False
    return True


def next_free(port: int) -> int:
    """The first free port above."""
    return next((candidate for candidate in range(port + 1, 65536) if is_free(candidate)), 0)


def _by_whom(port: int) -> str:
    with contextlib.suppress(psutil.Error):  # other people's processes are not always visible
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""
