"""Counts refused sign-ins per account, over restarts and over processes, so that no provider locks the account.

The file says when a sign-in was refused, and under which scrambled name: no user name, no server, never a secret. A
place is taken before a sign-in and given back after it, so that several at once stay below the limit together. What
cannot be read is put aside and begun anew; where nothing can be written, this process counts for itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from smtp_wizard.engine import paths
from smtp_wizard.engine.provider import LONGEST_LOCKOUT, Lockout

FILE_NAME = "attempts.json"
FILE_SCHEMA = "smtp-wizard/attempts-file/1"
ASIDE = ".aside"
"""The ending of a file that could not be read."""
LARGEST = 1_000_000
"""Bytes of the file at most."""
USUAL = Lockout(attempts=3, minutes=15)
"""Where nothing is known of a provider."""

_OPEN_FOR = timedelta(minutes=5)
"""A sign-in takes no longer, all stages together: a place that is held longer belongs to a process that is dead."""
_FIRST_WAIT, _LONGEST_WAIT = 0.02, 0.5
"""Seconds between two looks whether a place is free."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """The right to sign in to an account once. It is given back by `Attempts.settle` or `Attempts.release`."""

    account: str
    """The account's scrambled name."""
    id: str
    lockout: Lockout


@dataclass(frozen=True, slots=True)
class Pause:
    """No sign-in now: too many were refused."""

    refused: int
    """How many still count."""
    lockout: Lockout
    until: datetime
    """From then on there is a place again. Aware."""

    def minutes(self, now: datetime) -> int:
        """Return how many minutes are left, begun ones counted, at least 1."""
        return max(1, -(-(self.until - now) // timedelta(minutes=1)))


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One sign-in: under way, or refused."""

    at: datetime
    until: datetime
    """When it no longer counts."""
    refused: bool


_Entry = dict[str, _Attempt]
"""The attempts on one account, by their ids."""
_Book = dict[str, _Entry]
"""All accounts, by their scrambled names."""


class Attempts:
    """The refused sign-ins of one config folder. Whatever ails the file, nothing is raised: a sign-in matters more."""

    def __init__(
        self,
        folder: Path,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        lock_limit: float = 5.0,
    ) -> None:
        """`folder`: see `paths.config_dir`. `lock_limit`: seconds to wait for another process that is writing."""
        self._file = folder / FILE_NAME
        self._now = now
        self._sleep = sleep
        self._lock_limit = lock_limit
        self._unwritten: _Book = {}
        """What this process could not write."""

    async def take(self, username: str, host: str, lockout: Lockout, *, anyway: bool = False) -> Place | Pause:
        """Take a place for one sign-in, or learn how long to wait. `anyway`: the person knows better.

        While others who are just signing in to the same account hold the last places, this waits for how they fare.
        """
        wanted = Place(_scrambled(username, host), secrets.token_hex(8), lockout)
        wait = _FIRST_WAIT
        while True:
            answer = self._change(lambda book: self._taken(book, wanted, anyway=anyway))
            if answer is not None:
                return answer
            await self._sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    def settle(self, place: Place, *, refused: bool) -> None:
        """Give a place back after the server's answer: a refusal counts; success makes the earlier ones forgotten."""
        now = self._now()
        counted = _Attempt(now, now + timedelta(minutes=place.lockout.minutes), refused=True)

        def settled(book: _Book) -> None:
            entry = book.get(place.account, {})
            if refused:
                book[place.account] = {**entry, place.id: counted}
            else:
                still = {id: each for id, each in entry.items() if not each.refused and id != place.id}
                book[place.account] = still

        self._change(settled, lasting=refused)

    def release(self, place: Place) -> None:
        """Give a place back where the server has said nothing about the sign-in."""

        def released(book: _Book) -> None:
            book.get(place.account, {}).pop(place.id, None)

        self._change(released)

    def refused(self, username: str, host: str) -> int:
        """Return how many refused sign-ins of an account count now. Writes nothing."""
        book = _current(_merged(self._read(), self._unwritten), self._now())
        return len(_refused(book.get(_scrambled(username, host), {})))

    def _taken(self, book: _Book, wanted: Place, *, anyway: bool) -> Place | Pause | None:
        """Enter a place into the book; None where it must be waited for."""
        entry = book.setdefault(wanted.account, {})
        refused = _refused(entry)
        if not anyway:
            if len(refused) >= wanted.lockout.attempts:
                ends = sorted(each.until for each in refused)
                return Pause(len(refused), wanted.lockout, ends[len(refused) - wanted.lockout.attempts])
            if len(entry) >= wanted.lockout.attempts:
                return None
        now = self._now()
        entry[wanted.id] = _Attempt(now, now + _OPEN_FOR, refused=False)
        return wanted

    # -- the file ---------------------------------------------------------------------------------------------------

    def _change(self, change: Callable[[_Book], T], *, lasting: bool = False) -> T:
        """Read, change, write, all under the lock; in memory alone where that cannot be done.

        `lasting`: not even a power cut may undo it. Places are of no use after one, and come by the hundred.
        """
        import filelock

        lock = filelock.FileLock(f"{self._file}.lock", timeout=self._lock_limit, mode=0o600)
        try:
            paths.make_private_dir(self._file.parent)
            with lock:
                kept = self._read(aside=True)
                book = self._now_current(kept)
                answer = change(book)
                self._write(kept, book, lasting=lasting)
        except (filelock.Timeout, OSError):
            kept = self._read()
            book = self._now_current(kept)
            answer = change(book)
            self._unwritten = {account: _beyond(entry, kept.get(account, {})) for account, entry in book.items()}
        else:
            self._unwritten = {}
        return answer

    def _now_current(self, kept: _Book) -> _Book:
        return _current(_merged(kept, self._unwritten), self._now())

    def _write(self, kept: _Book, book: _Book, *, lasting: bool) -> None:
        """Raises `OSError`. Nothing is written where nothing has changed, and no file is kept with nothing in it."""
        left = {account: entry for account, entry in book.items() if entry}
        if left == kept:
            return
        paths.sweep_scratch(self._file)
        if left:
            paths.write_private(self._file, _file_bytes(left), lasting=lasting)
        else:
            self._file.unlink(missing_ok=True)

    def _read(self, *, aside: bool = False) -> _Book:
        """Return what the file holds. One that cannot be understood counts as empty, and is put `aside` if wanted."""
        try:
            with self._file.open("rb") as file:
                data = file.read(LARGEST + 1)
        except OSError:
            return {}
        try:
            return _book_from(data)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            if aside:
                with suppress(OSError):
                    self._file.replace(self._file.with_name(FILE_NAME + ASIDE))
            return {}


def _scrambled(username: str, host: str) -> str:
    """Return the name under which an account is counted, in upper or lower case.

    Scrambled: the file must not say whose mailboxes were tried, and somebody may have typed the password as the name.
    """
    plain = unicodedata.normalize("NFC", f"{username.strip()}\0{host.strip().rstrip('.')}".casefold())
    return hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=16, person=b"smtp-wizard").hexdigest()


def _refused(entry: _Entry) -> list[_Attempt]:
    return [each for each in entry.values() if each.refused]


def _merged(one: _Book, other: _Book) -> _Book:
    """Return both, each attempt once; a refusal counts more than that it was under way."""
    merged = {account: dict(entry) for account, entry in one.items()}
    for account, entry in other.items():
        mine = merged.setdefault(account, {})
        mine |= {id: each for id, each in entry.items() if each.refused or id not in mine}
    return merged


def _beyond(entry: _Entry, kept: _Entry) -> _Entry:
    """Return the attempts that are not in the file, or not as refused."""
    return {id: each for id, each in entry.items() if id not in kept or (each.refused and not kept[id].refused)}


def _current(book: _Book, now: datetime) -> _Book:
    """Leave out what no longer counts. What is ahead of the clock, which was set back, counts from now on."""
    current: _Book = {}
    for account, entry in book.items():
        dated = {id: _not_ahead(each, now) for id, each in entry.items()}
        current[account] = {id: each for id, each in dated.items() if each.until > now}
    return current


def _not_ahead(attempt: _Attempt, now: datetime) -> _Attempt:
    return _Attempt(now, now + (attempt.until - attempt.at), attempt.refused) if attempt.at > now else attempt


def _file_bytes(book: _Book) -> bytes:
    accounts = {
        account: {
            id: {"at": each.at.isoformat(), "until": each.until.isoformat(), "refused": each.refused}
            for id, each in entry.items()
        }
        for account, entry in book.items()
    }
    return (json.dumps({"schema": FILE_SCHEMA, "accounts": accounts}, indent=1) + "\n").encode()


_ACCOUNT, _ID = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{16}")


def _book_from(data: bytes) -> _Book:
    """Read the file's content. Raises `ValueError`, `TypeError`, `KeyError` and the like for whatever is odd in it."""
    if len(data) > LARGEST:
        raise ValueError("too large")
    document = _table(json.loads(data.decode()), {"schema", "accounts"})
    if document["schema"] != FILE_SCHEMA:
        raise ValueError("not a file of attempts")
    return {
        _fitting(account, _ACCOUNT): {_fitting(id, _ID): _attempt(each) for id, each in _table(entry).items()}
        for account, entry in _table(document["accounts"]).items()
    }


def _attempt(value: object) -> _Attempt:
    table = _table(value, {"at", "until", "refused"})
    at, until, refused = _moment(table["at"]), _moment(table["until"]), table["refused"]
    longest = timedelta(minutes=LONGEST_LOCKOUT) if refused else _OPEN_FOR
    if not isinstance(refused, bool) or not timedelta() < until - at <= longest:
        raise ValueError("no attempt")
    return _Attempt(at, until, refused)


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment.astimezone(UTC)


def _table(value: object, keys: set[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(value, dict) or (keys is not None and set(value) != keys):
        raise ValueError("not the table that it must be")
    return value


def _fitting(text: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(text):
        raise ValueError("not the name that it must be")
    return text
