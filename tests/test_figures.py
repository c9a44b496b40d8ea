"""The README's two figures are those of the tests: how many of behaviour there are, and how many rows of data."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.rows import rows_of

ROOT = Path(__file__).resolve().parent.parent
SLACK = 0.05
"""By what part a figure may be wrong before it has to be counted again."""


def counted(items: list[pytest.Item]) -> tuple[int, int]:
    """Return how many of these are tests of behaviour, and how many rows of data the others look at."""
    rows = [rows_of(getattr(item, "obj", None)) for item in items]
    return rows.count(0), sum(rows)


def told() -> tuple[int, int]:
    """Return the figures of the README."""
    found = re.search(
        r"about ([\d,]+) tests of behaviour and\s([\d,]+) rows of data", (ROOT / "README.md").read_text("utf-8")
    )
    assert found is not None
    behaviour, rows = (int(figure.replace(",", "")) for figure in found.groups())
    return behaviour, rows


def is_whole(config: pytest.Config, items: list[pytest.Item]) -> bool:
    """Whether these are all tests, those apart that speak to real servers."""
    files = {path for path in (ROOT / "tests").rglob("test_*.py") if path.parent.name != "realservers"}
    chosen = config.getoption("keyword") or config.getoption("markexpr")
    return not chosen and files <= {item.path for item in items}


def test_the_readme_has_the_figures(request: pytest.FixtureRequest) -> None:
    """Where only a part is run, it is not more than the whole."""
    items = [item for item in request.session.items if item.get_closest_marker("real") is None]
    for figure, said in zip(counted(items), told(), strict=True):
        assert figure <= said * (1 + SLACK), f"{figure} and not {said}"
        assert not is_whole(request.config, items) or figure >= said * (1 - SLACK), f"{figure} and not {said}"
