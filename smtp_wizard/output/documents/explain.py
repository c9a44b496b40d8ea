"""A text explained, as JSON: `explain`."""

from __future__ import annotations

from typing import ClassVar

from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.explain.explain import Explanation
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.output.documents.document import JsonDocument, Share


@dataclass(frozen=True, slots=True)
class AlternativeJson:
    """Another cause that is nearly as likely, and what would tell it apart."""

    cause: str
    title: str
    tell: str | None


@dataclass(frozen=True, slots=True)
class Explained(JsonDocument):
    """`explain`, and a line of `explain --jsonl`."""

    NAME: ClassVar = "explain"
    cause: str
    title: str
    explanation: str
    who: Who
    steps: tuple[str, ...]
    guide: str | None
    forward: str | None
    confidence: Share
    matched: tuple[str, ...]
    alternatives: tuple[AlternativeJson, ...]

    @classmethod
    def of(cls, explanation: Explanation) -> Explained:
        """Return an explanation as it is printed."""
        finding = explanation.finding
        return cls(
            cause=explanation.cause,
            title=finding.title,
            explanation=finding.explanation,
            who=finding.who,
            steps=finding.steps,
            guide=finding.guide,
            forward=finding.forward,
            confidence=explanation.confidence,
            matched=explanation.matched,
            alternatives=tuple(
                AlternativeJson(each.cause, each.title, each.tell or None) for each in explanation.alternatives
            ),
        )
