"""Whether an account is ready for mailings, as JSON: `readiness`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from smtp_wizard.engine.base.records import Whole
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.domain.readiness import RequirementResult
from smtp_wizard.output.documents.document import JsonDocument
from smtp_wizard.output.documents.limits import LimitsPlan


@dataclass(frozen=True, slots=True)
class RequirementSourceJson:
    """Who says that it is asked for."""

    title: str
    url: str
    date: str


@dataclass(frozen=True, slots=True)
class RequirementJson:
    """What receivers ask for, and whether it is met."""

    id: str
    by: tuple[str, ...]
    """Who asks."""
    many: Whole
    """Messages a day from which on; 1: of everybody."""
    since: str
    title: str
    verdict: Verdict
    """'warn': not met, and not asked of so few; 'unknown': it cannot be seen from here; 'skipped': it is the
    provider's own matter."""
    detail: str
    who: Who
    step: str
    """What to do where it is not met, or cannot be seen."""
    source: RequirementSourceJson
    also: tuple[RequirementSourceJson, ...]
    """Other pages that say so."""

    @classmethod
    def of(cls, met: RequirementResult) -> RequirementJson:
        """Return a requirement as it is printed."""
        asked = met.requirement
        first, *also = (RequirementSourceJson(each.title, each.url, each.date) for each in (asked.source, *asked.also))
        return cls(
            asked.id,
            asked.by,
            asked.many,
            asked.since,
            asked.title,
            met.verdict,
            met.detail,
            asked.who,
            met.step,
            first,
            tuple(also),
        )


@dataclass(frozen=True, slots=True)
class ReadyForMailing(JsonDocument):
    """`readiness`."""

    NAME: ClassVar = "readiness"
    account: str
    domain: str
    ready: bool
    """Whether nothing that can be seen is missing, and the mailing fits the provider's limits."""
    verdict: Verdict
    """'pass': ready; 'fail': something is missing, or it does not fit; 'unknown': that cannot be told."""
    requirements: tuple[RequirementJson, ...]
    plan: LimitsPlan
    """As `limits plan` prints it."""
