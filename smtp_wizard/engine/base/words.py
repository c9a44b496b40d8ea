"""A line of words that a person types."""

from __future__ import annotations

import unicodedata

from smtp_wizard.engine.base.errors import InputError


def parse_words(text: str) -> str:
    """Take one line of words; refuse what cannot stand in a header or a command. Raises `InputError`."""
    if any(unicodedata.category(ch) in {"Cc", "Cs"} for ch in text):
        raise InputError("It has a character in it that cannot be seen; please type it by hand.")
    return text.strip()
