"""What the screens with a list have in common: rows of which the chosen one is told of, and found as one types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from textual import on

from smtp_wizard.flows.flow import Entry, Section
from smtp_wizard.screens.page import Page
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.chosen_detail import ChosenDetail
from smtp_wizard.widgets.frame import Frame, TextFrame
from smtp_wizard.widgets.rows import Column, ListRow, RowList


class HasRows(Protocol):
    """What is needed of a flow whose state has rows."""

    def choose(self, at: int) -> None: ...


class FindsRows(HasRows, Protocol):
    """And of one whose rows are found as one types."""

    def find(self, text: str) -> None: ...


class ListPage(Page[None]):
    """The arrows choose; what the chosen row is about stands below the list, or beside it."""

    flow: HasRows

    def __init__(
        self,
        context: ScreenContext,
        columns: Sequence[Column],
        rows: Sequence[ListRow] = (),
        sections: Sequence[Section] = (),
        *,
        id: str,
    ) -> None:
        """`rows`, and what the first of them is about: what is known from the beginning. `id`: the list's."""
        super().__init__(context)
        self.add_class("-lists")
        self.list = RowList(columns, rows, id=id)
        self.detail = ChosenDetail()
        self.detail.show_sections(sections)

    def show_rows(self, rows: Sequence[ListRow], at: int, sections: Sequence[Section]) -> None:
        """Show other rows, the mark at one of them, and what that one is about."""
        rows = tuple(rows)
        if rows != self.list.list or not rows:
            self.list.fill(rows, selected=rows[at].key if rows else None)
        self.detail.show_sections(sections)
        self.redraw()

    def moves(self, what: str) -> Sequence[Chip]:
        """Return the keys that move the mark; `what` is chosen: 'a guide'."""
        return [
            Chip("", "Choose", help=f"choose {what}", shown=False),
            Chip("pagedown", "Further down", lambda: self.list.action_page(1), shown=False),
            Chip("pageup", "Further up", lambda: self.list.action_page(-1), shown=False),
        ]

    @on(RowList.Highlighted)
    def _choose(self) -> None:
        self.flow.choose(self.list.at)


class FindPage(ListPage):
    """As `ListPage`; typing finds."""

    flow: FindsRows

    def __init__(
        self,
        context: ScreenContext,
        find: Entry,
        columns: Sequence[Column],
        rows: Sequence[ListRow],
        sections: Sequence[Section],
        *,
        id: str,
        field: str,
    ) -> None:
        """`find`: the field for the words, `field` its id; the others as for `ListPage`."""
        super().__init__(context, columns, rows, sections, id=id)
        self.frame = TextFrame(find, id=field)

    @on(Frame.Changed)
    def _find(self, message: Frame.Changed) -> None:
        self.flow.find(message.text)
