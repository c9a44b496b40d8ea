"""How far a check has come, for code that may have to end it early."""

from __future__ import annotations

from dataclasses import dataclass, field

from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.checks.events import Event, StageFinished, StageStarted
from smtp_wizard.engine.checks.report import CheckResult


@dataclass
class CheckProgress:
    """What has been seen of a check so far."""

    results: list[CheckResult] = field(default_factory=list)
    begun: Stage | None = None
    """The stage that is under way."""

    def take(self, event: Event) -> None:
        """Remember an event."""
        if isinstance(event, StageStarted):
            self.begun = event.stage
        elif isinstance(event, StageFinished):
            self.begun = None
            self.results.append(event.result)

    @property
    def perhaps_sent(self) -> bool:
        """Whether the message was being handed over, or the answer to it was lost."""
        return self.begun is Stage.DATA or self._handed_over is Verdict.UNKNOWN

    @property
    def sent(self) -> bool:
        """Whether the server has taken the message."""
        return self._handed_over in (Verdict.PASS, Verdict.WARN)

    @property
    def _handed_over(self) -> Verdict | None:
        return next((each.verdict for each in self.results if each.stage is Stage.DATA), None)
