"""A password or token, which is never shown or written by accident."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import NoReturn


class Oddity(StrEnum):
    """What is unusual in a password, and often came along when it was copied."""

    BLANK_AT_END = "blank-at-end"
    """A blank at its beginning or end."""
    LINE_END = "line-end"
    HARD_BLANK = "hard-blank"
    """A blank that is not the ordinary one, such as the no-break space of web pages."""
    INVISIBLE = "invisible"
    """Another control or format character."""


class Secret:
    """A password or token. Shows stars; never compares, hashes or pickles as text.

    `reveal()` is called where the secret is encoded for a server, in the stores, and where the person asks to see it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    @property
    def oddities(self) -> tuple[Oddity, ...]:
        """What is unusual in it. It may be part of the password, so it is asked about and never taken away."""
        kinds = {_oddity_of(ch) for ch in self._value}
        if self._value != self._value.strip(" "):
            kinds.add(Oddity.BLANK_AT_END)
        return tuple(each for each in Oddity if each in kinds)

    def __repr__(self) -> str:
        return "Secret(********)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


def _oddity_of(ch: str) -> Oddity | None:
    if ch in "\r\n\v\f\x85\u2028\u2029":
        return Oddity.LINE_END
    category = unicodedata.category(ch)
    if category in {"Cc", "Cf"}:
        return Oddity.INVISIBLE
    return Oddity.HARD_BLANK if category == "Zs" and ch != " " else None
