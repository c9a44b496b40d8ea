"""The line that says what this is."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from smtp_wizard.widgets.fault_containment import FaultContained


class Banner(FaultContained, Static):
    """One lasting message above the footer; takes no room while there is none."""

    def __init__(self) -> None:
        super().__init__("", markup=False, id="banner")
        self.display = False
        self._said = ""
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
        if text == self._said:
            return
        self._said = text
        self.display = bool(text)
        self.update(Content.styled(f"! {text}", "bold $text-warning") if text else "")

    def add(self, text: str) -> None:
        """Show a sentence behind what is shown."""
        faults = self.faults
        self.say(f"{self._said} {text}".strip())
        self.faults = faults
