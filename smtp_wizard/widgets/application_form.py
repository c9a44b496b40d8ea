"""The settings screen of the application, filled in with the values of an account."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from smtp_wizard.flows.last_steps.done import DoneState, FilledField, Tick
from smtp_wizard.text.done import HIDDEN
from smtp_wizard.widgets.frame import Edged
from smtp_wizard.widgets.lines import ACCENT, MUTED, STRONG, Lines, fitted
from smtp_wizard.widgets.plain_text import folded

LABEL = 20
"""Columns of the application's words for its fields."""


class ApplicationForm(Edged, Lines):
    """Each line stands where the application has it, in the application's words. `.show_state` draws another one."""

    def __init__(self, state: DoneState, password: str) -> None:
        super().__init__(id="application-form")
        self._state = state
        self._password = password
        self.label(state.title, state.saves)

    def show_state(self, state: DoneState, password: str) -> None:
        """Draw another state; `password` is empty while it is hidden."""
        old = self.rows_at(self.size.width)
        self._state, self._password = state, password
        self.repaint_changed(old)

    def rows_at(self, width: int) -> Sequence[Content]:
        """As `Lines.rows_at`."""
        state = self._state
        scopes = Content.assemble("      ").join(_round(each) for each in state.scopes)
        fields = [row for each in state.fields for row in self._field(each, width or 72)]
        rows = [scopes, Content(""), *fields, Content(""), _box(state.company)]
        return [each for row in rows for each in fitted(row, width)]

    def _field(self, field: FilledField, width: int) -> list[Content]:
        label = Content.styled(f"{field.label:<{LABEL}} ", MUTED)
        if field.secret:
            shown = (self._password, f"{STRONG} {ACCENT}") if self._password else (HIDDEN, MUTED)
            return [Content.assemble(label, shown, (f"      {field.note}", MUTED))]
        box = Content.assemble("      ", _box(field.tick)) if field.tick is not None else Content("")
        first, *rest = folded(field.value, max(20, width - LABEL - 1))
        return [Content.assemble(label, first, box), *(Content(" " * (LABEL + 1) + each) for each in rest)]


def _box(tick: Tick) -> Content:
    return Content(f"[{'x' if tick.on else ' '}] {tick.words}")


def _round(tick: Tick) -> Content:
    return Content(f"({'•' if tick.on else ' '}) {tick.words}")
