"""Notes of changes under way: which entries of a store a change is about, written before any of them is touched.

A change that is killed leaves its note behind, and by it what it may have left in a store is found. Each change has a
file of its own, so that the damage of one loses no other, and holds a lock beside it for as long as it runs: a note
whose lock is free belongs to a change that never came to its end. A note names entries, never what is in them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Final, Literal

from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.records import Second, read_record, write_record
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.strict_json import JsonError, read_json
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreRef

if TYPE_CHECKING:
    from filelock import BaseFileLock

PREFIX = "unfinished-"
"""Begins the name of every note's file in the config folder."""
FILE_SCHEMA: Final = "smtp-wizard/unfinished-file/1"
LARGEST = 64 * 1024
"""Bytes of a note at most."""
MOST = 500
"""Notes at most. Only changes that were killed leave any, so more are a fault of their own."""
_ENTRY = 1000
"""Characters of an entry's name at most."""


@dataclass(frozen=True, slots=True)
class ChangeNote:
    """What a change that did not come to its end had to do with."""

    file: Path
    since: datetime
    """When it began. Aware."""
    entries: tuple[StoreRef, ...]


class PendingChange:
    """The note of a change that is under way. Nothing is written before it has an entry to name."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._since = journal.now()
        self._file: Path | None = None
        self._lock: BaseFileLock | None = None
        self._entries: list[StoreRef] = []
        self._ended = False
        # A store names its entry from the thread in which it works.
        self._guard = threading.Lock()

    @property
    def entries(self) -> tuple[StoreRef, ...]:
        """What was named and not dropped."""
        return tuple(self._entries)

    def add(self, ref: StoreRef) -> None:
        """Name an entry that is about to be touched.

        Raises `SecretError` where the change has ended already: a process that was too slow must not write any more.
        A note that cannot be written is no reason to stop: `Journal.problems` says so.
        """
        with self._guard:
            if self._ended:
                raise SecretError(SecretFault.REFUSED, phrase("The change was given up before anything was kept."))
            if ref not in self._entries:
                self._entries.append(ref)
                self._write()

    def drop(self, ref: StoreRef) -> None:
        """An entry is as it should be. On the disk it is still named, until the note ends."""
        with self._guard:
            self._entries = [each for each in self._entries if each != ref]

    def end(self) -> None:
        """Take the note away; where entries are still named it stays, to be found later."""
        with self._guard:
            self._ended = True
            if self._file is None or self._lock is None:
                return
            if not self._entries:
                with suppress(OSError):
                    self._file.unlink(missing_ok=True)
            _release(self._lock)

    def _write(self) -> None:
        """Write the note again, under its lock."""
        try:
            if self._file is None:
                self._file, self._lock = self._journal.new_file()
            private_files.write_private(self._file, _file_bytes(self._since, self._entries))
        except (OSError, _Refused) as problem:
            self._journal.complain(problem)


class _Refused(Exception):
    """No note is written, for a reason of our own."""


class Journal:
    """The notes of one config folder."""

    def __init__(self, folder: Path | None, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`folder`: the config folder; None: nothing is noted."""
        self._folder = folder
        self.now = now
        self._troubles: dict[str, bool] = {}
        """Why notes could not be written, in sentences, and whether that was returned already."""

    def begin(self) -> PendingChange:
        """Begin a change."""
        return PendingChange(self)

    def new_file(self) -> tuple[Path, BaseFileLock]:
        """Return the file for a new note, and its lock, held. Raises `OSError`, `_Refused`."""
        if self._folder is None:
            raise _Refused
        if len(self.files()) >= MOST:
            raise _Refused(f"there are {MOST} notes already; 'smtp-wizard doctor --clean' clears them up")
        file = self._folder / f"{PREFIX}{token_hex(8)}.json"
        private_files.lock_of(file)  # makes the folder, and looks whether others may write there
        lock = _lock_of(file)
        if not _acquired(lock):
            raise _Refused("its lock is held by somebody else")
        return file, lock

    def complain(self, problem: Exception) -> None:
        """Remember why a note could not be written."""
        if self._folder is None:
            return
        why = problem.strerror if isinstance(problem, OSError) else str(problem)
        self._troubles.setdefault(
            f"What is kept was changed without a note of it ({shown(why or type(problem).__name__, 200)}): had "
            "smtp-wizard been killed just then, a password that belongs to no account could have stayed behind.",
            False,
        )

    def problems(self) -> tuple[str, ...]:
        """Return why notes could not be written, in sentences, as far as that was not returned before."""
        news = tuple(sentence for sentence, told in self._troubles.items() if not told)
        self._troubles.update(dict.fromkeys(news, True))
        return news

    def files(self) -> list[Path]:
        """Return the files of all notes, those of changes under way too."""
        return self._named(f"{PREFIX}*.json")

    def _named(self, pattern: str) -> list[Path]:
        """Return files of the config folder; none where it cannot be looked into."""
        if self._folder is None:
            return []
        try:
            return sorted(self._folder.glob(pattern))
        except OSError:
            return []

    def left(self) -> tuple[list[ChangeNote], list[Path]]:
        """Return the notes of changes that never came to their end, and the files that are no such notes.

        Nothing is changed. What a change under way has noted is not among them.
        """
        notes, odd = [], []
        for file in self.files():
            if not _is_free(file):
                continue
            try:
                notes.append(_note(file))
            except FileNotFoundError:
                continue  # it has just come to its end
            except (OSError, JsonError):
                odd.append(file)
        return notes, odd

    @contextmanager
    def taken(self, file: Path) -> Iterator[ChangeNote | None]:
        """Hold the lock of a note that was left, and yield it; None where a change is under way, or it is gone.

        One that cannot be understood names nothing.
        """
        lock = _lock_of(file)
        if not _acquired(lock):
            yield None
            return
        try:
            yield self._understood(file)
        finally:
            _release(lock)

    def _understood(self, file: Path) -> ChangeNote | None:
        try:
            return _note(file)
        except (FileNotFoundError, PermissionError):
            return None
        except (OSError, JsonError):
            return ChangeNote(file, self.now(), ())

    def rewrite(self, note: ChangeNote, entries: Sequence[StoreRef]) -> None:
        """Leave in a note what is still to be done; take it away where that is nothing. One that stays does no harm.

        To be called under its lock: what a writer of it that was killed has left goes too.
        """
        private_files.sweep_scratch(note.file)
        with suppress(OSError):
            if entries:
                private_files.write_private(note.file, _file_bytes(note.since, entries))
            else:
                note.file.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Delete what killed writers of notes have left beside them: locks without a note, files half written."""
        for file in self._named(f"{PREFIX}*.json.lock"):
            note = file.with_suffix("")
            lock = _lock_of(note)
            if _acquired(lock):
                private_files.sweep_scratch(note)
                _release(lock)


def _lock_of(file: Path) -> BaseFileLock:
    import filelock

    # Not of one thread: a note is begun where a store works, and ended where the change does.
    return filelock.FileLock(f"{file}.lock", timeout=0, mode=0o600, thread_local=False)


def _acquired(lock: BaseFileLock) -> bool:
    import filelock

    try:
        lock.acquire()
    except (filelock.Timeout, OSError):
        return False
    return True


def _release(lock: BaseFileLock) -> None:
    """Give a lock back and take its file away. It is deleted while it is held, so that nobody else's is."""
    with suppress(OSError):
        Path(lock.lock_file).unlink(missing_ok=True)
    with suppress(OSError):
        lock.release(force=True)


def _is_free(file: Path) -> bool:
    """Whether nobody holds the lock of a note. Leaves everything as it is."""
    lock = _lock_of(file)
    if not private_files.may_exist(Path(lock.lock_file)):
        return True
    if not _acquired(lock):
        return False
    with suppress(OSError):
        lock.release(force=True)
    return True


@dataclass(frozen=True, slots=True)
class _File:
    schema: Literal["smtp-wizard/unfinished-file/1"]
    since: Second
    entries: tuple[StoreRef, ...]


def _file_bytes(since: datetime, entries: Sequence[StoreRef]) -> bytes:
    document = write_record(_File(FILE_SCHEMA, since, tuple(entries)))
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def _note(file: Path) -> ChangeNote:
    """Read a note. Raises `OSError`, and `JsonError` for whatever is odd in it."""
    found = read_record(_File, read_json(private_files.read_private(file, LARGEST)))
    if not all(0 < len(each.where) <= _ENTRY for each in found.entries):
        raise JsonError("names an entry that no store has")
    return ChangeNote(file, found.since, found.entries)
