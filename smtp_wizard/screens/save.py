"""Save: the name, what the account is for, and where its password is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import ClassVar

from textual import on, work
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.sending_application import load_sending_application
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.flows.flow import Entry, Section
from smtp_wizard.flows.last_steps.save import SaveField, SaveFlow, SaveOffer, SavePhase, SaveState
from smtp_wizard.screens.page import question
from smtp_wizard.screens.question import UnlockingPage
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.text import save as words
from smtp_wizard.text.wizard import PURPOSE, STILL_AT_WORK
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.frame import Frame, RadioFrame, RadioOption, TextFrame
from smtp_wizard.widgets.lines import STRONG
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import OutcomeCard
from smtp_wizard.widgets.plain_text import PlainText

FIELDS = {"name": SaveField.NAME, "sender-name": SaveField.SENDER_NAME, "way": SaveField.WAY}
"""What is typed, by the ids of the fields."""


class SaveScreen(UnlockingPage[SaveState, StrEnum]):
    """Four frames, and one line on where the password is kept. What is asked in the midst stands in their place."""

    STEP = StepId.SAVE
    HELP: ClassVar[str] = PURPOSE[StepId.SAVE]
    flow: SaveFlow

    def __init__(self, context: ScreenContext, draft: Draft) -> None:
        services = context.services
        flow = SaveFlow(
            draft,
            accounts=services.accounts,
            stores=services.stores,
            saved_accounts=services.saved_accounts,
            catalog=services.catalog,
            screen=load_sending_application(),
            now=services.now,
        )
        super().__init__(context, draft, flow)
        self.unlocks = flow
        state = flow.state
        self.asked = question(state.question)
        self.name_frame = _frame(state.name, "name")
        self.scope = RadioFrame(
            state.scope_label,
            [RadioOption(each.value, f"{each.words:<20}", each.note) for each in state.scopes],
            state.scope,
            hint="",
            across=False,
            id="scope",
        )
        self.company = RadioFrame(
            state.company_label,
            [RadioOption(each.value, each.words) for each in state.companies],
            state.company,
            hint="",
            id="company",
        )
        self.sender_frame = _frame(state.sender_name, "sender-name")
        self.way_frame = _frame(state.way or Entry(label=""), "way")
        self.place = PlainText(self._place(state), classes="told", id="place")
        self.fields = Vertical(self.name_frame, self.scope, self.company, self.sender_frame, id="fields")
        self.answers: OfferList[StrEnum] = OfferList()
        self.card = OutcomeCard(state.card)
        self._asked = (state.phase, bool(state.running))
        self._fit_to(state)

    # -- drawing ----------------------------------------------------------------------------------------------------

    def column(self) -> Iterator[Widget]:
        yield self.asked
        yield self.card
        yield self.fields
        yield self.answers
        yield self.way_frame
        yield self.place

    def rail(self) -> Sequence[Section]:
        return self.flow.state.sections

    def on_mount(self) -> None:
        """Try out where the password can be kept, while the person reads."""
        self._begin()

    @work(group="begin")
    async def _begin(self) -> None:
        await self.flow.begin()

    @staticmethod
    def _place(state: SaveState) -> Content:
        return Content(f"Password  {state.running or state.place_line}")

    def draw(self, state: SaveState) -> None:
        self.asked.update(Content.styled(state.question, STRONG))
        self.name_frame.show(state.name)
        self.sender_frame.show(state.sender_name)
        self.scope.show(state.scope)
        self.company.show(state.company)
        if state.way is not None:
            self.way_frame.show(state.way)
        self.card.show_card(state.card)
        asks = state.phase not in (SavePhase.ASKING, SavePhase.WAY)
        at = next((n for n, each in enumerate(state.offers) if asks and each.id == state.place), 0)
        self.answers.offer(state.offers if asks else (), selected=at)
        self.place.update(self._place(state))
        self._fit_to(state)
        asked = (state.phase, bool(state.running))
        if asked != self._asked and not state.running:
            self._put_cursor(state)
        self._asked = asked

    def _fit_to(self, state: SaveState) -> None:
        """Show the fields, or what is asked in their place."""
        asking = state.phase is SavePhase.ASKING
        self.fields.display = self.place.display = asking
        self.fields.disabled = not asking or bool(state.running)
        self.way_frame.display = state.phase is SavePhase.WAY
        self.way_frame.disabled = not self.way_frame.display

    def _put_cursor(self, state: SaveState) -> None:
        """Put the cursor where the answer to the new question is given, or where something is wrong."""
        if self.way_frame.display:
            self.way_frame.field.focus()
        elif state.phase is not SavePhase.ASKING:
            self.answers.focus()
        else:
            (self.sender_frame if state.sender_name.error else self.name_frame).field.focus()

    # -- keys -------------------------------------------------------------------------------------------------------

    def chips(self) -> Sequence[Chip]:
        state = self.flow.state
        if state.running:
            return []
        if state.phase is SavePhase.ASKING:
            save, *others = state.offers
            place = [Chip("f9", each.chip, self._elsewhere, help=words.PLACE_HELP) for each in others]
            return [Chip("enter", save.verb, self._save, help="save it like this"), *place]
        if state.phase is SavePhase.WAY:
            return [Chip("enter", words.KEEP_THERE, lambda: self.act(SaveOffer.KEEP_THERE))]
        return [self.answers.chip()]

    def _save(self) -> None:
        self.act(SaveOffer.SAVE)

    def _elsewhere(self) -> None:
        self.act(SaveOffer.PLACE)

    def back_words(self) -> str:
        """As `Page.back_words`: saving is not stopped."""
        return "" if self.flow.state.running else "Back"

    def keys(self) -> Sequence[Chip]:
        """As `Page.keys`; while it is being saved Esc says so."""
        wait = Chip("escape", "Wait", self.escape, help="nothing while the account is being saved", shown=False)
        return [*super().keys(), *([wait] if self.flow.state.running else [])]

    def stop(self) -> bool:
        """Nobody goes back out of the midst of saving: what is half done would be told by nobody."""
        if self.flow.state.running:
            self.banner.say(STILL_AT_WORK)
            return True
        return False

    def escape(self) -> None:
        """Go to the question before."""
        if not self.stop():
            self.act(SaveOffer.BACK)

    def collect(self) -> Draft:
        return self.flow.draft

    @on(Frame.Changed)
    def _typed(self, message: Frame.Changed) -> None:
        self.flow.type(FIELDS[message.frame.field.id or ""], message.text)

    @on(RadioFrame.Changed, "#scope")
    def _scope_chosen(self, message: RadioFrame.Changed) -> None:
        selected = message.frame.selected
        assert isinstance(selected, Scope)
        self.flow.choose_scope(selected)

    @on(RadioFrame.Changed, "#company")
    def _company_chosen(self, message: RadioFrame.Changed) -> None:
        self.flow.choose_company(message.frame.selected is True)

    @on(OfferList.Chosen)
    def _chosen(self, message: OfferList.Chosen) -> None:
        self.act(message.offer.id)


def _frame(entry: Entry, id: str) -> TextFrame:
    frame = TextFrame(entry)
    frame.field.id = id
    return frame
