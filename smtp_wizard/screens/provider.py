"""Provider: whose mailbox it is, and where to go where the application cannot send. Drawn on its flow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.flows.application import application_answers
from smtp_wizard.flows.flow import Offer, Section
from smtp_wizard.flows.provider import ProviderFlow, ProviderList, ProviderOffer, ProviderState
from smtp_wizard.screens.details import SectionsPanel
from smtp_wizard.screens.page import ImmediatePage, note, question
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.text.provider import ALL_SOURCES, APPLICATION_QUESTION, CORRECT_IT, NOT_LISTED, NOTHING_LISTED
from smtp_wizard.text.wizard import PURPOSE
from smtp_wizard.widgets.chips import CHOOSE, Chip, key_named
from smtp_wizard.widgets.frame import Frame, RadioFrame, RadioOption, TextFrame
from smtp_wizard.widgets.lines import ACCENT, STRONG
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import OutcomeCard
from smtp_wizard.widgets.rows import Column, ListRow, RowList

COLUMNS = (Column("Provider", 30, grows=True), Column("Server", 34, least=24))


class ProviderScreen(ImmediatePage[ProviderState, ProviderOffer]):
    """The flow's card and offers; or its list, with a field that filters it."""

    STEP = StepId.PROVIDER
    AUTO_FOCUS = "#filter.-asked Input, #offers"
    HELP: ClassVar[str] = PURPOSE[StepId.PROVIDER]
    flow: ProviderFlow

    def __init__(self, context: ScreenContext, draft: Draft) -> None:
        catalog = context.services.catalog
        super().__init__(context, draft, ProviderFlow(draft, catalog))
        state = self.flow.state
        self._asks = (state.question, state.list is not None)
        """The question that is drawn, and whether it is answered from the list."""
        self.asked = question(state.question)
        self.card = OutcomeCard(state.card)
        answers = application_answers(catalog)
        chosen = state.application.chosen if state.application is not None else answers[0]
        options = [RadioOption(each, each.words) for each in answers]
        self.application = RadioFrame(APPLICATION_QUESTION, options, chosen, id="application", classes="apart")
        listed = state.list or self.flow.everybody()
        self.filter = TextFrame(listed.filter, id="filter")
        self.rows = RowList(COLUMNS, _rows(listed), empty=NOTHING_LISTED, undecided=True, id="providers")
        self.unlisted = note(_by_key(state), id="unlisted")
        self.offers: OfferList[ProviderOffer] = OfferList()
        self.settings = note("", narrow=True, id="settings")
        self.notes = note("", id="notes")

    def column(self) -> Iterator[Widget]:
        yield from (self.asked, self.card, self.application, self.filter, self.rows, self.unlisted, self.offers)
        yield from (self.settings, self.notes)
        self.draw(self.flow.state)

    def draw(self, state: ProviderState) -> None:
        if str(self.asked.content) != state.question:
            # Another question begins at its top, wherever the answer to the one before it stood.
            self.sheet.scroll_home(animate=False)
        self.asked.update(Content.styled(state.question, STRONG))
        self.card.show_card(state.card)
        self._draw_application(state)
        self._draw_list(state.list)
        # Out of many, what stands beside the list is under a key of its own: the arrows are the list's.
        offers = state.offers if state.list is None else ()
        at = [each.id for each in offers].index(state.preselected) if state.preselected is not None else None
        self.offers.offer(offers, selected=at)
        self.unlisted.display = state.list is not None
        self.notes.display = bool(state.notes)
        # By a class: a display of its own would show it beside the rail, too.
        self.settings.set_class(not state.settings, "-gone")
        self.settings.update(state.settings)
        self.notes.update("\n".join(state.notes))
        asked = (state.question, state.list is not None)
        # Of the same question the cursor stays: the arrows choose in the frame where it is.
        if self.is_mounted and (asked != self._asks or self.focused is None):
            (self.filter.field if state.list is not None else self.offers).focus()
        self._asks = asked

    def _draw_application(self, state: ProviderState) -> None:
        asked = state.application
        self.application.display = asked is not None
        if asked is not None and asked.chosen != self.application.selected:
            self.application.show(asked.chosen)

    def _draw_list(self, listed: ProviderList | None) -> None:
        self.filter.display = self.rows.display = listed is not None
        self.filter.set_class(listed is not None, "-asked")
        if listed is not None:
            self.filter.show(listed.filter)
            self.rows.fill(_rows(listed), listed.preselected or "", undecided=True)

    def rail(self) -> Sequence[Section]:
        state = self.flow.state
        more = (Section("", (ALL_SOURCES,)),) if state.changed else ()
        return (*state.rail, *more)

    def chips(self) -> Sequence[Chip]:
        state = self.flow.state
        chips = [self._enter() if state.list is not None else self.offers.chip()]
        if state.changed:
            chips.append(Chip("f4", "Details", self.details, help="details: what changed, with the sources"))
        return [*chips, *(self._chip(each) for each in state.offers if each.key)]

    def _chip(self, offer: Offer[ProviderOffer]) -> Chip:
        help = f"settings: {offer.verb.lower()}"
        return Chip(key_named(offer.key), "Settings", lambda: self.act(offer.id), help=help)

    def _enter(self) -> Chip:
        row = self.rows.selected
        if row is None:
            return CHOOSE
        return Chip("enter", "Choose", lambda: self.flow.pick(row.key), help=f"take {row.cells[0]}")

    def collect(self) -> Draft:
        return self.flow.draft

    def escape(self) -> None:
        """Go back by one question."""
        self.act(ProviderOffer.BACK)

    def back_words(self) -> str:
        """As `Page.back_words`: where nobody was found, the address may be misspelt."""
        state = self.flow.state
        return CORRECT_IT if state.list is not None and state.card is not None else super().back_words()

    def details(self) -> None:
        """Show what the old article says, what holds today, and who says so."""
        self.app.push_screen(SectionsPanel(self.flow.state.changed, points=True))

    @on(OfferList.Chosen, "#offers")
    def _chosen(self, message: OfferList.Chosen) -> None:
        self.act(message.offer.id)

    @on(RowList.Chosen, "#providers")
    def _picked(self, message: RowList.Chosen) -> None:
        self.flow.pick(message.row.key)

    @on(Frame.Changed, "#filter")
    def _typed(self, message: Frame.Changed) -> None:
        self.flow.search(message.text)

    @on(RadioFrame.Changed, "#application")
    def _answered(self) -> None:
        self.flow.choose_application(self.application.selected)


def _rows(listed: ProviderList) -> list[ListRow]:
    return [ListRow(each.id, (each.name, each.server)) for each in listed.rows]


def _by_key(state: ProviderState) -> Content:
    """Say under which key the server is entered by hand, where no list offers it."""
    hand = next(each for each in state.offers if each.id is ProviderOffer.HAND)
    return Content.assemble(f"{NOT_LISTED}  ", (hand.key, ACCENT), f"  {hand.verb}")
