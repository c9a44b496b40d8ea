"""Stops signing in before the provider locks the account: which sign-ins count, and what is said instead of trying.

Every sign-in counts that went out and did not succeed: refused, put off, hung up on, given up, or ended with its
process. The provider has seen it, whatever came of it here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from smtp_wizard.engine.accounts.lockout_guard import USUAL, LockoutGuard, Pause, Slot
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.shown import Shown, join, phrase, shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.events import Emit, RunFinished, SignInProgress, StageFinished
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.checks.target import Target, planned_stages
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.providers.provider import Lockout, Provider, ProviderKind

PAUSED = "sign_in_paused"
"""The code of the finding where no sign-in was tried."""

REFUSED = frozenset({"bad_credentials", "app_password_required", "cram_md5_only", "service_key_needed"})
"""The causes of a refusal that mean: user name and password were looked at, and not taken."""
TOKEN_REFUSED = frozenset({"oauth_token_invalid", "oauth_token_expired", "oauth_wrong_user", "oauth_scope_missing"})
"""The causes that mean the same of an access token."""
UNANSWERED = ""
"""The cause of a sign-in that nobody answered; see `LockoutGuard.record`."""

Title = Callable[[str], Shown]
"""What a cause is called, by its code."""


class GuardedSignIn:
    """Stands before the sign-ins to one account: lets one through as long as it can do no harm."""

    def __init__(
        self,
        guard: LockoutGuard,
        provider: Provider | None,
        now: Callable[[], datetime],
        title: Title,
        whose: Sequence[str],
        *,
        anyway: bool,
    ) -> None:
        """`provider` says how many failures are too many; `anyway`: the person wants it all the same.

        `whose`: see `known_host.counted_names`.
        """
        self._guard = guard
        self._provider = provider
        self._now = now
        self._title = title
        self._whose = whose
        self._anyway = anyway

    async def watch(
        self, target: Target, depth: Depth, emit: Emit, check: Callable[[SignInProgress], Awaitable[Report]]
    ) -> Report:
        """Do a check that signs in, and count how that came out; or report why it is not done."""
        lockout = lockout_of(self._provider)
        name, *also = self._whose
        slot = await self._guard.acquire(name, target.connection.endpoint.host, lockout, also=also, anyway=self._anyway)
        if isinstance(slot, Pause):
            finding = pause_finding(slot, self._now(), _name(self._provider), self._title)
            return report_pause(target, depth, finding, emit)
        return await _Counted(self._guard, slot).run(check)


def lockout_of(provider: Provider | None) -> Lockout:
    """Return how many failed sign-ins are too many for a provider, and how long they count."""
    return provider.lockout if provider is not None and provider.lockout is not None else USUAL


class _Counted:
    """One sign-in that is let through."""

    def __init__(self, guard: LockoutGuard, slot: Slot) -> None:
        self._guard = guard
        self._slot = slot
        self._recorded = False
        self._sign_in = SignInProgress(self._sending, self._accepted)

    async def run(self, check: Callable[[SignInProgress], Awaitable[Report]]) -> Report:
        """Do the check; what becomes of it is recorded, also where it is given up."""
        cause = UNANSWERED
        try:
            report = await check(self._sign_in)
            if self._sign_in.answered:
                cause = _cause(report)
            return report
        finally:
            if not self._sign_in.sent:
                self._guard.release(self._slot)
            elif not self._recorded:
                self._guard.record(self._slot, cause=cause)

    async def _sending(self) -> None:
        await self._guard.sending(self._slot)

    async def _accepted(self) -> None:
        self._guard.record(self._slot, cause=None)
        self._recorded = True


def _cause(report: Report) -> str:
    result = report.result(Stage.AUTH)
    return result.finding.code if result is not None and result.finding is not None else UNANSWERED


def _name(provider: Provider | None) -> str:
    return provider.name if provider and provider.kind not in (ProviderKind.CUSTOM, ProviderKind.SANDBOX) else ""


def signs_in(target: Target, depth: Depth) -> bool:
    """Whether a check shows the server a user name and a password."""
    return depth is not Depth.SERVER and target.connection.auth is not Auth.NONE


def refused(report: Report) -> bool:
    """Whether the server looked at user name and password, or token, and will not take them as they are."""
    result = report.result(Stage.AUTH)
    return result is not None and result.finding is not None and result.finding.code in REFUSED | TOKEN_REFUSED


def paused(report: Report) -> Finding | None:
    """Return why no sign-in was tried, None where one was, or none was wanted."""
    return next((finding for finding in report.findings if finding.code == PAUSED), None)


def report_pause(target: Target, depth: Depth, finding: Finding, emit: Emit) -> Report:
    """Tell, in place of a check, that nobody was asked, and why; return the report."""
    stopped = CheckResult(Stage.AUTH, Verdict.FAIL, 0.0, finding.title, finding)
    results = tuple(
        stopped if stage is Stage.AUTH else CheckResult(stage, Verdict.SKIPPED, 0.0, phrase("not reached"))
        for stage in planned_stages(target, depth)
    )
    for result in results:
        emit(StageFinished(result))
    report = Report(target.connection.endpoint, results)
    emit(RunFinished(report))
    return report


def pause_finding(pause: Pause, now: datetime, provider: str, title: Title) -> Finding:
    """Say why there is no sign-in now, when there can be one, what to do until then, and the way on.

    `provider`: its name, '' where it is not known.
    """
    whose = shown(provider) or phrase("your e-mail provider")
    when = clock_words(pause.until, now)
    return Finding(
        code=PAUSED,
        title=phrase("Stopped before the account gets locked: wait until {}", when),
        explanation=phrase(
            "In a short time {}, so this time nothing was sent. Many providers "
            "lock an account after a few sign-ins that failed, and then refuse the right password too, for hours.",
            counted_words(pause.causes, title),
        ),
        who=Who.YOU,
        steps=(
            *(_ABOUT_SILENCE if UNANSWERED in pause.causes else ()),
            phrase("Meanwhile sign in on the website of {}, with the same user name and password.", whose),
            *(_ABOUT_PASSWORDS if REFUSED.intersection(pause.causes) else ()),
            phrase("Try again at {}, {}.", when, wait_words(pause, now)),
            phrase(
                "If you are sure that it is right now, choose 'Try anyway' (on the command line: --ignore-lockout). "
                "Another failure may lock the account."
            ),
        ),
    )


_ABOUT_PASSWORDS = (
    phrase("If that fails, the password is wrong: set a new one there."),
    phrase("If it works, programs may need a password of their own (an app password): make a new one there."),
)
_ABOUT_SILENCE = (
    phrase(
        "A sign-in may have reached the server although no answer came: give it more time (on the command line: a "
        "longer --timeout)."
    ),
)


def counted_words(causes: Sequence[str], title: Title) -> Shown:
    """Return how sign-ins failed, in words that go on a sentence: 'user name and password were refused 3 times'."""
    refused = sum(cause in REFUSED for cause in causes)
    unanswered = sum(cause == UNANSWERED for cause in causes)
    others = {cause: 0 for cause in causes if cause not in REFUSED and cause != UNANSWERED}
    for cause in causes:
        others |= {cause: others[cause] + 1} if cause in others else {}
    parts: list[Shown] = []
    if refused:
        times = phrase("once" if refused == 1 else "{} times", refused)
        parts.append(phrase("user name and password were refused {}", times))
    if unanswered:
        parts.append(phrase("{} not answered in time", _sign_ins(unanswered, first=not parts)))
    for cause, count in others.items():
        sign_ins = _sign_ins(count, first=not parts)
        parts.append(phrase("{} refused for another reason ('{}')", sign_ins, title(cause)))
    return join(", ", parts)


def _sign_ins(count: int, *, first: bool) -> Shown:
    if not first:
        return phrase("{} was" if count == 1 else "{} were", count)
    return phrase("{} sign-in was" if count == 1 else "{} sign-ins were", count)


def wait_words(pause: Pause, now: datetime) -> Shown:
    """Return how long to wait: 'in 12 minutes'."""
    minutes = pause.minutes(now)
    return phrase("in one minute" if minutes == 1 else "in {} minutes", minutes)


def clock_words(moment: datetime, now: datetime) -> Shown:
    """Return a time of day in local time, with the date where it is another day. A begun minute counts as over then."""
    local = moment.astimezone()
    if local.second or local.microsecond:
        local = (local + timedelta(minutes=1)).replace(second=0, microsecond=0)
    return phrase("{:%H:%M}" if local.date() == now.astimezone().date() else "{:%Y-%m-%d %H:%M}", local)
