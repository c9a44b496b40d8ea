"""One finished check with the name that it goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from smtp_wizard.engine.accounts.account_warnings import AccountWarning
    from smtp_wizard.engine.checks.report import Report
    from smtp_wizard.engine.diagnosis.finding import Finding


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What became of one check that a command was asked for."""

    account: Shown | None
    """The name of the saved account, where there is one."""
    report: Report
    obstacle: Finding | None = None
    """Why the check could not even begin. The report is empty then."""
    warnings: tuple[AccountWarning, ...] = ()
    """What is about to end for the account."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that a person should read."""
        return (self.obstacle,) if self.obstacle is not None else self.report.findings

    @property
    def failure(self) -> Finding | None:
        """Why it is not well: of the first stage that failed, or of whose outcome nobody knows. None where it is."""
        bad = (each.finding for each in self.report.results if each.verdict in (Verdict.FAIL, Verdict.UNKNOWN))
        return self.obstacle or next(bad, None)

    @property
    def remarks(self) -> tuple[Finding, ...]:
        """What was remarked on in stages that passed."""
        warned = (each.finding for each in self.report.results if each.verdict is Verdict.WARN)
        return tuple(each for each in warned if each is not None)

    @property
    def title(self) -> Shown:
        """How a list calls it: the account, or host and port."""
        return self.account or shown(str(self.report.endpoint))

    def certificate_days(self, now: datetime) -> int | None:
        """Return how many whole days the server's certificate has left, negative where it has run out.

        None where none was seen that is believed but for that.
        """
        ends = self.report.certificate_end(now)
        return (ends - now).days if ends is not None else None

    @property
    def words(self) -> Shown:
        """One short phrase: how it came out."""
        if self.failure is not None:
            return self.failure.title
        if self.remarks:
            return self.remarks[0].title
        if self.warnings:
            return self.warnings[0].words
        match self.report.verdict:
            case Verdict.PASS:
                return phrase("all checks passed")
            case Verdict.SKIPPED:
                return phrase("nothing was checked")
        return phrase("{}", self.report.verdict)
