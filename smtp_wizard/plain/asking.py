"""The state of a flow in lines of text: its card, its field, its offers."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from smtp_wizard.flows.flow import Card, Entry, Offer
from smtp_wizard.plain.talk import Choice, Conversation, wrap

Named = TypeVar("Named", bound=StrEnum)


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
