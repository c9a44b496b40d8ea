"""`test --changed --notify`: changes are mailed through a saved account, one message an hour at most."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.commands.testing import notification, tester
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.checks.notice_message import NoticeText, notice_message
from smtp_wizard.engine.sandbox import mailbox
from smtp_wizard.engine.services.checks import PRACTICE_FOLDER
from smtp_wizard.engine.state import database, notifications
from smtp_wizard.engine.state.last_told import AccountStatus, LastTold
from smtp_wizard.engine.state.notifications import LONGEST, MOST, Notifications
from smtp_wizard.engine.state.state import State
from smtp_wizard.engine.state.timestamps import FILE_NAME
from smtp_wizard.runtime.exit_codes import Interrupted
from smtp_wizard.runtime.running import Stopwatch
from tests.commands.testing.test_comparison import Save, broken, lines
from tests.commands.testing.test_comparison import save as save
from tests.commands.testing.test_comparison import saved_accounts as saved_accounts
from tests.support.cli import Ran, run
from tests.support.state import FULL, refuse_to_write

TO = "tech@elsewhere.example"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def told(*more: str) -> Ran:
    return run("test", "Office", "Shop", "--changed", "--notify", "Mailer", "--to", TO, *more)


def letters(home: Path) -> list[str]:
    """The text of what was mailed, the oldest first."""
    folder = home / "config" / PRACTICE_FOLDER
    found = reversed(mailbox.messages(folder))
    return [f"{each.subject}\n{_body(folder, each.key)}" for each in found]


def _body(folder: Path, key: str) -> str:
    part = mailbox.read(folder, key).shown("text/plain")
    assert part is not None
    return part.text()


@pytest.fixture
def fleet(save: Save) -> Save:
    for name in ("Mailer", "Office", "Shop"):
        save(name)
    return save


def an_hour_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notification, "APART", timedelta(0))


def test_one_message_has_all_changes_and_no_change_is_no_message(fleet: Save, own_home: Path) -> None:
    assert (told().code, letters(own_home)) == (0, [])
    broken(fleet, "Office")
    broken(fleet, "Shop", "tenant-off")
    ran = told()
    assert ran.code == 1
    (letter,) = letters(own_home)
    assert "2 changes" in letter.splitlines()[0]
    assert "new failure Office: " in letter
    assert "new failure Shop: " in letter


def test_what_comes_within_the_hour_is_sent_with_the_next_also_where_it_has_gone_again(
    fleet: Save, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told()
    broken(fleet, "Office")
    told()
    fleet("Office")
    assert told().out == "recovered    Office\n"
    broken(fleet, "Shop")
    told()
    assert len(letters(own_home)) == 1
    an_hour_later(monkeypatch)
    assert (told().code, told().out) == (0, "")
    _, second = letters(own_home)
    assert "2 changes" in second.splitlines()[0]
    assert "recovered Office" in second
    assert "new failure Shop" in second
    assert told().code == 0
    assert len(letters(own_home)) == 2


def test_a_message_that_could_not_be_sent_is_said_and_the_change_stays_new(fleet: Save, own_home: Path) -> None:
    told()
    broken(fleet, "Office")
    broken(fleet, "Mailer")
    ran = told()
    assert ran.code == 1
    assert "could not be sent through 'Mailer'" in ran.err
    assert "told again" in ran.err
    fleet("Mailer")
    assert told().out.startswith("new failure  Office")
    assert len(letters(own_home)) == 1


def test_what_is_missing_or_contradicts_itself_is_refused(fleet: Save) -> None:
    assert run("test", "--all", "--changed", "--notify", "Mailer").code == 2
    assert run("test", "--all", "--notify", "Mailer", "--to", TO).code == 2
    assert told("--depth", "send").code == 2
    assert run("test", "--all", "--changed", "--notify", "Nobody", "--to", TO).code == 4


def test_what_another_run_lets_wait_while_a_message_goes_out_still_waits(tmp_path: Path) -> None:
    state = State(tmp_path / "config")
    kept = state.notifications
    kept.wait("n", ["sent", "sent too"], NOW)
    state.flush()
    newest = kept.newest("n")
    assert (newest, kept.newest("another")) == (2, 0)
    kept.wait("n", ["come meanwhile"], NOW)
    kept.sent("n", newest)
    state.flush()
    assert (kept.waiting("n"), kept.left_out("n"), kept.newest("n")) == (("come meanwhile",), 0, 1)


def test_what_waits_is_kept_for_the_next_process_and_bounded(tmp_path: Path) -> None:
    state = State(tmp_path / "config")
    assert (state.notifications.waiting("n"), state.notifications.last("n")) == ((), None)
    state.notifications.wait("n", [f"line {number}" for number in range(MOST)], NOW)
    state.notifications.wait("n", ["the last"], NOW)
    state.flush()
    other: Notifications = State(tmp_path / "config").notifications
    assert (len(other.waiting("n")), other.waiting("n")[0], other.waiting("n")[-1]) == (MOST, "line 1", "the last")
    assert (other.left_out("n"), other.left_out("m"), other.waiting("m")) == (1, 0, ())
    assert state.notifications.begin("n", NOW)
    state.notifications.sent("n", state.notifications.newest("n"))
    state.flush()
    assert (other.waiting("n"), other.last("n"), other.left_out("n")) == ((), NOW, 0)
    state.notifications.failed("n", None)
    state.flush()
    assert other.last("n") is None


def test_a_message_says_how_many_changes_it_leaves_out(
    fleet: Save, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "MOST", 2)
    state = State(own_home / "config")
    state.notifications.wait("default", ["one", "two", "three"], NOW)
    state.notifications.wait("default", ["four"], NOW)
    state.flush()
    broken(fleet, "Office")
    told()
    (letter,) = letters(own_home)
    assert letter.splitlines()[0].endswith(": 5 changes")
    assert letter.splitlines()[1] == "Left out before these, as too many or too old: 2 changes."
    assert letter.splitlines()[2:4] == ["three", "four"]


def test_what_nobody_mails_any_more_is_deleted_under_whatever_name(tmp_path: Path) -> None:
    state = State(tmp_path / "config")
    state.notifications.begin("given up", NOW)
    state.notifications.wait("given up", ["Office: refused"], NOW)
    state.notifications.wait("given up", ["Shop: refused"], NOW + timedelta(days=2))
    state.tidy([], NOW + LONGEST)
    state.flush()
    assert len(state.notifications.waiting("given up")) == 2, "somebody who looks once a month is still told"
    state.tidy([], NOW + LONGEST + timedelta(days=1))
    state.flush()
    assert state.notifications.waiting("given up") == ("Shop: refused",)
    assert state.notifications.last("given up") is None


def test_lines_that_an_older_version_let_wait_are_still_told(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir(mode=0o700)
    (folder / FILE_NAME).touch(0o600)
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as file:
        for statement in (each for version in database.MIGRATIONS[:4] for each in version):
            file.execute(statement)
        file.execute("INSERT INTO waiting (name, number, words) VALUES ('n', 1, 'the first')")
        file.execute(f"PRAGMA application_id = {database.APPLICATION_ID}")
        file.execute("PRAGMA user_version = 4")
    state = State(folder)
    assert state.notifications.waiting("n") == ("the first",)
    state.notifications.wait("n", ["the second"], NOW)
    assert state.flush() == ()
    assert state.notifications.waiting("n") == ("the first", "the second")


def test_a_message_that_was_stopped_on_its_way_is_said_to_be_unsure(
    fleet: Save, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told()
    broken(fleet, "Office")
    monkeypatch.setattr(notification, "run", stopped)
    ran = told()
    assert ran.code == 130
    assert "The message about what changed may or may not have been sent." in " ".join(ran.err.split())


def stopped(work: Coroutine[Any, Any, object], watch: object, undone: Callable[[], str]) -> object:
    work.close()
    raise Interrupted(signal.SIGINT, undone())


@pytest.mark.parametrize("words", ["a\r\nBcc: everybody@example.com", "=?utf-8?q?=0A?=", "\x1b[2J", "\u00fc" * 500, ""])
def test_no_name_and_no_words_of_a_server_break_out_of_the_message(words: str) -> None:
    sender, to = Address("ana", "example.com"), Address("ben", "example.com")
    text = NoticeText(subject=words, lines=(words, "plain"))
    raw = notice_message(sender, to, text, sender_name=words, token="abc", now=NOW)
    head, _, body = raw.decode("ascii").partition("\r\n\r\n")
    assert [line.partition(":")[0] for line in head.split("\r\n") if not line.startswith((" ", "\t"))][:5] == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
    ]
    assert "\nBcc:" not in raw.decode("ascii")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert "plain" in body
    assert shown("plain") == "plain"


def test_an_account_that_cannot_be_used_any_more_is_mailed_once_and_so_is_its_return(
    fleet: Save, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_hour_later(monkeypatch)
    every = ("test", "--all", "--changed", "--notify", "Mailer", "--to", TO)
    run(*every)
    file = own_home / "config" / "accounts.json"
    good = file.read_text("utf-8")
    document = json.loads(good)
    next(each for each in document["accounts"] if each["name"] == "Shop")["endpoint"]["port"] = "x"
    file.write_text(json.dumps(document), "utf-8")
    assert run(*every).code == 3
    assert (run(*every).code, run(*every).err) == (0, "")
    (letter,) = letters(own_home)
    assert "1 change" in letter.splitlines()[0]
    assert "The account 'Shop' in" in letter
    file.write_text(good, "utf-8")
    assert run(*every).out == "recovered    Shop\n"
    assert run(*every).out == ""
    assert len(letters(own_home)) == 2


def test_a_server_that_hangs_leaves_time_for_the_message(
    fleet: Save, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(fleet, "Office")
    tested = tester.Tester.run

    def tested_until_the_end(running: tester.Tester, came: tester.Came) -> None:
        tested(running, came)
        running.watch._left = 0.0

    monkeypatch.setattr(tester.Tester, "run", tested_until_the_end)
    ran = told("--timeout", "60")
    assert (ran.code, ran.err, lines(ran)) == (1, "", ["new failure  Office"])
    assert len(letters(own_home)) == 1


def test_a_part_of_the_time_is_kept_for_the_message_alone() -> None:
    watch = Stopwatch(6, reserved=2)
    assert (watch.limit, watch.left()) == (6, 4)
    watch.release()
    watch.release()
    assert watch.left() == 6
    endless = Stopwatch()
    endless.release()
    assert endless.left() is None


def test_nothing_is_mailed_where_it_cannot_be_kept_when(
    fleet: Save, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told()
    broken(fleet, "Office")
    with monkeypatch.context() as patch:
        refuse_to_write(patch, FULL)
        ran = told()
        assert told().code == 3
    assert (ran.code, lines(ran)) == (3, ["new failure  Office"])
    assert "is not sent" in ran.err
    assert "no space left on the disk" in ran.err
    assert letters(own_home) == []
    assert lines(told()) == ["new failure  Office"]
    assert len(letters(own_home)) == 1


def test_what_was_told_and_could_not_be_kept_is_no_success(fleet: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(fleet, "Office")
    told_of = ("test", "Office", "--changed")
    run(*told_of)
    fleet("Office")
    with monkeypatch.context() as patch:
        refuse_to_write(patch, FULL)
        assert (run(*told_of).code, run(*told_of).out) == (3, "recovered    Office\n")
    assert (run(*told_of).code, run(*told_of).out) == (0, "")


def test_where_nobody_knows_what_was_told_last_nothing_is_mailed_and_nothing_forgotten(
    fleet: Save, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process has locked the file for a while: every failure would be mailed as a new one."""
    an_hour_later(monkeypatch)
    broken(fleet, "Office")
    told()
    with monkeypatch.context() as patch:

        def unreadable(last_told: LastTold, name: str) -> dict[str, AccountStatus]:
            last_told._storage.unread = "It is locked."
            return {}

        patch.setattr(LastTold, "last", unreadable)
        ran = told()
    assert (ran.code, lines(ran)) == (3, ["new failure  Office"])
    assert len(letters(own_home)) == 1
    assert (told().code, told().out) == (0, "")
