"""The line at the foot: what Enter does, in reverse and with its verb; then what else may be pressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from smtp_wizard.widgets.fault_containment import FaultContained

Act = Callable[[], object]

WRITTEN = {
    "enter": "Enter",
    "escape": "Esc",
    "delete": "Del",
    "question_mark": "?",
    "slash": "/",
    "space": "Space",
    "tab": "Tab",
    "pageup": "PgUp",
    "pagedown": "PgDn",
}
"""The toolkit's names of keys, and how they are written; letters and F keys are written in capitals."""
ARROWS = "↑↓"


def nothing() -> None:
    """Do nothing: where the arrows choose there is nothing to press yet."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A key that does something on this screen now.

    Whatever is in a screen's chips works, and whatever works is in them: the screen takes its keys from here, and so
    does the help of F1.
    """

    key: str
    """The toolkit's name: 'enter', 'escape', 'f4', 'p', 'ctrl+q'; '' for the arrows, which the list itself hears."""
    verb: str
    """What it does, in one to three words: 'Find my server'."""
    act: Act = nothing
    help: str = ""
    """The same as a sentence for F1; '' where the verb says it all."""
    shown: bool = True
    """Whether it stands in the line at the foot; else F1 alone names it."""

    @property
    def words(self) -> str:
        """The key as it is written."""
        return written(self.key)


CHOOSE = Chip("", "Choose", help="choose; Enter then takes it")
"""Stands first where nothing is chosen yet."""


def written(key: str) -> str:
    """Return how a key is written: 'Esc', 'F4', 'P', 'Ctrl+Q'."""
    if not key:
        return ARROWS
    return "+".join(WRITTEN.get(part, part.upper() if len(part) < 4 else part.capitalize()) for part in key.split("+"))


def key_named(words: str) -> str:
    """Return the toolkit's name of a key that an `Offer` names: 'F2' is 'f2', 'Esc' is 'escape'."""
    names = {written: name for name, written in WRITTEN.items()}
    return names.get(words, words.lower())


class Chips(FaultContained, Static):
    """One line of text: painted only when it says something else."""

    GAP = "  "

    def __init__(self) -> None:
        super().__init__("", markup=False, id="chips")
        self._chips: tuple[Chip, ...] = ()
        self._said = ""

    def show(self, chips: Sequence[Chip]) -> None:
        """Name these keys, the first in reverse."""
        self._chips = tuple(each for each in chips if each.shown)
        self._say()

    def on_resize(self) -> None:
        """Leave out other ones where the line has become narrower."""
        self._say()

    def _say(self) -> None:
        fitting = self._fitting()
        said = self.GAP.join(f"{each.words} {each.verb}" for each in fitting)
        if said == self._said:
            return
        self._said = said
        self.update(
            Content(self.GAP).join(self._chip(chip, first=not at) for at, chip in enumerate(fitting)), layout=False
        )

    @staticmethod
    def _chip(chip: Chip, *, first: bool) -> Content:
        if first:
            return Content.styled(f" {chip.words} {chip.verb} ", "bold reverse $accent")
        return Content.assemble((chip.words, "$accent"), f" {chip.verb}")

    def _fitting(self) -> list[Chip]:
        """Return the chips that fit: the first and the last two always do, of the others those that come first."""
        room = (self.outer_size.width or self.app.size.width) - 4
        kept = list(self._chips)
        while len(kept) > 3 and _width(kept) > room:
            del kept[-3]
        return kept


def _width(chips: Sequence[Chip]) -> int:
    return sum(cell_len(f"{each.words} {each.verb}") + 2 for each in chips)
