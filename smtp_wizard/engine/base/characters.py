"""What characters a text has that no line of words should have, and the refusal of such a line where it is typed."""

from __future__ import annotations

import unicodedata

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase


def has_surrogate(text: str) -> bool:
    """Whether half a character stands in a text: bytes that were none came from the system so (PEP 383)."""
    return any("\ud800" <= ch <= "\udfff" for ch in text)


def has_control(text: str) -> bool:
    """Whether a control character (a line end, a NUL) or half a character (a surrogate) stands in a text.

    Neither may reach a line of SMTP, a header, a file or a terminal; the second cannot even be encoded.
    """
    return not text.isprintable() and any(unicodedata.category(ch) in {"Cc", "Cs"} for ch in text)


def parse_words(text: str) -> str:
    """Take one line of words; refuse what cannot stand in a header or a command. Raises `InputError`."""
    if has_control(text):
        raise InputError(phrase("It has a character in it that cannot be seen; please type it by hand."))
    return text.strip()
