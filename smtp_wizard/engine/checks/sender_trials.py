"""Which senders a server takes: after one sign-in, one after the other, mostly without a message.

MAIL names the sender of the envelope. Many servers look at it only when the recipient is named, so RCPT follows, and
RSET ends it: nothing is sent (RFC 5321 sections 4.1.1.2, 4.1.1.3, 4.1.1.5). What stands in From is in the message
itself, so that only DATA tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.events import Emit, RunFinished, SignInProgress
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.checks.runner import CheckRun, unwatched
from smtp_wizard.engine.checks.target import ExplainsSymptoms, Mail, Target, TimeLimits, planned_stages
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.transport import Wire


@dataclass(frozen=True, slots=True)
class SenderTrial:
    """One sender to try."""

    mail: Mail
    send: bool = False
    """Whether the message goes out; else the server forgets it before."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What is gone through."""
        return (Stage.MAIL, Stage.RCPT, Stage.DATA) if self.send else (Stage.MAIL, Stage.RCPT)


@dataclass(frozen=True, slots=True)
class TriedSender:
    """How far a sender came."""

    trial: SenderTrial
    results: tuple[CheckResult, ...]
    """Of the stages that were reached; empty where the connection was over before."""

    def verdict(self, stage: Stage) -> Verdict | None:
        """Return how a stage came out, None where it was not reached."""
        found = self.result(stage)
        return found.verdict if found is not None else None

    def result(self, stage: Stage) -> CheckResult | None:
        """Return the result of a stage, None where it was not reached."""
        return next((each for each in self.results if each.stage is stage), None)


async def run_sender_trials(
    target: Target,
    secret: Secret | None,
    trials: Sequence[SenderTrial],
    tried: list[TriedSender],
    *,
    wire: Wire,
    diagnosis: ExplainsSymptoms,
    emit: Emit,
    limits: TimeLimits | None = None,
    sign_in: SignInProgress | None = None,
) -> Report:
    """Sign in, and try senders on that connection; return the report of the sign-in.

    Each that was tried goes to `tried`. A server that hangs up ends it: those that are left are not tried. Nothing is
    raised; see `run_checks`.
    """
    run = CheckRun(
        target, secret, wire, diagnosis, emit, limits or TimeLimits(), sign_in or SignInProgress(unwatched, unwatched)
    )
    try:
        for stage in planned_stages(target, Depth.LOGIN):
            await run.stage(stage)
        signed_in = tuple(run.results)
        report = Report(target.connection.endpoint, signed_in)
        if report.verdict in (Verdict.PASS, Verdict.WARN):
            await _try_each(run, trials, tried)
        await run.leave()
    finally:
        run.close()
    emit(RunFinished(report))
    return report


async def _try_each(run: CheckRun, trials: Sequence[SenderTrial], tried: list[TriedSender]) -> None:
    for trial in trials:
        if not await run.begin_again(trial.mail):
            return
        before = len(run.results)
        for stage in trial.stages:
            await run.stage(stage)
        reached = tuple(each for each in run.results[before:] if each.verdict is not Verdict.SKIPPED)
        tried.append(TriedSender(trial, reached))
