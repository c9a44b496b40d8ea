"""Changes in processes of their own that are killed, or stopped for a while, at each of their steps.

Whatever step that is: the accounts are as before or as afterwards, each with its password, and what lies in a store for
no account is named and can be deleted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.stopping import ACTS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where the system has a place for that: each step writes again what is there."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as made:
        yield Path(made)


def stopping(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-W", "error", "-m", "tests.support.stopping", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=270, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


GROUPS = tuple(tuple(ACTS)[first::4] for first in range(4))
"""What each of four processes does: to load the program takes as long as a few of their steps."""
PAIRS = (
    ("save", "save in the vault", "replace", "remove", "rename", "save", "save", "save"),
    ("new password", "rename", "scope", "new password", "renew", "remove"),
)


@pytest.mark.parametrize("acts", GROUPS, ids=", ".join)
def test_a_change_that_is_killed_loses_nothing_and_leaves_nothing_unseen(acts: tuple[str, ...], folder: Path) -> None:
    told = stopping(str(folder), "kill", *acts)
    assert told["problems"] == []
    assert list(told["steps"]) == list(acts)
    assert all(steps > (5 if act == "scope" else 10) for act, steps in told["steps"].items())


@pytest.mark.parametrize("pairs", PAIRS, ids=", ".join)
def test_what_another_process_does_in_between_loses_nothing(pairs: tuple[str, ...], folder: Path) -> None:
    """`pairs`: what is stopped at each of its steps, what is done then; and so on."""
    told = stopping(str(folder), "pause", *pairs)
    assert told["problems"] == []
    assert len(told["steps"]) == len(pairs) // 2
    assert all(steps > 5 for steps in told["steps"].values())
