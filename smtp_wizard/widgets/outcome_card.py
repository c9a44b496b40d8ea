"""What happened, in one place directly under the question: running, failed and passed are one card."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Region
from textual.timer import Timer

from smtp_wizard.flows.flow import Card, Mood
from smtp_wizard.widgets.frame import EDGE_ROOM, Edged
from smtp_wizard.widgets.lines import ACCENT, STRONG, Lines, fitted
from smtp_wizard.widgets.plain_text import folded

USUAL, FRAME = 72, 4
"""Columns inside the card in the usual window, and of its edges and the blanks beside them."""
RESERVED = 4
"""Rows of text for which there is room from the beginning where a step says so: what follows stays where it is."""
TICKS = 4
"""Steps of the moving sign in a second."""
SIGNS = "◐◓◑◒"


class OutcomeCard(Edged, Lines):
    """Shows a `Card` of a flow, or nothing. `.show_card(card)` puts another one in place.

    While it runs, a sign moves in one cell and the seconds are told; nothing else moves, and nothing while another
    screen is on top.
    """

    def __init__(self, card: Card | None = None, *, reserve: bool = False, id: str = "outcome") -> None:
        """`reserve`: keep six rows from the beginning, so that nothing below it moves."""
        super().__init__(id=id)
        self.card: Card | None = None
        self.least = RESERVED if reserve else 0
        self._ticks = 0
        self._ticker: Timer | None = None
        self._painted: Sequence[Content] | None = None
        """The rows that stand there while others wait for the next movement of the sign."""
        self._put(card)

    def on_mount(self) -> None:
        """Let the sign move where the card runs already."""
        self._move_or_rest()

    def show_card(self, card: Card | None) -> None:
        """Put another card in place, or none."""
        if card == self.card:
            return
        old = self.rows_at(self.size.width) if self._painted is None else self._painted
        was, self._painted = self.card, None
        self._put(card)
        self._move_or_rest()
        if (was is None) != (card is None) and not self.least:
            self.refresh(layout=True)
        elif self._can_wait(was, card, len(old)):
            self._painted = old
        else:
            self.repaint_changed(old)

    def _can_wait(self, was: Card | None, card: Card | None, rows: int) -> bool:
        """Whether one step of what runs follows another: nobody reads ten in a second, and all go over the line."""
        runs = was is not None and card is not None and was.mood is card.mood is Mood.RUNNING
        return runs and self._ticker is not None and len(self.rows_at(self.size.width)) <= max(rows, self.least)

    def _put(self, card: Card | None) -> None:
        if card is None or self.card is None or self.card.mood is not card.mood:
            self._ticks = 0
        self.card = card
        for mood in Mood:
            self.set_class(card is not None and card.mood is mood, f"-{mood}")
        self.set_class(card is None, "-none")
        self.display = card is not None or bool(self.least)
        self._edge()

    def _edge(self) -> None:
        if self.card is not None:
            self.label("" if self._is_long(self.size.width) else self.card.title, self.card.foot)

    def _is_long(self, width: int) -> bool:
        """Whether the title is too long for the edge: then it is the first row."""
        return self.card is not None and cell_len(self.card.title) + EDGE_ROOM > (width or USUAL) + FRAME

    def on_resize(self) -> None:
        """Put the title where there is room for it."""
        self._edge()

    def rows_at(self, width: int) -> Sequence[Content]:
        """As `Lines.rows_at`: paragraphs, folded; of a card that runs the last one begins with sign and seconds."""
        card = self.card
        if card is None:
            return []
        *before, last = card.lines or ("",)
        if card.mood is not Mood.RUNNING:
            before.append(last)
        rows = fitted(Content.styled(card.title, STRONG), width) if self._is_long(width) else []
        rows += [self._led(line) for words in before for line in folded(words, width or USUAL)]
        return [*rows, self._moving(last)] if card.mood is Mood.RUNNING else rows

    def _moving(self, words: str) -> Content:
        sign, seconds = SIGNS[self._ticks % len(SIGNS)], self._ticks // TICKS
        most = self.card.seconds if self.card is not None else 0
        waited = (f"{seconds} s, up to {most}" if most else f"{seconds} s") if seconds else ""
        return Content.assemble((sign, ACCENT), f" {waited:<{len('99 s, up to 99') if most else 4}}  {words}")

    @staticmethod
    def _led(line: str) -> Content:
        """Return a line with who acts in bold: 'You: paste the 16 letters over it.'"""
        who, colon, what = line.partition(": ")
        acts = colon and who in ("You", "Provider", "Administrator", "Web host")
        return Content.assemble((f"{who}:", STRONG), f" {what}") if acts else Content(line)

    def _move_or_rest(self) -> None:
        runs = self.card is not None and self.card.mood is Mood.RUNNING
        if runs and self._ticker is None and self.is_attached:
            self._ticker = self.set_interval(1 / TICKS, self._tick)
        elif not runs and self._ticker is not None:
            self._ticker.stop()
            self._ticker = None

    def _tick(self) -> None:
        self._ticks += 1
        # Under another screen a tick would have that one painted anew, all of it.
        if self.screen.is_active:
            if self._painted is not None:
                self.repaint_changed(self._painted)
                self._painted = None
            row = len(self.rows_at(self.size.width)) - 1
            self.refresh(Region(0, row, 1 if self._ticks % TICKS else 18, 1))
