"""Lock dates: what is refused, in Xero's words. Pure functions."""

from __future__ import annotations

from datetime import date

from sandbox.xero.company import LockDates

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def written(day: date) -> str:
    """A date as the messages write it: 30-Nov-2018."""
    return f"{day.day:02d}-{_MONTHS[day.month - 1]}-{day.year:04d}"


def _locked(day: date, locks: LockDates) -> list[tuple[str, date]]:
    named = (("period lock date", locks.period), ("end of year lock date", locks.year_end))
    return [(name, lock) for name, lock in named if lock is not None and day <= lock]


def dated_in_lock(day: date, locks: LockDates) -> list[str]:
    """Why a document with this date cannot be approved: none, one or both messages, the period first."""
    return [
        f"The document date cannot be before the {name}, currently set at {written(lock)}"
        for name, lock in _locked(day, locks)
    ]


def edit_in_lock(day: date, locks: LockDates) -> list[str]:
    """Why an approved document with this date cannot be edited or voided."""
    return [
        f"The document cannot be edited as it is currently dated before the {name}" for name, _ in _locked(day, locks)
    ]


def payment_in_lock(day: date, locks: LockDates) -> list[str]:
    """Why a payment with this date cannot be made or deleted."""
    return [
        f"Organisation accounts are locked on the specified payment date {written(day)}"
        for _ in _locked(day, locks)[:1]
    ]
