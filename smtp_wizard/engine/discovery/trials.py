"""Trying the servers that are named: each once, however many sources name it, and never more than a few."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.checks.report import Report

MOST_TRIED = 16
"""Servers that are tried at most, whatever the sources name."""

Verify = Callable[[Endpoint], Awaitable[Report]]
"""Tries a server without a password, as deep as the EHLO after TLS."""


class Trials:
    """The trials of one search; they go on when the source that named a server is given up."""

    def __init__(self, verify: Verify | None) -> None:
        """Without `verify` nothing is tried."""
        self._verify = verify
        self._begun: dict[Endpoint, asyncio.Task[Report]] = {}

    def begin(self, endpoints: Iterable[Endpoint]) -> list[asyncio.Task[Report]]:
        """Begin with those that have not been tried; return the trials of all of these, to be waited for."""
        wanted = list(endpoints)
        for each in wanted:
            if self._verify is not None and each not in self._begun and len(self._begun) < MOST_TRIED:
                self._begun[each] = asyncio.ensure_future(_run(self._verify, each))
        return [self._begun[each] for each in wanted if each in self._begun]

    def report(self, endpoint: Endpoint) -> Report | None:
        """Return what trying a server showed; None where that has not ended, or it was not tried."""
        task = self._begun.get(endpoint)
        return task.result() if task is not None and task.done() and not task.cancelled() else None

    @property
    def tasks(self) -> list[asyncio.Task[Any]]:
        """All of them, to be ended with the search."""
        return list(self._begun.values())


async def _run(verify: Verify, endpoint: Endpoint) -> Report:
    return await verify(endpoint)
