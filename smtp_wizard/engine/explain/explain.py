"""From a pasted error, log or bounce to what a person can do: the text becomes evidence, the best-founded reading of
what decides in it becomes a finding.

Nothing of a pasted text is kept or written, and no password or token of it is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.shown import OUTSIDE_LIMIT, Shown, join, phrase, shown
from smtp_wizard.engine.diagnosis.placeholders import own_words
from smtp_wizard.engine.diagnosis.rule_file import UNKNOWN
from smtp_wizard.engine.explain import answer_confidence
from smtp_wizard.engine.explain.bounce_facts import UnreachedAddress, recipients, with_delivery
from smtp_wizard.engine.explain.deciding_evidence import DecidingEvidence, deciding_evidence, deciding_in_bounce
from smtp_wizard.engine.explain.error_context import AFTER, ErrorContext, StageOrAfter, is_receiving
from smtp_wizard.engine.explain.evidence import Evidence, LineRange, Party, ServerReply
from smtp_wizard.engine.explain.host_owners import HostOwners
from smtp_wizard.engine.explain.interpretations import Guess, Interpretations
from smtp_wizard.engine.explain.pasted_text import (
    NamedHost,
    failed_here,
    local_host,
    named_hosts,
    named_port,
    plain_text,
    without_addresses,
    without_secrets,
)
from smtp_wizard.engine.explain.pieces import Piece, pieces
from smtp_wizard.engine.explain.readers.bounce_signs import LONGEST as LONGEST_LETTER
from smtp_wizard.engine.explain.readers.bounce_signs import may_be_mail
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.symptom import Fault, Hints

if TYPE_CHECKING:
    from smtp_wizard.engine.diagnosis.diagnosis import Diagnosis
    from smtp_wizard.engine.diagnosis.finding import Finding
    from smtp_wizard.engine.diagnosis.patterns import SearchedText
    from smtp_wizard.engine.explain.programs import Programs
    from smtp_wizard.engine.explain.readers.bounces import Bounce
    from smtp_wizard.engine.explain.wordings import Wordings
    from smtp_wizard.engine.providers.catalog import Catalog


@dataclass(frozen=True, slots=True)
class AlternativeCause:
    """Another cause that is nearly as likely."""

    cause: str
    title: Shown
    confidence: float
    tell: Shown
    """What would tell it apart from the first; '' where nobody has said."""


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
    """What it rests on, quoted from the text."""
    alternatives: tuple[AlternativeCause, ...] = ()
    """Other causes that are close, the likeliest first; none where the text is clear."""
    evidence: tuple[Piece, ...] = ()
    """What was read in the text, in its order: who said what, and what became of each attempt or message."""
    recipients: tuple[UnreachedAddress, ...] = ()
    """The addresses that were not reached; none where the text is not about a message."""
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
        self._owners = HostOwners(clues, catalog)
        self._interpretations = Interpretations(diagnosis, clues, self._owners)

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
        deciding, whole = _focused(text, client, stage)
        context = self._context(deciding, whole, stage, settings or Hints(), provider)
        guesses = list(self._interpretations.guesses(context))
        best = max(guesses, key=lambda guess: guess.confidence)
        told = stage or provider or client or context.told.host or context.told.port
        if best.confidence < answer_confidence.NOT_ENOUGH or (
            not told and not self._interpretations.are_about_sending(best, context)
        ):
            best = self._unknown(best, context, whole)
        answer = self._explanation(best, context)
        return replace(
            answer,
            bounced=deciding.bounced,
            alternatives=tuple(self._alternatives(answer, guesses)),
            evidence=pieces(deciding.evidence or tuple(_as_evidence(best, deciding))),
            recipients=tuple(recipients(deciding.evidence, self._catalog)) if deciding.delivery is not None else (),
        )

    def provider_called(self, name: str) -> str | None:
        """Return the id of the provider that people call so, or None."""
        return self._owners.called(name)

    def is_lasting(self, cause: str) -> bool:
        """Whether a cause does not pass by itself, however often a server tries. Raises `KeyError`."""
        return self._diagnosis.is_lasting(cause)

    def _alternatives(self, answer: Explanation, guesses: Sequence[Guess]) -> Iterator[AlternativeCause]:
        """Yield what else it may be: other readings of the text that are close, and causes that look alike."""
        if not 0 < answer.confidence < answer_confidence.WELL_FOUNDED:
            return
        alike = {each.cause: each.tell for each in self._diagnosis.alike(answer.finding.code)}
        clear = answer.confidence >= answer_confidence.CLEAR
        close = sorted(
            (each for each in guesses if each.confidence >= answer_confidence.CLOSE * answer.confidence), key=_unlikely
        )
        others = {
            each.rule.cause: each.confidence
            for each in reversed(close)
            if each.rule is not None and each.rule.cause != UNKNOWN
        }
        told = {answer.cause, answer.finding.code}
        for cause in reversed(others) if clear else (*reversed(others), *alike):
            if self._diagnosis.broadly(cause) not in told and len(told) < _MOST_TOLD:
                told |= {self._diagnosis.broadly(cause), cause}
                tell = own_words(alike.get(cause, ""))
                confidence = others.get(cause, round(answer_confidence.CLOSE * answer.confidence, 2))
                yield AlternativeCause(self._diagnosis.broadly(cause), self._diagnosis.title(cause), confidence, tell)

    # --- what the text says, apart from what went wrong ---

    def _context(
        self, deciding: DecidingEvidence, whole: str, stage: StageOrAfter | None, told: Hints, provider: str | None
    ) -> ErrorContext:
        sought = self._clues.sought(" ".join(deciding.text.split()))
        around = sought if whole == deciding.text else self._clues.sought(" ".join(whole.split()))
        named = list(named_hosts(around.text))
        hints = self._hints(around, named, told, deciding)
        speaker = Party.RECIPIENT if provider and is_receiving(provider) else self._speaker(deciding, hints)
        ours = speaker is None or speaker is Party.OWN
        return ErrorContext(
            text=deciding.text,
            sought=sought,
            stage=_stage(stage, deciding),
            told_stage=stage is not None,
            told=told,
            hints=hints,
            provider=self._provider(provider, told.host, named, around) if ours else None,
            speaker=speaker,
            seen=self._clues.sign(sought),
            on_known_server=self._owners.knows(hints.host),
            delivery=deciding.delivery,
            bounced=deciding.bounced,
            sent_by=self._owners.of(deciding.delivery.reporter) if deciding.delivery is not None else None,
            certain=deciding.certain,
            answered=deciding.answered,
            accepted=deciding.accepted,
            by_server=_OF_EXIM.search(whole) is not None,
            now_and_then=self._clues.tells_of_success_too(around),
            token_without_user=self._clues.names_no_user(around),
            happened=deciding.happened,
            lacking=deciding.lacking,
            gave_up=deciding.gave_up,
            unsigned=deciding.unsigned,
        )

    def _speaker(self, deciding: DecidingEvidence, hints: Hints) -> Party | None:
        """Return who spoke. A server for submission is one's own, wherever a report says that it refused."""
        if (
            deciding.speaker is Party.RECIPIENT
            and deciding.host.startswith(_HANDED_IN)
            and self._owners.of(deciding.host)
        ):
            return Party.OWN
        return deciding.speaker

    def _hints(
        self, sought: SearchedText, named: Sequence[NamedHost], told: Hints, deciding: DecidingEvidence
    ) -> Hints:
        """Fill in from the text what nobody told about the endpoint."""
        first = self._first_server(named)
        security = told.security or deciding.security or self._clues.security(sought)
        if security is None and first is not None and first.scheme in {"ssl", "smtps"}:
            security = Security.TLS
        if (here := failed_here(sought.text)) is not None:
            first = here
        port = (
            told.port or deciding.port or (first.port if first is not None and first.port else named_port(sought.text))
        )
        host = told.host or deciding.host or (first.host if first is not None else local_host(sought.text))
        return Hints(host=shown(host), port=port, security=security, auth=told.auth or self._clues.auth(sought))

    def _first_server(self, named: Sequence[NamedHost]) -> NamedHost | None:
        """Return the host of a text that is a server: the first with a port, else the first of a scheme or provider."""
        servers = [each for each in named if each.port or each.scheme or self._owners.of(each.host)]
        return next((each for each in servers if each.port), servers[0] if servers else None)

    def _provider(self, told: str | None, host: str, named: Sequence[NamedHost], sought: SearchedText) -> str | None:
        """Return the provider: as told, by the host, by a host in the text, by phrases in it."""
        if told and (known := self.provider_called(told)):
            return known
        if host and (known := self._owners.of(host.strip().lower())):
            return known
        if known := self._owners.first(named):
            return known
        nameless = without_addresses(sought.text)
        return self._clues.speaks_of(sought if nameless == sought.text else self._clues.sought(nameless))

    # --- what is said about it ---

    def _unknown(self, best: Guess, context: ErrorContext, whole: str) -> Guess:
        """Return what can be said where nothing is known: what a server said, or how to make a program say more."""
        if best.symptom.code is not None or best.symptom.enhanced or context.returned is not None:
            rule = best.rule if best.rule is not None and best.rule.cause == UNKNOWN else None
            return replace(best, rule=rule, quote="", confidence=0.0)
        program = self._programs.named_in(whole)
        facts = {**best.symptom.facts, "reading": phrase("hidden" if program is not None else "nothing")}
        if program is not None:
            facts |= {"program": shown(program.name), "more": shown(program.more)}
        symptom = replace(best.symptom, facts=facts)
        rule = self._diagnosis.rule_for(symptom)
        return replace(best, symptom=symptom, said="", rule=rule, quote="", confidence=0.0)

    @cached_property
    def _programs(self) -> Programs:
        """Read for the first text that says nothing."""
        from smtp_wizard.engine.explain.programs import load_programs

        return load_programs()

    def _explanation(self, guess: Guess, context: ErrorContext) -> Explanation:
        said = guess.said if _is_said_by_server(guess, context) else ""
        # What a rule took for likely (no encryption) is not told as a fact.
        quoted = replace(guess.symptom, hints=context.hints, words=shown(without_secrets(said[: 2 * OUTSIDE_LIMIT])))
        if context.returned is not None:
            quoted = with_delivery(quoted, context.returned, self._catalog)
        finding = self._diagnosis.write(guess.rule, quoted)
        known = guess.rule is not None and guess.confidence > 0
        cause = (finding.broadly or finding.code) if known else UNKNOWN
        return Explanation(
            cause=cause,
            finding=finding,
            confidence=guess.confidence if known else 0.0,
            matched=tuple(_evidence(guess, context)) if known else (),
            provider=context.provider,
        )


def _is_said_by_server(guess: Guess, context: ErrorContext) -> bool:
    """Whether the words of a guess may be told as a server's; those of a person around an error are not."""
    spoken = guess.symptom.code is not None or guess.symptom.enhanced is not None
    return spoken or guess.symptom.fault is not Fault.REJECTED or context.certain or context.returned is not None


_ENCODED = re.compile(
    r"(?:^|\n)[ \t>]{0,20}[A-Za-z0-9+/]{60,200}={0,2}[ \t\r]{0,4}\n|=\r?\n|334 eyJ|<(?:style|script|table|body)\b",
    re.IGNORECASE,
)


def _in_clear(text: str) -> str:
    """Return a text with what is encoded in it in clear. The reader is loaded where there are signs of it."""
    if _ENCODED.search(text, 0, LONGEST_LETTER) is None:
        return text
    from smtp_wizard.engine.explain.readers.encoded_text import in_clear

    return in_clear(text[:LONGEST_LETTER].replace("\r\n", "\n")) + text[LONGEST_LETTER:]


def _focused(text: str, client: str | None, stage: StageOrAfter | None = None) -> tuple[DecidingEvidence, str]:
    """Return what decides in a text, and the whole of it as far as it tells of hosts, ports and programs."""
    text = _in_clear(text)
    bounce, text = _as_mail(text)
    plain = "" if bounce is not None else plain_text(f"{client}: {text}" if client else text)
    if bounce is None and "\\n" in text:
        bounce, _ = _as_mail(plain)
    if bounce is not None:
        deciding = deciding_in_bounce(replace(bounce, text=plain_text(bounce.text)))
        return deciding, deciding.text
    deciding = deciding_evidence(plain)
    if stage == AFTER and deciding.delivery is None and not deciding.certain:
        from smtp_wizard.engine.explain.readers.bounces import read_told

        told = deciding_in_bounce(replace(read_told(plain), text=deciding.text), told=True)
        return told, deciding.text
    return deciding, plain if deciding.certain else deciding.text


def _as_mail(text: str) -> tuple[Bounce | None, str]:
    """Return a bounce, or the words of a letter that is none. What reads them is loaded for what may be mail."""
    if not may_be_mail(text):
        return None, text
    from smtp_wizard.engine.explain.readers.bounces import read_bounce, words_of_letter

    bounce = read_bounce(text)
    letter = words_of_letter(text) if bounce is None else None
    return bounce, text if letter is None else letter


def _stage(told: StageOrAfter | None, deciding: DecidingEvidence) -> StageOrAfter | None:
    """Return the stage as told; what came back later was refused at a stage that the text may know better."""
    if told is None or told == AFTER:
        return deciding.stage or told or (AFTER if deciding.bounced else None)
    return told


_HANDED_IN = ("smtp.", "smtp-", "mail.", "send.", "relay.", "submission.", "smtps.", "out.", "outgoing.")
"""How the names of servers begin that a person hands mail in to (RFC 6186 leaves them free)."""
_OF_EXIM = re.compile(r"SMTP(?:<<|>>)")
"""How Exim writes a session of its own with another server."""
_QUOTE = 80
_MOST_TOLD = 5
"""Names of causes: the first one's two, and those of two others."""


def _as_evidence(guess: Guess, deciding: DecidingEvidence) -> Iterator[Evidence]:
    """Yield the reply that an answer rests on, where no reader knew the way of writing."""
    if guess.symptom.code is None:
        return
    at = deciding.text.find(str(guess.symptom.code))
    line = deciding.text.count("\n", 0, max(at, 0)) + 1
    yield ServerReply(
        code=guess.symptom.code,
        enhanced=guess.symptom.enhanced,
        words=guess.said[:OUTSIDE_LIMIT],
        lines=LineRange(line, line),
    )


def _unlikely(guess: Guess) -> float:
    return -guess.confidence


def _evidence(guess: Guess, context: ErrorContext) -> Iterator[Shown]:
    """Yield what an answer rests on."""
    symptom = guess.symptom
    conditions = guess.rule.conditions if guess.rule else frozenset()
    if symptom.code is not None or symptom.enhanced:
        codes = (phrase("{}", symptom.code) if symptom.code else None, shown(symptom.enhanced or ""))
        yield join(" ", [phrase("reply"), *filter(None, codes)])
    if symptom.fault is not Fault.REJECTED:
        yield phrase("fault {}", symptom.tls or symptom.fault)
        if context.seen is not None:
            yield phrase("words: {}", shown(without_secrets(context.seen.words), _QUOTE))
    if guess.quote:
        yield phrase("words: {}", shown(without_secrets(guess.quote), _QUOTE))
    if symptom.provider and "provider" in conditions:
        yield phrase("provider {}", shown(symptom.provider))
    if "stage" in conditions and context.stage is not None:
        yield phrase("stage {}", shown(context.stage))
    if symptom.port and "port" in conditions:
        yield phrase("port {}", symptom.port)
    if symptom.security and "security" in conditions:
        yield phrase("security {}", symptom.security)
