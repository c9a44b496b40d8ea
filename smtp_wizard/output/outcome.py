"""One finished check with the name that it goes by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.stages import Verdict

if TYPE_CHECKING:
    from smtp_wizard.engine.checks.report import Report
    from smtp_wizard.engine.diagnosis.finding import Finding


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one check that a command was asked for."""

    account: str | None
    """The name of the saved account, where there is one."""
    report: Report
    obstacle: Finding | None = None
    """Why the check could not even begin. The report is empty then."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that a person should read."""
        return (self.obstacle,) if self.obstacle is not None else self.report.findings

    @property
    def title(self) -> str:
        """How a list calls it: the account, or host and port."""
        return self.account or str(self.report.endpoint)

    @property
    def words(self) -> str:
        """One short phrase: how it came out."""
        if self.findings:
            return self.findings[0].title
        return {Verdict.PASS: "all checks passed", Verdict.SKIPPED: "nothing was checked"}.get(
            self.report.verdict, self.report.verdict.value
        )
