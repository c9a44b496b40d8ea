"""What a command costs before it has done anything: `python -m bench.start` writes its part of docs/benchmarks.md.

Beside the clock stands the processor's time, which a busy computer distorts less, and the number of modules that are
loaded, which it does not distort at all.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Program, in_turns, milliseconds, put

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "docs" / "benchmarks.md"
OURS = str(Path(sys.executable).parent / "smtp-wizard")
HEADING = "## Starting"
PAIRS = 15
BARE, CLICK = "pass", "import click"
ERROR = "535 5.7.8 Error: authentication failed\n"


@dataclass(frozen=True)
class Case:
    """A command, what it is put beside, and how many times that it may take."""

    command: str
    beside: str
    goal: float


CASES: Sequence[Case] = (
    Case("--version", BARE, 3),
    Case("--help", CLICK, 1.3),
    Case("providers", CLICK, 2),
    Case("limits", CLICK, 2),
    Case("accounts", CLICK, 2),
    Case("explain", CLICK, 3),
)


def row(case: Case, env: Mapping[str, str]) -> str:
    """Measure one case; return it as a row of the table."""
    argv = [OURS, *case.command.split()]
    ours = Program(case.command, argv, ERROR, env)
    other = Program(case.beside, [sys.executable, "-c", case.beside], env=env)
    clock = in_turns(ours.seconds, other.seconds, PAIRS)
    processor = in_turns(ours.processor, other.processor, PAIRS)
    cells = (
        f"smtp-wizard {case.command}",
        f"`{case.beside}`",
        milliseconds(clock.ours),
        milliseconds(clock.other),
        f"{clock.ratio:.2f}",
        f"{processor.ratio:.2f}",
        f"{modules(argv, env)}",
        f"at most {case.goal:g}",
    )
    return f"| {' | '.join(cells)} |"


def modules(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Count the modules that a command loads, those of Python's own start among them."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *argv], input=ERROR, capture_output=True, text=True, env=env, check=True
    )
    return sum(line.startswith("import time:") for line in done.stderr.splitlines()) - 1


def section() -> str:
    """Measure all; return the part of the page."""
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8", "SMTP_WIZARD_CONFIG": f"{home}/config"}
        load = os.getloadavg()[0]
        rows = [row(case, env) for case in CASES]
    return PART.format(heading=HEADING, pairs=PAIRS, load=load, rows="\n".join(rows))


PART = """\
{heading}

Written by `python -m bench.start`: medians of {pairs} pairs, beside Python with nothing to do (`pass`) or with what
each command line of this kind loads (`import click`). The computer's load was {load:.1f} before; above 1, the ratio of
the processor's time tells more.

| command | beside | ours | the other's | ratio | ratio of the processor's time | modules | goal |
| --- | --- | --- | --- | --- | --- | --- | --- |
{rows}

What is left is, in this order: Python and click themselves; compiling the patterns that take a pasted text apart;
reading the compiled data, of which the list of limits reads the limits of every provider; finishing the dataclasses
that are used, an eighth of a millisecond each.
"""


def main() -> None:
    """Measure, and put the part into the page."""
    OUTPUT.write_text(put(OUTPUT.read_text("utf-8"), HEADING, section()), "utf-8")


if __name__ == "__main__":
    main()
