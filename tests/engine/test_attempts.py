"""Refused sign-ins are counted per account, by every process, and nothing that ails the file stops anybody."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import stat
import subprocess
import sys
import textwrap
from contextlib import ExitStack, suppress
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
        attempts.settle(await place(attempts, username, lockout=lockout), cause="bad_credentials")


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
    assert (len(paused.causes), paused.until, paused.minutes(clock())) == (3, NOON + 15 * MINUTE, 10)
    assert len(attempts.counted(ANA, HOST)) == 3


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
    attempts.settle(await place(attempts), cause=None)
    assert len(attempts.counted(ANA, HOST)) == 0
    assert not (folder / FILE_NAME).exists()
    await refuse(attempts, 3)
    await pause(attempts)


async def test_what_has_not_gone_out_counts_for_nothing(attempts: Attempts, folder: Path) -> None:
    await refuse(attempts, 2)
    for _ in range(5):
        attempts.release(await place(attempts))
    assert len(attempts.counted(ANA, HOST)) == 2


async def test_accounts_are_counted_apart_and_capitals_do_not_matter(attempts: Attempts) -> None:
    await refuse(attempts, 3)
    await place(attempts, "bob@example.test")
    await place(attempts, ANA, "smtp.example.test")
    assert isinstance(await attempts.take(" ANA@Example.TEST", "MAIL.example.test.", USUAL), Pause)
    assert len(attempts.counted("Ana@example.test", HOST.upper())) == 3


async def test_the_providers_own_figure_decides(attempts: Attempts) -> None:
    strict, lenient = Lockout(attempts=1, minutes=60), Lockout(attempts=5, minutes=1)
    await refuse(attempts, lockout=strict)
    assert (await pause(attempts, lockout=strict)).until == NOON + 60 * MINUTE
    await refuse(attempts, 4, lockout=lenient)
    assert len((await pause(attempts, lockout=lenient)).causes) == 5


async def test_who_knows_better_signs_in_and_that_counts_too(attempts: Attempts, clock: Clock) -> None:
    await refuse(attempts, 3)
    taken = await attempts.take(ANA, HOST, USUAL, anyway=True)
    assert isinstance(taken, Place)
    clock.time += MINUTE
    attempts.settle(taken, cause="bad_credentials")
    paused = await pause(attempts)
    assert (len(paused.causes), paused.until) == (4, NOON + 16 * MINUTE - MINUTE)


# --- several at once ---


async def test_those_who_sign_in_at_once_stay_below_the_limit_together(folder: Path, clock: Clock) -> None:
    """Three get in; the fourth waits for how they fare, and is then told to wait for longer."""
    slept: list[float] = []
    open_places: list[Place] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            for each in open_places:
                counting.settle(each, cause="bad_credentials")

    counting = Attempts(folder, now=clock, sleep=sleep)
    open_places += [await place(counting) for _ in range(3)]
    paused = await counting.take(ANA, HOST, USUAL)
    assert isinstance(paused, Pause)
    assert slept == [0.02, 0.04, 0.08]


async def test_a_place_that_comes_free_is_taken_by_who_waits(folder: Path, clock: Clock) -> None:
    held: list[Place] = []
    waiting = Attempts(folder, now=clock, sleep=lambda _: _gone())

    async def _gone() -> None:
        waiting.settle(held.pop(), cause=None)

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
        attempts.settle(taken, cause="bad_credentials")
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
                attempts.settle(place, cause="bad_credentials")
        asyncio.run(main())
    """)
    writers = [subprocess.Popen([sys.executable, "-c", script, str(folder)]) for _ in range(4)]
    assert [writer.wait(timeout=100) for writer in writers] == [0, 0, 0, 0]
    assert len(Attempts(folder).counted("ana", "host")) == 80


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
                    attempts.settle(place, cause="bad_credentials")
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


# --- what the server saw, whoever is left to say so ---


async def nobody_waits(seconds: float) -> None:
    raise AssertionError("nobody is to be waited for")


KILLED = """
    import asyncio, os, signal, sys
    from pathlib import Path
    from smtp_wizard.engine.attempts import USUAL, Attempts
    async def main():
        attempts = Attempts(Path(sys.argv[1]))
        place = await attempts.take("ana@example.test", "mail.example.test", USUAL)
        if sys.argv[2] == "sent":
            attempts.sending(place)
        os.kill(os.getpid(), signal.SIGKILL)
    asyncio.run(main())
"""


def kill(folder: Path, *, sent: bool) -> None:
    """Run a process that ends in the middle of a sign-in, before or after the password went out."""
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(folder), "sent" if sent else "taken"]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL


async def test_a_sign_in_counts_although_its_process_was_killed(folder: Path) -> None:
    """And whoever comes next is told at once: a dead process settles nothing any more."""
    for _ in range(3):
        kill(folder, sent=True)
    after = Attempts(folder, sleep=nobody_waits)
    assert (await pause(after)).causes == ("", "", "")
    assert after.counted(ANA, HOST) == ("", "", "")


async def test_a_dead_process_whose_parent_was_not_told_is_dead(folder: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(folder), "sent"]
    with ExitStack() as unreaped:
        for _ in range(3):
            process = unreaped.enter_context(subprocess.Popen(command))
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert (await pause(Attempts(folder, sleep=nobody_waits))).causes == ("", "", "")


async def test_a_process_that_was_killed_before_it_signed_in_holds_nothing(folder: Path) -> None:
    for _ in range(3):
        kill(folder, sent=False)
    after = Attempts(folder, sleep=nobody_waits)
    for _ in range(3):
        after.release(await place(after))
    assert after.counted(ANA, HOST) == ()


async def test_who_is_signing_in_is_waited_for_although_it_went_out(folder: Path, clock: Clock) -> None:
    """It may succeed: nothing has failed yet."""
    held: list[Place] = []

    async def settle_one(_: float) -> None:
        waiting.settle(held.pop(), cause=None)

    waiting = Attempts(folder, now=clock, sleep=settle_one)
    held += [await place(waiting) for _ in range(3)]
    for each in held:
        waiting.sending(each)
    assert waiting.counted(ANA, HOST) == ()
    await place(waiting)
    assert len(held) == 2


async def test_what_nobody_settled_for_long_has_failed(folder: Path, clock: Clock) -> None:
    """Its process may run on, or another may have its number."""
    for _ in range(3):
        attempts = Attempts(folder, now=clock)
        attempts.sending(await place(attempts))
    clock.time += 5 * MINUTE
    assert (await pause(Attempts(folder, now=clock, sleep=nobody_waits))).causes == ("", "", "")


async def test_the_pause_tells_each_cause_in_the_order_of_time(attempts: Attempts, clock: Clock) -> None:
    for cause in ("bad_credentials", "", "temporary_try_later"):
        taken = await place(attempts)
        attempts.sending(taken)
        attempts.settle(taken, cause=cause)
        clock.time += MINUTE
    assert (await pause(attempts)).causes == ("bad_credentials", "", "temporary_try_later")


async def test_success_makes_the_unanswered_forgotten_too(attempts: Attempts, folder: Path) -> None:
    kill(folder, sent=True)
    attempts.settle(await place(attempts), cause="")
    taken = await place(attempts)
    attempts.sending(taken)
    attempts.settle(taken, cause=None)
    assert attempts.counted(ANA, HOST) == ()
    assert not (folder / FILE_NAME).exists()


@pytest.mark.parametrize(("answer", "waits"), [(PermissionError, True), (ProcessLookupError, False)])
async def test_another_users_process_is_there_too(
    attempts: Attempts, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, answer: type[OSError], waits: bool
) -> None:
    for _ in range(3):
        attempts.sending(await place(attempts))
    slept: list[float] = []

    async def stop(seconds: float) -> None:
        slept.append(seconds)
        raise asyncio.CancelledError

    def kill(process: int, sent: int) -> None:
        assert sent == 0, "it is asked for, and left alone"
        raise answer

    monkeypatch.setattr(os, "getpid", lambda: 1)
    monkeypatch.setattr(os, "kill", kill)
    with suppress(asyncio.CancelledError):
        await Attempts(folder, now=clock, sleep=stop).take(ANA, HOST, USUAL)
    assert bool(slept) is waits


# --- over restarts, and when the clock jumps ---


async def test_what_was_counted_is_known_after_a_restart(attempts: Attempts, folder: Path, clock: Clock) -> None:
    await refuse(attempts, 3)
    later = Attempts(folder, now=clock)
    assert len((await pause(later)).causes) == 3


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
        attempts.settle(await place(attempts, typed, host), cause="bad_credentials")

    asyncio.run(refused())
    ((account, entry),) = file_of(folder)["accounts"].items()
    ((attempt, written),) = entry.items()
    until = (NOON + 15 * MINUTE).isoformat()
    assert written == {
        "at": NOON.isoformat(),
        "until": until,
        "state": "failed",
        "cause": "bad_credentials",
        "process": 0,
    }
    assert re.fullmatch(r"[0-9a-f]{32} [0-9a-f]{16}", f"{account} {attempt}")
    assert typed.casefold() not in account
    assert len(attempts.counted(typed, host)) == 1


DAMAGED: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"{",
    "not UTF-8": b"\xff\xfe",
    "another schema": b'{"schema": "smtp-wizard/attempts-file/9", "accounts": {}}',
    "more keys": b'{"schema": "smtp-wizard/attempts-file/2", "accounts": {}, "more": 1}',
    "a list": b"[]",
    "too deep": b"[" * 100_000,
    "a strange account": b'{"schema": "smtp-wizard/attempts-file/2", "accounts": {"ana": {}}}',
    "too large": b" " * (LARGEST + 1),
}


def whole(**changes: object) -> bytes:
    """A file with one attempt, of which something is changed."""
    attempt = {
        "at": NOON.isoformat(),
        "until": (NOON + MINUTE).isoformat(),
        "state": "failed",
        "cause": "bad_credentials",
        "process": 0,
        **changes,
    }
    accounts = {"0" * 32: {"0" * 16: attempt}}
    return json.dumps({"schema": "smtp-wizard/attempts-file/2", "accounts": accounts}).encode()


ODD: dict[str, bytes] = {
    "no time": whole(at=5),
    "no zone": whole(at="2026-11-24T12:00:00"),
    "far away": whole(until=(NOON + timedelta(days=3000)).isoformat()),
    "backwards": whole(until=(NOON - MINUTE).isoformat()),
    "an unknown state": whole(state="lost"),
    "a cause that is none": whole(cause="Ana's"),
    "no process": whole(process=True),
    "a group of processes": whole(process=-1),
    "out of this world": whole(at="0001-01-01T00:00:00+14:00"),
    "under way for an hour": whole(state="open", until=(NOON + 60 * MINUTE).isoformat()),
}


@pytest.mark.parametrize("damaged", [*DAMAGED, *ODD])
async def test_a_damaged_file_is_put_aside_and_begun_anew(attempts: Attempts, folder: Path, damaged: str) -> None:
    folder.mkdir()
    data = {**DAMAGED, **ODD}[damaged]
    (folder / FILE_NAME).write_bytes(data)
    assert len(attempts.counted(ANA, HOST)) == 0
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
        assert len((await pause(attempts)).causes) == 3
        assert len(attempts.counted(ANA, HOST)) == 3
        assert len(Attempts(folder, now=clock).counted(ANA, HOST)) == written
    await pause(attempts)
    attempts.release(await place(attempts, "bob"))
    assert len(Attempts(folder, now=clock).counted(ANA, HOST)) == 3, "it is written as soon as that can be done"


async def test_a_success_on_a_full_disk_keeps_no_place_open(
    attempts: Attempts, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    for _ in range(5):
        attempts.settle(await place(attempts), cause=None)
    await refuse(attempts, 2)
    attempts.settle(await place(attempts), cause=None)
    assert len(attempts.counted(ANA, HOST)) == 0


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
        assert Attempts(Path(sys.argv[1])).counted("ana", "host") == ()
        print(sorted({"filelock", "platformdirs"} & set(sys.modules)))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(folder)]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip() == "[]"
    assert not folder.exists()
