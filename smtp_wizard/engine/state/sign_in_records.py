"""The sign-ins that count, one row each, under the scrambled names of their accounts.

Here is how they are kept; which count, and for how long, is for `engine.accounts.lockout_guard` to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.state.timestamps import moment_of, number_of

if TYPE_CHECKING:
    from sqlite3 import Connection

T = TypeVar("T")


class SignInStage(StrEnum):
    """How far a sign-in has come."""

    OPEN = "open"
    """A place is taken; nothing has gone out."""
    SENT = "sent"
    """It went out, and nobody has said how it ended."""
    FAILED = "failed"
    """It did not succeed."""


@dataclass(frozen=True, slots=True)
class SignInRecord:
    """One sign-in."""

    at: datetime
    until: datetime
    """When it no longer counts."""
    state: SignInStage
    cause: str = ""
    """Of one that failed: the code of the finding, '' where the server has not answered."""
    process: int = 0
    """Whose it is, until it is settled."""


Entry = dict[str, SignInRecord]
"""The sign-ins of one account, by their ids."""

ACCOUNT, ID, CAUSE = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{16}"), re.compile(r"[0-9a-z_]{0,60}")


def entry_of(file: Connection, account: str) -> Entry:
    """Return what stands in the file of one account. Rows that are not as this version writes them are left out."""
    rows = file.execute(
        "SELECT id, at, until, state, cause, process FROM attempts WHERE account = ?", (account,)
    ).fetchall()
    return {row[0]: found for row in rows if (found := _sign_in(row)) is not None}


def changed(
    file: Connection,
    accounts: Sequence[str],
    now: datetime,
    change: Callable[[Entry], tuple[T, Entry]],
    *,
    related: Sequence[str] = (),
) -> T:
    """Put in place of an account's sign-ins what `change` makes of them; return what it returns besides.

    `accounts`: the names under which it is counted; each sign-in stands under all of them. `related`: names under which
    the same sign-ins may stand as well, and are deleted with them. What no longer counts, of any account, is deleted.
    """
    file.execute("DELETE FROM attempts WHERE until <= ?", (number_of(now),))
    stood = {account: entry_of(file, account) for account in accounts}
    before = {id: each for entry in stood.values() for id, each in entry.items()}
    answer, after = change(before)
    for account, entry in stood.items():
        if new := {id: each for id, each in after.items() if entry.get(id) != each}:
            put(file, account, new)
    gone = [(account, id) for account in {*accounts, *related} for id in before if id not in after]
    if gone:
        file.executemany("DELETE FROM attempts WHERE account = ? AND id = ?", gone)
    return answer


def put(file: Connection, account: str, entry: Mapping[str, SignInRecord]) -> None:
    """Write sign-ins, each in place of the one of the same id."""
    rows = [
        (account, id, number_of(each.at), number_of(each.until), each.state, each.cause, each.process)
        for id, each in entry.items()
    ]
    file.executemany(
        """INSERT OR REPLACE INTO attempts (account, id, at, until, state, cause, process)
        VALUES (?, ?, ?, ?, ?, ?, ?)""",
        rows,
    )


def _sign_in(row: Sequence[Any]) -> SignInRecord | None:
    id, at, until, state, cause, process = row
    try:
        if not (ID.fullmatch(id) and CAUSE.fullmatch(cause) and type(process) is int and process >= 0 and at < until):
            return None
        return SignInRecord(moment_of(at), moment_of(until), SignInStage(state), cause, process)
    except (ValueError, TypeError, OverflowError):
        return None
