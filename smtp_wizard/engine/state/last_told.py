"""What was told of each account when somebody last asked for changes alone: the next look is compared with it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.state.timestamps import number_of

if TYPE_CHECKING:
    from sqlite3 import Connection

    from smtp_wizard.engine.state.storage import Storage


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """How an account stands, as far as a change of it is worth telling."""

    cause: str = ""
    """The code of what failed; '' where nothing did."""
    warnings: frozenset[str] = frozenset()
    """What will end, or was remarked on, a word each."""


class LastTold:
    """The standings that were told, by the name of the comparison and the accounts' ids."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def last(self, name: str) -> dict[str, AccountStatus]:
        """Return what was told last under a name. Writes nothing."""
        return self._storage.read(lambda file: _found(file, name)) or {}

    @property
    def unread(self) -> bool:
        """Whether what `last` looked for just now could not be read."""
        return bool(self._storage.unread)

    def move_on(
        self,
        name: str,
        told: Mapping[str, AccountStatus],
        gone: Collection[str],
        now: datetime,
        seconds: float | None = None,
    ) -> bool:
        """Keep what was told under a name; return whether it stands in the file. Not in an event loop.

        `gone`: accounts that are to be compared no more. `seconds`: how long to wait for the file.
        """
        return self._storage.keep(lambda file: _move_on(file, name, told, tuple(gone), number_of(now)), seconds)

    def forget(self, account: str) -> None:
        """Delete what was told of an account."""
        if self._storage.exists:
            self._storage.put(lambda file: file.execute("DELETE FROM told WHERE account = ?", (account,)))

    def tidy(self, accounts: frozenset[str], before: datetime) -> None:
        """Delete what belongs to none of `accounts` and was not told since `before`."""
        if self._storage.exists:
            self._storage.put(lambda file: _tidy(file, accounts, number_of(before)))


def _found(file: Connection, name: str) -> dict[str, AccountStatus]:
    if not file.execute("SELECT 1 FROM sqlite_master WHERE name = 'told'").fetchone():
        return {}  # an older version has written the file, and nothing was told yet
    rows = file.execute("SELECT account, cause, warnings FROM told WHERE name = ?", (name,))
    return {row[0]: standing for row in rows if (standing := _standing(row)) is not None}


def _standing(row: Sequence[Any]) -> AccountStatus | None:
    """Return what stands in a row, None where it is not as this version writes it."""
    _, cause, warnings = row
    try:
        read = json.loads(warnings)
        return AccountStatus(str(cause), frozenset(map(str, read))) if isinstance(read, list) else None
    except (ValueError, TypeError, RecursionError):
        return None


def _move_on(file: Connection, name: str, told: Mapping[str, AccountStatus], gone: Sequence[str], at: int) -> None:
    rows = [(name, account, at, each.cause, json.dumps(sorted(each.warnings))) for account, each in told.items()]
    file.executemany("INSERT OR REPLACE INTO told (name, account, at, cause, warnings) VALUES (?, ?, ?, ?, ?)", rows)
    file.executemany("DELETE FROM told WHERE name = ? AND account = ?", [(name, account) for account in gone])


def _tidy(file: Connection, saved: frozenset[str], before: int) -> None:
    old = file.execute("SELECT DISTINCT account FROM told WHERE at < ?", (before,)).fetchall()
    gone = [(account,) for (account,) in old if account not in saved]
    file.executemany("DELETE FROM told WHERE account = ?", gone)
