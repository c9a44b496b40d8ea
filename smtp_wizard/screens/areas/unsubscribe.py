"""Unsubscribe link: what a mailing needs so that people can leave it, ready to copy; and a template looked through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on, work
from textual.widget import Widget

from smtp_wizard.flows.areas.unsubscribe import CHECK, QUESTION, LinkField, LinkFlow, LinkOffer, LinkState
from smtp_wizard.flows.flow import CopyText, Section
from smtp_wizard.screens.areas.stoppable_page import WORK, FormPage
from smtp_wizard.screens.details import SectionsPanel
from smtp_wizard.screens.page import question
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.frame import Frame, FrameRow, TextFrame
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import OutcomeCard


class UnsubscribeScreen(FormPage):
    """The link changes as one types; Enter does what is marked, in the template's field it looks through it."""

    HEADING = "Unsubscribe link"
    HELP: ClassVar[str] = (
        "Every mailing that advertises needs a way out. Type the address that takes the requests, and copy the link "
        "for your template or the headers for whoever builds the message. A template can be looked through too."
    )
    AUTO_FOCUS = "#address Input"
    flow: LinkFlow

    def __init__(self, context: ScreenContext) -> None:
        super().__init__(context)
        self.flow = LinkFlow(context.services.saved_accounts.list)
        self.flow.changed = self._changed
        self.frames = {name: TextFrame(entry, id=name.value) for name, entry in self.flow.state.entries.items()}
        self.card = OutcomeCard()
        self.offers: OfferList[LinkOffer] = OfferList(self.flow.state.offers)

    def column(self) -> Iterator[Widget]:
        frames = self.frames
        yield question(QUESTION)
        yield FrameRow(frames[LinkField.ADDRESS], frames[LinkField.SUBJECT], classes="-stacks")
        yield FrameRow(frames[LinkField.URL], frames[LinkField.TEMPLATE], classes="-stacks")
        yield self.card
        yield self.offers

    def rail(self) -> Sequence[Section]:
        return self.flow.state.sections

    def chips(self) -> Sequence[Chip]:
        template = self.frames[LinkField.TEMPLATE].field
        look = Chip("enter", CHECK.chip, lambda: self._act(LinkOffer.CHECK), help="look through the template")
        return [
            look if self.focused is template else self.offers.chip(),
            Chip("f4", "Details", self._details, help="details: all of it to read, and the rules"),
        ]

    def _changed(self, state: LinkState) -> None:
        for name, entry in state.entries.items():
            self.frames[name].show(entry)
        self.card.show_card(state.card)
        at = self.offers.items.index(self.offers.selected) if self.offers.selected is not None else 0
        self.offers.offer(state.offers, selected=at)
        if state.wrong is not None:
            self.frames[state.wrong].select_all()
        self.redraw()

    @on(Frame.Changed)
    def _typed(self, message: Frame.Changed) -> None:
        self.flow.put(LinkField(message.frame.id or ""), message.text)

    @on(OfferList.Chosen)
    def _chosen(self, message: OfferList.Chosen) -> None:
        self._act(message.offer.id)

    @work(exclusive=True, group=WORK)
    async def _act(self, offer: LinkOffer) -> None:
        """Have the flow do it; a new name takes over from one that is looked through."""
        match await self.flow.act(offer):
            case CopyText(text):
                self.copy_text(text)

    def _details(self) -> None:
        self.app.push_screen(SectionsPanel(self.flow.details()))
