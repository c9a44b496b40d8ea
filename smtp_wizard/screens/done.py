"""Done: what to type into the application, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.sending_application import load_sending_application
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.flows.flow import Offer, Section
from smtp_wizard.flows.last_steps.done import DoneFlow, DoneOffer, DoneState
from smtp_wizard.screens.page import StepPage, question
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.text.wizard import APPLICATION_GUIDE, PURPOSE, SCOPE_GUIDE
from smtp_wizard.widgets.application_form import ApplicationForm
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.lines import STRONG
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.plain_text import PlainText


class DoneScreen(StepPage[DoneState, StrEnum]):
    """The only place where the password is shown: on a key press, in groups of four, as it is typed by hand."""

    STEP = StepId.DONE
    HELP: ClassVar[str] = PURPOSE[StepId.DONE]
    flow: DoneFlow

    def __init__(self, context: ScreenContext, draft: Draft) -> None:
        flow = DoneFlow(
            draft,
            catalog=context.services.catalog,
            screen=load_sending_application(),
            copy=self._copy,
        )
        super().__init__(context, draft, flow)
        state = flow.state
        self.asked = question(state.question)
        self.form = ApplicationForm(state, flow.password)
        self.answers: OfferList[StrEnum] = OfferList(_rows(state))
        self.proved = PlainText(_proved(state), classes="told")

    # -- drawing ----------------------------------------------------------------------------------------------------

    def column(self) -> Iterator[Widget]:
        yield self.asked
        yield self.form
        yield self.answers
        yield self.proved

    def rail(self) -> Sequence[Section]:
        return [*self.flow.state.sections, Section("", ("F6  the same, field by field", "U   General or all?"))]

    def draw(self, state: DoneState) -> None:
        self.asked.update(Content.styled(state.question, STRONG))
        self.form.show_state(state, self.flow.password)
        self.answers.offer(_rows(state))
        self.proved.update(_proved(state))

    # -- keys -------------------------------------------------------------------------------------------------------

    def chips(self) -> Sequence[Chip]:
        state = self.flow.state
        show = Chip("f2", "Hide" if state.revealed else "Show", self._reveal, help="show or hide the password")
        return [
            self.answers.chip(),
            *([show] if state.has_password else []),
            Chip("f6", "Guide", self._guide, help="guide: the application's screen, field by field"),
            Chip("u", "General or all?", self._scope, help="which mails go through which account", shown=False),
        ]

    def _reveal(self) -> None:
        self.act(DoneOffer.PASSWORD)

    def _copy(self, value: str) -> None:
        self.app.copy_to_clipboard(value)

    def _guide(self) -> None:
        self.show_guide(APPLICATION_GUIDE)

    def _scope(self) -> None:
        self.show_guide(SCOPE_GUIDE)

    def escape(self) -> None:
        """Leave the values that can be copied; else go back."""
        self.act(DoneOffer.BACK)

    def collect(self) -> Draft:
        return self.flow.draft

    @on(OfferList.Chosen)
    def _chosen(self, message: OfferList.Chosen) -> None:
        if message.offer.id is DoneOffer.EXPLAIN:
            self.run_action_now("app.explain")
        else:
            self.act(message.offer.id)


def _rows(state: DoneState) -> Sequence[Offer[StrEnum]]:
    """What has a key of its own is no row of the list."""
    return [each for each in state.offers if not each.key]


def _proved(state: DoneState) -> str:
    return "\n".join(line for line in (state.proved, state.note) if line)
