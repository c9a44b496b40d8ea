"""Text and the lines around a screen: steps, banner, keys."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from smtp_wizard.engine.wizard import Draft, Step, applicable
from smtp_wizard.widgets.steady import Steady


def wrapped(text: str, width: int, hanging: int = 0) -> list[str]:
    """Break a text at blanks into lines of at most `width` cells, all but the first indented; words stay whole."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and cell_len(f"{line} {word}") > width:
            lines.append(line)
            line = " " * hanging + word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


class Plain(Steady, Static):
    """Text as it is: no markup is read."""

    def __init__(self, text: str | Content = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(text, id=id, classes=classes, markup=False)


class Stepper(Steady, Static):
    """The line of steps: all of them where there is room, else the number and the name."""

    ROOM: ClassVar[int] = 70

    def __init__(self, current: Step, draft: Draft) -> None:
        super().__init__(markup=False)
        self.current = current
        self.steps = [step for step in applicable(draft) if step.id != "done"]

    def render(self) -> Content:
        if self.size.width < self.ROOM:
            return Content(self._short())
        parts: list[Content] = []
        for step in self.steps:
            name = f"[{step.title}]" if step is self.current else step.title
            parts.append(Content.styled(name, "bold" if step is self.current else "$foreground-muted"))
        return Content(" > ").join(parts)

    def _short(self) -> str:
        if self.current not in self.steps:
            return self.current.title
        return f"Step {self.steps.index(self.current) + 1} of {len(self.steps)}: {self.current.title}"


class Banner(Steady, Static):
    """One lasting message above the footer; takes no room while there is none."""

    def __init__(self) -> None:
        super().__init__("", markup=False, id="banner")
        self.display = False
        self.faults: frozenset[str] = frozenset()
        """Where the faults happened that were told since anything else was said."""

    def say_fault(self, text: str, where: str) -> None:
        """Show what failed, until something else is said; `where` tells one fault from another."""
        before = self.faults
        self.say(text)
        self.faults = before | {where}

    def say(self, text: str) -> None:
        """Show a message, or none."""
        self.faults = frozenset()
        self.display = bool(text)
        self.update(Content.styled(f"! {text}", "bold $text-warning") if text else "")


class KeyHints(Steady, Static):
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
