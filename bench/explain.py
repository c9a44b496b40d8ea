"""How well pasted errors are explained, and how fast: `python -m bench.explain [REPORTS]`.

REPORTS holds JSON Lines: `text`, `cause`, and perhaps `stage`, `settings`, `provider` and `also_ok`, other causes
that can be defended. Without it the wordings of the tests are measured. What is measured is the command itself, as a
script uses it: `smtp-wizard explain --jsonl`, one process, by the answers that it writes.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WORDINGS = ROOT / "tests" / "engine" / "errors.txt"
OURS = (str(Path(sys.executable).parent / "smtp-wizard"), "explain", "--jsonl")
TEXTS = 8000
"""How many texts, repeats of those there are, make up one run against the clock."""
RUNS = 5
ASKED = ("text", "stage", "settings", "provider")
"""What a program knows when it fails."""
Report = Mapping[str, Any]


def wordings() -> Iterator[Report]:
    """Yield the wordings of the tests as reports."""
    for line in WORDINGS.read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        stage, provider, settings, rest = line.split(" | ", 3)
        text, cause = rest.rsplit(" => ", 1)
        port, _, security = settings.partition("/")
        told = {"port": int(port), "security": security} if port.isdigit() else None
        yield {
            "text": text.replace("\\n", "\n"),
            "stage": None if stage == "-" else stage,
            "provider": None if provider == "-" else provider,
            "settings": told,
            "cause": cause,
        }


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


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    if arguments:
        reports = [json.loads(line) for line in Path(arguments[0]).read_text("utf-8").splitlines() if line.strip()]
    else:
        reports = list(wordings())
    given = answers(reports)
    print_scores("As a program knows them: text, stage, settings, provider", scored(reports, given))
    print_mistakes(reports, given)
    print_scores("Without the stage, as a person pastes them", scored(reports, answers(reports, without="stage")))
    print_scores("Without the provider", scored(reports, answers(reports, without="provider")))
    measured = list(rates(reports))
    print(f"\nRate: {statistics.median(measured):,.0f} texts a second (best {max(measured):,.0f}), goal 2,000")


if __name__ == "__main__":
    main(sys.argv[1:])
