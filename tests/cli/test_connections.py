"""Where connections come from: the environment first, Airflow otherwise, and words when there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from qualy_app.connections import ConnectionProblem, resolve
from qualy_app.sessions import http_session
from qualy_sync.contracts.accounting import Endpoint
from sandbox.server import Sandbox

ROOT = Path(__file__).parents[2]

JSON = {
    "conn_type": "http",
    "host": "https://api.qualyhq.com/v1",
    "login": "eu1-tenant",
    "password": "k/e:y@1",
    "extra": {"scopes": "a b", "many": 3, "on": True, "none": None},
}


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (json.dumps(JSON), "https://api.qualyhq.com/v1"),
        (json.dumps(JSON | {"extra": json.dumps(JSON["extra"])}), "https://api.qualyhq.com/v1"),
        ("http://eu1-tenant:k%2Fe%3Ay%401@api.qualyhq.com/https?scopes=a+b&many=3&on=true", "https://api.qualyhq.com"),
        (
            "http://https://eu1-tenant:k%2Fe%3Ay%401@api.qualyhq.com?scopes=a+b&many=3&on=true",
            "https://api.qualyhq.com",
        ),
        (
            "http://eu1-tenant:k%2Fe%3Ay%401@127.0.0.1:8900/qualy/v1?__extra__=%7B%22scopes%22%3A+%22a+b%22%2C"
            "+%22many%22%3A+3%2C+%22on%22%3A+true%7D",
            "http://127.0.0.1:8900/qualy/v1",
        ),
    ],
)
def test_both_forms_of_airflow_say_the_same(text: str, url: str) -> None:
    endpoint, origin = resolve("qualy", {"AIRFLOW_CONN_QUALY": text})
    assert origin == "AIRFLOW_CONN_QUALY"
    assert endpoint.url == url
    assert (endpoint.login, endpoint.password) == ("eu1-tenant", "k/e:y@1")
    assert endpoint.extra == {"scopes": "a b", "many": "3", "on": "true"}
    assert "k/e:y@1" not in repr(endpoint)


@pytest.mark.parametrize(
    ("parts", "url"),
    [
        ({"host": "api.qualyhq.com"}, "https://api.qualyhq.com"),
        ({"host": "api.qualyhq.com", "schema": "http"}, "http://api.qualyhq.com"),
        ({"host": "localhost", "port": 8900}, "http://localhost:8900"),
        ({"host": "http://localhost/qualy/v1/", "port": "8900"}, "http://localhost:8900/qualy/v1"),
        ({}, ""),
    ],
)
def test_addresses_are_put_together(parts: dict[str, object], url: str) -> None:
    assert resolve("qualy", {"AIRFLOW_CONN_QUALY": json.dumps(parts)})[0].url == url


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"host": ', "not JSON"),
        ('{"hots": "x", "password": "secret-1"}', "unknown key 'hots'"),
        ('{"host": "x", "extra": "secret-1"}', "extra is not JSON"),
        ('{"host": "x", "extra": [1]}', "extra is not an object"),
        ('{"host": "x", "port": "secret-1"}', "port is not a number"),
        ("secret-1", "neither JSON nor a URI"),
        ("http://a:secret-1@host:port", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_named_without_its_secret(text: str, why: str) -> None:
    with pytest.raises(ConnectionProblem, match=why) as raised:
        resolve("xero", {"AIRFLOW_CONN_XERO": text})
    assert "AIRFLOW_CONN_XERO" in str(raised.value)
    assert "secret-1" not in str(raised.value)


def run(code: str, home: Path, **environment: str) -> str:
    """Runs code in a process of its own, with an Airflow of its own where it is asked for."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "QUALY"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, "PYTHONPATH": str(ROOT / "plugins"), "HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_airflow_nothing_of_it_is_touched(tmp_path: Path) -> None:
    code = """
import sys
from qualy_app.connections import both_exist, resolve
print(resolve("xero", {"AIRFLOW_CONN_XERO": '{"host": "http://localhost"}'})[1], both_exist("xero"))
try:
    resolve("xero")
except Exception as error:
    print(error)
print("airflow" in sys.modules)
"""
    first, missing, imported = run(code, tmp_path).splitlines()
    assert first == "AIRFLOW_CONN_XERO False"
    assert "There is no connection 'xero'" in missing
    assert "export AIRFLOW_CONN_XERO='{" in missing
    assert imported == "False"
    assert list(tmp_path.iterdir()) == []


def test_airflow_answers_where_the_environment_does_not(tmp_path: Path) -> None:
    """Against a real metadata database: what is stored there is found, and that both exist is noticed."""
    code = """
import contextlib, io, os
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    from airflow.utils.db import initdb
    from airflow.models import Connection
    from airflow.utils.session import create_session
    initdb()
    with create_session() as session:
        session.add(Connection(conn_id="qualy", conn_type="http", host="127.0.0.1", port=8900, schema="http",
                               login="tenant", password="key", extra='{"tenant_id": "t-1"}'))
from qualy_app.connections import both_exist, resolve
endpoint, origin = resolve("qualy")
print(origin, endpoint.url, endpoint.login, endpoint.password, endpoint.extra["tenant_id"])
print(both_exist("qualy"))
os.environ["AIRFLOW_CONN_QUALY"] = '{"host": "http://localhost:1"}'
print(resolve("qualy")[0].url, both_exist("qualy"), both_exist("xero"))
try:
    resolve("xero")
except Exception as error:
    print(type(error).__name__)
"""
    output = run(code, tmp_path, AIRFLOW_HOME=str(tmp_path / "airflow"), AIRFLOW__CORE__LOAD_EXAMPLES="False")
    assert output.splitlines() == [
        "Airflow http://127.0.0.1:8900 tenant key t-1",
        "False",
        "http://localhost:1 True False",
        "ConnectionProblem",
    ]


def test_sessions_send_no_credentials_of_their_own_and_follow_nothing(
    sandbox: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = sandbox(payments=1)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    session = http_session("qualy", Endpoint(f"{here.url}/qualy/v1", login="tenant", password="key"))
    asked = session.prepare_request(requests.Request("GET", f"{here.url}/qualy/v1/contacts"))
    assert "Authorization" not in asked.headers
    consent = "response_type=code&client_id=sandbox-app&redirect_uri=http://localhost:1/back&approve=yes"
    with pytest.raises(requests.TooManyRedirects):
        session.get(f"{here.url}/xero/identity/connect/authorize?{consent}")
