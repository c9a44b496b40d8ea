"""Address: which address should your mail come from?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.flows.address import AddressFlow, AddressOffer, AddressQuestion, AddressState
from smtp_wizard.flows.flow import Section
from smtp_wizard.screens.page import StepPage, note, question
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.text import address as words
from smtp_wizard.text.wizard import PURPOSE
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.frame import Frame, TextFrame
from smtp_wizard.widgets.lines import ACCENT
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import OutcomeCard

WHY_GUIDE = "own-mailbox"


class AddressScreen(StepPage[AddressState, AddressOffer]):
    """One field. What is asked in the midst of it stands below it as a card with its answers."""

    STEP = StepId.ADDRESS
    HELP: ClassVar[str] = PURPOSE[StepId.ADDRESS]
    flow: AddressFlow

    def __init__(self, context: ScreenContext, draft: Draft) -> None:
        flow = AddressFlow(draft, catalog=context.services.catalog, discovery=context.services.discovery)
        super().__init__(context, draft, flow)
        self.banner.say(" ".join(filter(None, (context.services.catalog.own_trouble, context.left))))
        self.accounts = context.services.saved_accounts.may_hold_any()
        self.frame = TextFrame(flow.state.address, id="address-frame")
        self.frame.field.id = "address"
        self.card = OutcomeCard()
        self.answers: OfferList[AddressOffer] = OfferList()
        practise = Content.assemble(("F3", ACCENT), "  No mailbox at hand? Practise on this computer first.")
        self.notes = (note(words.PLAN), note(practise))

    def column(self) -> Iterator[Widget]:
        yield question(words.QUESTION)
        yield self.frame
        yield self.card
        yield self.answers
        yield from self.notes

    def rail(self) -> Sequence[Section]:
        asks = self.flow.state.question is not AddressQuestion.ADDRESS
        return [*self.flow.state.sections, *([] if asks else [Section("", ("F6  why your own mailbox",))])]

    def chips(self) -> Sequence[Chip]:
        state = self.flow.state
        if state.running:
            return []
        if state.question is not AddressQuestion.ADDRESS:
            return [self.answers.chip()]
        enter = Chip("enter", "Find my server", self._find, help="find the mail server of this address")
        practise = Chip("f3", "Practise", self._practise, help="practise on this computer, without a mailbox")
        return [enter, practise, Chip("f6", "Guide", self._guide, help="guide: why send through your own mailbox?")]

    def back_words(self) -> str:
        """As `Page.back_words`: before the first step are the accounts, where there are any."""
        state = self.flow.state
        if state.running:
            return "Stop"
        return "Back" if self.accounts or state.question is not AddressQuestion.ADDRESS else ""

    def draw(self, state: AddressState) -> None:
        self.frame.show(state.address)
        asks = state.question is not AddressQuestion.ADDRESS
        self.card.show_card(state.card)
        self.answers.offer([each for each in state.offers if each.id is not AddressOffer.BACK] if asks else [])
        for each in self.notes:
            each.display = state.card is None

    def collect(self) -> Draft:
        return self.flow.collected()

    def escape(self) -> None:
        """Stop the look-up; leave a question for the field; else go back."""
        if not self.flow.stop():
            self.act(AddressOffer.BACK)

    def _find(self) -> None:
        self.act(AddressOffer.FIND)

    def _practise(self) -> None:
        self.act(AddressOffer.PRACTISE)

    def _guide(self) -> None:
        self.show_guide(WHY_GUIDE)

    @on(Frame.Changed)
    def _typed(self, message: Frame.Changed) -> None:
        self.flow.type(message.text)

    @on(OfferList.Chosen)
    def _answered(self, message: OfferList.Chosen) -> None:
        self.act(message.offer.id)
