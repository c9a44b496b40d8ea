"""F6: all the steps of a guide over the page, with their ticks; its web addresses open whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from textual.content import Content
from textual.widget import Widget

from smtp_wizard.engine.guides.dates import date_words
from smtp_wizard.flows.guide_ticks import GuideView
from smtp_wizard.screens.panel import INSIDE, MARGINS, Panel
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.guide_steps import step_rows
from smtp_wizard.widgets.lines import MUTED, Lines
from smtp_wizard.widgets.plain_text import folded

WINDOW_EDGES = MARGINS + 4
"""Columns of a window beside the text of a panel."""


class StepsPanel(Panel[None]):
    """A guide to follow. Enter ticks the step that is due; the page below shows the tick at once."""

    def __init__(self, view: GuideView, mark: Callable[[int, bool], None], open_link: Callable[[str], None]) -> None:
        """`mark` is told of a tick that is set or taken away: the step's number. `open_link` shows a web address."""
        super().__init__(view.guide.title, _where(view))
        self.view = view
        self.lines = Lines(self._rows())
        self._mark = mark
        self._open_link = open_link

    def body(self) -> Iterator[Widget]:
        yield self.lines

    def chips(self) -> Sequence[Chip]:
        due, url = self.view.due, self._url()
        done = [Chip("enter", "Done: next step", self._done, help="tick the step that is due")] if due else []
        undo = [Chip("backspace", "Not done", self._undone, help="take the last tick away")] if self._last() else []
        link = Chip("o", "Open the page", self._open, help="show the web address whole, with a QR code; open it")
        return [*done, *([link] if url else []), *undo, Chip("", "Scroll", help="scroll")]

    def keys(self) -> Sequence[Chip]:
        """As `Panel.keys`: F6 closes the guide again."""
        return [*super().keys(), Chip("f6", "Close", self.close, shown=False)]

    def on_mount(self) -> None:
        """Begin at the step that is due."""
        self._scroll()

    def on_resize(self) -> None:
        """As `Panel.on_resize`; the rows are broken where the window is wide enough for them now."""
        super().on_resize()
        self.lines.show(self._rows())

    @property
    def _room(self) -> int:
        """Columns of text in the window as it is."""
        return min(INSIDE, self.app.size.width - WINDOW_EDGES)

    def _rows(self) -> list[Content]:
        guide, room = self.view.guide, self._room
        rows = [Content.styled(row, MUTED) for row in folded(_about(self.view), room)]
        for text in guide.intro:
            rows += [Content(""), *(Content(row) for row in folded(text, room))]
        for step in guide.steps:
            rows += [Content(""), *step_rows(self.view, step, room, full=True)]
        for text in guide.outro:
            rows += [Content(""), *(Content(row) for row in folded(text, room))]
        rows.append(Content(""))
        for title, url in guide.sources:
            rows += [Content.styled(row, MUTED) for part in (f"· {title}", url) if part for row in folded(part, room)]
        return rows

    def _show(self, number: int, done: bool) -> None:
        step = self.view.step(number)
        assert step is not None, "it is one of the guide's"
        self._mark(number, done)
        self.view = self.view.marked(step, done)
        self.lines.show(self._rows())
        self.tell(_where(self.view))
        self.redraw()
        self._scroll()

    def _done(self) -> None:
        if self.view.due is not None:
            self._show(self.view.due.number, True)

    def _last(self) -> int:
        """The number of the last ticked step; 0 where none is."""
        return max((step.number for step in self.view.guide.steps if self.view.done(step)), default=0)

    def _undone(self) -> None:
        if self._last():
            self._show(self._last(), False)

    def _url(self) -> str:
        """The web address of the step that is due, or of the next one that has any."""
        due = self.view.due
        after = [step for step in self.view.guide.steps if due is None or step.number >= due.number]
        return next((url for step in (*after, *self.view.guide.steps) for url in step.urls), "")

    def _open(self) -> None:
        self._open_link(self._url())

    def _scroll(self) -> None:
        """Bring the step that is due into sight."""
        due = self.view.due
        marks = [y for y, row in enumerate(self.lines.rows_at(self._room)) if due and row.plain.startswith("▸")]
        if marks:
            self.box.scroll_to(y=max(0, marks[0] - 1), animate=False)


def _where(view: GuideView) -> str:
    due, steps = view.due, view.guide.steps
    return f"step {due.number} of {len(steps)}" if due else "all steps done"


def _about(view: GuideView) -> str:
    guide = view.guide
    minutes = "1 minute" if guide.minutes == 1 else f"{guide.minutes} minutes"
    return f"{f'{minutes} · ' if guide.minutes else ''}checked {date_words(guide.checked)}"
