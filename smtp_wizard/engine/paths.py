"""Where the program keeps its files, and the one way it writes them: whole, private, or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

CONFIG_VARIABLE = "SMTP_WIZARD_CONFIG"
"""Names another config folder, so that tests and two users never touch each other."""

_SCRATCH_END = ".scratch"


def config_dir(override: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the config folder: `override` (--config), else SMTP_WIZARD_CONFIG, else what the platform says.

    Absolute, so that a change of the working folder changes nothing. The folder is made only when something is
    written there (`make_private_dir`).
    """
    chosen = override or environ.get(CONFIG_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return platformdirs.user_config_path("smtp-wizard", appauthor=False)


def make_private_dir(folder: Path) -> None:
    """Make `folder` (0700) where it is missing; one that exists keeps its mode. Raises `OSError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, data: bytes, *, lasting: bool = True) -> None:
    """Replace `path` by `data` in one step; the new file can be read by its owner only (0600).

    Afterwards, even after a power cut, there is the whole old file or the whole new one. Where `path` is a link, the
    file that it leads to is replaced. Raises `OSError`; the old file is then untouched. A file that its owner made
    read-only is respected, also for root, whom the system would let through. Not `lasting`: what a power cut may undo.
    """
    target = Path(os.path.realpath(path))
    _refuse_read_only(target)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=_scratch_start(target), suffix=_SCRATCH_END)
    scratch = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
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
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
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
