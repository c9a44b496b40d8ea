"""Sending limits as JSON: `limits` and `limits plan`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.records import Day, Whole
from smtp_wizard.engine.limits.catalogue_limits import LimitRow, MailingRemedy, PasswordAccess
from smtp_wizard.engine.limits.mailing_plan import Exclusion
from smtp_wizard.engine.providers.limits import Counted, Per, SizeOf
from smtp_wizard.output.documents.document import Amount, JsonDocument


@dataclass(frozen=True, slots=True)
class LimitRowJson:
    """One limit of one provider, with who says so."""

    provider: str
    name: str
    scope: str
    limit: Whole | None
    unit: Counted
    per: Per
    documented: bool
    historical: bool
    source: str
    source_title: str
    source_url: str
    as_of: str
    confidence: Confidence
    checked: str
    size_of: SizeOf | None
    """What a size is counted in; None: the source leaves it open, or it is no size."""
    ceiling: bool
    """The most that any account can be allowed."""
    barred: str
    """Why no mailing can leave from the accounts that it is for; empty: one can."""

    @classmethod
    def of(cls, row: LimitRow) -> LimitRowJson:
        """Return a row as JSON and CSV have it."""
        provider, limit = row.provider, row.limit
        source = provider.source(limit.source)
        return cls(
            provider=provider.id,
            name=provider.name,
            scope=limit.applies_to,
            limit=limit.value,
            unit=limit.what,
            per=limit.per,
            documented=limit.documented,
            historical=limit.historical,
            source=limit.source,
            source_title=source.title if source else "",
            source_url=source.url if source else "",
            as_of=limit.as_of,
            confidence=limit.confidence,
            checked=provider.checked,
            size_of=limit.size_of,
            ceiling=limit.ceiling,
            barred=" ".join(provider.barred(limit)),
        )


@dataclass(frozen=True, slots=True)
class Limits(JsonDocument):
    """`limits`."""

    NAME: ClassVar = "limits"
    limits: tuple[LimitRowJson, ...]


@dataclass(frozen=True, slots=True)
class AdviceJson:
    """A way on for a mailing."""

    way: MailingRemedy
    words: str
    providers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShareJson:
    """What one account has to do in a plan."""

    provider: str
    per_day: tuple[Whole, ...]
    interval_seconds: Amount | None
    binding: LimitRowJson | None
    account: str
    """The kind of account that was taken; empty where the provider has one."""
    trouble: Exclusion | None
    access: PasswordAccess


@dataclass(frozen=True, slots=True)
class LimitsPlan(JsonDocument):
    """`limits plan`."""

    NAME: ClassVar = "limits-plan"
    messages: Whole
    days: Whole | None
    per_day: tuple[Whole, ...]
    interval_seconds: Amount | None
    starts_at: Day
    ends_at: Day | None
    binding: LimitRowJson | None
    fits: bool
    advice: tuple[AdviceJson, ...]
    accounts: tuple[ShareJson, ...]
    notes: tuple[str, ...]
    when_reached: tuple[str, ...]
