"""Sending one request through a pool of connections, once, and saying what became of it.

No redirect is followed, nothing is repeated, and no text of an error holds a query, a header or a body.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from connectors.shared.answers import Heard
from qualy_sync.contracts.errors import AnswerLost, Unreachable

CHUNK = 65_536


def sendable(headers: Mapping[str, str]) -> bool:
    """Whether header values are visible ASCII; the error of the library below would show a token that is not."""
    return all(value.isascii() and value.isprintable() for value in headers.values())


def send_once(
    pool: urllib3.PoolManager,
    service: str,
    asked: str,
    request: tuple[str, str],
    body: Any,
    headers: Mapping[str, str],
    timeout: tuple[float, float],
    patience: float,
) -> Heard:
    """One request (method and address), sent once. `service` and `asked` name it to a person.

    `timeout` is to connect and to read, `patience` the time for the whole body, in seconds.

    Raises Unreachable where nothing was sent, AnswerLost where it was and no whole answer came.
    """
    method, url = request
    whose = f"{service}'" if service.endswith("s") else f"{service}'s"
    try:
        response = pool.request(
            method,
            url,
            body=body,
            headers=dict(headers),
            timeout=urllib3.Timeout(connect=timeout[0], read=timeout[1]),
            preload_content=False,
            redirect=False,
            retries=False,
        )
        try:
            content = _whole(response, patience)
        finally:
            response.close()
            response.release_conn()
    except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        why = unsent(error)
        if why == "connection":
            raise Unreachable(
                f"No connection to {service} ({asked}). Check network and address, and try again."
            ) from None
        if why == "certificate":
            raise Unreachable(f"{whose} certificate could not be verified ({asked}).") from None
        raise AnswerLost(f"{whose} answer did not arrive ({asked}).") from None
    return Heard(response.status, {name.lower(): value for name, value in response.headers.items()}, content)


def unsent(error: BaseException) -> Literal["connection", "certificate"] | None:
    """Why nothing can have been sent, where an error of urllib3 or requests proves it. None: it may have been.

    Most troubles of TLS prove nothing: they come in the middle of an answer too.
    """
    for one in _inside(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            return "certificate"
        if isinstance(one, NewConnectionError | ConnectTimeoutError):
            return "connection"
    return None


def _inside(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it wraps: these libraries keep them among its arguments, or as its reason."""
    yield error
    for one in (*error.args, getattr(error, "reason", None)):
        if isinstance(one, BaseException):
            yield from _inside(one)


def _whole(response: urllib3.BaseHTTPResponse, patience: float) -> bytes:
    """The whole body, within a time that no trickle of single bytes can stretch."""
    end = time.monotonic() + patience
    chunks: list[bytes] = []
    for chunk in response.stream(CHUNK):
        chunks.append(chunk)
        if time.monotonic() > end:
            raise OSError("too slow")
    return b"".join(chunks)
