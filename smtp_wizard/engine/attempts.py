"""Counts the sign-ins per account that did not succeed, over restarts and processes, so that no provider locks it.

The file says when a sign-in went out, how it ended, and under which scrambled name: no user name, no server, never a
secret. A place is taken before a sign-in, marked when the password is about to go out, and settled after the answer, so
that several at once stay below the limit together and even one whose process was killed counts. What cannot be read is
put aside and begun anew; where nothing can be written, this process counts for itself.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import re
import secrets
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from smtp_wizard.engine import paths
from smtp_wizard.engine.provider import LONGEST_LOCKOUT, Lockout

FILE_NAME = "attempts.json"
FILE_SCHEMA = "smtp-wizard/attempts-file/2"
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
    """No sign-in now: too many did not succeed."""

    causes: tuple[str, ...]
    """Why, of each that still counts, the oldest first; see `Attempts.settle`."""
    lockout: Lockout
    until: datetime
    """From then on there is a place again. Aware."""

    def minutes(self, now: datetime) -> int:
        """Return how many minutes are left, begun ones counted, at least 1."""
        return max(1, -(-(self.until - now) // timedelta(minutes=1)))


class _State(StrEnum):
    """How far a sign-in has come."""

    OPEN = "open"
    """A place is taken; nothing has gone out."""
    SENT = "sent"
    """It went out, and nobody has said how it ended."""
    FAILED = "failed"
    """It did not succeed."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One sign-in."""

    at: datetime
    until: datetime
    """When it no longer counts."""
    state: _State
    cause: str = ""
    """Of one that failed: see `Attempts.settle`."""
    process: int = 0
    """Whose it is, until it is settled."""


_Entry = dict[str, _Attempt]
"""The attempts on one account, by their ids."""
_Book = dict[str, _Entry]
"""All accounts, by their scrambled names."""


class Attempts:
    """The sign-ins of one config folder that did not succeed.

    Whatever ails the file, nothing is raised: a sign-in matters more.
    """

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

    def sending(self, place: Place) -> None:
        """Note that the password is about to go out: from now on this counts, even if nobody is left to settle it."""
        now = self._now()
        sent = _Attempt(now, now + timedelta(minutes=place.lockout.minutes), _State.SENT, process=os.getpid())

        def noted(book: _Book) -> None:
            book.setdefault(place.account, {})[place.id] = sent

        self._change(noted)

    def settle(self, place: Place, *, cause: str | None) -> None:
        """Say how a sign-in ended. Success (`cause` None) makes the earlier ones forgotten; anything else counts.

        `cause`: the code of the finding where the server has answered, '' where it has not.
        """
        now = self._now()
        failed = _Attempt(now, now + timedelta(minutes=place.lockout.minutes), _State.FAILED, cause or "")

        def settled(book: _Book) -> None:
            entry = book.get(place.account, {})
            if cause is None:
                still = {id: each for id, each in entry.items() if _under_way(each, now) and id != place.id}
                book[place.account] = still
            else:
                book[place.account] = {**entry, place.id: failed}

        self._change(settled, lasting=cause is not None)

    def release(self, place: Place) -> None:
        """Give a place back where the password has not gone out."""

        def released(book: _Book) -> None:
            book.get(place.account, {}).pop(place.id, None)

        self._change(released)

    def counted(self, username: str, host: str) -> tuple[str, ...]:
        """Return the causes of an account's sign-ins that count now, as in `Pause`. Writes nothing."""
        now = self._now()
        book = _current(_merged(self._read(), self._unwritten), now)
        return tuple(each.cause for each in _failed(book.get(_scrambled(username, host), {}), now))

    def _taken(self, book: _Book, wanted: Place, *, anyway: bool) -> Place | Pause | None:
        """Enter a place into the book; None where it must be waited for."""
        now = self._now()
        entry = book.setdefault(wanted.account, {})
        failed = _failed(entry, now)
        if not anyway:
            if len(failed) >= wanted.lockout.attempts:
                ends = sorted(each.until for each in failed)
                causes = tuple(each.cause for each in failed)
                return Pause(causes, wanted.lockout, ends[len(failed) - wanted.lockout.attempts])
            under_way = [each for each in entry.values() if _under_way(each, now)]
            if len(failed) + len(under_way) >= wanted.lockout.attempts:
                return None
        entry[wanted.id] = _Attempt(now, now + _OPEN_FOR, _State.OPEN, process=os.getpid())
        return wanted

    # -- the file ---------------------------------------------------------------------------------------------------

    def _change(self, change: Callable[[_Book], T], *, lasting: bool = False) -> T:
        """Read, change, write, all under the lock; in memory alone where that cannot be done.

        `lasting`: not even a power cut may undo it. Places are of no use after one, and come by the hundred.
        """
        import filelock

        try:
            with filelock.FileLock(paths.lock_of(self._file), timeout=self._lock_limit, mode=0o600):
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
            data = paths.read_private(self._file, LARGEST)
        except OSError as problem:
            if problem.errno != errno.EFBIG:
                return {}
            data = b""
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


def _failed(entry: _Entry, now: datetime) -> list[_Attempt]:
    """Return what counts, the oldest first: what failed, and what went out from a process that is gone."""
    counted = [each for each in entry.values() if each.state is not _State.OPEN and not _under_way(each, now)]
    return sorted(counted, key=lambda each: each.at)


def _under_way(attempt: _Attempt, now: datetime) -> bool:
    """Whether it may still be settled by its own process."""
    return attempt.state is not _State.FAILED and now - attempt.at < _OPEN_FOR and _runs(attempt.process)


def _runs(process: int) -> bool:
    """Whether a process is there; where that cannot be asked without harm, it is taken to be."""
    if os.name != "posix" or process == os.getpid():
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return not _is_dead(process)


def _is_dead(process: int) -> bool:
    """Whether a process has ended and only waits for its parent to be told, which in a container may be for ever.

    Where the system does not say so (proc(5) is Linux's), it is taken to be alive.
    """
    try:
        stat = Path(f"/proc/{process}/stat").read_text("utf-8", "replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[:1] in (["Z"], ["X"])


_RANK = {state: rank for rank, state in enumerate(_State)}


def _merged(one: _Book, other: _Book) -> _Book:
    """Return both, each attempt once, as it was when it had come furthest."""
    merged = {account: dict(entry) for account, entry in one.items()}
    for account, entry in other.items():
        mine = merged.setdefault(account, {})
        mine |= _beyond(entry, mine)
    return merged


def _beyond(entry: _Entry, kept: _Entry) -> _Entry:
    """Return the attempts that are not among those kept, or had not come as far there."""
    return {id: each for id, each in entry.items() if id not in kept or _RANK[each.state] > _RANK[kept[id].state]}


def _current(book: _Book, now: datetime) -> _Book:
    """Leave out what no longer counts. What is ahead of the clock, which was set back, counts from now on."""
    current: _Book = {}
    for account, entry in book.items():
        dated = {id: _not_ahead(each, now) for id, each in entry.items()}
        current[account] = {id: each for id, each in dated.items() if _holds(each, now)}
    return current


def _holds(attempt: _Attempt, now: datetime) -> bool:
    return attempt.until > now and (attempt.state is not _State.OPEN or _under_way(attempt, now))


def _not_ahead(attempt: _Attempt, now: datetime) -> _Attempt:
    return replace(attempt, at=now, until=now + (attempt.until - attempt.at)) if attempt.at > now else attempt


def _file_bytes(book: _Book) -> bytes:
    accounts = {
        account: {
            id: {
                "at": each.at.isoformat(),
                "until": each.until.isoformat(),
                "state": each.state.value,
                "cause": each.cause,
                "process": each.process,
            }
            for id, each in entry.items()
        }
        for account, entry in book.items()
    }
    return (json.dumps({"schema": FILE_SCHEMA, "accounts": accounts}, indent=1) + "\n").encode()


_ACCOUNT, _ID, _CAUSE = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{16}"), re.compile(r"[0-9a-z_]{0,60}")


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
    table = _table(value, {"at", "until", "state", "cause", "process"})
    at, until, state = _moment(table["at"]), _moment(table["until"]), _State(table["state"])
    longest = _OPEN_FOR if state is _State.OPEN else timedelta(minutes=LONGEST_LOCKOUT)
    process = table["process"]
    if type(process) is not int or process < 0 or not timedelta() < until - at <= longest:
        raise ValueError("no attempt")
    return _Attempt(at, until, state, _fitting(table["cause"], _CAUSE), process)


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
