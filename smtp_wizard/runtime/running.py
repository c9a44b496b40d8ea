"""Runs a command's work: bounded by --timeout, ended at once by a signal, sockets closed on the way out."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.runtime.exit_codes import CommandError, Exit, Interrupted
from smtp_wizard.runtime.signals import ENDING, may_handle_signals, orderly_end

T = TypeVar("T")

MOMENT = 0.8
"""Seconds after the time allowed in which the program must have ended, but for what it takes to end."""


class Stopwatch:
    """Bounds the work of a whole command. The time in which a person is asked does not count."""

    def __init__(self, limit: float | None = None, *, reserved: float = 0.0) -> None:
        """`limit`: seconds; None bounds nothing. `reserved`: how many of them are left out until `release`."""
        self.limit = limit
        self._reserved = reserved
        self._left = None if limit is None else limit - reserved
        self._since: float | None = None

    def bound(self) -> asyncio.Timeout:
        """Return a context that ends, by `TimeoutError`, when the time is up."""
        return asyncio.timeout(self.left())

    def left(self) -> float | None:
        """Return the seconds that are left, None where nothing is bounded."""
        if self._left is None or self._since is None:
            return self._left
        return max(0.0, self._left - (time.monotonic() - self._since))

    def time_to_keep(self) -> float | None:
        """Return the seconds in which what was learnt must be written: a moment also where the time is up."""
        left = self.left()
        return None if left is None else max(left, MOMENT)

    def release(self) -> None:
        """Let what was reserved be used, by the last work of the command."""
        if self._left is not None:
            self._left, self._reserved = self._left + self._reserved, 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the time count."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._left, self._since = self.left(), None


def run_bounded(work: Coroutine[Any, Any, T], watch: Stopwatch, undone: Callable[[], str] = lambda: "") -> T:
    """As `run`, for work that bounds itself by nothing: it ends when the time is up. Raises `CommandError` then."""

    async def bounded() -> T:
        async with watch.bound():
            return await work

    try:
        return run(bounded(), watch, undone)
    except TimeoutError:
        words = phrase("The time allowed by --timeout was up. {}", shown(undone(), 300))
        raise CommandError("timeout", words, phrase("Allow more of it."), Exit.FAILED) from None


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

        if sys.platform != "win32" and may_handle_signals():
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
