"""Whether other processes are there."""

from __future__ import annotations

import time
from pathlib import Path


def ended(pid: int) -> bool:
    """Whether a process has ended; one that is killed takes a moment, and may wait to be reaped by init."""
    for _ in range(500):
        try:
            state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False
