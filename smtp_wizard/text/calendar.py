"""What ends, in words: on every face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from smtp_wizard.engine.accounts.deadlines import Deadline, DeadlineKind
from smtp_wizard.text.last_test import MONTHS

KIND_WORDS = {
    DeadlineKind.CERTIFICATE: "certificate",
    DeadlineKind.SIGN_IN: "sign-in",
    DeadlineKind.RETIREMENT: "way in closes",
    DeadlineKind.LIMIT: "limit changes",
}
NOTHING_ENDS = "Nothing is known to end. Certificates are known once an account was tested ('smtp-wizard test --all')."
HEADING = "Date        Account or provider: what expires, and when"
FILE_WORDS = "For your own calendar: 'smtp-wizard calendar --ics FILE'."
NOT_TESTED = "Certificates are known once an account was tested: A on 'Your accounts' tests them all."
_MARGIN = " " * 12


def days_words(end: Deadline, now: datetime) -> str:
    """Say how far off an end is: 'in 12 days', 'today', 'ended'."""
    days = (end.on - now.astimezone().date()).days
    if days < 0:
        return "ended"
    return "today" if days == 0 else "tomorrow" if days == 1 else f"in {days:,} days"


def day_words(end: Deadline) -> str:
    """Return the day as one says it: '1 Dec 2026'."""
    return f"{end.on.day} {MONTHS[end.on.month - 1]} {end.on.year}"


def head_words(end: Deadline, now: datetime) -> str:
    """Return an end as a row: the day, whose, what, how far off."""
    whose = end.account or end.provider or ""
    return f"{end.on:%Y-%m-%d}  {whose}: {KIND_WORDS[end.kind]}, {days_words(end, now)}"


def end_lines(ends: Sequence[Deadline], now: datetime) -> Iterator[str]:
    """Yield each end as a few lines: its row, what is to be known, and who says so."""
    for end in ends:
        yield head_words(end, now)
        yield _MARGIN + end.what
        yield f"{_MARGIN}({end.source})"
