"""--timeout: no command waits for a file that another process holds for longer than it may take as a whole."""

from __future__ import annotations

import math

import click


def bounding(context: click.Context, _: click.Parameter, seconds: float | None) -> float | None:
    """As a callback of click for --timeout: no file is waited for longer than the command may take."""
    if seconds is not None and math.isfinite(seconds) and seconds > 0:
        context.find_root().obj.bound(seconds)
    return seconds
