"""A CSV file as LibreOffice Calc shows it: opened by the real program, without its window."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

OFFICE, TABLE = (f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("office", "table"))
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
# What the dialog for CSV files proposes for ours: commas, double quotes, Unicode (UTF-8), from the first line.
AS_THE_DIALOG_PROPOSES = "CSV:44,34,76,1"


@dataclass(frozen=True)
class Seen:
    """One cell: what it shows, its type (empty, string, float, date, boolean), its value, its formula if any."""

    text: str
    type: str = ""
    value: str = ""
    formula: str = ""


def program() -> str | None:
    """Where LibreOffice is; None on a machine without it."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def opened(path: Path, folder: Path) -> list[list[Seen]]:
    """The rows of a CSV file after LibreOffice opened it; `folder` is for what it makes meanwhile."""
    command = [
        program() or "soffice",
        "--headless",
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",
        f"--infilter={AS_THE_DIALOG_PROPOSES}",
        "--convert-to",
        "fods",
        "--outdir",
        str(folder),
        str(path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    sheet = folder / f"{path.stem}.fods"
    assert sheet.exists(), done.stderr
    rows = ElementTree.parse(sheet).getroot().iter(f"{TABLE}table-row")
    return [[seen for cell in row.iter(f"{TABLE}table-cell") for seen in _cells(cell)] for row in rows]


def _cells(cell: ElementTree.Element) -> list[Seen]:
    """Equal cells beside each other are one element with a number."""
    text = "\n".join("".join(_words(paragraph)) for paragraph in cell.iter(f"{TEXT}p"))
    kind = cell.get(f"{OFFICE}value-type", "")
    value = cell.get(f"{OFFICE}{'value' if kind == 'float' else f'{kind}-value'}", "")
    formula = cell.get(f"{TABLE}formula", "")
    return [Seen(text, kind, value, formula)] * int(cell.get(f"{TABLE}number-columns-repeated", "1"))


def _words(element: ElementTree.Element) -> list[str]:
    """Text with its blanks, of which several are an element of their own."""
    found = [element.text or ""]
    for inner in element:
        found += [" " * int(inner.get(f"{TEXT}c", "1"))] if inner.tag == f"{TEXT}s" else _words(inner)
        found.append(inner.tail or "")
    return found
