"""Many accounts at once: every verdict right, little work for each, nothing written where it would hold others up.

No test here measures time; what the figures of `docs/benchmarks.md` come from is counted.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.cli import HURRY
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.data_files import DataError, data_path, read_yaml
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.secrets import vault as vault_store
from smtp_wizard.engine.secrets import vault_format
from smtp_wizard.engine.secrets.vault_format import Cost
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.engine.smtp import transport
from smtp_wizard.engine.state.state import State
from smtp_wizard.engine.state.timestamps import FILE_NAME
from smtp_wizard.runtime import open_file_limit
from smtp_wizard.runtime.exit_codes import Interrupted
from tests.support.checking import check, hurried
from tests.support.cli import PROGRAM, run, started
from tests.support.many import PASSWORD, USER, Many, many_servers, save_fleet
from tests.support.misbehaving import silent_port
from tests.support.nouns import with_fields
from tests.support.state import rows_of
from tests.support.time_is_up import TimeIsUp
from tests.support.walk import make_services

PAGE = 4096 + 24
"""Bytes of a page in the log of SQLite, with its head."""


@pytest.fixture
async def many(tmp_path: Path) -> AsyncIterator[Many]:
    async with many_servers(tmp_path / "ca", 5) as servers:
        yield servers


@pytest.fixture
def config(own_home: Path) -> Path:
    return own_home / "config"


def fleet(config: Path, many: Many, count: int) -> None:
    save_fleet(config, many.places, str(many.ca_file), count)


async def test_two_hundred_checks_build_one_context_and_look_at_the_accounts_twice(
    config: Path, many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once to know them, and once nobody knows which of them were removed meanwhile; never once for each."""
    fleet(config, many, 200)
    contexts: list[object] = []
    reads: list[Path] = []
    load, read = ssl.SSLContext.load_verify_locations, SavedAccounts._read

    def loaded(context: ssl.SSLContext, *arguments: Any, **options: Any) -> None:
        contexts.append(context)
        load(context, *arguments, **options)

    def counted(saved_accounts: SavedAccounts) -> Any:
        reads.append(saved_accounts._file)
        return read(saved_accounts)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", loaded)
    monkeypatch.setattr(SavedAccounts, "_read", counted)
    ran = await asyncio.to_thread(run, "test", "--all", "--concurrency", "200", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert [each["verdict"] for each in ran.document["results"]] == ["pass"] * 200
    assert many.totals.signed_in == 200
    assert (len(contexts), len(reads)) == (1, 1)
    assert len(rows_of(config, "results")) == 200
    assert rows_of(config, "attempts") == []
    assert len({row["account"] for row in rows_of(config, "results")}) == 200


async def test_a_vault_is_opened_once_for_all(
    tmp_path: Path, own_home: Path, many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    make = vault_format.make_key

    def counted(*words: Any) -> Any:
        made.append(words)
        return make(*words)

    monkeypatch.setattr(vault_store, "USUAL", Cost(n=2**10))
    save_fleet(own_home / "config", many.places, str(many.ca_file), 30, passphrase="plum corner violet stove")
    monkeypatch.setattr(vault_format, "make_key", counted)
    monkeypatch.setenv("FLEET", "plum corner violet stove")
    ran = await asyncio.to_thread(run, "test", "--all", "--passphrase-env", "FLEET", "--json")
    assert (ran.code, len(made)) == (0, 1)
    assert [each["verdict"] for each in ran.document["results"]] == ["pass"] * 30


class AtOnce:
    """Counts the checks that are under way at the same time."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = self.most = self.all = 0
        really = Checks.check_account

        async def counted(checks: Checks, *arguments: Any, **options: Any) -> Any:
            self.all += 1
            self.now += 1
            self.most = max(self.most, self.now)
            try:
                return await really(checks, *arguments, **options)
            finally:
                self.now -= 1

        patch.setattr(Checks, "check_account", counted)


async def test_no_more_are_at_one_server_than_somebody_wants(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = AtOnce(monkeypatch)
    async with many_servers(tmp_path / "ca", 1, 0.02) as many:
        save_fleet(own_home / "config", many.places, str(many.ca_file), 12)
        ran = await asyncio.to_thread(run, "test", "--all", "--concurrency", "12", "--per-host", "2", "--json")
    assert (ran.code, at_once.all, at_once.most) == (0, 12, 2)


async def test_of_one_mailbox_one_signs_in_at_a_time(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = AtOnce(monkeypatch)
    async with many_servers(tmp_path / "ca", 1, 0.02) as many:
        accounts = save_fleet(own_home / "config", many.places, str(many.ca_file), 5)
        saved = SavedAccounts(own_home / "config")
        for account, username in zip(accounts, (USER, USER.upper(), USER, USER, USER), strict=True):
            saved.alter(account.name, partial(with_fields, username=username))
        ran = await asyncio.to_thread(run, "test", "--all", "--concurrency", "5", "--json")
    assert (len(ran.document["results"]), at_once.all, at_once.most) == (5, 5, 1)


# --- what is written, and where ---


@dataclass
class Acts:
    """What was done to files, and in which thread."""

    thread: int = 0
    """In which the event loop runs; 0 while none does."""
    seen: list[str] = field(default_factory=list)

    def note(self, what: str) -> None:
        if threading.get_ident() == self.thread:
            self.seen.append(what)


_acts: Acts | None = None
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _acts is None:
        return
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
        _acts.note(f"open {arguments[0]}")
    elif event in ("os.rename", "os.remove", "os.mkdir", "os.chmod", "sqlite3.connect", "fcntl.flock"):
        _acts.note(f"{event} {arguments[0]}")


@pytest.fixture
def acts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Acts]:
    """Note what is written by the thread of an event loop that `asyncio.run` runs."""
    global _acts  # noqa: PLW0603  an audit hook cannot be taken away again
    if not getattr(sys, "_tests_listen_to_files", False):
        sys.addaudithook(_audit)
        sys._tests_listen_to_files = True  # type: ignore[attr-defined]
    _acts = acts = Acts()
    original, fsync = asyncio.run, os.fsync

    def noted(work: Any, **options: Any) -> Any:
        acts.thread = threading.get_ident()
        try:
            return original(work, **options)
        finally:
            acts.thread = 0

    def synced(handle: int) -> None:
        acts.note("fsync")
        fsync(handle)

    monkeypatch.setattr(asyncio, "run", noted)
    monkeypatch.setattr(os, "fsync", synced)
    yield acts
    _acts = None


async def test_nothing_is_written_in_the_event_loop(config: Path, many: Many, acts: Acts) -> None:
    fleet(config, many, 20)
    ran = await asyncio.to_thread(run, "test", "--all", "--json")
    assert ran.code == 0
    assert len(rows_of(config, "results")) == 20
    assert acts.seen == []


async def test_nothing_is_written_in_the_event_loop_for_what_is_refused(config: Path, many: Many, acts: Acts) -> None:
    fleet(config, many, 20)
    (config / "secret").write_text("another password", "utf-8")
    ran = await asyncio.to_thread(run, "test", "--all", "--json", "--concurrency", "3")
    assert ran.code == 1
    counted = rows_of(config, "attempts")
    assert {row["state"] for row in counted} == {"failed"}
    assert 3 * len(many.places) <= len({row["id"] for row in counted}) <= 20
    assert acts.seen == []


def test_the_listening_to_files_hears(tmp_path: Path, acts: Acts) -> None:
    """The two tests above prove nothing otherwise."""

    async def work() -> None:
        (tmp_path / "one").write_text("x", "utf-8")
        (tmp_path / "one").replace(tmp_path / "two")
        with sqlite3.connect(tmp_path / "three") as file:
            file.execute("CREATE TABLE t (a)")
        file.close()

    asyncio.run(work())
    assert len(acts.seen) == 3


def statements_of(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note every statement that is run from now on, but for where transactions begin and end."""
    statements: list[str] = []
    connect = sqlite3.connect

    def note(text: str) -> None:
        if text.split(" ")[0] in ("SELECT", "INSERT", "DELETE", "UPDATE"):
            statements.append(re.sub(r"'[^']*'|\d+", "?", text))

    def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(note)
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    return statements


async def cost_of_a_result(folder: Path, many: Many, count: int) -> tuple[list[str], int, int]:
    """Test one of so many accounts, all of which have results; return the statements, the bytes, and the files read."""
    accounts = save_fleet(folder, many.places, str(many.ca_file), count)
    services = make_services(folder)
    results = services.saved_accounts.state.results
    await services.checks.check_account(accounts[0], Secret(PASSWORD), Depth.LOGIN, _nothing)
    (first,) = results.history(accounts[0].id)
    for account in accounts:
        results.record(account.id, first)
    await asyncio.to_thread(services.saved_accounts.state.flush)
    written: list[int] = []
    reads: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        statements = statements_of(patch)
        patch.setattr(SavedAccounts, "_read", reads.append)
        await services.checks.check_account(accounts[count // 2], Secret(PASSWORD), Depth.LOGIN, _nothing)
        log = folder / f"{FILE_NAME}-wal"
        services.saved_accounts.state.storage.put(lambda _: written.append(log.stat().st_size))
        await asyncio.to_thread(services.saved_accounts.state.flush)
    return statements, written[0], len(reads)


async def test_a_result_costs_the_same_with_ten_accounts_and_with_ten_thousand(tmp_path: Path, many: Many) -> None:
    few, bytes_of_few, reads_of_few = await cost_of_a_result(tmp_path / "few", many, 10)
    lot, bytes_of_lot, reads_of_lot = await cost_of_a_result(tmp_path / "lot", many, 10_000)
    assert Counter(few) == Counter(lot)
    assert sum(text.startswith("INSERT INTO results") for text in lot) == 1
    assert (reads_of_few, reads_of_lot) == (0, 0)
    # What is handed over one after the other may be written together, or a page twice; and a large tree is deeper.
    assert abs(bytes_of_lot - bytes_of_few) <= 8 * PAGE
    assert bytes_of_lot <= 20 * PAGE


# --- our own delays ---


@pytest.mark.parametrize("after", [0.05, 0.35, 0.65])
async def test_an_event_loop_that_stands_still_makes_no_good_server_silent(tmp_path: Path, after: float) -> None:
    """For three times as long as any stage may take, in the middle of one stage or another."""
    services = make_services(
        tmp_path / "config", limits=hurried(connect=1.0, greeting=1.0, ehlo=1.0, starttls=1.0, auth=1.0)
    )
    async with many_servers(tmp_path / "ca", 5, 0.1) as many:
        accounts = save_fleet(tmp_path / "fleet", many.places, str(many.ca_file), 20)

        async def checks() -> list[Verdict]:
            asyncio.get_running_loop().call_later(after, time.sleep, 3.0)
            work = (
                services.checks.check_account(each, Secret(PASSWORD), Depth.LOGIN, _nothing, keep=False)
                for each in accounts
            )
            return [report.verdict for report in await asyncio.gather(*work)]

        assert await asyncio.to_thread(asyncio.run, checks()) == [Verdict.PASS] * 20
        assert many.totals.signed_in == 20


def _nothing(_: object) -> None:
    return


# --- few files ---


def with_files(most: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program where it may have so many files open."""
    words = " ".join(shlex.quote(word) for word in (*PROGRAM, *arguments))
    command = ["sh", "-c", f"ulimit -n {most}; exec {words}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize("most", [64, 24])
async def test_with_few_files_every_account_is_tested_and_the_limit_named(config: Path, many: Many, most: int) -> None:
    fleet(config, many, 40)
    done = await asyncio.to_thread(with_files, most, "test", "--all", "--concurrency", "200", "--json")
    assert done.returncode == 0, done.stderr
    assert [each["verdict"] for each in json.loads(done.stdout)["results"]] == ["pass"] * 40
    (line,) = done.stderr.splitlines()
    assert line.startswith("smtp-wizard: accounts are tested ")
    assert f"at a time instead of 40, since this system lets a program have only {most} files open" in line
    assert many.totals.most_open < most
    assert len(rows_of(config, "results")) == 40


async def test_with_enough_files_nothing_is_said(config: Path, many: Many) -> None:
    fleet(config, many, 10)
    done = await asyncio.to_thread(with_files, 1024, "test", "--all", "--json")
    assert (done.returncode, done.stderr) == (0, "")


def test_as_many_checks_run_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_file_limit, "_open", lambda: 10)
    for most, fitting in ((None, 200), (64, 11), (256, 75), (1024, 200), (10, 1), (0, 1)):
        monkeypatch.setattr(open_file_limit, "limit", lambda most=most: most)
        assert open_file_limit.checks_at_once(200) == fitting
        assert open_file_limit.checks_at_once(1) == 1
    monkeypatch.undo()
    assert open_file_limit._open() > 2


def scarce(monkeypatch: pytest.MonkeyPatch, free_after: int | None) -> list[int]:
    """Let sockets be refused as where too many files are open, for a while or for ever; return who asked."""
    asked: list[int] = []
    original = socket.socket

    def refused(*arguments: Any, **options: Any) -> socket.socket:
        asked.append(len(asked))
        if free_after is None or len(asked) <= free_after:
            raise OSError(24, os.strerror(24))
        return original(*arguments, **options)

    monkeypatch.setattr(transport, "ROOM_SECONDS", 0.0)
    monkeypatch.setattr("smtp_wizard.engine.smtp.transport.socket.socket", refused)
    return asked


async def test_a_check_waits_for_a_file_that_others_give_back(many: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    host, port = many.places[0]
    with monkeypatch.context() as patch:
        asked = scarce(patch, 5)
        done = await check(Endpoint(host, port, Security.NONE), depth=Depth.SERVER)
    assert done.report.verdict is Verdict.PASS
    assert len(asked) > 5


async def test_where_there_is_no_file_for_long_nothing_is_said_of_the_server(
    many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = many.places[0]
    with monkeypatch.context() as patch:
        scarce(patch, None)
        done = await check(Endpoint(host, port, Security.NONE), depth=Depth.SERVER)
    result = done.report.result(Stage.CONNECT)
    assert result is not None
    assert result.finding is not None
    assert (result.verdict, result.finding.code) == (Verdict.UNKNOWN, "too_many_files")
    assert any("--concurrency" in step for step in result.finding.steps)


async def test_a_look_up_without_a_thread_says_nothing_of_the_server(
    many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(transport, "ROOM_SECONDS", 0.0)
        patch.setattr(threading.Thread, "start", refused)
        done = await check(Endpoint("localhost", many.places[0][1], Security.NONE), depth=Depth.SERVER)
    assert (done.last.stage, done.last.verdict) == (Stage.DNS, Verdict.UNKNOWN)
    assert done.last.finding is not None
    assert done.last.finding.code == "too_many_files"


def test_a_data_file_that_the_system_does_not_give_is_not_called_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    from smtp_wizard.commands.faults import known_fault

    def refused(path: Path) -> bytes:
        raise OSError(24, os.strerror(24))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refused)
        with pytest.raises(DataError, match="Too many open files") as unread:
            read_yaml(data_path("limits.yaml"))
    error = known_fault(unread.value)
    assert error is not None
    assert "ulimit -n" in error.hint
    assert "damaged" not in error.message + error.hint


# --- the end comes early ---


async def test_what_was_done_when_the_time_was_up_is_kept(
    config: Path, many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    time_is_up = TimeIsUp(monkeypatch)
    with silent_port() as port:
        save_fleet(config, [*many.places, ("127.0.0.1", port)], str(many.ca_file), 12)
        testing = asyncio.to_thread(run, "test", "--all", "--timeout", "8", "--json")

        def all_but_the_silent() -> bool:
            return len(time_is_up.over) == 10 and time_is_up.begun.count((port, Stage.GREETING)) == 2

        ran = await time_is_up.when(all_but_the_silent, testing)
    verdicts = [each["verdict"] for each in ran.document["results"]]
    assert (ran.code, verdicts.count("pass"), verdicts.count("unknown")) == (1, 10, 2)
    assert [row["verdict"] for row in rows_of(config, "results")] == ["pass"] * 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_what_was_done_when_a_signal_came_is_kept(config: Path, many: Many, number: signal.Signals) -> None:
    with silent_port() as port:
        save_fleet(config, [*many.places, ("127.0.0.1", port)], str(many.ca_file), 12)

        def interrupted() -> int:
            with started("test", "--all", "--format", "jsonl") as process:
                assert process.stdout is not None
                for _ in range(10):
                    assert json.loads(process.stdout.readline())["verdict"] == "pass"
                process.send_signal(number)
                return process.wait(60)

        assert await asyncio.to_thread(interrupted) == 128 + number
    assert [row["verdict"] for row in rows_of(config, "results")] == ["pass"] * 10


def test_a_fault_of_ours_while_it_is_written_is_one_sentence(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> tuple[str, ...]:
        raise ValueError(PASSWORD)

    monkeypatch.setattr(State, "flush", fail)
    ran = run("accounts")
    assert ran.code == 70
    assert "smtp-wizard: This is a fault of smtp-wizard itself (ValueError)." in ran.err.splitlines()[-1]
    assert PASSWORD not in ran.err + (config / "last-fault.log").read_text("utf-8")


def test_after_a_signal_little_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float | None] = []

    def noted(_: State, seconds: float | None) -> tuple[str, ...]:
        waited.append(seconds)
        return ()

    def interrupted(_: SavedAccounts) -> None:
        raise Interrupted(signal.SIGTERM)

    monkeypatch.setattr(State, "flush", noted)
    assert run("accounts").code == 0
    monkeypatch.setattr(SavedAccounts, "list", interrupted)
    assert run("accounts").code == 128 + signal.SIGTERM
    assert waited == [None, HURRY]
