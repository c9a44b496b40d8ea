"""Explain an error: paste what a program, a log or a returned message says, and read what it means."""

from __future__ import annotations

import unicodedata
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, TextArea
from textual.worker import get_current_worker

from smtp_wizard.engine.explain import Explainer, Explanation
from smtp_wizard.engine.explainers import load_explainer
from smtp_wizard.engine.model import clean
from smtp_wizard.explain_words import (
    EXPLAIN_QUESTION,
    EXPLAINING,
    NOTHING_KEPT,
    NOTHING_PASTED,
    TOO_LONG,
    confidence_words,
    matched_words,
    provider_unknown,
)
from smtp_wizard.screens.dialogs import Dialog, HelpScreen
from smtp_wizard.screens.finding import FindingScreen
from smtp_wizard.screens.step import Kit
from smtp_wizard.widgets import Banner, Field, KeyHints, Plain, Steady, TextInput

HELP = (
    "Paste any error about sending mail, from whatever program, or a whole message that came back, and press F5. You "
    "read what it means, who must act and what to do, with a message for them where it is somebody else. Nothing of "
    "the text is kept, or sent anywhere."
)
LONGEST = 262_144
"""Characters of a pasted text that are taken."""


class PasteArea(Steady, TextArea):
    """Many lines to paste into or to type. Never blinks; what cannot be seen is left out."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "app.focus_next", show=False)]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, soft_wrap=True, show_line_numbers=False, tab_behavior="focus", compact=True)
        self.cursor_blink = False
        self.cut = False
        """Whether something of the last paste was left out."""

    async def _on_paste(self, event: events.Paste) -> None:
        room = LONGEST - len(self.text)
        self.cut = len(event.text) > room
        if result := self._replace_via_keyboard(visible(event.text[: max(0, room)]), *self.selection):
            self.move_cursor(result.end_location)
        event.stop()
        event.prevent_default()

    def action_copy(self) -> None:
        """Do nothing: what was pasted comes from elsewhere, and is nobody else's business."""

    def action_cut(self) -> None:
        """Do nothing, as for copying."""


class ExplainScreen(Dialog[None]):
    """F5 explains. The text stays until the person leaves, and is gone then."""

    AUTO_FOCUS = "#pasted"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("f5", "explain", "Explain"),
        Binding("f2", "empty", "Empty it"),
        Binding("f1", "help", "Help"),
    ]

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        self.banner = Banner()
        self.area = PasteArea(id="pasted")
        self.provider = Field(
            "Provider", TextInput(placeholder="may be empty", id="explain-provider"), hint="Whose server it was."
        )
        self._explainer: Explainer | None = None

    def compose(self) -> ComposeResult:
        yield Plain(Content.styled("Explain an error", "bold"), classes="title")
        with VerticalScroll(id="body", can_focus=False):
            yield Plain(EXPLAIN_QUESTION, classes="question")
            yield self.area
            yield self.provider
            yield Plain(NOTHING_KEPT, classes="lead")
        yield self.banner
        yield KeyHints()

    def on_unmount(self) -> None:
        self.area.clear()
        self.area.history.clear()

    @on(Input.Submitted)
    def action_explain(self) -> None:
        """Say what the text means."""
        if not self.area.text.strip():
            self.banner.say(NOTHING_PASTED)
            self.area.focus()
            return
        self.banner.say(EXPLAINING)
        self._explain(self.area.text, self.provider.value.strip())

    @work(thread=True, exclusive=True, group="explain")
    def _explain(self, text: str, provider: str) -> None:
        """Work beside the screen: the rules may have to be read first, and the text may be long."""
        app, worker = self.app, get_current_worker()
        if self._explainer is None:
            self._explainer = load_explainer(self.kit.desk.catalog)
        explanation = self._explainer.explain_text(text, provider=provider or None)
        unknown = bool(provider) and self._explainer.provider_called(provider) is None
        note = provider_unknown(clean(provider, 60)) if unknown else TOO_LONG if self.area.cut else ""
        if not worker.is_cancelled:  # else the person has left
            app.call_from_thread(self._show, explanation, note)

    def _show(self, explanation: Explanation, note: str) -> None:
        self.banner.say("")
        self.app.push_screen(
            FindingScreen(
                explanation.finding,
                self.kit.shelf,
                confidence=confidence_words(explanation),
                matched=matched_words(explanation.matched),
                note=note,
            )
        )

    def action_empty(self) -> None:
        """Begin with another text."""
        self.area.clear()
        self.area.cut = False
        self.banner.say("")
        self.area.focus()

    def action_help(self) -> None:
        """Say what this screen is for."""
        self.app.push_screen(HelpScreen("Explain an error", HELP))


def visible(text: str) -> str:
    """Return a text without what moves a cursor, turns the direction of writing, or cannot be seen."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4)
    return "".join(ch for ch in lines if ch == "\n" or unicodedata.category(ch) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
