"""Text that is drawn row by row: what changes repaints its own row, and no more goes over the line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.content import Content
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.plain_text import broken, hanging

MUTED, ACCENT, EDGE, RULE = "$mute", "$accent", "$edge", "$rule"
GOOD, WARNED, BAD = "$success", "$warning", "$error"
STRONG, STRUCK = "bold", "strike $mute"
"""The styles of words: a colour says a state, the accent says where the focus is. For `Content.styled` and its like."""


def fitted(row: Content, width: int, hang: int | None = None) -> list[Content]:
    """Break a row at blanks to a width, a long web address behind a slash; below a point or a label what follows hangs.

    `hang`: by how many columns, where the words alone do not say it.
    """
    if row.cell_length <= width or width < 1:
        return [row]
    if set(row.plain) == {"─"}:
        return [row[:width]]
    hang = hanging(row.plain, width) if hang is None else hang
    rows: list[Content] = []
    at = hang
    for words in (words for line in row.plain[hang:].split("\n") for words in broken(line, width - hang)):
        begin = row.plain.index(words, at)
        at = begin + len(words)
        rows.append(Content.assemble(row[:hang] if not rows else " " * hang, row[begin:at]))
    return rows


class Lines(FaultContained, Widget):
    """Rows of text. `show` puts others in place and repaints those that differ.

    A row is a `Content`, so that no markup is read from words. For rows that depend on the width, override `rows_at`.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"lines--chosen"}
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), repaint=False)
    """As the toolkit's, which lays out and paints a second time what has got another size. Rows scroll with others."""
    least = 0
    """Rows for which there is room in any case."""

    def __init__(self, rows: Sequence[Content] = (), *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rows = tuple(rows)
        self._fitted: tuple[int, Sequence[Content]] | None = None
        """For how many columns the rows were broken last, and what came of it: each line that is drawn asks for it."""

    def rows_at(self, width: int) -> Sequence[Content]:
        """Return the rows for so many columns; one that is longer is broken at blanks, a line that separates is cut."""
        if self._fitted is None or self._fitted[0] != width:
            self._fitted = (width, [each for row in self._rows for each in fitted(row, width)])
        return self._fitted[1]

    def show(self, rows: Sequence[Content]) -> None:
        """Put other rows there."""
        old = self.rows_at(self.size.width)
        self._rows, self._fitted = tuple(rows), None
        self.repaint_changed(old)

    def repaint_changed(self, old: Sequence[Content]) -> None:
        """Repaint the rows that differ from those that stood there before."""
        new = self.rows_at(self.size.width)
        if max(len(new), self.least) != max(len(old), self.least) and self.styles.is_auto_height:
            self.refresh(layout=True)
            return
        for y in range(max(len(old), len(new))):
            before, now = old[y : y + 1], new[y : y + 1]
            if before != now or (before and before[0].spans != now[0].spans):
                # No wider than the longer of both: blanks go over the line, too.
                width = max(each.cell_length for each in (*before, *now))
                self.refresh(Region(0, y, max(width, 1), 1))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As `Widget.get_content_height`."""
        return max(self.least, len(self.rows_at(width)))

    def is_chosen(self, y: int) -> bool:
        """Whether a row has the ground of what is chosen."""
        return False

    def row(self, y: int) -> Content:
        """Return a row; an empty one below the last."""
        rows = self.rows_at(self.size.width)
        return rows[y] if y < len(rows) else Content("")

    def render_line(self, y: int) -> Strip:
        """As `Widget.render_line`."""
        base = self.visual_style
        if self.is_chosen(y):
            base += Style(background=self.get_visual_style("lines--chosen").background)
        return self.strip_of(self.row(y), base, self.size.width)

    def strip_of(self, row: Content, base: Style, width: int) -> Strip:
        """Draw a row over a ground, exactly so wide."""
        cells: list[Segment] = []
        for text, own in row.render(base, end="", parse_style=self.app.stylesheet.parse_style):
            cells.append(Segment(text, own.rich_style))
        return Strip(cells).adjust_cell_length(width, base.rich_style).simplify()


class Paragraphs(Lines):
    """Text to read, a paragraph a row, broken for the width that there is."""
