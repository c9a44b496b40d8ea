"""What will end, the nearest first: of the saved accounts, or all that providers have announced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.widget import Widget

from smtp_wizard.flows.areas.calendar import CalendarFlow, CalendarOffer, CalendarState, EndLine
from smtp_wizard.flows.flow import Section
from smtp_wizard.flows.save_file import FileSaved
from smtp_wizard.screens.areas.list_page import ListPage
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.widgets.chips import Chip, key_named
from smtp_wizard.widgets.fault_containment import work_once
from smtp_wizard.widgets.outcome_card import OutcomeCard
from smtp_wizard.widgets.rows import Column, ListRow, RowList

COLUMNS = (Column("Day", 11), Column("Whose", 22, grows=True), Column("What", 13), Column("When", 13, least=11))

SAVES = "save it to a file that any calendar program takes"


class CalendarScreen(ListPage):
    """The arrows choose; what the chosen one is about stands below or beside the list."""

    HEADING = "What will end"
    HELP: ClassVar[str] = (
        "Certificates as the last test saw them, sign-ins in the browser, ways in that a provider closes, limits that "
        "change: for your accounts, the nearest first."
    )

    flow: CalendarFlow

    def __init__(self, context: ScreenContext) -> None:
        super().__init__(context, COLUMNS, id="ends")
        services = context.services
        self.flow = CalendarFlow(saved_accounts=services.saved_accounts, catalog=services.catalog, now=services.now)
        self.flow.changed = self._changed
        self.card = OutcomeCard()

    def column(self) -> Iterator[Widget]:
        yield self.card
        yield self.list
        yield self.detail

    def rail(self) -> Sequence[Section]:
        return self.flow.state.sections

    def on_mount(self) -> None:
        self.show_ends(CalendarOffer.MINE)

    def chips(self) -> Sequence[Chip]:
        """As `Page.chips`."""
        (offer,) = self.flow.state.offers
        return [
            Chip("enter", offer.verb, self.show_others, help=f"show {offer.verb.lower()}"),
            Chip(key_named(offer.key), offer.verb, self.show_others, shown=False),
            *([Chip("s", "Save for my calendar", self._save, help=SAVES)] if self.flow.state.rows else []),
            *self.moves("what is told of"),
        ]

    @on(RowList.Chosen)
    def show_others(self) -> None:
        """Show what is offered instead."""
        (offer,) = self.flow.state.offers
        self.show_ends(offer.id)

    @work_once("show")
    async def show_ends(self, offer: CalendarOffer) -> None:
        """Show what ends for the accounts, or for all providers."""
        await self.flow.act(offer)

    def _save(self) -> None:
        asked = self.flow.file()
        if asked is not None:
            self.app.push_screen(FlowPanel(asked), self._saved)

    def _saved(self, saved: FileSaved | None) -> None:
        if saved is not None and saved.words:
            self.banner.say(saved.words)

    def _changed(self, state: CalendarState) -> None:
        self.card.show_card(state.card)
        self.list.empty = "Nothing is known to end." if state.read and state.card is None else ""
        self.show_rows([_row(at, line) for at, line in enumerate(state.rows)], state.at, state.sections)


def _row(at: int, line: EndLine) -> ListRow:
    return ListRow(str(at), (line.day, line.whose, line.what, line.when))
