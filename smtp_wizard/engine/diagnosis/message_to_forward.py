"""The message that a person copies, and hands to whoever must act: the provider, the administrator, the recipient."""

from __future__ import annotations

from collections.abc import Sequence

from smtp_wizard.engine.base.shown import NO_WORDS, Shown, join
from smtp_wizard.engine.diagnosis.placeholders import Placeholders


def message_to_forward(request: str, blanks: Placeholders, evidence: Sequence[str]) -> Shown:
    """Return what is asked for, then the facts.

    `request` and `evidence` are templates; a line whose blanks cannot be filled is left out. Only named blanks go in,
    and no secret is one.
    """
    facts = (blanks.fill_with_facts(line) for line in evidence)
    return join("\n", [blanks.fill(request) or NO_WORDS, NO_WORDS, *(line for line in facts if line is not None)])
