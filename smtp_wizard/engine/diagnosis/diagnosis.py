"""From what went wrong to what a person can do: a Symptom becomes a Finding. The rules are in data/diagnosis.yaml.

How the rules are read: the first one whose conditions all hold decides the cause, so the file goes from the particular
to the general. What is said comes from the cause; what the cause says for one provider goes before that, and what the
rule itself says goes before both, field by field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.shown import join
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.base.strict_yaml import YamlDocument
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.diagnosis.advice import Advice, Cause, SimilarCause, write_finding
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.diagnosis.patterns import PatternIndex, Pieces, SearchedText
from smtp_wizard.engine.diagnosis.placeholders import OR, Placeholders, own_words, server_said
from smtp_wizard.engine.diagnosis.rule_file import UNKNOWN, Rulebook, read_rulebook
from smtp_wizard.engine.diagnosis.rules import Rule, RuleInput, plain_words
from smtp_wizard.engine.smtp.symptom import Fault, Hints, Symptom, TlsFault

if TYPE_CHECKING:
    from smtp_wizard.engine.base.shown import Shown
    from smtp_wizard.engine.base.stages import Stage

__all__ = [
    "UNKNOWN",
    "Diagnosis",
    "Fault",
    "Finding",
    "Hints",
    "Rule",
    "Symptom",
    "TlsFault",
    "load_diagnosis",
    "server_said",
]


_NO_PIECES = Pieces(())
"""What is in no words at all: what the patterns need is dear to work out."""


class Diagnosis:
    """The causes and rules of data/diagnosis.yaml, ready to be asked. Built once by `load_diagnosis`; never changes."""

    def __init__(self, book: Rulebook, names: Mapping[str, str]) -> None:
        self._book = book
        self._names = names
        self._shelves: dict[tuple[Fault, frozenset[Stage]], PatternIndex[Rule]] = {}

    @cached_property
    def _pieces(self) -> Pieces:
        """What the patterns of the rules need in a text. Worked out for the first symptom: most runs have none."""
        return Pieces(piece for patterns in self._book.patterns for piece in patterns.pieces)

    def explain(self, symptom: Symptom) -> Finding:
        """Say what is wrong and what to do. Total: what no rule knows is called unknown, with what to try."""
        return self.write(self.rule_for(symptom), symptom)

    def rule_for(self, symptom: Symptom) -> Rule | None:
        """The rule that decides, or None."""
        return self.decide(symptom)[0]

    def decide(self, symptom: Symptom, said: str | None = None) -> tuple[Rule | None, str]:
        """The rule that decides, or None, and the part of the words that made it do so.

        `said`: the words that it is decided by, where the symptom does not hold them yet.
        """
        words = plain_words(symptom.words if said is None else said, symptom.enhanced)
        case = RuleInput(symptom, SearchedText(words, self._pieces if words else _NO_PIECES))
        rules = self._shelf(symptom.fault, case.stages).worth_asking(case.words)
        rule = next((rule for rule in rules if rule.matches(case)), None)
        return rule, rule.quoted(case.words) if rule else ""

    def _shelf(self, fault: Fault, stages: frozenset[Stage]) -> PatternIndex[Rule]:
        """The rules that can decide about a fault in one of these stages."""
        shelf = self._shelves.get((fault, stages))
        if shelf is None:
            met = [rule for rule in self._book.rules if rule.can_meet(fault, stages)]
            shelf = PatternIndex((rule, rule.words) for rule in met)
            self._shelves[fault, stages] = shelf
        return shelf

    def write(self, rule: Rule | None, symptom: Symptom) -> Finding:
        """Put into words what a rule, or none, has decided. Only what `symptom` holds can be in them."""
        cause = self._book.causes[rule.cause if rule else UNKNOWN]
        advice = cause.advice_for(symptom.provider).overlaid(rule.advice if rule else Advice())
        returned, blanks = symptom.facts.get("returned"), Placeholders(symptom, self._book.blanks, self._names)
        if returned:
            advice = _returned(advice, cause, rule)
            if returned == "delayed" and not cause.lasting:
                advice = advice.overlaid(self._book.delayed)
        finding = write_finding(cause, advice, symptom, blanks, self._book.evidence)
        if returned:
            lines = (*((self._book.waiting,) if returned == "delayed" and cause.lasting else ()), *self._book.closing)
            closing = (blanks.fill_with_facts(line) for line in lines)
            said = join(" ", [finding.explanation, *(line for line in closing if line is not None)])
            finding = replace(finding, explanation=said)
        return replace(finding, broadly=rule.broadly) if rule and rule.broadly else finding

    @property
    def causes(self) -> tuple[str, ...]:
        """The ids of all causes: the stable codes that a Finding can carry."""
        return tuple(self._book.causes)

    def alike(self, cause: str) -> tuple[SimilarCause, ...]:
        """Causes that look like this one, the likeliest first, and what would tell them apart. Raises `KeyError`."""
        return self._book.causes[cause].instead

    def title(self, cause: str) -> Shown:
        """What a cause is called, whatever has led to it; what the data does not know is not clear."""
        known = self._book.causes
        return own_words(known[cause if cause in known else UNKNOWN].advice.title or "")

    def is_lasting(self, cause: str) -> bool:
        """Whether a cause does not pass by itself. Raises `KeyError`."""
        return self._book.causes[cause].lasting

    def broadly(self, cause: str) -> str:
        """The main cause that a cause comes down to. Raises `KeyError`."""
        return self._book.causes[cause].broadly

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, in the order in which they are asked."""
        return self._book.rules

    @property
    def guides(self) -> frozenset[str]:
        """The ids of all guides that are pointed to, so that a check of the data can look for them."""
        return frozenset(advice.guide for advice in self._book.every_advice() if advice.guide)

    @property
    def checked(self) -> datetime:
        """The day on which the data was last known to be right."""
        return self._book.checked

    @property
    def providers(self) -> frozenset[str]:
        """The ids of all providers that are named, so that a check of the data can look for them."""
        return self._book.providers


def _returned(advice: Advice, cause: Cause, rule: Rule | None) -> Advice:
    """Return what is said of a message that came back. What a rule says goes before what its cause says of all."""
    own = rule.advice if rule else Advice()
    explanation = _naming(own.explanation) if own.explanation else cause.returned.explanation
    general = replace(cause.returned, title=own.title or cause.returned.title, explanation=explanation)
    if own.who not in (None, Who.YOU):
        general = replace(general, who=own.who, steps=own.steps or general.steps, forward=own.forward)
    return advice.overlaid(general).overlaid(rule.returned if rule else Advice())


def _naming(explanation: str) -> str:
    """Put the address that was not reached before each wording of an explanation."""
    return OR.join(f"{{recipient}} was not reached. {wording}" for wording in explanation.split(OR))


def load_diagnosis(path: Path | None = None, names: Mapping[str, str] | None = None) -> Diagnosis:
    """Read the rules; `names` are the providers' display names by id.

    Without a path the product's own: what was compiled has been checked, so that only what is used is read.

    Raises `DataError` that names file, line and column: unknown or missing keys, a value that is none of those allowed,
    a pattern that cannot be read, a rule that points to no cause, a blank that nobody fills.
    """
    document = YamlDocument(path or data_path("diagnosis.yaml"))
    checked = path is None and document.content.compiled
    book = document.root.read(partial(read_rulebook, whole=not checked))
    return Diagnosis(book, names or {})
