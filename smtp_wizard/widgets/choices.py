"""Where a person chooses: a few answers, or a provider out of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.text import wrapped

V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Choice(Generic[V_co]):
    """One answer of a `Choices`."""

    value: V_co
    """What it means."""
    title: str
    note: str = ""
    """Stands behind the title, dimmed."""


class Choices(FaultContained, Widget, Generic[V], can_focus=True):
    """A few answers, one of them chosen: arrows choose, Enter goes on. The chosen one has a real mark before it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Choose", show=False),
        Binding("down", "move(1)", "Choose", show=False),
        Binding("home", "move(-99)", show=False),
        Binding("end", "move(99)", show=False),
        Binding("enter", "take", "Next", key_display="enter"),
        Binding("space", "take_quietly", show=False),
    ]

    class Changed(Message):
        """Another answer is chosen: `Choices.selected` is what it means."""

        def __init__(self, choices: Choices[Any]) -> None:
            super().__init__()
            self.choices = choices

        @property
        def control(self) -> Choices[Any]:
            return self.choices

    class Taken(Changed):
        """Enter, or a click, on an answer."""

    def __init__(self, choices: Sequence[Choice[V]], selected: V | None = None, *, id: str | None = None) -> None:
        """`selected`: the answer that is chosen at first, if it is one of them; else the first one."""
        super().__init__(id=id)
        self.choices = tuple(choices)
        self._selected = self.choices[0].value if selected is None else self._or_first(selected)

    def _or_first(self, wanted: V | None) -> V:
        return next((each.value for each in self.choices if each.value == wanted), self.choices[0].value)

    @property
    def selected(self) -> V:
        """What the chosen answer means."""
        return self._selected

    @selected.setter
    def selected(self, value: V) -> None:
        before, self._selected = self._selected, value
        if value != before and self.is_mounted:
            self.refresh(*(self._rows_of(each) for each in (before, value)))
            self.post_message(self.Changed(self))

    def offer(self, choices: Sequence[Choice[V]], selected: V | None = None) -> None:
        """Put other answers in place, keeping the chosen one where it is still there."""
        self.choices = tuple(choices)
        self.selected = self._or_first(self.selected if selected is None else selected)
        self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return sum(len(self._lines(each, width)) for each in self.choices)

    def _lines(self, choice: Choice[V], width: int) -> list[str]:
        words = f"{choice.title}  {choice.note}" if choice.note else choice.title
        return wrapped(words, max(20, width - 6))

    def render(self) -> Content:
        shown: list[Content] = []
        for choice in self.choices:
            lines = self._lines(choice, self.size.width or 80)
            chosen = choice.value == self.selected
            mark = f"{'>' if chosen and self.has_focus else ' '} ({'o' if chosen else ' '}) "
            style = "bold reverse" if chosen and self.has_focus else "bold" if chosen else ""
            shown += [Content.assemble(mark if not at else "      ", (line, style)) for at, line in enumerate(lines)]
        return Content("\n").join(shown)

    def _at_row(self, row: int) -> Choice[V] | None:
        for choice in self.choices:
            row -= len(self._lines(choice, self.size.width))
            if row < 0:
                return choice
        return None

    def _rows_of(self, value: V) -> Region:
        """Where an answer stands: only what changes is painted."""
        row = 0
        for choice in self.choices:
            height = len(self._lines(choice, self.size.width))
            if choice.value == value:
                return Region(0, row, self.size.width, height)
            row += height
        return Region(0, 0, self.size.width, row)

    def action_move(self, by: int) -> None:
        """Choose the answer above or below."""
        values = [each.value for each in self.choices]
        at = values.index(self.selected) + by
        self.selected = values[min(max(at, 0), len(values) - 1)]

    def action_take(self) -> None:
        """Go on with the chosen answer."""
        self.post_message(self.Taken(self))

    def action_take_quietly(self) -> None:
        """Keep the chosen answer: a space is what people press on a mark."""

    def watch_has_focus(self, focused: bool) -> None:
        super().watch_has_focus(focused)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        choice = self._at_row(event.y)
        if choice is not None:
            self.selected = choice.value
            self.action_take()
