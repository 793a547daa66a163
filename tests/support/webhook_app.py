"""The application that takes webhooks in, behind a real server of its own, without the rest of Airflow.

`python -m tests.support.webhook_app` serves it in a process of its own, with what its environment says: it prints its
address, and when its standard input is closed it ends and prints the events that it sent, as a JSON list.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from qualy_app.addresses import WEBHOOKS
from qualy_app.webhooks import Doors, Keeper
from qualy_web.webhooks import create_app


@contextmanager
def serving(environment: dict[str, str], woken: list[str], port: int = 0) -> Iterator[str]:
    """The application behind a real server; `woken` collects the events that it sends. Port 0 takes a free one."""

    def announce(tool: str) -> bool:
        woken.append(tool)
        return True

    app = Starlette(routes=[Mount(WEBHOOKS, create_app(Doors(environment), Keeper(environment, announce)))])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}{WEBHOOKS}"
    finally:
        server.should_exit = True
        thread.join()


def main() -> None:
    woken: list[str] = []
    with serving(dict(os.environ), woken) as address:
        print(address, flush=True)
        sys.stdin.read()
    print(json.dumps(woken), flush=True)


if __name__ == "__main__":
    main()
