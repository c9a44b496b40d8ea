"""Guides: all of them by their titles, found as one types; Enter reads one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.widget import Widget

from smtp_wizard.flows.areas.guides import GuideLine, GuidesFlow, GuidesState
from smtp_wizard.flows.flow import Section
from smtp_wizard.screens.kit import Kit
from smtp_wizard.screens.page import Page
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.chosen_detail import ChosenDetail
from smtp_wizard.widgets.frame import Frame, TextFrame
from smtp_wizard.widgets.outcome_card import OutcomeCard
from smtp_wizard.widgets.rows import Column, ListRow, RowList

COLUMNS = (Column("Guide", 60, grows=True), Column("Takes", 7, right=True))


class GuideListScreen(Page[None]):
    """Typing finds, the arrows choose."""

    HEADING = "Guides"
    HELP: ClassVar[str] = "Every guide, step by step. Type a provider or a word to find one; Enter reads it."

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit)
        self.flow = GuidesFlow(kit.guides)
        self.flow.changed = self._changed
        self.frame = TextFrame(self.flow.state.find, id="guide-find")
        self.list = RowList(COLUMNS, list(map(_row, self.flow.state.rows)), id="guides")
        self.card = OutcomeCard(self.flow.state.card)
        self.detail = ChosenDetail()
        self.detail.show_sections(self.flow.state.sections)

    def column(self) -> Iterator[Widget]:
        yield self.frame
        yield self.card
        yield self.list
        yield self.detail

    def rail(self) -> Sequence[Section]:
        return self.flow.state.sections

    def chips(self) -> Sequence[Chip]:
        read = [Chip("enter", each.verb, self._read) for each in self.flow.state.offers]
        return [
            *read,
            Chip("", "Choose", help="choose a guide", shown=False),
            Chip("pagedown", "Further down", lambda: self.list.action_page(1), shown=False),
            Chip("pageup", "Further up", lambda: self.list.action_page(-1), shown=False),
        ]

    def _changed(self, state: GuidesState) -> None:
        self.frame.show(state.find)
        rows = tuple(map(_row, state.rows))
        if rows != self.list.list:
            self.list.fill(rows, selected=rows[state.at].key if rows else None)
        self.detail.show_sections(state.sections)
        self.redraw()

    @on(Frame.Changed)
    def _find(self, message: Frame.Changed) -> None:
        self.flow.find(message.text)

    @on(RowList.Highlighted)
    def _choose(self, message: RowList.Highlighted) -> None:
        self.flow.choose(self.list.at)

    @on(RowList.Chosen)
    def _read(self) -> None:
        chosen = self.flow.chosen
        if chosen is not None:
            self.show_guide(chosen.id)


def _row(line: GuideLine) -> ListRow:
    return ListRow(line.id, (line.title, line.time), muted=line.closed)
