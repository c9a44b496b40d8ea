"""What is said about a cause, and the finding that is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from smtp_wizard.engine.base.shown import NO_WORDS
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.diagnosis.message_to_forward import message_to_forward
from smtp_wizard.engine.diagnosis.placeholders import Placeholders, own_words, server_said
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.symptom import Symptom

ANY = "any"
"""In the data: a provider of the catalogue, whichever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What is said, as templates. None: the more general advice speaks."""

    title: str | None = None
    explanation: str | None = None
    who: Who | None = None
    steps: tuple[str, ...] | None = None
    guide: str | None = None
    forward: str | None = None

    def overlaid(self, upper: Advice) -> Advice:
        """This advice, with what `upper` says in its place."""
        said = {f.name: value for f in fields(upper) if (value := getattr(upper, f.name)) is not None}
        return replace(self, **said)


@dataclass(frozen=True, slots=True)
class SimilarCause:
    """Another cause that looks alike, and what would tell the two apart."""

    cause: str
    tell: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A cause, with what is said about it, and what is said instead for some providers."""

    id: str
    broadly: str
    advice: Advice
    special: tuple[tuple[frozenset[str], Advice], ...]
    warning: bool
    lasting: bool = False
    """It does not pass by itself, however often it is tried again."""
    returned: Advice = Advice()
    """What is said instead where a message came back: about the recipient's record, and never about another test."""

    instead: tuple[SimilarCause, ...] = ()
    """Causes that look alike, the likeliest first."""

    def advice_for(self, provider: str | None) -> Advice:
        """What to say, given the provider: of several that fit, the one that stands first."""
        for providers, advice in self.special:
            if provider and (provider in providers or ANY in providers):
                return self.advice.overlaid(advice)
        return self.advice


def write_finding(
    cause: Cause, advice: Advice, symptom: Symptom, blanks: Placeholders, evidence: Sequence[str]
) -> Finding:
    """Turn advice into a finding: every blank filled, every line that cannot be filled left out."""
    forward = advice.forward if advice.who is not Who.YOU else None
    assert advice.title is not None
    assert advice.explanation is not None
    assert advice.who is not None
    assert advice.steps is not None
    return Finding(
        code=cause.id,
        broadly=cause.broadly,
        title=own_words(advice.title),
        explanation=blanks.fill(advice.explanation) or NO_WORDS,
        who=advice.who,
        steps=tuple(text for step in advice.steps if (text := blanks.fill(step)) is not None),
        guide=advice.guide,
        server_said=server_said(symptom),
        forward=message_to_forward(forward, blanks, evidence) if forward else None,
        fix=symptom.other,
        warning=cause.warning,
    )
