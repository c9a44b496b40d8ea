"""The practice inbox: what was sent to the practice server, newest first; Enter reads one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.engine.services.checks import PRACTICE_FOLDER
from smtp_wizard.flows.areas.inbox import (
    ANSWERS,
    EMPTY,
    EMPTY_QUESTION,
    InboxFlow,
    InboxOffer,
    InboxState,
    Letter,
    Practise,
    ReadLetter,
)
from smtp_wizard.flows.flow import Section
from smtp_wizard.screens.areas.list_page import ListPage
from smtp_wizard.screens.panel import QuestionPanel, TextPanel
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.widgets.chips import Chip, key_named
from smtp_wizard.widgets.fault_containment import work_once
from smtp_wizard.widgets.outcome_card import OutcomeCard
from smtp_wizard.widgets.rows import Column, ListRow, RowList

COLUMNS = (Column("Arrived", 12), Column("To", 22, least=14), Column("Subject", 30, grows=True))
ABOUT = Section("", ("What is sent while you practise goes nowhere else.",))


class InboxScreen(ListPage):
    """The arrows choose, Enter reads."""

    HEADING = "Practice inbox"
    HELP: ClassVar[str] = (
        "What was sent to the practice server on this computer, the newest first. Nothing of it ever left. Enter "
        "reads the message with the mark."
    )

    flow: InboxFlow

    def __init__(self, context: ScreenContext) -> None:
        super().__init__(context, COLUMNS, id="letters")
        self.flow = InboxFlow(context.services.folder / PRACTICE_FOLDER)
        self.flow.changed = self._changed
        self.card = OutcomeCard()

    def column(self) -> Iterator[Widget]:
        yield self.card
        yield self.list
        yield self.detail

    def rail(self) -> Sequence[Section]:
        return [*self.flow.state.sections, ABOUT]

    def on_mount(self) -> None:
        self._act(InboxOffer.LOOK)

    def chips(self) -> Sequence[Chip]:
        first, *others = self.flow.state.offers
        return [
            Chip("enter", first.verb, partial(self.take, first.id)),
            *(Chip(key_named(each.key), each.verb, partial(self.take, each.id)) for each in others),
            *(self.moves("a message") if self.flow.state.rows else []),
        ]

    def take(self, offer: InboxOffer) -> None:
        """Do what is offered; before everything is thrown away, ask."""
        if offer is InboxOffer.EMPTY:
            self.app.push_screen(QuestionPanel(EMPTY_QUESTION, ANSWERS), self._answered)
        else:
            self._act(offer)

    def _answered(self, answer: InboxOffer | None) -> None:
        self._act(answer or InboxOffer.KEEP)

    @work_once("act")
    async def _act(self, offer: InboxOffer) -> None:
        match await self.flow.act(offer):
            case ReadLetter(subject, sections):
                await self.show_over(LetterPanel(subject, sections))
            case Practise():
                self.dismiss(None)
                self.app.call_later(self.app.run_action, "practise")

    def _changed(self, state: InboxState) -> None:
        self.card.show_card(state.card)
        self.list.empty = EMPTY if state.looked else ""
        self.show_rows(list(map(_row, state.rows)), state.at, state.sections)

    @on(RowList.Chosen)
    def _read(self) -> None:
        self._act(InboxOffer.READ)


class LetterPanel(TextPanel):
    """One message to read."""

    def __init__(self, subject: str, sections: Sequence[Section]) -> None:
        head, text = sections
        super().__init__(subject, list(map(Content, (*head.lines, "", *text.lines))))

    def chips(self) -> Sequence[Chip]:
        """As `Panel.chips`."""
        return [Chip("", "Scroll", help="scroll")]


def _row(row: Letter) -> ListRow:
    return ListRow(row.key, (row.when, row.to, row.subject))
