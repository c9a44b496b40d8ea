"""The writer of the state: a batch goes into the file in one transaction, or into memory where that cannot be."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Any, TypeVar

from smtp_wizard.engine.base.private_files import may_exist
from smtp_wizard.engine.state import database
from smtp_wizard.engine.state.database import StateError
from smtp_wizard.engine.state.timestamps import OLD_NAME

PAUSE = 2.0
"""Seconds for which a file that could not be written to is left alone."""
MOST_UNWRITTEN = 10_000
"""How much is held for a file that cannot be written to; the oldest is dropped first."""

T = TypeVar("T")
Work = Callable[[Connection], T]
"""What is done with the database: inside a transaction, perhaps twice, in memory and later in the file."""


@dataclass(eq=False, slots=True)
class Job:
    """Something to write."""

    work: Work[Any]
    lasting: bool = False
    """Whether not even a power cut may undo it."""
    kept: Callable[[], None] | None = None
    """Called when it stands in the file."""
    answer: Callable[[Any, Exception | None], None] | None = None
    """Called once, with what the work returned or raised."""


class Writer:
    """The connections: to the file, or to a copy in memory of what is needed. One thread at a time."""

    def __init__(self, folder: Path, lock_limit: float, note: Callable[[str], None]) -> None:
        """`lock_limit`: seconds to wait for another process that is writing. `note` is told what went wrong."""
        self.unwritten: deque[Job] = deque(maxlen=MOST_UNWRITTEN)
        """What was done in memory alone, and is to be done in the file."""
        self._folder = folder
        self._lock_limit = lock_limit
        self._note = note
        self._given_up: tuple[float, StateError] | None = None
        """Until when (monotonic) the file is not tried again, and why."""
        self._file: Connection | None = None
        self._memory: Connection | None = None

    def do(self, batch: Sequence[Job]) -> None:
        """Do a batch, and before it what could not be written earlier. Raises nothing but faults of the program."""
        jobs = (*self.unwritten, *batch)
        try:
            done = self._in_file(jobs)
        except StateError as problem:
            self._note(str(problem))
            self._in_memory(batch)
        else:
            self.unwritten.clear()
            self._close_memory()
            _tell(done, kept=True)

    def last_try(self) -> None:
        """Write what is unwritten, although it was tried in vain just now."""
        self._given_up = None
        self.do(())

    def close(self) -> None:
        """Close everything."""
        self._close_file()
        self._close_memory()

    def _close_file(self) -> None:
        file, self._file = self._file, None
        _close(file)

    def _close_memory(self) -> None:
        memory, self._memory = self._memory, None
        _close(memory)

    # -- the file ---------------------------------------------------------------------------------------------------

    def _in_file(self, jobs: Sequence[Job]) -> list[_Done]:
        """Do it in the file, in a new one where the old one is damaged. Raises `StateError`.

        What went wrong is not tried again for a while: all that is unwritten would be done again each time.
        """
        if self._given_up is not None and time.monotonic() < self._given_up[0]:
            raise self._given_up[1]
        try:
            done = self._tried_twice(jobs)
        except StateError as problem:
            pause = self._lock_limit if database.is_busy(problem) else PAUSE
            self._given_up = time.monotonic() + pause, problem
            raise
        self._given_up = None
        return done

    def _tried_twice(self, jobs: Sequence[Job]) -> list[_Done]:
        try:
            return self._tried(jobs)
        except StateError as problem:
            if not database.may_be_damage(problem):
                raise
        if said := database.put_aside(self._folder, self._lock_limit):
            self._note(said)
        return self._tried(jobs)

    def _tried(self, jobs: Sequence[Job]) -> list[_Done]:
        try:
            if self._file is None:
                self._file = self._opened()
            with database.writing(self._folder):
                return _transaction(self._file, jobs)
        except BaseException:
            self._close_file()
            raise

    def _opened(self) -> Connection:
        connection = database.open_for_writing(self._folder, self._lock_limit)
        try:
            with database.writing(self._folder):
                if may_exist(self._folder / OLD_NAME):
                    from smtp_wizard.engine.state import migration

                    migration.migrate(connection, self._folder)
        except BaseException:
            connection.close()
            raise
        return connection

    # -- in memory --------------------------------------------------------------------------------------------------

    def _in_memory(self, batch: Sequence[Job]) -> None:
        if self._memory is None:
            self._memory = self._copy()
        done = _transaction(self._memory, batch, in_memory=True)
        self.unwritten.extend(job for job, _, problem in done if problem is None)
        _tell(done, kept=False)

    def _copy(self) -> Connection:
        """Return a database in memory with the sign-ins that count: those of the file, as far as it can be read."""
        memory = database.open_in_memory()
        with suppress(StateError):
            every = "SELECT * FROM attempts"
            rows = database.read(self._folder, lambda file: file.execute(every).fetchall(), self._lock_limit)
            memory.executemany("INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?)", rows or ())
        _transaction(memory, tuple(self.unwritten), in_memory=True)
        return memory


_Done = tuple[Job, Any, Exception | None]
"""What was done, and what came of it."""


def _transaction(connection: Connection, jobs: Sequence[Job], *, in_memory: bool = False) -> list[_Done]:
    """Do it all or nothing. Raises what the file or the disk is to blame for; `in_memory`, that is nothing."""
    lasting = any(job.lasting for job in jobs)
    connection.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'NORMAL'}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = [_done(connection, job, in_memory=in_memory) for job in jobs]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return done


def _done(connection: Connection, job: Job, *, in_memory: bool) -> _Done:
    try:
        return job, job.work(connection), None
    except Exception as problem:
        # What else SQLite raises is a fault of the statement: it must not keep what others have handed over from
        # being written.
        of_the_file = isinstance(problem, sqlite3.OperationalError) or type(problem) is sqlite3.DatabaseError
        if of_the_file and not in_memory:
            raise
        return job, None, problem


def _tell(done: Sequence[_Done], *, kept: bool) -> None:
    """Tell those who wait. Raises a fault that nobody waits for."""
    untold: list[Exception] = []
    for job, value, problem in done:
        if kept and job.kept is not None and problem is None:
            job.kept()
        answer, job.answer = job.answer, None
        if answer is not None:
            answer(value, problem)
        elif problem is not None:
            untold.append(problem)
    if untold:
        raise untold[0]


def _close(connection: Connection | None) -> None:
    if connection is not None:
        with suppress(sqlite3.Error):
            connection.close()
