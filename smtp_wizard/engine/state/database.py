"""The file of what the program learns: made, checked, migrated, opened, put aside. It is opened nowhere else.

It is an SQLite database in WAL mode, beside the accounts, readable by its owner only. Nothing that ails it may stop
a test: the caller gets `StateError` with one sentence, and goes on without it.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.shown import Shown, shown
from smtp_wizard.engine.state.timestamps import FILE_NAME

COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside the file while it is open, and behind a process that was killed."""
ASIDE = ".aside"
"""The ending of a file that could not be understood."""
APPLICATION_ID = 0x736D7470
"""'smtp' in ASCII: tells this file from every other SQLite database."""
READ_SECONDS = 0.25
"""How long reading waits for another process; a writer is in its way for moments only."""
SECOND_LOOK_SECONDS = 2.0
"""How long it waits where it has waited in vain: on a busy computer a moment may be long."""

T = TypeVar("T")

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # One row a check. Clustered by account, so that the last one, and the one that is too old, are one look away.
        """CREATE TABLE results (
            account TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, depth TEXT NOT NULL,
            verdict TEXT NOT NULL, stage TEXT, code TEXT NOT NULL, ms TEXT NOT NULL, not_after INTEGER,
            PRIMARY KEY (account, number)) WITHOUT ROWID""",
        """CREATE TABLE logins (
            account TEXT NOT NULL PRIMARY KEY, client_id TEXT NOT NULL, granted INTEGER NOT NULL,
            renewed INTEGER NOT NULL, ends INTEGER) WITHOUT ROWID""",
        """CREATE TABLE attempts (
            account TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL, state TEXT NOT NULL,
            cause TEXT NOT NULL, process INTEGER NOT NULL, PRIMARY KEY (account, id)) WITHOUT ROWID""",
        "CREATE INDEX attempts_until ON attempts (until)",
    ),
    (
        """CREATE TABLE told (
            name TEXT NOT NULL, account TEXT NOT NULL, at INTEGER NOT NULL, cause TEXT NOT NULL,
            warnings TEXT NOT NULL, PRIMARY KEY (name, account)) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE folders (
            account TEXT NOT NULL, folder TEXT NOT NULL, at INTEGER NOT NULL, validity INTEGER NOT NULL,
            since TEXT NOT NULL, highest INTEGER NOT NULL, bounces TEXT NOT NULL,
            PRIMARY KEY (account, folder)) WITHOUT ROWID""",
        """CREATE TABLE returned (
            account TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (account, key)) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE waiting (
            name TEXT NOT NULL, number INTEGER NOT NULL, words TEXT NOT NULL,
            PRIMARY KEY (name, number)) WITHOUT ROWID""",
        "CREATE TABLE notified (name TEXT NOT NULL PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID",
    ),
    ("ALTER TABLE waiting ADD COLUMN at INTEGER NOT NULL DEFAULT 0",),
    (
        """CREATE TABLE named_servers (
            account TEXT NOT NULL PRIMARY KEY, place TEXT NOT NULL, server TEXT NOT NULL,
            at INTEGER NOT NULL) WITHOUT ROWID""",
    ),
)
"""The statements that lead from each schema version to the next; the first makes an empty file ours. Times are
microseconds since 1970. What was released is never changed here, only added to."""
TABLES = (
    ("results", "logins", "attempts"),
    ("told",),
    ("folders", "returned"),
    ("waiting", "notified"),
    (),
    ("named_servers",),
)
"""The tables that each version has added."""


class StateError(Exception):
    """What was learnt cannot be kept, or read. The text is one sentence for a person."""


class DamagedState(StateError):
    """The file is no database, a damaged one, or another program's."""


def open_for_writing(folder: Path, seconds: float) -> Connection:
    """Open the file in `folder`, made and brought up to date where that is needed. Raises `StateError`.

    `seconds`: how long to wait for another process that is writing.
    """
    file = folder / FILE_NAME
    with _told(file, "kept"):
        private_files.make_private_dir(folder)
        private_files.refuse_foreign_owners(file)
        _make_private(file)
        connection = _connect(file, "rw", seconds)
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            _migrate(connection, file)
            _keep_log(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def open_in_memory() -> Connection:
    """Return an empty database of the same form that is kept nowhere."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statements in MIGRATIONS:
        for statement in statements:
            connection.execute(statement)
    return connection


def read(folder: Path, query: Callable[[Connection], T], seconds: float = SECOND_LOOK_SECONDS) -> T | None:
    """Return what `query` finds in the file of `folder`, None where there is none yet. Raises `StateError`.

    Nothing is written, and no other process is waited for longer than a moment, nor than `seconds`: one that is in the
    way longer is told.
    """
    file = folder / FILE_NAME
    with _told(file, "read"):
        if not _is_there(file):
            return None
        private_files.refuse_foreign_owners(folder)
        private_files.refuse_foreign_owners(file)
        try:
            return _looked(file, query, min(READ_SECONDS, seconds))
        except sqlite3.Error as problem:
            if not (is_busy(problem) and seconds):
                raise
            return _looked(file, query, min(SECOND_LOOK_SECONDS, seconds))


def _looked(file: Path, query: Callable[[Connection], T], seconds: float) -> T | None:
    """Read with the log, or the file alone: not where the log is held by somebody. Raises what SQLite raises."""
    # Without a log nobody is at work, and the file itself holds everything: it is read as it is, also where the
    # folder cannot be written to. A process that begins to write just now is seen at the second look.
    at_work = _beside(file, "-wal").exists()
    first, second = ("ro", "ro&immutable=1") if at_work else ("ro&immutable=1", "ro")
    try:
        return _found(file, first, query, seconds)
    except (DamagedState, sqlite3.Error) as problem:
        if is_busy(problem):
            raise
        return _found(file, second, query, seconds)


def _found(file: Path, mode: str, query: Callable[[Connection], T], seconds: float) -> T | None:
    with closing(_connect(file, mode, seconds)) as connection:
        return query(connection) if _version(connection, file) else None


def put_aside(folder: Path, seconds: float) -> str:
    """Move a damaged file out of the way; return a sentence that says so, '' where it is in order by now.

    Raises `StateError` where it cannot be moved.
    """
    import filelock

    file = folder / FILE_NAME
    aside = file.with_name(FILE_NAME + ASIDE)
    with _told(file, "kept"):
        try:
            # Two processes that find the damage at once must not put the new file of the other aside.
            with filelock.FileLock(private_files.lock_of(file), timeout=seconds, mode=0o600):
                if not _is_damaged(file):
                    return ""
                file.replace(aside)
                for ending in COMPANIONS:
                    with suppress(FileNotFoundError):
                        _beside(file, ending).replace(_beside(aside, ending))
        except filelock.Timeout:
            raise StateError(_words(file, "kept", "another smtp-wizard is putting the damaged file aside")) from None
        finally:
            with suppress(OSError):
                _beside(file, ".lock").unlink()
    return (
        f"The file {_shown(file)}, in which results and refused sign-ins are kept, was damaged or not smtp-wizard's; "
        f"it was put aside as {aside.name}, and a new one was begun."
    )


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Translate what SQLite raises while the file of `folder` is written to into `StateError`."""
    with _told(folder / FILE_NAME, "kept"):
        yield


def is_busy(problem: BaseException) -> bool:
    """Whether another process was waited for in vain."""
    return _code(problem) in (_BUSY, _LOCKED)


def may_be_damage(problem: StateError) -> bool:
    """Whether the file should be looked at page by page: it is damaged, or lacks a table."""
    return isinstance(problem, DamagedState) or _code(problem) == _ERROR


# -- what may be wrong -------------------------------------------------------------------------------------------------

# Primary result codes, sqlite.org/rescode.html.
_ERROR, _PERMISSION, _BUSY, _LOCKED, _READ_ONLY = 1, 3, 5, 6, 8
_IO, _CORRUPT, _FULL, _CANNOT_OPEN, _NOT_A_DATABASE = 10, 11, 13, 14, 26
_DAMAGED = (_CORRUPT, _NOT_A_DATABASE)
_REASONS = {
    _PERMISSION: "permission denied",
    _BUSY: "another smtp-wizard has been writing to it for too long",
    _LOCKED: "another smtp-wizard has been writing to it for too long",
    _READ_ONLY: "it cannot be written to",
    _IO: "the disk did not take it, or did not give it",
    _CORRUPT: "it is damaged",
    _FULL: "no space left on the disk",
    _CANNOT_OPEN: "it cannot be opened, or nothing can be written beside it",
    _NOT_A_DATABASE: "it is damaged",
}


def _code(problem: BaseException | None) -> int:
    """Return SQLite's primary result code, of the error itself or of what it comes from; 0 where there is none."""
    code = getattr(problem, "sqlite_errorcode", None)
    if code is None and isinstance(problem, StateError):
        return _code(problem.__cause__)
    return int(code or 0) & 0xFF


def _why(problem: Exception) -> Shown:
    if isinstance(problem, OSError):
        return shown((problem.strerror or type(problem).__name__).rstrip("."), 300)
    return shown(_REASONS.get(_code(problem)) or str(problem), 100)


def _trouble(problem: Exception, file: Path, done: str) -> StateError:
    if isinstance(problem, private_files.UnsafeFile):
        return StateError(f"Results and refused sign-ins are not {done}. {problem}")
    kind = DamagedState if _code(problem) in _DAMAGED else StateError
    return kind(_words(file, done, _why(problem)))


def _words(file: Path, done: str, why: str) -> str:
    return f"Results and refused sign-ins could not be {done} in {_shown(file)}: {why}."


def _shown(file: Path) -> Shown:
    return shown(str(file), 200)


@contextmanager
def _told(file: Path, done: str) -> Iterator[None]:
    """Translate what the system and SQLite raise."""
    try:
        yield
    except (OSError, sqlite3.Error) as problem:
        raise _trouble(problem, file, done) from problem


# -- the file ----------------------------------------------------------------------------------------------------------


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(file.name + ending)


def _connect(file: Path, mode: str, seconds: float) -> Connection:
    # `mode` is a part of SQLite's own form of a name, in which '?', '#' and '%' mean something (sqlite.org/uri.html).
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=seconds, isolation_level=None)


def _is_there(file: Path) -> bool:
    """Whether the file exists. Raises `OSError` where something else is in its place: a pipe would be waited for."""
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no plain file", str(file))
    return True


def _make_private(file: Path) -> None:
    """Make the file, empty, where it is missing; take from others what rights they have. Raises `OSError`.

    SQLite gives what it keeps beside the file the same rights. One that its owner made read-only is respected, also for
    root, whom the system would let through.
    """
    if not _is_there(file):
        with suppress(FileExistsError):  # another process was quicker
            handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            if hasattr(os, "fchmod"):
                os.fchmod(handle, 0o600)  # a umask may have taken the owner's own rights
            os.close(handle)
    mode = stat.S_IMODE(file.stat().st_mode)
    if not mode & stat.S_IWUSR:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
    if os.name == "posix" and mode & 0o077:
        file.chmod(mode & 0o700)


def _version(connection: Connection, file: Path) -> int:
    """Return the schema version; 0 for an empty file.

    Raises `DamagedState` for another program's file, `StateError` for one of a newer smtp-wizard.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    if owner != APPLICATION_ID:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if owner or version or tables:
            raise DamagedState(_words(file, "kept", "it is another program's"))
        return 0
    if version > len(MIGRATIONS):
        raise StateError(
            f"The file {_shown(file)}, in which results and refused sign-ins are kept, was written by a newer "
            "smtp-wizard; please update this one (the file was left as it is, and nothing new is kept)."
        )
    return int(version)


def _migrate(connection: Connection, file: Path) -> None:
    """Bring the tables up to date, one version after the other, in one transaction."""
    if _version(connection, file) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have done it while this one waited.
        for statements in MIGRATIONS[_version(connection, file) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _keep_log(connection: Connection) -> None:
    """Write ahead from now on, so that reading and writing are not in each other's way; the file remembers it."""
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as problem:
        if not is_busy(problem):  # somebody else has the file open: then the next one does it
            raise


def _is_damaged(file: Path) -> bool:
    """Whether the file cannot be used as it lies there, looked at page by page."""
    try:
        with closing(_connect(file, "rw", READ_SECONDS)) as connection:
            version = _version(connection, file)
            if not version:
                return False
            wanted = {table for added in TABLES[:version] for table in added}
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            whole = connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
            return not (whole and tables.issuperset(wanted))
    except (StateError, sqlite3.Error) as problem:
        return isinstance(problem, DamagedState) or _code(problem) in _DAMAGED
