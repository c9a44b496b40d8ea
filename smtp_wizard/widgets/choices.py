"""Where a person chooses: a few answers, or a provider out of many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from smtp_wizard.engine.catalog import Catalog, Provider
from smtp_wizard.widgets.fields import TextInput
from smtp_wizard.widgets.steady import Steady
from smtp_wizard.widgets.text import Plain, wrapped


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


class PickerList(Steady, OptionList, can_focus=False):
    """The list under a filter. A real mark stands before the chosen row, so that it shows without colour."""

    def watch_highlighted(self, highlighted: int | None) -> None:
        super().watch_highlighted(highlighted)
        for at in range(self.option_count):
            option = self.get_option_at_index(at)
            text = str(option.prompt)
            wanted = ("> " if at == highlighted else "  ") + text[2:]
            if text != wanted:
                self.replace_option_prompt_at_index(at, wanted)


class ProviderPicker(Steady, Vertical):
    """Type to filter, arrows to move, Enter to choose. The last row always leads to the server by hand."""

    MOST: ClassVar[int] = 60
    BY_HAND: ClassVar[str] = ""

    class Picked(Message):
        """A provider was chosen; an empty id means: by hand."""

        def __init__(self, provider_id: str) -> None:
            super().__init__()
            self.provider_id = provider_id

    def __init__(
        self, catalog: Catalog, by_hand: str, first: Sequence[Provider] = (), *, id: str | None = None
    ) -> None:
        """`by_hand` is the last row's text; `first` are the likely ones, on top while nothing is typed."""
        super().__init__(id=id)
        self.catalog = catalog
        self.by_hand = by_hand
        self.first = tuple(first)
        self.entry = TextInput(placeholder="type a name, a domain or a server", id="filter")
        self.list = PickerList(compact=True, markup=False, id="picked")
        self.count = Plain("", classes="hint")

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field-row"):
            yield Plain("Filter", classes="label")
            yield self.entry
        yield self.count
        yield self.list

    def on_mount(self) -> None:
        self._fill()

    @on(Input.Changed, "#filter")
    def _fill(self) -> None:
        query = self.entry.value
        everything = [each for each in self.catalog.search(query, 10_000) if each.paths and each.id != "custom"]
        if not query and self.first:
            everything = [*self.first, *(each for each in everything if each not in self.first)]
        shown = everything[: self.MOST]
        rows = [Option(f"  {_provider_row(each)}", id=each.id) for each in shown]
        self.list.set_options([*rows, Option(f"  {self.by_hand}", id="-by-hand")])
        self.list.highlighted = 0
        of = (
            f"{len(shown)} of {len(everything)} providers"
            if len(shown) < len(everything)
            else f"{len(shown)} providers"
        )
        self.count.update(Content.styled(of if everything else "Nothing like it is listed.", "$foreground-muted"))

    def on_key(self, event: events.Key) -> None:
        moves: dict[str, Callable[[], object]] = {
            "down": self.list.action_cursor_down,
            "up": self.list.action_cursor_up,
            "pagedown": self.list.action_page_down,
            "pageup": self.list.action_page_up,
        }
        if event.key in moves:
            moves[event.key]()
            event.stop()
            event.prevent_default()

    @on(Input.Submitted, "#filter")
    def _enter(self, event: Input.Submitted) -> None:
        event.stop()
        self._pick(self.list.highlighted_option)

    @on(OptionList.OptionSelected)
    def _click(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._pick(event.option)

    def _pick(self, option: Option | None) -> None:
        if option is not None and option.id is not None:
            self.post_message(self.Picked("" if option.id == "-by-hand" else option.id))


def _provider_row(provider: Provider) -> str:
    best = provider.best()
    return f"{provider.name[:40]:<42}{best if best else ''}"
