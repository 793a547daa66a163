"""`python -m tests.support.fab_airflow FOLDER`: Airflow's API server as docker-compose.yaml has it, with a real login.

That is, with the auth manager of the FAB provider, and our plugin loaded the way Airflow loads it. Everything that it
makes lies in FOLDER. Once it answers, it prints its address and the paths of everything that it lets be read (GET), as
a JSON object; it serves until its standard input is closed. Its access log goes to standard error.
"""

from __future__ import annotations

import copy
import json
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.airflow_home import PASSWORD, ROOT, settings

AUTH_MANAGER = "AIRFLOW__CORE__AUTH_MANAGER"


def prepare(home: Path) -> None:
    """The environment, from which Airflow takes its configuration when it is first imported."""
    compose = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
    chosen = compose["x-airflow"]["environment"][AUTH_MANAGER]
    os.environ.update(settings(home) | {AUTH_MANAGER: chosen, "AIRFLOW__API__SECRET_KEY": os.urandom(32).hex()})


def make_user() -> None:
    """Somebody who may do everything, as `airflow users create` makes them."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        manager = builder.sm
        manager.add_user("admin", "Ad", "Min", "admin@mail.example", manager.find_role("Admin"), PASSWORD)


def main(folder: str) -> None:
    home = Path(folder)
    prepare(home)
    from airflow.utils.db import initdb

    initdb()
    make_user()
    import uvicorn
    from airflow.api_fastapi.app import create_app

    app = create_app(apps="core")
    config = copy.deepcopy(uvicorn.config.LOGGING_CONFIG)
    config["handlers"]["access"]["stream"] = "ext://sys.stderr"
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=config))
    for work in (end_with_stdin, tell):
        threading.Thread(target=work, args=(server, sorted(readable(app.routes))), daemon=True).start()
    server.run()


def readable(routes: Iterable[Any], above: str = "") -> Iterator[str]:
    """Each path that answers to GET, those of mounted applications too; WSGI applications do not tell theirs."""
    for route in routes:
        if "GET" in (getattr(route, "methods", None) or ()):
            yield above + route.path
        yield from readable(getattr(route, "routes", None) or (), above + route.path)


def end_with_stdin(server: Any, _: list[str]) -> None:
    sys.stdin.read()
    server.should_exit = True


def tell(server: Any, paths: list[str]) -> None:
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    print(json.dumps({"address": f"http://127.0.0.1:{port}", "paths": paths}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
