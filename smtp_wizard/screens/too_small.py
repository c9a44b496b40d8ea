"""What stands in for every screen while the terminal is too small for them."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen

from smtp_wizard.runtime.console import SMALLEST
from smtp_wizard.screens.keyed_screen import KeyedScreen
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.lines import ACCENT, STRONG
from smtp_wizard.widgets.plain_text import PlainText


class TooSmallScreen(KeyedScreen[None], ModalScreen[None]):
    """Answers no key but the one that it names; goes away by itself, with nothing lost."""

    AUTO_FOCUS = ""

    def compose(self) -> ComposeResult:
        self.words = PlainText(self._words(), id="small")
        yield self.words

    def keys(self) -> Sequence[Chip]:
        """As `KeyedScreen.keys`."""
        return [Chip("ctrl+q", "Leave", self._leave)]

    def redraw(self) -> None:
        """As `KeyedScreen.redraw`: there is no room for a line of keys."""

    def on_resize(self) -> None:
        """Say how large it is now."""
        self.words.update(self._words())

    def _words(self) -> Content:
        (width, height), size = SMALLEST, self.app.size
        return Content.assemble(
            ("This window is too small.\n\n", STRONG),
            f"It has {size.width} × {size.height} cells; I need {width} × {height}.\n",
            "Make it larger: what you typed is kept.\n\n",
            ("Ctrl+Q", ACCENT),
            " leave, and run ",
            ("smtp-wizard --plain", STRONG),
            ":\nthe same questions, one by one.",
        )

    def _leave(self) -> None:
        self.call_next(self.run_action, "app.leave_keeping")
