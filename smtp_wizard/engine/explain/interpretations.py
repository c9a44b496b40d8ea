"""The interpretations of a text, as symptoms of what may have gone wrong, and the rule that each leads to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.explain import answer_confidence
from smtp_wizard.engine.explain.error_context import AFTER, ErrorContext
from smtp_wizard.engine.explain.pasted_text import QuotedReply, bare_enhanced, find_replies, named_hosts
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.symptom import Fault, Symptom, TlsFault

if TYPE_CHECKING:
    from smtp_wizard.engine.diagnosis.diagnosis import Diagnosis
    from smtp_wizard.engine.diagnosis.rules import Rule
    from smtp_wizard.engine.explain.host_owners import HostOwners
    from smtp_wizard.engine.explain.readers.fixed_texts import FixedTexts
    from smtp_wizard.engine.explain.wordings import Sign, SignSeen, Wordings


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What a text may say went wrong."""

    symptom: Symptom
    """Without words: secrets are taken out of those of the text before they are made fit to be shown, so that no
    character that cannot be seen keeps one from being known."""
    said: str
    """The words, as they stand in the text."""
    weight: float
    """How well it goes with the text."""


@dataclass(frozen=True, slots=True)
class Guess:
    """One reading of a text, and the rule that it leads to."""

    symptom: Symptom
    said: str
    rule: Rule | None
    quote: str
    confidence: float


class Interpretations:
    """Reads scenes. Built once; nothing of a text stays in it."""

    def __init__(self, diagnosis: Diagnosis, clues: Wordings, owners: HostOwners) -> None:
        self._diagnosis = diagnosis
        self._clues = clues
        self._owners = owners

    @cached_property
    def _fixed_texts(self) -> FixedTexts:
        """Read for the first text of which nothing else is clear."""
        from smtp_wizard.engine.explain.readers.fixed_texts import load_fixed_texts

        return load_fixed_texts()

    def guesses(self, context: ErrorContext) -> Iterator[Guess]:
        """Yield the readings of a context, the most obvious first, until one is well founded."""
        yield Guess(context.symptom(Fault.REJECTED, context.stages), "", None, "", 0.0)
        if context.accepted:
            yield self._guess(Interpretation(context.symptom(Fault.REJECTED, context.stages), "", 1.0))
            return
        if context.gave_up:
            symptom = context.symptom(Fault.REJECTED, context.stages, {"reading": phrase("gave-up")})
            yield self._guess(Interpretation(symptom, "", answer_confidence.FROM_SILENCE))
        reply = self._reply(context)
        best = 0.0
        for reading in self._interpretations(context, reply):
            guess = self._guess(reading)
            best = max(best, guess.confidence)
            yield guess
            if best >= answer_confidence.WELL_FOUNDED:
                return
        if best < answer_confidence.DOUBTFUL:
            for guess in self._in_doubt(context, reply):
                best = max(best, guess.confidence)
                yield guess

    def are_about_sending(self, guess: Guess, context: ErrorContext) -> bool:
        """Whether a reading is of a text that speaks of sending mail at all: the words of a rule stand in any text."""
        if (
            context.certain
            or context.accepted
            or context.gave_up
            or context.happened is not None
            or guess.symptom.enhanced
        ):
            return True
        if guess.symptom.code is not None and any(each.sure for each in find_replies(context.text)):
            return True
        technical = guess.symptom.fault is not Fault.REJECTED
        return self._clues.is_about_sending(context.sought, technical=technical)

    def _in_doubt(self, context: ErrorContext, reply: QuotedReply | None) -> Iterator[Guess]:
        """Yield what is left where nothing is clear: what programs say in their own language, and other stages."""
        fixed = self._fixed_texts.find(context.sought.text)
        if fixed is not None and not (fixed.weak and context.told_stage and fixed.stage not in context.stages):
            fits = context.stage is None or context.stage == AFTER or fixed.stage == context.stage
            stages = context.stages if context.stage is not None and not fits else frozenset({fixed.stage})
            symptom = context.symptom(fixed.fault, stages)
            code = fixed.code if reply is None else reply.code
            symptom = replace(symptom, tls=fixed.tls, lacking=fixed.lacking, code=code)
            yield self._guess(
                Interpretation(
                    symptom, fixed.words, answer_confidence.WEAK_SIGN if fixed.weak else answer_confidence.FIXED_TEXT
                )
            )
        if context.stage is not None:
            for reading in self._interpretations(replace(context, stage=None, told_stage=False), reply):
                yield self._guess(replace(reading, weight=reading.weight * answer_confidence.STAGE_MISFITS))

    def _interpretations(self, context: ErrorContext, reply: QuotedReply | None) -> Iterator[Interpretation]:
        if context.happened is not None:
            yield Interpretation(
                replace(context.symptom(context.happened, context.stages), lacking=context.lacking), context.text, 1.0
            )
        seen = context.seen
        if seen is not None and not context.certain and _counts(seen, reply, context.sought.text):
            yield self._by_sign(context, seen)
        if reply is not None:
            stages = self._stages(context, reply.code, reply.words)
            symptom = replace(context.symptom(Fault.REJECTED, stages), code=reply.code, enhanced=reply.enhanced)
            yield Interpretation(
                symptom,
                reply.words,
                answer_confidence.FROM_EVIDENCE if context.certain else answer_confidence.REPLY[reply.sure],
            )
            yield Interpretation(symptom, around(*_entry(context.text, reply.at)), answer_confidence.AROUND_REPLY)
        else:
            enhanced = bare_enhanced(context.text)
            stages = self._stages(context, None, context.text)
            symptom = replace(context.symptom(Fault.REJECTED, stages), enhanced=enhanced[0] if enhanced else None)
            yield Interpretation(symptom, context.text[:WINDOW], 1.0 if enhanced else answer_confidence.WHOLE_TEXT)

    def _by_sign(self, context: ErrorContext, seen: SignSeen) -> Interpretation:
        """Return the reading that a sign stands for."""
        sign = seen.sign
        told = context.stage is not None and context.stage != AFTER
        stages = context.stages if told else frozenset({sign.stage or Stage.CONNECT})
        if context.stage == AFTER and sign.stage not in _SECURING:
            stages |= context.stages
        hints = context.hints
        if Stage.GREETING in stages and hints.security is None:
            # A client that waits for a greeting, and says nothing of encryption, waits for it in clear text.
            hints = replace(hints, security=Security.NONE)
        if Stage.GREETING in stages and hints.security is Security.TLS and not told:
            stages |= {Stage.TLS}
        # What another protocol says is known by how it begins.
        flat = context.sought.text
        words = flat[seen.at :][:WINDOW] if sign.fault is Fault.OTHER_PROTOCOL else around(flat, seen.at)
        fault = sign.fault
        if context.answered and sign.weak and fault in _WITHOUT_A_WORD:
            fault = Fault.CLOSED
        symptom = context.symptom(fault, stages, self._facts_of(sign, words, context))
        symptom = replace(symptom, tls=sign.tls, lacking=sign.lacking, hints=hints)
        return Interpretation(symptom, words, answer_confidence.WEAK_SIGN if sign.weak else 1.0)

    def _facts_of(self, sign: Sign, words: str, context: ErrorContext) -> dict[str, Shown]:
        """Return what a sign and the words around it say beside the fault."""
        facts: dict[str, Shown] = {}
        if sign.weak:
            facts["sign"] = phrase("weak")
        if sign.fault is Fault.TLS_FAILED:
            facts["issuers"] = shown(words, 2 * WINDOW)
            if sign.tls is TlsFault.WRONG_NAME and self._owners.is_stranger(context.told.host, named_hosts(words)):
                facts["certificate_of"] = phrase("stranger")
        return facts

    def _guess(self, reading: Interpretation) -> Guess:
        symptom, said, weight = reading.symptom, reading.said, reading.weight
        rule, quote = self._diagnosis.decide(symptom, said)
        likely = symptom.stages & _LIKELY
        if rule is not None and not rule.conditions & {"words", "enhanced"} and likely and likely != symptom.stages:
            # A bare code decides by the stage. Where that is open, let it be one of those in which most refusals are.
            symptom = replace(symptom, stages=likely)
            rule, quote = self._diagnosis.decide(symptom, said)
            if symptom.code == _SAYS_NOTHING and rule is not None and not rule.conditions & {"words", "enhanced"}:
                rule = None
        founded = answer_confidence.rule_confidence(rule)
        if (
            founded == answer_confidence.BY_CODE
            and rule is not None
            and self._words_say(rule.cause, replace(reading, symptom=symptom))
        ):
            founded = answer_confidence.BY_CODE_AND_WORDS
        elif founded == answer_confidence.BY_CODE and weight < answer_confidence.LOOKS_LIKE_A_REPLY:
            founded /= 2
        founded *= weight
        if len(symptom.stages) > 1:
            founded *= answer_confidence.SEVERAL_STAGES
        return Guess(symptom, said, rule, quote, round(founded, 2))

    def _words_say(self, cause: str, reading: Interpretation) -> bool:
        """Whether the words alone lead to the same cause as the code."""
        rule, quote = self._diagnosis.decide(replace(reading.symptom, code=None, enhanced=None), reading.said)
        return bool(quote) and rule is not None and rule.cause == cause

    def _reply(self, context: ErrorContext) -> QuotedReply | None:
        """Return the reply that tells most: written as replies are, no mere "what?", the first of those."""
        replies = find_replies(context.text)
        put = self._clues.code(context.sought)
        if put is not None and not any(each.sure for each in replies):
            code, found = put
            rest = context.sought.text[found.end() : found.end() + WINDOW]
            enhanced = bare_enhanced(rest)
            return QuotedReply(code, enhanced[0] if enhanced else None, " ".join(rest.split()), found.start(), 1)
        return max(replies, key=_telling, default=None)

    def _stages(self, context: ErrorContext, code: int | None, words: str) -> frozenset[Stage]:
        """Return the stages in which it may have been."""
        if context.stage is not None:
            return context.stages
        if code in _SIGNING_IN and not (code == _ALSO_RELAYING and _ABOUT_RELAYING.search(words)):
            return frozenset({Stage.AUTH})
        named = self._clues.stages(context.sought)
        if named:
            return named
        return _TALKING | {Stage.AUTH} if code is None or _ABOUT_SIGNING_IN.search(words) else _TALKING


WINDOW = 2000
"""Characters of a text that a rule is asked about."""
_NO_SUCH_COMMAND = frozenset({500, 502})


def _telling(reply: QuotedReply) -> tuple[bool, int, bool]:
    return reply.code not in _NO_SUCH_COMMAND, reply.sure, reply.code is not None


_SAYS_NOTHING = 554
"""'Transaction failed' (RFC 5321 section 4.2.3): without words, and at no stage that is known, it may be anything."""
_ALSO_RELAYING = 454
"""Postfix says so too, for now, to whom it does not relay (`defer_unauth_destination`)."""
_ABOUT_RELAYING = re.compile(r"\brelay|recipient|sender|greylist|try again later", re.IGNORECASE)
_SIGNING_IN = frozenset({432, 454, 524, 525, 534, 535, 538})
"""Codes of signing in (RFC 4954 section 6, RFC 5248)."""
_ABOUT_SIGNING_IN = re.compile(r"auth(?!or)|log[ -]?[io]n|passw|credential|sign[ -]?in|user ?name|SASL", re.IGNORECASE)
_LIKELY = frozenset({Stage.MAIL, Stage.RCPT, Stage.DATA})
_TALKING = frozenset({Stage.GREETING, Stage.EHLO, Stage.MAIL, Stage.RCPT, Stage.DATA})
_SECURING = frozenset({Stage.TLS, Stage.STARTTLS})


_WITHOUT_A_WORD = frozenset({Fault.SILENT, Fault.REFUSED})
"""What cannot be of a server that has answered, unless a program says it clearly."""


def _counts(seen: SignSeen, reply: QuotedReply | None, flat: str) -> bool:
    """Whether a sign counts beside a reply. A name that was not found matters no more when a server replied later."""
    if reply is None or reply.sure == 0:
        return True
    over = seen.sign.stage is Stage.DNS and flat.find(" ".join(reply.words[:_START].split()), seen.at) > 0
    return seen.sign.decides and not over


_START = 40


def _entry(text: str, at: int) -> tuple[str, int]:
    """Return the entry of a log that a place is in, and the place in it; another text as it is."""
    from smtp_wizard.engine.explain.readers.log_prefixes import split_prefix

    start = text.rfind("\n", 0, at) + 1
    if not split_prefix(text[start : start + WINDOW])[0]:
        return text, at
    end = start
    while (end := text.find("\n", end + 1)) > 0 and not split_prefix(text[end + 1 : end + 1 + WINDOW])[0]:
        if end > at + WINDOW:
            break
    return (text[start:end] if end > 0 else text[start:]), at - start


def around(text: str, at: int) -> str:
    """Return the part of a text around a place, of the length that patterns look at."""
    start = max(0, min(at - WINDOW // 3, len(text) - WINDOW))
    return text[start : start + WINDOW]
