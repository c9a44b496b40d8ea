"""The line of keys at the bottom."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from smtp_wizard.widgets.fault_containment import FaultContained


class KeyHints(FaultContained, Static):
    """The keys that do something here, in one line at the bottom; those that no longer fit are left out.

    One line of text, and not a row of widgets: it is painted only when it says something else, and never moves the
    screen about.
    """

    def __init__(self) -> None:
        super().__init__("", markup=False, id="keys")
        self._said = ""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self._changed(self.screen)

    def on_resize(self) -> None:
        self._changed(self.screen)

    def _changed(self, screen: object) -> None:
        hints = self._hints()
        said = "  ".join(f"{key} {words}" for key, words in hints)
        if said == self._said:
            return
        self._said = said
        parts = [Content.assemble((key, "bold $accent"), f" {words}") for key, words in hints]
        self.update(Content("  ").join(parts), layout=False)

    def _hints(self) -> list[tuple[str, str]]:
        """Each action once, with the first of its keys, as far as there is room."""
        room = (self.size.width or self.app.size.width) - 2
        hints: dict[str, tuple[str, str]] = {}
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            if binding.show and enabled and binding.action not in hints:
                key, words = self.app.get_key_display(binding), binding.description
                room -= cell_len(key) + cell_len(words) + 3
                if room < 0:
                    break
                hints[binding.action] = key, words
        return list(hints.values())
