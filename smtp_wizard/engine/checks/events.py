"""What a check is: its target, its limits, its stages, and the typed events that fold into a Report."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.errors import ShownError
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.checks.report import CheckResult, Report, Speaker
from smtp_wizard.engine.checks.target import ExplainsSymptoms
from smtp_wizard.engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from smtp_wizard.engine.base.endpoint import Endpoint
    from smtp_wizard.engine.base.shown import Shown
    from smtp_wizard.engine.base.stages import Stage


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage begins."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript. Secrets are masked where they are encoded, so it can be shown as it is."""

    at: float
    """Seconds since the check began."""
    stage: Stage
    way: Speaker
    text: Shown
    encrypted: bool


@dataclass(frozen=True, slots=True)
class StageFinished:
    """A stage has ended, or was left out."""

    result: CheckResult


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The check has ended."""

    report: Report


Event = StageStarted | Line | StageFinished | RunFinished
Emit = Callable[[Event], None]


def fold(endpoint: Endpoint, events: Iterable[Event]) -> Report:
    """Fold events into the Report. Law: it equals the report that RunFinished carries."""
    return Report(endpoint, tuple(e.result for e in events if isinstance(e, StageFinished)))


class NotBegun(ShownError):
    """A check that another computer was to make was not begun there: no server has seen a sign-in."""


@dataclasses.dataclass(slots=True)
class SignInProgress:
    """How far the sign-in of a check has come, kept by the check, and who is told of it by the check."""

    sending: Callable[[], Awaitable[None]]
    """Awaited before the first word of the sign-in goes out."""
    accepted: Callable[[], Awaitable[None]]
    """Awaited when the server has taken it."""
    sent: bool = False
    """Whether the first word of it is out, or may be."""
    answered: bool = False
    """Whether the server has said how it ended."""

    def mark_sent(self) -> None:
        """Say that the first word of it goes out now."""
        self.sent = True

    def mark_answered(self) -> None:
        """Say that the server has told how it ended."""
        self.answered = True


class NamesCauses(ExplainsSymptoms, Protocol):
    """What keeps causes in mind needs of the diagnosis besides."""

    def title(self, cause: str) -> Shown: ...
