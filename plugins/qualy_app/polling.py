"""How often the DAGs look by their own clocks: the one setting that Airflow needs when it reads a DAG file.

Light on purpose, so that it looks at nothing else in the settings file. A mistake there is told by the runs; until it
is mended, the clocks go once an hour.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

HOUR = 60
ALLOWED = (5, 10, 15, 20, 30, HOUR)  # minutes; each divides the hour
SETTINGS = Path(__file__).parents[2] / "include" / "settings.yaml"


def poll_minutes() -> int:
    """`webhooks.poll_minutes` of the settings file."""
    path = Path(os.environ.get("QUALY_SETTINGS") or SETTINGS)
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return HOUR


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> int:
    import yaml

    try:
        found = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, OSError, ValueError):
        return HOUR
    section = found.get("webhooks") if isinstance(found, dict) else None
    minutes = section.get("poll_minutes") if isinstance(section, dict) else None
    return minutes if minutes in ALLOWED and not isinstance(minutes, bool) else HOUR
