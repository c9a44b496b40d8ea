"""Timestamps as they stand in the file, in whole microseconds since 1970, UTC; and the file's name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

FILE_NAME = "state.sqlite3"
OLD_NAME = "attempts.json"
"""The file in which an older version kept the refused sign-ins."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def number_of(moment: datetime) -> int:
    """Return an aware moment as a number."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(number: object) -> datetime:
    """Return the moment of a number. Raises `ValueError` for what is none, `OverflowError` for one beyond all years."""
    if type(number) is not int:
        raise ValueError("not a moment")
    return _EPOCH + timedelta(microseconds=number)
