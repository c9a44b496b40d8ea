"""A list in columns that fit the window, its heads over the right figures whatever happened before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.widgets import DataTable

from smtp_wizard.widgets.fault_containment import FaultContained

MARK = 2
"""The width of the mark before a row."""
USUAL = 80
"""The columns of a window for which the widths are given."""
ROOM = 75
"""What they may add up to: the mark, the edges and a scroll bar take the rest."""


@dataclass(frozen=True, slots=True)
class Column:
    """A head, and how wide its cells are, with the blank behind them."""

    head: str
    width: int
    """In a window of the usual width."""
    least: int = 0
    """As far as it gives way in a narrower one; 0: it does not."""
    most: int = 0
    """As far as it grows in a wider one; 0: it does not."""


def fitted(columns: Sequence[Column], window: int) -> tuple[int, ...]:
    """Return the widths of columns in a window of so many columns.

    What is more than usual is shared among those that grow, what is less among those that give way, each as far as it
    goes.
    """
    widths = [each.width for each in columns]
    spare = window - USUAL
    step = 1 if spare > 0 else -1
    while spare:
        bends = [at for at, each in enumerate(columns) if _bends(each, widths[at], step)]
        if not bends:
            break
        for at in bends[: abs(spare)]:
            widths[at] += step
            spare -= step
    return tuple(widths)


def _bends(column: Column, width: int, step: int) -> bool:
    return width < column.most if step > 0 else bool(column.least) and width > column.least


class Table(FaultContained, DataTable[Text]):
    """Rows of which one is chosen, with a real mark before it, so that it shows without colour.

    A row is one cell, its columns made of blanks: each cell of a row would go over the line with colours of its own.
    Heads and rows are always laid out together, for the window as it is.
    """

    def __init__(self, columns: Sequence[Column], *, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="row", cell_padding=0)
        self._columns_wanted = tuple(columns)
        self._cells: list[tuple[str, tuple[str, ...]]] = []
        self._widths: tuple[int, ...] = ()

    def fill(self, rows: Iterable[tuple[str, Sequence[str]]], chosen: int = 0) -> None:
        """List rows, each with a key and its cells, in place of those before; the mark goes to the row `chosen`."""
        self._cells = [(key, tuple(cells)) for key, cells in rows]
        self._lay_out(chosen)

    def on_resize(self, event: events.Resize) -> None:
        """Lay everything out again where the window has become wider or narrower."""
        if self._widths != self._fitting:
            self._lay_out(self.cursor_row)

    @property
    def _fitting(self) -> tuple[int, ...]:
        return fitted(self._columns_wanted, self.app.size.width)

    def _lay_out(self, chosen: int) -> None:
        self._widths = self._fitting
        self.clear(columns=True)
        heads = self._in_columns([each.head for each in self._columns_wanted])
        self.add_column(heads, width=heads.cell_len)
        for key, cells in self._cells:
            self.add_row(self._in_columns(cells), key=key)
        if self._cells:
            self.move_cursor(row=min(max(chosen, 0), len(self._cells) - 1), animate=False)

    def _in_columns(self, cells: Sequence[str]) -> Text:
        """Put cells under one another. As `Text`: a name is a text, and would be read for markup otherwise."""
        line = Text(" " * MARK, no_wrap=True)
        for cell, width in zip(cells, self._widths, strict=True):
            line.append(set_cell_size(set_cell_size(cell, width - 1), width))
        return line

    def _render_cell(
        self,
        row_index: int,
        column_index: int,
        base_style: Style,
        width: int,
        cursor: bool = False,
        hover: bool = False,
    ) -> list[list[Segment]]:
        """Draw the mark with the cursor's own cell: a cell that is changed has the whole table painted again."""
        lines = super()._render_cell(row_index, column_index, base_style, width, cursor, hover)
        if not cursor or column_index != 0:
            return lines
        (first, *rest), *more_lines = lines
        return [[Segment(f">{first.text[1:]}", first.style), *rest], *more_lines]
