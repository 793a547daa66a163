"""What the runner needs of the machine, keeps on it, and hands to the processes that it starts."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qualy_app.local import connections, environment, keys, ports
from qualy_app.local.__main__ import main
from qualy_app.local.places import Places
from qualy_app.local.rehearsals import REHEARSALS
from qualy_app.local.runner import Wishes, run
from qualy_app.local.trouble import Trouble
from qualy_app.tools import TOOLS
from qualy_sync.settings import load


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(state=tmp_path / "xero", port=18080, sandbox_port=18900)


@pytest.fixture
def made(places: Places) -> keys.Keys:
    return keys.kept_or_made(places.secrets)


def test_a_taken_port_gets_the_name_of_the_option_and_a_port_that_is_free() -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        taken = server.getsockname()[1]
        with pytest.raises(Trouble, match=rf"Port {taken}, meant for Airflow's pages, is taken") as refused:
            ports.require_free(taken, purpose="Airflow's pages", option="PORT")
    offered = int(str(refused.value).rpartition("make run PORT=")[2])
    assert ports.is_free(offered)
    ports.require_free(taken, purpose="Airflow's pages", option="PORT")


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_what_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(Trouble, match="is not a port"):
        ports.require_free(port, purpose="the sandbox", option="SANDBOX_PORT")


@pytest.mark.parametrize("given", [("--port", "abc"), ("--payments", "-3"), ("--seed", "1.5"), ("--nonsense",)])
def test_what_make_run_cannot_read_gets_a_sentence(given: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", *given])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("make run: ")
    assert given[-1] in said
    assert said.count("\n") == 1


def test_keys_are_made_once_and_are_their_owners_alone(places: Places, made: keys.Keys) -> None:
    assert keys.kept_or_made(places.secrets) == made
    assert places.secrets.stat().st_mode & 0o777 == 0o600
    assert len({made.fernet, made.jwt, made.api, made.ledger, made.admin_password, made.webhook}) == 6


def test_a_key_that_an_earlier_release_did_not_have_is_added_and_the_others_stay(
    places: Places, made: keys.Keys
) -> None:
    found = json.loads(places.secrets.read_text())
    del found["webhook"]
    keys.write_private(places.secrets, json.dumps(found))
    again = keys.kept_or_made(places.secrets)
    assert replace(again, webhook=made.webhook) == made
    assert keys.kept_or_made(places.secrets) == again


def test_a_child_sees_none_of_the_settings_that_a_shell_exported(places: Places, made: keys.Keys) -> None:
    exported = {"AIRFLOW__CORE__EXECUTOR": "CeleryExecutor", "AIRFLOW_CONN_XERO": "https://real", "PATH": "/bin"}
    exported |= {"QUALY_LEDGER_URL": "postgresql://real", "PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "intranet"}
    seen = environment.for_processes(places, made, exported)
    assert seen["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert seen["QUALY_LEDGER_URL"] == f"sqlite:///{places.ledger}"
    assert seen["PATH"] == "/bin"
    assert seen["NO_PROXY"] == "intranet,127.0.0.1,localhost"
    assert not {"AIRFLOW_CONN_XERO", "PYTHONDONTWRITEBYTECODE"} & seen.keys()


def test_tasks_call_the_airflow_that_started_them(places: Places, made: keys.Keys) -> None:
    seen = environment.for_airflow(places, made)
    assert seen["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:18080/execution/"


@pytest.mark.parametrize("tool", REHEARSALS)
def test_each_tool_is_rehearsed_with_settings_that_can_be_read(places: Places, made: keys.Keys, tool: str) -> None:
    rehearsal = REHEARSALS[tool]
    seen = environment.for_processes(places, made, settings=rehearsal.settings_file)
    settings = load(seen["QUALY_SETTINGS"], tools=[tool])
    assert settings.accounting is not None
    assert settings.accounting.tool == tool
    assert TOOLS[tool].connection in connections.for_tool(tool, places)


@pytest.mark.parametrize("tool", REHEARSALS)
def test_every_connection_of_the_local_installation_stays_on_this_machine(places: Places, tool: str) -> None:
    stored = connections.for_tool(tool, places)
    assert set(stored) == {"qualy", tool, "hubspot", "mailchimp"}
    addresses = [
        value
        for fields in stored.values()
        for value in (fields["host"], *fields.get("extra", {}).values())
        if str(value).startswith("http")
    ]
    assert {fields["host"] for fields in stored.values()} < set(addresses)
    assert all(address.startswith("http://127.0.0.1:18900/") for address in addresses)


def test_a_tool_without_a_stand_in_is_refused_by_name(places: Places) -> None:
    with pytest.raises(Trouble, match=r"no local stand-in for 'sage': TOOL is one of .*xero"):
        connections.for_tool("sage", places)


@given(st.text(alphabet=st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])))
def test_the_environment_file_gives_a_shell_exactly_what_was_written(value: str) -> None:
    script = environment.as_shell({"SAID": value}, ["SAID"]) + 'printf %s "$SAID"'
    assert subprocess.check_output(["sh", "-c", script]).decode() == value


def test_a_settings_file_with_a_bad_line_names_it(tmp_path: Path) -> None:
    path = tmp_path / "airflow.env"
    path.write_text("# good\nAIRFLOW__A__B=1\nAIRFLOW__C: 2\n")
    with pytest.raises(ValueError, match=r"airflow\.env, line 3: write KEY=VALUE"):
        environment.read_settings(path)


def test_starting_over_is_refused_while_the_ledger_belongs_to_a_real_organisation(tmp_path: Path) -> None:
    places = Places(state=tmp_path / "xero", port=ports.next_free(21000), sandbox_port=ports.next_free(22000))
    places.state.mkdir()
    with sqlite3.connect(places.ledger) as connection:
        connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
        connection.execute("INSERT INTO meta VALUES ('stamp', 'real')")
    with pytest.raises(Trouble, match="links to a real organisation"):
        run(Wishes(fresh=True), places)
    assert places.ledger.exists()


def test_the_command_line_finds_the_project_through_a_link_from_any_directory(tmp_path: Path) -> None:
    link = tmp_path / "tools" / "qualy"
    link.parent.mkdir()
    link.symlink_to(Path(os.path.relpath(Places(tmp_path, 1, 2).root / "bin" / "qualy", link.parent)))
    answered = subprocess.run([link, "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert answered.returncode == 0, answered.stderr


def test_the_command_line_says_what_to_do_before_anything_is_set_up(tmp_path: Path) -> None:
    script = tmp_path / "bin" / "qualy"
    script.parent.mkdir()
    script.write_text((Places(tmp_path, 1, 2).root / "bin" / "qualy").read_text())
    answered = subprocess.run(["sh", script, "check"], capture_output=True, text=True)
    assert (answered.returncode, answered.stderr) == (
        1,
        f"Qualy Sync is not set up yet: call make setup in {tmp_path.resolve()}\n",
    )
