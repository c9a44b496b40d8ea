"""Times as letters and servers say them, as far as they can be used."""

from __future__ import annotations

from datetime import UTC, datetime

EARLIEST, LATEST = 1970, 2200
"""Years between which a time of a letter lies; any other is a mistake, and cannot be put into every time zone."""


def usable(moment: datetime) -> datetime | None:
    """Return a time in UTC; None where no letter has it. A time without a zone counts as UTC. Raises nothing."""
    try:
        found = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # a zone of a hundred hours, or the end of time
        return None
    return found if EARLIEST <= found.year < LATEST else None
