"""Words from outside, made fit to be shown: bounded, one line, nothing that moves a cursor.

`Shown` is the type of words that can be put on a screen as they are. `shown` makes them of foreign words, once, where
those come in; what carries words to a face demands the type, so the type checker proves that nothing raw gets there.
"""

from __future__ import annotations

import unicodedata
from typing import NewType

Shown = NewType("Shown", str)
"""Words that can be shown as they are. Made in this module only."""

OUTSIDE_LIMIT = 500
"""Characters of somebody else's words that are shown at most."""


def shown(text: str, limit: int = OUTSIDE_LIMIT) -> Shown:
    """Make words from outside fit to show: one line, bounded, nothing that moves a cursor or turns text around.

    Line ends, tabs and odd spaces become a blank; control characters are escaped as \\xNN or \\uNNNN; what is invisible
    or turns the direction of text (Cf: bidi, zero width), surrogates, private and unassigned characters are as well.
    """
    if len(text) <= limit and text.isascii() and text.isprintable() and "  " not in text:
        return Shown(text.strip())
    # Cut before the work as well as after it: the words may be megabytes.
    out: list[str] = []
    size = 0
    for ch in text[: limit * 4]:
        if ch in "\r\n\t\v\f\u2028\u2029\x85":
            piece = " "
        elif ch.isascii() and ch.isprintable():
            piece = ch
        elif (category := unicodedata.category(ch)) == "Zs":
            piece = " "  # whatever its width: a no-break space looks like one and is found by nobody
        elif category in {"Cc", "Cf", "Cs", "Co", "Cn"}:
            code = ord(ch)
            piece = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
        else:
            piece = ch
        if piece == " " and out and out[-1] == " ":
            continue
        out.append(piece)
        size += len(piece)
        if size > limit:
            break
    cleaned = "".join(out).strip()
    if len(cleaned) > limit or len(text) > limit * 4:
        return Shown(cleaned[: limit - 1].rstrip() + "…")
    return Shown(cleaned)
