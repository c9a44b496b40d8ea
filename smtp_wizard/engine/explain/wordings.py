"""How programs, libraries and systems word a failure: data/wordings.yaml, read and ready to be asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.base.strict_yaml import Node, YamlDocument
from smtp_wizard.engine.diagnosis.patterns import PatternIndex, Patterns, Pieces, SearchedText
from smtp_wizard.engine.diagnosis.rules import read_patterns
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.symptom import Fault, TlsFault

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What happened, in the words of the program that noticed it."""

    fault: Fault
    stage: Stage | None
    tls: TlsFault | None
    lacking: str
    weak: bool
    """The words leave much open."""
    decides: bool
    """It says more than a reply that stands in the same text."""
    words: Patterns


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How a provider is met in reports."""

    id: str
    called: tuple[str, ...]
    hosts: tuple[str, ...]
    words: Patterns


class SubjectMatter(StrEnum):
    """What a text speaks of."""

    MAIL = "mail"
    NETWORK = "network"
    TROUBLE = "trouble"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SignSeen:
    """A sign, and the words by which it was seen."""

    sign: Sign
    words: str
    at: int


class Wordings:
    """All that data/wordings.yaml knows. Built once, by `load_wordings`; never changes."""

    def __init__(
        self,
        services: Iterable[Service],
        about: Iterable[tuple[SubjectMatter, Patterns]],
        noise: Patterns,
        signs: Iterable[Sign],
        codes: Iterable[tuple[int, Patterns]],
        stages: Iterable[tuple[Stage, Patterns]],
        security: Iterable[tuple[Security, Patterns]],
        auth: Iterable[tuple[Auth, Patterns]],
        token: Patterns,
        now_and_then: Patterns,
    ) -> None:
        self.services = tuple(services)
        self._about = dict(about)
        self._noise = noise
        self._signs = tuple(signs)
        self._sign_guides = PatternIndex((sign, sign.words) for sign in self._signs)
        self._service_guides = PatternIndex((service, service.words) for service in self.services)
        self._codes = tuple(codes)
        self._stages = tuple(stages)
        self._security = tuple(security)
        self._auth = tuple(auth)
        self._token = token
        self._now_and_then = now_and_then
        patterns = (
            noise,
            token,
            now_and_then,
            *self._about.values(),
            *(service.words for service in self.services),
            *(sign.words for sign in self._signs),
            *(patterns for _, patterns in (*self._codes, *self._stages, *self._security, *self._auth)),
        )
        self._pieces = Pieces(frozenset().union(*(each.pieces for each in patterns)))

    def sought(self, text: str) -> SearchedText:
        """Return the text ready to be asked, without the noise."""
        sought = SearchedText(text, self._pieces)
        return sought if self._noise.search(sought) is None else SearchedText(self._noise.taken_out(text), self._pieces)

    def is_about_sending(self, sought: SearchedText, *, technical: bool) -> bool:
        """Whether a text speaks of trouble with sending mail, so that a word of it can say which.

        `technical`: a program or a system has been recognised, whose words need not name mail.
        """
        text = sought.text
        if self._speaks_of(sought, SubjectMatter.OTHER) and "@" not in text:
            return False
        if technical and len(text.split()) <= _SAID_IN_SHORT:
            return True
        of_sending = self._speaks_of(sought, SubjectMatter.NETWORK, SubjectMatter.MAIL)
        return of_sending and (technical or self._speaks_of(sought, SubjectMatter.TROUBLE))

    def _speaks_of(self, sought: SearchedText, *topics: SubjectMatter) -> bool:
        return any(self._about[topic].search(sought) is not None for topic in topics)

    def sign(self, text: SearchedText) -> SignSeen | None:
        """Return what happened, or None where nothing says so."""
        for sign in self._sign_guides.worth_asking(text):
            found = sign.words.search(text)
            if found is not None:
                return SignSeen(sign, found[0], found.start())
        return None

    def code(self, text: SearchedText) -> tuple[int, re.Match[str]] | None:
        """Return the code for which a library has put words, and where they stand."""
        return _first(self._codes, text)

    def stages(self, text: SearchedText) -> frozenset[Stage]:
        """Return the stages that the text speaks of."""
        return frozenset(stage for stage, patterns in self._stages if patterns.search(text) is not None)

    def security(self, text: SearchedText) -> Security | None:
        """Return how the connection was made, where the text says so."""
        found = _first(self._security, text)
        return found[0] if found else None

    def auth(self, text: SearchedText) -> Auth | None:
        """Return how somebody signed in, where the text says so."""
        found = _first(self._auth, text)
        return found[0] if found else None

    def tells_of_success_too(self, text: SearchedText) -> bool:
        """Whether somebody says that the same thing works at other times."""
        return self._now_and_then.search(text) is not None

    def names_no_user(self, text: SearchedText) -> bool:
        """Whether somebody tells of a token that an application got by itself (RFC 6749 section 4.4)."""
        return self._token.search(text) is not None

    def speaks_of(self, text: SearchedText) -> str | None:
        """Return the provider whose phrases stand in the text: the one that is named first."""
        likely = self._service_guides.worth_asking(text)
        named = [(found.start(), each.id) for each in likely if (found := each.words.search(text)) is not None]
        return min(named)[1] if named else None


_SAID_IN_SHORT = 5
"""So few words need not say what they are about: whoever pastes 'timed out' has a reason."""


def _first(known: Iterable[tuple[T, Patterns]], text: SearchedText) -> tuple[T, re.Match[str]] | None:
    for what, patterns in known:
        found = patterns.search(text)
        if found is not None:
            return what, found
    return None


def load_wordings(path: Path | None = None) -> Wordings:
    """Read the clues. Raises `DataError` with file, line and column."""
    return YamlDocument(path or data_path("wordings.yaml")).root.read(_read)


def _read(node: Node) -> Wordings:
    if node.whole("schema") != 1:
        raise node.error("schema", "is not known here")
    return Wordings(
        services=_all(node, "providers", _service),
        about=_all(node, "about", lambda each: (each.choice("topic", SubjectMatter), read_patterns(each, "words"))),
        noise=read_patterns(node, "noise"),
        signs=_all(node, "signs", _sign),
        codes=_all(node, "codes", lambda each: (each.whole("code"), read_patterns(each, "words"))),
        stages=_all(node, "stages", lambda each: (each.choice("stage", Stage), read_patterns(each, "words"))),
        auth=_all(node, "auth", lambda each: (each.choice("auth", Auth), read_patterns(each, "words"))),
        token=read_patterns(node, "application_token"),
        now_and_then=read_patterns(node, "now_and_then"),
        security=_all(node, "security", lambda each: (each.choice("security", Security), read_patterns(each, "words"))),
    )


def _all(node: Node, key: str, read: Callable[[Node], T]) -> Iterator[T]:
    return (child.read(read) for child in node.children(key))


def _sign(node: Node) -> Sign:
    return Sign(
        fault=node.choice("fault", Fault),
        stage=node.choice("stage", Stage) if node.has("stage") else None,
        tls=node.choice("tls", TlsFault) if node.has("tls") else None,
        lacking=node.maybe_text("lacking") or "",
        weak=node.flag("weak", False),
        decides=node.flag("decides", False),
        words=read_patterns(node, "words"),
    )


def _service(node: Node) -> Service:
    return Service(
        id=node.text("id"),
        called=node.texts("called"),
        hosts=node.texts("hosts"),
        words=read_patterns(node, "words") if node.texts("words") else Patterns(()),
    )
