"""Many accounts at once: secrets ahead of the checks, an end to everything where one ends it."""

from __future__ import annotations

import asyncio

import pytest

from smtp_wizard.engine.services.check_queue import CheckQueue, QueuedCheck
from smtp_wizard.engine.services.parallel_checks import BEHIND, FEWEST, ParallelChecks, Window


def turns_of(count: int, host: str = "") -> list[QueuedCheck]:
    return [QueuedCheck(index, host or f"host{index}", str(index), "") for index in range(count)]


class Watched:
    """A fleet whose secrets and checks wait until they are let go, and what was under way at once."""

    def __init__(self, count: int, at_once: int, per_host: int = 100, host: str = "") -> None:
        self.reading: list[int] = []
        self.checking: list[int] = []
        self.done: list[int] = []
        self.most = 0
        self.go_read, self.go_check = asyncio.Event(), asyncio.Event()
        queue = CheckQueue(per_host=per_host, per_provider={})
        waiting = turns_of(count, host)
        self.checks = ParallelChecks(waiting, queue, at_once=at_once, read=self._read, check=self._check)

    async def _read(self, index: int) -> str:
        self.reading.append(index)
        await self.go_read.wait()
        return f"secret {index}"

    async def _check(self, index: int, secret: str) -> None:
        assert secret == f"secret {index}"
        self.checking.append(index)
        self.most = max(self.most, len(self.checking))
        await self.go_check.wait()
        self.checking.remove(index)
        self.done.append(index)


async def settled() -> None:
    """Let everything that can go on go on."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_secrets_are_read_as_concurrently_as_accounts_are_checked_and_ahead_of_them() -> None:
    watched = Watched(10, at_once=4)
    running = asyncio.ensure_future(watched.checks.run())
    await settled()
    assert (len(watched.reading), watched.checking) == (4, [])
    watched.go_read.set()
    await settled()
    assert len(watched.reading) == 10
    assert (len(watched.checking), watched.done) == (4, [])
    watched.go_check.set()
    await running
    assert sorted(watched.done) == list(range(10))
    assert watched.most == 4


async def test_a_server_is_asked_by_no_more_than_it_should_be() -> None:
    watched = Watched(6, at_once=6, per_host=2, host="one")
    watched.go_read.set()
    running = asyncio.ensure_future(watched.checks.run())
    await settled()
    assert len(watched.checking) == 2
    watched.go_check.set()
    await running
    assert watched.most == 2


async def test_what_one_check_raises_ends_the_others_and_is_raised() -> None:
    ended = []

    async def read(index: int) -> None:
        return None

    async def check(index: int, _: None) -> None:
        if index == 1:
            raise LookupError("its output cannot be written")
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(index)

    checks = ParallelChecks(turns_of(2), CheckQueue(per_host=9, per_provider={}), at_once=2, read=read, check=check)
    with pytest.raises(LookupError):
        await checks.run()
    assert ended == [0]


async def test_cancelled_it_has_ended_what_was_under_way_before_it_ends() -> None:
    watched = Watched(3, at_once=2)
    watched.go_read.set()
    running = asyncio.ensure_future(watched.checks.run())
    await settled()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(asyncio.all_tasks()) == 1


async def test_nobody_to_test_is_no_work() -> None:
    watched = Watched(0, at_once=1)
    await watched.checks.run()
    assert watched.reading == []


def test_while_the_event_loop_is_behind_fewer_are_under_way_and_all_again_when_it_is_not() -> None:
    window = Window(200)
    sizes = []
    for _ in range(20):
        window.noticed(2 * BEHIND)
        sizes.append(window.size)
    assert sizes == sorted(sizes, reverse=True)
    assert window.size == FEWEST
    for _ in range(40):
        window.noticed(0.0)
    assert window.size == 200


def test_a_small_fleet_is_never_made_smaller_than_it_is() -> None:
    window = Window(2)
    window.noticed(9.0)
    assert window.size == 2
