"""Refused sign-ins are counted per account, by every process, and nothing that ails the file stops anybody."""

from __future__ import annotations

import asyncio
import json
import os
import re
import stat
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import filelock
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.attempts import ASIDE, FILE_NAME, LARGEST, USUAL, Attempts, Pause, Place
from smtp_wizard.engine.provider import Lockout

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ANA, HOST = "ana@example.test", "mail.example.test"
MINUTE = timedelta(minutes=1)


@dataclass
class Clock:
    """A clock that is moved by hand."""

    time: datetime = NOON

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A config folder that does not exist yet."""
    return tmp_path / "config"


@pytest.fixture
def attempts(folder: Path, clock: Clock) -> Attempts:
    return Attempts(folder, now=clock, lock_limit=0.2)


async def place(attempts: Attempts, username: str = ANA, host: str = HOST, lockout: Lockout = USUAL) -> Place:
    taken = await attempts.take(username, host, lockout)
    assert isinstance(taken, Place), taken
    return taken


async def refuse(attempts: Attempts, times: int = 1, username: str = ANA, lockout: Lockout = USUAL) -> None:
    for _ in range(times):
        attempts.settle(await place(attempts, username, lockout=lockout), refused=True)


async def pause(attempts: Attempts, username: str = ANA, lockout: Lockout = USUAL) -> Pause:
    taken = await attempts.take(username, HOST, lockout)
    assert isinstance(taken, Pause), taken
    return taken


def file_of(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / FILE_NAME).read_text("utf-8"))
    return document


# --- counting ---


async def test_after_three_refusals_the_fourth_sign_in_has_to_wait(attempts: Attempts, clock: Clock) -> None:
    for minute in (0, 2, 5):
        clock.time = NOON + minute * MINUTE
        await refuse(attempts)
    paused = await pause(attempts)
    assert (paused.refused, paused.until, paused.minutes(clock())) == (3, NOON + 15 * MINUTE, 10)
    assert attempts.refused(ANA, HOST) == 3


async def test_there_is_a_place_again_when_the_oldest_has_expired(attempts: Attempts, clock: Clock) -> None:
    for minute in (0, 2, 5):
        clock.time = NOON + minute * MINUTE
        await refuse(attempts)
    clock.time = NOON + 15 * MINUTE - timedelta(seconds=1)
    assert (await pause(attempts)).minutes(clock()) == 1
    clock.time = NOON + 15 * MINUTE
    await refuse(attempts)
    assert (await pause(attempts)).until == NOON + 17 * MINUTE


async def test_a_sign_in_that_works_makes_the_refusals_forgotten(attempts: Attempts, folder: Path) -> None:
    await refuse(attempts, 2)
    attempts.settle(await place(attempts), refused=False)
    assert attempts.refused(ANA, HOST) == 0
    assert not (folder / FILE_NAME).exists()
    await refuse(attempts, 3)
    await pause(attempts)


async def test_an_attempt_without_an_answer_counts_for_nothing(attempts: Attempts, folder: Path) -> None:
    await refuse(attempts, 2)
    for _ in range(5):
        attempts.release(await place(attempts))
    assert attempts.refused(ANA, HOST) == 2


async def test_accounts_are_counted_apart_and_capitals_do_not_matter(attempts: Attempts) -> None:
    await refuse(attempts, 3)
    await place(attempts, "bob@example.test")
    await place(attempts, ANA, "smtp.example.test")
    assert isinstance(await attempts.take(" ANA@Example.TEST", "MAIL.example.test.", USUAL), Pause)
    assert attempts.refused("Ana@example.test", HOST.upper()) == 3


async def test_the_providers_own_figure_decides(attempts: Attempts) -> None:
    strict, lenient = Lockout(attempts=1, minutes=60), Lockout(attempts=5, minutes=1)
    await refuse(attempts, lockout=strict)
    assert (await pause(attempts, lockout=strict)).until == NOON + 60 * MINUTE
    await refuse(attempts, 4, lockout=lenient)
    assert (await pause(attempts, lockout=lenient)).refused == 5


async def test_who_knows_better_signs_in_and_that_counts_too(attempts: Attempts, clock: Clock) -> None:
    await refuse(attempts, 3)
    taken = await attempts.take(ANA, HOST, USUAL, anyway=True)
    assert isinstance(taken, Place)
    clock.time += MINUTE
    attempts.settle(taken, refused=True)
    paused = await pause(attempts)
    assert (paused.refused, paused.until) == (4, NOON + 16 * MINUTE - MINUTE)


# --- several at once ---


async def test_those_who_sign_in_at_once_stay_below_the_limit_together(folder: Path, clock: Clock) -> None:
    """Three get in; the fourth waits for how they fare, and is then told to wait for longer."""
    slept: list[float] = []
    open_places: list[Place] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            for each in open_places:
                counting.settle(each, refused=True)

    counting = Attempts(folder, now=clock, sleep=sleep)
    open_places += [await place(counting) for _ in range(3)]
    paused = await counting.take(ANA, HOST, USUAL)
    assert isinstance(paused, Pause)
    assert slept == [0.02, 0.04, 0.08]


async def test_a_place_that_comes_free_is_taken_by_who_waits(folder: Path, clock: Clock) -> None:
    held: list[Place] = []
    waiting = Attempts(folder, now=clock, sleep=lambda _: _gone())

    async def _gone() -> None:
        waiting.settle(held.pop(), refused=False)

    held += [await place(waiting) for _ in range(3)]
    assert isinstance(await waiting.take(ANA, HOST, USUAL), Place)


async def test_many_at_once_are_refused_no_more_often_than_allowed(folder: Path, clock: Clock) -> None:
    """Ten sign-ins of one mailbox, two readers of the same folder, every one with the wrong password."""
    both = (Attempts(folder, now=clock), Attempts(folder, now=clock))
    tried = 0

    async def sign_in(attempts: Attempts) -> bool:
        nonlocal tried
        taken = await attempts.take(ANA, HOST, USUAL)
        if isinstance(taken, Pause):
            return False
        await asyncio.sleep(0)
        tried += 1
        attempts.settle(taken, refused=True)
        return True

    done = await asyncio.gather(*(sign_in(both[number % 2]) for number in range(10)))
    assert (tried, sum(done)) == (3, 3)


def test_four_processes_lose_no_count(folder: Path) -> None:
    script = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from smtp_wizard.engine.attempts import Attempts
        from smtp_wizard.engine.provider import Lockout
        attempts = Attempts(Path(sys.argv[1]), lock_limit=60)
        async def main():
            for _ in range(20):
                place = await attempts.take("ana", "host", Lockout(attempts=100, minutes=60))
                attempts.settle(place, refused=True)
        asyncio.run(main())
    """)
    writers = [subprocess.Popen([sys.executable, "-c", script, str(folder)]) for _ in range(4)]
    assert [writer.wait(timeout=100) for writer in writers] == [0, 0, 0, 0]
    assert Attempts(folder).refused("ana", "host") == 80


def test_four_processes_try_no_more_often_than_allowed(folder: Path) -> None:
    script = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from smtp_wizard.engine.attempts import USUAL, Attempts, Place
        attempts = Attempts(Path(sys.argv[1]), lock_limit=60)
        async def main():
            tried = 0
            for _ in range(5):
                place = await attempts.take("ana", "host", USUAL)
                if isinstance(place, Place):
                    tried += 1
                    attempts.settle(place, refused=True)
            print(tried)
        asyncio.run(main())
    """)
    command = [sys.executable, "-c", script, str(folder)]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert sum(int(writer.communicate(timeout=100)[0]) for writer in writers) == 3


async def test_the_place_of_a_process_that_died_comes_free(folder: Path, clock: Clock) -> None:
    killed = Attempts(folder, now=clock)
    for _ in range(3):
        await place(killed)
    clock.time += 5 * MINUTE
    await place(Attempts(folder, now=clock))


async def test_whoever_stops_waiting_leaves_no_place_taken(folder: Path, clock: Clock) -> None:
    async def sleep(seconds: float) -> None:
        raise asyncio.CancelledError

    attempts = Attempts(folder, now=clock, sleep=sleep)
    held = [await place(attempts) for _ in range(3)]
    with pytest.raises(asyncio.CancelledError):
        await attempts.take(ANA, HOST, USUAL)
    for each in held:
        attempts.release(each)
    assert not (folder / FILE_NAME).exists()


# --- over restarts, and when the clock jumps ---


async def test_what_was_counted_is_known_after_a_restart(attempts: Attempts, folder: Path, clock: Clock) -> None:
    await refuse(attempts, 3)
    later = Attempts(folder, now=clock)
    assert (await pause(later)).refused == 3


async def test_what_has_expired_is_dropped_from_the_file(attempts: Attempts, folder: Path, clock: Clock) -> None:
    await refuse(attempts, 2)
    clock.time += 16 * MINUTE
    await refuse(attempts, username="bob")
    assert len(file_of(folder)["accounts"]) == 1


async def test_a_clock_that_was_set_back_makes_nobody_wait_longer(
    attempts: Attempts, folder: Path, clock: Clock
) -> None:
    await refuse(attempts, 3)
    clock.time = NOON - timedelta(days=30)
    assert (await pause(attempts)).until == clock() + 15 * MINUTE
    clock.time += 14 * MINUTE
    assert (await pause(Attempts(folder, now=clock))).minutes(clock()) == 1
    clock.time += 1 * MINUTE
    await place(attempts)


async def test_a_clock_that_is_set_forward_ends_the_pause(attempts: Attempts, clock: Clock) -> None:
    await refuse(attempts, 3)
    clock.time += timedelta(days=1)
    await place(attempts)


# --- the file ---


async def test_only_its_owner_can_read_the_file_and_it_names_nobody(attempts: Attempts, folder: Path) -> None:
    await refuse(attempts, 2)
    file = folder / FILE_NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / f"{FILE_NAME}.lock").stat().st_mode) == 0o600
    text = file.read_text("utf-8")
    assert "example" not in text
    assert "ana" not in text


@given(typed=st.text(st.characters(exclude_categories=["Cs"]), min_size=8), host=st.sampled_from([HOST, "::1"]))
def test_no_secret_that_was_typed_as_a_user_name_stands_in_the_file(
    tmp_path_factory: pytest.TempPathFactory, typed: str, host: str
) -> None:
    """The password in the wrong field: it happens, and the file outlives it."""
    folder = tmp_path_factory.mktemp("config")
    attempts = Attempts(folder, now=lambda: NOON)

    async def refused() -> None:
        attempts.settle(await place(attempts, typed, host), refused=True)

    asyncio.run(refused())
    ((account, entry),) = file_of(folder)["accounts"].items()
    ((attempt, written),) = entry.items()
    assert written == {"at": NOON.isoformat(), "until": (NOON + 15 * MINUTE).isoformat(), "refused": True}
    assert re.fullmatch(r"[0-9a-f]{32} [0-9a-f]{16}", f"{account} {attempt}")
    assert typed.casefold() not in account
    assert attempts.refused(typed, host) == 1


DAMAGED: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"{",
    "not UTF-8": b"\xff\xfe",
    "another schema": b'{"schema": "smtp-wizard/attempts-file/9", "accounts": {}}',
    "more keys": b'{"schema": "smtp-wizard/attempts-file/1", "accounts": {}, "more": 1}',
    "a list": b"[]",
    "too deep": b"[" * 100_000,
    "a strange account": b'{"schema": "smtp-wizard/attempts-file/1", "accounts": {"ana": {}}}',
    "too large": b" " * (LARGEST + 1),
}


def whole(**changes: object) -> bytes:
    """A file with one attempt, of which something is changed."""
    attempt = {"at": NOON.isoformat(), "until": (NOON + MINUTE).isoformat(), "refused": True, **changes}
    accounts = {"0" * 32: {"0" * 16: attempt}}
    return json.dumps({"schema": "smtp-wizard/attempts-file/1", "accounts": accounts}).encode()


ODD: dict[str, bytes] = {
    "no time": whole(at=5),
    "no zone": whole(at="2026-11-24T12:00:00"),
    "far away": whole(until=(NOON + timedelta(days=3000)).isoformat()),
    "backwards": whole(until=(NOON - MINUTE).isoformat()),
    "neither yes nor no": whole(refused=1),
    "out of this world": whole(at="0001-01-01T00:00:00+14:00"),
    "under way for an hour": whole(refused=False, until=(NOON + 60 * MINUTE).isoformat()),
}


@pytest.mark.parametrize("damaged", [*DAMAGED, *ODD])
async def test_a_damaged_file_is_put_aside_and_begun_anew(attempts: Attempts, folder: Path, damaged: str) -> None:
    folder.mkdir()
    data = {**DAMAGED, **ODD}[damaged]
    (folder / FILE_NAME).write_bytes(data)
    assert attempts.refused(ANA, HOST) == 0
    assert (folder / FILE_NAME).read_bytes() == data, "reading changes nothing"
    await refuse(attempts, 3)
    await pause(attempts)
    assert (folder / (FILE_NAME + ASIDE)).read_bytes() == data


async def test_a_file_that_is_whole_is_believed(attempts: Attempts, folder: Path) -> None:
    """What the odd files above are made of is itself in order."""
    folder.mkdir()
    (folder / FILE_NAME).write_bytes(whole())
    await refuse(attempts)
    assert len(file_of(folder)["accounts"]) == 2
    assert not (folder / (FILE_NAME + ASIDE)).exists()


@pytest.mark.parametrize(("call", "written"), [("fsync", 3), ("replace", 1)])
async def test_on_a_full_disk_this_process_counts_for_itself(
    attempts: Attempts, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, call: str, written: int
) -> None:
    await refuse(attempts)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        await refuse(attempts, 2)
        assert (await pause(attempts)).refused == 3
        assert attempts.refused(ANA, HOST) == 3
        assert Attempts(folder, now=clock).refused(ANA, HOST) == written
    await pause(attempts)
    attempts.release(await place(attempts, "bob"))
    assert Attempts(folder, now=clock).refused(ANA, HOST) == 3, "it is written as soon as that can be done"


async def test_a_success_on_a_full_disk_keeps_no_place_open(
    attempts: Attempts, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    for _ in range(5):
        attempts.settle(await place(attempts), refused=False)
    await refuse(attempts, 2)
    attempts.settle(await place(attempts), refused=False)
    assert attempts.refused(ANA, HOST) == 0


async def test_a_file_in_the_folders_place_stops_nobody(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "config").write_text("a file")
    attempts = Attempts(tmp_path / "config", now=clock)
    await refuse(attempts, 3)
    await pause(attempts)


async def test_a_lock_that_is_held_stops_nobody(attempts: Attempts, folder: Path) -> None:
    await refuse(attempts)
    with filelock.FileLock(folder / f"{FILE_NAME}.lock"):
        await refuse(attempts, 2)
        await pause(attempts)


def test_looking_loads_nothing_and_writes_nothing(folder: Path) -> None:
    script = """
        import sys
        from pathlib import Path
        from smtp_wizard.engine.attempts import Attempts
        assert Attempts(Path(sys.argv[1])).refused("ana", "host") == 0
        print(sorted({"filelock", "platformdirs"} & set(sys.modules)))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(folder)]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip() == "[]"
    assert not folder.exists()
