"""Pairs of runs and what they say: medians of ratios, so that a busy moment of the computer hits both sides."""

from __future__ import annotations

import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """A program to run."""

    name: str
    argv: Sequence[str]
    stdin: str = ""
    env: Mapping[str, str] | None = None

    def seconds(self) -> float:
        """Run it once; return how long it took. Raises `RuntimeError` where it fails."""
        began = time.perf_counter()
        done = subprocess.run(self.argv, input=self.stdin, capture_output=True, text=True, env=self.env, check=False)
        took = time.perf_counter() - began
        if done.returncode:
            raise RuntimeError(f"{self.name} ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return took

    def processor(self) -> float:
        """Run it once; return how much of the processor's time it took. Raises `RuntimeError` where it fails."""
        before = _of_children()
        self.seconds()
        return _of_children() - before


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass(frozen=True)
class Pair:
    """Ours beside another, each run in turn."""

    ours: tuple[float, ...]
    other: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median of the ratios of each pair."""
        return statistics.median(mine / yours for mine, yours in zip(self.ours, self.other, strict=True))


def in_turns(ours: Callable[[], float], other: Callable[[], float], pairs: int) -> Pair:
    """Measure each so many times, in turns, after one run of each that does not count."""
    ours()
    other()
    measured = [(ours(), other()) if number % 2 else (other(), ours())[::-1] for number in range(pairs)]
    return Pair(tuple(mine for mine, _ in measured), tuple(yours for _, yours in measured))


def milliseconds(seconds: Sequence[float]) -> str:
    """The median, in figures that fit a table."""
    return f"{statistics.median(seconds) * 1000:.0f} ms"


def put(text: str, heading: str, part: str) -> str:
    """Return the page with this part in place of the one under the same heading, or at its end."""
    begins = text.find(heading)
    if begins < 0:
        return f"{text.rstrip()}\n\n{part}"
    ends = text.find("\n## ", begins + 1)
    rest = "" if ends < 0 else text[ends:]
    return f"{text[:begins]}{part}{rest}"
