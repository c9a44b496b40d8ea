"""The least that a program with screens can be: what the first frame of the wizard is measured against."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Hello(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        """Draw it."""
        yield Static("Hello, World!")


if __name__ == "__main__":
    Hello().run()
