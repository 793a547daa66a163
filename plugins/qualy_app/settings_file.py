"""Which file the settings stand in. Light on purpose: whatever Airflow loads in every process may ask it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

SETTINGS = Path(__file__).parents[2] / "include" / "settings.yaml"


def settings_path(environment: Mapping[str, str]) -> Path:
    """What `QUALY_SETTINGS` names, else include/settings.yaml."""
    return Path(environment.get("QUALY_SETTINGS") or SETTINGS)


def changed(path: Path | None) -> int:
    """A number that another version of a file has not; 0 where there is no file."""
    try:
        return path.stat().st_mtime_ns if path is not None else 0
    except OSError:
        return 0
