"""Work in a thread: the loop stays free, what the work ends with comes back, and nobody waits for it who has left."""

from __future__ import annotations

import asyncio
import threading
from threading import Event

import pytest

from smtp_wizard.engine.base.threads import in_thread, run_to_completion
from tests.support.patience import PATIENCE


async def test_the_loop_goes_on_while_the_work_is_done() -> None:
    go_on = Event()
    work = asyncio.ensure_future(in_thread(lambda: go_on.wait(PATIENCE) and threading.current_thread().daemon))
    for _ in range(10):
        await asyncio.sleep(0)
        assert not work.done()
    go_on.set()
    assert await work is True


@pytest.mark.parametrize("fault", [ValueError, RecursionError, MemoryError, asyncio.CancelledError, SystemExit])
async def test_what_the_work_raises_comes_out(fault: type[BaseException]) -> None:
    def fails() -> None:
        raise fault("no")

    with pytest.raises(fault):
        await in_thread(fails)


async def test_an_iterator_that_ends_too_early_is_a_fault() -> None:
    with pytest.raises(RuntimeError):
        await in_thread(lambda: next(iter(())))


def test_nobody_waits_for_work_whose_asker_has_left() -> None:
    """The program ends at once, though the work goes on; what it still finds out is thrown away."""
    go_on, over = Event(), Event()

    def long() -> str:
        go_on.wait(PATIENCE)
        over.set()
        return "too late"

    async def leave() -> None:
        work = asyncio.ensure_future(in_thread(long))
        await asyncio.sleep(0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(leave())
    assert not over.is_set()
    go_on.set()
    assert over.wait(PATIENCE)


async def test_what_comes_after_the_asker_has_left_is_thrown_away() -> None:
    go_on = Event()
    work = asyncio.ensure_future(in_thread(lambda: go_on.wait(PATIENCE)))
    await asyncio.sleep(0)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    go_on.set()
    assert await in_thread(lambda: "next") == "next"
    assert work.cancelled()


# -- work that changes something ---------------------------------------------------------------------------------------


async def test_who_is_cancelled_waits_for_the_end_of_a_change() -> None:
    """Once more, too: what comes after must not meet it half done."""
    go_on, over = Event(), Event()

    def change() -> None:
        go_on.wait(PATIENCE)
        over.set()

    work = asyncio.ensure_future(run_to_completion(change))
    for _ in range(3):
        await asyncio.sleep(0)
        work.cancel()
    await asyncio.sleep(0)
    assert not work.done(), "the loop goes on meanwhile"
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert over.is_set()


async def test_a_change_that_fails_after_its_asker_was_cancelled_is_a_cancellation() -> None:
    go_on = Event()

    def change() -> None:
        go_on.wait(PATIENCE)
        raise ValueError("no")

    work = asyncio.ensure_future(run_to_completion(change))
    await asyncio.sleep(0)
    work.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await work


async def test_a_change_for_which_no_thread_is_to_be_had_is_made_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    assert await run_to_completion(lambda: "done") == "done"
    with pytest.raises(ValueError, match="no"):
        await run_to_completion(lambda: int("no"))
    with pytest.raises(OSError, match="unavailable"):
        await in_thread(lambda: "done")
