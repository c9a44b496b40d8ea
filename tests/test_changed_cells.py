"""Of what is painted, only the cells that look different go over the line; the terminal shows what was painted."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Region, Size
from textual.strip import Strip

from smtp_wizard.changed_cells import ChangedCells, TerminalCells
from tests.support.walk import make_services, walking

WIDTH, HEIGHT = 12, 3
SIZE = Size(WIDTH, HEIGHT)
CONSOLE = Console(color_system="truecolor", force_terminal=True, file=io.StringIO())

styles = st.builds(
    Style,
    color=st.sampled_from([None, "#e6e8ea", "#7cc4ff"]),
    bgcolor=st.sampled_from([None, "#13161b", "#242b35"]),
    bold=st.booleans(),
    strike=st.booleans(),
    reverse=st.booleans(),
)
texts = st.text(st.sampled_from("ab  ✓│漢字"), max_size=8)


@st.composite
def strips(draw: st.DrawFn, width: int) -> Strip:
    """A piece of a row, exactly so wide."""
    parts = draw(st.lists(st.tuples(texts, styles).map(lambda part: Segment(*part)), max_size=3))
    return Strip(parts).adjust_cell_length(width, draw(styles))


@st.composite
def whole(draw: st.DrawFn) -> CompositorUpdate:
    return LayoutUpdate([[draw(strips(WIDTH))] for _ in range(HEIGHT)], Region(0, 0, WIDTH, HEIGHT))


@st.composite
def in_part(draw: st.DrawFn) -> CompositorUpdate:
    """A part of one row, as the toolkit writes it: beside other parts that are not painted."""
    y, cut = draw(st.integers(0, HEIGHT - 1)), draw(st.integers(1, WIDTH - 1))
    begin = draw(st.integers(cut, WIDTH - 1))
    end = draw(st.integers(begin + 1, WIDTH))
    chops: list[dict[int, Strip | None]] = [{0: None, cut: None} for _ in range(HEIGHT)]
    chops[y][cut] = draw(strips(WIDTH - cut))
    return ChopsUpdate(chops, [(y, begin, end)], [[cut, WIDTH]] * HEIGHT)


class Terminal:
    """A terminal, and what it shows."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self.stream = pyte.Stream(self.screen)

    def write(self, update: CompositorUpdate | None) -> str:
        sent = update.render_segments(CONSOLE) if update is not None else ""
        self.stream.feed(sent)
        return sent

    @property
    def shown(self) -> list[list[tuple[object, ...]]]:
        """Every cell as it looks: of a blank its ground alone, where no line goes through it."""
        return [[_look(self.screen.buffer[y][x]) for x in range(WIDTH)] for y in range(HEIGHT)]


def _look(cell: pyte.screens.Char) -> tuple[object, ...]:
    lined = (cell.bg, cell.strikethrough, cell.reverse)
    return ((cell.data, *lined)) if cell.data == " " and not any(lined[1:]) else (cell.data, cell.fg, cell.bold, *lined)


@given(st.tuples(whole(), st.lists(whole() | in_part(), max_size=5)))
def test_the_terminal_shows_what_was_painted(frames: tuple[CompositorUpdate, Sequence[CompositorUpdate]]) -> None:
    """Whatever is painted over whatever, the end is the same as if every cell had been written."""
    first, others = frames
    told, cells, plain = Terminal(), TerminalCells(), Terminal()
    for frame in (first, *others):
        plain.write(frame)
        told.write(cells.changed(frame, SIZE))
        assert told.shown == plain.shown


@given(whole())
def test_what_stands_there_already_is_not_sent(frame: CompositorUpdate) -> None:
    cells = TerminalCells()
    assert cells.changed(frame, SIZE) is not None
    assert cells.changed(frame, SIZE) is None


def row(text: str, **style: object) -> LayoutUpdate:
    strip = Strip([Segment(text, Style(**style))]).adjust_cell_length(WIDTH)  # type: ignore[arg-type]
    return LayoutUpdate([[strip]], Region(0, 0, WIDTH, 1))


def test_one_letter_costs_one_letter() -> None:
    terminal, cells = Terminal(), TerminalCells()
    terminal.write(cells.changed(row("Save"), SIZE))
    assert terminal.write(cells.changed(row("Safe"), SIZE)) == "\x1b[1;3Hf"


def test_a_colour_is_named_once_and_taken_back() -> None:
    """Two pieces in one colour: the second does not name it again."""
    terminal, cells = Terminal(), TerminalCells()
    terminal.write(cells.changed(row("a          b"), SIZE))
    sent = terminal.write(cells.changed(row("c          d", color="#7cc4ff"), SIZE))
    assert sent == "\x1b[1;1H\x1b[38;2;124;196;255mc\x1b[1;12Hd\x1b[39m"


def test_a_blank_in_another_colour_is_the_same_blank() -> None:
    cells = TerminalCells()
    cells.changed(row("  ", color="#7cc4ff"), SIZE)
    assert cells.changed(row("  ", color="#e6e8ea"), SIZE) is None
    assert cells.changed(row("  ", bgcolor="#e6e8ea"), SIZE) is not None


@pytest.mark.parametrize("size", [Size(WIDTH, HEIGHT + 1), Size(WIDTH + 1, HEIGHT)])
def test_another_size_is_another_terminal(size: Size) -> None:
    """A terminal that changes its size may show anything."""
    cells = TerminalCells()
    frame = row("Save")
    cells.changed(frame, SIZE)
    assert cells.changed(frame, size) is not None


async def test_all_is_sent_again_where_others_have_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl+L, and the way back from a shell or from a command that had the terminal."""
    sent: list[ChangedCells | None] = []
    changed = TerminalCells.changed

    def seen(self: TerminalCells, update: CompositorUpdate, size: Size) -> ChangedCells | None:
        sent.append(changed(self, update, size))
        return sent[-1]

    monkeypatch.setattr(TerminalCells, "changed", seen)
    async with walking(make_services(tmp_path)) as walk:
        await walk.at("address")

        async def cells_after(key: str) -> int:
            sent.clear()
            await walk.press(key)
            await walk.pilot.pause()
            pieces = [piece for each in sent if each is not None for _, _, piece in each.pieces]
            return sum(piece.cell_length for piece in pieces)

        assert await cells_after("a") < 20
        assert await cells_after("ctrl+l") == 80 * 24
        walk.app.app_resume_signal.publish(walk.app)
        walk.app.refresh(layout=True)
        assert await cells_after("b") == 80 * 24
