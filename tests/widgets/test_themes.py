"""What is drawn fits the terminal: ASCII where nothing else is shown, no colour where none is wanted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.color import Color
from textual.theme import Theme

from smtp_wizard.runtime.console import only_ascii
from smtp_wizard.widgets.themes import (
    DARK,
    HIGH_CONTRAST,
    LIGHT,
    NO_COLOR,
    OWN,
    THEMES,
    AsciiFilter,
    JoinedFilter,
    spelt,
    theme_for,
)


@given(st.text(max_size=60))
def test_what_is_spelt_is_ascii_and_takes_as_many_cells(text: str) -> None:
    shown = spelt(text)
    assert shown.isascii()
    if all(cell_len(ch) for ch in text):
        assert cell_len(shown) == cell_len(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Zoë", "Zoe"), ("“a” – b…", '"a" - b.'), ("▁▅", "__"), ("日", "??"), ("plain", "plain"), ("a\u0301", "a")],
)
def test_accents_fall_off_and_signs_become_plain_ones(text: str, plain: str) -> None:
    assert spelt(text) == plain


def test_the_filter_spells_every_segment_and_keeps_its_style() -> None:
    segment = Segment("Zoë", None, None)
    assert AsciiFilter().apply([segment], Color(0, 0, 0)) == [Segment("Zoe", None, None)]


@pytest.mark.parametrize(
    ("terminal", "encoding", "ascii_alone"),
    [
        ("xterm-256color", "utf-8", False),
        ("xterm", "UTF8", False),
        ("linux", "utf-8", True),
        ("vt220", "utf-8", True),
        ("xterm", "ascii", True),
        ("xterm", "latin-1", True),
        ("xterm", None, True),
    ],
)
def test_a_bare_console_or_line_gets_ascii_alone(terminal: str, encoding: str | None, ascii_alone: bool) -> None:
    assert only_ascii({"TERM": terminal}, encoding) is ascii_alone


@pytest.mark.parametrize(
    ("environ", "theme"),
    [
        ({}, "dark"),
        ({"NO_COLOR": "1"}, "no-color"),
        ({"NO_COLOR": ""}, "dark"),  # no-color.org: where it is not empty
        ({"SMTP_WIZARD_THEME": "light", "NO_COLOR": "1"}, "light"),
        ({"SMTP_WIZARD_THEME": "high-contrast"}, "high-contrast"),
        ({"SMTP_WIZARD_THEME": "no such"}, "dark"),
    ],
)
def test_the_look_that_was_asked_for_wins(environ: dict[str, str], theme: str) -> None:
    assert theme_for(environ) == theme
    assert theme in {each.name for each in OWN}
    assert set(THEMES.values()) | {NO_COLOR} == {each.name for each in OWN}


def luminance(color: Color) -> float:
    """Relative luminance, WCAG 2.2."""

    def channel(value: int) -> float:
        part = value / 255
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (channel(value) for value in color.rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(Color.parse(one)), luminance(Color.parse(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


INKS = ("foreground", "accent", "success", "warning", "error")


@pytest.mark.parametrize(
    ("theme", "least"), [(DARK, 4.5), (LIGHT, 4.5), (HIGH_CONTRAST, 7.0)], ids=lambda v: str(v)[:20]
)
def test_every_text_stands_out_on_every_ground(theme: Theme, least: float) -> None:
    grounds = [str(theme.background), str(theme.surface), theme.variables["chosen"]]
    inks = [*(str(getattr(theme, each)) for each in INKS), theme.variables["mute"]]
    assert {(ink, ground) for ink in inks for ground in grounds if contrast(ink, ground) < least} == set()


@pytest.mark.parametrize("theme", [DARK, LIGHT, HIGH_CONTRAST], ids=lambda theme: theme.name)
def test_edges_of_fields_and_marks_of_choices_stand_out_three_to_one(theme: Theme) -> None:
    assert contrast(theme.variables["edge"], str(theme.background)) >= 3.0
    assert contrast(str(theme.accent), theme.variables["chosen"]) >= 3.0


def ground(**ink: Any) -> RichStyle:
    return RichStyle(bgcolor="#13161b", **ink)


def test_what_is_painted_alike_goes_over_the_line_as_one() -> None:
    """An edge, the blanks beside it and the next edge need one sequence of colours, not five."""
    edge = ground(color="#6b7684")
    row = [Segment("│", edge), Segment(" ", ground()), Segment("    ", ground(color="#e6e8ea")), Segment("│", edge)]
    assert JoinedFilter().apply(row, Color(0, 0, 0)) == [Segment("│     │", edge)]


def test_a_colour_that_is_written_in_two_ways_is_one() -> None:
    row = [Segment("a", RichStyle(bgcolor="#13161b")), Segment(" b", RichStyle(bgcolor="rgb(19,22,27)"))]
    assert [text for text, *_ in JoinedFilter().apply(row, Color(0, 0, 0))] == ["a b"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ground(), RichStyle(bgcolor="#1b2027")),
        (ground(), ground(reverse=True)),
        (ground(underline=True), ground()),
        (ground(), ground(strike=True)),
        (ground(meta={"row": 1}), ground(meta={"row": 2})),
        (None, ground()),
    ],
)
def test_blanks_that_show_stay_as_they_are(one: RichStyle | None, other: RichStyle) -> None:
    row = [Segment("word", one), Segment("   ", other)]
    assert JoinedFilter().apply(row, Color(0, 0, 0)) == row


def test_words_of_two_colours_stay_two() -> None:
    row = [Segment("Enter", ground(bold=True)), Segment(" go on", ground())]
    assert JoinedFilter().apply(row, Color(0, 0, 0)) == row
