"""The benchmarks that hold a goal say so where it is missed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.mailbox import BOUNCES, FIRST, LETTERS, Run, missed

RUNS = {
    FIRST: Run(8.7, 0.4, 75, BOUNCES, LETTERS),
    "again": Run(3.0, 0.4, 75, BOUNCES, 0),
    "again, `--new`": Run(2.5, 0.4, 75, 0, 0),
}


def test_a_large_mailbox_within_its_goals_misses_nothing() -> None:
    assert missed(RUNS, LETTERS) == []


@pytest.mark.parametrize(
    ("name", "run", "said"),
    [
        (FIRST, replace(RUNS[FIRST], seconds=10.2), "10.2 s, and 10 s at most"),
        ("again", replace(RUNS["again"], mebibytes=97), "97 MiB, and 96 MiB at most"),
        ("again", replace(RUNS["again"], found=39), "39 bounces, and there are 40"),
        ("again", replace(RUNS["again"], scanned=50_000), "50,000 letters searched, and 0 are new"),
        ("again, `--new`", replace(RUNS["again, `--new`"], found=40), "40 bounces, and there are 0"),
    ],
)
def test_what_is_above_a_goal_is_said(name: str, run: Run, said: str) -> None:
    assert missed(RUNS | {name: run}, LETTERS) == [f"{name}: {said}"]
