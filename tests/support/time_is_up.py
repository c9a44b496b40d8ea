"""Lets a test say when the time that `--timeout` gives is up, in the place of the clock."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from smtp_wizard.runtime.running import Stopwatch


class TimeIsUp:
    """The limit of every command that runs while this stands; it comes when it is told to."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        """`patch` takes the clock away from the commands until it is undone."""
        self._limits: list[tuple[asyncio.AbstractEventLoop, asyncio.Timeout]] = []
        patch.setattr(Stopwatch, "bound", lambda _: self._bound())

    def _bound(self) -> asyncio.Timeout:
        limit = asyncio.timeout(None)
        self._limits.append((asyncio.get_running_loop(), limit))
        return limit

    def now(self) -> None:
        """Let the time of whatever still runs be up; from any thread."""
        for loop, limit in self._limits:
            with suppress(RuntimeError):  # it has ended already
                loop.call_soon_threadsafe(_end, limit)


def _end(limit: asyncio.Timeout) -> None:
    with suppress(RuntimeError):  # it has been left already
        limit.reschedule(0)
