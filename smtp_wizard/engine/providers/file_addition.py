"""Putting an entry into a file of providers that people write: nobody else's change is lost, and nothing is left half.

The file is read, changed, read again as a whole, and replaced in one step, while its folder is locked. A person's own
file is a private one; the one of a checkout keeps its rights, its owner, and the links that lead to it.
"""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.private_files import make_private_dir, read_bounded, read_private, write_private
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.providers.own_providers import LARGEST

LARGEST_SHIPPED = 16 * 1024 * 1024
"""Bytes of a checkout's file that are read."""
PATIENCE = 10.0
"""Seconds to wait for another program that changes a file of the same folder."""
_PAUSE = 0.05
Change = Callable[[str], str]


def change_own_file(file: Path, change: Change, *, patience: float = PATIENCE) -> None:
    """Change a person's own file, '' where it is not there yet.

    `change` returns the new text, and raises what it likes. Also raises `InputError`, `UnsafeFile`, `OSError`.
    """
    make_private_dir(file.parent)
    with _alone(file.parent, patience):
        write_private(file, change(own_text(file)).encode())


def change_shipped_file(file: Path, change: Change, *, patience: float = PATIENCE) -> None:
    """Change the file of a checkout, as `change_own_file` does a person's own.

    Raises `InputError` where it is read-only, or no text, and where it cannot be left to its owner; `OSError`.
    """
    there = Path(os.path.realpath(file, strict=True))  # a link to it stays one
    with _alone(there.parent, patience):
        before, facts = _shipped_text(there)
        _replace(there, change(before), facts)


def own_text(file: Path) -> str:
    """Return a person's own file, '' where it is not there yet. Raises `InputError`, `UnsafeFile`, `OSError`."""
    try:
        return _text(read_private(file, LARGEST))
    except FileNotFoundError:
        return ""


def shipped_text(file: Path) -> str:
    """Return the file of a checkout. Raises `InputError` where it is read-only, or no text; `OSError`."""
    return _shipped_text(Path(os.path.realpath(file, strict=True)))[0]


@contextmanager
def _alone(folder: Path, patience: float) -> Iterator[None]:
    """Hold the lock of a folder: unlike a lock file, it leaves nothing behind. Raises `InputError`, `OSError`."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        end = time.monotonic() + patience
        while not _locked(handle):
            if time.monotonic() >= end:
                raise InputError(phrase("another program is changing it at the moment; try again"))
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _shipped_text(file: Path) -> tuple[str, os.stat_result]:
    facts = file.stat()
    if not facts.st_mode & stat.S_IWUSR:  # its owner has made it so, also for root, whom the system would let through
        raise InputError(phrase("it may only be read"))
    return _text(read_bounded(file, LARGEST_SHIPPED)), facts


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(phrase("it is no text in UTF-8")) from None


def _replace(file: Path, text: str, facts: os.stat_result) -> None:
    """Replace a file in one step, with the rights and the owner that it has. Raises `InputError`, `OSError`."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    scratch = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as there:
            there.write(text)
            _leave_to_its_owner(there.fileno(), facts)
        scratch.replace(file)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def _leave_to_its_owner(handle: int, facts: os.stat_result) -> None:
    now = os.fstat(handle)
    if (now.st_uid, now.st_gid) != (facts.st_uid, facts.st_gid):
        try:
            os.fchown(handle, facts.st_uid, facts.st_gid)
        except PermissionError:
            raise InputError(phrase("it belongs to another user or group, who can change it")) from None
    os.fchmod(handle, stat.S_IMODE(facts.st_mode))
