"""Am I ready for this mailing? What receivers ask of who sends to many, with how long it takes beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from textual import on, work
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.flows.areas.mailing import MailingField
from smtp_wizard.flows.areas.readiness import ReadinessFlow, ReadinessOffer, ReadinessState
from smtp_wizard.flows.flow import Section
from smtp_wizard.screens.areas.stoppable_page import WORK, FormPage
from smtp_wizard.screens.details import SectionsPanel
from smtp_wizard.screens.page import question
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.text.areas.readiness import QUESTION
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.frame import Frame, TextFrame
from smtp_wizard.widgets.lines import MUTED, Lines
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import OutcomeCard
from smtp_wizard.widgets.plain_text import PlainText, folded

OTHER_HELP = "change the account: the same mailing with another one of yours"
PLAN_ROWS = 2
"""Rows of the plan above the list; all of it is beside it, and behind F4."""


class ReadinessScreen(FormPage):
    """Enter looks; then it reads what is marked."""

    HEADING = "How much may I send?"
    HELP: ClassVar[str] = (
        "Large receivers take mailings only from who keeps their rules. Say how many people get yours: you read which "
        "rules your account keeps, what is missing, who mends it, and how many days the mailing takes."
    )
    AUTO_FOCUS = "#recipients Input"
    flow: ReadinessFlow

    def __init__(
        self, context: ScreenContext, provider: str = "", typed: Mapping[MailingField, str] | None = None
    ) -> None:
        """`provider`: its accounts come first; `typed`: what was typed for the plan."""
        super().__init__(context)
        services = context.services
        self.flow = ReadinessFlow(
            services.saved_accounts.list,
            services.domains,
            services.catalog,
            context.today,
            provider=provider,
            typed=typed,
        )
        self.flow.changed = self._changed
        state = self.flow.state
        self.frame = TextFrame(state.entry, id="recipients")
        self.whose = PlainText(_whose(state), classes="told")
        self.card = OutcomeCard(state.card)
        self.offers: OfferList[str] = OfferList()
        self.plan = Lines(id="readiness-plan", classes="apart")

    def column(self) -> Iterator[Widget]:
        yield question(QUESTION)
        yield self.frame
        yield self.whose
        yield self.card
        yield self.plan
        yield self.offers

    def rail(self) -> Sequence[Section]:
        marked = self.offers.selected
        return self.flow.explained(marked.id if marked is not None else None)

    def chips(self) -> Sequence[Chip]:
        look = Chip("enter", "Look", lambda: self._act(ReadinessOffer.LOOK), help="look at what receivers ask for")
        typing = self.focused is self.frame.field or not self.offers.items
        details = Chip("f4", "Details", self._details, help="details: every rule, who says so, and the whole plan")
        others = [each for each in self.flow.state.offers if each.id == ReadinessOffer.OTHER]
        other = [Chip("f9", each.chip, lambda: self._act(ReadinessOffer.OTHER), help=OTHER_HELP) for each in others]
        return [look if typing else self.offers.chip(), details, *other]

    @on(OfferList.Highlighted)
    def _marked(self) -> None:
        self.redraw()

    def _changed(self, state: ReadinessState) -> None:
        self.frame.show(state.entry)
        self.whose.update(_whose(state))
        self.card.show_card(state.card)
        plan = [row for line in state.plan[:1] for row in folded(line, 74)[:PLAN_ROWS]]
        self.plan.show([Content.styled(row, MUTED) for row in plan])
        self.offers.offer(state.offers if state.found else ())
        if state.found:
            self.offers.focus()
        elif state.entry.error:
            self.frame.select_all()
        elif not self.frame.field.has_focus:  # the list with the cursor is gone
            self.frame.field.focus()
        self.redraw()

    @on(Frame.Changed)
    def _typed(self, message: Frame.Changed) -> None:
        self.flow.put(message.text)

    @on(OfferList.Chosen)
    def _chosen(self, message: OfferList.Chosen) -> None:
        self._act(message.offer.id)

    @work(exclusive=True, group=WORK)
    async def _act(self, offer: str) -> None:
        """Have the flow do it; another number takes over from one that is looked at."""
        leads = await self.flow.act(offer)
        if leads is not None:
            await self.show_over(SectionsPanel(leads.sections, leads.title))

    def _details(self) -> None:
        self.app.push_screen(SectionsPanel(self.flow.details()))


def _whose(state: ReadinessState) -> str:
    return f"With the account '{state.account}'" if state.account else ""
