"""What holds for the whole process: three streams are there, no core is dumped, and its end takes no time."""

from __future__ import annotations

import atexit
import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # as `typing` has it, which `--version` alone would load for this
    from collections.abc import MutableMapping

_TOOLKIT = "TEXTUAL"
_LARGEST_SCREEN = 4
"""Digits of a terminal's width or height at most."""
_STANDARD_INPUT, _STANDARD_OUTPUT, _STANDARD_ERROR = 0, 1, 2


def fill_closed_streams() -> None:
    """Put something into the place of each standard stream that was closed.

    Else the next file or connection would get its number, and what is meant for a person would be written there. A
    closed input is an empty one, a closed error stream swallows what is said, and writing to a closed output fails.
    """
    modes = {_STANDARD_INPUT: os.O_RDONLY, _STANDARD_OUTPUT: os.O_RDONLY, _STANDARD_ERROR: os.O_WRONLY}
    for number, mode in modes.items():
        if not _is_open(number):
            _occupy(number, mode)
    for name, number, how in (
        ("stdin", _STANDARD_INPUT, "r"),
        ("stdout", _STANDARD_OUTPUT, "w"),
        ("stderr", _STANDARD_ERROR, "w"),
    ):
        if getattr(sys, name) is None:
            stream = open(number, how, encoding="utf-8", closefd=False)  # noqa: SIM115  to the program's end
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _occupy(number: int, mode: int) -> None:
    handle = os.open(os.devnull, mode)
    if handle != number:
        os.dup2(handle, number)
        os.close(handle)
    os.set_inheritable(number, True)


def drop_screen_settings(environ: MutableMapping[str, str]) -> None:
    """Take out of the environment what would make the toolkit of the screens tell secrets, or fail.

    Its variables are for those who develop it: TEXTUAL_LOG writes every key that is pressed into a file, a password
    too. Call it before the toolkit is loaded. A size that no terminal has is forgotten as well.
    """
    for name in [name for name in environ if name.startswith(_TOOLKIT)]:
        del environ[name]
    for name in ("COLUMNS", "LINES"):
        size = environ.get(name, "")
        if not (size.isascii() and size.isdigit() and len(size) <= _LARGEST_SCREEN and int(size)):
            environ.pop(name, None)


def forbid_core_dumps() -> None:
    """Let neither this process nor one that it starts leave its memory, with a password in it, on the disk.

    On Linux a limit of 1 byte forbids those too that are handed to a program (systemd-coredump), which a limit of 0
    does not (fs/coredump.c in the kernel). A limit that is lower already stays.
    """
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    wanted = 1 if sys.platform == "linux" else 0
    limit = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))


def collect_garbage_rarely() -> None:
    """Let garbage be looked for after every 50,000 new objects, not every 700.

    Most runs are over before there is any, and looking took a twentieth of the time of a short one.
    """
    gc.set_threshold(50_000)


class QuickEnd:
    """Ends the process when all that is to be done at its end is done, without taking every module apart.

    That took an eighth of the time of a short command, and nobody sees anything of it: the memory goes back to the
    system at once. Make one before anything else registers what it does at exit: the first registered runs last.
    """

    def __init__(self) -> None:
        self._code: int | None = None
        atexit.register(self._end)

    def with_code(self, code: int) -> int:
        """Have the process end quickly with this exit code, which is returned. Without this call it ends as usual."""
        self._code = code
        return code

    def _end(self) -> None:
        if self._code is None:
            return
        try:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
        except (AttributeError, OSError, ValueError):
            return  # Python says what it makes of that itself
        os._exit(self._code)
