"""The terminal between the command and the first screen: what is typed then is kept, and not shown.

Whoever knows the way types on while the program is being loaded. The terminal would print that, a password included,
and wait for the end of a line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_usual: list[list[Any]] = []
"""The modes of the terminal as they were before; empty where nothing was changed."""


@contextmanager
def hide_typing() -> Iterator[None]:
    """Print nothing of what is typed, and keep every key, until this is over; what has been typed is left to read."""
    if sys.platform == "win32" or (before := _modes()) is None:
        yield
        return
    import termios

    modes = [*before]
    modes[0] &= ~termios.ICRNL
    modes[3] &= ~(termios.ECHO | termios.ICANON)
    _usual.append(before)
    _set(modes)
    try:
        yield
    finally:
        _set(_usual.pop())


@contextmanager
def restore_terminal() -> Iterator[None]:
    """Have the terminal as it was, for a program that is lent it."""
    if not _usual or (now := _modes()) is None:
        yield
        return
    _set(_usual[-1])
    try:
        yield
    finally:
        _set(now)


def _modes() -> list[Any] | None:
    """Return the terminal's modes; None where there is none, or it belongs to another program now."""
    import termios

    with suppress(OSError, ValueError, AttributeError, termios.error):
        handle = sys.stdin.fileno()
        return termios.tcgetattr(handle) if os.tcgetpgrp(handle) == os.getpgrp() else None
    return None


def _set(modes: list[Any]) -> None:
    """Set modes at once: what has been typed and not read yet stays."""
    import termios

    with suppress(OSError, ValueError, termios.error):
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, modes)
