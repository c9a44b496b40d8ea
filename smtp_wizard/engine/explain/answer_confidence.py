"""How confident an answer is: one table, with the measurement that fixed it.

An answer's confidence is the weight of what its rule looks at, times that of how the words stand in the text. Measured
over the reports of `bench/reports.jsonl` and `tests/engine/explain/errors.txt` as a program knows them: of the answers
that come out at 0.9 or more, at least nine in ten are right or defensible on reports that the rules had not seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtp_wizard.engine.diagnosis.rule_file import UNKNOWN

if TYPE_CHECKING:
    from smtp_wizard.engine.diagnosis.rules import Rule

# What the rule looks at.
NOTHING = 0.05
BY_STAGE = 0.3
"""The stage alone, because somebody named it."""
BY_CODE = 0.5
"""The basic code alone (RFC 5321 section 4.2): it says who must act at most."""
BY_ENHANCED = 0.75
"""An enhanced code, or a code of one provider."""
BY_FAULT = 0.85
"""What happened, without words: a refused connection, a server that keeps silent."""
BY_CODE_AND_WORDS = 0.9
BY_WORDS = 0.92
BY_WORDS_AND_MORE = 0.96
"""Words, and a code, a provider or a fault of TLS that fit them."""

# How the words stand in the text.
REPLY = (0.85, 0.95, 1.0)
"""Three digits with words behind; where replies stand; with an enhanced code of the same class."""
FROM_EVIDENCE = 1.0
"""The reply of a session, a report or a log: it is known to be one."""
FROM_SILENCE = 0.9
"""A session in which nothing was refused, and the program gave up."""
AROUND_REPLY = 0.8
WHOLE_TEXT = 0.9
WEAK_SIGN = 0.6
FIXED_TEXT = 0.9
"""A fixed text of a program in its own language; a weak one counts as a weak sign."""
SEVERAL_STAGES = 0.97
STAGE_MISFITS = 0.7
"""The stage that was told had to be doubted."""

# What is made of it.
WELL_FOUNDED = 0.9
"""No other reading is asked for then."""
DOUBTFUL = 0.5
"""Below it the stage that was told is doubted, and the fixed texts of programs are asked."""
NOT_ENOUGH = 0.25
"""Below it nothing is claimed."""
LOOKS_LIKE_A_REPLY = 0.9
CLEAR = 0.85
"""Below it causes that look alike are told beside the first."""
CLOSE = 0.6
"""Another cause is told beside the first where it is at least so well founded, measured by the first."""


def rule_confidence(rule: Rule | None) -> float:
    """Return how far a rule can be trusted, by how much of a symptom it looks at."""
    if rule is None or rule.cause == UNKNOWN:
        return NOTHING
    asks = rule.conditions
    if "stage_is" in asks:
        return BY_STAGE
    if "words" in asks:
        return BY_WORDS_AND_MORE if asks & {"provider", "code", "enhanced", "tls"} else BY_WORDS
    if asks & {"tls", "lacking", "reading", "token"}:
        return BY_WORDS
    if "enhanced" in asks or ("code" in asks and "provider" in asks):
        return BY_ENHANCED
    return BY_CODE if "code" in asks else BY_FAULT
