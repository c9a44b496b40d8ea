"""Keys that are pressed before the screens are there, or between two of them, at a real terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyte
import pytest

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from tests.support.cli import LIMIT, PROGRAM
from tests.support.ptys import TAKE_TERMINAL

ADDRESS, PASSWORD = "ana@sandbox.test", "abcdefgh\u3000ijklmnop"  # a wide blank: blanks do not matter there
PASSPHRASE = "granite walnut ferry lantern"
ENTER, TAB, UP, DOWN, F10 = "\r", "\t", "\x1b[A", "\x1b[B", "\x1b[21~"
"""What keys send."""


class Screen:
    """A terminal of 80x24, whose keys may be pressed before a program reads them."""

    def __init__(self, home: Path) -> None:
        self.near, self.far = pty.openpty()
        fcntl.ioctl(self.far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.raw = b""
        self._shown = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._shown)
        self._home = home
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> None:
        """Start the program on it."""
        environ = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "SMTP_WIZARD_CONFIG": str(self._home)}
        for name in ("NO_COLOR", "ACCESSIBLE", "CI", "SSH_CONNECTION"):
            environ.pop(name, None)
        command = [sys.executable, "-c", TAKE_TERMINAL, *PROGRAM, *arguments]
        self.process = subprocess.Popen(
            command, stdin=self.far, stdout=self.far, stderr=self.far, env=environ, start_new_session=True
        )

    def press(self, *keys: str) -> None:
        self.send("".join(keys).encode())

    def send(self, data: bytes) -> None:
        """Let these bytes come, whatever they are."""
        os.write(self.near, data)

    @property
    def shown(self) -> str:
        return " ".join("\n".join(self._shown.display).split())

    def until_reads(self, *words: str) -> None:
        """Read until one of these stands on the screen."""
        end = time.monotonic() + LIMIT
        while not any(each in self.shown for each in words):
            assert time.monotonic() < end, f"{words} never came:\n" + "\n".join(self._shown.display)
            self.read()

    def read(self) -> None:
        """Wait a moment for what the program draws."""
        if select.select([self.near], [], [], 0.05)[0]:
            data = os.read(self.near, 65536)
            self.raw += data
            # What the reader of screens does not know is left out: it would be printed.
            self._stream.feed(data.replace(b"\x1b[>", b"\x1b[?").replace(b"\x1b[<u", b""))

    def modes(self) -> tuple[int, int]:
        """Whether the terminal makes lines, and shows what is typed."""
        found = termios.tcgetattr(self.far)
        return found[0] & termios.ICRNL, found[3] & (termios.ECHO | termios.ICANON)

    def leave(self) -> int:
        """End the program as a person does; return its exit code."""
        assert self.process is not None
        self.press("\x11")
        end = time.monotonic() + LIMIT
        while self.process.poll() is None:
            assert time.monotonic() < end, "it does not end:\n" + "\n".join(self._shown.display)
            if "▌ Stay here" in self.shown:
                self.press(DOWN, ENTER)
                self._shown.reset()
            self.read()
        return self.process.returncode

    def close(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.near)
        os.close(self.far)


@contextmanager
def terminal(home: Path) -> Iterator[Screen]:
    screen = Screen(home)
    try:
        yield screen
    finally:
        screen.close()


def test_what_is_typed_before_the_program_reads_arrives_in_order(tmp_path: Path) -> None:
    """The address, Enter, arrows that lead away and back, one more Enter, a password that is not ASCII."""
    with terminal(tmp_path) as screen:
        screen.press(ADDRESS, ENTER, DOWN, UP, ENTER, PASSWORD, ENTER)
        screen.start()
        screen.until_reads("Enter Send a test")
        assert "● Connect" in screen.shown
        screen.press(ENTER, "ben@elsewhere.example", ENTER)
        screen.until_reads("Which code word is in the message?")
        screen.press(DOWN, DOWN, ENTER)  # it is in the junk folder
        screen.until_reads("It arrived, in the junk folder.")
        screen.press(ENTER)
        screen.until_reads("Save it like this?")
        assert screen.leave() == 0


@pytest.mark.parametrize("keys", [ADDRESS + ENTER, ADDRESS + ENTER + DOWN + ENTER])
def test_arrows_and_enters_are_what_they_were_pressed_for(tmp_path: Path, keys: str) -> None:
    """Without an arrow the ways in stand there; with one the second of them was taken."""
    with terminal(tmp_path) as screen:
        screen.press(keys)
        screen.start()
        screen.until_reads("App password" if DOWN in keys else "What do you want to practise?")
        assert screen.leave() == 0


@pytest.mark.parametrize("when", ["at the command", "while it is loaded"])
def test_keys_on_the_way_to_the_accounts_do_what_they_say(tmp_path: Path, when: str) -> None:
    """F10 and A lead to the accounts, N from there to the wizard."""
    with terminal(tmp_path) as screen:
        if when == "at the command":
            screen.press(F10, "a", "n", ADDRESS)
            screen.start()
        else:
            screen.start()
            while screen.modes() != (0, 0):
                screen.read()
            screen.press(F10, "a", "n", ADDRESS)
        screen.until_reads("● Address")
        screen.until_reads(ADDRESS)
        assert screen.leave() == 0


def test_a_password_typed_early_is_not_printed_by_the_terminal(tmp_path: Path) -> None:
    """As soon as the program runs; what came before is the shell's."""
    with terminal(tmp_path) as screen:
        screen.start()
        while screen.modes() != (0, 0):
            screen.read()
        screen.press(ADDRESS, ENTER, ENTER, "hunter2hunter2")
        screen.until_reads("● Connect")
        screen.until_reads("**************")
        assert b"hunter2" not in screen.raw
        assert screen.leave() == 0


def test_the_terminal_is_given_back_as_it_was(tmp_path: Path) -> None:
    with terminal(tmp_path) as screen:
        before = termios.tcgetattr(screen.far)
        screen.start()
        screen.until_reads("Which address")
        assert screen.modes() == (0, 0)
        assert screen.leave() == 0
        assert termios.tcgetattr(screen.far) == before


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_the_terminal_is_given_back_when_loading_is_cut_short(tmp_path: Path, ending: signal.Signals) -> None:
    with terminal(tmp_path) as screen:
        before = termios.tcgetattr(screen.far)
        screen.start()
        while screen.modes() != (0, 0):
            screen.read()
        assert screen.process is not None
        os.kill(screen.process.pid, ending)
        while screen.process.poll() is None:
            screen.read()
        assert screen.process.returncode == 128 + ending
        assert termios.tcgetattr(screen.far) == before


def test_nothing_typed_ahead_is_done_twice(tmp_path: Path) -> None:
    """To the saved account in one go; the accounts hold one of it."""
    with terminal(tmp_path) as screen:
        screen.press(ADDRESS, ENTER, ENTER, PASSWORD)
        screen.start()
        screen.until_reads("● Connect")
        screen.press(ENTER)
        screen.until_reads("Enter Send a test")
        screen.press(ENTER, "ben@elsewhere.example", DOWN, ENTER)  # 'Go on without a test'
        screen.until_reads("● Save")
        screen.until_reads("Save it like this?")
        screen.press(ENTER)
        screen.until_reads("Make the vault", "is saved")
        if "Make the vault" in screen.shown:
            screen.press(PASSPHRASE, TAB, PASSPHRASE, ENTER)
            screen.until_reads("is saved")
        assert len(SavedAccounts(tmp_path).list()) == 1
        assert screen.leave() == 0


def test_bytes_that_are_no_text_end_nothing(tmp_path: Path) -> None:
    """What a terminal that speaks Latin-1 sends, and what a broken paste holds, can be taken out again."""
    with terminal(tmp_path) as screen:
        screen.start()
        screen.until_reads("E-mail address", "address")
        screen.send("b\u00fcro".encode("latin-1") + b"\xff\xfe")
        screen.until_reads("b\ufffdro\ufffd\ufffd")
        screen.send(b"\x1b[200~\xe9t\xe9\x1b[201~")
        screen.until_reads("b\ufffdro\ufffd\ufffd\ufffdt\ufffd")
        screen.press("\x15", ADDRESS, ENTER)
        screen.until_reads("What do you want to practise?")
        assert screen.leave() == 0
