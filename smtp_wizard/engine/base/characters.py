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


def visible(text: str) -> str:
    """Return a pasted text without blanks around it, and without marks that cannot be seen and mean nothing in it.

    The two joiners stay: in some scripts they make another name (RFC 5892 appendix A).
    """
    return text.translate(_UNSEEN).strip()


_UNSEEN = dict.fromkeys((0xAD, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""The soft hyphen, the blank and the joiner of no width, the mark of byte order, marks of direction."""


def as_latin(text: str) -> str:
    """Return a text with the letters that look like Latin ones as those: what somebody sees, and not what it is.

    Small letters of the Cyrillic, Greek, Armenian and phonetic alphabets that have the same shape in most fonts
    (Unicode Technical Standard 39, confusables.txt, in part).
    """
    return text.translate(_LOOK_ALIKES)


_LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u051d\u04bb\u04cf\u043c\u0442\u043a\u043d"
    "\u03bf\u03b1\u03bd\u03c1\u03b9\u03ba\u03c5\u03c4\u0585\u0578\u057d\u0570\u0581\u0261\u0131\u0251\u026a\u028f\u1d0f\u1d04",
    "aeopcyxijsdqwhlmtkhoavpikutonuhggiaiyoc",
)


def parse_words(text: str) -> str:
    """Take one line of words; refuse what cannot stand in a header or a command. Raises `InputError`."""
    if has_control(text):
        raise InputError(phrase("It has a character in it that cannot be seen; please type it by hand."))
    return text.strip()
