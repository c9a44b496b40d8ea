"""A line to a terminal program: keys go one way, and every byte that comes back is counted."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyte

from tests.support.patience import PATIENCE


class Line:
    """A program at the other end of a line of 80x24 whose bytes are counted."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self.child, self.end = pty.fork()
        if self.child == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8", **environ)
            for name in ("NO_COLOR", "SSH_CONNECTION", "CI", "ACCESSIBLE", "SMTP_WIZARD_THEME"):
                os.environ.pop(name, None)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            os.execvp(command[0], list(command))
        self._shown = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._shown)

    @property
    def shown(self) -> str:
        """The words that stand on the terminal, in one line."""
        return " ".join(" ".join(self._shown.display).split())

    def take(self, *, quiet: float = 0.6, until: str = "") -> int:
        """Read until the program has had nothing to do for `quiet` seconds, and `until` has come.

        Return how many bytes that were. A program that waits for the processor has something to do. `until` stands on
        the terminal then, whichever of its letters were sent.
        """
        count, began, last = 0, time.monotonic(), time.monotonic()
        while time.monotonic() - last < quiet or (until and until not in self.shown):
            assert time.monotonic() - began < PATIENCE, f"{until!r} never came"
            if select.select([self.end], [], [], 0.05)[0]:
                data = os.read(self.end, 65536)
                # What the reader of screens does not know is left out: it would be printed.
                self._stream.feed(data.replace(b"\x1b[>", b"\x1b[?").replace(b"\x1b[<u", b""))
                count += len(data)
                last = time.monotonic()
            elif not self._rests():
                last = time.monotonic()
        return count

    def _rests(self) -> bool:
        """Whether every thread of the program waits for something to happen (proc(5), state S)."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            tasks = Path(f"/proc/{self.child}/task").iterdir()
            return all((each / "stat").read_text().rpartition(")")[2].split()[0] == "S" for each in tasks)
        return True

    def press(self, keys: str, *, until: str = "") -> int:
        """Press keys; return the bytes that the program answers with."""
        os.write(self.end, keys.encode())
        return self.take(until=until)

    def close(self) -> None:
        """End the program."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        os.close(self.end)
