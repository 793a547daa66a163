"""The core and the pages know tools by what they can do, and by the titles that they are given: never by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qualy_app.crm_tools import CRM_TOOLS
from qualy_app.tools import TOOLS

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "plugins" / "qualy_sync" / "settings"  # a user's settings have a section for each tool
PLACES = ("plugins/qualy_sync", "plugins/qualy_web", "include/sql", "expectations")
KINDS = {".py", ".sql", ".j2", ".json", ".css", ".js", ".yaml"}


def vendors() -> re.Pattern[str]:
    names = {*TOOLS, *CRM_TOOLS, "intuit"}
    return re.compile("|".join(sorted(name.replace("_", "[ _-]?") for name in names)), re.IGNORECASE)


@pytest.mark.parametrize("place", PLACES)
def test_no_vendor_is_named(place: str) -> None:
    files = [one for one in sorted((ROOT / place).rglob("*")) if one.suffix in KINDS and SETTINGS not in one.parents]
    assert files
    said = vendors()
    named = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if said.search(line)
    ]
    assert named == []
