"""How many checks fit into what the system lets this program have open at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SPARED = 20
"""Files for everything but the checks: the state, a module or a data file that is read in between, the event loop."""
A_CHECK = 3
"""Files of one check at most: its connection, a second one that looks at a port or a certificate, a name look-up."""
USUALLY_OPEN = 12
"""Where nobody says how many are open already."""


def limit() -> int | None:
    """Return how many files this program may have open at once (`ulimit -n`), None where that is not limited."""
    if sys.platform == "win32":
        return None
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def checks_at_once(wanted: int) -> int:
    """Return how many checks may run at once: `wanted`, or as many as there is room for, but one at least."""
    most = limit()
    if most is None:
        return wanted
    return max(1, min(wanted, (most - _open() - SPARED) // A_CHECK))


def _open() -> int:
    """Return how many files are open now, one more or less."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        if Path(folder).is_dir():
            return len(os.listdir(folder))  # noqa: PTH208  the numbers alone are wanted
    return USUALLY_OPEN
