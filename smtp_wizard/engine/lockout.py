"""Stops signing in before the provider locks the account: which refusals count, and what is said instead of trying."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from smtp_wizard.engine.attempts import USUAL, Attempts, Pause
from smtp_wizard.engine.check import CheckResult, Emit, Report, RunFinished, StageFinished, Target, planned
from smtp_wizard.engine.diagnosis import Finding
from smtp_wizard.engine.model import Auth, Depth, Stage, Verdict, Who
from smtp_wizard.engine.provider import Provider, ProviderKind

PAUSED = "sign_in_paused"
"""The code of the finding where no sign-in was tried."""

COUNTED = frozenset({"bad_credentials", "app_password_required", "cram_md5_only", "service_key_needed"})
"""The causes of a refusal that providers count: user name and password were looked at, and not taken.

Not among them: what is refused whatever the password is (the way of signing in, a switch, a rule, the account itself),
and what the server puts off.
"""


class Guard:
    """Stands before the sign-ins to one account: lets one through as long as it can do no harm."""

    def __init__(
        self, attempts: Attempts, provider: Provider | None, now: Callable[[], datetime], *, anyway: bool
    ) -> None:
        """`provider` says how many refusals are too many; `anyway`: the person wants it all the same."""
        self._attempts = attempts
        self._provider = provider
        self._now = now
        self._anyway = anyway

    async def watch(self, target: Target, depth: Depth, emit: Emit, check: Callable[[], Awaitable[Report]]) -> Report:
        """Do a check that signs in, and count how that came out; or report why it is not done."""
        lockout = self._provider.lockout if self._provider and self._provider.lockout else USUAL
        place = await self._attempts.take(target.username, target.endpoint.host, lockout, anyway=self._anyway)
        if isinstance(place, Pause):
            return report_pause(target, depth, place, self._now(), _name(self._provider), emit)
        try:
            report = await check()
        except BaseException:
            self._attempts.release(place)
            raise
        refused = refused_credentials(report)
        if refused is None:
            self._attempts.release(place)
        else:
            self._attempts.settle(place, refused=refused)
        return report


def _name(provider: Provider | None) -> str:
    return provider.name if provider and provider.kind not in (ProviderKind.CUSTOM, ProviderKind.SANDBOX) else ""


def signs_in(target: Target, depth: Depth) -> bool:
    """Whether a check shows the server a user name and a password."""
    return depth is not Depth.SERVER and target.auth is not Auth.NONE


def refused_credentials(report: Report) -> bool | None:
    """Return whether the server refused user name and password; None where it said nothing about them."""
    result = report.result(Stage.AUTH)
    if result is None:
        return None
    if result.verdict in (Verdict.PASS, Verdict.WARN):
        return False
    counted = result.verdict is Verdict.FAIL and result.finding is not None and result.finding.code in COUNTED
    return True if counted else None


def paused(report: Report) -> Finding | None:
    """Return why no sign-in was tried, None where one was, or none was wanted."""
    return next((finding for finding in report.findings if finding.code == PAUSED), None)


def report_pause(target: Target, depth: Depth, pause: Pause, now: datetime, provider: str, emit: Emit) -> Report:
    """Tell, in place of a check, that nobody was asked, and why; return the report.

    `provider`: its name, '' where it is not known.
    """
    finding = pause_finding(pause, now, provider)
    stopped = CheckResult(Stage.AUTH, Verdict.FAIL, 0.0, finding.title, finding)
    results = tuple(
        stopped if stage is Stage.AUTH else CheckResult(stage, Verdict.SKIPPED, 0.0, "not reached")
        for stage in planned(target, depth)
    )
    for result in results:
        emit(StageFinished(result))
    report = Report(target.endpoint, results)
    emit(RunFinished(report))
    return report


def pause_finding(pause: Pause, now: datetime, provider: str) -> Finding:
    """Say why there is no sign-in now, when there can be one, what to do until then, and the way on."""
    whose = provider or "your e-mail provider"
    times = "once" if pause.refused == 1 else f"{pause.refused} times"
    return Finding(
        code=PAUSED,
        title=f"Stopped before the account gets locked: wait until {clock_words(pause.until, now)}",
        explanation=(
            f"User name and password were refused {times} in a short time, so this time nothing was sent. Many "
            "providers lock an account after a few wrong passwords, and then refuse the right one too, for hours."
        ),
        who=Who.YOU,
        steps=(
            f"Meanwhile sign in on the website of {whose}, with the same user name and password.",
            "If that fails, the password is wrong: set a new one there.",
            "If it works, programs may need a password of their own (an app password): make a new one there.",
            f"Try again at {clock_words(pause.until, now)}, {wait_words(pause, now)}.",
            "If you are sure that it is right now, choose 'Try anyway' (on the command line: --ignore-lockout). "
            "Another wrong password may lock the account.",
        ),
    )


def wait_words(pause: Pause, now: datetime) -> str:
    """Return how long to wait: 'in 12 minutes'."""
    minutes = pause.minutes(now)
    return "in one minute" if minutes == 1 else f"in {minutes} minutes"


def clock_words(moment: datetime, now: datetime) -> str:
    """Return a time of day in local time, with the date where it is another day. A begun minute counts as over then."""
    local = moment.astimezone()
    if local.second or local.microsecond:
        local = (local + timedelta(minutes=1)).replace(second=0, microsecond=0)
    day = "" if local.date() == now.astimezone().date() else f"{local:%Y-%m-%d} "
    return f"{day}{local:%H:%M}"
