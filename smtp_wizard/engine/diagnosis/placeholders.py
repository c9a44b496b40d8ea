"""The blanks of what data/diagnosis.yaml says ({host}, {server_said}), and how they are filled from a symptom."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, cut, join, phrase, shown
from smtp_wizard.engine.smtp.symptom import Fault, Hints, Symptom

_FACTS = (
    "certificate_names",
    "not_before",
    "not_after",
    "issuer",
    "weakness",
    "tls_version",
    "days",
    "reason",
    "why",
    "seconds",
    "limit",
    "time",
    "server_time",
    "ehlo_name",
    "mechanisms",
    "refused_by",
    "meant",
    "sent_at",
    "also_failed",
    "until",
    "program",
    "more",
)
"""Blanks that are filled from `Symptom.facts`."""


def _place(endpoint: Endpoint | Hints | None) -> Shown:
    if endpoint is None or not endpoint.host or not endpoint.port:
        return NO_WORDS
    return phrase("{} (port {})", shown(endpoint.host), endpoint.port)


def _other_place(symptom: Symptom) -> Shown:
    """Where else to try; nowhere if only the way of encrypting differs."""
    other, endpoint = symptom.other, symptom.endpoint
    same = other and endpoint and (other.host, other.port) == (endpoint.host, endpoint.port)
    return NO_WORDS if same else _place(other)


_FILLERS: Mapping[str, Callable[[Symptom, Mapping[str, str]], Shown]] = {
    "host": lambda s, _: shown(s.host),
    "port": lambda s, _: phrase("{}", s.port) if s.port else NO_WORDS,
    "numbered_port": lambda s, _: phrase("port {}", s.port) if s.port else NO_WORDS,
    "named_computer": lambda s, _: phrase("computer at {}", shown(s.host)) if s.host else NO_WORDS,
    "server_name": lambda s, _: phrase("name {}", shown(s.host)) if s.host else NO_WORDS,
    "security": lambda s, _: shown(s.security.words) if s.security else NO_WORDS,
    "place": lambda s, _: _place(s.endpoint or s.hints),
    "other_security": lambda s, _: shown(s.other.security.words) if s.other else NO_WORDS,
    "other_place": lambda s, _: _other_place(s),
    "provider": lambda s, names: shown(names.get(s.provider or "", "")),
    "username": lambda s, _: s.username,
    "sender": lambda s, _: s.sender,
    "recipient": lambda s, _: s.recipient,
    "server_said": lambda s, _: server_said(s),
}
BLANK_NAMES = frozenset(_FILLERS) | frozenset(_FACTS)
BLANK = re.compile(r"\{([a-z_]+)\}")
_START = re.compile(r"(?:^|[.!?]\s+)$")


class Placeholders:
    """Fills the blanks of templates from one symptom. One pass: what is filled in is never read as a template."""

    def __init__(self, symptom: Symptom, blanks: Mapping[str, str | None], names: Mapping[str, str]) -> None:
        self._symptom = symptom
        self._words = blanks
        self._names = names

    def fill(self, template: str) -> Shown | None:
        """Return the first wording that can be filled, with words that stand in for unknown facts; None if none can."""
        wordings = (self._filled(wording, self._words) for wording in template.split(OR))
        return next((text for text in wordings if text is not None), None)

    def fill_with_facts(self, template: str) -> Shown | None:
        """Return the text; None if it needs any fact that nobody knows."""
        return self._filled(template, {})

    def _filled(self, template: str, stand_ins: Mapping[str, str | None]) -> Shown | None:
        """Fill one wording; None if a fact is unknown and nothing stands in for it."""
        filled: list[Shown] = []
        at = 0
        for blank in BLANK.finditer(template):
            filled.append(own_words(template[at : blank.start()]))
            value = self._fact(blank[1]) or _fitted(stand_ins.get(blank[1]), template[: blank.start()])
            if not value:
                return None
            filled.append(value)
            at = blank.end()
        return join("", [*filled, own_words(template[at:])])

    def _fact(self, name: str) -> Shown:
        known = (
            self._symptom.facts.get(name, NO_WORDS) if name in _FACTS else _FILLERS[name](self._symptom, self._names)
        )
        return cut(known, _LONGEST.get(name, 160))


def own_words(template: str) -> Shown:
    """Return a piece of data/diagnosis.yaml, which is ours and was looked through when it was read."""
    return phrase(template)


OR = " | "
"""Between the wordings of a template: the first of which every blank can be filled is said."""
_LONGEST = {
    "server_said": 500,
    "more": 400,
    "recipient": 320,
    "host": 253,
    "place": 270,
    "other_place": 270,
    "provider": 80,
    "port": 8,
    "named_computer": 270,
    "server_name": 270,
}


def _fitted(words: str | None, before: str) -> Shown:
    """Words that stand in for a fact, with a capital where a sentence begins."""
    if not words:
        return NO_WORDS
    return own_words(words[0].upper() + words[1:] if _START.search(before) else words)


_SPEAKING = frozenset({Fault.REJECTED, Fault.OTHER_PROTOCOL, Fault.GARBLED, Fault.UNSOLICITED, Fault.INJECTED})
"""Faults whose words are the other side's; with the others they are the operating system's."""


def server_said(symptom: Symptom) -> Shown:
    """The server's own words with their codes ('535 5.7.8 Wrong password'); empty when it said nothing."""
    if symptom.code is None and symptom.fault not in _SPEAKING:
        return NO_WORDS
    words = cut(symptom.words)
    parts = [words] if words else []
    if symptom.code is not None and not words.startswith(str(symptom.code)):
        if symptom.enhanced and not words.startswith(symptom.enhanced):
            parts.insert(0, shown(symptom.enhanced))
        parts.insert(0, phrase("{}", symptom.code))
    return cut(join(" ", parts))
