"""Whether a text may be mail at all, so that what reads letters and bounces is loaded for those alone."""

from __future__ import annotations

import re

LONGEST = 200_000
"""Characters of a letter that are read: reports come first, the returned message last."""


def begins_like_letter(text: str) -> bool:
    """Whether a text begins with the headers of a letter (RFC 5322 section 2.2)."""
    head = text.lstrip().partition("\n\n")[0]
    return len(set(_HEADER.findall(head[:_LONGEST_HEAD]))) >= _ENOUGH_HEADERS


_HEADER = re.compile(
    r"^(From|To|Subject|Date|Message-ID|Received|Return-Path|MIME-Version|Content-Type):", re.MULTILINE
)
_ENOUGH_HEADERS = 3
_LONGEST_HEAD = 20_000
"""A line of an error may look like one header. It does not look like three."""


def has_signs_of_bounce(text: str) -> bool:
    """Whether a text holds a word that stands in every one that tells of mail that came back."""
    lower = text.lower()
    return not text.isascii() or any(sign in lower for sign in _SIGNS)


def may_be_mail(text: str) -> bool:
    """Whether a text is worth being read as a letter or as a bounce."""
    text = text[:LONGEST].replace("\r\n", "\n")
    return begins_like_letter(text) or has_signs_of_bounce(text)


_SIGNS = (
    "deliver",
    "recipient",
    "mailer",
    "qmail",
    "postmaster",
    "diagnostic",
    "response",
    "address",
    "returned",
    "permanent",
    "bounced",
    "reach",
    "could",
    "generating",
    "report",
    "reject",
    "reporting",
    "zustell",
    "zugestellt",
    "bermittelt",
    "remis",
    "distribu",
    "entreg",
    "consegn",
    "recapit",
    "bezorgd",
    "afgeleverd",
    "bestelbaar",
    "dostarcz",
    "доставлен",
)
"""What stands in every text that may be one; the patterns are read where one of them does."""
