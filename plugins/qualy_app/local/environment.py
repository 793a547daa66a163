"""The environment of the processes started here, with nothing that an earlier shell exported about Airflow or Qualy."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from qualy_app.local.keys import Keys
from qualy_app.local.places import Places

SCRUBBED = ("AIRFLOW", "QUALY_", "_AIRFLOW", "PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONSTARTUP")
LOOPBACK = "127.0.0.1,localhost"


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """Without exported settings that would silently steer this Airflow or point it at somebody's real books."""
    kept = {key: value for key, value in environment.items() if not key.startswith(SCRUBBED)}
    for name in ("no_proxy", "NO_PROXY"):  # a proxy of the machine has no business between two local processes
        kept[name] = ",".join(filter(None, (kept.get(name), LOOPBACK)))
    return kept


def read_settings(path: Path) -> dict[str, str]:
    """``KEY=VALUE`` lines with comments, as docker compose reads them.

    Raises ValueError for a line that is neither, naming it.
    """
    settings = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise ValueError(f"{path.name}, line {number}: write KEY=VALUE, or begin a comment with #")
        settings[key] = value
    return settings


def for_core(places: Places, keys: Keys, settings: Path | None = None) -> dict[str, str]:
    """What the core reads: its ledger, its settings (the common ones unless named), its keys, where reports go."""
    return {
        "QUALY_LEDGER_URL": f"sqlite:///{places.ledger}",
        "QUALY_SETTINGS": str(settings or places.root / "sandbox" / "settings.yaml"),
        "QUALY_SECRET_KEYS": keys.ledger,
        "QUALY_REPORTS": str(places.reports),
        "QUALY_CSV": str(places.csv_files),
    }


def for_airflow(places: Places, keys: Keys) -> dict[str, str]:
    """The shared settings, and what is particular to this machine: folders, addresses, secrets."""
    return {
        **read_settings(places.root / "include" / "airflow.env"),
        "AIRFLOW_HOME": str(places.airflow_home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(places.dags),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(places.root / "plugins"),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__FERNET_KEY": keys.fernet,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{places.ui}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:ADMIN",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(places.passwords),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{places.airflow_home / 'airflow.db'}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(places.airflow_home / "logs"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(places.port),
        "AIRFLOW__API__BASE_URL": places.ui,
        "AIRFLOW__API__SECRET_KEY": keys.api,
        "AIRFLOW__API_AUTH__JWT_SECRET": keys.jwt,
    }


def for_processes(
    places: Places, keys: Keys, environment: Mapping[str, str] = os.environ, settings: Path | None = None
) -> dict[str, str]:
    """Everything that a child of the runner gets."""
    return {
        **scrubbed(environment),
        **for_airflow(places, keys),
        **for_core(places, keys, settings),
        "PYTHONPATH": os.pathsep.join(str(path) for path in (places.root / "plugins", places.root)),
        "PYTHONPYCACHEPREFIX": str(places.root / ".qualy" / "pycache"),
        "PYTHONUNBUFFERED": "1",
    }


def as_shell(settings: Mapping[str, str], names: Iterable[str]) -> str:
    """Lines that a shell can read: exported, quoted."""
    return "".join(f"export {name}={shlex.quote(settings[name])}\n" for name in names)
