"""A test over rows of data looks at each of them, and names each that is wrong."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from tests.support.rows import each_row, rows_of


def test_all_that_are_wrong_are_named_with_what_is_wrong() -> None:
    looked_at: list[int] = []

    @each_row(
        ("number", "what"), [(1, "good"), (2, "bad"), (3, "good"), (4, "worse")], ids=lambda row: f"line {row[0]}"
    )
    def looks(number: int, what: str) -> None:
        looked_at.append(number)
        assert what != "bad", "it is bad"
        if what == "worse":
            raise ValueError("it broke")

    with pytest.raises(pytest.fail.Exception) as end:
        looks()
    head, *wrong = str(end.value).splitlines()
    assert head == "2 of 4 rows are wrong:"
    assert [
        line.startswith(f"- line {row}: {kind} in line ")
        for line, row, kind in zip(
            (line for line in wrong if line.startswith("-")), (2, 4), ("AssertionError", "ValueError"), strict=True
        )
    ] == [True, True]
    assert "it is bad" in str(end.value)
    assert "it broke" in str(end.value)
    assert looked_at == [1, 2, 3, 4]


def test_what_is_expected_to_be_raised_and_is_not_is_wrong_too() -> None:
    @each_row("number", [1, 2])
    def looks(number: int) -> None:
        with pytest.raises(ZeroDivisionError):
            number / (number - 1)

    with pytest.raises(pytest.fail.Exception, match=r"(?s)1 of 2 rows are wrong:\n- 2: Failed .*DID NOT RAISE"):
        looks()


@each_row("number", [1, 2])
def test_all_rows_share_the_fixtures(number: int, tmp_path: Path) -> None:
    (tmp_path / str(number)).touch()
    assert len(list(tmp_path.iterdir())) == number


def test_rows_are_counted_and_there_is_one() -> None:
    @each_row("number", [1, 2, 3])
    def looks(number: int) -> None:
        assert number

    assert rows_of(looks) == 3
    assert rows_of(test_rows_are_counted_and_there_is_one) == 0
    assert [*inspect.signature(looks).parameters] == []
    with pytest.raises(AssertionError, match="no row"):
        each_row("number", [])


def test_rows_that_take_time_to_find_are_found_when_they_are_wanted() -> None:
    found: list[str] = []

    def find() -> list[int]:
        found.append("once")
        return [1, 0]

    @each_row("number", find)
    def looks(number: int) -> None:
        assert number

    assert found == []
    with pytest.raises(pytest.fail.Exception, match="1 of 2 rows are wrong"):
        looks()
    assert (rows_of(looks), found) == (2, ["once"])
    with pytest.raises(AssertionError, match="no row"):
        each_row("number", list)(looks)()
