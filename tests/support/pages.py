"""A page with every shared part on it, and an app that shows it in the product's look: for what all pages have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any, ClassVar

from rich.segment import Segment
from textual.app import App, ScreenError
from textual.screen import Screen
from textual.widget import Widget

import smtp_wizard
from smtp_wizard.flows.flow import Card, Entry, Mood, Offer, Section
from smtp_wizard.runtime.server_watch import ServerWatch
from smtp_wizard.screens.page import Page, note, question
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.frame import RadioFrame, RadioOption, SecretFrame, TextFrame
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import OutcomeCard
from smtp_wizard.widgets.themes import OWN
from tests.support.walk import guides, make_services


class Way(StrEnum):
    """What the page offers."""

    ON = "on"
    PHONE = "phone"
    CLOSED = "closed"
    NEVER = "never"


OFFERS = (
    Offer(Way.ON, "It is on, or I am not sure", "We open the page; it says whether it is on.", chip="Go on"),
    Offer(Way.PHONE, "It is off: I have a phone", "One code is sent to it."),
    Offer(Way.CLOSED, "The way that was", "Closed. Enter: what replaced it.", part="Other ways", closed=True),
    Offer(Way.NEVER, "The key store", off="No key store runs here.", part="Other ways"),
)
FAILED = Card(
    mood=Mood.FAILED,
    title="The server did not take this password",
    lines=("It has [10] characters; an app password has 16.", "You: paste the 16 letters over it."),
    foot="✓✓✓✓✓✗  5 of 6 checks passed",
)
RUNNING = Card(mood=Mood.RUNNING, title="Signing in", lines=("the server looks at the password",), seconds=30)


def kit_of(folder: Path) -> ScreenContext:
    """Return what a screen is handed."""

    def raised(fault: Exception) -> None:
        raise fault

    services = make_services(folder)
    return ScreenContext(services, guides(), ServerWatch(services.checks, services.catalog, raised), local=False)


class SamplePage(Page[str]):
    """One of each."""

    HEADING = "Sample"
    HELP = "A page with one of each part."

    def __init__(self, folder: Path, card: Card | None = FAILED) -> None:
        super().__init__(kit_of(folder))
        self.taken: list[str] = []
        self.name_frame = TextFrame(Entry(label="Name [of it]", text="ana", hint="as [you] like"), id="called")
        self.secret = SecretFrame(Entry(label="Password", secret=True, error="Too short."), id="secret")
        options = [RadioOption(1, "SSL/TLS"), RadioOption(2, "STARTTLS"), RadioOption(3, "none")]
        self.radio = RadioFrame("Secure connection", options, 1, id="security")
        self.card = OutcomeCard(card, reserve=True)
        self.offers = OfferList(OFFERS)

    def column(self) -> Iterator[Widget]:
        yield question("How does it look?")
        yield self.name_frame
        yield self.secret
        yield self.radio
        yield self.card
        yield note("smtp.example, port 465", narrow=True)
        yield self.offers

    def rail(self) -> Sequence[Section]:
        return [
            Section("Settings", ("Server    smtp.example", "Port      465")),
            Section("Why", ("· A point that is longer than one row of the rail is", "A line.")),
        ]

    def chips(self) -> Sequence[Chip]:
        return [self.offers.chip(), Chip("f2", "Show", self.secret.reveal, help="show or hide the password")]

    def on_offer_list_chosen(self, message: OfferList.Chosen) -> None:
        self.taken.append(message.offer.id)


class PageApp(App[str]):
    """Shows pages as the product does."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [Path(smtp_wizard.__file__).parent / "page.tcss"]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, make: Callable[[], Screen[Any]], theme: str = "dark") -> None:
        """`make` makes the page, in the app that it is shown in."""
        super().__init__(ansi_color=theme == "no-color" or None)
        for each in OWN:
            self.register_theme(each)
        self.theme = theme
        self.make = make
        self.paintings: list[str] = []
        """What was written to the terminal, for each time that anything was."""

    def get_default_screen(self) -> Screen[Any]:
        return self.make()

    def clear_selection(self) -> None:
        """As the toolkit's, which asks for the screen while the first one is being made."""
        with suppress(ScreenError):
            super().clear_selection()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """As the toolkit's; whatever would go over the line is counted."""
        if renderable is not None and not self._batch_count:
            self.paintings.append(type(renderable).__name__)
        super()._display(screen, renderable)


def cells(app: App[Any]) -> list[list[Segment]]:
    """Return what stands on the screen: rows of words with their styles."""
    return [list(row) for row in app.screen._compositor.render_strips()]


def rows(app: App[Any]) -> list[str]:
    """Return the words alone."""
    return ["".join(segment.text for segment in row).rstrip() for row in cells(app)]
