"""Where a connection points: from `AIRFLOW_CONN_<ID>` first, from Airflow otherwise, as plain values.

Airflow is only imported when the environment has no answer, so that the command line starts fast and runs without it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from qualy_sync.contracts.accounting import Endpoint

from .signals import RunProblem

IDS = ("qualy", "xero", "quickbooks", "conta_azul", "hubspot", "mailchimp")
AIRFLOW = "Airflow"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
_EXAMPLE = {
    "qualy": '{"conn_type": "http", "host": "https://api.qualyhq.com/v1", "login": "TENANT ID", "password": "API KEY"}',
    "xero": '{"conn_type": "http", "host": "https://api.xero.com/api.xro/2.0", "login": "CLIENT ID",'
    ' "password": "CLIENT SECRET"}',
    "quickbooks": '{"conn_type": "http", "host": "https://quickbooks.api.intuit.com", "login": "CLIENT ID",'
    ' "password": "CLIENT SECRET"}',
    "hubspot": '{"conn_type": "http", "host": "https://api.hubapi.com", "password": "SERVICE KEY"}',
    "mailchimp": '{"conn_type": "http", "password": "API KEY, SUCH AS 0123456789abcdef-us6"}',
    "conta_azul": '{"conn_type": "http", "host": "https://api-v2.contaazul.com", "login": "CLIENT ID",'
    ' "password": "CLIENT SECRET"}',
}


class ConnectionProblem(RunProblem):
    """A connection is missing or cannot be read; the text says where to store it, with an example."""


def resolve(conn_id: str, environment: Mapping[str, str] | None = None) -> tuple[Endpoint, str]:
    """The connection's endpoint, and where it comes from (the variable's name, or "Airflow").

    Raises ConnectionProblem.
    """
    environment = os.environ if environment is None else environment
    name = variable(conn_id)
    if text := environment.get(name, "").strip():
        return _from_text(name, text), name
    found = _from_airflow(conn_id)
    if found is None:
        raise ConnectionProblem(_missing(conn_id))
    return found, AIRFLOW


def both_exist(conn_id: str, environment: Mapping[str, str] | None = None) -> bool:
    """Whether the environment has the connection and Airflow as well: then an edit in Airflow's UI has no effect."""
    environment = os.environ if environment is None else environment
    if not environment.get(variable(conn_id), "").strip() or not _airflow_is_here() or in_a_task():
        return False
    with _quiet():
        from airflow.configuration import ensure_secrets_loaded
        from airflow.secrets.environment_variables import EnvironmentVariablesBackend

        stores = [one for one in ensure_secrets_loaded() if not isinstance(one, EnvironmentVariablesBackend)]
        return any(_held_by(store, conn_id) for store in stores)


def variable(conn_id: str) -> str:
    """The environment variable that holds a connection."""
    return f"AIRFLOW_CONN_{conn_id.upper()}"


# -- Airflow


def _from_airflow(conn_id: str) -> Endpoint | None:
    """Inside a task through the task's own way, outside it from the stores that Airflow is configured with."""
    if not _airflow_is_here():
        return None
    connection: Any
    with _quiet():
        from airflow.exceptions import AirflowNotFoundException

        try:
            if in_a_task():
                from airflow.sdk import Connection as InTask
                from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType

                try:
                    connection = InTask.get(conn_id)
                except AirflowRuntimeError as error:
                    if error.error.error == ErrorType.CONNECTION_NOT_FOUND:
                        return None
                    raise
            else:
                from airflow.models import Connection as Stored

                connection = Stored.get_connection_from_secrets(conn_id)
        except AirflowNotFoundException:
            return None
    return _endpoint(
        conn_type=connection.conn_type or "",
        host=connection.host or "",
        schema=connection.schema or "",
        port=connection.port,
        login=connection.login or "",
        password=connection.password or "",
        extra=connection.extra_dejson,
    )


def in_a_task() -> bool:
    """Whether this process runs an Airflow task, which has its own way to connections."""
    return hasattr(sys.modules.get("airflow.sdk.execution_time.task_runner"), "SUPERVISOR_COMMS")


def _airflow_is_here() -> bool:
    """Whether an Airflow was set up; importing it elsewhere would make a configuration in the user's home."""
    if "airflow" in sys.modules or os.environ.get("AIRFLOW_HOME"):
        return True
    return (Path.home() / "airflow" / "airflow.cfg").exists()


def _held_by(store: Any, conn_id: str) -> bool:
    try:
        return store.get_connection(conn_id=conn_id) is not None
    except Exception:  # a store that does not answer holds nothing, as Airflow itself sees it
        return False


@contextmanager
def _quiet() -> Iterator[None]:
    """Airflow's import and its stores speak on the terminal; nobody asked them."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


# -- the environment's two forms


def _from_text(name: str, text: str) -> Endpoint:
    try:
        return _endpoint(**(_json_form(text) if text.startswith("{") else _uri_form(text)))
    except ValueError as error:
        # The text itself holds the secret, so that it is not shown.
        raise ConnectionProblem(
            f"{name} cannot be read ({error}). It holds a connection as Airflow writes it, as JSON or as a URI; see"
            " `airflow connections export`."
        ) from None


def _json_form(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError("it begins with { and is not JSON") from None
    known = {"conn_type", "description", "host", "login", "password", "schema", "port", "extra", "conn_id", "team_name"}
    if unknown := sorted(set(found) - known):
        raise ValueError(f"unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    port = found.get("port")
    if port is not None and not str(port).isdigit():
        raise ValueError("port is not a number")
    return {
        "conn_type": str(found.get("conn_type") or ""),
        "host": str(found.get("host") or ""),
        "schema": str(found.get("schema") or ""),
        "port": int(port) if port else None,
        "login": str(found.get("login") or ""),
        "password": str(found.get("password") or ""),
        "extra": _extra(found.get("extra")),
    }


def _uri_form(text: str) -> dict[str, Any]:
    """`type://login:password@host:port/schema?extra`, or with a protocol of its own: `type://https://host`."""
    parts = text.split("://")
    protocol = parts[1] if len(parts) == 3 else ""
    if len(parts) not in (2, 3) or not parts[0] or (protocol and not protocol.isalnum()):
        raise ValueError("it is neither JSON nor a URI")
    split = urlsplit(f"{protocol or parts[0]}://{parts[-1]}")
    query = dict(parse_qsl(split.query, keep_blank_values=True))
    host = unquote(split.hostname or "")
    return {
        "conn_type": parts[0],
        "host": f"{protocol}://{host}" if protocol and host else host,
        "schema": unquote(split.path.lstrip("/")),
        "port": split.port,
        "login": unquote(split.username or ""),
        "password": unquote(split.password or ""),
        "extra": _extra(query["__extra__"]) if "__extra__" in query else query,
    }


def _extra(given: Any) -> dict[str, Any]:
    if given in (None, ""):
        return {}
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise ValueError("its extra is not JSON") from None
    if not isinstance(given, dict):
        raise ValueError("its extra is not an object")
    return given


def _endpoint(
    *, conn_type: str, host: str, schema: str, port: int | None, login: str, password: str, extra: Mapping[str, Any]
) -> Endpoint:
    return Endpoint(
        url=_url(conn_type, host.strip(), schema.strip(), port),
        extra={key: _as_text(value) for key, value in extra.items() if value is not None},
        login=login,
        password=password,
    )


def _url(conn_type: str, host: str, schema: str, port: int | None) -> str:
    """The address; empty where the connection names no host, which means the service's own."""
    if not host:
        return ""
    path = ""
    if schema and schema.lower() not in ("http", "https"):
        schema, path = "", f"/{schema}"  # a path was written where Airflow's form has the schema
    if "://" not in host:
        plain = host.split("/")[0].split(":")[0] in _LOOPBACK
        host = f"{schema or ('http' if plain else 'https')}://{host}"
    scheme, _, rest = host.partition("://")
    place, slash, tail = rest.partition("/")
    if port and urlsplit(host).port is None:
        place = f"{place}:{port}"
    return f"{scheme}://{place}{slash}{tail}".rstrip("/") + path


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value)


def _missing(conn_id: str) -> str:
    example = _EXAMPLE.get(conn_id, '{"conn_type": "http", "host": "ADDRESS", "login": "…", "password": "…"}')
    return (
        f"There is no connection {conn_id!r}. Store it in Airflow (Admin, Connections; type HTTP), or export"
        f" {variable(conn_id)}='{example}'."
    )
