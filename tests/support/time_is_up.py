"""Lets a test say when the time that `--timeout` gives is up, in the place of the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import pytest

from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.checks.runner import CheckRun
from smtp_wizard.runtime.running import Stopwatch
from tests.support.walk import until

T = TypeVar("T")


class TimeIsUp:
    """The limit of every command that runs while this stands; it comes when it is told to."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        """`patch` takes the clock away from the commands until it is undone, and tells how far their checks are."""
        self.begun: list[tuple[int, Stage]] = []
        """The stages that checks have begun, each with the port."""
        self.over: list[int] = []
        """The ports whose checks have come to their ends by themselves or were cancelled."""
        self._limits: list[tuple[asyncio.AbstractEventLoop, asyncio.Timeout]] = []
        self._up = False
        patch.setattr(Stopwatch, "bound", lambda _: self._bound())
        patch.setattr(Stopwatch, "left", lambda _: 0.0 if self._up else None)
        self._watch_checks(patch)

    def _bound(self) -> asyncio.Timeout:
        limit = asyncio.timeout(0.0 if self._up else None)
        self._limits.append((asyncio.get_running_loop(), limit))
        return limit

    def _watch_checks(self, patch: pytest.MonkeyPatch) -> None:
        stage, close = CheckRun.stage, CheckRun.close

        async def begun(check: CheckRun, of: Stage) -> None:
            self.begun.append((check.target.connection.endpoint.port, of))
            await stage(check, of)

        def over(check: CheckRun) -> None:
            close(check)
            self.over.append(check.target.connection.endpoint.port)

        patch.setattr(CheckRun, "stage", begun)
        patch.setattr(CheckRun, "close", over)

    def now(self) -> None:
        """Let the time of whatever still runs be up; from any thread."""
        self._up = True
        for loop, limit in self._limits:
            with suppress(RuntimeError):  # it has ended already
                loop.call_soon_threadsafe(_end, limit)

    async def when(self, happened: Callable[[], object], running: Awaitable[T]) -> T:
        """Return what a command returns whose time is up once something has happened, or that has ended before."""
        self._up = False
        command = asyncio.ensure_future(running)
        await until(lambda: happened() or command.done(), lambda: f"it never came; begun: {self.begun}")
        self.now()
        return await command


def _end(limit: asyncio.Timeout) -> None:
    with suppress(RuntimeError):  # it has been left already
        limit.reschedule(0)
