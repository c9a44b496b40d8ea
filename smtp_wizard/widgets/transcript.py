"""What was said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message

from smtp_wizard.engine.checks.events import Line
from smtp_wizard.output.lines import TRANSCRIPT_LEGEND
from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.text import Plain


class TranscriptPane(FaultContained, VerticalScroll, can_focus=True):
    """The dialogue with the server, secrets masked; to copy, and to read in full with what went wrong."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy"),
        Binding("x", "full", "Explain in full"),
    ]

    class Wanted(Message):
        """What was said is wanted: copied, or in full."""

        def __init__(self, lines: Sequence[str], *, copied: bool) -> None:
            super().__init__()
            self.lines = tuple(lines)
            self.copied = copied

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = Plain("")
        self.rows: tuple[str, ...] = ()
        """What is shown, line by line."""

    def compose(self) -> ComposeResult:
        yield self._text

    def show(self, lines: Iterable[Line]) -> None:
        """Show the lines: C is this program, S the server."""
        self.rows = tuple(dialogue_row(line) for line in lines)
        self._text.update("\n".join(self.rows) or "Nothing was said yet.")

    def unfold(self, shown: bool, *, failed: bool, otherwise: Callable[[], object]) -> None:
        """Show or hide it. Where a check `failed` it takes the focus, so that its keys work; `otherwise` aims again."""
        had_focus = self.has_focus
        self.display = shown
        if shown and failed:
            self.focus()
        elif had_focus and not shown:
            otherwise()

    def action_copy(self) -> None:
        """Send the dialogue to the terminal's clipboard; whether it took it cannot be known."""
        self.app.copy_to_clipboard("\n".join([TRANSCRIPT_LEGEND, *self.rows]))
        self.post_message(self.Wanted(self.rows, copied=True))

    def action_full(self) -> None:
        """Ask for everything about what went wrong, on a screen of its own."""
        self.post_message(self.Wanted(self.rows, copied=False))


def dialogue_row(line: Line) -> str:
    """Return one line of the dialogue as screens show it: when, whose words, what."""
    return f"{line.at:6.2f} {line.way.value} {line.text}"
