"""What is learnt is kept in one file, by whoever writes at once, and nothing that ails the file stops anybody."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.state import database, storage
from smtp_wizard.engine.state.database import APPLICATION_ID, MIGRATIONS, TABLES, StateError
from smtp_wizard.engine.state.results import KEEP, LastResult, Result
from smtp_wizard.engine.state.sign_in_renewals import SignInRenewal
from smtp_wizard.engine.state.state import State
from smtp_wizard.engine.state.timestamps import FILE_NAME
from tests.support.state import BUSY, FULL, refuse_to_write, rows_of

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
OFFICE, SHOP = "00000000000000a1", "00000000000000b2"
LAST = LastResult(NOON, Depth.LOGIN, Verdict.FAIL, Stage.AUTH, "bad_credentials")
RESULT = Result(LAST, {Stage.DNS: 1, Stage.CONNECT: 50, Stage.AUTH: 203}, NOON + timedelta(days=90))
LOGIN = SignInRenewal("client", NOON - timedelta(days=3), NOON, None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A config folder that does not exist yet."""
    return tmp_path / "config"


@pytest.fixture
def state(folder: Path) -> State:
    return State(folder, lock_limit=0.2)


def at(minute: int, verdict: Verdict = Verdict.PASS) -> Result:
    return Result(LastResult(NOON + timedelta(minutes=minute), Depth.LOGIN, verdict))


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def lasts(folder: Path, *accounts: str) -> dict[str, LastResult]:
    """What another process reads."""
    return State(folder).results.lasts(accounts or (OFFICE, SHOP))


# --- results ---


def test_a_result_is_known_at_once_and_to_every_process_when_it_is_written(state: State, folder: Path) -> None:
    state.results.record(OFFICE, RESULT)
    assert state.results.lasts([OFFICE, SHOP]) == {OFFICE: LAST}
    assert state.results.history(OFFICE) == (RESULT,)
    assert state.flush() == ()
    assert lasts(folder) == {OFFICE: LAST}
    assert State(folder).results.history(OFFICE) == (RESULT,)
    assert state.results.history(OFFICE) == (RESULT,)


READERS: dict[str, Callable[[State], object]] = {
    "lasts": lambda state: state.results.lasts([OFFICE]),
    "certificates": lambda state: state.results.certificates([OFFICE], NOON + timedelta(days=365)),
    "history": lambda state: state.results.history(OFFICE),
    "logins": lambda state: state.sign_in_renewals.latest([OFFICE]),
}


@pytest.mark.parametrize("reader", READERS)
def test_what_is_written_while_somebody_reads_is_not_missed(
    state: State, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    earlier = replace(RESULT, last=replace(LAST, verdict=Verdict.PASS), not_after=NOON)
    state.results.record(OFFICE, earlier)
    state.sign_in_renewals.renewed(OFFICE, LOGIN)
    state.flush()
    read = state.results._storage.read

    def read_and_then_written(query: Callable[[sqlite3.Connection], object]) -> object:
        found = read(query)
        state.flush()
        return found

    state.results.record(OFFICE, RESULT)
    state.sign_in_renewals.renewed(OFFICE, replace(LOGIN, renewed=NOON + timedelta(days=1)))
    known = READERS[reader](state)
    state.results.record(OFFICE, RESULT)
    with monkeypatch.context() as patch:
        patch.setattr(state.results._storage, "read", read_and_then_written)
        state.sign_in_renewals.renewed(OFFICE, replace(LOGIN, renewed=NOON + timedelta(days=1)))
        seen = READERS[reader](state)
    assert seen == READERS[reader](state)
    assert seen == known if reader != "history" else seen == (RESULT, RESULT, earlier)


def test_the_history_is_newest_first_and_bounded(state: State, folder: Path) -> None:
    state.results.record(SHOP, RESULT)
    for minute in range(KEEP + 20):
        state.results.record(OFFICE, at(minute))
    assert [each.last.at.minute for each in state.results.history(OFFICE, 2)] == [59, 58]
    state.flush()
    history = State(folder).results.history(OFFICE)
    assert (len(history), history[0], history[-1]) == (KEEP, at(KEEP + 19), at(20))
    assert len(rows_of(folder, "results")) == KEEP + 1


def test_what_came_last_is_last_although_the_clock_was_set_back(state: State, folder: Path) -> None:
    state.results.record(OFFICE, at(30))
    state.results.record(OFFICE, at(10, Verdict.WARN))
    assert state.flush() == ()
    assert lasts(folder)[OFFICE].verdict is Verdict.WARN


def test_results_of_an_older_file_are_taken_over_where_nothing_is_known(state: State, folder: Path) -> None:
    state.results.record(SHOP, at(5))
    state.results.carry_over({OFFICE: LAST, SHOP: LAST})
    state.results.carry_over({OFFICE: LAST})
    state.flush()
    State(folder).results.carry_over({OFFICE: LAST})
    assert lasts(folder) == {OFFICE: LAST, SHOP: at(5).last}
    assert len(rows_of(folder, "results")) == 2


def test_a_row_of_another_kind_is_passed_over(state: State, folder: Path) -> None:
    """Written by a later version with the same tables, or by hand."""
    state.results.record(OFFICE, RESULT)
    state.flush()
    odd = ("at = 'noon'", "at = 1 << 62", "depth = 'deep'", "verdict = ''", "stage = 'hello'", "ms = '{'", "ms = '[1]'")
    times = [f"ms = '{{\"auth\": {took}}}'" for took in ("null", "-5", "1e308", "true", "1" + "0" * 400)]
    for change in (*odd, *times, "not_after = 'soon'"):
        with closing(sqlite3.connect(folder / FILE_NAME)) as file, file:
            file.execute("DELETE FROM results WHERE number > 1")
            file.execute(
                "INSERT INTO results SELECT account, 2, at, depth, verdict, stage, code, ms, not_after FROM results"
            )
            file.execute(f"UPDATE results SET {change} WHERE number = 2")
        assert State(folder).results.history(OFFICE) == (RESULT,), change
        assert lasts(folder) == {}, change


# --- renewals ---


def test_a_renewal_is_known_at_once_and_in_every_process(state: State, folder: Path) -> None:
    state.sign_in_renewals.renewed(OFFICE, LOGIN)
    later = replace(LOGIN, renewed=NOON + timedelta(days=1), ends=NOON + timedelta(days=30))
    assert state.sign_in_renewals.latest([OFFICE]) == {OFFICE: LOGIN}
    state.sign_in_renewals.renewed(OFFICE, later)
    assert state.sign_in_renewals.latest([OFFICE, SHOP]) == {OFFICE: later}
    state.flush()
    assert State(folder).sign_in_renewals.latest([OFFICE]) == {OFFICE: later}


# --- forgetting ---


def test_what_is_forgotten_leaves_nothing(state: State, folder: Path) -> None:
    for account in (OFFICE, SHOP):
        state.results.record(account, RESULT)
        state.sign_in_renewals.renewed(account, LOGIN)
    state.forget(OFFICE)
    assert state.results.lasts([OFFICE, SHOP]) == {SHOP: LAST}
    state.flush()
    assert {row["account"] for table in ("results", "logins") for row in rows_of(folder, table)} == {SHOP}
    assert OFFICE.encode() not in (folder / FILE_NAME).read_bytes()


def test_what_belongs_to_nobody_is_deleted_unless_it_is_new(state: State, folder: Path) -> None:
    """An account that was removed while its process was killed; and one that another process has just saved."""
    old, new = "00000000000000c3", "00000000000000d4"
    for account, minutes in ((OFFICE, 0), (old, 0), (new, 61)):
        state.results.record(account, at(minutes))
        state.sign_in_renewals.renewed(account, replace(LOGIN, renewed=NOON + timedelta(minutes=minutes)))
    state.tidy([OFFICE, SHOP], NOON + timedelta(minutes=120))
    state.flush()
    for table in ("results", "logins"):
        assert {row["account"] for row in rows_of(folder, table)} == {OFFICE, new}


def test_nothing_is_made_only_to_forget(state: State, folder: Path) -> None:
    state.forget(OFFICE)
    state.tidy([], NOON)
    assert state.flush() == ()
    assert not folder.exists()


# --- the file ---


def test_only_its_owner_can_read_it_and_nothing_lies_beside_it(state: State, folder: Path) -> None:
    before = os.umask(0o077)
    try:
        state.results.record(OFFICE, RESULT)
        state.flush()
        (folder / FILE_NAME).unlink()
        os.umask(0o277)
        state.results.record(OFFICE, RESULT)
        state.flush()
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600
    assert names_in(folder) == [FILE_NAME]


def test_while_it_is_open_what_lies_beside_it_is_private_too(state: State, folder: Path) -> None:
    state.results.record(OFFICE, RESULT)
    state.flush()
    (folder / FILE_NAME).chmod(0o644)
    seen: dict[str, int] = {}
    state.storage.put(
        lambda _: seen.update({each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()})
    )
    state.flush()
    assert seen == {FILE_NAME: 0o600, f"{FILE_NAME}-shm": 0o600, f"{FILE_NAME}-wal": 0o600}


def test_looking_writes_nothing_also_while_somebody_writes(state: State, folder: Path) -> None:
    assert lasts(folder) == {}
    assert not folder.exists()
    state.results.record(OFFICE, RESULT)
    state.flush()
    folder.chmod(0o500)
    before = names_in(folder)
    assert lasts(folder) == {OFFICE: LAST}
    assert names_in(folder) == before
    folder.chmod(0o700)
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM results")
        assert lasts(folder) == {OFFICE: LAST}


def newest_verdict(file: sqlite3.Connection) -> object:
    return file.execute("SELECT verdict FROM results").fetchone()


@contextmanager
def in_the_log_alone(folder: Path, words: str) -> Iterator[sqlite3.Connection]:
    """Change the result, as another process does that lets nobody read."""
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("UPDATE results SET verdict = ?", (words,))
        yield other


def test_what_stands_in_the_log_alone_is_read_or_it_is_said_that_it_cannot_be(
    state: State, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that is in the way longer than a moment, as on a busy computer, makes no reader see what was before."""
    monkeypatch.setattr(database, "READ_SECONDS", 0.0)
    monkeypatch.setattr(database, "SECOND_LOOK_SECONDS", 0.0)
    state.results.record(OFFICE, RESULT)
    state.flush()
    with in_the_log_alone(folder, "new"), pytest.raises(StateError, match="has been writing to it for too long"):
        database.read(folder, newest_verdict)
    assert database.read(folder, newest_verdict) == ("new",)


def test_whoever_was_in_the_way_of_reading_is_waited_for_once_more(
    state: State, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "READ_SECONDS", 0.0)
    state.results.record(OFFICE, RESULT)
    state.flush()
    found = database._found

    def found_or_let_go(*arguments: Any) -> Any:
        try:
            return found(*arguments)
        except sqlite3.OperationalError:
            other.close()
            raise

    monkeypatch.setattr(database, "_found", found_or_let_go)
    with in_the_log_alone(folder, "new") as other:
        assert database.read(folder, newest_verdict) == ("new",)


def test_no_reader_waits_longer_than_was_said_nor_again_for_what_was_waited_for_in_vain(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "BUSY_SECONDS", 3600.0)
    state = State(folder, lock_limit=0.02)
    state.results.record(OFFICE, RESULT)
    state.flush()
    waits: list[float] = []
    connect = database._connect

    def noted(file: Path, mode: str, seconds: float) -> sqlite3.Connection:
        waits.append(seconds)
        return connect(file, mode, seconds)

    with in_the_log_alone(folder, "new"), monkeypatch.context() as patch:
        patch.setattr(database, "_connect", noted)
        assert state.results.lasts([OFFICE]) == {}
        assert waits == [0.02, 0.02]
        assert state.results.history(OFFICE) == ()
        assert waits[2:] == [0.0]
    assert state.results.lasts([OFFICE]) == {}, "what stands there is no verdict; and it is read again"


def test_it_is_written_ahead_and_says_whose_it_is(state: State, folder: Path) -> None:
    state.results.record(OFFICE, RESULT)
    state.flush()
    with closing(sqlite3.connect(folder / FILE_NAME)) as file:
        pragmas = {name: file.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")}
        assert pragmas == {"application_id": APPLICATION_ID, "user_version": len(MIGRATIONS)}
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert tables == {name for added in TABLES for name in added}


def test_a_file_of_an_earlier_version_is_brought_up_to_date(
    state: State, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.results.record(OFFICE, RESULT)
    state.flush()
    more = (*MIGRATIONS, ("ALTER TABLE results ADD COLUMN note TEXT",), ("CREATE TABLE more (id INTEGER)",))
    monkeypatch.setattr("smtp_wizard.engine.state.database.MIGRATIONS", more)
    assert lasts(folder) == {OFFICE: LAST}, "what is there can be read before anybody writes"
    state.results.record(OFFICE, at(1))
    assert state.flush() == ()
    assert [row["note"] for row in rows_of(folder, "results")] == [None, None]
    assert rows_of(folder, "more") == []


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_a_good_file_of_any_version_is_not_damaged(folder: Path, version: int) -> None:
    """It may have to be looked at before it is brought up to date; what is damaged is put aside, with all it holds."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / FILE_NAME)) as file:
        for statements in MIGRATIONS[:version]:
            for statement in statements:
                file.execute(statement)
        file.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        file.execute(f"PRAGMA user_version = {version}")
        file.commit()
    assert len(TABLES) == len(MIGRATIONS)
    assert database._is_damaged(folder / FILE_NAME) is False


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    state: State, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.results.record(OFFICE, RESULT)
    state.flush()
    with closing(sqlite3.connect(folder / FILE_NAME)) as file:
        file.execute("CREATE TABLE more (id INTEGER)")
    more = (*MIGRATIONS, ("ALTER TABLE results ADD COLUMN note TEXT", "CREATE TABLE more (id INTEGER)"))
    with monkeypatch.context() as patch:
        patch.setattr("smtp_wizard.engine.state.database.MIGRATIONS", more)
        state.results.record(OFFICE, at(1))
        assert "table more already exists" in state.flush()[0]
    assert "note" not in rows_of(folder, "results")[0]
    assert (lasts(folder), names_in(folder)) == ({OFFICE: LAST}, [FILE_NAME])
    state.flush()
    assert lasts(folder) == {OFFICE: at(1).last}


# --- what may ail it ---


def newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA user_version = 99")


def foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")


def torn(file: Path) -> None:
    """A page in the middle has other bytes in it, as after a fault of the disk."""
    data = bytearray(file.read_bytes())
    data[4096:8192] = random.Random(1).randbytes(4096)
    file.write_bytes(data)


def lacking(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("DROP TABLE results")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "text": lambda file: file.write_text("Shopping: eggs, milk, and 100 more things" * 100),
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:5000]),
    "zeros": lambda file: file.write_bytes(bytes(8192)),
    "torn": torn,
    "another program's": foreign,
    "without a table": lacking,
}


@pytest.fixture
def file(state: State, folder: Path) -> Path:
    """The file, with a result in it, closed."""
    state.results.record(OFFICE, RESULT)
    assert state.flush() == ()
    return folder / FILE_NAME


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_put_aside_and_begun_anew(state: State, folder: Path, file: Path, damage: str) -> None:
    DAMAGE[damage](file)
    data = file.read_bytes()
    assert lasts(folder) == {}
    assert file.read_bytes() == data, "looking changes nothing"
    state.results.record(SHOP, at(1))
    state.results.record(SHOP, at(2))
    (trouble,) = state.flush()
    assert trouble == (
        f"The file {file}, in which results and refused sign-ins are kept, was damaged or not smtp-wizard's; "
        f"it was put aside as {FILE_NAME}.aside, and a new one was begun."
    )
    assert lasts(folder) == {SHOP: at(2).last}
    assert (folder / f"{FILE_NAME}.aside").read_bytes() == data
    assert names_in(folder) == [FILE_NAME, f"{FILE_NAME}.aside"]


def test_an_empty_file_is_simply_filled(state: State, folder: Path, file: Path) -> None:
    """As a process leaves it that was killed when it had just made it."""
    file.write_bytes(b"")
    assert lasts(folder) == {}
    state.results.record(OFFICE, RESULT)
    assert state.flush() == ()
    assert names_in(folder) == [FILE_NAME]


def test_several_processes_put_a_damaged_file_aside_once(folder: Path, file: Path) -> None:
    """None of them puts the new file of another one aside."""
    file.write_text("no database", "utf-8")
    script = """
        import sys
        from datetime import UTC, datetime
        from pathlib import Path
        from smtp_wizard.engine.base.stages import Depth, Verdict
        from smtp_wizard.engine.state.results import LastResult, Result
        from smtp_wizard.engine.state.state import State
        state = State(Path(sys.argv[1]), lock_limit=30)
        for number in range(20):
            state.results.record(sys.argv[2], Result(LastResult(datetime.now(UTC), Depth.LOGIN, Verdict.PASS)))
            print(*state.flush())
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(folder)]
    writers = [subprocess.Popen([*command, f"{number:016x}"], stdout=subprocess.PIPE, text=True) for number in range(4)]
    said = [writer.communicate(timeout=100)[0].split("\n") for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4
    assert sum("put aside" in line for lines in said for line in lines) == 1
    assert len(rows_of(folder, "results")) == 80
    assert names_in(folder) == [FILE_NAME, f"{FILE_NAME}.aside"]


def test_a_file_of_a_newer_version_is_said_and_left_as_it_is(state: State, folder: Path, file: Path) -> None:
    newer(file)
    data = file.read_bytes()
    state.results.record(OFFICE, at(1))
    (trouble,) = state.flush()
    assert "was written by a newer smtp-wizard; please update this one" in trouble
    assert state.results.lasts([OFFICE]) == {OFFICE: at(1).last}, "this process knows it all the same"
    assert (file.read_bytes(), names_in(folder)) == (data, [FILE_NAME])


UNUSABLE: dict[str, Callable[[Path], object]] = {
    "a folder in its place": Path.mkdir,
    "a pipe in its place": os.mkfifo,
    "a link that leads nowhere": lambda file: file.symlink_to(file.parent / "no" / "where"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_what_is_no_file_is_said_and_waited_for_by_nobody(state: State, file: Path, kind: str) -> None:
    file.unlink()
    UNUSABLE[kind](file)
    assert state.results.lasts([OFFICE]) == {}
    state.results.record(OFFICE, at(1))
    troubles = state.flush()
    assert troubles
    assert all(
        each.startswith("Results and refused sign-ins could not be ") and each.endswith(".") for each in troubles
    )
    assert state.results.lasts([OFFICE]) == {OFFICE: at(1).last}


@pytest.mark.parametrize(("code", "words"), [(FULL, "no space left on the disk"), (BUSY, "another smtp-wizard has")])
def test_what_could_not_be_written_is_written_later(
    state: State, folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    with monkeypatch.context() as patch:
        refuse_to_write(patch, code)
        state.results.record(OFFICE, at(1))
        (trouble,) = state.flush()
        state.results.record(SHOP, at(2))
        assert state.flush() == (), "the same is said once"
    assert words in trouble
    assert state.results.lasts([OFFICE, SHOP]) == {OFFICE: at(1).last, SHOP: at(2).last}
    assert lasts(folder) == {OFFICE: LAST}
    assert state.flush() == ()
    assert lasts(folder) == {OFFICE: at(1).last, SHOP: at(2).last}


def test_what_cannot_be_written_is_not_tried_for_each_result(
    state: State, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is unwritten would be done once more each time."""
    done: list[int] = []

    def noted(number: int, written: threading.Event, _: sqlite3.Connection) -> None:
        done.append(number)
        written.set()

    with monkeypatch.context() as patch:
        refuse_to_write(patch, FULL)
        for number in range(50):
            written = threading.Event()
            state.storage.put(partial(noted, number, written))
            assert written.wait(60)
        state.flush()
    assert len(done) < 50 * 4
    assert state.flush() == ()
    assert done[-50:] == [*range(50)], "and in the end each is written, in its order"


def test_the_kernel_that_takes_no_more_stops_nobody(folder: Path, file: Path) -> None:
    """A limit on the size of files acts as a quota or a full disk does."""
    script = """
        import resource, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from smtp_wizard.engine.base.stages import Depth, Verdict
        from smtp_wizard.engine.state.results import LastResult, Result
        from smtp_wizard.engine.state.state import State
        sys.dont_write_bytecode = True  # a compiled module would be cut off
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        state = State(Path(sys.argv[1]))
        state.results.record("00000000000000b2", Result(LastResult(datetime.now(UTC), Depth.LOGIN, Verdict.PASS)))
        print(len(state.flush()), len(state.results.lasts(["00000000000000b2"])))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(folder)]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout == "1 1\n"
    assert lasts(folder) == {OFFICE: LAST}


def test_a_fault_of_the_program_keeps_nothing_else_from_being_written(state: State, folder: Path) -> None:
    state.storage.put(lambda file: file.execute("INSERT INTO results VALUES (NULL)"))
    state.storage.put(lambda _: 1 // 0)
    state.results.record(OFFICE, RESULT)
    with pytest.raises((sqlite3.OperationalError, ZeroDivisionError)):
        state.flush()
    state.flush()
    assert lasts(folder) == {OFFICE: LAST}


# --- several processes, and one that is killed ---


WRITING = """
    import sys
    from datetime import UTC, datetime, timedelta
    from pathlib import Path
    from smtp_wizard.engine.base.stages import Depth, Verdict
    from smtp_wizard.engine.state.results import LastResult, Result
    from smtp_wizard.engine.state.state import State
    state = State(Path(sys.argv[1]), lock_limit=60)
    start = datetime(2026, 11, 30, tzinfo=UTC)
    for number in range(int(sys.argv[3])):
        last = LastResult(start + timedelta(seconds=number), Depth.LOGIN, Verdict.PASS)
        state.results.record(sys.argv[2], Result(last))
        if number % 10 == 0:
            assert state.flush() == ()
            print(number, flush=True)
    assert state.flush() == ()
"""


def test_four_processes_at_once_lose_nothing(folder: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(WRITING), str(folder)]
    accounts = [f"{number:016x}" for number in range(4)]
    writers = [subprocess.Popen([*command, account, "95"], stdout=subprocess.DEVNULL) for account in accounts]
    assert [writer.wait(timeout=100) for writer in writers] == [0, 0, 0, 0]
    assert {account: len(State(folder).results.history(account)) for account in accounts} == dict.fromkeys(accounts, 95)


def test_a_process_that_is_killed_loses_nothing_that_was_flushed(folder: Path) -> None:
    chance = random.Random(7)
    for _ in range(8):
        command = [sys.executable, "-c", textwrap.dedent(WRITING), str(folder), OFFICE, "100000"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            flushed = [int(writer.stdout.readline()) for _ in range(chance.randint(1, 12))][-1]
            writer.send_signal(signal.SIGKILL)
        newest = State(folder).results.history(OFFICE, 1)[0].last.at
        assert (newest - datetime(2026, 11, 30, tzinfo=UTC)).total_seconds() >= flushed
    with closing(sqlite3.connect(folder / FILE_NAME)) as check:
        assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_was_learnt_is_written_at_the_end_of_a_program_that_does_not_flush(folder: Path) -> None:
    script = (
        textwrap.dedent(WRITING)
        .replace("        assert state.flush() == ()\n", "")
        .replace("assert state.flush() == ()", "sys.exit(5)")
    )
    assert subprocess.run([sys.executable, "-c", script, str(folder), OFFICE, "7"], check=False).returncode == 5
    assert len(State(folder).results.history(OFFICE)) == 7


def test_a_child_process_writes_although_its_parent_had_a_thread(folder: Path) -> None:
    script = """
        import os, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from smtp_wizard.engine.base.stages import Depth, Verdict
        from smtp_wizard.engine.state.results import LastResult, Result
        from smtp_wizard.engine.state.state import State
        result = Result(LastResult(datetime.now(UTC), Depth.LOGIN, Verdict.PASS))
        state = State(Path(sys.argv[1]))
        state.results.record("00000000000000a1", result)
        child = os.fork()
        state.results.record("00000000000000b2" if child == 0 else "00000000000000c3", result)
        assert state.flush() == ()
        if child:
            assert os.waitpid(child, 0)[1] == 0
    """
    subprocess.run([sys.executable, "-W", "ignore", "-c", textwrap.dedent(script), str(folder)], check=True, timeout=60)
    assert {row["account"] for row in rows_of(folder, "results")} >= {OFFICE, SHOP, "00000000000000c3"}


# --- the thread ---


def test_the_thread_ends_when_there_is_nothing_to_write_and_begins_again(
    state: State, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smtp_wizard.engine.state.storage.IDLE_SECONDS", 0.01)
    for minute in range(3):
        written = threading.Event()
        state.results.record(OFFICE, at(minute))
        state.storage.put(lambda _: None, kept=written.set)
        assert written.wait(60)
        thread = state.storage._thread
        if thread is not None:
            thread.join(60)
        assert state.storage._thread is None
        assert names_in(folder) == [FILE_NAME], "the file is closed"
    assert len(rows_of(folder, "results")) == 3


def test_where_the_system_gives_no_thread_it_is_written_all_the_same(
    state: State, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    state.results.record(OFFICE, RESULT)
    assert lasts(folder) == {OFFICE: LAST}
    assert state.flush() == ()
    assert names_in(folder) == [FILE_NAME]


def test_whoever_is_in_a_hurry_does_not_wait_for_a_disk_that_hangs(state: State) -> None:
    """Nor does the end of the program, once it was given up."""
    goes_on = threading.Event()
    state.storage.put(lambda _: goes_on.wait(60))
    assert state.flush(0.01) == ()
    assert state.storage.given_up
    goes_on.set()
    assert state.flush() == ()
    assert not state.storage.given_up


def test_the_end_of_the_program_does_not_wait_once_more(folder: Path) -> None:
    script = """
        import sys, threading
        from pathlib import Path
        from smtp_wizard.engine.state.state import State
        state = State(Path(sys.argv[1]), lock_limit=1000)
        state.storage.put(lambda _: threading.Event().wait())
        state.flush(0.01)
        print("out")
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(folder)]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout == "out\n"


async def test_whoever_asks_gets_an_answer_or_the_fault(state: State) -> None:
    assert await state.storage.ask(lambda file: file.execute("SELECT 1 + 1").fetchone()) == (2,)
    with pytest.raises(ZeroDivisionError):
        await state.storage.ask(lambda _: 1 // 0)
    assert state.flush() == ()


# --- beside the accounts ---


def test_ten_thousand_accounts_are_read_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look at the file, and as many statements as for one account."""
    state = State(folder)
    ids = [f"{number:016x}" for number in range(10_000)]
    for id in ids:
        state.results.record(id, RESULT)
    assert state.flush() == ()
    statements: list[str] = []
    connect = sqlite3.connect

    def traced(name: str, **options: object) -> sqlite3.Connection:
        connection = connect(name, **options)  # type: ignore[call-overload]
        connection.set_trace_callback(statements.append)
        return connection  # type: ignore[no-any-return]

    monkeypatch.setattr(sqlite3, "connect", traced)
    assert len(State(folder).results.lasts(ids)) == 10_000
    many = len(statements)
    statements.clear()
    assert len(State(folder).results.lasts(ids[:1])) == 1
    assert many == len(statements) < 6


def test_saved_accounts_read_what_was_learnt_under_any_name(folder: Path) -> None:
    from tests.engine.accounts.test_accounts import account

    saved_accounts = SavedAccounts(folder)
    saved_accounts.put(account("Office"))
    id = saved_accounts.get("Office").id
    saved_accounts.state.results.record(id, RESULT)
    saved_accounts.change("Office", replace(saved_accounts.get("Office"), name=phrase("Branch")))
    assert saved_accounts.get("Branch").last == LAST
    assert saved_accounts.remove("Branch").id == id
    assert saved_accounts.state.flush() == ()
    assert rows_of(folder, "results") == []
    assert b"Office" not in (folder / FILE_NAME).read_bytes()
