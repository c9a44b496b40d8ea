"""When the sign-ins in the browser were last renewed: what may be read of them without opening any store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from smtp_wizard.engine.base.records import YOUNGER, Moment
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.state.timestamps import moment_of, number_of

if TYPE_CHECKING:
    from sqlite3 import Connection

    from smtp_wizard.engine.state.storage import Storage


@dataclass(frozen=True, slots=True)
class SignInRenewal:
    """What is known of a sign-in in the browser, or of an application's own. Never a token or a secret.

    So much may be read without opening any store.
    """

    client_id: str
    granted: Moment
    """When the person signed in. Aware."""
    renewed: Moment
    """When it was last renewed. Aware."""
    ends: Moment | None
    """When it ends in any case, where the server says so."""
    application_at: Annotated[str, YOUNGER] = ""
    """Where the application gets its tokens that signs in by itself; '' where a person signed in.

    The accounts' file alone has it: a renewal does not change it.
    """


class SignInRenewals:
    """The renewals of all accounts, by the accounts' ids. They come with every test, so they are learnt, not saved."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._unwritten: dict[str, SignInRenewal] = {}

    def renewed(self, account: str, login: SignInRenewal) -> None:
        """Keep that an account's sign-in was renewed."""
        self._unwritten[account] = login

        def kept() -> None:
            if self._unwritten.get(account) is login:
                del self._unwritten[account]

        self._storage.put(lambda file: _insert(file, account, login), kept=kept)

    def latest(self, accounts: Sequence[str]) -> dict[str, SignInRenewal]:
        """Return what is known of the sign-in of each account, in one look at the file. Writes nothing."""
        if not accounts:
            return {}
        found, unwritten = self._storage.read_beside(lambda file: _found(file, accounts), self._unwritten.copy)
        return (found or {}) | {account: unwritten[account] for account in accounts if account in unwritten}

    def forget(self, account: str) -> None:
        """Delete what is known of an account's sign-in."""
        self._unwritten.pop(account, None)
        if self._storage.exists:
            self._storage.put(lambda file: file.execute("DELETE FROM logins WHERE account = ?", (account,)))

    def tidy(self, accounts: frozenset[str], before: datetime) -> None:
        """Delete what belongs to none of `accounts` and was not renewed since `before`."""
        if self._storage.exists:
            self._storage.put(lambda file: _tidy(file, accounts, number_of(before)))


def _insert(file: Connection, account: str, login: SignInRenewal) -> None:
    ends = None if login.ends is None else number_of(login.ends)
    row = (account, login.client_id, number_of(login.granted), number_of(login.renewed), ends)
    file.execute(
        "INSERT OR REPLACE INTO logins (account, client_id, granted, renewed, ends) VALUES (?, ?, ?, ?, ?)", row
    )


def _found(file: Connection, accounts: Sequence[str]) -> dict[str, SignInRenewal]:
    rows = file.execute(
        """SELECT account, client_id, granted, renewed, ends FROM json_each(?) AS wanted
        JOIN logins ON account = wanted.value""",
        (json.dumps(accounts),),
    )
    return {row[0]: login for row in rows if (login := _login(row)) is not None}


def _login(row: Sequence[Any]) -> SignInRenewal | None:
    """Return what stands in a row, None where it is not as this version writes it."""
    _, client_id, granted, renewed, ends = row
    try:
        return SignInRenewal(
            str(client_id), moment_of(granted), moment_of(renewed), None if ends is None else moment_of(ends)
        )
    except (ValueError, OverflowError):
        return None


def _tidy(file: Connection, saved: frozenset[str], before: int) -> None:
    old = file.execute("SELECT account FROM logins WHERE renewed < ?", (before,)).fetchall()
    gone = [(account,) for (account,) in old if account not in saved]
    file.executemany("DELETE FROM logins WHERE account = ?", gone)
