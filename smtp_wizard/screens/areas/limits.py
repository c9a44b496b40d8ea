"""How much may I send? The providers' limits, found as one types; the chosen one's figures beside or below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from smtp_wizard.engine.providers.provider import Provider
from smtp_wizard.flows.areas.limits import LEGEND, LimitOffer, LimitsFlow, LimitsState, PlanWith
from smtp_wizard.flows.areas.mailing import (
    ELSEWHERE,
    FIRST,
    QUESTION,
    Bar,
    MailingField,
    MailingFlow,
    MailingOffer,
    MailingState,
    bar_length,
)
from smtp_wizard.flows.flow import Mood, Offer, Section
from smtp_wizard.flows.save_file import FileSaved, SaveFile
from smtp_wizard.screens.areas.list_page import FindPage
from smtp_wizard.screens.details import SectionsPanel
from smtp_wizard.screens.page import Page, question
from smtp_wizard.screens.panel import Panel
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.text.limit_rows import LimitLine
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.fault_containment import work_once
from smtp_wizard.widgets.frame import Frame, FrameRow, TextFrame
from smtp_wizard.widgets.lines import GOOD, MUTED, STRONG, WARNED, Lines
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import OutcomeCard
from smtp_wizard.widgets.rows import Column, ListRow, RowList, shortened

GUIDE = "limits"
NAME, BAR, ACROSS = 26, 30, 3
"""Columns of a bar's name and of the longest bar; fields beside one another."""
MARK = "▆"
CORRECT = "please correct"
"""In the edge of a narrow field; the card says what is wrong with it."""
COLOURS = {Mood.PASSED: GOOD, Mood.WARNED: WARNED}
COLUMNS = (
    Column("Provider", 36, grows=True),
    Column("A day", 14, right=True),
    Column("An hour", 8, right=True),
    Column("Largest", 8, right=True),
)


class LimitsScreen(FindPage):
    """All providers, one row each; Enter plans a mailing with the chosen one."""

    HEADING = "How much may I send?"
    HELP: ClassVar[str] = (
        "How much each provider lets one mailbox send, as far as it says so. Type a name to find it, or a kind: ISP, "
        "web host, free. Enter counts how many days a mailing takes with it."
    )

    flow: LimitsFlow

    def __init__(self, context: ScreenContext) -> None:
        self.flow = LimitsFlow(context.services.catalog, context.today)
        state = self.flow.state
        rows = list(map(_row, state.rows))
        super().__init__(context, state.find, COLUMNS, rows, state.sections, id="limits", field="limit-find")
        self.flow.changed = self._changed
        self.typed: Mapping[MailingField, str] = {}
        """What was typed for the mailing before, so that it need not be typed for the next provider."""

    def column(self) -> Iterator[Widget]:
        yield self.frame
        yield self.list
        yield self.detail

    def rail(self) -> Sequence[Section]:
        return [*self.flow.state.sections, Section("", (LEGEND,))]

    def chips(self) -> Sequence[Chip]:
        plan = [Chip("enter", "Plan a mailing", self._plan, help="count the days that a mailing takes with it")]
        details = Chip("f4", "Details", self._details, help="details: every figure, and who says so")
        return [
            *([*plan, details] if self.flow.chosen is not None else []),
            Chip("f6", "Guide", self._guide, help="guide: when the list is too large"),
            Chip("f9", "Change list", self._more, help="change the list: another order, or into a file"),
            *self.moves("a provider"),
        ]

    def escape(self) -> None:
        """Back to where one was."""
        self.run_action_now("app.leave_area")

    def _changed(self, state: LimitsState) -> None:
        self.frame.show(state.find)
        self.show_rows(list(map(_row, state.rows)), state.at, state.sections)

    @on(RowList.Chosen)
    def _plan(self) -> None:
        self._act(LimitOffer.PLAN)

    @work_once("act")
    async def _act(self, offer: LimitOffer) -> None:
        match await self.flow.act(offer):
            case PlanWith(provider):
                self.app.push_screen(MailingScreen(self.context, provider, self.typed), self._planned)
            case SaveFile() as asks:
                self.app.push_screen(FlowPanel(asks), self._written)

    def _planned(self, typed: Mapping[MailingField, str] | None) -> None:
        self.typed = typed or {}

    def _written(self, written: FileSaved | None) -> None:
        if written is not None and written.words:
            self.banner.say(f"The list is {written.words}.")

    def _details(self) -> None:
        if self.flow.chosen is not None:
            self.app.push_screen(SectionsPanel(self.flow.details(), f"Details: {self.flow.chosen.name}"))

    def _guide(self) -> None:
        self.show_guide(GUIDE)

    def _more(self) -> None:
        self.app.push_screen(ListPanel(self.flow), self._changing)

    def _changing(self, offer: LimitOffer | None) -> None:
        if offer is not None:
            self._act(offer)


def _row(line: LimitLine) -> ListRow:
    return ListRow(line.id, (line.name, line.day, line.hour, line.largest))


class ListPanel(Panel[LimitOffer]):
    """F9: the list in another order, which shows at once, or in a file. Returns what else is to be done."""

    def __init__(self, flow: LimitsFlow) -> None:
        super().__init__("Change the list")
        self.flow = flow
        self.offers = OfferList(self._offered())

    def body(self) -> Iterator[Widget]:
        yield self.offers

    def chips(self) -> Sequence[Chip]:
        """As `Panel.chips`: F9 closes it again."""
        return [self.offers.chip(), Chip("f9", "Close", self.close, shown=False)]

    def _offered(self) -> list[Offer[LimitOffer]]:
        return [each for each in self.flow.state.offers if each.id is not LimitOffer.PLAN]

    @on(OfferList.Chosen)
    async def _take(self, message: OfferList.Chosen) -> None:
        if message.offer.id is not LimitOffer.ORDER:
            self.dismiss(message.offer.id)
            return
        await self.flow.act(LimitOffer.ORDER)
        self.offers.offer(self._offered())
        self.redraw()


# --- a mailing ---


@dataclass
class ReadinessRequested(Message):
    """The person asks whether an account is ready for a mailing."""

    provider: str
    """The id of the provider that it was planned with."""
    typed: Mapping[MailingField, str]
    """What was typed for the plan."""


class PlanCard(OutcomeCard):
    """The outcome, with the days as bars below its words."""

    def __init__(self) -> None:
        super().__init__()
        self.bars: tuple[Bar, ...] = ()

    def show_plan(self, state: MailingState) -> None:
        """Show another plan."""
        old = self.rows_at(self.size.width)
        self.bars = state.bars
        self.show_card(state.card)
        self.repaint_changed(old)

    def rows_at(self, width: int) -> Sequence[Content]:
        """As `Lines.rows_at`."""
        words = super().rows_at(width) if self.card is not None and self.card.lines else ()
        return [*words, *bar_rows(self.bars)]


class MailingScreen(Page[Mapping[MailingField, str]]):
    """A mailing with one provider; Enter counts the days. Returns what was typed, for the next provider."""

    HEADING = "How much may I send?"
    HELP: ClassVar[str] = (
        "Say how many people get the mailing: you see how many messages go out on which day. What you keep for "
        "invoices stays free. Files grow by a third on the way. A new mailbox is often stopped earlier."
    )
    AUTO_FOCUS = "#recipients Input"

    def __init__(
        self, context: ScreenContext, provider: Provider, typed: Mapping[MailingField, str] | None = None
    ) -> None:
        """`typed`: what the fields say at first."""
        super().__init__(context)
        self.provider = provider
        self.flow = MailingFlow(context.services.catalog, provider, self.context.today, typed)
        self.flow.changed = self._changed
        self.frames = {field: TextFrame(entry, id=field.value) for field, entry in self.flow.state.entries.items()}
        rest = [frame for field, frame in self.frames.items() if field not in FIRST]
        self.more = [FrameRow(*rest[at : at + ACROSS], classes="-stacks") for at in range(0, len(rest), ACROSS)]
        self.card = PlanCard()
        self.below = Lines(classes="apart", id="elsewhere")
        self.below.display = False

    def column(self) -> Iterator[Widget]:
        yield question(f"{QUESTION}")
        yield FrameRow(*(self.frames[field] for field in FIRST), classes="-stacks")
        for row in self.more:
            row.display = self.flow.state.more
            yield row
        yield self.card
        yield self.below

    def rail(self) -> Sequence[Section]:
        return self.flow.state.sections

    def chips(self) -> Sequence[Chip]:
        count, more = self.flow.state.offers
        return [
            Chip("enter", count.verb, self._count, help="count the days"),
            Chip(
                "f4",
                "Details",
                self._details,
                help="details: what holds it back, and a reached limit",
            ),
            Chip("f5", "Am I ready?", self._ready, help="what large receivers ask of who sends to many"),
            Chip("f6", "Guide", self._guide, help="guide: when the list is too large"),
            Chip("f9", more.verb, self._more, help="settings: size, first day, several mailboxes, kind of account"),
        ]

    def escape(self) -> None:
        """Back to the list; what was typed is kept."""
        self.dismiss(self.flow.typed)

    def _changed(self, state: MailingState) -> None:
        for field, entry in state.entries.items():
            self.frames[field].show(replace(entry, error=CORRECT if entry.error else ""))
        for row in self.more:
            row.display = state.more
        self.card.show_plan(state)
        rows = list(_below(state))
        self.below.display = bool(rows)
        self.below.show(rows)
        if state.wrong is not None:
            self.frames[state.wrong].select_all()
        self.redraw()

    @on(Frame.Changed)
    def _typed(self, message: Frame.Changed) -> None:
        self.flow.put(MailingField(message.frame.id or ""), message.text)

    def _count(self) -> None:
        self._act(MailingOffer.COUNT)

    def _more(self) -> None:
        self._act(MailingOffer.MORE)

    @work_once("act")
    async def _act(self, offer: MailingOffer) -> None:
        await self.flow.act(offer)

    def _ready(self) -> None:
        self.post_message(ReadinessRequested(self.provider.id, self.flow.typed))

    def _details(self) -> None:
        sections = self.flow.details() or self.flow.state.sections
        self.app.push_screen(SectionsPanel(sections, f"Details: {self.flow.state.provider}"))

    def _guide(self) -> None:
        self.show_guide(GUIDE)


def bar_rows(bars: Sequence[Bar]) -> Iterator[Content]:
    """Yield bars as rows: the name, the bar in its colour, the words flush right."""
    words = max((len(bar.words) for bar in bars), default=0)
    for bar in bars:
        drawn = MARK * bar_length(bar, BAR)
        yield Content.assemble(
            f"{shortened(bar.name, NAME):<{NAME}}  ",
            (f"{drawn:<{BAR}}", COLOURS.get(bar.mood, MUTED)),
            f"  {bar.words:>{words}}",
        )


def _below(state: MailingState) -> Iterator[Content]:
    """Yield what stands below the plan: the same elsewhere, or what can be done."""
    if state.elsewhere:
        yield Content.styled(ELSEWHERE, STRONG)
        yield Content("")
        yield from bar_rows(state.elsewhere)
    if state.ways:
        yield from ([Content("")] if state.elsewhere else [])
        yield Content.styled("What you can do", STRONG)
        yield Content("")
        for number, words in enumerate(state.ways, 1):
            yield Content(f"{number}. {words}")
