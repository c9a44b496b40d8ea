"""A person at a real terminal: the program is started on a pty, answered when it asks, and every byte is kept."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tests.support.cli import LIMIT, PROGRAM

TAKE_TERMINAL = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal the session's own, so that Ctrl-C and /dev/tty work, and becomes the program."""


class AtTerminal:
    """The program on its terminal. Both ends are held, so that the terminal's modes can be looked at afterwards."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.process = process
        self.raw = b""
        """Every byte that the program sent, and what the terminal showed of what was typed."""
        self._terminal = terminal
        self._answered = 0

    @property
    def words(self) -> str:
        """Everything on the terminal, without line ends: a sentence may be wrapped anywhere."""
        return _joined(self.raw)

    @property
    def lines(self) -> list[str]:
        """Everything on the terminal, line by line."""
        return self.raw.decode().replace("\r\n", "\n").split("\n")

    def echoes(self) -> bool:
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self._terminal)[3] & termios.ECHO)

    def wait_for(self, awaited: str) -> None:
        """Read until the words stand there, after the last answer."""
        end = time.monotonic() + LIMIT
        while awaited not in _joined(self.raw[self._answered :]):
            assert time.monotonic() < end, f"{awaited!r} never came, only {self._since!r}"
            assert self._read() or self.process.poll() is None, f"it ended without {awaited!r}: {self._since!r}"

    def answer(self, awaited: str, typed: str | bytes) -> None:
        """Wait for a question, and type a line."""
        self.press(awaited, (typed.encode() if isinstance(typed, str) else typed) + b"\n")

    def press(self, awaited: str, keys: bytes) -> None:
        """Wait for a question, and press keys."""
        self.wait_for(awaited)
        self._answered = len(self.raw)
        os.write(self._terminal, keys)

    def end(self) -> int:
        """Read until the program has ended and nothing is left; return its exit code, -n where signal n ended it."""
        end = time.monotonic() + LIMIT
        while self._read() or self.process.poll() is None:
            assert time.monotonic() < end, f"it does not end: {self._since!r}"
        return self.process.wait(LIMIT)

    @property
    def _since(self) -> str:
        return self.raw[self._answered :][-1500:].decode(errors="replace")

    def _read(self) -> bool:
        """Wait a moment for bytes; return whether any came."""
        ready, _, _ = select.select([self._terminal], [], [], 0.05)
        if ready:
            self.raw += os.read(self._terminal, 65536)
        return bool(ready)


@contextmanager
def at_terminal(
    *arguments: str, environ: dict[str, str] | None = None, errors: Path | None = None
) -> Iterator[AtTerminal]:
    """Start the program on a terminal of its own; ended at the latest when the test is done.

    `errors`: a file where standard error goes in place of the terminal.
    """
    terminal, far_end = pty.openpty()
    with errors.open("wb") if errors is not None else nullcontext() as aside:
        process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, *PROGRAM, *arguments],
            stdin=far_end,
            stdout=far_end,
            stderr=far_end if aside is None else aside,
            env={**os.environ, **(environ or {})},
            start_new_session=True,
        )
    try:
        yield AtTerminal(process, terminal)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
        os.close(far_end)


def _joined(raw: bytes) -> str:
    return " ".join(raw.decode(errors="replace").split())
