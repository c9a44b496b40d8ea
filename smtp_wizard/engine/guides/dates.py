"""Dates of the data files, as they are said."""

from __future__ import annotations

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
"""In English whatever the computer's language: the rest of the sentence is."""


def date_words(text: str | None) -> str:
    """Return a date of the catalogue as it is said: '30 May 2022', 'May 2022', '2022'; '' where none is known."""
    if text is None or not text[:1].isdigit():
        return ""
    year, *rest = text.split("-")
    month = _MONTHS[int(rest[0]) - 1] if rest else ""
    day = str(int(rest[1])) if len(rest) > 1 else ""
    return " ".join(part for part in (day, month, year) if part)
