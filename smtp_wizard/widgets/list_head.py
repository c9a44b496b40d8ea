"""What stands above a list: what it is in bold, and how much of it there is, muted."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from smtp_wizard.widgets.chosen_detail import COLUMN
from smtp_wizard.widgets.lines import MUTED, STRONG, Lines


class ListHead(Lines):
    """In one row where there is room, else in two; an empty row below."""

    def __init__(self, id: str = "counted") -> None:
        super().__init__(id=id)
        self.said = ("", "")

    def tell(self, title: str, counted: str = "") -> None:
        """Say something else."""
        old = self.rows_at(self.size.width)
        self.said = (title, counted)
        self.repaint_changed(old)

    def rows_at(self, width: int) -> Sequence[Content]:
        """As `Lines.rows_at`."""
        title, counted = self.said
        if len(title) + len(counted) + 3 > (width or COLUMN):
            return [Content.styled(title, STRONG), Content.styled(counted, MUTED), Content("")]
        return [Content.assemble((title, STRONG), (f"   {counted}" if counted else "", MUTED)), Content("")]
