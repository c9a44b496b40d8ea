"""Where a provider is chosen out of many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import Provider
from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.fields import TextInput
from smtp_wizard.widgets.text import Plain


class PickerList(FaultContained, OptionList, can_focus=False):
    """The list under a filter. A real mark stands before the chosen row, so that it shows without colour."""

    def watch_highlighted(self, highlighted: int | None) -> None:
        super().watch_highlighted(highlighted)
        for at in range(self.option_count):
            option = self.get_option_at_index(at)
            text = str(option.prompt)
            wanted = ("> " if at == highlighted else "  ") + text[2:]
            if text != wanted:
                self.replace_option_prompt_at_index(at, wanted)


class ProviderPicker(FaultContained, Vertical):
    """Type to filter, arrows to move, Enter to choose. The last row always leads to the server by hand."""

    MOST: ClassVar[int] = 60
    BY_HAND: ClassVar[str] = "-by-hand"
    """The last row's id in the list: no provider's."""

    class Picked(Message):
        """A provider was chosen; None means: by hand."""

        def __init__(self, provider: Provider | None) -> None:
            super().__init__()
            self.provider = provider

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
        self._shown: dict[str, Provider] = {}

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
        self._shown = {each.id: each for each in shown}
        rows = [Option(f"  {_provider_row(each)}", id=each.id) for each in shown]
        self.list.set_options([*rows, Option(f"  {self.by_hand}", id=self.BY_HAND)])
        self.list.highlighted = 0
        of = (
            f"{len(shown)} of {len(everything)} providers"
            if len(shown) < len(everything)
            else f"{len(shown)} provider{'' if len(shown) == 1 else 's'}"
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
            self.post_message(self.Picked(self._shown.get(option.id)))


def _provider_row(provider: Provider) -> str:
    best = provider.best()
    return f"{provider.name[:40]:<42}{best if best else ''}"
