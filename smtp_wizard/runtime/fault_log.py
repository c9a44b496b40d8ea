"""Faults of the program's own: written down without values, and said in one sentence."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from smtp_wizard import __version__
from smtp_wizard.engine.base.private_files import make_private_dir, write_private
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, shown

CRASH_LOG = "crash.log"
"""What the screens met, of one session."""
LAST_FAULT = "last-fault.log"
"""What ended a command, or kept it from part of its work."""
MOST_TOLD = 20
"""How many faults of one session are kept, the newest."""
MOST_FRAMES = 40
"""Places of one exception, the innermost: one that came of endless recursion has thousands."""
LONGEST_CHAIN = 8
"""How many of the exceptions that led to one are told."""


class WorkCancelled(Exception):
    """Background work was cancelled, but not by the screens: what it waited for gave up."""


def as_fault(problem: BaseException) -> Exception:
    """Return what ended some work, as a fault: a cancellation that nobody here asked for is one, too."""
    return problem if isinstance(problem, Exception) else WorkCancelled().with_traceback(problem.__traceback__)


class FaultLog:
    """The faults of one session, in a file that only its owner reads (0600)."""

    def __init__(self, folder: Path, name: str = CRASH_LOG) -> None:
        """`name`: of the file in `folder`."""
        self._path = folder / name
        self.entries: list[str] = []
        """What was written down, the newest last."""

    def write(self, fault: BaseException) -> Shown:
        """Write a fault down; return the file's name, or no words where nothing can be written."""
        self.entries = [*self.entries, fault_places(fault)][-MOST_TOLD:]
        text = "\n".join([f"smtp-wizard {__version__}\n", *self.entries])
        with suppress(OSError):
            make_private_dir(self._path.parent)
            write_private(self._path, text.encode("utf-8", "backslashreplace"), lasting=False)
            return shown(str(self._path), 200)
        return NO_WORDS


def fault_places(fault: BaseException) -> str:
    """Return the types and places of an exception and of those that led to it.

    Their texts are left out, since they may quote what was typed, and so are lines of code and values of variables.
    """
    lines: list[str] = []
    for each in _chain(fault):
        frames = traceback.StackSummary.extract(
            traceback.walk_tb(each.__traceback__), limit=-MOST_FRAMES, lookup_lines=False
        )
        lines += [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        lines += [f"{type(each).__module__}.{type(each).__qualname__}", ""]
    return "\n".join(lines)


def fault_place(fault: BaseException) -> str:
    """Return where an exception was raised, to tell it from others: by whatever way one came there."""
    frames = traceback.StackSummary.extract(traceback.walk_tb(fault.__traceback__), limit=-1, lookup_lines=False)
    return "\n".join([*(f"{frame.filename}:{frame.lineno}" for frame in frames), type(fault).__qualname__])


def _chain(fault: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = fault
    for _ in range(LONGEST_CHAIN):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__


def fault_words(fault: BaseException, log: str) -> str:
    """Say that something failed, as far as the person can act on it, and where it is written (`log`, or '')."""
    where = f" What happened is written in {log}." if log else ""
    return f"{_cause(fault)} Nothing you typed is lost; try again, or go on.{where}"


def _cause(fault: BaseException) -> str:
    match fault:
        # A TLS library's own numbers would be read as the system's.
        case OSError(errno=int(number)) if number > 0 and type(fault).__module__ == "builtins":
            return f"The system refused what was needed here: {os.strerror(number)}."
        case MemoryError():
            return "There was not enough memory for this."
        case RecursionError():
            return "This is nested too deeply for smtp-wizard."
        case TimeoutError() | WorkCancelled():
            return "What smtp-wizard waited for ended without an answer."
        case _:
            return f"smtp-wizard met a fault of its own here ({shown(type(fault).__name__, 60)})."
