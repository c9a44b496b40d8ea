"""Doing what is asynchronous while the person waits at a question."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from smtp_wizard.runtime.running import Stopwatch, run

T = TypeVar("T")


def awaited(work: Coroutine[Any, Any, T], undone: Callable[[], str] = lambda: "") -> T:
    """Do something that is asynchronous, while nothing else happens.

    Raises `Interrupted` when a signal comes, with what `undone` says then.
    """
    return run(work, Stopwatch(), undone)
