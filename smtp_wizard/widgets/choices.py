"""Where a person chooses: a few answers, or a provider out of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from smtp_wizard.widgets.fault_containment import Steady
from smtp_wizard.widgets.text import wrapped


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a `Choices`."""

    id: str
    title: str
    note: str = ""
    """Stands behind the title, dimmed."""
    heading: bool = False
    """A line between the answers that cannot be chosen."""


class Choices(Steady, Widget, can_focus=True):
    """A few answers, one of them chosen: arrows choose, Enter goes on. The chosen one has a real mark before it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Choose", show=False),
        Binding("down", "move(1)", "Choose", show=False),
        Binding("home", "move(-99)", show=False),
        Binding("end", "move(99)", show=False),
        Binding("enter", "take", "Next", key_display="enter"),
        Binding("space", "take_quietly", show=False),
    ]

    selected: reactive[str] = reactive("", repaint=False)

    class Changed(Message):
        """Another answer is chosen."""

        def __init__(self, choices: Choices, choice_id: str) -> None:
            super().__init__()
            self.choices = choices
            self.choice_id = choice_id

        @property
        def control(self) -> Choices:
            return self.choices

    class Taken(Changed):
        """Enter, or a click, on an answer."""

    def __init__(self, choices: Sequence[Choice], selected: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.choices = tuple(choices)
        ids = [each.id for each in self.choices if not each.heading]
        self.set_reactive(Choices.selected, selected if selected in ids else ids[0])

    def offer(self, choices: Sequence[Choice], selected: str = "") -> None:
        """Put other answers in place, keeping the chosen one where it is still there."""
        self.choices = tuple(choices)
        ids = [each.id for each in self.choices if not each.heading]
        wanted = selected or self.selected
        self.selected = wanted if wanted in ids else ids[0]
        self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return sum(len(self._lines(each, width)) for each in self.choices)

    def _lines(self, choice: Choice, width: int) -> list[str]:
        if choice.heading:
            return [choice.title]
        words = f"{choice.title}  {choice.note}" if choice.note else choice.title
        return wrapped(words, max(20, width - 6))

    def render(self) -> Content:
        shown: list[Content] = []
        for choice in self.choices:
            lines = self._lines(choice, self.size.width or 80)
            if choice.heading:
                shown.append(Content.styled(lines[0], "$foreground-muted"))
                continue
            chosen = choice.id == self.selected
            mark = f"{'>' if chosen and self.has_focus else ' '} ({'o' if chosen else ' '}) "
            style = "bold reverse" if chosen and self.has_focus else "bold" if chosen else ""
            shown += [Content.assemble(mark if not at else "      ", (line, style)) for at, line in enumerate(lines)]
        return Content("\n").join(shown)

    def _at_row(self, row: int) -> Choice | None:
        for choice in self.choices:
            row -= len(self._lines(choice, self.size.width))
            if row < 0:
                return None if choice.heading else choice
        return None

    def watch_selected(self, before: str, choice_id: str) -> None:
        if self.is_mounted:
            self.refresh(*(self._rows_of(each) for each in (before, choice_id)))
            self.post_message(self.Changed(self, choice_id))

    def _rows_of(self, choice_id: str) -> Region:
        """Where an answer stands: only what changes is painted."""
        row = 0
        for choice in self.choices:
            height = len(self._lines(choice, self.size.width))
            if choice.id == choice_id:
                return Region(0, row, self.size.width, height)
            row += height
        return Region(0, 0, self.size.width, row)

    def action_move(self, by: int) -> None:
        """Choose the answer above or below."""
        ids = [each.id for each in self.choices if not each.heading]
        at = ids.index(self.selected) + by
        self.selected = ids[min(max(at, 0), len(ids) - 1)]

    def action_take(self) -> None:
        """Go on with the chosen answer."""
        self.post_message(self.Taken(self, self.selected))

    def action_take_quietly(self) -> None:
        """Keep the chosen answer: a space is what people press on a mark."""

    def watch_has_focus(self, focused: bool) -> None:
        super().watch_has_focus(focused)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        choice = self._at_row(event.y)
        if choice is not None:
            self.selected = choice.id
            self.action_take()
