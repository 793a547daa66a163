"""CSV files, delivered whole or not at all: to a folder, or to object storage.

All files are made beside the target first (in a folder) or on this machine (for object storage). Only when the last one
is complete are they put in place, and a manifest after them, which was taken away before: where `manifest.json` is,
everything that it names is there whole. In a folder each file takes its place in one step, so that nobody ever reads
half of one. Memory does not grow with the number of rows.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self

from qualy_sync.contracts.errors import AnswerLost, Refused, ToolError, Unreachable

MANIFEST = "manifest.json"
FORMAT = 1
_STAGE = ".being-written-"
_WRONG_PLACE = (PermissionError, FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError)
_FORGOTTEN_AFTER = 24 * 3600  # seconds after which the leavings of a killed export are somebody's no more
_PIECE = 1 << 20
# Storage without folders: there, making one would make a missing bucket (s3fs), or ask for rights that nothing needs.
_FLAT = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "wasb", "wasbs", "oss"})


class Place(Protocol):
    """A path of object storage, as `pathlib` has them (Airflow's ObjectStoragePath, universal_pathlib's UPath)."""

    @property
    def protocol(self) -> str: ...
    def __truediv__(self, name: str) -> Self: ...
    def open(self, mode: str) -> Any: ...
    def exists(self) -> bool: ...
    def unlink(self) -> None: ...
    def mkdir(self, *, parents: bool, exist_ok: bool) -> None: ...
    def stat(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Part:
    """One file: its name, and what writes it into a binary file and gives the number of its rows."""

    name: str
    write: Callable[[BinaryIO], int]


@dataclass(frozen=True, slots=True)
class Delivered:
    """One file as it was put in place."""

    name: str
    rows: int
    bytes: int
    sha256: str


class _Counted:
    """A binary file that knows the length and the hash of what went into it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.length = 0
        self.hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.length += len(data)
        self.hash.update(data)
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def deliver(
    place: Path | Place,
    parts: Sequence[Part],
    about: Mapping[str, Any],
    still_ours: Callable[[], None] = lambda: None,
) -> list[Delivered]:
    """Makes all parts, then puts them in place, then the manifest, with `about` in it.

    `still_ours` is called again and again while they are put in place; it raises once somebody else may do so.

    Where a part's writer raises, the target is as it was before. Raises Refused where the target may not be written,
    Unreachable where it cannot be now, AnswerLost where it holds less than was sent.
    """
    with _telling(place), _stage_for(place) as stage:
        files = [_made(stage, part) for part in parts]
        manifest = {"format": FORMAT, **about, "files": [_entry(file) for file in files]}
        _made(stage, Part(MANIFEST, lambda file: file.write(f"{json.dumps(manifest, indent=2)}\n".encode())))
        names = [file.name for file in files]
        still_ours()
        if isinstance(place, Path):
            _put_in_folder(place, stage, names)
        else:
            _put_in_storage(place, stage, names, still_ours)
        return files


def _made(stage: Path, part: Part) -> Delivered:
    with (stage / part.name).open("wb") as file:
        counted = _Counted(file)
        rows = part.write(counted)  # type: ignore[arg-type]  # what is not counted goes to the file itself
        file.flush()
        os.fsync(file.fileno())
    return Delivered(part.name, rows, counted.length, counted.hash.hexdigest())


def _put_in_folder(place: Path, stage: Path, names: Sequence[str]) -> None:
    """Even where the machine dies meanwhile, no manifest is beside files that it does not speak of."""
    (place / MANIFEST).unlink(missing_ok=True)
    _on_disk(place)
    for name in names:
        os.replace(stage / name, place / name)
    _on_disk(place)
    os.replace(stage / MANIFEST, place / MANIFEST)
    _on_disk(place)


def _on_disk(folder: Path) -> None:
    """Returns once what was renamed and taken away in a folder is so on the disk, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _put_in_storage(place: Place, stage: Path, names: Sequence[str], still_ours: Callable[[], None]) -> None:
    if place.protocol not in _FLAT:
        place.mkdir(parents=True, exist_ok=True)
    if (place / MANIFEST).exists():
        (place / MANIFEST).unlink()
    for name in (*names, MANIFEST):
        with (stage / name).open("rb") as source, (place / name).open("wb") as there:
            while piece := source.read(_PIECE):
                still_ours()
                there.write(piece)
        size = (stage / name).stat().st_size
        if (place / name).stat().st_size != size:
            raise AnswerLost(
                f"{place / name} does not hold the {size:,} bytes that were sent. The next run sends again."
            )


@contextmanager
def _stage_for(place: Path | Place) -> Iterator[Path]:
    """A folder of this machine: inside the target where that is one, so that putting in place is renaming."""
    if not isinstance(place, Path):
        with tempfile.TemporaryDirectory(prefix="qualy-csv-") as folder:
            yield Path(folder)
        return
    place.mkdir(parents=True, exist_ok=True)
    for left in place.glob(f"{_STAGE}*"):
        if time.time() - left.stat().st_mtime > _FORGOTTEN_AFTER:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_STAGE, dir=place) as folder:
        yield Path(folder)


@contextmanager
def _telling(place: Path | Place) -> Iterator[None]:
    """Troubles of the target, in words; everything else comes through as it is."""
    try:
        yield
    except ToolError:
        raise
    except _WRONG_PLACE as error:
        raise Refused(
            f"{place} cannot be written to ({error.strerror or 'not there, or no access'}). Correct csv.target."
        ) from error
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Unreachable(
            f"The CSV files could not be written to {place} ({why}). While there is no {MANIFEST}, what is there is not"
            " whole; the next run writes it anew."
        ) from error


def _entry(file: Delivered) -> dict[str, Any]:
    return {"name": file.name, "rows": file.rows, "bytes": file.bytes, "sha256": file.sha256}
