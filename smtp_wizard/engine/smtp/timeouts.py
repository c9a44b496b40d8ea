"""Time limits that count how long another side was silent, and not how long this program was busy with something else.

A limit by the clock ends a check although the answer is there, where the program came to read it too late: while two
hundred checks compute their handshakes, a disk is slow, or the computer was asleep.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

STEP = 0.25
"""Seconds that are counted at a time."""
PUNCTUAL = 0.05
"""Seconds that a timer may be late in a program that listens."""
LEAST = 0.2
"""The part of a step that counts however late its timer comes: a program that is always late ends, too."""
TURNS = 8
"""Turns of the event loop in which what has come is still taken up before the time is said to be over: a word passes
from the socket through a few tasks until a stage is done with it."""


class listening_timeout:
    """Raise `TimeoutError` where the block is not done after so many seconds of listening.

    It is counted in steps. Of a step whose timer comes late, so much is left out: for so long nobody could have heard
    anything. The limit is on the whole block, however slowly bytes drip: the other side cannot put it off.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._timeout = asyncio.timeout(None)
        self._handle: asyncio.Handle | None = None
        self._due = self._step = 0.0

    async def __aenter__(self) -> listening_timeout:
        await self._timeout.__aenter__()
        self._wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        await self._timeout.__aexit__(kind, problem, trace)

    def reschedule(self, seconds: float) -> None:
        """Let so many seconds be left from now on."""
        self._stop()
        self._left = seconds
        self._wait()

    def shorten(self, seconds: float) -> None:
        """Let no more than so many seconds be left from now on."""
        self._stop()
        counting = min(self._step, max(0.0, asyncio.get_running_loop().time() - (self._due - self._step)))
        self._left = min(self._left - counting, seconds)
        self._wait()

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._step = max(0.0, min(self._left, STEP))
        self._due = loop.time() + self._step
        self._handle = loop.call_at(self._due, self._counted)

    def _counted(self) -> None:
        late = asyncio.get_running_loop().time() - self._due
        self._left -= self._step if late <= PUNCTUAL else max(self._step * LEAST, self._step - late)
        if self._left > 0:
            self._wait()
        else:
            self._last_turns(TURNS)

    def _last_turns(self, turns: int) -> None:
        loop = asyncio.get_running_loop()
        if turns:
            self._handle = loop.call_soon(self._last_turns, turns - 1)
        else:
            self._timeout.reschedule(loop.time())

    def _stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()


async def done_within(task: asyncio.Future[Any], seconds: float) -> bool:
    """Wait until something is done, for so many seconds of listening; return whether it is. It goes on if it is not."""
    try:
        async with listening_timeout(seconds):
            await asyncio.wait({task})
    except TimeoutError:
        pass
    return task.done()
