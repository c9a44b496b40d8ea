"""What was looked at in the mailboxes of accounts, and which returned letters were shown already.

No address, subject or word of a letter is kept: UIDs, days, and what a letter is told from others by, scrambled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from smtp_wizard.engine.base.records import parse_day
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.state.timestamps import number_of

if TYPE_CHECKING:
    from sqlite3 import Connection

    from smtp_wizard.engine.state.storage import Storage

MOST_BOUNCES = 5_000
"""UIDs of bounces that are kept of a folder, and letters that count as shown of an account: the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderMark:
    """How far a folder was looked at."""

    validity: int
    """The folder's UIDVALIDITY: with another one nothing of this holds."""
    since: date
    """The first day that was looked at."""
    highest: int
    """The highest UID that was looked at."""
    bounces: frozenset[int] = frozenset()
    """The UIDs of the bounces that were found."""
    replies: frozenset[int] = frozenset()
    """Those of the automatic replies: they are counted, and not fetched again."""


class MailboxMarks:
    """What is remembered of mailboxes, by the accounts' ids; of folders also by the server that numbered the letters.

    Two servers may have the same UIDVALIDITY by chance (RFC 3501 section 2.3.1.1 only speaks of one mailbox).
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def folders(self, account: str, server: str) -> dict[str, FolderMark]:
        """Return how far the folders of an account on a server were looked at, by name. Writes nothing."""
        return self._storage.read(lambda file: _folders(file, account, _server_key(server))) or {}

    def shown(self, account: str) -> frozenset[str]:
        """Return the keys of the letters that were shown. Writes nothing."""
        return self._storage.read(lambda file: _shown(file, account)) or frozenset()

    def keep(
        self, account: str, server: str, folders: Mapping[str, FolderMark], shown: Sequence[str], now: datetime
    ) -> None:
        """Keep how far folders on a server were looked at, and which letters were shown now, the newest first."""
        named = {f"{_server_key(server)}{name}": mark for name, mark in folders.items()}
        self._storage.put(lambda file: _keep(file, account, named, tuple(shown), number_of(now)))

    def forget(self, account: str) -> None:
        """Delete what is remembered of an account's mailbox."""
        if self._storage.exists:
            self._storage.put(lambda file: _forget(file, (account,)))

    def tidy(self, accounts: frozenset[str], before: datetime) -> None:
        """Delete what belongs to none of `accounts` and was not looked at since `before`."""
        if self._storage.exists:
            self._storage.put(lambda file: _tidy(file, accounts, number_of(before)))


def _is_there(file: Connection) -> bool:
    """Whether the file has the tables: an older version may have written it."""
    found = file.execute("SELECT count(*) FROM sqlite_master WHERE name IN ('folders', 'returned')").fetchone()
    return bool(found[0] == 2)


def _server_key(server: str) -> str:
    """Return what stands before the names of a server's folders: no name of a server has a blank in it."""
    return f"{''.join(server.split()).lower()} "


def _folders(file: Connection, account: str, before: str) -> dict[str, FolderMark]:
    if not _is_there(file):
        return {}
    rows = file.execute("SELECT folder, validity, since, highest, bounces FROM folders WHERE account = ?", (account,))
    marks = {str(row[0]): _mark(row) for row in rows}
    return {
        name.removeprefix(before): mark for name, mark in marks.items() if mark is not None and name.startswith(before)
    }


def _mark(row: tuple[Any, ...]) -> FolderMark | None:
    """Return what stands in a row, None where it is not as this version writes it."""
    _, validity, since, highest, bounces = row
    try:
        uids = [int(each) for each in json.loads(bounces)]
        return FolderMark(
            validity=int(validity),
            since=parse_day(since),
            highest=int(highest),
            bounces=frozenset(each for each in uids if each > 0),
            replies=frozenset(-each for each in uids if each < 0),
        )
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None


def _shown(file: Connection, account: str) -> frozenset[str]:
    if not _is_there(file):
        return frozenset()
    return frozenset(str(key) for (key,) in file.execute("SELECT key FROM returned WHERE account = ?", (account,)))


def _keep(file: Connection, account: str, folders: Mapping[str, FolderMark], shown: tuple[str, ...], now: int) -> None:
    for name, mark in folders.items():
        uids = [*_newest(mark.bounces), *(-each for each in _newest(mark.replies))]  # a reply stands with a minus
        bounces = json.dumps(uids, separators=(",", ":"))
        file.execute(
            "INSERT OR REPLACE INTO folders (account, folder, at, validity, since, highest, bounces)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (account, name, now, mark.validity, mark.since.isoformat(), mark.highest, bounces),
        )
    # A microsecond apart, so that of many that are shown at once it is the oldest that are forgotten.
    rows = [(account, key, now - place) for place, key in enumerate(shown[:MOST_BOUNCES])]
    file.executemany("INSERT OR REPLACE INTO returned (account, key, at) VALUES (?, ?, ?)", rows)
    file.execute(
        "DELETE FROM returned WHERE account = ? AND key NOT IN"
        " (SELECT key FROM returned WHERE account = ? ORDER BY at DESC LIMIT ?)",
        (account, account, MOST_BOUNCES),
    )


def _newest(uids: frozenset[int]) -> Sequence[int]:
    return sorted(uids, reverse=True)[:MOST_BOUNCES]


def _forget(file: Connection, accounts: tuple[str, ...]) -> None:
    for table in ("folders", "returned"):
        file.executemany(f"DELETE FROM {table} WHERE account = ?", [(each,) for each in accounts])  # noqa: S608


def _tidy(file: Connection, saved: frozenset[str], before: int) -> None:
    old = file.execute("SELECT account FROM folders GROUP BY account HAVING max(at) < ?", (before,)).fetchall()
    _forget(file, tuple(account for (account,) in old if account not in saved))
