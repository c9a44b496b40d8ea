"""A time limit counts how long the other side was silent, and not how long this program did not listen."""

from __future__ import annotations

import ast
import asyncio
import selectors
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.smtp import timeouts as listening_module
from smtp_wizard.engine.smtp.timeouts import LEAST, STEP, done_within, listening_timeout


class _Selector(selectors.SelectSelector):
    """Waits in no time: the clock of its loop is put forward instead."""

    loop: Loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.loop.now += timeout
        return ready


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock is put forward by waiting, and by whoever is busy."""

    def __init__(self) -> None:
        self.now = 1000.0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now

    def busy(self, seconds: float) -> None:
        """Do something for so long, during which nothing is listened to."""
        self.now += seconds


def run(work: Callable[[Loop], Awaitable[Any]]) -> float:
    """Run `work`; return how many seconds its clock was put forward."""
    with closing(Loop()) as loop:
        began = loop.now
        loop.run_until_complete(work(loop))
        return loop.now - began


async def over(seconds: float, work: Callable[[], Awaitable[object]]) -> bool:
    """Whether the time was over before the work was done."""
    try:
        async with listening_timeout(seconds):
            await work()
    except TimeoutError:
        return True
    return False


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.7, STEP, 2.5, 15.0])
def test_silence_ends_at_the_limit(seconds: float) -> None:
    async def work(loop: Loop) -> None:
        assert await over(seconds, asyncio.Event().wait)

    assert run(work) == pytest.approx(seconds)


def test_what_is_done_in_time_is_not_over() -> None:
    async def work(loop: Loop) -> None:
        assert not await over(2.0, lambda: asyncio.sleep(1.9))
        await asyncio.sleep(10)  # and nothing comes after it

    assert run(work) == pytest.approx(11.9)


def test_a_drip_does_not_put_the_end_off() -> None:
    async def work(loop: Loop) -> None:
        async def drip() -> None:
            while True:
                await asyncio.sleep(0.3)

        assert await over(15.0, drip)

    assert run(work) == pytest.approx(15.0)


@pytest.mark.parametrize("busy", [0.5, 3.0, 100.0])
@pytest.mark.parametrize("at", [0.01, 0.5, 0.99])
def test_what_came_while_nobody_listened_is_heard(busy: float, at: float) -> None:
    """And what takes a few turns more, as a handshake does, still has the time that it had."""

    async def work(loop: Loop) -> None:
        loop.call_later(at, loop.busy, busy)

        async def talk() -> None:
            for _ in range(4):
                await asyncio.sleep(0.2)

        assert not await over(1.0, talk)

    run(work)


def test_an_answer_that_lies_in_the_socket_is_read_before_the_time_is_over() -> None:
    """It came in the last moment, and passes through a few tasks before anybody is done with it."""

    async def work(loop: Loop) -> None:
        ours, theirs = socket.socketpair()
        with closing(ours), closing(theirs):
            ours.setblocking(False)

            def late() -> None:
                theirs.send(b"220 here\r\n")
                loop.busy(60)

            loop.call_at(loop.now + 0.999, late)

            async def through_tasks() -> None:
                inner = asyncio.ensure_future(loop.sock_recv(ours, 100))
                outer = asyncio.ensure_future(asyncio.wait({inner}))
                await outer

            assert not await over(1.0, through_tasks)

    run(work)


def test_the_delays_of_our_own_bound_how_long_it_takes_at_most() -> None:
    """A program that listens only now and then still ends a check of a server that says nothing."""

    async def work(loop: Loop) -> None:
        def hinder() -> None:
            loop.busy(0.4)
            loop.call_later(0.2, hinder)

        loop.call_soon(hinder)
        assert await over(10.0, asyncio.Event().wait)

    assert 10.0 < run(work) < 10.0 / LEAST * 3


def test_it_can_be_given_other_seconds() -> None:
    async def work(loop: Loop) -> None:
        async def wait() -> None:
            async with listening_timeout(5.0) as limit:
                loop.call_later(1.0, limit.reschedule, 1.5)
                await asyncio.Event().wait()

        with pytest.raises(TimeoutError):
            await wait()

    assert run(work) == pytest.approx(2.5)


@pytest.mark.parametrize(("at", "to", "end"), [(1.1, 0.5, 1.6), (1.1, 30.0, 5.0), (4.9, 2.0, 5.0)])
def test_it_can_be_made_shorter_and_never_longer(at: float, to: float, end: float) -> None:
    async def work(loop: Loop) -> None:
        async def wait() -> None:
            async with listening_timeout(5.0) as limit:
                loop.call_later(at, limit.shorten, to)
                await asyncio.Event().wait()

        with pytest.raises(TimeoutError):
            await wait()

    assert run(work) == pytest.approx(end)


def test_whoever_cancels_is_heard_and_limits_can_stand_in_one_another() -> None:
    async def work(loop: Loop) -> None:
        task = asyncio.ensure_future(over(5.0, asyncio.Event().wait))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        async def inner() -> None:
            assert await over(1.0, asyncio.Event().wait)

        assert not await over(2.0, inner)
        assert await over(1.0, lambda: over(2.0, asyncio.Event().wait))

    assert run(work) == pytest.approx(3.0)


def test_waiting_for_a_task_leaves_it_alone() -> None:
    async def work(loop: Loop) -> None:
        task = asyncio.ensure_future(asyncio.sleep(3))
        assert not await done_within(task, 1.0)
        assert not task.cancelled()
        loop.call_later(0.5, loop.busy, 30)
        assert await done_within(task, 2.5)

    run(work)


CLOCKS = {
    "smtp/timeouts.py": "it is made of one",
    "checks/runner.py": "the goodbye, whose answer is not waited for",
    "remote/ssh.py": "the system's ssh, which was told to end",
    "sandbox/server.py": "our own server that ends",
}
"""Where the engine bounds by the clock, and why that calls no other side silent."""


def test_whoever_waits_for_another_side_counts_listening() -> None:
    engine = Path(listening_module.__file__).parents[1]
    by_clock = {
        file.relative_to(engine).as_posix()
        for file in engine.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in BY_CLOCK
    }
    assert by_clock == set(CLOCKS)


BY_CLOCK = frozenset({"asyncio.timeout", "asyncio.timeout_at", "asyncio.wait_for"})
