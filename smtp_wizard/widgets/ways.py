"""The way to a password that is kept elsewhere: a variable, a command or a file, of which one is asked for."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from smtp_wizard.engine.secrets.kinds import StoreKind
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.text.stores import WAY_HINTS, WAY_LABELS, WAY_PARSERS
from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.fields import Field, TextInput

_IDS = {StoreKind.ENV: "env-name", StoreKind.COMMAND: "secret-command", StoreKind.FILE: "secret-file"}


class WayFields(FaultContained, Vertical):
    """A field for each place that is only referred to; the one of the chosen place is shown."""

    DEFAULT_CSS = "WayFields { height: auto; }"

    def __init__(self, draft: Draft, variable: str) -> None:
        """`variable`: the one that is proposed."""
        super().__init__()
        said = {
            StoreKind.ENV: draft.env_name or variable,
            StoreKind.COMMAND: draft.secret_command,
            StoreKind.FILE: draft.secret_file,
        }
        self.fields = {
            kind: Field(WAY_LABELS[kind], TextInput(text, placeholder=WAY_HINTS[kind], id=_IDS[kind]), parse=parse)
            for (kind, text), parse in zip(said.items(), WAY_PARSERS.values(), strict=True)
        }

    def compose(self) -> ComposeResult:
        yield from self.fields.values()

    def show_only(self, kind: StoreKind) -> None:
        """Show the field of a place, none where the place needs no way."""
        for each, field in self.fields.items():
            field.display = each is kind
        self.display = kind in self.fields

    def text(self, kind: StoreKind) -> str:
        """Return what was typed as the way to a place."""
        return self.fields[kind].value.strip()

    def parsed(self, kind: StoreKind) -> str | None:
        """Return the way to a place as it is saved, '' where it needs none; None once it was said what is wrong."""
        field = self.fields.get(kind)
        way = "" if field is None else field.parsed()
        if field is not None and way is None:
            field.entry.focus()
        return way
