"""The terminal, put back as it was: a program that is ended while it asks for a password leaves it without an echo."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

TTY = "/dev/tty"
"""The terminal of this process, wherever standard input comes from: ssh asks there."""


@contextmanager
def terminal_as_it_was() -> Iterator[None]:
    """Remember how the terminal is set, and set it so again at the end; without a terminal do nothing."""
    if sys.platform == "win32":
        yield
        return
    import termios

    try:
        handle = os.open(TTY, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        yield
        return
    try:
        before = termios.tcgetattr(handle)
        try:
            yield
        finally:
            if termios.tcgetattr(handle) != before:  # in the background even the attempt would stop the program
                termios.tcsetattr(handle, termios.TCSANOW, before)
    finally:
        with suppress(OSError):
            os.close(handle)
