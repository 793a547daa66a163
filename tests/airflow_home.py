"""A private Airflow for the tests of DAGs and pages. To be called before anything imports Airflow."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

ROOT = Path(__file__).parents[1]
SHARED_SETTINGS = ROOT / "include" / "airflow.env"
USERS = {"admin": "ADMIN", "viewer": "VIEWER"}
PASSWORD = "only-for-tests"


def shared_settings() -> dict[str, str]:
    """What every way of running shares: include/airflow.env."""
    lines = SHARED_SETTINGS.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line.strip() and not line.startswith("#"))


def settings(home: Path) -> dict[str, str]:
    """The environment of an Airflow that lives in `home` and touches nothing else."""
    passwords = home / "passwords.json"
    return shared_settings() | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__API_AUTH__JWT_SECRET": os.urandom(48).hex(),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    }


def prepare() -> Path:
    """Points this process at an Airflow home of its own, once; gives the home."""
    if "QUALY_TESTS_AIRFLOW_HOME" not in os.environ or not _mine():
        home = Path(tempfile.mkdtemp(prefix="qualy-airflow-"))
        atexit.register(shutil.rmtree, home, ignore_errors=True)
        for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
            del os.environ[name]
        os.environ.update(settings(home))
        (home / "passwords.json").write_text(json.dumps(dict.fromkeys(USERS, PASSWORD)))
        os.environ["QUALY_TESTS_AIRFLOW_HOME"] = f"{os.getpid()}:{home}"
    return Path(os.environ["AIRFLOW_HOME"])


def _mine() -> bool:
    return os.environ["QUALY_TESTS_AIRFLOW_HOME"].startswith(f"{os.getpid()}:")
