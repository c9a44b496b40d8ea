"""Reading and writing what is learnt. One thread writes, in the order in which it was learnt, much at once.

Code that has something to keep hands it over and goes on: no event loop waits for a disk or for another process.
Reading is done at once, by the caller.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from smtp_wizard.engine.base.private_files import may_exist
from smtp_wizard.engine.state.timestamps import FILE_NAME

if TYPE_CHECKING:
    from sqlite3 import Connection

    from smtp_wizard.engine.state.writer import Job, Work, Writer

IDLE_SECONDS = 1.0
"""After so long with nothing to write the file is closed, and the thread ends; the next thing to write begins again."""
BUSY_SECONDS = 2.0
"""For so long another process that was waited for in vain is not waited for again by a reader."""
MOST_TROUBLES = 10
"""Different sentences about what went wrong; more are no help."""

T = TypeVar("T")
U = TypeVar("U")


class Storage:
    """The file of one folder. Any thread may read, or hand something over; nothing that ails the file is raised."""

    def __init__(self, folder: Path, lock_limit: float) -> None:
        """`lock_limit`: seconds to wait for another process that is writing."""
        self._folder = folder
        self._lock_limit = lock_limit
        self._busy_until = 0.0
        self._session: Writer | None = None
        self._troubles: dict[str, bool] = {}
        """What went wrong, in sentences, and whether that was returned already."""
        self._bug: Exception | None = None
        self.unread = ""
        """Why the file could not be read when that was tried last, in a sentence; '' where it could."""
        self.given_up = False
        """Whether the last `flush` waited in vain."""
        self.begin()
        _all.add(self)

    def begin(self) -> None:
        """Have no thread and nothing to do: at first, and in a child process, where the parent's thread is not."""
        self._todo: deque[Job] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False

    # -- reading ----------------------------------------------------------------------------------------------------

    @property
    def exists(self) -> bool:
        """Whether there is anything to read or to delete."""
        return self._thread is not None or may_exist(self._folder / FILE_NAME)

    def read(self, query: Callable[[Connection], T]) -> T | None:
        """Return what `query` finds in the file; None where there is none, or it cannot be read: see `problems()`."""
        self.unread = ""
        if not may_exist(self._folder / FILE_NAME):
            return None
        from smtp_wizard.engine.state import database

        patience = self._lock_limit if time.monotonic() >= self._busy_until else 0.0
        try:
            return database.read(self._folder, query, patience)
        except database.StateError as problem:
            if database.is_busy(problem):
                self._busy_until = time.monotonic() + BUSY_SECONDS
            self.unread = str(problem)
            self.note(self.unread)
            return None

    def read_beside(self, query: Callable[[Connection], T], unwritten: Callable[[], U]) -> tuple[T | None, U]:
        """Return what `query` finds in the file, and what stood in no file at that moment.

        `unwritten` is asked before and after: what is written between the two may be missed by both, so it is read
        again where the answers differ.
        """
        waiting = unwritten()
        while True:
            found = self.read(query)
            before, waiting = waiting, unwritten()
            if waiting == before:
                return found, waiting

    # -- handing over -----------------------------------------------------------------------------------------------

    def put(self, work: Work[Any], *, lasting: bool = False, kept: Callable[[], None] | None = None) -> None:
        """Hand something over, and go on. `kept` is called, in the thread, when it stands in the file.

        `lasting`: not even a power cut may undo it, once it is written.
        """
        self._hand_over(work, lasting, kept, None)

    def keep(self, work: Work[Any], seconds: float | None = None) -> bool:
        """Hand something over, and return whether it stands in the file. Not in an event loop.

        `seconds`: how long to wait, as for `flush`; what takes longer counts as not kept, and may be written later.
        """
        stands = threading.Event()
        self.put(work, kept=stands.set)
        self.flush(seconds)
        return stands.is_set()

    async def ask(self, work: Work[T], *, lasting: bool = False) -> T:
        """Hand something over, and wait for what comes of it. Cancelled while it waits, it is done all the same."""
        import asyncio

        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(value: T, problem: Exception | None) -> None:
            if future.done():
                return
            if problem is None:
                future.set_result(value)
            else:
                future.set_exception(problem)

        def answer(value: Any, problem: Exception | None) -> None:
            with suppress(RuntimeError):  # the loop has ended; nobody waits any more
                loop.call_soon_threadsafe(settle, value, problem)

        self._hand_over(work, lasting, None, answer)
        return await future

    def _hand_over(
        self,
        work: Work[Any],
        lasting: bool,
        kept: Callable[[], None] | None,
        answer: Callable[[Any, Exception | None], None] | None,
    ) -> None:
        from smtp_wizard.engine.state.writer import Job

        with self._changed:
            self._todo.append(Job(work, lasting, kept, answer))
            self._start()
            self._changed.notify_all()

    def _start(self) -> None:
        """Have a thread. Where the system gives none, what is to be done is done here: it must not be lost."""
        if self._thread is not None:
            return
        # Not one that the end of the program waits for: a disk that hangs would hold it. `flush` waits for a while.
        self._thread = threading.Thread(target=self._run, name="smtp-wizard-state", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self._closing, was = True, self._closing
            self._run()
            self._closing = was

    # -- the end ----------------------------------------------------------------------------------------------------

    def flush(self, seconds: float | None = None) -> None:
        """Wait until all that was handed over is written, or cannot be, and the file is closed. Not in an event loop.

        What could not be written is in `problems()`. `seconds`: how long to wait at most; None: as long as another
        process may hold the file, and a moment.
        """
        limit = 2 * self._lock_limit + IDLE_SECONDS if seconds is None else seconds
        with self._changed:
            if self._todo or (self._session is not None and self._session.unwritten):
                self._start()
            self._closing = True
            self._changed.notify_all()
            try:
                self.given_up = not self._changed.wait_for(lambda: self._thread is None, limit)
            finally:
                self._closing = False
        bug, self._bug = self._bug, None
        if bug is not None:
            raise bug

    def problems(self) -> tuple[str, ...]:
        """Return what went wrong and was not returned before, in sentences."""
        with self._changed:
            news = tuple(sentence for sentence, told in self._troubles.items() if not told)
            self._troubles.update(dict.fromkeys(news, True))
        return news

    def note(self, trouble: str) -> None:
        """Remember what went wrong; the same thing once."""
        with self._changed:
            if len(self._troubles) < MOST_TROUBLES:
                self._troubles.setdefault(trouble, False)

    # -- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        from smtp_wizard.engine.state.writer import Writer

        session = self._session = self._session or Writer(self._folder, self._lock_limit, self.note)
        while True:
            if batch := self._next():
                self._try(session.do, batch)
                continue
            if self._closing and session.unwritten:
                self._try(session.last_try)
            session.close()
            if self._ended():
                return

    def _try(self, work: Callable[..., None], *arguments: object) -> None:
        try:
            work(*arguments)
        except Exception as problem:  # a fault of the program itself: `flush` raises it where somebody sees it
            self._bug = problem

    def _next(self) -> Sequence[Job]:
        """Return all that is to be done, waited for; nothing where it is time to end."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._todo) or self._closing, IDLE_SECONDS)
            batch = tuple(self._todo)
            self._todo.clear()
            return batch

    def _ended(self) -> bool:
        """Whether nothing was handed over while the file was being closed."""
        with self._changed:
            if not self._todo:
                self._thread = None
                self._changed.notify_all()
            return self._thread is None


_all: weakref.WeakSet[Storage] = weakref.WeakSet()


def _at_exit() -> None:
    for storage in tuple(_all):
        if not storage.given_up:
            storage.flush()


def _after_fork() -> None:
    for storage in tuple(_all):
        storage.begin()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
