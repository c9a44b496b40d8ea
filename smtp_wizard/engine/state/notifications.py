"""What is still to be mailed of what changed, and when a message went out last, by the name of the comparison."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from smtp_wizard.engine.state.timestamps import moment_of, number_of

if TYPE_CHECKING:
    from sqlite3 import Connection

    from smtp_wizard.engine.state.storage import Storage

MOST = 10_000
"""Lines that wait for the next message; the oldest are left out, and counted."""
LONGEST = timedelta(days=32)
"""How long a line waits: a comparison that is made once a month still tells it."""


class Notifications:
    """The lines that wait. They name accounts: they are deleted when they were sent, or after `LONGEST`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def waiting(self, name: str) -> tuple[str, ...]:
        """Return the lines that wait, the oldest first. Writes nothing."""
        return tuple(self._storage.read(lambda file: _waiting(file, name)) or ())

    def last(self, name: str) -> datetime | None:
        """Return when a message went out last; None where none did. Writes nothing."""
        return self._storage.read(lambda file: _last(file, name))

    def left_out(self, name: str) -> int:
        """Return how many lines more there were than wait. Writes nothing."""
        return self._storage.read(lambda file: _left_out(file, name)) or 0

    def wait(self, name: str, lines: Sequence[str], now: datetime) -> None:
        """Let lines wait for the next message."""
        self._storage.put(lambda file: _wait(file, name, tuple(lines), number_of(now)))

    def begin(self, name: str, now: datetime, seconds: float | None = None) -> bool:
        """Say that a message goes out now; return whether that stands in the file. Not in an event loop.

        `seconds`: how long to wait for the file.
        """
        return self._storage.keep(lambda file: _begin(file, name, number_of(now)), seconds)

    def failed(self, name: str, before: datetime | None) -> None:
        """Say that it did not go out: the last one is that of `before`."""
        self._storage.put(lambda file: _failed(file, name, before))

    def newest(self, name: str) -> int:
        """Return the number of the newest line that waits; 0 where none does. Writes nothing."""
        return self._storage.read(lambda file: _newest(file, name)) or 0

    def sent(self, name: str, newest: int) -> None:
        """Say that a message has gone out, with what waited up to the line of this number: later ones still wait."""
        self._storage.put(lambda file: _sent(file, name, newest))

    def tidy(self, now: datetime) -> None:
        """Delete what has waited for longer than `LONGEST`, under whatever name, and when such a name was told last."""
        if self._storage.exists:
            self._storage.put(lambda file: _tidy(file, number_of(now - LONGEST)))


def _there(file: Connection) -> bool:
    """Whether this version has written the file."""
    return file.execute("SELECT 1 FROM sqlite_master WHERE name = 'notified'").fetchone() is not None


def _waiting(file: Connection, name: str) -> list[str]:
    if not _there(file):
        return []
    rows = file.execute("SELECT words FROM waiting WHERE name = ? ORDER BY number", (name,))
    return [str(words) for (words,) in rows]


def _last(file: Connection, name: str) -> datetime | None:
    row = file.execute("SELECT at FROM notified WHERE name = ?", (name,)).fetchone() if _there(file) else None
    try:
        return moment_of(row[0]) if row is not None else None
    except (ValueError, OverflowError):  # not as this version writes it
        return None


def _newest(file: Connection, name: str) -> int:
    if not _there(file):
        return 0
    (newest,) = file.execute("SELECT coalesce(max(number), 0) FROM waiting WHERE name = ?", (name,)).fetchone()
    return int(newest)


def _sent(file: Connection, name: str, newest: int) -> None:
    left = file.execute(
        "SELECT words, at FROM waiting WHERE name = ? AND number > ? ORDER BY number", (name, newest)
    ).fetchall()
    file.execute("DELETE FROM waiting WHERE name = ?", (name,))
    rows = [(name, number, words, at) for number, (words, at) in enumerate(left, 1)]
    file.executemany("INSERT INTO waiting (name, number, words, at) VALUES (?, ?, ?, ?)", rows)


def _wait(file: Connection, name: str, lines: Sequence[str], at: int) -> None:
    newest = _newest(file, name)
    rows = [(name, newest + number, words, at) for number, words in enumerate(lines, 1)]
    file.executemany("INSERT INTO waiting (name, number, words, at) VALUES (?, ?, ?, ?)", rows)
    file.execute("DELETE FROM waiting WHERE name = ? AND number <= ?", (name, newest + len(lines) - MOST))


def _left_out(file: Connection, name: str) -> int:
    """The lines of a message are numbered from 1: as many are missing as there are numbers before the first."""
    if not _there(file):
        return 0
    (first,) = file.execute("SELECT min(number) FROM waiting WHERE name = ?", (name,)).fetchone()
    return int(first) - 1 if first is not None else 0


def _begin(file: Connection, name: str, at: int) -> None:
    file.execute("INSERT OR REPLACE INTO notified (name, at) VALUES (?, ?)", (name, at))


def _failed(file: Connection, name: str, before: datetime | None) -> None:
    file.execute("DELETE FROM notified WHERE name = ?", (name,))
    if before is not None:
        _begin(file, name, number_of(before))


def _tidy(file: Connection, before: int) -> None:
    for table in ("waiting", "notified"):
        file.execute(f"DELETE FROM {table} WHERE at < ?", (before,))  # noqa: S608
