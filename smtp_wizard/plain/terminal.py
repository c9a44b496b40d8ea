"""The terminal as a `Line`: no cursor is moved, no escape sequence sent; a password is typed without an echo."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self, TextIO

from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.plain.conversation import CannotHide, Unreadable
from smtp_wizard.runtime.exit_codes import Interrupted

LONGEST = 4095
"""Bytes of a line that a terminal hands over at most; it drops what is more, in silence (termios, canonical mode)."""
TOO_LONG = phrase(
    "That is longer than a terminal hands over in one line (4,095 letters). A password as long as that "
    "comes from 'smtp-wizard setup --password-stdin' or --password-command."
)
NO_TEXT = phrase("This terminal sent letters in a way that could not be read. Please type it again.")
TTY = "/dev/tty"


class Terminal:
    """Reads from one side of a terminal, writes to the other."""

    def __init__(self, source: int, target: TextIO, encoding: str) -> None:
        """`source`: the handle of the terminal's input. `target`: where the words go."""
        self._source = source
        self._target = target
        self._encoding = encoding

    @classmethod
    def opened(cls) -> Self | None:
        """Return the terminal that the program stands at; None where standard input is none.

        Words go to standard error; where that leads elsewhere, to the terminal itself.
        """
        if sys.stdin is None or not sys.stdin.isatty():
            return None
        encoding = sys.stdin.encoding or "utf-8"
        if sys.stderr.isatty():
            return cls(sys.stdin.fileno(), sys.stderr, encoding)
        try:
            # Open for as long as the program runs.
            itself = Path(TTY).open("w", encoding=encoding, errors="backslashreplace")  # noqa: SIM115
        except OSError:
            return None
        return cls(sys.stdin.fileno(), itself, encoding)

    def write(self, text: str) -> None:
        """Write a text; what would do anything but show a letter is left out, whoever said it."""
        try:
            self._target.write("".join(_shown(ch) for ch in text))
            self._target.flush()
        except OSError:
            raise _hung_up() from None

    def read(self, prompt: str) -> str:
        """Write a prompt and return one line. Raises `Unreadable`; `Interrupted` at the end of the input."""
        self.write(prompt)
        return self._line()

    def read_hidden(self, prompt: str) -> str:
        """As `read`, with the echo switched off; it is back on whatever happens. Raises `CannotHide`."""
        if sys.platform == "win32":
            import getpass

            return getpass.getpass(prompt)
        import termios

        try:
            before = termios.tcgetattr(self._source)
        except termios.error:
            raise CannotHide from None
        hidden = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
        try:
            # What was typed ahead was shown already: it is not taken for the password.
            termios.tcsetattr(self._source, termios.TCSAFLUSH, hidden)
            if termios.tcgetattr(self._source)[3] & termios.ECHO:
                raise CannotHide
            self.write(prompt)
            return self._line()
        except termios.error:
            raise CannotHide from None
        finally:
            with suppress(termios.error):
                termios.tcsetattr(self._source, termios.TCSAFLUSH, before)
            with suppress(Interrupted):
                self.write("\n")

    def drop(self) -> None:
        """Throw away what was typed and not read; where that cannot be done, it stays."""
        if sys.platform == "win32":
            return
        import termios

        with suppress(termios.error):
            termios.tcflush(self._source, termios.TCIFLUSH)

    def _line(self) -> str:
        raw = b""
        while not raw.endswith(b"\n"):
            try:
                more = os.read(self._source, LONGEST + 1)
            except OSError:
                raise _hung_up() from None
            if not more:
                break
            raw += more
        if not raw:
            self.write("\n")
            raise Interrupted(signal.SIGINT)
        line = raw.rstrip(b"\r\n")
        if len(line) >= LONGEST:
            raise Unreadable(TOO_LONG)
        try:
            return line.decode(self._encoding)
        except UnicodeDecodeError:
            # From None: what could not be read may be a password.
            raise Unreadable(NO_TEXT) from None


def _hung_up() -> Interrupted:
    return Interrupted(getattr(signal, "SIGHUP", signal.SIGTERM))


def _shown(ch: str) -> str:
    if ch == "\n" or ch.isprintable():
        return ch
    return " " if ch.isspace() else "?"
