"""Sign-in: a question that an owner can answer, and ways that lead on. Drawn on its flow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.engine.guides.guides import Guide
from smtp_wizard.engine.guides.named_guides import with_titles
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.flows.application import application_answers
from smtp_wizard.flows.flow import Section
from smtp_wizard.flows.sign_in import SignInFlow, SignInOffer, SignInState
from smtp_wizard.screens.details import SectionsPanel
from smtp_wizard.screens.page import ImmediatePage, question
from smtp_wizard.screens.panel import GuidePanel
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.text.provider import APPLICATION_QUESTION
from smtp_wizard.text.wizard import PURPOSE
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.frame import RadioFrame, RadioOption
from smtp_wizard.widgets.lines import STRONG
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import OutcomeCard


class SignInScreen(ImmediatePage[SignInState, str]):
    """The flow's ways in as answers; or one of them explained, with what replaced it."""

    STEP = StepId.SIGN_IN
    AUTO_FOCUS = "#offers"
    HELP: ClassVar[str] = PURPOSE[StepId.SIGN_IN]
    flow: SignInFlow

    def __init__(self, context: ScreenContext, draft: Draft) -> None:
        catalog = context.services.catalog
        super().__init__(context, draft, SignInFlow(draft, catalog, context.guides))
        state = self.flow.state
        self.asked = question(state.question)
        self.card = OutcomeCard(state.card)
        answers = application_answers(catalog)
        chosen = state.application.chosen if state.application is not None else answers[0]
        options = [RadioOption(each, each.words) for each in answers]
        self.application = RadioFrame(APPLICATION_QUESTION, options, chosen, id="application")
        self.offers: OfferList[str] = OfferList()

    def column(self) -> Iterator[Widget]:
        yield from (self.asked, self.application, self.card, self.offers)
        self.draw(self.flow.state)

    def draw(self, state: SignInState) -> None:
        if str(self.asked.content) != state.question:
            # Another question begins at its top, wherever the answer to the one before it stood.
            self.sheet.scroll_home(animate=False)
        self.asked.update(Content.styled(state.question, STRONG))
        self.card.show_card(state.card)
        asked = state.application
        self.application.display = asked is not None
        if asked is not None and asked.chosen != self.application.selected:
            self.application.show(asked.chosen)
        at = [each.id for each in state.offers].index(state.preselected) if state.preselected is not None else None
        self.offers.offer(state.offers, selected=at)

    def rail(self) -> Sequence[Section]:
        marked = self.offers.selected
        return self.flow.about(marked.id) if marked is not None else ()

    def chips(self) -> Sequence[Chip]:
        chips = [self.offers.chip()]
        if self.rail():
            chips.append(Chip("f4", "Details", self.details, help="details: all that is known of this way"))
        if self._guide is not None:
            chips.append(Chip("f6", "Guide", self.guide, help="guide: all the steps of this way"))
        return chips

    @property
    def _guide(self) -> Guide | None:
        """What leads through the marked way, or says what became of the one that is explained."""
        marked = self.offers.selected
        return self.flow.state.guide or (self.flow.guide_for(marked.id) if marked is not None else None)

    def collect(self) -> Draft:
        return self.flow.draft

    def escape(self) -> None:
        """Go back by one question."""
        self.act(SignInOffer.BACK)

    def details(self) -> None:
        """Show all that is known of the marked way, and who says so."""
        self.app.push_screen(SectionsPanel(self.rail(), points=True))

    def guide(self) -> None:
        """Show the guide."""
        guide = self._guide
        if guide is not None:
            self.app.push_screen(GuidePanel(with_titles(guide, self.context.guides), self.open_link))

    @on(OfferList.Chosen, "#offers")
    def _chosen(self, message: OfferList.Chosen) -> None:
        self.act(message.offer.id)

    @on(RadioFrame.Changed, "#application")
    def _answered(self) -> None:
        self.flow.choose_application(self.application.selected)
