"""From a pasted error, log or bounce to what a person can do: the text becomes symptoms, the best-founded one decides.

Nothing of a pasted text is kept or written, and what is quoted from it has no address, host or secret in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.shown import NO_WORDS, OUTSIDE_LIMIT, Shown, join, phrase, shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.diagnosis.rule_file import UNKNOWN
from smtp_wizard.engine.explain.bounces import read_bounce
from smtp_wizard.engine.explain.pasted_text import (
    NamedHost,
    QuotedReply,
    bare_enhanced,
    find_replies,
    local_host,
    masked,
    named_hosts,
    named_port,
    plain_text,
    without_addresses,
)
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.provider import ProviderKind
from smtp_wizard.engine.smtp.symptom import Fault, Hints, Symptom, TlsFault

if TYPE_CHECKING:
    from smtp_wizard.engine.diagnosis.diagnosis import Diagnosis
    from smtp_wizard.engine.diagnosis.finding import Finding
    from smtp_wizard.engine.diagnosis.patterns import SearchedText
    from smtp_wizard.engine.diagnosis.rules import Rule
    from smtp_wizard.engine.explain.wordings import SignSeen, Wordings
    from smtp_wizard.engine.providers.catalog import Catalog

AFTER: Final = "after"
"""The stage of what comes back later, as a bounce."""
StageOrAfter = Stage | Literal["after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a pasted text comes down to."""

    cause: str
    """Id of one of the main causes, or 'unknown'."""
    finding: Finding
    """The same in words; its code may name a special case of the cause."""
    confidence: float
    """From 0 to 1: how well founded it is."""
    matched: tuple[Shown, ...]
    """What it rests on, quoted from the text; whose mail it was is hidden."""
    bounced: bool = False
    """Whether the text is mail that came back, or a part of it."""
    provider: str | None = None
    """The id of the provider whose server spoke; None where that is not known, or is the recipient's."""


class Explainer:
    """Explains texts. Built once, for any number of them; nothing of a text stays in it."""

    def __init__(self, diagnosis: Diagnosis, clues: Wordings, catalog: Catalog) -> None:
        self._diagnosis = diagnosis
        self._clues = clues
        self._catalog = catalog

    @cached_property
    def _directories(self) -> tuple[dict[str, str], dict[str, str]]:
        """Who is meant by a name, and whose a host is."""
        return _directories(self._clues, self._catalog)

    def explain_text(
        self,
        text: str,
        *,
        stage: StageOrAfter | None = None,
        settings: Hints | None = None,
        provider: str | None = None,
        client: str | None = None,
    ) -> Explanation:
        """Say what a pasted text means. Total: what nobody knows is called unknown, with what to try.

        `stage`, `settings`, `provider` (its id, or what people call it) and `client` (the program that reported it)
        are believed where they are given, and read from the text where they are not.
        """
        bounce = read_bounce(text)
        if bounce is not None:
            text, stage = bounce.text, stage or AFTER
        plain = plain_text(f"{client}: {text}" if client else text)
        scene = self._scene(plain, stage, settings or Hints(), provider)
        best = max(self._guesses(scene), key=lambda guess: guess.confidence)
        if best.confidence < _NOT_ENOUGH:
            best = replace(best, rule=None, quote="", confidence=0.0)
        return replace(self._explanation(best, scene), bounced=bounce is not None)

    def provider_called(self, name: str) -> str | None:
        """Return the id of the provider that people call so, or None."""
        by_name, by_host = self._directories
        return by_name.get(_bare(name)) or by_host.get(name.strip().lower())

    # --- what the text says, apart from what went wrong ---

    def _scene(self, plain: str, stage: StageOrAfter | None, told: Hints, provider: str | None) -> _Scene:
        sought = self._clues.sought(" ".join(plain.split()))
        receiving = bool(provider and _RECEIVING.search(provider))
        named = list(named_hosts(sought.text))
        hints = self._hints(sought, named, told)
        known = None if receiving else self._provider(provider, told.host, named, sought)
        return _Scene(
            text=plain,
            sought=sought,
            stage=stage,
            told=told,
            hints=hints,
            provider=known,
            receiving=receiving,
            seen=self._clues.sign(sought),
            on_known_server=hints.host.count(".") > 1 and hints.host in self._directories[1],
        )

    def _hints(self, sought: SearchedText, named: Sequence[NamedHost], told: Hints) -> Hints:
        """Fill in from the text what nobody told about the endpoint."""
        servers = [each for each in named if each.port or each.scheme or self._owner(each.host)]
        first = next((each for each in servers if each.port), servers[0] if servers else None)
        security = told.security or self._clues.security(sought)
        if security is None and first is not None and first.scheme in {"ssl", "smtps"}:
            security = Security.TLS
        port = told.port or (first.port if first is not None and first.port else named_port(sought.text))
        host = told.host or (first.host if first is not None else local_host(sought.text))
        return Hints(host=shown(host), port=port, security=security, auth=told.auth or self._clues.auth(sought))

    def _provider(self, told: str | None, host: str, named: Sequence[NamedHost], sought: SearchedText) -> str | None:
        """Return the provider: as told, by the host, by a host in the text, by phrases in it."""
        if told and (known := self.provider_called(told)):
            return known
        if host and (known := self._owner(host.strip().lower())):
            return known
        for each in named:
            if known := self._owner(each.host):
                return known
        nameless = without_addresses(sought.text)
        return self._clues.speaks_of(sought if nameless == sought.text else self._clues.sought(nameless))

    def _owner(self, host: str) -> str | None:
        """Return whose server it is, by the longest known ending of its name."""
        by_host = self._directories[1]
        while host:
            if host in by_host:
                return by_host[host]
            host = host.partition(".")[2]
        return None

    # --- what went wrong, in several readings ---

    def _guesses(self, scene: _Scene) -> Iterator[_Guess]:
        """Yield the readings of a text, the most obvious first, until one is well founded."""
        yield _Guess(_symptom(scene, Fault.REJECTED, scene.stages), "", None, "", 0.0)
        reply = self._reply(scene)
        best = 0.0
        for reading in self._readings(scene, reply):
            guess = self._guess(reading)
            best = max(best, guess.confidence)
            yield guess
            if best >= _WELL_FOUNDED:
                return
        if best < _DOUBTFUL:
            for reading in self._readings(replace(scene, stage=None), reply):
                yield self._guess(replace(reading, weight=reading.weight * _STAGE_MISFITS))

    def _readings(self, scene: _Scene, reply: QuotedReply | None) -> Iterator[_Reading]:
        seen = scene.seen
        if seen is not None and (seen.sign.decides or reply is None or reply.sure == 0):
            yield self._by_sign(scene, seen)
        if reply is not None:
            stages = self._stages(scene, reply.code, reply.words)
            symptom = replace(_symptom(scene, Fault.REJECTED, stages), code=reply.code, enhanced=reply.enhanced)
            yield _Reading(symptom, reply.words, (0.85, 0.95, 1.0)[reply.sure])
            yield _Reading(symptom, _around(scene.text, reply.at), 0.8)
        else:
            enhanced = bare_enhanced(scene.text)
            stages = self._stages(scene, None, scene.text)
            symptom = replace(_symptom(scene, Fault.REJECTED, stages), enhanced=enhanced[0] if enhanced else None)
            yield _Reading(symptom, scene.text[:_WINDOW], 1.0 if enhanced else 0.9)

    def _by_sign(self, scene: _Scene, seen: SignSeen) -> _Reading:
        """Return the reading that a sign stands for."""
        sign = seen.sign
        told = scene.stage is not None and scene.stage != AFTER
        stages = scene.stages if told else frozenset({sign.stage or Stage.CONNECT})
        if scene.stage == AFTER and sign.stage not in _SECURING:
            stages |= scene.stages
        hints = scene.hints
        if Stage.GREETING in stages and hints.security is None:
            # A client that waits for a greeting, and says nothing of encryption, waits for it in clear text.
            hints = replace(hints, security=Security.NONE)
        if Stage.GREETING in stages and hints.security is Security.TLS and not told:
            stages |= {Stage.TLS}
        # What another protocol says is known by how it begins.
        flat = scene.sought.text
        words = flat[seen.at :][:_WINDOW] if sign.fault is Fault.OTHER_PROTOCOL else _around(flat, seen.at)
        facts: dict[str, Shown] = {}
        if sign.fault is Fault.TLS_FAILED:
            facts["issuers"] = shown(words, 2 * _WINDOW)
            if sign.tls is TlsFault.WRONG_NAME and self._is_of_a_stranger(scene, words):
                facts["certificate_of"] = phrase("stranger")
        symptom = _symptom(scene, sign.fault, stages)
        known = {**symptom.facts, **facts}
        symptom = replace(symptom, tls=sign.tls, lacking=sign.lacking, hints=hints, facts=known)
        return _Reading(symptom, words, 0.6 if sign.weak else 1.0)

    def _is_of_a_stranger(self, scene: _Scene, words: str) -> bool:
        """Whether a server that everybody knows was asked for, and names come up that are not of its house."""
        names = {each.host for each in named_hosts(words)}
        asked = scene.told.host.lower() or next((each for each in names if self._owner(each)), "")
        house = self._owner(asked)
        others = names - {asked}
        return house is not None and bool(others) and not any(self._owner(each) for each in others)

    def _guess(self, reading: _Reading) -> _Guess:
        symptom, said, weight = reading.symptom, reading.said, reading.weight
        rule, quote = self._diagnosis.decide(symptom, said)
        likely = symptom.stages & _LIKELY
        if rule is not None and not rule.conditions & {"words", "enhanced"} and likely and likely != symptom.stages:
            # A bare code decides by the stage. Where that is open, let it be one of those in which most refusals are.
            symptom = replace(symptom, stages=likely)
            rule, quote = self._diagnosis.decide(symptom, said)
        founded = _how_well_founded(rule)
        if founded == _BY_CODE and rule is not None and self._words_say(rule.cause, replace(reading, symptom=symptom)):
            founded = _BY_CODE_AND_WORDS
        elif founded == _BY_CODE and weight < _LOOKS_LIKE_A_REPLY:
            founded /= 2
        founded *= weight
        if len(symptom.stages) > 1:
            founded *= 0.97
        return _Guess(symptom, said, rule, quote, round(founded, 2))

    def _words_say(self, cause: str, reading: _Reading) -> bool:
        """Whether the words alone lead to the same cause as the code."""
        rule, quote = self._diagnosis.decide(replace(reading.symptom, code=None, enhanced=None), reading.said)
        return bool(quote) and rule is not None and rule.cause == cause

    def _reply(self, scene: _Scene) -> QuotedReply | None:
        """Return the reply that tells most: written as replies are, no mere "what?", the first of those."""
        replies = find_replies(scene.text)
        put = self._clues.code(scene.sought)
        if put is not None and not any(each.sure for each in replies):
            code, found = put
            rest = scene.sought.text[found.end() : found.end() + _WINDOW]
            enhanced = bare_enhanced(rest)
            return QuotedReply(code, enhanced[0] if enhanced else None, " ".join(rest.split()), found.start(), 1)
        return max(replies, key=lambda each: (each.code not in _NO_SUCH_COMMAND, each.sure), default=None)

    def _stages(self, scene: _Scene, code: int | None, words: str) -> frozenset[Stage]:
        """Return the stages in which it may have been."""
        if scene.stage is not None:
            return scene.stages
        if code in _SIGNING_IN:
            return frozenset({Stage.AUTH})
        named = self._clues.stages(scene.sought)
        if named:
            return named
        return _TALKING | {Stage.AUTH} if code is None or _ABOUT_SIGNING_IN.search(words) else _TALKING

    # --- what is said about it ---

    def _explanation(self, guess: _Guess, scene: _Scene) -> Explanation:
        quoted = replace(
            guess.symptom,
            words=shown(masked(guess.said[: 2 * OUTSIDE_LIMIT], self._is_public)),
            hints=replace(guess.symptom.hints, host=self._shown_host(scene)),
        )
        finding = self._diagnosis.write(guess.rule, quoted)
        known = finding.code != UNKNOWN
        return Explanation(
            cause=finding.broadly if known else UNKNOWN,
            finding=finding,
            confidence=guess.confidence if known else 0.0,
            matched=tuple(self._evidence(guess, scene)) if known else (),
            provider=scene.provider,
        )

    def _shown_host(self, scene: _Scene) -> Shown:
        host = scene.hints.host
        return host if host == scene.told.host or self._is_public(host) else NO_WORDS

    def _is_public(self, host: str) -> bool:
        """Whether a host is one of the servers that everybody uses, so that its name says nothing about a person."""
        return self._owner(host.lower()) is not None

    def _evidence(self, guess: _Guess, scene: _Scene) -> Iterator[Shown]:
        symptom = guess.symptom
        conditions = guess.rule.conditions if guess.rule else frozenset()
        if symptom.code is not None or symptom.enhanced:
            codes = (phrase("{}", symptom.code) if symptom.code else None, shown(symptom.enhanced or ""))
            yield join(" ", [phrase("reply"), *filter(None, codes)])
        if symptom.fault is not Fault.REJECTED:
            yield phrase("fault {}", symptom.tls or symptom.fault)
            if scene.seen is not None:
                yield phrase("words: {}", shown(masked(scene.seen.words, self._is_public), _QUOTE))
        if guess.quote:
            yield phrase("words: {}", shown(masked(guess.quote, self._is_public), _QUOTE))
        if symptom.provider and "provider" in conditions:
            yield phrase("provider {}", shown(symptom.provider))
        if "stage" in conditions and scene.stage is not None:
            yield phrase("stage {}", shown(scene.stage))
        if symptom.port and "port" in conditions:
            yield phrase("port {}", symptom.port)
        if symptom.security and "security" in conditions:
            yield phrase("security {}", symptom.security)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """All that is known beside what went wrong."""

    text: str
    """The plain text, with its lines."""
    sought: SearchedText
    """The same on one line, since whatever wrapped it knew nothing of sentences."""
    stage: StageOrAfter | None
    told: Hints
    hints: Hints
    provider: str | None
    receiving: bool
    """The server is the recipient's, not the one that the person sends through."""
    on_known_server: bool
    """The server is one of those that a provider has."""
    seen: SignSeen | None
    """What happened, where a program or a system says so."""

    @property
    def stages(self) -> frozenset[Stage]:
        """The stages that it may have been in, by what was told alone."""
        if self.stage is None:
            return frozenset(Stage)
        return _AFTERWARDS if self.stage == AFTER else frozenset({Stage(self.stage)})


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a text may say went wrong."""

    symptom: Symptom
    """Without words: those of the text are masked before they are made fit to be shown, so that no character that
    cannot be seen keeps an address from being known."""
    said: str
    """The words, as they stand in the text."""
    weight: float
    """How well it goes with the text."""


@dataclass(frozen=True, slots=True)
class _Guess:
    """One reading of a text, and the rule that it leads to."""

    symptom: Symptom
    said: str
    rule: Rule | None
    quote: str
    confidence: float


_WELL_FOUNDED = 0.9
"""No other reading is asked for then."""
_NOT_ENOUGH = 0.25
"""Below it nothing is claimed."""
_LOOKS_LIKE_A_REPLY = 0.9
_DOUBTFUL = 0.5
"""Below it the stage that was told is doubted."""
_STAGE_MISFITS = 0.7
_BY_STAGE = 0.3
_BY_CODE = 0.5
_BY_CODE_AND_WORDS = 0.9
_WINDOW = 2000
_QUOTE = 80
_NO_SUCH_COMMAND = frozenset({500, 502})
_SIGNING_IN = frozenset({432, 454, 524, 525, 534, 535, 538})
"""Codes of signing in (RFC 4954 section 6, RFC 5248)."""
_ABOUT_SIGNING_IN = re.compile(r"auth(?!or)|log[ -]?[io]n|passw|credential|sign[ -]?in|user ?name|SASL", re.IGNORECASE)
_LIKELY = frozenset({Stage.MAIL, Stage.RCPT, Stage.DATA})
_TALKING = frozenset({Stage.GREETING, Stage.EHLO, Stage.MAIL, Stage.RCPT, Stage.DATA})
_SECURING = frozenset({Stage.TLS, Stage.STARTTLS})
_AFTERWARDS = frozenset({Stage.GREETING, Stage.EHLO, Stage.MAIL, Stage.RCPT, Stage.DATA})
_RECEIVING = re.compile(r"[-_ ]mx$", re.IGNORECASE)


def _symptom(scene: _Scene, fault: Fault, stages: frozenset[Stage]) -> Symptom:
    first = next(stage for stage in Stage if stage in stages)
    facts = {"side": phrase("receiving")} if scene.receiving else {}
    if scene.stage is not None and scene.stage != AFTER:
        facts["stage_is"] = phrase("told")
    if scene.on_known_server:
        facts["host_of"] = phrase("provider")
    hints, provider = scene.hints, scene.provider
    return Symptom(stage=first, fault=fault, stages=stages, hints=hints, provider=provider, facts=facts)


def _around(text: str, at: int) -> str:
    """Return the part of a text around a place, of the length that patterns look at."""
    start = max(0, min(at - _WINDOW // 3, len(text) - _WINDOW))
    return text[start : start + _WINDOW]


def _how_well_founded(rule: Rule | None) -> float:
    """Return how far a rule can be trusted, by how much of a symptom it looks at."""
    if rule is None or rule.cause == UNKNOWN:
        return 0.05
    asks = rule.conditions
    if "stage_is" in asks:
        return _BY_STAGE
    if "words" in asks:
        return 0.96 if asks & {"provider", "code", "enhanced", "tls"} else 0.92
    if asks & {"tls", "lacking"}:
        return 0.92
    if "enhanced" in asks or ("code" in asks and "provider" in asks):
        return 0.75
    return _BY_CODE if "code" in asks else 0.85


def _bare(name: str) -> str:
    return re.sub(r"[^\w]+", "", name.casefold())


def _directories(clues: Wordings, catalog: Catalog) -> tuple[dict[str, str], dict[str, str]]:
    """Return who is meant by a name, and whose a host is."""
    names: dict[str, str] = {}
    hosts: dict[str, str] = {}

    def enter(provider: str, called: Iterable[str], endings: Iterable[str]) -> None:
        for each in called:
            names.setdefault(_bare(each), provider)
        for each in endings:
            if not local_host(each):  # a program on the person's own computer stands in for some
                hosts.setdefault(each.lower().removeprefix("*."), provider)

    for service in clues.services:
        enter(service.id, (service.id, *service.called), service.hosts)
    for provider in catalog.providers:
        if provider.kind not in {ProviderKind.CUSTOM, ProviderKind.SANDBOX}:
            called = (provider.id, provider.name, *provider.other_names)
            enter(provider.id, called, (*provider.hosts, *provider.domains, *provider.mx))
    return names, hosts
