"""How well pasted errors are explained, and how fast: `python -m bench.explain [REPORTS]`.

REPORTS holds JSON Lines: `text`, `cause`, and perhaps `stage`, `settings`, `provider` and `also_ok`, other causes
that can be defended. Without it `bench/reports.jsonl` is measured, and written into docs/benchmarks.md. What is
measured is the command itself, as a script uses it: `smtp-wizard explain --jsonl`, one process, by the answers that it
writes.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.measure import put

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "bench" / "reports.jsonl"
OUTPUT = ROOT / "docs" / "benchmarks.md"
HEADING = "## Explaining errors"
OURS = (str(Path(sys.executable).parent / "smtp-wizard"), "explain", "--jsonl")
TEXTS = 8000
"""How many texts, repeats of those there are, make up one run against the clock."""
RUNS = 5
ASKED = ("text", "stage", "settings", "provider")
"""What a program knows when it fails."""
Report = Mapping[str, Any]


def read(path: Path) -> list[Report]:
    """Read JSON Lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def answers(reports: Iterable[Report], without: str = "") -> list[Report]:
    """Ask about each report, without one of the things that are known; return the answers."""
    lines = [json.dumps({key: each.get(key) for key in ASKED if key != without}) for each in reports]
    done = subprocess.run(OURS, input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def scored(reports: Sequence[Report], given: Sequence[Report]) -> dict[str, tuple[int, int, int]]:
    """Return, for each stage and for all: how many, how many exactly right, how many right or defensible."""
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for report, answer in zip(reports, given, strict=True):
        exact = answer["cause"] == report["cause"]
        for stage in (report.get("stage") or "unknown", "all"):
            row = counts[stage]
            row[0] += 1
            row[1] += exact
            row[2] += exact or answer["cause"] in report.get("also_ok", ())
    return {stage: (row[0], row[1], row[2]) for stage, row in counts.items()}


def print_scores(title: str, scores: Mapping[str, tuple[int, int, int]]) -> None:
    """Print one table."""
    print(f"\n{title}\n")
    print(f"{'stage':<10}{'reports':>9}{'strict':>9}{'accepted':>10}")
    for stage, (number, exact, accepted) in sorted(scores.items(), key=lambda item: item[0] == "all"):
        print(f"{stage:<10}{number:>9}{exact / number:>9.1%}{accepted / number:>10.1%}")


def print_mistakes(reports: Sequence[Report], given: Sequence[Report]) -> None:
    """Print which cause is taken for which: by number alone, so that nobody writes rules for single texts."""
    taken = Counter(
        (report["cause"], answer["cause"], answer["cause"] in report.get("also_ok", ()))
        for report, answer in zip(reports, given, strict=True)
        if report["cause"] != answer["cause"]
    )
    for (cause, other, fine), number in sorted(taken.items()):
        print(f"  {cause} -> {other}{' (accepted)' if fine else ''}: {number}")


def rates(reports: Sequence[Report]) -> Iterator[float]:
    """Yield texts a second, run by run: from the first answer to the last, so that the start does not count."""
    lines = [json.dumps({key: each.get(key) for key in ASKED}) for each in reports]
    for _ in range(RUNS):
        with subprocess.Popen(OURS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for line in lines:  # once through, so that everything is loaded
                print(line, file=process.stdin, flush=True)
                process.stdout.readline()
            yield _rate(process, [lines[at % len(lines)] for at in range(TEXTS)])


def _rate(process: subprocess.Popen[str], lines: Sequence[str]) -> float:
    from threading import Thread

    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None

    def feed() -> None:
        stdin.write("\n".join(lines) + "\n")
        stdin.close()

    began = time.perf_counter()
    feeder = Thread(target=feed)
    feeder.start()
    answered = sum(1 for _ in stdout)
    took = time.perf_counter() - began
    feeder.join()
    assert answered == len(lines)
    return answered / took


WITHOUT = {"": "all that a program knows", "stage": "without the stage", "provider": "without the provider"}


def section(reports: Sequence[Report]) -> str:
    """Measure, print, and return the part of the page."""
    given = answers(reports)
    all_known = scored(reports, given)
    print_scores("As a program knows them: text, stage, settings, provider", all_known)
    print_mistakes(reports, given)
    rows = [(f"stage {stage}", score) for stage, score in sorted(all_known.items()) if stage != "all"]
    for lacking, label in WITHOUT.items():
        scores = scored(reports, answers(reports, without=lacking)) if lacking else all_known
        if lacking:
            print_scores(label.capitalize(), scores)
        rows.append((label, scores["all"]))
    measured = list(rates(reports))
    rate, best = f"{statistics.median(measured):,.0f}", f"{max(measured):,.0f}"
    print(f"\nRate: {rate} texts a second (best {best}), goal 2,000")
    load = f"{os.getloadavg()[0]:.1f}"
    lines = [f"| {label} | {n} | {exact / n:.1%} | {fine / n:.1%} |" for label, (n, exact, fine) in rows]
    return PART.format(heading=HEADING, rows="\n".join(lines), rate=rate, best=best, runs=RUNS, load=load)


PART = """\
{heading}

Written by `python -m bench.explain`. The reports are mostly from public threads and providers' pages, shortened and
without names, and otherwise known wordings of servers and libraries. Each was labelled by one reader before the rules
had seen it: in twelve collections of about sixty, each measured and only then learned from. So measured, a collection
was exactly right in 72 to 95 % (median 83 %; the last two 92 and 90 %), and right or defensible in 81 to 98 % (median
90 %; the last two 97 and 92 %); the goal for reports never seen is 85 % and 92 %. The table is what the rules say of
them today, having learned.

| what is known | reports | exactly right | right or defensible |
| --- | --- | --- | --- |
{rows}

{rate} texts a second in one process, `smtp-wizard explain --jsonl`: the median of {runs} runs, the best of which had
{best}. The computer's load was {load}; the goal, on a quiet one, is 2,000.
"""


def write() -> None:
    """Measure the reports that there are, and write the part of the page."""
    part = section(read(REPORTS))
    OUTPUT.write_text(put(OUTPUT.read_text("utf-8"), HEADING, part), "utf-8")


def main(arguments: Sequence[str]) -> None:
    """Measure and print; write the page where no reports are named."""
    if arguments:
        section(read(Path(arguments[0])))
    else:
        write()


if __name__ == "__main__":
    main(sys.argv[1:])
