"""What the screens, the questions in lines of text and `explain` say around an explained error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smtp_wizard.engine.explain.explain import AlternativeCause, Explanation
    from smtp_wizard.engine.guides.guides import Guide

BOUNCES_GUIDE = "bounces"
"""The guide that every explained bounce leads to."""
EXPLAIN_QUESTION = "What does your application say?"
EXPLAIN_LABEL = "Paste it here, as much as you have"
EXPLAIN_FOOT = "a mail that came back, too"
EXPLAIN_EXAMPLE = "For example: 535 5.7.8 Username and Password not accepted."
NOTHING_KEPT = "It stays on this computer, and is not kept."
NOTHING_PASTED = "Paste the error first, or type it."
TOO_LONG = "very long: its beginning, its end and what looks like a fault"
EXPLAINING = "Reading it ..."
COPIED = "Sent to your terminal. If pasting gives something else, copy the text above by hand."
LIKELY = 0.6
"""Below it an explanation is only the most likely one."""
_SURE = 0.85


def confidence_words(explanation: Explanation) -> str:
    """Say how well founded an explanation is."""
    if explanation.confidence == 0:
        return "Nothing in it is known here, so nobody should act on a guess. What can be tried stands above."
    if explanation.confidence < LIKELY:
        return "This is only the most likely reading: the text does not say clearly what went wrong."
    return "Sure: the text says it clearly." if explanation.confidence >= _SURE else "Likely: most of it points there."


def sure_words(explanation: Explanation) -> str:
    """Say the same in a few words, for the lower edge of a card."""
    if explanation.confidence == 0:
        return "not known here"
    if explanation.confidence < LIKELY:
        return "only the most likely reading"
    return "sure: the text says it clearly" if explanation.confidence >= _SURE else "likely"


def alternative_words(other: AlternativeCause) -> str:
    """Say what else it may be, and how to tell."""
    return f"It may also be this: {other.title}.{f' {other.tell}' if other.tell else ''}"


def came_back(explanation: Explanation) -> bool:
    """Whether the text is about mail that was not delivered: a returned message, or a refusal that leads to one."""
    return explanation.bounced or explanation.finding.guide == BOUNCES_GUIDE


def guide_verb(guide: Guide) -> str:
    """Say what a guide does, as something to choose: 'Gmail: make an app password' is 'Make an app password'."""
    _, colon, action = guide.title.partition(": ")
    words = action if colon else guide.title
    return f"{words[:1].upper()}{words[1:]}"


def guide_note(guide: Guide) -> str:
    """Say how long a guide takes."""
    return f"Step by step, about {guide.minutes} minutes." if guide.minutes else "Step by step."


def provider_unknown(name: str) -> str:
    """Say that a provider's name leads nowhere. `name`: cleaned."""
    return f"The provider '{name}' is not known; this was explained without it."


def matched_words(matched: Sequence[str]) -> str:
    """Say what an explanation rests on; '' where on nothing."""
    return "; ".join(matched)
