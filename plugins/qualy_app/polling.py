"""How often the DAGs look by their own clocks: `webhooks.poll_minutes`, asked whenever Airflow plans the next run.

DAG files read no settings. What a DAG holds is its minute alone; the scheduler and the DAG processor, which plan runs,
ask how often. So a changed setting counts as soon as the DAG files are next looked at (within half a minute), and no
run ever starts only to find out that none is due.

Light on purpose, so that it looks at nothing else in the settings file. A mistake there is told by the runs; until it
is mended, the clocks go once an hour.
"""

from __future__ import annotations

import os
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from airflow.timetables.base import DataInterval, Timetable
from airflow.timetables.trigger import CronTriggerTimetable

from .settings_file import changed, settings_path

if TYPE_CHECKING:
    from airflow.sdk.bases.timetable import BaseTimetable
    from airflow.timetables.base import DagRunInfo, TimeRestriction
    from pendulum import DateTime

HOUR = 60
ALLOWED = (5, 10, 15, 20, 30, HOUR)  # minutes; each divides the hour


class Polling(Timetable):
    """Every `webhooks.poll_minutes` (an hour by default), UTC, so that one run is at this minute of the hour.

    The plugin makes it known to Airflow. As with `tasks.hourly`, there is no run for a time that was past when the DAG
    was unpaused.
    """

    def __init__(self, minute: int) -> None:
        self._minute = minute
        self.description = f"at {minute} minutes past the hour, or as often as webhooks.poll_minutes says"

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:
        return cls(data["minute"])

    def serialize(self) -> dict[str, Any]:
        return {"minute": self._minute}

    @property
    def summary(self) -> str:
        return f"{self._minute} * * * *, or webhooks.poll_minutes"

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        return DataInterval.exact(run_after)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        every = poll_minutes()
        minutes = f"{self._minute % every}-59/{every}" if every < HOUR else str(self._minute)
        clock = CronTriggerTimetable(f"{minutes} * * * *", timezone="UTC", run_immediately=timedelta(0))
        return clock.next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )


def polling(minute: int) -> BaseTimetable:
    """`Polling` as the clock of a DAG. Airflow takes timetables of its core there, too; its types do not say so."""
    return cast("BaseTimetable", Polling(minute))


def poll_minutes() -> int:
    """`webhooks.poll_minutes` of the settings file."""
    path = settings_path(os.environ)
    return _read(path, changed(path))


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
