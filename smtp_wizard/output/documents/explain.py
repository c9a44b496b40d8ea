"""A text explained, as JSON: `explain`."""

from __future__ import annotations

from typing import ClassVar

from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.explain.evidence import Party
from smtp_wizard.engine.explain.explain import Explanation
from smtp_wizard.engine.explain.pieces import Piece, PieceKind
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.output.documents.document import JsonDocument, Share


@dataclass(frozen=True, slots=True)
class AlternativeJson:
    """Another cause that is nearly as likely, and what would tell it apart."""

    cause: str
    title: str
    confidence: Share
    tell_apart: str | None
    tell: str | None
    """The same as `tell_apart`, by its first name."""


@dataclass(frozen=True, slots=True)
class EvidenceJson:
    """A piece of the text that was understood: who said what, at which stage, in which lines."""

    kind: PieceKind
    stage: Stage | None
    side: Party | None
    code: int | None
    enhanced: str | None
    text: str
    lines: tuple[int, ...]

    @classmethod
    def of(cls, found: Piece) -> EvidenceJson:
        """Return a piece of evidence as it is printed."""
        lines = (found.lines.first, found.lines.last)
        return cls(found.kind, found.stage, found.side, found.code, found.enhanced, found.text, lines)


@dataclass(frozen=True, slots=True)
class RecipientJson:
    """An address that was not reached."""

    address: str
    status: str | None
    final: bool
    did_you_mean: str | None


@dataclass(frozen=True, slots=True)
class Explained(JsonDocument):
    """`explain`, and a line of `explain --jsonl`."""

    NAME: ClassVar = "explain"
    cause: str
    code: str
    title: str
    explanation: str
    who: Who
    steps: tuple[str, ...]
    guide: str | None
    forward: str | None
    confidence: Share
    matched: tuple[str, ...]
    alternatives: tuple[AlternativeJson, ...]
    evidence: tuple[EvidenceJson, ...]
    recipients: tuple[RecipientJson, ...]

    @classmethod
    def of(cls, explanation: Explanation) -> Explained:
        """Return an explanation as it is printed."""
        finding = explanation.finding
        return cls(
            cause=explanation.cause,
            code=finding.code,
            title=finding.title,
            explanation=finding.explanation,
            who=finding.who,
            steps=finding.steps,
            guide=finding.guide,
            forward=finding.forward,
            confidence=explanation.confidence,
            matched=explanation.matched,
            alternatives=tuple(
                AlternativeJson(each.cause, each.title, each.confidence, each.tell or None, each.tell or None)
                for each in explanation.alternatives
            ),
            evidence=tuple(map(EvidenceJson.of, explanation.evidence)),
            recipients=tuple(
                RecipientJson(each.address, each.status or None, each.final, each.did_you_mean or None)
                for each in explanation.recipients
            ),
        )
