"""Refused sign-ins are counted per account, by every process, and nothing that ails the file stops anybody."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_wizard.engine.accounts.lockout_guard import USUAL, LockoutGuard, Pause, Slot
from smtp_wizard.engine.providers.provider import LONGEST_LOCKOUT, Lockout
from smtp_wizard.engine.state.storage import Storage
from smtp_wizard.engine.state.timestamps import FILE_NAME, OLD_NAME, number_of
from tests.support.state import FULL, refuse_to_write, rows_of

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


Sleep = Callable[[float], Awaitable[None]]


def counting(folder: Path, clock: Clock, sleep: Sleep = asyncio.sleep) -> LockoutGuard:
    """One more that counts in the same folder, as another process would."""
    return LockoutGuard(Storage(folder, 0.2), now=clock, sleep=sleep)


@pytest.fixture
def guard(folder: Path, clock: Clock) -> LockoutGuard:
    return counting(folder, clock)


async def slot(guard: LockoutGuard, username: str = ANA, host: str = HOST, lockout: Lockout = USUAL) -> Slot:
    taken = await guard.acquire(username, host, lockout)
    assert isinstance(taken, Slot), taken
    return taken


async def refuse(guard: LockoutGuard, times: int = 1, username: str = ANA, lockout: Lockout = USUAL) -> None:
    for _ in range(times):
        guard.record(await slot(guard, username, lockout=lockout), cause="bad_credentials")


async def pause(guard: LockoutGuard, username: str = ANA, lockout: Lockout = USUAL) -> Pause:
    taken = await guard.acquire(username, HOST, lockout)
    assert isinstance(taken, Pause), taken
    return taken


def written(guard: LockoutGuard, folder: Path) -> list[dict[str, Any]]:
    """What stands in the file when all is written."""
    guard._storage.flush()
    assert guard._storage.problems() == ()
    return rows_of(folder, "attempts")


# --- counting ---


async def test_after_three_refusals_the_fourth_sign_in_has_to_wait(guard: LockoutGuard, clock: Clock) -> None:
    for minute in (0, 2, 5):
        clock.time = NOON + minute * MINUTE
        await refuse(guard)
    paused = await pause(guard)
    assert (len(paused.causes), paused.until, paused.minutes(clock())) == (3, NOON + 15 * MINUTE, 10)
    assert len(guard.counted(ANA, HOST)) == 3


async def test_there_is_a_place_again_when_the_oldest_has_expired(guard: LockoutGuard, clock: Clock) -> None:
    for minute in (0, 2, 5):
        clock.time = NOON + minute * MINUTE
        await refuse(guard)
    clock.time = NOON + 15 * MINUTE - timedelta(seconds=1)
    assert (await pause(guard)).minutes(clock()) == 1
    clock.time = NOON + 15 * MINUTE
    await refuse(guard)
    assert (await pause(guard)).until == NOON + 17 * MINUTE


async def test_a_sign_in_that_works_makes_the_refusals_forgotten(guard: LockoutGuard, folder: Path) -> None:
    await refuse(guard, 2)
    guard.record(await slot(guard), cause=None)
    assert len(guard.counted(ANA, HOST)) == 0
    assert written(guard, folder) == []
    await refuse(guard, 3)
    await pause(guard)


async def test_what_has_not_gone_out_counts_for_nothing(guard: LockoutGuard, folder: Path) -> None:
    await refuse(guard, 2)
    for _ in range(5):
        guard.release(await slot(guard))
    assert len(guard.counted(ANA, HOST)) == 2


async def test_accounts_are_counted_apart_and_capitals_do_not_matter(guard: LockoutGuard) -> None:
    await refuse(guard, 3)
    await slot(guard, "bob@example.test")
    await slot(guard, ANA, "smtp.example.test")
    assert isinstance(await guard.acquire(" ANA@Example.TEST", "MAIL.example.test.", USUAL), Pause)
    assert len(guard.counted("Ana@example.test", HOST.upper())) == 3


async def test_the_providers_own_figure_decides(guard: LockoutGuard) -> None:
    strict, lenient = Lockout(attempts=1, minutes=60), Lockout(attempts=5, minutes=1)
    await refuse(guard, lockout=strict)
    assert (await pause(guard, lockout=strict)).until == NOON + 60 * MINUTE
    await refuse(guard, 4, lockout=lenient)
    assert len((await pause(guard, lockout=lenient)).causes) == 5


async def test_who_knows_better_signs_in_and_that_counts_too(guard: LockoutGuard, clock: Clock) -> None:
    await refuse(guard, 3)
    taken = await guard.acquire(ANA, HOST, USUAL, anyway=True)
    assert isinstance(taken, Slot)
    clock.time += MINUTE
    guard.record(taken, cause="bad_credentials")
    paused = await pause(guard)
    assert (len(paused.causes), paused.until) == (4, NOON + 16 * MINUTE - MINUTE)


async def test_where_more_failed_than_are_allowed_there_is_a_place_when_few_enough_are_left(
    guard: LockoutGuard, clock: Clock
) -> None:
    await refuse(guard, 3)
    for minute in (2, 5, 7):
        clock.time = NOON + minute * MINUTE
        taken = await guard.acquire(ANA, HOST, USUAL, anyway=True)
        assert isinstance(taken, Slot)
        guard.record(taken, cause="")
    paused = await pause(guard)
    assert (len(paused.causes), paused.until) == (6, NOON + 17 * MINUTE)
    clock.time = paused.until - timedelta(seconds=1)
    assert len((await pause(guard)).causes) == 3
    clock.time = paused.until
    await slot(guard)


# --- several at once ---


async def test_those_who_sign_in_at_once_stay_below_the_limit_together(folder: Path, clock: Clock) -> None:
    """Three get in; the fourth waits for how they fare, and is then told to wait for longer."""
    slept: list[float] = []
    open_slots: list[Slot] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            for each in open_slots:
                waiting.record(each, cause="bad_credentials")

    waiting = counting(folder, clock, sleep)
    open_slots += [await slot(waiting) for _ in range(3)]
    paused = await waiting.acquire(ANA, HOST, USUAL)
    assert isinstance(paused, Pause)
    assert slept == [0.02, 0.04, 0.08]


async def test_a_place_that_comes_free_is_taken_by_who_waits(folder: Path, clock: Clock) -> None:
    held: list[Slot] = []
    waiting = counting(folder, clock, lambda _: _gone())

    async def _gone() -> None:
        waiting.record(held.pop(), cause=None)

    held += [await slot(waiting) for _ in range(3)]
    assert isinstance(await waiting.acquire(ANA, HOST, USUAL), Slot)


async def test_many_at_once_are_refused_no_more_often_than_allowed(folder: Path, clock: Clock) -> None:
    """Ten sign-ins of one mailbox, two readers of the same folder, every one with the wrong password."""
    both = (counting(folder, clock), counting(folder, clock))
    tried = 0

    async def sign_in(guard: LockoutGuard) -> bool:
        nonlocal tried
        taken = await guard.acquire(ANA, HOST, USUAL)
        if isinstance(taken, Pause):
            return False
        await asyncio.sleep(0)
        tried += 1
        guard.record(taken, cause="bad_credentials")
        return True

    done = await asyncio.gather(*(sign_in(both[number % 2]) for number in range(10)))
    assert (tried, sum(done)) == (3, 3)


def test_four_processes_lose_no_count(folder: Path) -> None:
    script = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from smtp_wizard.engine.accounts.lockout_guard import LockoutGuard
        from smtp_wizard.engine.providers.provider import Lockout
        from smtp_wizard.engine.state.storage import Storage
        attempts = LockoutGuard(Storage(Path(sys.argv[1]), 60))
        async def main():
            for _ in range(20):
                held_slot = await attempts.acquire("ana", "host", Lockout(attempts=100, minutes=60))
                attempts.record(held_slot, cause="bad_credentials")
        asyncio.run(main())
    """)
    writers = [subprocess.Popen([sys.executable, "-c", script, str(folder)]) for _ in range(4)]
    assert [writer.wait(timeout=100) for writer in writers] == [0, 0, 0, 0]
    assert len(LockoutGuard(Storage(folder, 0.2)).counted("ana", "host")) == 80


def test_four_processes_try_no_more_often_than_allowed(folder: Path) -> None:
    script = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from smtp_wizard.engine.accounts.lockout_guard import USUAL, LockoutGuard, Slot
        from smtp_wizard.engine.state.storage import Storage
        attempts = LockoutGuard(Storage(Path(sys.argv[1]), 60))
        async def main():
            tried = 0
            for _ in range(5):
                held_slot = await attempts.acquire("ana", "host", USUAL)
                if isinstance(held_slot, Slot):
                    tried += 1
                    attempts.record(held_slot, cause="bad_credentials")
            print(tried)
        asyncio.run(main())
    """)
    command = [sys.executable, "-c", script, str(folder)]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert sum(int(writer.communicate(timeout=100)[0]) for writer in writers) == 3


async def test_the_place_of_a_process_that_died_comes_free(folder: Path, clock: Clock) -> None:
    killed = counting(folder, clock)
    for _ in range(3):
        await slot(killed)
    clock.time += 5 * MINUTE
    await slot(counting(folder, clock))


async def test_whoever_stops_waiting_leaves_no_place_taken(folder: Path, clock: Clock) -> None:
    async def sleep(seconds: float) -> None:
        raise asyncio.CancelledError

    guard = counting(folder, clock, sleep)
    held = [await slot(guard) for _ in range(3)]
    with pytest.raises(asyncio.CancelledError):
        await guard.acquire(ANA, HOST, USUAL)
    for each in held:
        guard.release(each)
    assert written(guard, folder) == []


# --- what the server saw, whoever is left to say so ---


async def nobody_waits(seconds: float) -> None:
    raise AssertionError("nobody is to be waited for")


KILLED = """
    import asyncio, os, signal, sys
    from pathlib import Path
    from smtp_wizard.engine.accounts.lockout_guard import USUAL, LockoutGuard
    from smtp_wizard.engine.state.storage import Storage
    async def main():
        attempts = LockoutGuard(Storage(Path(sys.argv[1]), 5))
        held_slot = await attempts.acquire("ana@example.test", "mail.example.test", USUAL)
        if sys.argv[2] == "sent":
            await attempts.sending(held_slot)
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
    after = LockoutGuard(Storage(folder, 0.2), sleep=nobody_waits)
    assert (await pause(after)).causes == ("", "", "")
    assert after.counted(ANA, HOST) == ("", "", "")


async def test_a_dead_process_whose_parent_was_not_told_is_dead(folder: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(folder), "sent"]
    with ExitStack() as unreaped:
        for _ in range(3):
            process = unreaped.enter_context(subprocess.Popen(command))
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert (await pause(LockoutGuard(Storage(folder, 0.2), sleep=nobody_waits))).causes == ("", "", "")


async def test_a_killed_process_that_had_ones_own_number_is_dead(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container every run has the same one; nobody waits for what an earlier run can settle no more."""
    kill(folder, sent=True)
    kill(folder, sent=True)
    kill(folder, sent=False)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    with closing(sqlite3.connect(folder / FILE_NAME)) as file, file:
        file.execute("UPDATE attempts SET process = 1")
    after = LockoutGuard(Storage(folder, 0.2), sleep=nobody_waits)
    assert after.counted(ANA, HOST) == ("", "")
    await refuse(after)
    assert (await pause(after)).causes == ("", "", "bad_credentials")


async def test_a_process_that_was_killed_before_it_signed_in_holds_nothing(folder: Path) -> None:
    for _ in range(3):
        kill(folder, sent=False)
    after = LockoutGuard(Storage(folder, 0.2), sleep=nobody_waits)
    for _ in range(3):
        after.release(await slot(after))
    assert after.counted(ANA, HOST) == ()


async def test_who_is_signing_in_is_waited_for_although_it_went_out(folder: Path, clock: Clock) -> None:
    """It may succeed: nothing has failed yet."""
    held: list[Slot] = []

    async def settle_one(_: float) -> None:
        waiting.record(held.pop(), cause=None)

    waiting = counting(folder, clock, settle_one)
    held += [await slot(waiting) for _ in range(3)]
    for each in held:
        await waiting.sending(each)
    assert waiting.counted(ANA, HOST) == ()
    await slot(waiting)
    assert len(held) == 2


async def test_what_nobody_settled_for_long_has_failed(folder: Path, clock: Clock) -> None:
    """Its process may run on, or another may have its number."""
    for _ in range(3):
        guard = counting(folder, clock)
        await guard.sending(await slot(guard))
    clock.time += 5 * MINUTE
    assert (await pause(counting(folder, clock, nobody_waits))).causes == ("", "", "")


async def test_the_pause_tells_each_cause_in_the_order_of_time(guard: LockoutGuard, clock: Clock) -> None:
    for cause in ("bad_credentials", "", "temporary_try_later"):
        taken = await slot(guard)
        await guard.sending(taken)
        guard.record(taken, cause=cause)
        clock.time += MINUTE
    assert (await pause(guard)).causes == ("bad_credentials", "", "temporary_try_later")


async def test_success_makes_the_unanswered_forgotten_too(guard: LockoutGuard, folder: Path) -> None:
    kill(folder, sent=True)
    guard.record(await slot(guard), cause="")
    taken = await slot(guard)
    await guard.sending(taken)
    guard.record(taken, cause=None)
    assert guard.counted(ANA, HOST) == ()
    assert written(guard, folder) == []


@pytest.mark.parametrize(("answer", "waits"), [(PermissionError, True), (ProcessLookupError, False)])
async def test_another_users_process_is_there_too(
    guard: LockoutGuard, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, answer: type[OSError], waits: bool
) -> None:
    for _ in range(3):
        await guard.sending(await slot(guard))
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
        await counting(folder, clock, stop).acquire(ANA, HOST, USUAL)
    assert bool(slept) is waits


# --- over restarts, and when the clock jumps ---


async def test_what_was_counted_is_known_after_a_restart(guard: LockoutGuard, folder: Path, clock: Clock) -> None:
    await refuse(guard, 3)
    later = counting(folder, clock)
    assert len((await pause(later)).causes) == 3


async def test_what_has_expired_is_dropped_from_the_file(guard: LockoutGuard, folder: Path, clock: Clock) -> None:
    await refuse(guard, 2)
    clock.time += 16 * MINUTE
    await refuse(guard, username="bob")
    assert len(written(guard, folder)) == 1


async def test_a_clock_that_was_set_back_makes_nobody_wait_longer(
    guard: LockoutGuard, folder: Path, clock: Clock
) -> None:
    await refuse(guard, 3)
    clock.time = NOON - timedelta(days=30)
    assert (await pause(guard)).until == clock() + 15 * MINUTE
    clock.time += 14 * MINUTE
    assert (await pause(counting(folder, clock))).minutes(clock()) == 1
    clock.time += 1 * MINUTE
    await slot(guard)


async def test_a_clock_that_is_set_forward_ends_the_pause(guard: LockoutGuard, clock: Clock) -> None:
    await refuse(guard, 3)
    clock.time += timedelta(days=1)
    await slot(guard)


# --- the file ---


async def test_the_file_names_nobody(guard: LockoutGuard, folder: Path) -> None:
    await refuse(guard, 2)
    assert len(written(guard, folder)) == 2
    data = (folder / FILE_NAME).read_bytes()
    assert b"example" not in data
    assert b"ana" not in data


@given(typed=st.text(st.characters(exclude_categories=["Cs"]), min_size=8), host=st.sampled_from([HOST, "::1"]))
@settings(max_examples=40, deadline=None)
def test_no_secret_that_was_typed_as_a_user_name_stands_in_the_file(
    tmp_path_factory: pytest.TempPathFactory, typed: str, host: str
) -> None:
    """The password in the wrong field: it happens, and the file outlives it."""
    folder = tmp_path_factory.mktemp("config")
    guard = counting(folder, Clock())

    async def refused() -> None:
        guard.record(await slot(guard, typed, host), cause="bad_credentials")

    asyncio.run(refused())
    (row,) = written(guard, folder)
    assert re.fullmatch(r"[0-9a-f]{32} [0-9a-f]{16}", f"{row.pop('account')} {row.pop('id')}")
    assert row == {
        "at": number_of(NOON),
        "until": number_of(NOON + 15 * MINUTE),
        "state": "failed",
        "cause": "bad_credentials",
        "process": 0,
    }
    assert len(guard.counted(typed, host)) == 1


async def test_as_many_accounts_as_there_are_can_be_refused(guard: LockoutGuard, folder: Path) -> None:
    """A file that was read and written whole had room for some 5,000."""
    await refuse(guard, 3)
    many = [(f"{number:032x}", f"{number:016x}") for number in range(20_000)]
    written(guard, folder)
    with closing(sqlite3.connect(folder / FILE_NAME)) as file, file:
        at, until = number_of(NOON), number_of(NOON + 15 * MINUTE)
        file.executemany(
            "INSERT INTO attempts VALUES (?, ?, ?, ?, 'failed', 'bad_credentials', 0)",
            [(account, id, at, until) for account, id in many],
        )
    assert len((await pause(guard)).causes) == 3
    await refuse(guard, 3, "bob@example.test")
    await pause(guard, "bob@example.test")
    assert len(written(guard, folder)) == 20_006


async def test_an_odd_row_counts_for_nothing_and_stops_nobody(guard: LockoutGuard, folder: Path) -> None:
    await refuse(guard, 2)
    (first, _) = written(guard, folder)
    odd = {
        "no time": {"at": "noon"},
        "backwards": {"until": first["at"] - 1},
        "an unknown state": {"state": "lost"},
        "a cause that is none": {"cause": "Ana's"},
        "no process": {"process": "x"},
        "a group of processes": {"process": -1},
        "out of this world": {"until": 2**62},
    }
    with closing(sqlite3.connect(folder / FILE_NAME)) as file, file:
        for number, changes in enumerate(odd.values()):
            row = {**first, "id": f"{number:016x}", "until": first["until"], **changes}
            columns = ", ".join(f":{name}" for name in row)
            file.execute(f"INSERT INTO attempts ({', '.join(row)}) VALUES ({columns})", row)
    assert len(guard.counted(ANA, HOST)) == 2
    await refuse(guard)
    assert len((await pause(guard)).causes) == 3


async def test_a_pause_in_the_file_lasts_no_longer_than_any_may(guard: LockoutGuard, folder: Path) -> None:
    await refuse(guard, 3)
    written(guard, folder)
    with closing(sqlite3.connect(folder / FILE_NAME)) as file, file:
        file.execute("UPDATE attempts SET until = ?", (number_of(NOON + timedelta(days=3000)),))
    assert (await pause(guard)).until == NOON + LONGEST_LOCKOUT * MINUTE


async def test_what_cannot_be_written_this_process_counts_for_itself(
    guard: LockoutGuard, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await refuse(guard)
    written(guard, folder)
    with monkeypatch.context() as patch:
        refuse_to_write(patch, FULL)
        await refuse(guard, 2)
        assert len((await pause(guard)).causes) == 3
        assert len(guard.counted(ANA, HOST)) == 3
        guard._storage.flush()
        assert len((await pause(guard)).causes) == 3, "also when the file was given up in between"
        assert len(counting(folder, clock).counted(ANA, HOST)) == 1
    (trouble,) = guard._storage.problems()
    assert "no space left on the disk" in trouble
    await pause(guard)
    guard.release(await slot(guard, "bob"))
    assert len(written(guard, folder)) == 3, "it is written as soon as that can be done"
    assert len(counting(folder, clock).counted(ANA, HOST)) == 3


async def test_a_success_on_a_full_disk_keeps_no_place_open(
    guard: LockoutGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_to_write(monkeypatch, FULL)
    for _ in range(5):
        guard.record(await slot(guard), cause=None)
    await refuse(guard, 2)
    guard.record(await slot(guard), cause=None)
    assert len(guard.counted(ANA, HOST)) == 0


async def test_a_file_in_the_folders_place_stops_nobody(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "config").write_text("a file")
    guard = counting(tmp_path / "config", clock)
    await refuse(guard, 3)
    await pause(guard)


async def test_another_process_that_writes_for_long_stops_nobody(guard: LockoutGuard, folder: Path) -> None:
    await refuse(guard)
    written(guard, folder)
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await refuse(guard, 2)
        await pause(guard)
        other.execute("ROLLBACK")
    guard._storage.flush()
    assert len(rows_of(folder, "attempts")) == 3


def test_looking_loads_nothing_and_writes_nothing(folder: Path) -> None:
    script = """
        import sys
        from pathlib import Path
        from smtp_wizard.engine.accounts.lockout_guard import LockoutGuard
        from smtp_wizard.engine.state.storage import Storage
        assert LockoutGuard(Storage(Path(sys.argv[1]), 5)).counted("ana", "host") == ()
        print(sorted({"filelock", "platformdirs", "sqlite3"} & set(sys.modules)))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(folder)]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip() == "[]"
    assert not folder.exists()


# --- the file of an older version ---

RELEASED = """{"schema": "smtp-wizard/attempts-file/1",
 "accounts": {
  "6e5c13f930652182769d742b8a244564": {
   "00000000000000a1": {"at": "2026-11-24T11:50:00+00:00", "until": "2026-11-24T12:05:00+00:00", "refused": true},
   "00000000000000a2": {"at": "2026-11-24T11:55:00+00:00", "until": "2026-11-24T12:10:00+00:00", "refused": true},
   "00000000000000a3": {"at": "2026-11-24T11:58:00+00:00", "until": "2026-11-24T12:03:00+00:00", "refused": false}}}}
"""
"""As version 1 wrote it for ana@example.test at mail.example.test: two refusals, and a place that was taken."""


async def test_the_released_file_is_taken_over_once(guard: LockoutGuard, folder: Path) -> None:
    folder.mkdir()
    (folder / OLD_NAME).write_text(RELEASED, "utf-8")
    (folder / f"{OLD_NAME}.lock").touch()
    await refuse(guard)
    paused = await pause(guard)
    assert (paused.causes, paused.until) == (("bad_credentials",) * 3, NOON + 5 * MINUTE)
    assert len(written(guard, folder)) == 3
    assert [each.name for each in folder.iterdir()] == [FILE_NAME]


async def test_a_file_of_more_than_a_megabyte_is_taken_over_too(guard: LockoutGuard, folder: Path) -> None:
    """The version that wrote it had begun to ignore it."""
    entry = RELEASED[RELEASED.index('{\n   "0') : -3]
    others = ",".join(f'"{number:032x}": {entry}' for number in range(4000))
    folder.mkdir()
    (folder / OLD_NAME).write_text(RELEASED.replace('"accounts": {', f'"accounts": {{{others},', 1), "utf-8")
    assert (folder / OLD_NAME).stat().st_size > 1_000_000
    await refuse(guard)
    await pause(guard)
    assert len(written(guard, folder)) == 8003


ODD_FILES = {
    "empty": b"",
    "not JSON": b"{",
    "not UTF-8": b"\xff\xfe",
    "another schema": RELEASED.replace("file/1", "file/9").encode(),
    "more keys": RELEASED.replace('"accounts"', '"more": 1, "accounts"', 1).encode(),
    "a list": b"[]",
    "too deep": b"[" * 100_000,
    "a strange account": RELEASED.replace("6e5c", "ana@").encode(),
    "a time that is none": RELEASED.replace("2026-11-24T11:50:00+00:00", "noon").encode(),
    "no zone": RELEASED.replace("+00:00", "").encode(),
    "backwards": RELEASED.replace("12:05", "10:05").encode(),
    "out of this world": RELEASED.replace("2026-11-24T11:50:00+00:00", "0001-01-01T00:00:00+14:00").encode(),
}


@pytest.mark.parametrize("odd", ODD_FILES)
async def test_a_file_that_cannot_be_understood_is_put_aside(guard: LockoutGuard, folder: Path, odd: str) -> None:
    folder.mkdir()
    (folder / OLD_NAME).write_bytes(ODD_FILES[odd])
    await refuse(guard, 3)
    await pause(guard)
    assert len(written(guard, folder)) == 3
    assert (folder / f"{OLD_NAME}.aside").read_bytes() == ODD_FILES[odd]
    assert not (folder / OLD_NAME).exists()
