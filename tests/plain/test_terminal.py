"""Which face opens, and the lines of text at a real terminal."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from smtp_wizard.commands.screens_or_plain import prefers_lines
from smtp_wizard.engine.wizard.draft_file import DraftFile
from smtp_wizard.output.plain_lines import WIDTH
from tests.plain.exchanges import ARRIVED, FINISH, LEAVE, PASSWORD, REVIEW, SECRET, SEND, TO_CONNECT
from tests.support.cli import run, run_process
from tests.support.dialogue import Exchange
from tests.support.ptys import AtTerminal, at_terminal

# --- which face ---


@pytest.mark.parametrize(
    ("environ", "lines"),
    [
        ({}, False),
        ({"ACCESSIBLE": "1"}, True),
        ({"ACCESSIBLE": "0"}, False),
        ({"ACCESSIBLE": ""}, False),
        ({"CI": "true"}, True),
        ({"CI": "false"}, False),
        ({"NO_COLOR": "1"}, False),
    ],
)
def test_who_prefers_lines(environ: dict[str, str], lines: bool) -> None:
    assert prefers_lines(environ) is lines


@pytest.mark.parametrize("arguments", [("--plain",), ("setup", "--plain"), ("--plain", "setup", "ana@sandbox.test")])
def test_without_a_terminal_nobody_is_asked(arguments: tuple[str, ...]) -> None:
    ran = run_process(*arguments, stdin="practise\n")
    assert (ran.code, ran.out) == (2, "")
    assert "E-mail address:" not in ran.err


def test_with_every_answer_given_plain_asks_nothing() -> None:
    ran = run("setup", "ana@sandbox.test", "--path", "accept", "--password-stdin", "--plain", stdin=PASSWORD)
    assert ran.code == 0, ran.err


# --- at a real terminal ---


def play(terminal: AtTerminal, *script: Exchange) -> None:
    for shown, typed in script:
        terminal.answer(shown, typed)


def test_the_blind_walk_from_address_to_saved_account(own_home: Path) -> None:
    """Through a real terminal: not one escape byte, and the password is not shown."""
    with at_terminal("--plain") as terminal:
        play(terminal, *TO_CONNECT)
        terminal.wait_for("not shown:")
        assert not terminal.echoes()
        play(terminal, SECRET, SEND, (ARRIVED[0], "junk"), ("It arrived, in the junk folder.", ""))
        assert terminal.echoes()
        play(terminal, *REVIEW, FINISH, LEAVE)
        assert terminal.end() == 0
    assert b"\x1b" not in terminal.raw
    assert PASSWORD.encode() not in terminal.raw
    assert [line for line in terminal.lines if len(line) > WIDTH and len(line.split()) > 1] == []
    saved = json.loads((own_home / "config" / "accounts.json").read_text("utf-8"))
    assert [account["name"] for account in saved["accounts"]] == ["Practice you"]


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        ((), {"TERM": "dumb"}),
        ((), {"TERM": ""}),
        ((), {"TERM": "unknown"}),
        ((), {"ACCESSIBLE": "1"}),
        ((), {"CI": "true"}),
        (("setup",), {"TERM": "dumb"}),
        (("setup", "--plain"), {}),
        (("--plain", "setup"), {}),
    ],
)
def test_where_screens_cannot_or_shall_not_be_drawn_lines_come(
    arguments: tuple[str, ...], environ: dict[str, str]
) -> None:
    with at_terminal(*arguments, environ=environ) as terminal:
        terminal.answer("E-mail address:", "quit")
        assert terminal.end() == 0
    assert b"\x1b" not in terminal.raw


def test_with_standard_error_elsewhere_the_terminal_itself_is_spoken_to(tmp_path: Path) -> None:
    """Only the person's own error file stays as it was: the questions stand on the terminal."""
    with at_terminal(errors=tmp_path / "errors") as terminal:
        terminal.answer("E-mail address:", "quit")
        assert terminal.end() == 0
    assert (tmp_path / "errors").read_bytes() == b""


@pytest.mark.parametrize(("key", "code"), [(b"\x03", 130), (b"\x04", 130)])
def test_control_c_and_the_end_of_input_leave_politely(key: bytes, code: int, own_home: Path) -> None:
    """What was not done is said, and that it can be gone on with."""
    with at_terminal("--plain") as terminal:
        play(terminal, *TO_CONNECT)
        terminal.press("not shown", key)
        assert terminal.end() == code
    assert "The account was not saved. What you answered is kept" in terminal.words
    kept = DraftFile(own_home / "config").load()
    assert kept is not None
    assert kept.draft.connection.path == "accept"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_the_password_leaves_the_terminal_showing_what_is_typed(number: signal.Signals) -> None:
    with at_terminal("--plain") as terminal:
        play(terminal, *TO_CONNECT)
        terminal.wait_for("not shown:")
        assert not terminal.echoes()
        terminal.process.send_signal(number)
        assert terminal.end() == 128 + number
        assert terminal.echoes()
    assert "The account was not saved." in terminal.words


def test_killed_in_the_middle_only_the_password_is_lost(own_home: Path) -> None:
    with at_terminal("--plain") as terminal:
        play(terminal, *TO_CONNECT)
        terminal.wait_for("not shown:")
        terminal.process.kill()
        terminal.end()
    with at_terminal("--plain") as terminal:
        play(terminal, ("stopped at the step 'Connect'", ""), SECRET)
        terminal.answer("Signed in", "quit")
        terminal.answer("Leave now?", "yes")
        assert terminal.end() == 0


def test_a_line_that_no_terminal_hands_over_whole_is_said() -> None:
    """A password of 4,096 letters would be cut in silence."""
    with at_terminal("--plain") as terminal:
        play(terminal, *TO_CONNECT, ("not shown:", "x" * 4096))
        terminal.wait_for("longer than a terminal hands over")
        terminal.answer("not shown:", PASSWORD)  # before the question it would be thrown away, as it was shown
        terminal.answer("Signed in", "quit")
        terminal.answer("Leave now?", "yes")
        assert terminal.end() == 0


def test_letters_that_cannot_be_read_are_asked_for_again() -> None:
    """A terminal that sends Latin-1 where UTF-8 is expected."""
    with at_terminal("--plain") as terminal:
        terminal.answer("E-mail address:", b"m\xfcller@sandbox.test")
        terminal.answer("in a way that could not be read", "practise")
        terminal.answer("What do you want to practise?", "quit")
        terminal.answer("Leave now?", "yes")
        assert terminal.end() == 0
