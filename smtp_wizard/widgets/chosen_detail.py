"""What explains the chosen row of a list, below it, where there is no rail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from smtp_wizard.flows.flow import Section
from smtp_wizard.widgets.lines import MUTED, RULE, STRONG, Lines, fitted
from smtp_wizard.widgets.plain_text import folded

DETAIL = 6
"""Rows below a list that tell of the chosen row."""
COLUMN = 76


class ChosenDetail(Lines):
    """Below a list, where there is no rail: the chosen row in a few rows, of a height that never changes."""

    def __init__(self) -> None:
        super().__init__(id="detail", classes="narrow")
        self._sections: tuple[Section, ...] = ()

    def show_sections(self, sections: Sequence[Section]) -> None:
        """Tell of another row."""
        old = self.rows_at(self.size.width)
        self._sections = tuple(sections)
        self.repaint_changed(old)

    def rows_at(self, width: int) -> Sequence[Content]:
        """As `Lines.rows_at`: always as many. A sentence that is cut short ends with an ellipsis."""
        width = width or COLUMN
        rows = [Content.styled("─" * width, RULE)]
        first = [_titled(section, width) for section in self._sections]
        more = [[Content.styled(row, MUTED) for row in folded(line, width)] for line in self._further()]
        for told in (*first, *more):
            room = DETAIL - len(rows)
            rows += [*told[: room - 1], _open_ended(told[room - 1], width)] if len(told) > room > 0 else told
        return [*rows, *[Content("")] * DETAIL][:DETAIL]

    def _further(self) -> Iterator[str]:
        for section in self._sections:
            yield from section.lines[1:]


def _open_ended(row: Content, width: int) -> Content:
    """Return a row that ends with an ellipsis, so that nobody takes it for the last one."""
    return Content.assemble(row[: width - 1], "…")


def _titled(section: Section, width: int) -> list[Content]:
    """Return a section's title and its first line, in one row where there is room."""
    title, first = section.title, section.lines[0] if section.lines else ""
    return fitted(Content.assemble((title, STRONG), f"  {first}" if title else first), width)
