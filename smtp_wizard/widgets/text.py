"""Text and the lines around a screen: steps, banner, keys."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from smtp_wizard.widgets.fault_containment import FaultContained


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


class Plain(FaultContained, Static):
    """Text as it is: no markup is read."""

    def __init__(self, text: str | Content = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(text, id=id, classes=classes, markup=False)
