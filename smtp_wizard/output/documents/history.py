"""The last checks of an account as JSON: `history`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from smtp_wizard.engine.base.records import Second, Whole
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.state.results import Result
from smtp_wizard.output.documents.document import JsonDocument


@dataclass(frozen=True, slots=True)
class PastResultJson:
    """How one check came out, and how long its stages took."""

    at: Second
    depth: Depth
    verdict: Verdict
    stage: Stage | None
    """The first stage that failed."""
    code: str | None
    """The code of its finding."""
    ms: Mapping[Stage, Whole]
    """Milliseconds that each stage took, as far as the check came."""

    @classmethod
    def of(cls, result: Result) -> PastResultJson:
        """Return a kept result as it is printed."""
        last = result.last
        return cls(last.at, last.depth, last.verdict, last.stage, last.code or None, result.ms)


@dataclass(frozen=True, slots=True)
class History(JsonDocument):
    """`history`."""

    NAME: ClassVar = "history"
    account: str
    results: tuple[PastResultJson, ...]
    """The newest first."""
