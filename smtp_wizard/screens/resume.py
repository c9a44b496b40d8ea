"""A draft was left before it was saved: go on with it, begin anew, or see the accounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual import on
from textual.widget import Widget

from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import Step
from smtp_wizard.flows.flow import Offer, Section
from smtp_wizard.screens.page import Page, question
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.text.wizard import RESUME_ANEW, RESUME_HOME, RESUME_NOTE, RESUME_ON, Resume, resume_question
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.offers import OfferList


class ResumeScreen(Page[Resume]):
    """A draft was left before it was saved: what is to become of it? Esc leaves, and keeps it."""

    HEADING = "smtp-wizard"
    HELP = "You stopped before the account was saved. What you answered was kept; a password never is."

    def __init__(self, context: ScreenContext, kept: Draft, stopped: Step) -> None:
        super().__init__(context)
        self.question = resume_question(kept, stopped)
        self.offers = OfferList(
            (
                Offer(Resume.ON, RESUME_ON, f"{RESUME_NOTE[:1].upper()}{RESUME_NOTE[1:]}.", chip="Go on"),
                Offer(Resume.ANEW, RESUME_ANEW, chip="Begin anew"),
                Offer(Resume.HOME, RESUME_HOME, chip="See accounts"),
            )
        )

    def column(self) -> Iterator[Widget]:
        """As `Page.column`."""
        yield question(self.question)
        yield self.offers

    def rail(self) -> Sequence[Section]:
        """As `Page.rail`."""
        return [Section("Where you stopped", (self.HELP,))]

    def chips(self) -> Sequence[Chip]:
        """As `Page.chips`."""
        return [self.offers.chip()]

    def back_words(self) -> str:
        """As `Page.back_words`."""
        return "Leave"

    def escape_help(self) -> str:
        """As `Page.escape_help`."""
        return "leave; what you answered stays kept"

    @on(OfferList.Chosen)
    def _taken(self, message: OfferList.Chosen) -> None:
        self.dismiss(message.offer.id)
