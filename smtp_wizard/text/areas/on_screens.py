"""What is said to everybody, as the screens and `--plain` say it: they have areas and questions, and no command line.

A finding's words name commands and options, which is how a command's way on is written down. There an area is named by
its title, and what only an option could do is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

AREAS: Mapping[str, str] = {
    "accounts": "Your accounts",
    "accounts password": "Your accounts",
    "bounces": "Mail that came back",
    "calendar": "What will end",
    "domain": "Your domain",
    "explain": "Explain an error",
    "guide": "Guides",
    "limits": "How much may I send?",
    "test": "Your accounts",
    "unsubscribe": "Unsubscribe link",
}
"""Where one does on a screen what a command does: as the menu calls it."""
_ON_PAGE: Mapping[str, str] = {"accounts password": "'New password' at ", "test": "'Test' at "}
"""What it is called there, where the area alone does not say it."""

_NAMED = "|".join(sorted(AREAS, key=len, reverse=True))
_COMMAND = re.compile(
    rf"'smtp-wizard (?P<quoted>{_NAMED})(?: [^']*)?'|smtp-wizard (?P<bare>{_NAMED})\b(?: (?:--all|[A-Z]+\b))*"
)
_ASIDE = re.compile(r" ?\(on the command line: [^()]*\)")
_SENTENCES = re.compile(r"(?<=[.!?]) +(?=[A-Z'])")
_QUOTED = re.compile(r"'[^']*'")
_OPTION = re.compile(
    r"(?<![\w-])--(?:accept-found|ca-file|concurrency|config|ehlo-name|host|ignore-lockout|imap|provider|server|since"
    r"|timeout)\b"
)
"""An option of ours, outside of quotes: other programs have options of their own."""
_NO_AREA = "'smtp-wizard "
"""Begins a command that no area stands for."""


def on_screens(words: str) -> str:
    """Return words as a screen says them; '' where they are of use on the command line alone."""
    told = (_COMMAND.sub(_area, _ASIDE.sub("", each)) for each in _SENTENCES.split(words))
    return " ".join(each for each in told if _NO_AREA not in each and not _OPTION.search(_QUOTED.sub("", each)))


def steps_on_screens(steps: Iterable[str]) -> tuple[str, ...]:
    """Return steps as a screen says them, without those that are of use on the command line alone."""
    return tuple(filter(None, map(on_screens, steps)))


def _area(found: re.Match[str]) -> str:
    command = found["quoted"] or found["bare"]
    return f"{_ON_PAGE.get(command, '')}'{AREAS[command]}'"
