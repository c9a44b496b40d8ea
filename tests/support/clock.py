"""An event loop whose time passes only when everybody waits: hours take no time, and every second can be proved."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _NeverWaits(selectors.DefaultSelector):  # type: ignore[misc, valid-type, unused-ignore]  # picked at run time
    """Lets the clock of the loop jump to where something happens."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise AssertionError("everybody waits, and nothing will ever happen")
        self.now += max(0.0, timeout)
        return ready


class TimelessLoop(asyncio.SelectorEventLoop):
    """The loop. It begins at 0."""

    def __init__(self) -> None:
        self._chosen = _NeverWaits()
        super().__init__(self._chosen)

    def time(self) -> float:
        """Seconds that have passed for those inside."""
        return self._chosen.now


def in_no_time(work: Coroutine[Any, Any, T]) -> T:
    """Run something on a clock of its own; return what it returns. Sockets have no place in it."""
    with asyncio.Runner(loop_factory=TimelessLoop) as runner:
        return runner.run(work)
