"""A guide beside the checks."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.report import CheckResult
from smtp_wizard.engine.guides.dates import date_words
from smtp_wizard.engine.guides.guides import Guide, GuideStep
from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.text import Plain, wrapped


class GuideRow(FaultContained, Widget):
    """One step of a guide: mark, tick, text; its lines hang below the text, web addresses stay whole."""

    done: reactive[bool] = reactive(False)
    here: reactive[bool] = reactive(False)
    MARGIN: ClassVar[int] = 6

    def __init__(self, step: GuideStep) -> None:
        super().__init__(id=f"step-{step.number}", classes="guide-step")
        self.step = step

    def _lines(self, width: int) -> tuple[list[str], list[str]]:
        number = f"{self.step.number}. "
        room = max(20, width - self.MARGIN)
        then = wrapped(self.step.then, room - len(number)) if self.step.then else []
        return wrapped(number + self.step.text, room, len(number)), [" " * len(number) + line for line in then]

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        text, then = self._lines(width)
        return len(text) + len(then)

    def render(self) -> Content:
        text, then = self._lines(self.size.width or 80)
        mark = "> " if self.here else "  "
        first = Content.assemble(
            mark,
            (f"[{'x' if self.done else ' '}] ", "$text-success" if self.done else ""),
            (text[0], "bold" if self.here else ""),
        )
        rest = [Content.styled(" " * self.MARGIN + line, "bold" if self.here else "") for line in text[1:]]
        remarks = [Content.styled(" " * self.MARGIN + line, "$foreground-muted") for line in then]
        return Content("\n").join([first, *rest, *remarks])


class GuidePane(FaultContained, VerticalScroll, can_focus=True):
    """A guide beside the checks. Arrows move between steps, Space ticks one; a check that proves a step ticks it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("space", "tick", "Tick"),
        Binding("o", "open", "Open link"),
    ]

    class Ticked(Message):
        """The set of ticked steps has changed."""

        def __init__(self, ticks: frozenset[str]) -> None:
            super().__init__()
            self.ticks = ticks

    class OpenLink(Message):
        """A web address of a step is wanted."""

        def __init__(self, url: str) -> None:
            super().__init__()
            self.url = url

    def __init__(self, guide: Guide, ticks: frozenset[str] = frozenset(), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.guide = guide
        self.ticks = ticks
        self.at = 0
        self.rows = {step.number: GuideRow(step) for step in guide.steps}

    def compose(self) -> ComposeResult:
        yield Plain(self._heading(), classes="guide-title")
        for text in self.guide.intro:
            yield Plain(text, classes="guide-text")
        yield from self.rows.values()
        for text in self.guide.outro:
            yield Plain(text, classes="guide-text")
        yield Plain(Content.styled(self._checked(), "$foreground-muted"), classes="guide-text")

    def _heading(self) -> Content:
        minutes = f"  (about {self.guide.minutes} minutes)" if self.guide.minutes else ""
        return Content.assemble((self.guide.title, "bold"), (minutes, "$foreground-muted"))

    def _checked(self) -> str:
        names = "; ".join(title for title, _ in self.guide.sources)
        return f"Checked {date_words(self.guide.checked)}. Sources: {names}"

    def _key(self, step: GuideStep) -> str:
        return f"{self.guide.id}/{step.number}"

    def _redraw(self, number: int) -> None:
        step = self.guide.steps[number]
        row = self.rows[step.number]
        row.done = self._key(step) in self.ticks
        row.here = number == self.at and self.has_focus

    def watch_has_focus(self, focused: bool) -> None:
        super().watch_has_focus(focused)
        if self.guide.steps and self.is_mounted:
            self._redraw(self.at)

    def on_mount(self) -> None:
        for number in range(len(self.guide.steps)):
            self._redraw(number)

    def action_move(self, by: int) -> None:
        """Go to the step above or below; past the last one, on through the text."""
        before, target = self.at, self.at + by
        if not 0 <= target < len(self.guide.steps):
            self.scroll_relative(y=by * 2, animate=False)
            return
        self.at = target
        self._redraw(before)
        self._redraw(self.at)
        self._show(self.guide.steps[self.at])

    def _show(self, step: GuideStep) -> None:
        self.scroll_to_widget(self.rows[step.number], animate=False)

    def action_tick(self) -> None:
        """Tick the step, or take the tick away."""
        if self.guide.steps:
            step = self.guide.steps[self.at]
            self.mark(step, self._key(step) not in self.ticks)

    def action_open(self) -> None:
        """Ask for the step's web address, or the next one's that has any."""
        for step in (*self.guide.steps[self.at :], *self.guide.steps[: self.at]):
            if step.urls:
                self.post_message(self.OpenLink(step.urls[0]))
                return

    def mark(self, step: GuideStep, done: bool) -> None:
        """Tick or untick a step."""
        self.ticks = self.ticks | {self._key(step)} if done else self.ticks - {self._key(step)}
        self._redraw(self.guide.steps.index(step))
        self.post_message(self.Ticked(self.ticks))

    def proved(self, result: CheckResult) -> None:
        """Tick the steps that a stage proves; untick them where it failed, and open the first of them."""
        for step in self.guide.steps:
            if step.proves is result.stage and result.verdict is not Verdict.SKIPPED:
                good = result.verdict in (Verdict.PASS, Verdict.WARN)
                self.mark(step, good)
                if not good:
                    before, self.at = self.at, self.guide.steps.index(step)
                    self._redraw(before)
                    self._redraw(self.at)
                    self._show(step)
