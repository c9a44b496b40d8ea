"""Tables for a person: written out in a pipe, folded in a terminal that is narrower."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.runtime.tables import NARROWEST, facts, folded, table

ROWS = [("Provider", "Limit", "Who says so"), ("gmail", "500 messages per day", "a page with a long title")]


def test_what_fits_and_what_is_read_by_a_program_is_one_line_a_row() -> None:
    assert table(ROWS) == table(ROWS, 80)
    assert table(ROWS)[1] == "gmail     500 messages per day  a page with a long title"
    assert table([]) == []


def test_what_does_not_fit_is_folded_at_blanks_and_stays_in_its_column() -> None:
    assert table(ROWS, 40) == [
        "Provider  Limit           Who says so",
        "gmail     500 messages    a page with a",
        "          per day         long title",
    ]


cell = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=40)


@given(st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=5), st.integers(3 * NARROWEST + 4, 120))
def test_nothing_is_lost_and_no_row_is_wider_than_the_terminal(rows: list[tuple[str, str, str]], width: int) -> None:
    lines = table(rows, width)
    wide = sum(2 if not each.isascii() else 1 for line in lines for each in line)
    assert all(len(line) <= width for line in lines) or wide
    told = sorted("".join(lines).replace(" ", ""))
    assert told == sorted("".join("".join(row) for row in rows).replace(" ", ""))


@pytest.mark.parametrize("width", [1, 10, 31])
def test_a_terminal_that_is_too_narrow_ends_nothing(width: int) -> None:
    assert table(ROWS, width)


def test_an_id_is_not_cut_while_another_column_can_give_room() -> None:
    rows = [("google-workspace-relay", "10,000 messages per day, each user, any 24 hours", "a page")]
    assert table(rows, 50)[0].startswith("google-workspace-relay  ")


def test_a_cell_has_its_colour_and_the_columns_stay_where_they_are() -> None:
    rows = [("Result", "Seconds"), ("ok", "0.5"), ("FAIL Sign in", "1.0")]
    plain, painted = table(rows, 80), table(rows, 80, {0: ["", "32", "31;1"]})
    assert painted[1] == "\x1b[32mok\x1b[0m            0.5"
    assert [line.replace("\x1b[32m", "").replace("\x1b[31;1m", "").replace("\x1b[0m", "") for line in painted] == plain
    assert table([("a", ""), ("b", "ok")], None, {1: ["32", "32"]}) == ["a", "b  \x1b[32mok\x1b[0m"]


def test_a_text_is_folded_at_blanks_behind_its_number_and_in_a_pipe_not_at_all() -> None:
    text = " 1. Look up the server, and test again\n  A note that is long\nhttps://example.com/a-long-address"
    assert folded(text, None) == text
    assert folded(text, 20).split("\n") == [
        " 1. Look up the",
        "    server, and test",
        "    again",
        "  A note that is",
        "    long",
        "https://example.com/a-long-address",
    ]
    assert folded(text, 3) == text, "in a terminal without any room nothing is gained"


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.just(" "), max_size=200))
def test_folding_loses_no_word(text: str) -> None:
    assert folded(text, 30).split() == text.split()


def test_what_is_said_of_a_name_is_folded_and_no_path_is_cut() -> None:
    path = "/home/ana/.config/smtp-wizard/sandbox/ca.pem"
    rows = [("Password", "abcd efgh ijkl mnop, no other"), ("CA file", path)]
    assert facts(rows) == [f"Password  {rows[0][1]}", f"CA file   {path}"]
    assert facts(rows, 30) == ["Password  abcd efgh ijkl mnop,", "          no other", f"CA file   {path}"]
    assert facts([]) == []
