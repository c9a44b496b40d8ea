"""Explain an error: paste what a program, a log or a returned message says, and read what it means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import TextArea

from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.explain.factory import load_explainer
from smtp_wizard.engine.explain.pasted_text import LEFT_OUT, shortened
from smtp_wizard.flows.areas.explain import CheckAccount, ExplainFlow, ExplainOffer, ExplainState
from smtp_wizard.flows.flow import CopyText, Entry, ReadGuide, Section
from smtp_wizard.screens.areas.stoppable_page import WORK, StoppablePage
from smtp_wizard.screens.details import SectionsPanel
from smtp_wizard.screens.page import note, question
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.text.explain import (
    BOUNCES_GUIDE,
    EXPLAIN_EXAMPLE,
    EXPLAIN_FOOT,
    EXPLAIN_QUESTION,
    NOTHING_KEPT,
    TOO_LONG,
)
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.frame import Edged, Frame, TextFrame
from smtp_wizard.widgets.lines import MUTED, Lines
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import USUAL, OutcomeCard
from smtp_wizard.widgets.plain_text import folded

WHERE = (
    Section(
        "Where the words are",
        (
            "In ServiceMonster: press Test Settings or Send Email, and copy the red line.",
            "In a mail that came back: all of it.",
        ),
    ),
    Section("", ("F6  mail that came back",)),
)
"""What explains the question."""
LONGEST = 262_144
"""Characters that are taken of what is pasted. Far more than an explanation looks at."""
LONGEST_LINE = 2_000
"""Characters of a line that are drawn as one: the whole of it is laid out again at every key."""
MOST_LINES = 10_000


class AccountTestRequested(Message):
    """An account is to be tested: the accounts' own screen does that."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class PasteArea(TextArea, Edged):  # the styles are those of the first class
    """Many lines to paste into or to type. Never blinks; what cannot be seen is left out.

    Enter is the page's. Where a terminal sends what is pasted as keys, more of them follow, and it ends a line.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "app.focus_next", show=False)]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, soft_wrap=True, show_line_numbers=False, tab_behavior="focus", compact=True)
        self.cursor_blink = False
        self.cut = False
        """Whether something of the last paste was left out."""

    def show(self, entry: Entry) -> None:
        """Say what it is for, and what is wrong with what stands in it."""
        self.label(entry.label, entry.error or entry.hint or EXPLAIN_FOOT)
        self.set_class(bool(entry.error), "-bad")

    async def on_key(self, event: events.Key) -> None:
        """Leave Enter to the page, unless more keys follow. The toolkit's own handler comes after this one."""
        if event.key == "enter" and not getattr(self.app, "keys_follow", False):
            event.prevent_default()

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


class Quoted(Edged, Lines):
    """The first lines of what was pasted, in a frame."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[str] = ()

    def show_lines(self, lines: Sequence[str], said_by: str) -> None:
        """Show other lines."""
        old = self.rows_at(self.size.width)
        self.label("You pasted", said_by)
        self._lines = lines
        self.repaint_changed(old)

    def rows_at(self, width: int) -> Sequence[Content]:
        """As `Lines.rows_at`: two rows of each line at most."""
        return [Content.styled(row, MUTED) for line in self._lines for row in folded(line, width or USUAL)[:2]]


class ExplainScreen(StoppablePage):
    """Enter explains. The text stays until the person leaves or begins anew, and is gone then."""

    HEADING = "Explain an error"
    HELP: ClassVar[str] = (
        "Paste any error about sending mail, from whatever program, or a whole message that came back. You read what "
        "it means, who must act and what to do. It stays on this computer, and is not kept."
    )
    AUTO_FOCUS = "#paste"

    def __init__(self, context: ScreenContext) -> None:
        super().__init__(context)
        catalog = context.services.catalog
        self.flow = ExplainFlow(
            catalog, context.guides, context.services.saved_accounts.list, lambda: load_explainer(catalog)
        )
        self.flow.changed = self._changed
        self._drawn = self.flow.state
        self.area = PasteArea(id="paste")
        self.area.show(self.flow.state.entry)
        whose = Entry(label="Whose server was it?", placeholder="the name of your provider", hint="may be empty")
        self.provider = TextFrame(whose, id="explain-provider")
        self.asked = question(EXPLAIN_QUESTION)
        self.example = note(f"{EXPLAIN_EXAMPLE}\n{NOTHING_KEPT}")
        self.quoted = Quoted(id="quoted")
        self.quoted.display = False
        self.card = OutcomeCard()
        self.offers: OfferList[ExplainOffer] = OfferList()

    def column(self) -> Iterator[Widget]:
        yield self.asked
        yield self.area
        yield self.provider
        yield self.example
        yield self.quoted
        yield self.card
        yield self.offers

    def rail(self) -> Sequence[Section]:
        return self.flow.state.sections if self.flow.state.answered else WHERE

    def chips(self) -> Sequence[Chip]:
        guide = Chip("f6", "Guide", self._guide, help="guide: what to do with mail that came back")
        if not self.flow.state.answered:
            explain = Chip("enter", "Explain it", self._explain, help="say what it means")
            return [explain, guide]
        return [self.offers.chip(), Chip("f4", "Details", self._details, help="details: every word of it"), guide]

    def leave(self) -> None:
        """Go from an answer back to the text; else leave."""
        if self.flow.state.answered:
            self._anew(keep=True)
        else:
            super().leave()

    def on_unmount(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.area.clear()
        self.area.history.clear()
        self.area.cut = False

    # -- drawing ----------------------------------------------------------------------------------------------------

    def _changed(self, state: ExplainState) -> None:
        self.area.show(state.entry)
        for each in (self.asked, self.area, self.provider, self.example):
            each.display = not state.answered
        self.quoted.display = state.answered
        self.quoted.show_lines(state.quoted, state.said_by)
        self.card.show_card(state.card)
        self.offers.offer(state.offers if state.answered else ())
        before, self._drawn = self._drawn, state
        # Else the cursor stays: somebody may be typing in the other field.
        if state.answered is not before.answered or (state.entry.error and not before.entry.error):
            (self.offers if state.answered else self.area).focus()
        self.redraw()

    # -- keys -------------------------------------------------------------------------------------------------------

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self._take()

    def _take(self) -> None:
        text, whose = self.area.text, self.provider.text
        self.flow.paste(text, provider=whose, cut=TOO_LONG if self.area.cut else "")

    @on(Frame.Changed)
    def _named(self) -> None:
        self._take()

    def _explain(self) -> None:
        self._take()
        self._act(ExplainOffer.EXPLAIN)

    @on(OfferList.Chosen)
    def _chosen(self, message: OfferList.Chosen) -> None:
        if message.offer.id is ExplainOffer.ANEW:
            self._anew()
        else:
            self._act(message.offer.id)

    def _anew(self, *, keep: bool = False) -> None:
        """Ask for another text; or for the same once more, with what stands in the field."""
        if not keep:
            self._forget()
            self.provider.field.value = ""
        self._act(ExplainOffer.ANEW)

    @work(exclusive=True, group=WORK)
    async def _act(self, offer: ExplainOffer) -> None:
        """Have the flow do it; a new text takes over."""
        match await self.flow.act(offer):
            case ReadGuide(guide):
                self.show_guide(guide)
            case CheckAccount(name):
                self.app.post_message(AccountTestRequested(name))
            case CopyText(text):
                self.copy_text(text)

    def _details(self) -> None:
        self.app.push_screen(SectionsPanel(self.flow.details()))

    def _guide(self) -> None:
        self.show_guide(BOUNCES_GUIDE)


# --- what is taken of a pasted text ---


def fitting_text(text: str, room: int, lines: int) -> tuple[str, bool]:
    """Return what fits of a text, in so many characters and lines, ready to be drawn; and whether any was left out.

    Of a long one the beginning, what looks like a fault, and, as in a log, above all the end.
    """
    room, lines = max(0, room), max(0, lines)
    begin = shortened(text, room)
    rows = visible_text(begin).split("\n")
    seen = "\n".join(_rows(rows, lines))
    fitting = shortened(seen, room)[:room]
    return fitting, begin is not text or len(rows) > lines or fitting != seen


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
