"""Guides that the words of a guide send one to: 'the guide limits', 'the guides limits and key'.

In its file, and on the command line, a guide is named by its id, which is what one types there. On a screen it is named
by its title, and a command that stands in brackets beside the area that does the same is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from smtp_wizard.engine.guides.guides import Guide, Guides, fill

_NAME = "[a-z0-9]+(?:-[a-z0-9]+)*"
_NAMED = re.compile(
    rf"(?P<before>\b[Tt]he guides? )(?P<names>(?<=guide ){_NAME}|(?<=guides ){_NAME}(?:(?:, | and ){_NAME})*)"
)
_ID = re.compile(_NAME)
_COMMAND = re.compile(r"\s\((?:smtp-wizard [a-z]|--)[^()]*\)")


def named_in(guide: Guide, guides: Guides) -> tuple[str, ...]:
    """Return the ids of the guides that the words of a guide name, in their order."""
    known = frozenset(guides.ids())
    texts = (*guide.intro, *(text for step in guide.steps for text in (step.text, step.then)), *guide.outro)
    return tuple(dict.fromkeys(name for text in texts for name in _names(text) if name in known))


def with_titles(guide: Guide, guides: Guides) -> Guide:
    """Return a guide as a screen says it: others are named by their titles, and no command beside an area.

    Raises `DataError` where one of those cannot be read.
    """
    known = frozenset(guides.ids())

    def title(found: re.Match[str]) -> str:
        return f"'{fill(guides.get(found[0])).title}'" if found[0] in known else found[0]

    def titles(found: re.Match[str]) -> str:
        return f"{found['before']}{_ID.sub(title, found['names'])}"

    def told(text: str) -> str:
        return _NAMED.sub(titles, _COMMAND.sub("", text))

    return replace(
        guide,
        intro=tuple(map(told, guide.intro)),
        steps=tuple(replace(step, text=told(step.text), then=told(step.then)) for step in guide.steps),
        outro=tuple(map(told, guide.outro)),
    )


def _names(text: str) -> Iterator[str]:
    for found in _NAMED.finditer(text):
        yield from _ID.findall(found["names"])
