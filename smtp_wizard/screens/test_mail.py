"""Test mail: a message to another mailbox, and the code word that was in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.flows.accounts.action import LEFT, ActionResult
from smtp_wizard.flows.accounts.arrival import ArrivalActions
from smtp_wizard.flows.flow import Entry, Offer, Section
from smtp_wizard.flows.last_steps.test_mail import MailTestFlow
from smtp_wizard.flows.last_steps.test_mail_state import MailTestOffer, MailTestPhase, MailTestState
from smtp_wizard.screens.details import CheckDetails
from smtp_wizard.screens.page import question
from smtp_wizard.screens.question import FlowPanel, UnlockingPage
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.text.wizard import PURPOSE
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.fault_containment import work_once
from smtp_wizard.widgets.frame import Frame, TextFrame
from smtp_wizard.widgets.lines import STRONG
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import OutcomeCard
from smtp_wizard.widgets.plain_text import PlainText

BOUNCES_GUIDE = "bounces"


class TestMailScreen(UnlockingPage[MailTestState, MailTestOffer]):
    """One question after the other in the same places: the field, the card, the answers."""

    STEP = StepId.TEST_MAIL
    HELP: ClassVar[str] = PURPOSE[StepId.TEST_MAIL]
    flow: MailTestFlow

    def __init__(self, context: ScreenContext, draft: Draft) -> None:
        services = context.services
        flow = MailTestFlow(
            draft,
            checks=services.checks,
            tokens=services.tokens,
            vault=services.stores.vault,
            catalog=services.catalog,
            now=services.now,
            messages=ArrivalActions(
                checks=services.checks,
                arrivals=services.arrivals,
                entries=services.entries,
                vault=services.stores.vault,
                catalog=services.catalog,
            ),
        )
        super().__init__(context, draft, flow)
        self.unlocks = flow
        state = flow.state
        self.asked = question(state.question)
        self.frame = TextFrame(state.entry or Entry(label=""))
        self.frame.field.id = "to"
        self._allow_typing(state)
        self.card = OutcomeCard(state.card)
        self.answers: OfferList[MailTestOffer] = OfferList(_rows(state), selected=_marked(state))
        self.told = PlainText(state.note, classes="told")
        self.told.display = bool(state.note)
        self._phase = state.phase

    # -- drawing ----------------------------------------------------------------------------------------------------

    def column(self) -> Iterator[Widget]:
        yield self.asked
        yield self.frame
        yield self.card
        yield self.answers
        yield self.told

    def rail(self) -> Sequence[Section]:
        return self.flow.state.sections

    def draw(self, state: MailTestState) -> None:
        self.asked.update(Content.styled(state.question, STRONG))
        self._allow_typing(state)
        if state.entry is not None:
            self.frame.show(state.entry)
        self.card.show_card(state.card)
        self.answers.offer(_rows(state), selected=_marked(state))
        if self.told.display or state.note:
            self.told.update(state.note)
            self.told.display = bool(state.note)
        if state.phase is not self._phase:
            self._phase = state.phase
            self._put_cursor(state)

    def _allow_typing(self, state: MailTestState) -> None:
        """A field that is not there can have no cursor either."""
        self.frame.display = state.entry is not None
        self.frame.disabled = state.entry is None or state.phase is MailTestPhase.SENDING

    def _put_cursor(self, state: MailTestState) -> None:
        """Put the cursor where the answer to the new question is given."""
        if state.entry is not None and state.phase is not MailTestPhase.SENDING:
            self.frame.field.focus()
        elif state.offers:
            self.answers.focus()

    # -- keys -------------------------------------------------------------------------------------------------------

    def chips(self) -> Sequence[Chip]:
        details = Chip("f4", "Details", self._details, help="details: every check, and the server's own words")
        if self.flow.state.phase is MailTestPhase.SENDING:
            return [details]
        guide = Chip("f6", "Guide", self._guide, help="guide: when a message comes back")
        return [self._enter_chip(), *([details] if self.flow.report is not None else []), guide]

    def _enter_chip(self) -> Chip:
        """Enter takes the answer that is marked; while none is, what stands in the field."""
        state = self.flow.state
        if state.entry is None or self.answers.selected is not None:
            return self.answers.chip()
        taken = self.flow.enter
        return Chip("enter", taken.chip or taken.verb, lambda: self.act(taken.id))

    def back_words(self) -> str:
        """As `StepPage.back_words`."""
        return "Stop" if self.flow.state.phase is MailTestPhase.SENDING else "Back"

    def escape(self) -> None:
        """Stop the attempt; else go to the question before."""
        if not self.stop():
            self.act(MailTestOffer.BACK)

    def collect(self) -> Draft:
        return self.flow.draft

    @on(Frame.Changed)
    def _typed(self, message: Frame.Changed) -> None:
        self.answers.unmark()  # whoever types means the field again
        self.flow.type(message.text)

    @on(OfferList.Chosen)
    def _chosen(self, message: OfferList.Chosen) -> None:
        if message.offer.id is MailTestOffer.EXPLAIN:
            self.run_action_now("app.explain")
        elif message.offer.id in (MailTestOffer.LOOK, MailTestOffer.REHEARSE):
            self._follow_up(message.offer.id)
        else:
            self.act(message.offer.id)

    @work_once("act")
    async def _follow_up(self, offer: MailTestOffer) -> None:
        """Go through what looks after the message, over the page."""
        await self.flow.act(offer)
        if self.flow.action is not None:
            done = await self.flow.action.begin()
            if done is None:
                done = await self.ask(FlowPanel[ActionResult](self.flow.action))
            self.flow.acted(done or LEFT)

    def _guide(self) -> None:
        self.show_guide(BOUNCES_GUIDE)

    def _details(self) -> None:
        check = self.flow.check
        self.app.push_screen(CheckDetails(check, check.finding, self.flow.heard, today=self.context.today))


def _rows(state: MailTestState) -> Sequence[Offer[MailTestOffer]]:
    """Where there is a field, the first offer is what Enter does with it, and no row of the list."""
    return state.offers[1:] if state.entry is not None else state.offers


def _marked(state: MailTestState) -> int | None:
    return None if state.entry is not None else 0
