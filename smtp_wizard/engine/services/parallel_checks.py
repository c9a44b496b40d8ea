"""Many accounts tested at once: secrets read ahead, checks begun in turns, fewer while the loop is behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Generic, TypeVar

from smtp_wizard.engine.services.check_queue import CheckQueue, QueuedCheck

S = TypeVar("S")

STEP = 0.05
"""Seconds between two looks whether the event loop is on time."""
BEHIND = 0.1
"""Seconds that it may be late before fewer checks are begun."""
FEWEST = 8
"""Checks that are under way however far behind it is."""


class Window:
    """How many checks may be under way: as many as wanted, fewer while the event loop cannot keep up with them."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self.size = wanted

    def noticed(self, late: float) -> None:
        """Take in by how many seconds the event loop was late just now."""
        if late > BEHIND:
            self.size = max(min(FEWEST, self._wanted), self.size * 3 // 4)
        else:
            self.size = min(self._wanted, self.size + self.size // 8 + 1)


class ParallelChecks(Generic[S]):
    """One run over many accounts. `S` is what is read for each before its check: a secret, or why there is none."""

    def __init__(
        self,
        waiting: Sequence[QueuedCheck],
        queue: CheckQueue,
        *,
        at_once: int,
        read: Callable[[int], Awaitable[S]],
        check: Callable[[int, S], Awaitable[None]],
    ) -> None:
        """`read` and `check` are given an account's index. What `check` raises ends the run."""
        self._waiting = waiting
        self._queue = queue
        self._at_once = at_once
        self._window = Window(at_once)
        self._read = read
        self._check = check
        self._secrets: dict[int, S] = {}
        self._left = len(waiting)
        self._under_way: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._fault: BaseException | None = None

    async def run(self) -> None:
        """Test them all. Cancelled, it ends what is under way first."""
        ahead = iter(self._waiting)
        readers = [asyncio.ensure_future(self._read_ahead(ahead)) for _ in range(min(self._at_once, self._left))]
        watch = asyncio.ensure_future(self._watch_loop())
        for reader in readers:
            reader.add_done_callback(self._noticed)
        try:
            await self._feed()
        finally:
            ending = [watch, *readers, *self._under_way]
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)

    async def _read_ahead(self, ahead: Iterator[QueuedCheck]) -> None:
        for queued in ahead:
            self._secrets[queued.index] = await self._read(queued.index)
            self._queue.add(queued)
            self._news.set()

    async def _feed(self) -> None:
        while self._left:
            while len(self._under_way) < self._window.size and (queued := self._queue.next()) is not None:
                self._begin(queued)
                await asyncio.sleep(0)  # so that it is on its way before the next one begins
            if self._fault is not None:
                raise self._fault
            if self._left:
                await self._news.wait()
                self._news.clear()
        if self._fault is not None:  # of the last check
            raise self._fault

    def _begin(self, queued: QueuedCheck) -> None:
        task = asyncio.ensure_future(self._check(queued.index, self._secrets.pop(queued.index)))
        self._under_way.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._under_way.discard(task)
            self._left -= 1
            self._queue.ended(queued)
            self._noticed(task)

        task.add_done_callback(ended)

    def _noticed(self, task: asyncio.Task[None]) -> None:
        """Wake up who begins the checks; keep what nobody else raises."""
        if not task.cancelled() and task.exception() is not None:
            self._fault = self._fault or task.exception()
        self._news.set()

    async def _watch_loop(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + STEP
            await asyncio.sleep(STEP)
            self._window.noticed(loop.time() - due)
            self._news.set()
