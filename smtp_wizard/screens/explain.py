"""Explain an error: paste what a program, a log or a returned message says, and read what it means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, TextArea

from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.explain.explain import Explainer, Explanation
from smtp_wizard.engine.explain.factory import load_explainer
from smtp_wizard.engine.explain.pasted_text import LEFT_OUT, shortened
from smtp_wizard.screens.dialogs import Dialog, HelpScreen
from smtp_wizard.screens.finding import FindingScreen
from smtp_wizard.screens.step import Kit
from smtp_wizard.text.explain import (
    EXPLAIN_QUESTION,
    EXPLAINING,
    NOTHING_KEPT,
    NOTHING_PASTED,
    TOO_LONG,
    confidence_words,
    matched_words,
    provider_unknown,
)
from smtp_wizard.widgets.banner import Banner
from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.fields import Field, TextInput
from smtp_wizard.widgets.key_hints import KeyHints
from smtp_wizard.widgets.text import Plain

HELP = (
    "Paste any error about sending mail, from whatever program, or a whole message that came back, and press F5. You "
    "read what it means, who must act and what to do, with a message for them where it is somebody else. Nothing of "
    "the text is kept, or sent anywhere."
)
WORK = "explain"
LONGEST = 262_144
"""Characters that are taken of what is pasted. Far more than an explanation looks at."""
LONGEST_LINE = 2_000
"""Characters of a line that are drawn as one: the whole of it is laid out again at every key."""
MOST_LINES = 10_000


class PasteArea(FaultContained, TextArea):
    """Many lines to paste into or to type. Never blinks; what cannot be seen is left out."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "app.focus_next", show=False)]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, soft_wrap=True, show_line_numbers=False, tab_behavior="focus", compact=True)
        self.cursor_blink = False
        self.cut = False
        """Whether something of the last paste was left out."""

    async def on_paste(self, event: events.Paste) -> None:
        room, lines = LONGEST - len(self.text), MOST_LINES - self.document.line_count
        text, self.cut = await in_thread(lambda: fitting_text(event.text, room, lines))
        self.move_cursor(self.replace(text, *self.selection, maintain_selection_offset=False).end_location)
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
        self._asked: tuple[str, str] | None = None
        """Text and provider that are being explained."""

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
        asked = (self.area.text, self.provider.value.strip())
        if self.at_work(WORK) and asked == self._asked:
            return
        self._asked = asked
        self.banner.say(EXPLAINING)
        self._explain(*asked)

    @work(exclusive=True, group=WORK)
    async def _explain(self, text: str, provider: str) -> None:
        """Beside the screen: the rules may have to be read first, and the text may be long. A new text takes over."""
        explanation, known = await in_thread(lambda: self._explained(text, provider))
        note = provider_unknown(shown(provider, 60)) if provider and not known else TOO_LONG if self.area.cut else ""
        self._show(explanation, note)

    def _explained(self, text: str, provider: str) -> tuple[Explanation, bool]:
        """Return what a text means, and whether the provider is known. Touches nothing that is drawn."""
        explainer = self._explainer = self._explainer or load_explainer(self.kit.desk.catalog)
        explanation = explainer.explain_text(text, provider=provider or None)
        return explanation, explainer.provider_called(provider) is not None

    def work_failed(self) -> None:
        """Say no longer that it is being looked at."""
        self.banner.say("")

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


# --- what is taken of a pasted text ---


def fitting_text(text: str, room: int, lines: int) -> tuple[str, bool]:
    """Return what fits of a text, in so many characters and lines, ready to be drawn; and whether any was left out.

    Of a long one the beginning, what looks like a fault, and, as in a log, above all the end.
    """
    room, lines = max(0, room), max(0, lines)
    begin = shortened(text, room)
    rows = visible_text(begin).split("\n")
    return shortened("\n".join(_rows(rows, lines)), room)[:room], begin is not text or len(rows) > lines


def _rows(rows: list[str], most: int) -> list[str]:
    if len(rows) <= most:
        return rows
    return [*rows[: most // 4], LEFT_OUT, *rows[len(rows) - most + most // 4 + 1 :]][:most]


def visible_text(text: str) -> str:
    """Return a text without what moves a cursor, turns the direction of writing, or cannot be seen.

    Very long lines are broken at a blank, and of many empty lines one is kept.
    """
    seen = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ").translate(_Unseen())
    rows = (row for line in _EMPTY_LINES.sub("\n\n", seen).split("\n") for row in _broken(line))
    return "\n".join(rows)


def _broken(line: str) -> Iterator[str]:
    """Yield the pieces of a line that can be drawn."""
    at = 0
    while len(line) - at > LONGEST_LINE:
        blank = line.rfind(" ", at + LONGEST_LINE // 2, at + LONGEST_LINE)
        end = blank if blank >= 0 else at + LONGEST_LINE
        yield line[at:end]
        at = end + (blank >= 0)
    yield line[at:]


_EMPTY_LINES = re.compile(r"\n{3,}")


class _Unseen(dict[int, int | None]):
    """What becomes of each character: itself, or nothing. Looked up once for each that comes."""

    def __missing__(self, code: int) -> int | None:
        hidden = code != ord("\n") and unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Co", "Cn"}
        self[code] = None if hidden else code
        return self[code]
