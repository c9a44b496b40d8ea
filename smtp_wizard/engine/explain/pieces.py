"""The evidence as it is told: each piece on one line, bounded, without passwords and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.explain.evidence import (
    ClientCommand,
    Complaint,
    Connecting,
    Delivery,
    Evidence,
    LineRange,
    Party,
    Secured,
    ServerReply,
)
from smtp_wizard.engine.explain.pasted_text import without_secrets
from smtp_wizard.engine.lazy_dataclass import dataclass


class PieceKind(StrEnum):
    """What a piece of evidence is."""

    REPLY = "reply"
    CONNECTING = "connecting"
    COMMAND = "command"
    SECURED = "secured"
    COMPLAINT = "complaint"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of evidence, fit to be shown."""

    kind: PieceKind
    stage: Stage | None = None
    side: Party | None = None
    code: int | None = None
    enhanced: Shown | None = None
    text: Shown
    lines: LineRange


MOST = 60
"""So many pieces are told at most, the last ones: what decides is mostly among them."""
_LONGEST = 300


def pieces(found: Sequence[Evidence]) -> tuple[Piece, ...]:
    """Return the evidence as it is told, in its order."""
    return tuple(map(_piece, found[-MOST:]))


def _piece(found: Evidence) -> Piece:
    if isinstance(found, ServerReply):
        enhanced = shown(found.enhanced) if found.enhanced else None
        return Piece(
            kind=PieceKind.REPLY,
            stage=found.stage,
            code=found.code,
            enhanced=enhanced,
            text=_told(found.words),
            lines=found.lines,
        )
    if isinstance(found, Delivery):
        status = shown(found.status) if found.status else None
        return Piece(
            kind=PieceKind.DELIVERY, side=found.speaker, enhanced=status, text=_told(found.words), lines=found.lines
        )
    kind, said = _plainer(found)
    return Piece(kind=kind, text=_told(said), lines=found.lines)


def _plainer(found: Connecting | ClientCommand | Secured | Complaint) -> tuple[PieceKind, str]:
    if isinstance(found, Connecting):
        return PieceKind.CONNECTING, f"{found.host}:{found.port}" if found.port else found.host
    if isinstance(found, ClientCommand):
        return PieceKind.COMMAND, found.verb
    if isinstance(found, Secured):
        return PieceKind.SECURED, ""
    return PieceKind.COMPLAINT, f"{found.kind}: {found.words}" if found.kind else found.words


def _told(words: str) -> Shown:
    return shown(without_secrets(words[: 2 * _LONGEST]), _LONGEST) if words else phrase("")
