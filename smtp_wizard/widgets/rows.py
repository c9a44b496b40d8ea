"""A list in columns as one part: head, rows and scroll bar are drawn row by row, so that an arrow repaints two rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from smtp_wizard.flows.flow import Mood
from smtp_wizard.widgets.lines import ACCENT, BAD, EDGE, GOOD, MUTED, STRONG, WARNED, Lines
from smtp_wizard.widgets.offers import MARK
from smtp_wizard.widgets.plain_text import folded

SIGNS = {Mood.PASSED: ("✓", GOOD), Mood.WARNED: ("!", WARNED), Mood.FAILED: ("✗", BAD)}
"""What stands before a row, and its colour."""
NONE = -1
"""The place of the mark while no row has it."""
GAP = 2
"""Blanks between columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """A head, and how wide its cells are."""

    head: str
    width: int
    right: bool = False
    """Flush right: figures."""
    grows: bool = False
    """Takes what the window has to spare, and gives way first; one column of a list does."""
    least: int = 0
    """How narrow it may become, in a window in which the one that grows would be cut off; 0: it keeps its width."""


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row: a name by which it is known again, its cells, and the sign before them."""

    key: str
    cells: tuple[str, ...]
    mood: Mood | None = None
    muted: bool = False


class RowList(Lines, can_focus=True):
    """Rows of which one has the mark; the list fills the height that it is given."""

    class Highlighted(Message):
        """Another row has the mark: `row`, or None in an empty list."""

        def __init__(self, rows: RowList, row: ListRow | None) -> None:
            super().__init__()
            self.rows = rows
            self.row = row

        @property
        def control(self) -> RowList:
            """The list."""
            return self.rows

    class Chosen(Message):
        """The row with the mark was clicked on once more; Enter is the screen's first chip."""

        def __init__(self, rows: RowList, row: ListRow) -> None:
            super().__init__()
            self.rows = rows
            self.row = row

        @property
        def control(self) -> RowList:
            """The list."""
            return self.rows

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("home", "move(-100000)", show=False),
        Binding("end", "move(100000)", show=False),
    ]

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Sequence[ListRow] = (),
        *,
        empty: str = "",
        undecided: bool = False,
        id: str = "rows",
    ) -> None:
        """`empty`: what stands there while there is no row. `undecided`: no row has the mark until one is given it."""
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.list: Sequence[ListRow] = tuple(rows) if isinstance(rows, list) else rows
        """All rows; one that makes each when it is asked for costs no more than what is in sight."""
        self.empty = empty
        self.at = NONE if undecided else 0
        self.top = 0
        self.signed = _signed(rows)

    @property
    def selected(self) -> ListRow | None:
        """The row with the mark."""
        return self.list[self.at] if NONE < self.at < len(self.list) else None

    @property
    def page(self) -> int:
        """How many rows are in sight."""
        return max(1, self.size.height - 1)

    def fill(
        self,
        rows: Sequence[ListRow],
        selected: str | None = None,
        *,
        undecided: bool = False,
        at: int | None = None,
    ) -> None:
        """Put other rows there. The mark goes to the row `selected`; else it stays with its row, else it is first.

        `undecided`: else no row has it. `at`: its place, where the caller knows it: then no row is looked at but those
        in sight.
        """
        if at is None:
            wanted = selected if selected is not None else self.selected.key if self.selected is not None else ""
            at = next((at for at, row in enumerate(rows) if row.key == wanted), NONE if undecided else 0)
        self.list = tuple(rows) if isinstance(rows, list) else rows
        self.signed, self.at = _signed(rows), at
        self._scroll()
        self.refresh()
        self.post_message(self.Highlighted(self, self.selected))

    def move(self, by: int) -> bool:
        """Give the mark to another row; return whether there was one."""
        at = min(max(self.at + by, 0), len(self.list) - 1)
        if at == self.at or not self.list:
            return False
        before, self.at = self.at, at
        if self._scroll():
            self.refresh()
        else:
            # The last cell is the scroll bar's, which stays as it is.
            width = self.size.width - (len(self.list) > self.page)
            self.refresh(*(Region(0, 1 + each - self.top, width, 1) for each in (before, at)))
        self.post_message(self.Highlighted(self, self.selected))
        return True

    def action_move(self, by: int) -> None:
        """As `move`."""
        self.move(by)

    def action_page(self, by: int) -> None:
        """Move by as many rows as are in sight."""
        self.move(by * self.page)

    def _scroll(self) -> bool:
        """Bring the mark into sight, half a page at once: each scrolled row goes over the line, all of them."""
        before = self.top
        if not self.top <= self.at < self.top + self.page:
            self.top = self.at - self.page // 2
        self.top = max(0, min(len(self.list) - self.page, self.top))
        return self.top != before

    def on_resize(self) -> None:
        """Keep the mark in sight."""
        self._scroll()

    # -- drawing ----------------------------------------------------------------------------------------------------

    def widths(self) -> list[int]:
        """Return the widths of the columns in the window as it is."""
        taken = len(MARK) + (GAP if self.signed else 0) + 1
        spare = self.size.width - taken - sum(each.width + GAP for each in self.columns) + GAP
        widths: list[int] = []
        for each in self.columns:
            given = min(max(-spare, 0), each.width - each.least) if each.least else 0
            spare += given
            widths.append(each.width - given)
        pairs = zip(self.columns, widths, strict=True)
        return [max(6, width + spare) if each.grows else width for each, width in pairs]

    def row(self, y: int) -> Content:
        """As `Lines.row`: the head, then the rows in sight."""
        if y == 0:
            return Content.styled(self._in_columns([each.head for each in self.columns], ""), MUTED)
        at = self.top + y - 1
        if not self.list:
            rows = folded(self.empty, self.size.width - len(MARK))[y - 2 : y - 1] if y > 1 else []
            return Content.styled(f"{' ' * len(MARK)}{rows[0]}" if rows else "", MUTED)
        if at >= len(self.list):
            return Content("")
        return self._row(self.list[at], at == self.at)

    def _row(self, row: ListRow, chosen: bool) -> Content:
        sign, colour = SIGNS.get(row.mood, (" ", "")) if row.mood is not None else (" ", "")
        words = self._in_columns(row.cells, sign)
        begin = len(MARK)
        style = STRONG if chosen else MUTED if row.muted else ""
        told = Content.styled(words[begin:], style)
        if self.signed and sign.strip():
            told = Content.assemble((words[begin], f"{STRONG} {colour}"), Content.styled(words[begin + 1 :], style))
        return Content.assemble((MARK if chosen else " " * begin, ACCENT), told)

    def _in_columns(self, cells: Sequence[str], sign: str) -> str:
        begin = " " * len(MARK) + (f"{sign or ' '}{' ' * (GAP - 1)}" if self.signed else "")
        fitted = [
            _flush_right(cell, width) if column.right else set_cell_size(shortened(cell, width), width)
            for cell, width, column in zip(cells, self.widths(), self.columns, strict=True)
        ]
        return (begin + (" " * GAP).join(fitted)).rstrip()

    def is_chosen(self, y: int) -> bool:
        """As `Lines.is_chosen`."""
        return bool(self.list) and y > 0 and self.top + y - 1 == self.at

    def render_line(self, y: int) -> Strip:
        """As `Widget.render_line`: the scroll bar's cell is one of the row's."""
        strip, height = super().render_line(y), self.size.height - 1
        if y == 0 or len(self.list) <= height:
            return strip
        begin, end = (round(each * height / len(self.list)) for each in (self.top, self.top + height))
        style = self.visual_style + self.app.stylesheet.parse_style(EDGE)
        thumb = Segment("▐" if begin < y <= end else " ", style.rich_style)
        return Strip.join([strip.crop(0, self.size.width - 1), Strip([thumb])])

    def on_click(self, event: events.Click) -> None:
        """Give the mark to the row that was clicked on; a click on the row that has it takes it."""
        at = self.top + event.y - 1
        if event.y == 0 or at >= len(self.list):
            return
        if at == self.at and self.selected is not None:
            self.post_message(self.Chosen(self, self.selected))
        else:
            self.move(at - self.at)


def _signed(rows: Sequence[ListRow]) -> bool:
    """Whether there is a sign before any row; where there is one before the first, no other is looked at."""
    return any(row.mood is not None for row in rows[:1]) or any(row.mood is not None for row in rows)


def shortened(cell: str, width: int) -> str:
    """Return a cell that fits: what does not ends with an ellipsis, so that nobody takes it for the whole."""
    return cell if cell_len(cell) <= width else set_cell_size(cell, max(width - 1, 0)).rstrip() + "…"


def _flush_right(cell: str, width: int) -> str:
    cell = shortened(cell, width)
    return " " * (width - cell_len(cell)) + cell
