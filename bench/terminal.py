"""Programs that draw, in a terminal of their own: when the first frame stands, how many bytes it took, what idles."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ROWS, COLUMNS = 24, 80
PATIENCE = 20.0
SETTLED = 0.5
"""Seconds without a byte, after which a frame is called complete."""


@dataclass(frozen=True)
class FirstFrame:
    """What was seen of the first frame."""

    seconds: float
    """From the start of the program to the word that was waited for."""
    size: int
    """Bytes until the program had drawn all of it."""
    idle: int
    """Bytes in the second after that."""


def first_frame(argv: Sequence[str], word: bytes, env: Mapping[str, str]) -> FirstFrame:
    """Start a program at 80x24 and wait until it has drawn `word`. Raises `RuntimeError` where it never does."""
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execvpe(argv[0], list(argv), dict(env))
    try:
        seen = bytearray()
        while word not in seen:
            data = _read(terminal, PATIENCE)
            if not data:
                raise RuntimeError(f"{argv[0]} has not drawn {word!r}: {bytes(seen[-500:])!r}")
            seen += data
        took = time.perf_counter() - began
        while data := _read(terminal, SETTLED):
            seen += data
        return FirstFrame(took, len(seen), len(_read(terminal, 1.0)))
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def _read(terminal: int, seconds: float) -> bytes:
    """What comes within so many seconds; b'' where nothing does, or the program has ended."""
    ready, _, _ = select.select([terminal], [], [], seconds)
    if not ready:
        return b""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
