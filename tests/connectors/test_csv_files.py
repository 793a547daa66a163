"""CSV files are delivered whole or not at all, to a folder or to object storage."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from upath import UPath

from connectors.csv_files import MANIFEST, Part, deliver
from qualy_sync.contracts.errors import AnswerLost, Refused, Unreachable

ABOUT = {"content": "full"}
NAMES = ["customers.csv", "payments.csv"]


class Lost(Exception):
    """Somebody else exports by now."""


def part(name: str, content: bytes = b"a,b\r\n1,2\r\n", rows: int = 1) -> Part:
    def write(file: BinaryIO) -> int:
        file.write(content)
        return rows

    return Part(name, write)


def breaking(name: str, error: Exception) -> Part:
    def write(file: BinaryIO) -> int:
        file.write(b"a,b\r\n1,")
        raise error

    return Part(name, write)


def held(place: Any) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.iterdir()} if place.exists() else {}


@pytest.fixture(params=["folder", "storage"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "folder":
        return tmp_path / "csv" / "daily"
    return UPath(f"memory://bucket-{tmp_path.name}/daily")


def test_every_file_and_then_what_they_are(place: Any) -> None:
    content = b"x" * 3_000_000
    files = deliver(place, [part("customers.csv"), part("payments.csv", content, rows=7)], ABOUT)
    there = held(place)
    assert sorted(there) == sorted([*NAMES, MANIFEST])
    assert there["payments.csv"] == content
    manifest = json.loads(there[MANIFEST])
    assert (manifest["format"], manifest["content"]) == (1, "full")
    assert manifest["files"][1] == {
        "name": "payments.csv",
        "rows": 7,
        "bytes": 3_000_000,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert [(file.name, file.rows) for file in files] == [("customers.csv", 1), ("payments.csv", 7)]


def test_a_later_delivery_takes_the_place_of_the_one_before(place: Any) -> None:
    deliver(place, [part(name, b"old") for name in NAMES], ABOUT)
    deliver(place, [part(name, b"new") for name in NAMES], ABOUT)
    assert {held(place)[name] for name in NAMES} == {b"new"}
    assert len(held(place)) == 3


def test_what_breaks_while_it_is_made_leaves_everything_as_it_was(place: Any) -> None:
    deliver(place, [part(name, b"old") for name in NAMES], ABOUT)
    before = held(place)
    with pytest.raises(ZeroDivisionError):
        deliver(place, [part("customers.csv", b"new"), breaking("payments.csv", ZeroDivisionError())], ABOUT)
    assert held(place) == before


def test_an_export_that_may_no_longer_write_stops_before_it_touches_anything(place: Any) -> None:
    def lost() -> None:
        raise Lost

    deliver(place, [part(name, b"old") for name in NAMES], ABOUT)
    before = held(place)
    with pytest.raises(Lost):
        deliver(place, [part(name, b"new") for name in NAMES], ABOUT, still_ours=lost)
    assert held(place) == before


def test_a_disk_that_is_full_is_tried_again(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="No space left"):
        deliver(tmp_path, [breaking("customers.csv", OSError(28, "No space left on device"))], ABOUT)
    assert held(tmp_path) == {}


def test_a_place_that_is_no_folder_needs_a_person(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(Refused, match=r"csv\.target"):
            deliver(place, [part("customers.csv")], ABOUT)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_needs_a_person(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(Refused, match="Permission denied"):
        deliver(tmp_path / "csv", [part("customers.csv")], ABOUT)
    tmp_path.chmod(0o700)


class Failing:
    """Object storage that breaks off, or forgets, while one file is sent."""

    def __init__(self, place: Any, name: str, how: Callable[[Any], Any]) -> None:
        self._place, self._name, self._how = place, name, how

    def __truediv__(self, name: str) -> Any:
        found = self._place / name
        return self._how(found) if name == self._name else found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place, name)


class BreaksOff:
    def __init__(self, path: Any) -> None:
        self._path = path

    def open(self, mode: str) -> Any:
        self._path.write_bytes(b"half")
        raise ConnectionResetError(104, "Connection reset by peer")


class Forgets(BreaksOff):
    def open(self, mode: str) -> Any:
        return self._path.fs.open(f"{self._path.path}.elsewhere", mode)

    def stat(self) -> Any:
        self._path.write_bytes(b"half")
        return self._path.stat()


@pytest.mark.parametrize(("how", "error"), [(BreaksOff, Unreachable), (Forgets, AnswerLost)])
def test_storage_that_breaks_off_leaves_no_manifest(
    tmp_path: Path, how: Callable[[Any], Any], error: type[Exception]
) -> None:
    storage = UPath(f"memory://bucket-{tmp_path.name}/daily")
    deliver(storage, [part(name, b"old") for name in NAMES], ABOUT)
    with pytest.raises(error):
        deliver(Failing(storage, "payments.csv", how), [part(name, b"newer") for name in NAMES], ABOUT)
    assert MANIFEST not in held(storage)
    deliver(storage, [part(name, b"newer") for name in NAMES], ABOUT)
    assert MANIFEST in held(storage)


def test_an_export_that_loses_its_right_while_it_sends_leaves_no_manifest(tmp_path: Path) -> None:
    storage = UPath(f"memory://bucket-{tmp_path.name}/daily")
    asked = itertools.count()

    def lost_soon() -> None:
        if next(asked) == 2:
            raise Lost

    deliver(storage, [part(name, b"old") for name in NAMES], ABOUT)
    with pytest.raises(Lost):
        deliver(storage, [part(name, b"newer") for name in NAMES], ABOUT, still_ours=lost_soon)
    assert held(storage)["customers.csv"] == b"newer"
    assert MANIFEST not in held(storage)


class Bucket(Failing):
    """Storage without folders, whose bucket nobody made; making it is not an export's business."""

    protocol = "s3"

    def mkdir(self, **_: bool) -> None:
        raise AssertionError("an export made a bucket")


class NoBucket(BreaksOff):
    def open(self, mode: str) -> Any:
        raise FileNotFoundError("The specified bucket does not exist")


def test_a_bucket_that_is_not_there_needs_a_person_and_is_not_made(tmp_path: Path) -> None:
    storage = Bucket(UPath(f"memory://bucket-{tmp_path.name}/daily"), NAMES[0], NoBucket)
    with pytest.raises(Refused, match="not there, or no access"):
        deliver(storage, [part(name) for name in NAMES], ABOUT)


KILLED = """
import os, sys
from pathlib import Path
from connectors.csv_files import Part, deliver

def write(file):
    file.write(b"half")
    file.flush()
    os._exit(9)

deliver(Path(sys.argv[1]), [Part("customers.csv", write)], {})
"""


def test_a_process_that_is_killed_leaves_the_last_files_and_its_leavings_go_later(tmp_path: Path) -> None:
    deliver(tmp_path, [part(name, b"old") for name in NAMES], ABOUT)
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, env=dict(os.environ))
    assert done.returncode == 9
    [left] = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert (tmp_path / "customers.csv").read_bytes() == b"old"
    assert (tmp_path / MANIFEST).exists()
    deliver(tmp_path, [part(name, b"new") for name in NAMES], ABOUT)
    assert left.exists()
    yesterday = time.time() - 25 * 3600
    os.utime(left, (yesterday, yesterday))
    deliver(tmp_path, [part(name, b"new") for name in NAMES], ABOUT)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*NAMES, MANIFEST])
