"""Guides: all of them by their titles, found as one types; Enter reads one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.widget import Widget

from smtp_wizard.flows.areas.guides import GuideLine, GuidesFlow, GuidesState
from smtp_wizard.flows.flow import Section
from smtp_wizard.screens.areas.list_page import FindPage
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.outcome_card import OutcomeCard
from smtp_wizard.widgets.rows import Column, ListRow, RowList

COLUMNS = (Column("Guide", 60, grows=True), Column("Takes", 7, right=True))


class GuideListScreen(FindPage):
    """Enter reads the chosen one."""

    HEADING = "Guides"
    HELP: ClassVar[str] = "Every guide, step by step. Type a provider or a word to find one; Enter reads it."

    flow: GuidesFlow

    def __init__(self, context: ScreenContext) -> None:
        self.flow = GuidesFlow(context.guides)
        state = self.flow.state
        rows = list(map(_row, state.rows))
        super().__init__(context, state.find, COLUMNS, rows, state.sections, id="guides", field="guide-find")
        self.card = OutcomeCard(state.card)
        self.flow.changed = self._changed

    def column(self) -> Iterator[Widget]:
        yield self.frame
        yield self.card
        yield self.list
        yield self.detail

    def rail(self) -> Sequence[Section]:
        return self.flow.state.sections

    def chips(self) -> Sequence[Chip]:
        read = [Chip("enter", each.verb, self._read) for each in self.flow.state.offers]
        return [*read, *self.moves("a guide")]

    def _changed(self, state: GuidesState) -> None:
        self.frame.show(state.find)
        self.show_rows(list(map(_row, state.rows)), state.at, state.sections)

    @on(RowList.Chosen)
    def _read(self) -> None:
        chosen = self.flow.chosen
        if chosen is not None:
            self.show_guide(chosen.id)


def _row(line: GuideLine) -> ListRow:
    return ListRow(line.id, (line.title, line.time), muted=line.closed)
