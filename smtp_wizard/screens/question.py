"""A flow of questions as a card over the page: its fields, its answers, and what came of the last one.

And a step in whose midst the vault may have to be opened: its passphrase is such a question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from textual import on
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.flows.flow import Card, Entry, Leads, Mood, Offer
from smtp_wizard.flows.question import Answer, Question, QuestionFlow
from smtp_wizard.flows.vault import UnlockVault, VaultOpened
from smtp_wizard.screens.page import OfferT, StateT, StepPage
from smtp_wizard.screens.panel import Panel
from smtp_wizard.text.stores import VAULT_CLOSED
from smtp_wizard.text.wizard import STILL_AT_WORK
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.fault_containment import work_once
from smtp_wizard.widgets.frame import Frame, SecretFrame, TextFrame
from smtp_wizard.widgets.lines import Lines
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import OutcomeCard

LeadsT = TypeVar("LeadsT")
CHIP_ROOM = 30
"""Letters of an answer that fit into the line of keys; longer ones are 'Choose'."""


class FlowPanel(Panel[LeadsT], Generic[LeadsT]):
    """Leads through a flow of questions; returns where it leads. Esc stops what runs, else leaves the question."""

    def __init__(self, flow: QuestionFlow[LeadsT]) -> None:
        super().__init__(flow.state.title, "Esc leaves it")
        self.flow = flow
        self._drawn = flow.state
        self._typing = False
        """Whether the flow is being told what stands in a field: then the cursor stays, and nothing is selected."""
        self._rebuilding = False
        """Whether another question's parts are being made, or about to be."""
        self._make(flow.state)

    def _make(self, question: Question) -> None:
        """Make the parts of a question."""
        self.words = Lines(_rows(question), id="why")
        self.card = OutcomeCard(question.card)
        self.frames = [_frame(at, entry) for at, entry in enumerate(question.entries)]
        offers = () if question.entries else [_chipped(each) for each in question.offers]
        able = [each.id for each in offers if not each.off]
        chosen = able.index(question.chosen) if question.chosen in able else 0
        self.offers = OfferList(offers, selected=chosen)

    def body(self) -> Iterator[Widget]:
        """As `Panel.body`."""
        yield self.words
        yield from self.frames
        yield self.offers
        yield self.card

    def on_mount(self) -> None:
        """Follow the flow from here on."""
        self.flow.changed = self._changed
        self._show(self.flow.state)

    # -- drawing ----------------------------------------------------------------------------------------------------

    def _changed(self, question: Question) -> None:
        if self.is_mounted:
            self._show(question)

    def _show(self, question: Question) -> None:
        """Draw a question: another one is made anew, of the same one the words that differ."""
        if self._rebuilding:
            return  # its parts are those of another question; the last state is drawn when the new ones stand
        if _shape(question) != _shape(self._drawn):
            self._drawn, self._rebuilding = question, True
            self.call_next(self._rebuild, question)
            return
        moved = question.at != self._drawn.at
        refused = question.card is not self._drawn.card and question.card is not None and not question.running
        self._drawn = question
        self.card.show_card(question.card or _running(question))
        for frame, entry in zip(self.frames, question.entries, strict=True):
            frame.show(entry)
        if self.frames and not self._typing and (refused or (moved and not question.running)):
            self.frames[question.at].select_all()
        self.label(question.title, _foot(question))
        self.redraw()

    async def _rebuild(self, question: Question) -> None:
        try:
            with self.app.batch_update():
                await self.box.remove_children([each for each in self.box.children if each is not self.long_title])
                self._make(question)
                await self.box.mount(*self.body())
                self.label(question.title, _foot(question))
                if self.frames:
                    self.frames[question.at].field.focus()
                elif question.offers:
                    self.offers.focus()
        finally:
            self._rebuilding = False
        self._show(self.flow.state)

    # -- keys -------------------------------------------------------------------------------------------------------

    def chips(self) -> Sequence[Chip]:
        """As `Panel.chips`."""
        question = self._drawn
        if question.running:
            return ()
        if not question.entries:
            return [self.offers.chip()]
        show = [Chip("f2", "Show", self._reveal, help="show or hide what is typed")]
        secret = any(each.secret for each in question.entries)
        return [Chip("enter", question.offers[0].verb, self._enter), *(show if secret else [])]

    def _reveal(self) -> None:
        for frame in self.frames:
            if isinstance(frame, SecretFrame):
                frame.field.action_reveal()

    def close(self) -> None:
        """Stop a check; else leave the question, once what is being done is done."""
        if self.flow.state.stops:
            self.workers.cancel_group(self, "act")
        else:
            self._take(Answer.LEAVE)

    @on(Frame.Changed)
    def _typed(self, message: Frame.Changed) -> None:
        if message.frame in self.frames:
            self._tell(self.frames.index(message.frame), message.text)

    def _tell(self, at: int, text: str) -> None:
        """Tell the flow what stands in a field. Selected, the first letter typed there would give way to the second."""
        self._typing = True
        try:
            self.flow.type(at, text)
        finally:
            self._typing = False

    def _enter(self) -> None:
        """Take what stands in the fields; where the cursor is, the flow is told last."""
        at = next((at for at, each in enumerate(self.frames) if each.field.has_focus), 0)
        for other in [*(n for n in range(len(self.frames)) if n != at), at]:
            self._tell(other, self.frames[other].text)
        self._take(Answer.DO)

    @on(OfferList.Chosen)
    def _chosen(self, message: OfferList.Chosen) -> None:
        self._take(message.offer.id)

    @work_once("act")
    async def _take(self, offer: StrEnum) -> None:
        leads = await self.flow.act(offer)
        if leads is not None:
            self.dismiss(leads)

    def still_at_work(self) -> None:
        """As `FaultContained.still_at_work`."""
        self.label(self._drawn.title, STILL_AT_WORK)


class Unlocks(Protocol):
    """A flow that has the vault opened in the midst of what it does."""

    vault: UnlockVault | None

    async def opened(self, result: VaultOpened) -> Leads | None: ...


class UnlockingPage(StepPage[StateT, OfferT]):
    """Does what is offered, and opens the vault on the way where that is needed."""

    unlocks: Unlocks
    """The same flow as `flow`."""

    @work_once("act")
    async def act(self, offer: OfferT) -> None:
        """As `StepPage.act`; the flow's own question for the passphrase is put until it leads to an answer."""
        leads = await self.flow.act(offer)
        while self.unlocks.vault is not None:
            answer = await self.ask(FlowPanel(self.unlocks.vault))
            leads = await self.unlocks.opened(answer or VaultOpened(VAULT_CLOSED))
        if leads is not None:
            self.leave(leads)


def _chipped(offer: Offer[StrEnum]) -> Offer[StrEnum]:
    """Return an answer with what Enter does: short words themselves say it best ('Delete it')."""
    return replace(offer, chip=offer.chip or (offer.verb if len(offer.verb) <= CHIP_ROOM else ""))


def _frame(at: int, entry: Entry) -> Frame:
    kind = SecretFrame if entry.secret else TextFrame
    return kind(entry, id=f"field-{at}")


def _rows(question: Question) -> list[Content]:
    rows = [Content(row) for line in question.lines for row in line.split("\n")]
    return [*rows, Content("")] if rows else []


def _foot(question: Question) -> str:
    """Say what Esc does; '' while something is done that is not cut short."""
    return "Esc stops" if question.stops else "" if question.running else "Esc leaves it"


def _running(question: Question) -> Card | None:
    """Return the card of what is done, where the question has none of its own. Esc does not stop it."""
    return Card(mood=Mood.RUNNING, title=question.running) if question.running else None


def _shape(question: Question) -> tuple[object, ...]:
    """What tells one question from another; the same one is asked again with other words in its fields."""
    entries = tuple((each.label, each.secret) for each in question.entries)
    return question.title, question.lines, entries, () if entries else question.offers
