"""A relay between a connector and a stand-in, which hears what goes over the wire. Official SDKs are recorded by it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import httpx

Hear = Callable[[str, str, bytes, str, int, bytes], None]
_OWN = {"host", "connection", "transfer-encoding", "content-length", "content-encoding", "accept-encoding"}


class Relay:
    """Passes every call on to `target` and its answer back, byte for byte. Its own address is `url`."""

    def __init__(self, target: str, hear: Hear) -> None:
        client = httpx.Client(base_url=target, timeout=30, trust_env=False)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass_on(self) -> None:
                sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
                answer = client.request(self.command, self.path, content=sent, headers=headers)
                kind = self.headers.get("Content-Type") or ""
                hear(self.command, self.path, sent, kind, answer.status_code, answer.content)
                self.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name.lower() not in _OWN:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: tests look for what must not be in logs."""

        self._client = client
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._client.close()
