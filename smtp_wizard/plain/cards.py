"""The state of a flow in lines of text: its card, whose rows come while something runs; its field; its offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from smtp_wizard.flows.flow import Card, Entry, Mood, Offer
from smtp_wizard.plain.conversation import Choice, Conversation, wrap

Named = TypeVar("Named", bound=StrEnum)

SIGNS: Mapping[str, str] = {"✓": "ok", "✗": "FAIL", "!": "warn", "–": "--"}
"""What stands in lines of text for the sign that a row begins with: a word, which every terminal has."""
_ROW_START = 6


def row_lines(row: str) -> list[str]:
    """Return one row of a card as lines: a word for its sign; what has none is a paragraph."""
    sign, _, rest = row.partition(" ")
    if sign not in SIGNS or not rest:
        return wrap(row)
    return wrap(rest.strip(), f"{SIGNS[sign]:<{_ROW_START}}")


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


def say_card(talk: Conversation, card: Card) -> None:
    """Say what a card tells."""
    talk.say(card.title)
    for line in card.lines:
        talk.show(wrap(line, "  "))
    if card.foot:
        talk.show([f"  ({card.foot})"])


def row_of(offer: Offer[Named]) -> Choice[Named]:
    """Return an offer as one of several answers; its name may be typed in place of its number."""
    return Choice(offer.id, offer.verb, about=offer.note, word=offer.id.value)


def typed_or_chosen(talk: Conversation, entry: Entry, offers: Sequence[Offer[Named]]) -> str | Named:
    """Ask for what belongs into a field, or for one of the offers that stand beside it.

    Raises `GoBack`, `Quit`.
    """
    rows = [row_of(each) for each in offers if not each.off]
    talk.list(rows)
    if entry.error:
        talk.say(entry.error)

    def parse(text: str) -> str | Named:
        return next((row.value for at, row in enumerate(rows, 1) if text == str(at) or row.typed_as(text)), text)

    return talk.ask(entry.label, parse, default=entry.text, help=entry.hint)
