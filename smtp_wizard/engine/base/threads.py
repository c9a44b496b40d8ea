"""Blocking work in threads of its own, so that an event loop goes on: files, locks, the keyring, a name look-up.

Not `asyncio.to_thread`: at its end `asyncio.run` waits for that pool, and what hangs would hold the end of the program.
"""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Do blocking work in a thread; return what it returns.

    Raises what the work raises, and `OSError` where no thread is to be had.

    A caller that is cancelled waits no longer, and what the work still finds out is thrown away: use it for reading.
    """
    return await _begun(work)


async def run_to_completion(work: Callable[[], T]) -> T:
    """As `in_thread`, for work that changes something: who is cancelled waits for its end, and is cancelled then.

    What comes after, such as clearing away what is needed no more, so never meets a change half done. Where no thread
    is to be had the work is done here: it must not be lost.
    """
    try:
        begun = _begun(work)
    except OSError:
        return work()
    try:
        return await asyncio.shield(begun)
    except asyncio.CancelledError:
        while not begun.done():
            with suppress(asyncio.CancelledError):  # once more: the work has an end, its locks are not waited for long
                await asyncio.wait({begun})
        begun.exception()  # nobody else looks at it
        raise


def _begun(work: Callable[[], T]) -> asyncio.Future[T]:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, fault: BaseException | None) -> None:
        if answer.done():
            return
        if fault is not None:
            answer.set_exception(fault)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # the work has returned it

    def run() -> None:
        result: T | None = None
        fault: BaseException | None = None
        try:
            result = work()
        except BaseException as problem:  # whatever it is: somebody waits for it
            # A future takes no StopIteration.
            fault = RuntimeError() if isinstance(problem, StopIteration) else problem
        with suppress(RuntimeError):  # the loop has ended; nobody waits any more
            loop.call_soon_threadsafe(settle, result, fault)

    try:
        threading.Thread(target=run, name="smtp-wizard work", daemon=True).start()
    except RuntimeError:  # the system gives no more threads
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from None
    return answer
