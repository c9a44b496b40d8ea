"""Long texts on a terminal go through the person's pager."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress

USUAL = "less"
KEPT = ("PATH", "HOME", "TERM", "TERMINFO", "LANG", "LC_ALL", "LC_CTYPE", "COLUMNS", "LINES", "LESS", "LESSCHARSET")
"""What a pager learns of the environment: others may hold a password."""
LESS = "FRX"
"""Ends by itself where a screen is enough, shows colours, and leaves on the terminal what was read."""


def is_longer_than_terminal(text: str) -> bool:
    """Whether a text needs more rows than the terminal has that stdout is, and somebody is there to turn pages."""
    if not (sys.stdout.isatty() and sys.stdin is not None and sys.stdin.isatty()):
        return False
    try:
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        return False
    needed = sum(max(1, -(-len(line) // columns)) if columns else 1 for line in text.splitlines())
    return bool(rows) and needed >= rows


def paged(text: str, environ: Mapping[str, str]) -> bool:
    """Show a text in the pager; return whether there is one. PAGER=cat says that none is wanted."""
    try:
        words = shlex.split(environ.get("PAGER") or USUAL)
    except ValueError:
        return False
    program = shutil.which(words[0]) if words and words != ["cat"] else None
    if program is None:
        return False
    env = {"LESS": LESS, **{name: environ[name] for name in KEPT if name in environ}}
    sys.stdout.flush()
    try:
        process = subprocess.Popen([program, *words[1:]], stdin=subprocess.PIPE, env=env)  # noqa: S603  the person's own
    except OSError:
        return False
    before = signal.getsignal(signal.SIGINT)
    # Ctrl-C is the pager's while it runs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with suppress(OSError):  # left before its end
            process.communicate(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))
        process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    return True
