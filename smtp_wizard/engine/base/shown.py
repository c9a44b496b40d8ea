"""Words from outside, made fit to be shown: bounded, one line, nothing that moves a cursor.

`Shown` is the type of words that can be put on a screen as they are. `shown` makes them of foreign words, once, where
those come in; `phrase` and `join` put them into words of ours. What carries words to a face demands the type, so the
type checker proves that nothing raw gets there. Nobody else calls `Shown`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from enum import Enum

Shown = NewType("Shown", str)
"""Words that can be shown as they are."""

NO_WORDS = Shown("")
OUTSIDE_LIMIT = 500
"""Characters of somebody else's words that are shown at most."""


def shown(text: str, limit: int = OUTSIDE_LIMIT) -> Shown:
    """Make words from outside fit to show: one line, bounded, nothing that moves a cursor or turns text around.

    Line ends, tabs and odd spaces become a blank; control characters are escaped as \\xNN or \\uNNNN; what is invisible
    or turns the direction of text (Cf: bidi, zero width), surrogates, private and unassigned characters are as well.
    What it has returned it returns unchanged.
    """
    # Cut before the work as well as after it: the words may be megabytes.
    begin = text[: limit * 4]
    words = begin if begin.isprintable() else _UNPRINTABLE.sub(_escaped, begin)
    words = _BLANKS.sub(" ", words).strip(" ")
    whole = len(words) <= limit and len(text) <= limit * 4
    return Shown(words) if whole else _cut(words, limit)


_UNPRINTABLE = re.compile("[^ -~]")
"""What may be unprintable: whether it is, Unicode says."""
_BLANKS = re.compile(" {2,}")
_LINE_ENDS = frozenset("\r\n\t\v\f\u2028\u2029\x85")


def _escaped(found: re.Match[str]) -> str:
    ch = found[0]
    if ch in _LINE_ENDS:
        return " "
    import unicodedata

    category = unicodedata.category(ch)
    if category == "Zs":
        return " "  # whatever its width: a no-break space looks like one and is found by nobody
    if category in {"Cc", "Cf", "Cs", "Co", "Cn"}:
        code = ord(ch)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return ch


def _cut(words: str, limit: int) -> Shown:
    return Shown(words[: limit - 1].rstrip() + "…")


def cut(words: Shown, limit: int = OUTSIDE_LIMIT) -> Shown:
    """Return no more of the words than there is room for; an ellipsis stands for the rest."""
    return words if len(words) <= limit else _cut(words, limit)


def phrase(template: str, *parts: Shown | int | float | datetime | Enum) -> Shown:
    """Put parts into a template of ours, written as `str.format` reads it; without parts the words stand as they are.

    The template is a literal, so that nothing foreign can be in it: a test looks at every call. All parts are ours, or
    fit to be shown already.
    """
    return Shown(template.format(*parts) if parts else template)


def join(separator: str, parts: Iterable[Shown]) -> Shown:
    """Join words that can be shown; the separator is a literal of ours."""
    return Shown(separator.join(parts))


def halves(words: Shown, separator: str) -> tuple[Shown, Shown]:
    """Return what stands before a separator, and what behind it; all before, where there is none."""
    before, _, behind = words.partition(separator)
    return Shown(before), Shown(behind)
