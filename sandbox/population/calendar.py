"""When the things of a world happen: creations, first due dates, the end of what is usually locked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sandbox.population.draw import PAYMENT, Draw
from sandbox.population.states import BLOCK_STARTS

SECOND = 1_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
OLD_DAYS = 120
OLD_SHARE = 25
"""One payment in so many was made before the month before last ended, where books are usually locked."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Moments in milliseconds since 1970, UTC. All creations lie before ``today`` begins, ascending with the index."""

    base: int
    payments: int
    start: int
    open_from: int
    today: int

    @classmethod
    def around(cls, today: date, payments: int, base: int) -> Calendar:
        """The calendar of a world around a day."""
        midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
        previous_month = (midnight.replace(day=1) - timedelta(days=1)).replace(day=1)
        return cls(
            base,
            payments,
            _milliseconds(midnight - timedelta(days=OLD_DAYS)),
            _milliseconds(previous_month),
            _milliseconds(midnight),
        )

    def payment(self, index: int) -> int:
        """When payment ``index`` was made."""
        old = max(1, self.payments // OLD_SHARE) if self.payments > 1 else 0
        if index < old:
            first, last, place, places = self.start, self.open_from, index, old
        else:
            first, last, place, places = self.open_from, self.today, index - old, self.payments - old
        slot = (last - first) / places
        return first + int(place * slot) + Draw(self.base, PAYMENT, -1 - index).below(max(1, int(slot)))

    def customer(self, index: int) -> int:
        """When customer ``index`` was made: an hour before the first payment."""
        return self.payment(index // 4 * 10 + BLOCK_STARTS[index % 4]) - HOUR

    def partner(self, index: int) -> int:
        """When partner ``index`` was made: long before all payments."""
        return self.start - 400 * DAY + index * 20 * SECOND * 60


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * SECOND
