"""Rows of data under one test: each row is looked at, and each that is wrong is named, with what is wrong with it."""

from __future__ import annotations

import functools
import inspect
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

Test = Callable[..., None]
LONGEST = 600
"""Characters of what is wrong with one row."""


def each_row(
    names: str | tuple[str, ...], rows: Iterable[Any] | Callable[[], Iterable[Any]], ids: Callable[[Any], object] = str
) -> Callable[[Test], Test]:
    """Run a test for each row of data, as `pytest.mark.parametrize` does, but as one test that lists all failures.

    `names`: the arguments that a row gives; of several, a row is a sequence. `ids`: what a row is called. The other
    arguments of the test are fixtures, which all rows share. Rows that take time to find are given by a function.
    """
    found = functools.cache(lambda: list(rows() if callable(rows) else rows))
    assert callable(rows) or found(), "no row, no test"

    def made_of(test: Test) -> Test:
        @functools.wraps(test)
        def looked_at(**fixtures: Any) -> None:
            known = found()
            assert known, "no row, no test"
            wrong = [told for row in known if (told := _wrong(test, names, row, ids, fixtures))]
            if wrong:
                pytest.fail(f"{len(wrong)} of {len(known)} rows are wrong:\n" + "\n".join(wrong), pytrace=False)

        asked = inspect.signature(test)
        given = {names} if isinstance(names, str) else {*names}
        others = [each for name, each in asked.parameters.items() if name not in given]
        looked_at.__signature__ = asked.replace(parameters=others)  # type: ignore[attr-defined]
        looked_at.rows = lambda: len(found())  # type: ignore[attr-defined]
        return looked_at

    return made_of


def _wrong(
    test: Test, names: str | tuple[str, ...], row: Any, ids: Callable[[Any], object], fixtures: dict[str, Any]
) -> str:
    """Return what is wrong with a row; empty where nothing is."""
    values: Sequence[Any] = (row,) if isinstance(names, str) else row
    given = dict(zip((names,) if isinstance(names, str) else names, values, strict=True))
    try:
        test(**given, **fixtures)
    except (Exception, pytest.fail.Exception) as problem:
        frame = traceback.extract_tb(problem.__traceback__)[-1]
        said = str(problem) or frame.line or ""
        return f"- {ids(row)}: {type(problem).__name__} in line {frame.lineno}: {said[:LONGEST]}"
    return ""


def rows_of(test: object) -> int:
    """Return how many rows a test looks at; 0 for every other test."""
    count: Callable[[], int] | None = getattr(test, "rows", None)
    return count() if count is not None else 0
