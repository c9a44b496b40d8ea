"""What ends as an iCalendar file (RFC 5545), to be imported into any calendar, or subscribed to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from smtp_wizard.engine.accounts.deadlines import Deadline, DeadlineKind

LINE = 75
"""Octets of a line at most (RFC 5545 section 3.1)."""
REMIND = timedelta(days=14)
"""So long before its day a calendar reminds of it."""
TITLES = {
    DeadlineKind.CERTIFICATE: "Certificate ends",
    DeadlineKind.SIGN_IN: "Sign-in in the browser ends",
    DeadlineKind.RETIREMENT: "Way in closes",
    DeadlineKind.LIMIT: "Limit changes",
}


def icalendar(ends: Sequence[Deadline], now: datetime) -> str:
    """Return a calendar with one all-day event each, its lines ended as the RFC has it. `now`: when it was made.

    An event keeps its UID as long as it is about the same thing on the same day, so that a calendar that is given the
    file again has it once.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//smtp-wizard//calendar//EN", "CALSCALE:GREGORIAN"]
    for end in ends:
        lines += _event(end, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def title_of(end: Deadline) -> str:
    """Return what an event is called: 'Certificate ends: Office'."""
    return f"{TITLES[end.kind]}: {end.account or end.provider}"


def _event(end: Deadline, now: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_uid(end)}"
    yield f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{end.on:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{end.on + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{_text(title_of(end))}"
    yield f"DESCRIPTION:{_text(f'{end.what} ({end.source})')}"
    yield f"CATEGORIES:{_text(end.kind)}"
    yield "TRANSP:TRANSPARENT"
    yield "BEGIN:VALARM"
    yield "ACTION:DISPLAY"
    yield f"DESCRIPTION:{_text(title_of(end))}"
    yield f"TRIGGER:-P{REMIND.days}D"
    yield "END:VALARM"
    yield "END:VEVENT"


def _uid(end: Deadline) -> str:
    # A provider may close several ways on one day; of the rest the words tell more than what ends.
    what = end.what if end.kind in (DeadlineKind.RETIREMENT, DeadlineKind.LIMIT) else ""
    same = "\0".join((end.on.isoformat(), end.kind, end.account_id or end.account or "", end.provider or "", what))
    return f"{hashlib.blake2b(same.encode(), digest_size=12).hexdigest()}@smtp-wizard.invalid"


def _text(words: str) -> str:
    """Escape a text (RFC 5545 section 3.3.11)."""
    escaped = words.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\n").replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """Cut a line into such as are short enough, no character in two (RFC 5545 section 3.1)."""
    part, size = "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > LINE:
            yield part
            part, size = " ", 1
        part, size = part + character, size + octets
    yield part
