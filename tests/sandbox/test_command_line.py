"""``python -m sandbox`` as a person meets it: one line when it is ready, sentences for trouble, a clean end."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from sandbox.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "sandbox", "--services", "qualy"]
HTTP = httpx.Client(timeout=10)
HEADERS = {"Authorization": "ApiKey pk_sandbox_qualy", "X-TENANT-ID": "eu1-sandbox"}


def start(*arguments: str) -> tuple[subprocess.Popen[str], str, list[str]]:
    process = subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        ready = re.search(r"ready at (http://127\.0\.0\.1:\d+)", line)
        if ready:
            return process, ready[1], lines
    raise AssertionError(f"It never said that it is ready: {lines}")


def end(process: subprocess.Popen[str], how: signal.Signals) -> int:
    process.send_signal(how)
    process.communicate(timeout=20)
    return process.returncode


def test_a_state_file_continues_where_the_sandbox_was_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state.db"
    arguments = ["--port", "0", "--state", str(state)]
    process, url, _ = start(*arguments, "--payments", "20", "--seed", "7", "--today", "2026-07-15")
    before = HTTP.get(f"{url}/control/state/qualy").json()
    contact = before["contacts"][3] | {"email": "new@mail.example"}
    HTTP.post(f"{url}/control/change/qualy", json={"update": {"contacts": [contact]}})
    HTTP.post(f"{url}/control/clock", json={"advance_seconds": 864_000})
    assert main(arguments) == 1
    assert "has the state file" in capsys.readouterr().err
    assert end(process, signal.SIGKILL) == -signal.SIGKILL

    process, url, lines = start(*arguments, "--payments", "99")
    assert "payments 20" in lines[0]
    after = HTTP.get(f"{url}/control/state/qualy").json()
    assert after["contacts"][3]["email"] == "new@mail.example"
    assert after["payment-intents"] == before["payment-intents"]
    assert HTTP.get(f"{url}/control/clock").json()["now"].startswith("2026-07-25")
    assert end(process, signal.SIGTERM) == 0


def test_an_interrupt_ends_it_cleanly_even_while_a_call_is_held() -> None:
    process, url, _ = start("--port", "0", "--payments", "5")
    HTTP.post(f"{url}/control/faults/qualy", json=[{"do": "hold"}])
    with pytest.raises(httpx.ReadTimeout):
        HTTP.get(f"{url}/qualy/v1/taxes", headers=HEADERS, timeout=0.3)
    assert end(process, signal.SIGINT) == 0


def test_trouble_gets_a_sentence_with_the_remedy_and_a_bad_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["--port", port]) == 1
    said = capsys.readouterr().err
    assert f"Port {port} on 127.0.0.1 is taken" in said
    assert "--port" in said

    letter = tmp_path / "letter.txt"
    letter.write_text("Dear reader, this is a letter and no state of any sandbox. " * 50)
    assert main(["--port", "0", "--state", str(letter)]) == 1
    assert "move it away" in capsys.readouterr().err
    assert main(["--port", "0", "--payments", "1000001"]) == 1
    assert "1,000,000" in capsys.readouterr().err


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(f"--{word}" in said for word in ("port", "seed", "today", "payments", "profile", "state", "services"))
