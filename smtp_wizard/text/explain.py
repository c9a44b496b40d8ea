"""What the screens, the questions in lines of text and `explain` say around an explained error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from smtp_wizard.engine.diagnosis.rule_file import UNKNOWN

if TYPE_CHECKING:
    from smtp_wizard.engine.explain.explain import Explanation

EXPLAIN_QUESTION = "Paste the error, the log, or the whole message that came back:"
NOTHING_KEPT = "Nothing of it is kept, or sent anywhere."
NOTHING_PASTED = "Paste the error first, or type it."
TOO_LONG = "That was very long: its beginning, its end, and what looks like a fault in between were taken."
EXPLAINING = "Looking ..."
COPIED = "Sent to your terminal. If pasting gives something else, copy the text above by hand."
LIKELY = 0.6
"""Below it an explanation is only the most likely one."""
_SURE = 0.85


def confidence_words(explanation: Explanation) -> str:
    """Say how well founded an explanation is."""
    if explanation.cause == UNKNOWN:
        return "Nothing in it is known here, so nobody should act on a guess. What can be tried stands above."
    if explanation.confidence < LIKELY:
        return "This is only the most likely reading: the text does not say clearly what went wrong."
    return "Sure: the text says it clearly." if explanation.confidence >= _SURE else "Likely: most of it points there."


def provider_unknown(name: str) -> str:
    """Say that a provider's name leads nowhere. `name`: cleaned."""
    return f"The provider '{name}' is not known; this was explained without it."


def matched_words(matched: Sequence[str]) -> str:
    """Say what an explanation rests on; '' where on nothing."""
    return "; ".join(matched)
