"""Lends the person's own terminal to a command that must ask them something, such as the passphrase of a key."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

from smtp_wizard.engine.secrets.secret_store import LARGEST

LENT_SECONDS = 120.0
"""How long a person may take to answer."""


def run_on_terminal(
    words: Sequence[str], environ: Mapping[str, str], *, limit: float = LENT_SECONDS
) -> tuple[bytes, int] | None:
    """Run a command in the foreground of this terminal; return its output and exit code.

    None where that cannot be done here. Ctrl-C ends the command and not this program. Raises `OSError`, `TimeoutError`.
    """
    if sys.platform == "win32" or not sys.stdin.isatty():
        return None
    handle = sys.stdin.fileno()
    settings = {**environ, "GPG_TTY": os.ttyname(handle)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=settings, process_group=0) as process:  # noqa: S603  the person's own command
        try:
            with _foreground(handle, process.pid):
                raw, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
    return raw[: LARGEST + 1], process.returncode


class Foreground:
    """The terminal of the person, as a command that must ask them something borrows it.

    Whoever draws on it meanwhile puts itself aside: `drawn_on` says how.
    """

    def __init__(self) -> None:
        self._aside: Callable[[], AbstractContextManager[bool]] = lambda: nullcontext(True)

    def drawn_on(self, aside: Callable[[], AbstractContextManager[bool]]) -> None:
        """Say how the screens are put aside while a command has the terminal: `aside` yields whether they are."""
        self._aside = aside

    def run(self, words: Sequence[str], environ: Mapping[str, str]) -> tuple[bytes, int] | None:
        """As `run_on_terminal`, with whatever is drawn there put aside; None where that cannot be done either."""
        with self._aside() as free:
            return run_on_terminal(words, environ) if free else None


@contextmanager
def _foreground(handle: int, group: int) -> Iterator[None]:
    """Give the terminal to a group of processes, and take it back."""
    ours = os.getpgrp()
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # else taking it back would stop us
    try:
        os.tcsetpgrp(handle, group)
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGCONT)  # it may have asked for input before it had the terminal
        yield
    finally:
        with suppress(OSError):
            os.tcsetpgrp(handle, ours)
        signal.signal(signal.SIGTTOU, before)
