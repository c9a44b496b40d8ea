"""`test --changed --notify`: changes are mailed through a saved account, one message an hour at most."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.commands.testing import notification
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.checks.notice_message import NoticeText, notice_message
from smtp_wizard.engine.sandbox import mailbox
from smtp_wizard.engine.services.checks import PRACTICE_FOLDER
from smtp_wizard.engine.state import database
from smtp_wizard.engine.state.notifications import LONGEST, MOST, Notifications
from smtp_wizard.engine.state.state import State
from smtp_wizard.engine.state.timestamps import FILE_NAME
from smtp_wizard.runtime.exit_codes import Interrupted
from tests.commands.testing.test_comparison import Save, broken
from tests.commands.testing.test_comparison import save as save
from tests.commands.testing.test_comparison import saved_accounts as saved_accounts
from tests.support.cli import Ran, run

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


def test_what_waits_is_kept_for_the_next_process_and_bounded(tmp_path: Path) -> None:
    state = State(tmp_path / "config")
    assert (state.notifications.waiting("n"), state.notifications.last("n")) == ((), None)
    state.notifications.wait("n", [f"line {number}" for number in range(MOST)], NOW)
    state.notifications.wait("n", ["the last"], NOW)
    state.flush()
    other: Notifications = State(tmp_path / "config").notifications
    assert (len(other.waiting("n")), other.waiting("n")[0], other.waiting("n")[-1]) == (MOST, "line 1", "the last")
    assert other.waiting("m") == ()
    state.notifications.sent("n", NOW)
    state.flush()
    assert (other.waiting("n"), other.last("n")) == ((), NOW)


def test_what_nobody_mails_any_more_is_deleted_under_whatever_name(tmp_path: Path) -> None:
    state = State(tmp_path / "config")
    state.notifications.sent("given up", NOW)
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
