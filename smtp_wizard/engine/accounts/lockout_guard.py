"""Counts the sign-ins per account that did not succeed, over restarts and processes, so that no provider locks it.

What is kept says when a sign-in went out, how it ended, and under which scrambled name: no user name, no server, never
a secret. A slot is acquired before a sign-in, marked when the password is about to go out, and its end is
recorded after the answer, so that several at once stay below the limit together and even one whose process was killed
counts. Where nothing can be written, this process counts for itself.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.provider import LONGEST_LOCKOUT, Lockout
from smtp_wizard.engine.state.sign_in_records import Entry, SignInRecord, SignInStage, changed, entry_of

if TYPE_CHECKING:
    from sqlite3 import Connection

    from smtp_wizard.engine.state.storage import Storage

USUAL = Lockout(attempts=3, minutes=15)
"""Where nothing is known of a provider."""

_OPEN_FOR = timedelta(minutes=5)
"""A sign-in takes no longer, all stages together: a slot that is held longer belongs to a process that is dead."""
_FIRST_WAIT, _LONGEST_WAIT = 0.02, 0.5
"""Seconds between two looks whether a slot is free."""

_own: set[str] = set()
"""The ids of the slots that this process holds. Its number says little of who wrote a row before: in a container each
process that is started again has the same one."""

_Change = Callable[[Entry], Entry]


@dataclass(frozen=True, slots=True)
class ScrambledNames:
    """The scrambled names of an account. A server may know it by more than one."""

    counted: tuple[str, ...]
    """A sign-in counts under each of them."""
    related: tuple[str, ...]
    """What counts under one of the others may stand here as well, and is forgotten with it."""


@dataclass(frozen=True, slots=True)
class Slot:
    """The right to sign in to an account once. It is given back by `LockoutGuard.record` or `LockoutGuard.release`."""

    names: ScrambledNames
    id: str
    lockout: Lockout


@dataclass(frozen=True, slots=True)
class Pause:
    """No sign-in now: too many did not succeed."""

    causes: tuple[str, ...]
    """Why, of each that still counts, the oldest first; see `LockoutGuard.record`."""
    lockout: Lockout
    until: datetime
    """From then on there is a slot again. Aware."""

    def minutes(self, now: datetime) -> int:
        """Return how many minutes are left, begun ones counted, at least 1."""
        return max(1, -(-(self.until - now) // timedelta(minutes=1)))


class LockoutGuard:
    """The sign-ins of one config folder that did not succeed.

    Whatever ails the file, nothing is raised: a sign-in matters more. Nothing is written by the thread that calls.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        """`storage`: see `State`."""
        self._storage = storage
        self._now = now
        self._sleep = sleep
        self._unwritten: dict[str, list[_Change]] = {}
        """What was handed over and stands in no file yet, by account."""

    async def acquire(
        self, username: str, host: str, lockout: Lockout, *, also: Sequence[str] = (), anyway: bool = False
    ) -> Slot | Pause:
        """Take a slot for one sign-in, or learn how long to wait. `anyway`: the person knows better.

        `also`: other names that the server may take for the same account; what failed under any of them counts.
        While others who are just signing in to the same account hold the last slots, this waits to see how they end.
        """
        wanted = Slot(_names(username, also, host), secrets.token_hex(8), lockout)
        wait = _FIRST_WAIT
        _own.add(wanted.id)
        try:
            while (answer := await self._storage.ask(lambda file: self._taken(file, wanted, anyway=anyway))) is None:
                await (self._sleep or _sleep)(wait)
                wait = min(2 * wait, _LONGEST_WAIT)
        except BaseException:
            self.release(wanted)  # it may be taken a moment later, for nobody
            raise
        if isinstance(answer, Pause):
            _own.discard(wanted.id)
        return answer

    async def sending(self, slot: Slot) -> None:
        """Note that the password is about to go out: from now on this counts, even if nobody is left to record its end.

        It is written when this returns.
        """
        now = self._now()
        sent = SignInRecord(now, now + timedelta(minutes=slot.lockout.minutes), SignInStage.SENT, process=os.getpid())
        await self._storage.ask(lambda file: self._changed(file, slot.names, lambda entry: {**entry, slot.id: sent}))

    def record(self, slot: Slot, *, cause: str | None) -> None:
        """Say how a sign-in ended. Success (`cause` None) makes the earlier ones forgotten; anything else counts.

        `cause`: the code of the finding where the server has answered, '' where it has not.
        """
        now = self._now()
        failed = SignInRecord(now, now + timedelta(minutes=slot.lockout.minutes), SignInStage.FAILED, cause or "")

        def recorded(entry: Entry) -> Entry:
            if cause is None:
                return {id: each for id, each in entry.items() if _under_way(id, each, now) and id != slot.id}
            return {**entry, slot.id: failed}

        self._put(slot, recorded, lasting=cause is not None)

    def release(self, slot: Slot) -> None:
        """Give a slot back where the password has not gone out."""
        self._put(slot, lambda entry: {id: each for id, each in entry.items() if id != slot.id})

    def counted(self, username: str, host: str, also: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the causes of an account's sign-ins that count now, as in `Pause`. Writes nothing.

        `also`: see `acquire`. What this process has not written yet is known under the names alone under which it was
        taken.
        """
        names, now = _names(username, also, host).counted, self._now()
        unwritten = [change for name in names for change in tuple(self._unwritten.get(name, ()))]
        found = self._storage.read(lambda file: [entry_of(file, name) for name in names]) or []
        entry = _current({id: each for one in found for id, each in one.items()}, now)
        for change in unwritten:  # what is written by now is the same when it is done once more
            entry = change(entry)
        return tuple(each.cause for each in _failed(entry, now))

    # -- the file ---------------------------------------------------------------------------------------------------

    def _taken(self, file: Connection, wanted: Slot, *, anyway: bool) -> Slot | Pause | None:
        """Enter a slot; None where it must be waited for."""
        now = self._now()

        def taken(entry: Entry) -> tuple[Slot | Pause | None, Entry]:
            entry = _current(entry, now)
            failed = _failed(entry, now)
            if not anyway:
                if len(failed) >= wanted.lockout.attempts:
                    return _pause(failed, wanted.lockout), entry
                under_way = [id for id, each in entry.items() if _under_way(id, each, now)]
                if len(failed) + len(under_way) >= wanted.lockout.attempts:
                    return None, entry
            slot = SignInRecord(now, now + _OPEN_FOR, SignInStage.OPEN, process=os.getpid())
            return wanted, {**entry, wanted.id: slot}

        return changed(file, wanted.names.counted, now, taken, related=wanted.names.related)

    def _put(self, slot: Slot, change: _Change, *, lasting: bool = False) -> None:
        """Write what became of a slot; until then it is this process's own."""
        waiting = [self._unwritten.setdefault(name, []) for name in slot.names.counted]
        for each in waiting:
            each.append(change)

        def kept() -> None:
            for each in waiting:
                each.remove(change)
            _own.discard(slot.id)

        self._storage.put(lambda file: self._changed(file, slot.names, change), lasting=lasting, kept=kept)

    def _changed(self, file: Connection, names: ScrambledNames, change: _Change) -> None:
        now = self._now()
        changed(file, names.counted, now, lambda entry: (None, change(_current(entry, now))), related=names.related)


def _names(username: str, also: Sequence[str], host: str) -> ScrambledNames:
    """Return the names of an account: it is counted under each that it is given, and related to their local parts."""
    plain = dict.fromkeys((username, *also))
    counted = tuple(dict.fromkeys(_scrambled(each, host) for each in plain))
    related = (_scrambled(each.rpartition("@")[0], host) for each in plain if "@" in each)
    return ScrambledNames(counted, tuple(dict.fromkeys(related)))


def _scrambled(username: str, host: str) -> str:
    """Return the name under which an account is counted, in upper or lower case.

    Scrambled: the file must not say whose mailboxes were tried, and somebody may have typed the password as the name.
    """
    plain = unicodedata.normalize("NFC", f"{username.strip()}\0{host.strip().rstrip('.')}".casefold())
    return hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=16, person=b"smtp-wizard").hexdigest()


def _pause(failed: Sequence[SignInRecord], lockout: Lockout) -> Pause:
    ends = sorted(each.until for each in failed)
    # More may have failed than are allowed: there is a slot again when fewer than that are left.
    return Pause(tuple(each.cause for each in failed), lockout, ends[len(failed) - lockout.attempts])


def _failed(entry: Entry, now: datetime) -> list[SignInRecord]:
    """Return what counts, the oldest first: what failed, and what went out from a process that is gone."""
    counted = [
        each for id, each in entry.items() if each.state is not SignInStage.OPEN and not _under_way(id, each, now)
    ]
    return sorted(counted, key=lambda each: each.at)


def _under_way(id: str, sign_in: SignInRecord, now: datetime) -> bool:
    """Whether it may still be recorded by its own process."""
    if sign_in.state is SignInStage.FAILED or now - sign_in.at >= _OPEN_FOR:
        return False
    return id in _own if sign_in.process == os.getpid() else _runs(sign_in.process)


def _runs(process: int) -> bool:
    """Whether another process is there; where that cannot be asked without harm, it is taken to be."""
    if os.name != "posix":
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


def _current(entry: Entry, now: datetime) -> Entry:
    """Leave out what no longer counts. What is ahead of the clock, which was set back, counts from now on."""
    dated = {id: _not_ahead(each, now) for id, each in entry.items()}
    return {id: each for id, each in dated.items() if _holds(id, each, now)}


def _holds(id: str, sign_in: SignInRecord, now: datetime) -> bool:
    return sign_in.until > now and (sign_in.state is not SignInStage.OPEN or _under_way(id, sign_in, now))


def _not_ahead(sign_in: SignInRecord, now: datetime) -> SignInRecord:
    """Bound, too, what a file may say: nothing counts for longer than the longest pause."""
    lasts = min(sign_in.until - sign_in.at, timedelta(minutes=LONGEST_LOCKOUT))
    if sign_in.at <= now and sign_in.until - sign_in.at == lasts:
        return sign_in
    at = min(sign_in.at, now)
    return replace(sign_in, at=at, until=at + lasts)


async def _sleep(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)
