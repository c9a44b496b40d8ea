"""Text and the lines around a screen: steps, banner, keys."""

from __future__ import annotations

import re

from rich.cells import cell_len
from textual.content import Content
from textual.visual import VisualType
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


class PlainText(FaultContained, Static):
    """Text as it is: no markup is read."""

    def __init__(self, text: str | Content = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(text, id=id, classes=classes, markup=False)
        self._said: VisualType = text

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """As `Static.update`; the same again repaints nothing."""
        before, self._said = self._said, content
        if not _same(before, content):
            super().update(content, layout=layout)

    def put(self, text: Content) -> None:
        """Show another text, laid out anew where it has other line breaks; the same text is not painted again."""
        before = self.content
        old = before.plain if isinstance(before, Content) else ""
        self.update(text, layout=old.count("\n") != text.plain.count("\n"))


def _same(one: object, other: object) -> bool:
    """Whether two texts are painted alike: words and colours."""
    if isinstance(one, Content) and isinstance(other, Content):
        return one.is_same(other)
    return type(one) is type(other) and one == other


HANGING = re.compile(
    r" *\d+\.\d{3} \S{1,2} +"  # a line of a conversation: when, and who said it
    r"| +"
    r"|[·*] "
    r"|\d+(?:\. +| {2,})"
    r"|\d{3}[ -](?=\d\.\d{1,3}\.\d{1,3} )"  # the code of a reply (RFC 5321 section 4.2)
    r"|[✓✗!?·] {2}\w+(?: \w+)* {2,}"
    r"|[\w+]+(?: \?|:)? {2,}"
)
"""What begins a line whose other rows stand below its words.

A point, a number, blanks, a label with blanks behind it, the sign and the name of a check.
"""


def hanging(line: str, width: int) -> int:
    """Return by how many columns what follows the first row of a line hangs; 0 where too little room would be left."""
    begin = HANGING.match(line)
    return len(begin[0]) if begin is not None and len(begin[0]) * 2 <= width else 0


def folded(text: str, width: int) -> list[str]:
    """Break a text into rows of at most `width` cells; below a point or a number they hang.

    Its own line breaks stay; a word that is longer than a row, such as a web address, is broken behind a slash.
    """
    rows: list[str] = []
    for line in text.split("\n"):
        hang = hanging(line, width)
        first, *rest = broken(line[hang:], width - hang)
        rows += [line[:hang] + first, *(" " * hang + each for each in rest)]
    return rows


def broken(line: str, width: int) -> list[str]:
    """Break a line at blanks, and words that are longer than a row behind a slash. Each row is a part of the line."""
    return wrapped(_breakable(line, width), width)


def _breakable(line: str, width: int) -> str:
    """Put blanks into words that are longer than a row: behind their slashes where they have any."""
    return " ".join(each if cell_len(each) <= width else " ".join(_pieces(each, width)) for each in line.split(" "))


def _pieces(word: str, width: int) -> list[str]:
    pieces: list[str] = []
    while cell_len(word) > width:
        cut = word.rfind("/", 1, width) + 1
        cut = cut if cut > 1 and not word[:cut].endswith("://") else width
        while cut > 1 and cell_len(word[:cut]) > width:
            cut -= 1
        pieces.append(word[:cut])
        word = word[cut:]
    return [*pieces, word] if word or not pieces else pieces
