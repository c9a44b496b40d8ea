"""Your domain: its records for mail, what is wrong with them, and the one that mends it, ready to copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on, work
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.flows.areas.domain import QUESTION, WHY, DomainFlow, DomainOffer, DomainState, ReadSections
from smtp_wizard.flows.flow import CopyText, Section
from smtp_wizard.screens.areas.stoppable_page import WORK, FormPage
from smtp_wizard.screens.details import SectionsPanel
from smtp_wizard.screens.page import note, question
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.chosen_detail import COLUMN
from smtp_wizard.widgets.frame import Frame, TextFrame
from smtp_wizard.widgets.lines import MUTED, Lines
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import OutcomeCard
from smtp_wizard.widgets.plain_text import folded


class RecordLines(Lines):
    """What stands in the DNS, a line for each kind of record, each in two rows at most."""

    def __init__(self) -> None:
        super().__init__(id="domain-rows")
        self._lines: Sequence[str] = ()

    def show_lines(self, lines: Sequence[str]) -> None:
        """Show other lines."""
        old = self.rows_at(self.size.width)
        self._lines = lines
        self.repaint_changed(old)

    def rows_at(self, width: int) -> Sequence[Content]:
        """As `Lines.rows_at`."""
        return [row for line in self._lines for row in _in_two(line, width or COLUMN)]


def _in_two(line: str, width: int) -> list[Content]:
    first, *rest = folded(line, width)
    more = rest[:1] if len(rest) < 2 else [f"{rest[0][: width - 1]}…"]
    return [Content.styled(row, MUTED) for row in (first, *more)]


class DomainScreen(FormPage):
    """Enter looks; then it copies the record that mends what is marked."""

    HEADING = "Your domain"
    HELP: ClassVar[str] = (
        "Receivers look in the DNS whether your mail is really yours. Type your domain or your address: you read what "
        "stands there, what is wrong, and get the record to enter where your domain is kept."
    )
    AUTO_FOCUS = "#domain Input"
    flow: DomainFlow

    def __init__(self, context: ScreenContext) -> None:
        super().__init__(context)
        services = context.services
        self.flow = DomainFlow(services.domains, services.catalog, services.saved_accounts.list)
        self.flow.changed = self._changed
        self.frame = TextFrame(self.flow.state.entry, id="domain")
        self.card = OutcomeCard()
        self.rows = RecordLines()
        self.offers: OfferList[str] = OfferList()
        self.about = note("\n".join(WHY.lines), narrow=True)
        """What is looked at, until something was."""

    def column(self) -> Iterator[Widget]:
        yield question(QUESTION)
        yield self.frame
        yield self.card
        yield self.about
        yield self.offers
        yield self.rows

    def rail(self) -> Sequence[Section]:
        marked = self.offers.selected
        return self.flow.explained(marked.id if marked is not None else None)

    def chips(self) -> Sequence[Chip]:
        look = Chip("enter", "Look", lambda: self._act(DomainOffer.LOOK), help="look at the domain's records")
        typing = self.focused is self.frame.field or not self.offers.items
        details = Chip("f4", "Details", self._details, help="details: every record, and what to do about each fault")
        return [look if typing else self.offers.chip(), details]

    @on(OfferList.Highlighted)
    def _marked(self) -> None:
        self.redraw()

    def _changed(self, state: DomainState) -> None:
        self.frame.show(state.entry)
        self.card.show_card(state.card)
        self.rows.show_lines(state.rows)
        self.about.set_class(bool(state.rows or state.card), "-gone")
        self.offers.offer(state.offers if state.rows else ())
        if state.rows:
            self.offers.focus()
        elif state.entry.error:
            self.frame.select_all()
        self.redraw()

    @on(Frame.Changed)
    def _typed(self, message: Frame.Changed) -> None:
        self.flow.put(message.text)

    @on(OfferList.Chosen)
    def _chosen(self, message: OfferList.Chosen) -> None:
        self._act(message.offer.id)

    @work(exclusive=True, group=WORK)
    async def _act(self, offer: str) -> None:
        """Have the flow do it; another domain takes over from one that is looked at."""
        match await self.flow.act(offer):
            case CopyText(text):
                self.copy_text(text)
            case ReadSections(title, sections):
                await self.show_over(SectionsPanel(sections, title))

    def _details(self) -> None:
        self.app.push_screen(SectionsPanel(self.flow.details()))
