"""A field as a frame: its label stands in the upper edge, its hint or what is wrong with it in the lower one.

The frame has the focus's colour while the cursor is in it; without colours it is drawn with heavy lines then. Hint and
fault share one place, so that nothing moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from rich.cells import cell_len
from rich.text import Text
from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.widget import Widget
from textual.widgets import Input

from smtp_wizard.engine.providers.provider import SecretForm
from smtp_wizard.flows.flow import Entry
from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.fields import SecretInput, TextInput
from smtp_wizard.widgets.lines import ACCENT, MUTED, STRONG, Lines, fitted
from smtp_wizard.widgets.plain_text import PlainText

V = TypeVar("V")

EDGE_ROOM = 6
"""Columns of a frame's width that its corners and the blanks around its words take."""


class Edged(FaultContained, Widget):
    """What has words in the edges of its frame."""

    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=True, repaint=False)
    """As the toolkit's, which repaints the whole frame in the second layout that follows a change of its height."""

    def label(self, title: str, foot: str) -> None:
        """Put words in the edges; the same again repaint nothing. Words from outside are read for no markup."""
        said = getattr(self, "_edges", None)
        if said != (title, foot):
            self._edges = (title, foot)
            self.border_title, self.border_subtitle = Text(title), Text(foot)


class Frame(Edged, Vertical):
    """A field that shows an `Entry` of a flow. `.show(entry)` puts another state of it in place."""

    class Changed(Message):
        """Something was typed. `text` is all of it."""

        def __init__(self, frame: Frame, text: str) -> None:
            super().__init__()
            self.frame = frame
            self.text = text

        @property
        def control(self) -> Frame:
            """The frame: `@on(Frame.Changed, "#address")` hears one of them."""
            return self.frame

    def __init__(self, entry: Entry, field: TextInput, *, id: str | None = None, classes: str | None = None) -> None:
        """`field` is what is typed into; the id is the frame's."""
        self.more = PlainText("", classes="foot")
        self.more.display = False
        super().__init__(field, self.more, id=id, classes=classes)
        self.field = field
        self.entry = entry
        self._draw(entry)

    @property
    def text(self) -> str:
        """What stands in the field."""
        return self.field.value

    def show(self, entry: Entry) -> None:
        """Show another state of the field; what is typed is replaced only where the flow has another text."""
        if not entry.secret and entry.text != self.field.value:
            with self.field.prevent(Input.Changed):
                self.field.value = entry.text
                self.field.cursor_position = len(entry.text)
        if entry.placeholder != self.field.placeholder:
            self.field.placeholder = entry.placeholder
        self._draw(entry)

    def _draw(self, entry: Entry) -> None:
        self.entry = entry
        foot = f"! {entry.error}" if entry.error else entry.hint
        # What is too long for the edge is folded below the field, inside: no word is ever cut off.
        room = (self.outer_size.width or 76) - EDGE_ROOM
        folds = cell_len(foot) > room
        self.label(entry.label, "" if folds else foot)
        if folds or self.more.display:
            self.more.update(foot if folds else "")
            self.more.display = folds
        self.set_class(bool(entry.error), "-bad")

    def on_resize(self) -> None:
        """Put the words where there is room for them now."""
        self._draw(self.entry)

    def select_all(self) -> None:
        """Select what stands in the field, so that typing replaces it; put the cursor there."""
        self.field.focus()
        self.field.action_select_all()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, event.value))


class TextFrame(Frame):
    """A field for words."""

    def __init__(self, entry: Entry, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(entry, TextInput(entry.text, placeholder=entry.placeholder), id=id, classes=classes)


class SecretFrame(Frame):
    """A field for a password: hidden until F2 (`reveal`) shows it, never copied out.

    `.text` is what was typed, which the flow gets and its state never has.
    """

    field: SecretInput

    def __init__(
        self, entry: Entry, *, form: SecretForm | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        """`form`: the shape of the provider's app passwords, in which a paste is tidied."""
        super().__init__(entry, SecretInput(form=form), id=id, classes=classes)

    def reveal(self) -> None:
        """Show or hide what was typed."""
        self.field.action_reveal()

    @property
    def revealed(self) -> bool:
        """Whether it can be read."""
        return not self.field.password


@dataclass(frozen=True, slots=True)
class RadioOption(Generic[V]):
    """One of a few words to choose from."""

    value: V
    words: str
    note: str = ""
    """Behind the words, muted; for options below one another."""


class RadioFrame(Edged, Lines, Generic[V], can_focus=True):
    """A few words to choose from in a frame, one always chosen. The mark is a sign, not a colour."""

    class Changed(Message):
        """Another one is chosen."""

        def __init__(self, frame: RadioFrame[Any]) -> None:
            super().__init__()
            self.frame = frame

        @property
        def control(self) -> RadioFrame[Any]:
            """The frame: `@on(RadioFrame.Changed, "#scope")` hears one of them."""
            return self.frame

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "move(1)", show=False),
        Binding("left", "move(-1)", show=False),
    ]

    def __init__(
        self,
        label: str,
        options: Sequence[RadioOption[V]],
        selected: V,
        *,
        hint: str = "← → choose",
        across: bool = True,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`across`: beside one another; else each in a row of its own."""
        super().__init__(id=id, classes=classes)
        self.options = tuple(options)
        self.across = across
        self._selected = selected
        self.title = label
        self.label(label, hint)

    @property
    def selected(self) -> V:
        """The value of the chosen one."""
        return self._selected

    def show(self, selected: V, *, hint: str | None = None) -> None:  # type: ignore[override]  # a value, not rows
        """Choose one without saying so, as a flow's state has it; `hint` puts other words in the lower edge."""
        old = self.rows_at(self.size.width)
        self._selected = selected
        self.repaint_changed(old)
        if hint is not None:
            self.label(self.title, hint)

    def rows_at(self, width: int) -> Sequence[Content]:
        """As `Lines.rows_at`."""
        each = [self._option(option) for option in self.options]
        gap = self._gap(width)
        if gap is None:
            return [row for option in self.options for row in self._rows_of(option, width)]
        return [Content(" " * gap).join(each)]

    def _rows_of(self, option: RadioOption[V], width: int) -> list[Content]:
        """Break an option; its note goes on below where it begins, or below the words where that leaves little room."""
        row, mark = self._option(option), len("● ")
        noted = row.cell_length - cell_len(option.note)
        return fitted(row, width, noted if option.note and noted * 2 <= width else mark)

    def _gap(self, width: int) -> int | None:
        """Blanks between options beside one another, fewer where there is little room; None: below one another."""
        words = sum(self._option(option).cell_length for option in self.options)
        gaps = (gap for gap in (4, 2) if not width or words + gap * (len(self.options) - 1) <= width)
        return next(gaps, None) if self.across else None

    def _option(self, option: RadioOption[V]) -> Content:
        chosen = option.value == self._selected
        mark = ("● ", f"{STRONG} {ACCENT}") if chosen else ("○ ", MUTED)
        note = (f"   {option.note}", MUTED) if option.note else ""
        return Content.assemble(mark, (option.words, "" if chosen else MUTED), note)

    def action_move(self, by: int) -> None:
        """Choose the next one, round and round."""
        values = [each.value for each in self.options]
        self._take(values[(values.index(self._selected) + by) % len(values)])

    def _take(self, value: V) -> None:
        if value != self._selected:
            self.show(value)
            self.post_message(self.Changed(self))

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked on."""
        inside = event.get_content_offset(self)
        if inside is None:
            return
        gap = self._gap(self.size.width)
        if gap is None:
            rows = [option for option in self.options for _ in self._rows_of(option, self.size.width)]
            self._take(rows[min(inside.y, len(rows) - 1)].value)
            return
        at = 0
        for option in self.options:
            at += self._option(option).cell_length + gap
            if inside.x < at:
                self._take(option.value)
                return


class FrameRow(FaultContained, Horizontal):
    """Frames beside one another; give one the class `-narrow` to make it as narrow as a port's."""
