"""What a flow is doing for a while, and the person may stop: a check, a scan, the wait for the browser."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Stopped(Exception):
    """The person stopped it; nothing came of it."""


class StoppableWork:
    """One piece of work at a time, which ends when it is done, when it is stopped, and when its `act` is cancelled."""

    def __init__(self) -> None:
        self._task: asyncio.Future[Any] | None = None
        self._stopping = False

    @property
    def running(self) -> bool:
        """Whether something is being done."""
        return self._task is not None

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it; return or raise what comes of it. Raises `Stopped` after `stop`.

        Raises `CancelledError` where the work itself ended with one: nobody stopped it, and nobody is told it was.
        """
        task = asyncio.ensure_future(work)
        self._task, self._stopping = task, False
        try:
            await asyncio.wait({task})
        finally:
            self._task = None
            if not task.done():  # whoever waits for it was cancelled: it is over before they go on
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        if task.cancelled() and self._stopping:
            raise Stopped
        return task.result()

    def stop(self) -> None:
        """Stop what is being done, if anything is."""
        if self._task is not None:
            self._stopping = True
            self._task.cancel()
