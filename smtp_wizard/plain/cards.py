"""The card of a flow in lines of text: its rows as they come while something runs, then what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from smtp_wizard.flows.flow import Card, Mood
from smtp_wizard.plain.talk import Conversation, wrap

SIGNS: Mapping[str, str] = {"✓": "ok", "✗": "FAIL", "!": "warn", "–": "--"}
"""What stands in lines of text for the sign that a row begins with: a word, which every terminal has."""
_ROW_START = 6


def row_lines(row: str) -> list[str]:
    """Return one row of a card as lines: a word for its sign; what has none is a paragraph."""
    sign, _, rest = row.partition(" ")
    if sign not in SIGNS or not rest:
        return wrap(row)
    return wrap(rest.strip(), f"{SIGNS[sign]:<{_ROW_START}}") if rest else []


class CardLines:
    """Shows the cards of one flow, each row once."""

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk
        self._running = ""
        self._rows: set[str] = set()

    def take(self, card: Card | None) -> None:
        """Show what is new of a card. What is running begins anew with another title."""
        if card is None:
            return
        if card.mood is Mood.RUNNING:
            if card.title != self._running:
                self._running, self._rows = card.title, set()
                self._talk.say(card.title.replace("…", "..."))
            self._show(iter(card.lines[:-1]))  # the last one says what is waited for
            return
        self._talk.say(f"{_HEADS[card.mood]}{card.title}")
        self._show(iter(card.lines))
        if card.mood is Mood.FAILED and card.foot:
            self._talk.say(f"{card.foot[0].upper()}{card.foot[1:]}.")
        self._running, self._rows = "", set()

    def _show(self, rows: Iterator[str]) -> None:
        for row in rows:
            said = row.lstrip("".join(SIGNS)).strip()  # a port that was refused may get another sign at the end
            if said not in self._rows:
                self._rows.add(said)
                self._talk.show(row_lines(row))


_HEADS: Mapping[Mood, str] = {Mood.FAILED: "! ", Mood.WARNED: "! ", Mood.TOLD: "", Mood.PASSED: "", Mood.RUNNING: ""}
