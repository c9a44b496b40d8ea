"""Where a person types: one row each, labels, hints, passwords."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, overload

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input

from smtp_wizard.engine.providers.provider import SecretForm
from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.text import Plain

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


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What stands in a field: its value, or why it cannot be used."""

    value: T | None
    error: str = ""
    """One sentence; '' where it can be used."""


class Field(FaultContained, Vertical, Generic[T]):
    """A label, an input, and beneath it a hint that gives way to what is wrong.

    A fault is told when the person is done with the field, and looked for again at every key once it was told.
    """

    @overload
    def __init__(self: Field[str], label: str, entry: TextInput, *, hint: str = "", id: str | None = None) -> None: ...

    @overload
    def __init__(
        self, label: str, entry: TextInput, *, parse: Callable[[str], T], hint: str = "", id: str | None = None
    ) -> None: ...

    def __init__(
        self,
        label: str,
        entry: TextInput,
        *,
        parse: Callable[[str], Any] = str.strip,
        hint: str = "",
        id: str | None = None,
    ) -> None:
        """`parse` takes the text and returns its value; it raises `ValueError` with one sentence where there is none.

        Without it the value is the text, without blanks around it.
        """
        super().__init__(id=id, classes="field")
        self.label_text = label
        self.entry = entry
        self.hint_text = hint
        self._parse: Callable[[str], T] = parse
        self.error = ""
        self._now = ("", hint)
        self._hint = Plain(hint, classes="hint")
        # Before it is mounted: afterwards it would be a second painting of the whole screen.
        self._hint.display = bool(hint)

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field-row"):
            yield Plain(self.label_text, classes="label")
            yield self.entry
        yield self._hint

    @property
    def value(self) -> str:
        """What stands in the input."""
        return self.entry.value

    @value.setter
    def value(self, text: str) -> None:
        self.entry.value = text
        self.entry.cursor_position = len(text)

    def fail(self, why: str) -> None:
        """Say what is wrong, or that nothing is."""
        now = why, self.hint_text
        if now == self._now:
            return  # the same words again would repaint the screen for nothing
        self.error, self._now = why, now
        shown = Content.styled(f"! {why}" if why else self.hint_text, self._style(why))
        self._hint.update(shown)
        self._hint.display = bool(why or self.hint_text)

    def _style(self, why: str) -> str:
        return "bold $text-error" if why else "$foreground-muted"

    def hint(self, text: str) -> None:
        """Put another hint in place, unless a fault stands there."""
        self.hint_text = text
        if not self.error:
            self.fail("")

    def read(self) -> Reading[T]:
        """Return what stands in the field, without saying anything."""
        try:
            return Reading(self._parse(self.value))
        except ValueError as wrong:
            return Reading(None, str(wrong))

    def parsed(self) -> T | None:
        """Return the value of what was typed; None where it cannot be used, which is said (see `error`)."""
        reading = self.read()
        self.fail(reading.error)
        return reading.value

    @on(Input.Changed)
    def _changed(self) -> None:
        if self.error:
            self.parsed()

    @on(Input.Blurred)
    def _blurred(self) -> None:
        if self.value.strip():
            self.parsed()


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
