"""What is still to be mailed of what changed, and when a message went out last, by the name of the comparison."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from smtp_wizard.engine.state.timestamps import moment_of, number_of

if TYPE_CHECKING:
    from sqlite3 import Connection

    from smtp_wizard.engine.state.storage import Storage

MOST = 1000
"""Lines that wait for the next message; the oldest are left out."""
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

    def wait(self, name: str, lines: Sequence[str], now: datetime) -> None:
        """Let lines wait for the next message."""
        self._storage.put(lambda file: _wait(file, name, tuple(lines), number_of(now)))

    def sent(self, name: str, now: datetime) -> None:
        """Say that a message with all that waited has gone out."""
        self._storage.put(lambda file: _sent(file, name, number_of(now)))

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


def _wait(file: Connection, name: str, lines: Sequence[str], at: int) -> None:
    (newest,) = file.execute("SELECT coalesce(max(number), 0) FROM waiting WHERE name = ?", (name,)).fetchone()
    rows = [(name, newest + number, words, at) for number, words in enumerate(lines, 1)]
    file.executemany("INSERT INTO waiting (name, number, words, at) VALUES (?, ?, ?, ?)", rows)
    file.execute("DELETE FROM waiting WHERE name = ? AND number <= ?", (name, newest + len(lines) - MOST))


def _sent(file: Connection, name: str, at: int) -> None:
    file.execute("DELETE FROM waiting WHERE name = ?", (name,))
    file.execute("INSERT OR REPLACE INTO notified (name, at) VALUES (?, ?)", (name, at))


def _tidy(file: Connection, before: int) -> None:
    for table in ("waiting", "notified"):
        file.execute(f"DELETE FROM {table} WHERE at < ?", (before,))  # noqa: S608
