"""How an account's last test is told: in a few words in its row, in sentences beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from smtp_wizard.engine.accounts.guarded_sign_in import REFUSED, TOKEN_REFUSED
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.state.results import NOT_PROVED, LastResult, Result

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NEVER = "not tested yet"
NOT_KNOWN = "not known whether it was sent"
NOTED = "works, with a remark"
UNPROVED = "not proved"
"""The server took the test message, and nobody has seen it."""
UNREAD = "cannot be read"
SIGN_IN_ENDED = "sign-in has ended"

FAILED: Mapping[Stage, str] = {
    Stage.DNS: "server not found",
    Stage.CONNECT: "server does not answer",
    Stage.TLS: "no secure connection",
    Stage.GREETING: "server turned us away",
    Stage.EHLO: "server turned us away",
    Stage.STARTTLS: "no secure connection",
    Stage.AUTH: "sign-in failed",
    Stage.MAIL: "sender refused",
    Stage.RCPT: "recipient refused",
    Stage.DATA: "message refused",
}
CERTIFICATE = "cert_"
"""What the codes of the causes begin with that are about the server's certificate."""

SENDS: Mapping[Scope, str] = {Scope.GENERAL: "invoices", Scope.ALL: "everything"}
"""What an account is for, in a word."""
PRACTICE = "practice"


def last_test_words(last: LastResult | None, now: datetime) -> str:
    """Return how the last test came out: when it went well, else what failed. A few words for a row."""
    if last is None:
        return NEVER
    match last.verdict:
        case Verdict.FAIL:
            return failed_words(last.stage, last.code)
        case Verdict.UNKNOWN:
            return NOT_KNOWN
        case Verdict.WARN:
            return UNPROVED if last.code == NOT_PROVED else NOTED
        case Verdict.SKIPPED:
            return NEVER
    return when_words(last.at, now)


def failed_words(stage: Stage | None, code: str) -> str:
    """Say in a few words what failed: the stage, and of the sign-in and the encryption why."""
    if code in REFUSED:
        return "password refused"
    if code in TOKEN_REFUSED:
        return "sign-in refused"
    if code.startswith(CERTIFICATE):
        return "certificate not accepted"
    return FAILED[stage] if stage is not None else "failed"


def when_words(at: datetime, now: datetime) -> str:
    """Return a moment as one speaks of it: 'today 02:08', 'yesterday', '3 days ago', '28 Nov', '28 Nov 2025'."""
    local, today = at.astimezone(), now.astimezone().date()
    days = (today - local.date()).days
    if days == 0:
        return f"today {local:%H:%M}"
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if 1 < days < 7 else date_words(at, now)


def since_words(at: datetime, now: datetime) -> str:
    """Say since when something is so: 'since today 02:08', 'since yesterday', 'for 3 days', 'since 28 Nov'."""
    words = when_words(at, now)
    days = words.removesuffix(" ago")
    return f"since {words}" if days == words else f"for {days}"


def date_words(at: datetime, now: datetime) -> str:
    """Return the day of a moment: '28 Nov', with the year where it is another one."""
    local = at.astimezone()
    year = f" {local.year}" if local.year != now.astimezone().year else ""
    return f"{local.day} {MONTHS[local.month - 1]}{year}"


def ends_words(what: str, at: datetime, now: datetime) -> str:
    """Say when something ends: 'certificate ends in 5 days', 'certificate ended on 3 Nov'."""
    days = (at.astimezone().date() - now.astimezone().date()).days
    if at <= now:
        return f"{what} ended on {date_words(at, now)}"
    return f"{what} ends {'today' if days == 0 else 'tomorrow' if days == 1 else f'in {days} days'}"


def seconds_of(history: Sequence[Result]) -> tuple[float, ...]:
    """Return how many seconds the checks took that signed in, the oldest first."""
    signed_in = (each for each in reversed(history) if Stage.AUTH in each.ms and each.last.verdict in _GOOD)
    return tuple(sum(each.ms.values()) / 1000 for each in signed_in)


_GOOD = (Verdict.PASS, Verdict.WARN)
BARS = "▁▂▃▄▅▆▇█"


def spark(seconds: Sequence[float], room: int | None = None) -> str:
    """Return a bar for each figure, the longest as high as a row.

    `room`: columns; where all figures do not fit, the last ones are drawn.
    """
    wide = 2 if room is None or 2 * len(seconds) <= room else 1
    drawn = seconds if room is None else seconds[-max(room, 1) :]
    most = max(drawn, default=0.0) or 1.0
    return "".join(BARS[min(int(each / most * len(BARS)), len(BARS) - 1)] * wide for each in drawn)


def seconds_words(seconds: Sequence[float]) -> str:
    """Say how long sign-ins take: '0.4 to 2.1 seconds'."""
    low, high = (f"{each:.1f}" if each >= 0.05 else "less than 0.1" for each in (min(seconds), max(seconds)))
    return f"{low} seconds" if low == high else f"{low} to {high} seconds"
