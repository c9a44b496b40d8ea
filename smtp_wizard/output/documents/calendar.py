"""What ends as JSON: `calendar`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from smtp_wizard.engine.accounts.deadlines import Deadline, DeadlineKind
from smtp_wizard.engine.base.records import Day
from smtp_wizard.output.documents.document import JsonDocument


@dataclass(frozen=True, slots=True)
class EventJson:
    """One thing that ends."""

    on: Day
    kind: DeadlineKind
    account: str | None
    provider: str | None
    what: str
    source: str

    @classmethod
    def of(cls, end: Deadline) -> EventJson:
        """Return an end as it is printed."""
        return cls(end.on, end.kind, end.account, end.provider, end.what, end.source)


@dataclass(frozen=True, slots=True)
class Calendar(JsonDocument):
    """`calendar`."""

    NAME: ClassVar = "calendar"
    events: tuple[EventJson, ...]
    """The nearest first."""
