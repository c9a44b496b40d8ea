"""Runs a command's work: bounded by --timeout, ended at once by a signal, sockets closed on the way out."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from smtp_wizard.commands.exits import Interrupted

T = TypeVar("T")

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that end the program in an orderly way."""


@contextmanager
def orderly_end() -> Iterator[None]:
    """Turn the signals that end a program into `Interrupted`, while no event loop runs."""
    if not _may_handle_signals():
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


def _may_handle_signals() -> bool:
    return threading.current_thread() is threading.main_thread()


class Stopwatch:
    """Bounds the work of a whole command. The time in which a person is asked does not count."""

    def __init__(self, limit: float | None = None) -> None:
        """`limit`: seconds; None bounds nothing."""
        self.limit = limit
        self._left = limit
        self._since: float | None = None

    def bound(self) -> asyncio.Timeout:
        """Return a context that ends, by `TimeoutError`, when the time is up."""
        return asyncio.timeout(self.left())

    def left(self) -> float | None:
        """Return the seconds that are left, None where nothing is bounded."""
        if self._left is None or self._since is None:
            return self._left
        return max(0.0, self._left - (time.monotonic() - self._since))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the time count."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._left, self._since = self.left(), None


def run(work: Coroutine[Any, Any, T], watch: Stopwatch, undone: Callable[[], str] = lambda: "") -> T:
    """Run `work` in an event loop; return what it returns.

    Raises `Interrupted` when a signal came, with what `undone` says then; whatever `work` held open is closed first.
    """
    came: list[int] = []

    async def guarded() -> T:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()

        def stop(number: int) -> None:
            came.append(number)
            task.cancel()

        if sys.platform != "win32" and _may_handle_signals():
            for number in ENDING:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    loop.add_signal_handler(number, stop, number)
        return await work

    with watch.running(), orderly_end():
        try:
            return asyncio.run(guarded())
        except asyncio.CancelledError:
            raise Interrupted(came[0] if came else signal.SIGINT, undone()) from None
        except Interrupted as problem:
            raise Interrupted(problem.number, undone()) from None
