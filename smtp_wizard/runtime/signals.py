"""The signals that end the program, as exceptions. Loads no event loop: the shortest command needs this too."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from smtp_wizard.runtime.exit_codes import Interrupted

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that end the program in an orderly way."""


@contextmanager
def orderly_end() -> Iterator[None]:
    """Turn the signals that end a program into `Interrupted`, while no event loop runs."""
    if not may_handle_signals():
        yield
        return

    def end(number: int, _: FrameType | None) -> None:
        raise Interrupted(number)

    # A signal that whoever started us has set to be ignored (nohup) stays so.
    before = {
        number: handler for number in ENDING if (handler := signal.getsignal(number)) not in (signal.SIG_IGN, None)
    }
    try:
        for number in before:
            signal.signal(number, end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def usual_end() -> Iterator[None]:
    """Let Ctrl-C mean what it means to every program, as event loops expect.

    The other signals end the program as before until the screens take them over, so that the terminal is given back
    whenever one comes.
    """
    if not may_handle_signals():
        yield
        return
    ours = {number: signal.getsignal(number) for number in ENDING}
    try:
        if ours[signal.SIGINT] is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)


def may_handle_signals() -> bool:
    """Whether this is the main thread, the only one that may."""
    return threading.current_thread() is threading.main_thread()
