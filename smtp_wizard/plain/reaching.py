"""Where nobody answers: whether the network blocks a port, found out from a neutral host after a yes."""

from __future__ import annotations

from typing import TypeVar

from smtp_wizard.plain.checks import awaited
from smtp_wizard.plain.form import Kit
from smtp_wizard.plain.talk import Choice, Conversation
from smtp_wizard.text.network import (
    NEUTRAL_NO,
    NEUTRAL_YES,
    Unreached,
    answer_lines,
    control_host_question,
    ports_words,
)

V = TypeVar("V")


def network_choice(unreached: Unreached | None, value: V) -> list[Choice[V]]:
    """Return the choice that finds it out, and means `value`, where there is something to find out."""
    if unreached is None:
        return []
    ports = ports_words(unreached.neutral.ports)
    return [Choice(value, f"Find out whether this network blocks {ports}", word="network")]


def find_out(talk: Conversation, kit: Kit, unreached: Unreached) -> None:
    """Ask whether the neutral host may be contacted, and tell what it says. Raises `GoBack`, `Quit`, `Interrupted`."""
    neutral = unreached.neutral
    if not talk.yes(control_host_question(neutral), yes=NEUTRAL_YES, no=NEUTRAL_NO):
        return
    asked = kit.desk.scans.ask_neutral(neutral.host, unreached.host, neutral.ports, instead=unreached.serving)
    for line in answer_lines(awaited(asked)):
        talk.say(line)
