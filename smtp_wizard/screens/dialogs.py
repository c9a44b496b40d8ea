"""Small windows over a screen: help, a yes or no, a web address, an explanation with ways on, a password."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget

from smtp_wizard.engine.guides.guides import Guide, as_text
from smtp_wizard.flows.flow import Offer
from smtp_wizard.screens.panel import Panel
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.key_hints import KeyHints
from smtp_wizard.widgets.lines import Paragraphs
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.qr import qr_code
from smtp_wizard.widgets.text import Plain

T = TypeVar("T")

DIALOG_TEXT = 65
"""Columns of a text in a window over a screen of 80."""


class Dialog(FaultContained, ModalScreen[T | None], Generic[T]):
    """A window that Escape closes with nothing decided."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close")]


class HelpScreen(Dialog[None]):
    """What a screen is for, and its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,f1", "dismiss(None)", "Close", show=False)]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.heading = title
        self.text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog"):
            yield Plain(Content.styled(f"Help: {self.heading}", "bold"))
            yield Plain(f"\n{self.text}\n")
            yield Plain(
                "Keys: Enter goes on. Esc goes back, and nothing you typed is lost. Tab moves to the next part of the "
                "screen, the arrows choose. Ctrl+Q leaves the program."
            )
        yield KeyHints()


class ConfirmScreen(Panel[bool]):
    """A question with two answers; the careful one is chosen at first."""

    def __init__(self, question: str, *, yes: str, no: str) -> None:
        super().__init__("A question first", "Esc changes nothing")
        self.question = question
        self.answers = OfferList([Offer("no", no, chip=no), Offer("yes", yes, chip=yes)])

    def body(self) -> Iterator[Widget]:
        yield Paragraphs([Content(self.question), Content("")])
        yield self.answers

    def chips(self) -> Sequence[Chip]:
        """As `Panel.chips`."""
        return [self.answers.chip(), Chip("", "Choose")]

    def on_offer_list_chosen(self, message: OfferList.Chosen) -> None:
        """Return whether it was the yes."""
        self.dismiss(message.offer.id == "yes")


class LinkScreen(Dialog[None]):
    """A web address in full on a line of its own, as a code for a phone, and to the clipboard."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy"),
        Binding("enter", "open", "Open here"),
    ]

    def __init__(self, url: str, *, local: bool) -> None:
        super().__init__()
        self.url = url
        self.local = local
        self.note = Plain("", classes="hint")

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog"):
            yield Plain("Open this page in a web browser:\n")
            yield Plain(Content.styled(self.url, "bold"), id="url")
            yield self.note
            yield Plain(qr_code(self.url), id="qr")
        yield KeyHints()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.local if action == "open" else True

    def action_copy(self) -> None:
        """Send the address to the terminal's clipboard; whether it took it cannot be known."""
        self.app.copy_to_clipboard(self.url)
        self.note.update("Sent to your terminal. If pasting gives something else, copy the line above by hand.")

    def action_open(self) -> None:
        """Open the page in the browser of this computer."""
        self.app.open_url(self.url)
        self.note.update("Asked the browser on this computer to open the page.")


class TellScreen(Dialog[None]):
    """An answer to read."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "dismiss(None)", "Close", show=False)]

    def __init__(self, heading: str, lines: Sequence[str]) -> None:
        super().__init__()
        self.heading = heading
        self.lines = lines

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog"):
            yield Plain(Content.styled(self.heading, "bold"))
            yield Plain("\n".join(self.lines))
        yield KeyHints()


class GuideScreen(Dialog[None]):
    """A guide to read."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "dismiss(None)", "Close", show=False)]

    def __init__(self, guide: Guide) -> None:
        super().__init__()
        self.guide = guide

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog"):
            yield Plain(as_text(self.guide, DIALOG_TEXT))
        yield KeyHints()
