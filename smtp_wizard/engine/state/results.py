"""How the checks of each account came out: the last one, and a bounded history. One row a check."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from smtp_wizard.engine.base.records import Moment
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.state.timestamps import moment_of, number_of

if TYPE_CHECKING:
    from sqlite3 import Connection

    from smtp_wizard.engine.state.storage import Storage

KEEP = 100
"""Results of each account; the oldest go first."""


NOT_PROVED = "not-proved"
"""The code of a last result whose test message the server took, and nobody has seen."""


@dataclass(frozen=True, slots=True)
class LastResult:
    """How the last check of an account came out."""

    at: Moment
    """Aware."""
    depth: Depth
    verdict: Verdict
    stage: Stage | None = None
    """The first stage that failed."""
    code: str = ""
    """The code of its finding."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one check came out, as it stands in the history."""

    last: LastResult
    ms: Mapping[Stage, int] = field(default_factory=dict)
    """Milliseconds that each stage took, as far as the check came."""
    not_after: datetime | None = None
    """When the server's certificate ends, where it was believed, or has ended. Aware."""


@dataclass(frozen=True, slots=True)
class SeenCertificate:
    """A server's certificate, as a check saw it."""

    ends: datetime
    """Aware."""
    seen: datetime
    """When that was. Aware."""


class Results:
    """The results of all accounts, by the accounts' ids."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._unwritten: dict[str, list[Result]] = {}
        """What is handed over and stands in no file yet, by account."""

    def record(self, account: str, result: Result, *, if_first: bool = False) -> None:
        """Keep a result: it is known at once, and written soon. `if_first`: only where no other is written already."""
        waiting = self._unwritten.setdefault(account, [])
        waiting.append(result)
        del waiting[:-KEEP]

        def kept() -> None:
            if result in waiting:
                waiting.remove(result)

        self._storage.put(lambda file: _insert(file, account, result, if_first=if_first), kept=kept)

    def carry_over(self, lasts: Mapping[str, LastResult]) -> None:
        """Take results over from where an older version kept them, for accounts of which nothing is known here."""
        known = self.lasts(tuple(lasts))
        for account, last in lasts.items():
            if account not in known:
                self.record(account, Result(last), if_first=True)

    def lasts(self, accounts: Sequence[str]) -> dict[str, LastResult]:
        """Return the last result of each account that has one, in one look at the file. Writes nothing."""
        if not accounts:
            return {}
        found, unwritten = self._storage.read_beside(
            lambda file: _lasts(file, accounts), lambda: self._last_unwritten(accounts)
        )
        return (found or {}) | {account: result.last for account, result in unwritten.items()}

    def certificates(self, accounts: Sequence[str], before: datetime) -> dict[str, SeenCertificate]:
        """Return the certificates that were seen last, for those accounts where they end before a day.

        A check that saw none, since the server was down, say, leaves what an earlier one saw. In one look at the file,
        which gives only those rows. Writes nothing.
        """
        if not accounts:
            return {}
        read, unwritten = self._storage.read_beside(
            lambda file: _ending(file, accounts, before), lambda: self._certificates_unwritten(accounts)
        )
        found = {account: seen for account, seen in (read or {}).items() if account not in unwritten}
        return found | {account: seen for account, seen in unwritten.items() if seen.ends < before}

    def history(self, account: str, most: int = KEEP) -> tuple[Result, ...]:
        """Return the results of an account, the newest first. Writes nothing."""
        found, waiting = self._storage.read_beside(
            lambda file: _history(file, account, most), lambda: tuple(self._unwritten.get(account, ()))
        )
        return (*reversed(waiting), *(found or ()))[:most]

    def _last_unwritten(self, accounts: Sequence[str]) -> dict[str, Result]:
        """Return the last result of each account of which one stands in no file yet."""
        waiting = ((account, tuple(self._unwritten.get(account, ()))) for account in accounts if self._unwritten)
        return {account: results[-1] for account, results in waiting if results}

    def _certificates_unwritten(self, accounts: Sequence[str]) -> dict[str, SeenCertificate]:
        """Return the certificates that were seen last, of checks that stand in no file yet."""
        seen: dict[str, SeenCertificate] = {}
        for account in accounts if self._unwritten else ():
            for result in tuple(self._unwritten.get(account, ())):
                if result.not_after is not None:
                    seen[account] = SeenCertificate(result.not_after, result.last.at)
        return seen

    def forget(self, account: str) -> None:
        """Delete all that is known of an account."""
        self._unwritten.pop(account, None)
        if self._storage.exists:
            self._storage.put(lambda file: file.execute("DELETE FROM results WHERE account = ?", (account,)))

    def tidy(self, accounts: frozenset[str], before: datetime) -> None:
        """Delete the results of those that are none of `accounts` and were not tested since `before`."""
        if self._storage.exists:
            self._storage.put(lambda file: _tidy(file, accounts, number_of(before)))


_COLUMNS = "account, number, at, depth, verdict, stage, code, ms, not_after"
# Each step looks up the next account: the rows of one account are not read one by one.
_ACCOUNTS = """
    WITH RECURSIVE known (account) AS (
        SELECT min(account) FROM results
        UNION ALL
        SELECT (SELECT min(account) FROM results WHERE account > known.account) FROM known WHERE account IS NOT NULL
    ) SELECT account FROM known WHERE account IS NOT NULL"""


def _newest(file: Connection, account: str) -> int | None:
    (number,) = file.execute("SELECT max(number) FROM results WHERE account = ?", (account,)).fetchone()
    return None if number is None else int(number)


def _insert(file: Connection, account: str, result: Result, *, if_first: bool) -> None:
    newest, last = _newest(file, account), result.last
    if if_first and newest is not None:
        return
    number = (newest or 0) + 1
    ms = json.dumps({stage.value: took for stage, took in result.ms.items()}, separators=(",", ":"))
    ends = None if result.not_after is None else number_of(result.not_after)
    row = (account, number, number_of(last.at), last.depth, last.verdict, last.stage, last.code, ms, ends)
    file.execute(f"INSERT INTO results ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)  # noqa: S608
    # However long a server has been down, it is known when its certificate ends.
    file.execute(
        """DELETE FROM results WHERE account = :account AND number <= :oldest AND number <>
        ifnull((SELECT max(number) FROM results WHERE account = :account AND not_after IS NOT NULL), 0)""",
        {"account": account, "oldest": number - KEEP},
    )


def _lasts(file: Connection, accounts: Sequence[str]) -> dict[str, LastResult]:
    rows = file.execute(
        f"""SELECT {_COLUMNS} FROM json_each(?) AS wanted JOIN results ON account = wanted.value
        AND number = (SELECT max(number) FROM results WHERE account = wanted.value)""",  # noqa: S608
        (json.dumps(accounts),),
    )
    return {row[0]: result.last for row in rows if (result := _result(row)) is not None}


def _ending(file: Connection, accounts: Sequence[str], before: datetime) -> dict[str, SeenCertificate]:
    rows = file.execute(
        """SELECT account, not_after, at FROM json_each(?) AS wanted JOIN results ON account = wanted.value
        AND number = (SELECT max(number) FROM results WHERE account = wanted.value AND not_after IS NOT NULL)
        WHERE not_after < ?""",
        (json.dumps(accounts), number_of(before)),
    )
    ends: dict[str, SeenCertificate] = {}
    for account, ending, at in rows:
        with suppress(ValueError, TypeError, OverflowError):  # not as this version writes it
            ends[account] = SeenCertificate(moment_of(ending), moment_of(at))
    return ends


def _history(file: Connection, account: str, most: int) -> list[Result]:
    rows = file.execute(
        f"SELECT {_COLUMNS} FROM results WHERE account = ? ORDER BY number DESC LIMIT ?",  # noqa: S608
        (account, most),
    )
    return [result for row in rows if (result := _result(row)) is not None]


def _result(row: Sequence[Any]) -> Result | None:
    """Return what stands in a row, None where it is not as this version writes it."""
    _, _, at, depth, verdict, stage, code, ms, ends = row
    try:
        last = LastResult(moment_of(at), Depth(depth), Verdict(verdict), Stage(stage) if stage else None, str(code))
        times = {Stage(name): _milliseconds(took) for name, took in json.loads(ms).items()}
        return Result(last, times, None if ends is None else moment_of(ends))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


LONGEST = 10**9
"""Milliseconds of a stage: more than ten days are not as this version writes them."""


def _milliseconds(took: object) -> int:
    """Return how long a stage took. Raises `ValueError` for what is no such number."""
    if type(took) is not int or not 0 <= took <= LONGEST:
        raise ValueError("no time that a stage takes")
    return took


def _tidy(file: Connection, saved: frozenset[str], before: int) -> None:
    gone = [account for (account,) in file.execute(_ACCOUNTS).fetchall() if account not in saved]
    for account in gone:
        newest = "SELECT max(at) FROM results WHERE account = :account"
        file.execute(
            f"DELETE FROM results WHERE account = :account AND ({newest}) < :before",  # noqa: S608
            {"account": account, "before": before},
        )
