"""Where a person types: one row each, passwords among them."""

from __future__ import annotations

import unicodedata
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import Input

from smtp_wizard.engine.providers.provider import SecretForm
from smtp_wizard.widgets.fault_containment import FaultContained

LONGEST_PASTE = 32_768
"""Characters that are taken of a paste into one row: no token or web address is longer."""


class TextInput(FaultContained, Input):
    """An input of one row that never blinks and never wipes what is in it when it gets the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Next", key_display="enter")]

    def __init__(
        self, value: str = "", *, placeholder: str = "", password: bool = False, id: str | None = None
    ) -> None:
        super().__init__(value, placeholder=placeholder, password=password, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False

    def on_paste(self, event: events.Paste) -> None:
        # Before the toolkit takes it in: all of it would be drawn again, and checked, at every key.
        event.text = event.text[:LONGEST_PASTE]


class SecretInput(TextInput):
    """A password field: dots, shown with F2, never copied out, pasted text tidied where the secret's shape is known."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Check", key_display="enter"),
        Binding("f2", "reveal", "Show/hide"),
    ]

    def __init__(self, value: str = "", *, form: SecretForm | None = None, id: str | None = None) -> None:
        super().__init__(value, password=True, id=id)
        self.form = form

    @property
    def _value(self) -> Text:
        """What is drawn: stars, which every terminal has."""
        return Text("*" * len(self.value), no_wrap=True, overflow="ignore", end="") if self.password else super()._value

    def action_reveal(self) -> None:
        """Show or hide what was typed."""
        self.password = not self.password

    def action_copy(self) -> None:
        """Do nothing: the clipboard of a terminal is anybody's (OSC 52)."""

    def action_cut(self) -> None:
        """Do nothing, as for copying."""

    def tidied(self, text: str) -> str:
        """Return what a paste means: one line, no invisible characters; no blanks where the shape has none."""
        joined = "".join(text.splitlines())
        if self.form is not None and self.form.fits(joined):
            return self.form.tidy(joined)
        return "".join(ch for ch in joined if unicodedata.category(ch) not in {"Cc", "Cf"})

    def on_paste(self, event: events.Paste) -> None:
        if event.text:
            self.replace(self.tidied(event.text[:LONGEST_PASTE]), *self.selection)
        event.stop()
        event.prevent_default()

    @property
    def secret(self) -> str:
        """What was typed; blanks are dropped where they are no part of such a secret."""
        return self.form.tidy(self.value) if self.form is not None and self.form.fits(self.value) else self.value
