"""Where the program keeps its files, and the one way it reads and writes them: whole, private, or not at all.

Nothing there is believed that another user may change (`ownership`), and reading is bounded, whatever lies in the place
of a file.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.file_ownership import UnsafeFile, refuse_foreign_owners, refuse_foreign_owners_open
from smtp_wizard.engine.base.shown import phrase, shown

__all__ = [
    "CONFIG_VARIABLE",
    "UnsafeFile",
    "absolute",
    "config_dir",
    "lock_of",
    "make_private_dir",
    "may_exist",
    "read_bounded",
    "read_private",
    "read_start",
    "refuse_foreign_owners",
    "refuse_no_file",
    "sweep_scratch",
    "write_new",
    "write_private",
]

CONFIG_VARIABLE = "SMTP_WIZARD_CONFIG"
"""Names another config folder, so that tests and two users never touch each other."""

_SCRATCH_END = ".scratch"
_PIECE = 1 << 20


def config_dir(override: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the config folder: `override` (--config), else SMTP_WIZARD_CONFIG, else what the platform says.

    Absolute, so that a change of the working folder changes nothing. The folder is made only when something is
    written there (`make_private_dir`). Raises `InputError` where no such folder can be named.
    """
    chosen = override or environ.get(CONFIG_VARIABLE)
    if chosen:
        return _usable(absolute(Path(chosen)))
    import platformdirs

    try:
        found = platformdirs.user_config_path("smtp-wizard", appauthor=False)
    except RuntimeError:
        raise InputError(phrase("{} {}", _NO_HOME, _NAME_ONE)) from None
    if not found.is_absolute():  # a '~' that stands for nobody's home, left as it was by older platformdirs
        raise InputError(phrase("{} {}", _NO_HOME, _NAME_ONE))
    return _usable(found)


def _usable(folder: Path) -> Path:
    """Return the folder, whether or not it is there. Raises `InputError` for a name that is too long."""
    try:
        folder.lstat()
    except OSError as problem:
        if problem.errno == errno.ENAMETOOLONG:
            raise InputError(
                phrase("{} cannot be the config folder: its name is too long.", shown(str(folder), 100))
            ) from None
    return folder


_NO_HOME = phrase("No home folder is known: HOME is not set, and this user is not in the list of users.")
_NAME_ONE = phrase("Name a folder with --config or {}.", shown(CONFIG_VARIABLE))


def absolute(path: Path) -> Path:
    """Return the full name of a file or folder as typed: '~' is the home folder. Raises `InputError`."""
    try:
        found = path.expanduser().absolute()
        if b"\0" not in os.fsencode(found):
            return found
    except UnicodeEncodeError:
        pass
    except RuntimeError:
        raise InputError(
            _NO_HOME if str(path).split("/")[0] == "~" else phrase("There is no home folder of that name.")
        ) from None
    except OSError:
        raise InputError(
            phrase(
                "The folder in which smtp-wizard was started is not there any more: change to another one, or type the "
                "name in full."
            )
        ) from None
    raise InputError(phrase("That name has a character in it that no file can have; please type it by hand."))


def make_private_dir(folder: Path) -> None:
    """Make `folder`, and what is missing above it, for its owner alone (0700), whatever the umask.

    One that exists keeps its mode. Raises `UnsafeFile` where others could exchange what is written there; `OSError`.
    """
    refuse_foreign_owners(folder)
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        try:
            each.mkdir(mode=0o700)
        except FileExistsError:
            if each.is_dir():  # another process was quicker
                continue
            raise
        each.chmod(0o700)


def lock_of(file: Path) -> Path:
    """Return the file to lock while `file` is changed, once its folder is there. Raises `UnsafeFile`, `OSError`."""
    make_private_dir(file.parent)
    lock = file.with_name(f"{file.name}.lock")
    refuse_foreign_owners(lock)
    return lock


def may_exist(path: Path) -> bool:
    """Whether there is something of that name, or it cannot be told: whoever opens it then learns why not.

    `Path.exists` raises where a folder above is closed to this user, and in newer Pythons says that nothing is there.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def read_private(path: Path, most: int) -> bytes:
    """Return the content of a file that only this user, and root, can change; `most` bytes of it at most.

    Nothing is waited for, whatever is in the file's place. Raises `FileNotFoundError`; `UnsafeFile`; `OSError` where it
    is no plain file, or larger.
    """
    _refuse_foreign_owners_on_the_way(path)
    return _read(path, most, private=True)


def read_start(path: Path, most: int) -> bytes:
    """As `read_private`, but of a larger file its first `most` bytes."""
    _refuse_foreign_owners_on_the_way(path)
    return _read(path, most, private=True, cut=True)


def read_bounded(path: Path, most: int, *, cut: bool = False) -> bytes:
    """As `read_private`, for a file that a person named, no matter who owns it. Raises `OSError`.

    `cut`: of a larger file its first `most` bytes, as `read_start`.
    """
    return _read(path, most, private=False, cut=cut)


def _refuse_foreign_owners_on_the_way(path: Path) -> None:
    if path.parent.exists():
        refuse_foreign_owners(path.parent)
    if path.is_symlink():
        refuse_foreign_owners(path)


def _read(path: Path, most: int, *, private: bool, cut: bool = False) -> bytes:
    # Not blocking: opening a pipe would wait for somebody who writes into it.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except OSError as problem:
        if problem.errno == errno.ENXIO:  # a socket cannot be opened at all
            raise _no_file(path, "a socket or a device") from None
        raise
    try:
        # What is looked at is what was opened: it makes no difference what becomes of the name meanwhile.
        _refuse_no_file(path, os.fstat(handle).st_mode)
        if private:
            refuse_foreign_owners_open(path, handle)
        data = bytearray()
        while len(data) <= most and (more := os.read(handle, min(_PIECE, most + 1 - len(data)))):
            data += more
    finally:
        os.close(handle)
    if len(data) > most and not cut:
        raise _too_large(path, most)
    return bytes(data[:most])


def refuse_no_file(path: Path, most: int) -> None:
    """Raise `OSError` where somebody else's reader would never come to an end: no plain file, or a huge one."""
    found = path.stat()
    _refuse_no_file(path, found.st_mode)
    if found.st_size > most:
        raise _too_large(path, most)


def _refuse_no_file(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}
        raise _no_file(path, kinds.get(stat.S_IFMT(mode), "a device"))


def _too_large(path: Path, most: int) -> OSError:
    return OSError(errno.EFBIG, f"it is larger than {most:,} bytes", str(path))


def _no_file(path: Path, what: str) -> OSError:
    return OSError(errno.EINVAL, f"it is {what} and no file", str(path))


def write_private(path: Path, data: bytes, *, lasting: bool = True) -> None:
    """Replace `path` by `data` in one step; the new file can be read by its owner only (0600).

    Afterwards, even after a power cut, there is the whole old file or the whole new one. Where `path` is a link, the
    file that it leads to is replaced. Raises `OSError`; the old file is then untouched. A file that its owner made
    read-only is respected, also for root, whom the system would let through. Not `lasting`: what a power cut may undo.
    That nobody else may change the folder is for `make_private_dir` to say, and is not asked of other places.
    """
    target = Path(os.path.realpath(path))
    _refuse_read_only(target)
    import tempfile

    handle, name = tempfile.mkstemp(dir=target.parent, prefix=_scratch_start(target), suffix=_SCRATCH_END)
    scratch = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), 0o600)  # a umask may have taken the owner's own rights
            file.write(data)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        os.replace(scratch, target)  # noqa: PTH105  the name that the tests break on purpose
    except BaseException:
        with suppress(OSError):
            scratch.unlink()
        raise
    if lasting:
        _sync_folder(target.parent)


def write_new(path: Path, data: bytes, *, private: bool = True) -> None:
    """Write a file that was not there: whatever has that name, a link too, stays as it is.

    `private`: only its owner can read it (0600), whatever the umask; else the umask says who can. Raises
    `FileExistsError`; `OSError`: nothing is left then.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags, 0o600 if private else 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            if private and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), 0o600)  # a umask may have taken the owner's own rights
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def write_shared(path: Path, data: bytes) -> None:
    """Replace `path` by `data` in one step, with the rights that it has; who can read a new one, the umask says.

    What is no file, such as a pipe or a terminal, is written to, and so is a file in a folder where none can be made.
    Where `path` is a link, the file that it leads to is replaced. Raises `OSError`; the old file is then untouched.
    """
    facts = path.stat() if path.exists() else None
    if facts is not None and not stat.S_ISREG(facts.st_mode):
        path.write_bytes(data)  # by the name that was given: a pipe behind /dev/stdout has no other
        return
    target = Path(os.path.realpath(path))
    _refuse_read_only(target)
    scratch = target.with_name(f"{_scratch_start(target)}{os.urandom(8).hex()}{_SCRATCH_END}")
    try:
        write_new(scratch, data, private=False)
    except PermissionError:
        target.write_bytes(data)
        return
    try:
        if facts is not None:
            scratch.chmod(stat.S_IMODE(facts.st_mode))
            with suppress(OSError, AttributeError):  # not everybody may give a file away, and not on every system
                os.chown(scratch, facts.st_uid, facts.st_gid)
        os.replace(scratch, target)  # noqa: PTH105  as above
    except BaseException:
        with suppress(OSError):
            scratch.unlink()
        raise


def sweep_scratch(path: Path) -> None:
    """Delete what a writer of `path` that was killed has left. Call it only where no other writer can be at work."""
    target = Path(os.path.realpath(path))
    for left in target.parent.glob(f"{_scratch_start(target)}*{_SCRATCH_END}"):
        with suppress(OSError):
            left.unlink()


def _scratch_start(target: Path) -> str:
    return f".{target.name}."


def _refuse_read_only(target: Path) -> None:
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return
    _refuse_no_file(target, mode)  # a link to /dev/null must not make a file of that
    if not mode & stat.S_IWUSR:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))


def _sync_folder(folder: Path) -> None:
    """Make the new name itself last (fsync of the folder); a system that cannot do that, such as Windows, need not."""
    if os.name != "posix":
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
