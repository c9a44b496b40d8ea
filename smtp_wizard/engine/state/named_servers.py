"""Which IMAP server a person has named for an account, where it was signed in to: so nobody asks for it again.

It holds for as long as the account sends through the same server under the same name: a password goes there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.endpoint import Endpoint, parse_imap
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.state.timestamps import number_of

if TYPE_CHECKING:
    from sqlite3 import Connection

    from smtp_wizard.engine.state.storage import Storage


@dataclass(frozen=True, slots=True)
class SignInPlace:
    """Where an account signs in, and as whom."""

    account: str
    """Its id; nothing is remembered of one that has none."""
    words: Sequence[str]
    """What a server was named for: the account's own server, user name and address. With others it holds no more."""

    @property
    def key(self) -> str:
        """The words, scrambled."""
        told = "\0".join(each.casefold() for each in self.words)
        return hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=16, person=b"smtp-wizard").hexdigest()


class NamedServers:
    """The servers that were named, by the accounts' ids."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._unwritten: dict[str, tuple[str, Endpoint]] = {}

    def of(self, place: SignInPlace) -> Endpoint | None:
        """Return the server that was named for an account, None where none was. Writes nothing."""
        if not place.account:
            return None
        key, server = self._unwritten.get(place.account) or ("", None)
        if server is not None:
            return server if key == place.key else None
        return self._storage.read(lambda file: _found(file, place))

    def keep(self, place: SignInPlace, server: Endpoint, now: datetime) -> None:
        """Keep the server that was named, once it has taken the sign-in."""
        if not place.account or self.of(place) == server:
            return
        row = (place.account, place.key, str(server), number_of(now))
        learnt = self._unwritten[place.account] = (place.key, server)

        def kept() -> None:
            if self._unwritten.get(place.account) is learnt:
                del self._unwritten[place.account]

        self._storage.put(
            lambda file: file.execute(
                "INSERT OR REPLACE INTO named_servers (account, place, server, at) VALUES (?, ?, ?, ?)", row
            ),
            kept=kept,
        )

    def forget(self, account: str) -> None:
        """Delete what was named for an account."""
        self._unwritten.pop(account, None)
        if self._storage.exists:
            self._storage.put(lambda file: file.execute("DELETE FROM named_servers WHERE account = ?", (account,)))

    def tidy(self, accounts: frozenset[str], before: datetime) -> None:
        """Delete what was named for none of `accounts` and is older than `before`."""
        if self._storage.exists:
            self._storage.put(lambda file: _tidy(file, accounts, number_of(before)))


def _found(file: Connection, place: SignInPlace) -> Endpoint | None:
    if not file.execute("SELECT 1 FROM sqlite_master WHERE name = 'named_servers'").fetchone():
        return None  # an older version has written the file
    query = "SELECT server FROM named_servers WHERE account = ? AND place = ?"
    row = file.execute(query, (place.account, place.key)).fetchone()
    try:
        return parse_imap(str(row[0])) if row else None
    except InputError:
        return None


def _tidy(file: Connection, saved: frozenset[str], before: int) -> None:
    old = file.execute("SELECT account FROM named_servers WHERE at < ?", (before,)).fetchall()
    gone = [(account,) for (account,) in old if account not in saved]
    file.executemany("DELETE FROM named_servers WHERE account = ?", gone)
