"""How looking after a message may come out: words that documents and faces share."""

from __future__ import annotations

from enum import StrEnum


class SentCopy(StrEnum):
    """Whether a copy of the message lies in Sent."""

    FOUND = "found"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    """The mailbox could not be read, or has no such folder."""


class ArrivalState(StrEnum):
    """Where the message lies in the mailbox that it went to."""

    INBOX = "inbox"
    JUNK = "junk"
    NO = "no"
    """It is in neither, so far."""
    UNKNOWN = "unknown"
    """The mailbox is nobody's here, or could not be read."""


class AuthenticationState(StrEnum):
    """How a check of a message's origin came out."""

    PASS = "pass"
    FAIL = "fail"
    NONE = "none"
    """The domain publishes nothing that could be checked, or the message has no signature."""
    UNKNOWN = "unknown"
