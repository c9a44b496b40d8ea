"""Mail that came back: whose address failed, why, and what to do; Enter reads the mailbox, then copies an address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.widget import Widget

from smtp_wizard.flows.accounts.action import LEFT, ActionResult
from smtp_wizard.flows.areas.bounces import (
    ABOUT,
    BouncesFlow,
    BouncesOffer,
    BouncesState,
    FailedRow,
    PasteLetter,
    ReadMailbox,
)
from smtp_wizard.flows.flow import CopyText, Mood, ReadGuide, Section
from smtp_wizard.screens.areas.list_page import ListPage
from smtp_wizard.screens.areas.stoppable_page import WORK, AccountsPage
from smtp_wizard.screens.details import SectionsPanel
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.widgets.chips import Chip, key_named
from smtp_wizard.widgets.fault_containment import work_once
from smtp_wizard.widgets.list_head import ListHead
from smtp_wizard.widgets.outcome_card import OutcomeCard
from smtp_wizard.widgets.rows import Column, ListRow, RowList

COLUMNS = (Column("Address", 30, grows=True), Column("Why", 32, least=16), Column("When", 9))
BELOW = 2
"""Parts that are told below the list: why, and what to do. The messages are in the details, and beside it."""


class BouncesScreen(AccountsPage, ListPage):
    """The arrows choose an address."""

    HEADING = "Mail that came back"
    HELP: ClassVar[str] = (
        "Your mailbox is read over IMAP, and every address that was not reached is listed: why, and what to do with "
        "the customer's record. Nothing in the mailbox is changed."
    )

    flow: BouncesFlow

    def __init__(self, context: ScreenContext) -> None:
        super().__init__(context, COLUMNS, id="returned")
        services = context.services
        self.flow = BouncesFlow(
            services.saved_accounts.list,
            services.bounces,
            services.entries,
            services.stores.vault,
            services.catalog,
            now=services.now,
        )
        self.flow.changed = self._changed
        self.head = ListHead()
        self.card = OutcomeCard(self.flow.state.card)
        self.card.add_class("-close")

    def column(self) -> Iterator[Widget]:
        yield self.head
        yield self.card
        yield self.list
        yield self.detail

    def rail(self) -> Sequence[Section]:
        return [*self.flow.state.sections, ABOUT]

    def on_mount(self) -> None:
        """Show what there is to begin with."""
        self._changed(self.flow.state)

    def chips(self) -> Sequence[Chip]:
        offers = self.flow.state.offers
        first = [Chip("enter", offers[0].chip or offers[0].verb, partial(self.take, offers[0].id))] if offers else []
        others = [Chip(key_named(each.key), each.verb, partial(self.take, each.id)) for each in offers[1:]]
        details = Chip("f4", "Details", self._details, help="details: all that is said of the marked address")
        if not self.flow.state.rows:
            return [*first, *others]
        return [*first, details, *others, *self.moves("an address")]  # in a small window nothing else has it

    @work_once(WORK)
    async def take(self, offer: BouncesOffer) -> None:
        """Do what is offered."""
        match await self.flow.act(offer):
            case ReadMailbox() as action:
                await self._through(action)
            case CopyText(text):
                self.copy_text(text)
            case ReadGuide(guide):
                self.show_guide(guide)
            case PasteLetter():
                self.dismiss(None)
                self.app.call_later(self.app.run_action, "explain")

    async def _through(self, action: ReadMailbox) -> None:
        """Read the mailbox, asking over the page for what is lacking."""
        self.flow.begin()
        try:
            done = await action.begin()
            if done is None:
                self.flow.asks()
                done = await self.ask(FlowPanel[ActionResult](action))
        except asyncio.CancelledError:
            self.flow.stopped()
            raise
        self.flow.take(action, done or LEFT)

    def _changed(self, state: BouncesState) -> None:
        self.head.tell(state.question, state.counted)
        self.card.show_card(state.card)
        for part in (self.list, self.detail):
            part.set_class(not state.account, "-gone")
        self.list.empty = _empty(state)
        self.show_rows(list(map(_row, state.rows)), state.at, state.sections[:BELOW])

    @on(RowList.Chosen)
    def _copy(self) -> None:
        self.take(BouncesOffer.COPY)

    def _details(self) -> None:
        self.app.push_screen(SectionsPanel(self.flow.state.sections, self.flow.state.rows[self.flow.state.at].address))


def _empty(state: BouncesState) -> str:
    if not state.account or state.card is not None:
        return ""
    return f"The mailbox of '{state.account}' was not read yet."


def _row(row: FailedRow) -> ListRow:
    mood = Mood.TOLD if row.backscatter else Mood.FAILED if row.final else Mood.WARNED
    return ListRow(row.address.casefold(), (row.address, row.why, row.last), mood)
