"""Reading data/diagnosis.yaml: causes, what is said about them, and rules. What does not fit is named by its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from smtp_wizard.engine.base.records import parse_day
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.base.strict_yaml import LazyTable
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.diagnosis.advice import ANY, Advice, Cause, SimilarCause
from smtp_wizard.engine.diagnosis.placeholders import BLANK, BLANK_NAMES, OR
from smtp_wizard.engine.diagnosis.rules import (
    TESTS,
    Rule,
    Test,
    clock_test,
    knows_provider,
    members,
    read_patterns,
    words_test,
)
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.symptom import Fault

if TYPE_CHECKING:
    from smtp_wizard.engine.base.strict_yaml import Node
    from smtp_wizard.engine.diagnosis.patterns import Patterns

UNKNOWN = "unknown"
"""The cause of what no rule knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """All that data/diagnosis.yaml says."""

    causes: Mapping[str, Cause]
    rules: tuple[Rule, ...]
    blanks: Mapping[str, str | None]
    """What stands in a blank when nobody knows the fact; None: what needs it is left out."""
    delayed: Advice
    """What is said, whatever the cause, where a message is late and its server goes on trying."""
    waiting: str
    """What is added for such a message where its cause lasts until somebody mends it."""
    closing: tuple[str, ...]
    """Sentences that end what is said of a message that came back, as far as they can be filled."""
    evidence: tuple[str, ...]
    """The lines of facts under every message that can be forwarded."""
    met: set[str]
    """The providers that are named in what has been read."""
    patterns: tuple[Patterns, ...]
    """All patterns of all rules."""
    checked: datetime
    """The day on which the data was last known to be right: no clock can show an earlier one."""

    @property
    def providers(self) -> frozenset[str]:
        """The ids of all providers that are named."""
        for rule in self.rules:
            assert rule.tests, "each has been read now"
        assert all(self.causes.values())
        return frozenset(self.met - {ANY})

    def every_advice(self) -> Iterable[Advice]:
        """All that is said anywhere."""
        yield self.delayed
        for cause in self.causes.values():
            yield cause.advice
            yield cause.returned
            yield from (advice for _, advice in cause.special)
        yield from (advice for rule in self.rules for advice in (rule.advice, rule.returned))


def read_rulebook(node: Node, *, whole: bool = True) -> Rulebook:
    """Read all of it. Not `whole`: it has been checked, and of each cause and rule only what is used is read."""
    if node.whole("schema") != 1:
        raise node.error("schema", "is not known here")
    checked = _day(node, "checked")
    reader = _Reader(_families(node.child("families")), node.child("blanks").read(_blank_words), checked)
    evidence = reader.templates(node, "evidence")
    delayed = reader.advice(node.child("delayed"))
    causes = reader.causes(node) if whole else reader.piecemeal_causes(node)
    read_rule = partial(reader.rule, causes=causes) if whole else reader.piecemeal_rule
    rules = tuple(read_rule(child) for child in node.children("rules"))
    return Rulebook(
        causes=causes,
        rules=rules,
        blanks=reader.blanks,
        delayed=delayed,
        waiting=node.maybe_text("waiting") or "",
        closing=reader.templates(node, "closing"),
        evidence=evidence,
        met=reader.providers,
        patterns=tuple(reader.patterns),
        checked=checked,
    )


def _day(node: Node, key: str) -> datetime:
    """The first moment of a day."""
    text = node.text(key)
    try:
        day = parse_day(text)
    except ValueError:
        raise node.error(key, "must be a day such as 2026-11-24") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _families(node: Node) -> dict[str, tuple[str, ...]]:
    return {name: node.one_or_more(name) for name in node.keys()}  # noqa: SIM118  a Node is no dict


def _blank_words(node: Node) -> dict[str, str | None]:
    words = {name: node.maybe_text(name) for name in sorted(BLANK_NAMES)}
    if missing := sorted(BLANK_NAMES - set(node.keys())):
        raise node.error(None, f"the key '{missing[0]}' is missing")
    return words


class _Reader:
    """Reads causes and rules; knows the families of providers and the blanks, and notes what it meets on the way."""

    def __init__(
        self, families: Mapping[str, tuple[str, ...]], blanks: Mapping[str, str | None], checked: datetime
    ) -> None:
        self._families = families
        self._checked = checked
        self.blanks = blanks
        self.providers: set[str] = {provider for family in families.values() for provider in family}
        self.patterns: list[Patterns] = []

    def causes(self, node: Node) -> dict[str, Cause]:
        """Read all causes, by id."""
        found: dict[str, Cause] = {}
        for child in node.children("causes"):
            cause = child.read(self._cause)
            if cause.id in found:
                raise child.error("id", f"'{cause.id}' stands twice")
            found[cause.id] = cause
        if UNKNOWN not in found:
            raise node.error("causes", f"there is none with the id '{UNKNOWN}'")
        for child in node.children("causes"):
            self._broadly(child, found)
            _known_instead(child, found)
        return found

    def _cause(self, node: Node) -> Cause:
        advice = self.advice(node)
        for key in ("title", "explanation", "who", "steps"):
            if getattr(advice, key) is None:
                raise node.error(None, f"the key '{key}' is missing")
        _need_letter(node, advice, advice)
        returned = self._returned(node, advice)
        special = tuple(child.read(partial(self._special, general=advice)) for child in node.children("for"))
        name = node.text("id")
        return Cause(
            id=name,
            broadly=node.maybe_text("broadly") or name,
            advice=advice,
            special=special,
            warning=node.flag("warning", False),
            lasting=node.flag("lasting", False),
            returned=returned,
            instead=tuple(child.read(_instead) for child in node.children("instead")),
        )

    def _returned(self, node: Node, general: Advice) -> Advice:
        """What is said where a message came back; nothing of its own where nothing stands there."""
        child = node.maybe_child("returned")
        return child.read(partial(self._returned_advice, general=general)) if child else Advice()

    def _returned_advice(self, node: Node, general: Advice) -> Advice:
        advice = self.advice(node)
        _need_letter(node, advice, general.overlaid(advice))
        return advice

    def _broadly(self, node: Node, causes: Mapping[str, Cause]) -> str:
        """What a cause comes down to: a main one; '' where nothing is said."""
        name = node.maybe_text("broadly") or ""
        if name and (name not in causes or causes[name].broadly != name):
            raise node.error("broadly", f"there is no main cause '{shown(name, 60)}'")
        return name

    def _special(self, node: Node, general: Advice) -> tuple[frozenset[str], Advice]:
        advice = self.advice(node)
        _need_letter(node, advice, general.overlaid(advice))
        return self._providers(node), advice

    def piecemeal_causes(self, node: Node) -> Mapping[str, Cause]:
        """Return all causes by id, each to be read when it is asked for."""
        nodes = {child.text("id"): child for child in node.children("causes")}
        return LazyTable(nodes, lambda child, _: self._cause(child))

    def rule(self, node: Node, causes: Mapping[str, Cause]) -> Rule:
        """Read one rule: cause, when, unless, and what is to be said otherwise than the cause says it."""
        cause = node.text("cause")
        if cause not in causes:
            raise node.error("cause", f"there is no cause '{shown(cause, 60)}'")
        found = node.read(self._rule)
        whole = causes[cause].advice.overlaid(found.advice)
        _need_letter(node, found.advice, whole)
        _need_letter(node, found.returned, whole.overlaid(causes[cause].returned).overlaid(found.returned))
        self._broadly(node, causes)
        return found

    def _rule(self, node: Node) -> Rule:
        asked = self._asked(node)
        return Rule(**asked.first, **self._rest(node, asked))

    def piecemeal_rule(self, node: Node) -> Rule:
        """Return a rule of which so much is read as says whether it is worth asking."""
        asked = self._asked(node)
        return CompiledRule(asked.first, partial(self._rest, node, asked))

    def _asked(self, node: Node) -> _Conditions:
        """Read what says whether a rule is worth asking, and every pattern of it."""
        when, unless = node.child("when"), node.maybe_child("unless")
        words = self._words(when)
        first = {
            "cause": node.text("cause"),
            "faults": members(when, "fault", Fault) if when.has("fault") else None,
            "stages": members(when, "stage", Stage) if when.has("stage") else None,
            "words": words,
        }
        return _Conditions(when, words, unless, self._words(unless) if unless else None, first)

    def _rest(self, node: Node, asked: _Conditions) -> dict[str, Any]:
        """Read the rest of a rule."""
        when, unless = asked.when, asked.unless
        return {
            "tests": when.read(partial(self._tests, words=asked.words)),
            "unless": unless.read(partial(self._tests, words=asked.unless_words)) if unless else (),
            "conditions": frozenset(name for name in (*TESTS, "provider", "words") if when.has(name)),
            "broadly": node.maybe_text("broadly") or "",
            "advice": self.advice(node),
            "returned": self._returned(node, Advice(who=Who.YOU)),
        }

    def _words(self, node: Node) -> Patterns | None:
        patterns = read_patterns(node, "words") if node.has("words") else None
        self.patterns += [patterns] if patterns else []
        return patterns

    def _tests(self, node: Node, words: Patterns | None) -> tuple[Test, ...]:
        tests = [make(node, name) for name, make in TESTS.items() if node.has(name)]
        if node.has("provider"):
            tests.insert(0, knows_provider(self._providers(node)))
        if node.has("clock"):
            tests.insert(0, clock_test(node, self._checked))
        if words is not None:
            tests.append(words_test(words))
        if not tests:
            raise node.error(None, "names no condition")
        return tuple(tests)

    def _providers(self, node: Node) -> frozenset[str]:
        """Providers by id, with the names of families spelt out."""
        named = node.one_or_more("provider")
        providers = frozenset(each for name in named for each in self._families.get(name, (name,)))
        self.providers |= providers
        return providers

    def advice(self, node: Node) -> Advice:
        """Read what is said."""
        advice = Advice(
            title=self._whole_text(node, "title"),
            explanation=self._whole_text(node, "explanation"),
            who=node.choice("who", Who) if node.has("who") else None,
            steps=self.templates(node, "steps") if node.has("steps") else None,
            guide=node.maybe_text("guide"),
            forward=self._whole_text(node, "forward"),
        )
        if advice.title and BLANK.search(advice.title):
            raise node.error("title", "has no blanks: it is read at a glance")
        if advice.steps is not None and not any(self._always(step) for step in advice.steps):
            raise node.error("steps", "at least one must not depend on what may be unknown")
        return advice

    def _whole_text(self, node: Node, key: str) -> str | None:
        """A text of which nothing may be left out."""
        if not node.has(key):
            return None
        text = _template(node, key, node.text(key))
        if not self._always(text):
            raise node.error(key, "has a blank that may be unknown and has no word to stand in for it")
        return text

    def templates(self, node: Node, key: str) -> tuple[str, ...]:
        """A list of texts with blanks."""
        return tuple(_template(node, key, text) for text in node.one_or_more(key))

    def _always(self, text: str) -> bool:
        """Whether at least one wording can be filled whatever is unknown."""
        return any(all(self.blanks[name] is not None for name in BLANK.findall(wording)) for wording in text.split(OR))


def _known_instead(node: Node, causes: Mapping[str, Cause]) -> None:
    """Raises `DataError` where a cause that looks alike is none."""
    for child in node.children("instead"):
        if child.text("cause") not in causes:
            raise child.error("cause", f"there is no cause '{shown(child.text('cause'), 60)}'")


def _instead(node: Node) -> SimilarCause:
    return SimilarCause(node.text("cause"), node.text("tell"))


def _template(node: Node, key: str, text: str) -> str:
    """Check the blanks of a text."""
    for name in BLANK.findall(text):
        if name not in BLANK_NAMES:
            raise node.error(key, f"nobody fills the blank '{name}'")
    rest = BLANK.sub("", text)
    if "{" in rest or "}" in rest:
        raise node.error(key, "a brace that opens or closes no blank")
    return " ".join(text.split())


def _need_letter(node: Node, own: Advice, whole: Advice) -> None:
    """Who is told that somebody else must act needs something to send to them; who acts alone needs nothing."""
    if whole.who is not Who.YOU and whole.forward is None:
        raise node.error(None, "the key 'forward' is missing: the message for who must act")
    if whole.who is Who.YOU and own.forward is not None:
        raise node.error("forward", "has nobody to go to: who acts is 'you'")


class _Conditions(NamedTuple):
    """The conditions of a rule, of which the patterns have been read."""

    when: Node
    words: Patterns | None
    unless: Node | None
    unless_words: Patterns | None
    first: Mapping[str, Any]
    """The fields of `Rule` that say whether it is worth asking."""


class CompiledRule(Rule):
    """A rule of a file that was checked as a whole. Most are never asked: how they decide is read when one is."""

    __slots__ = ("_rest",)
    _rest: Callable[[], dict[str, Any]]

    def __init__(self, first: Mapping[str, Any], rest: Callable[[], dict[str, Any]]) -> None:
        for name, value in first.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_rest", rest)

    def __getattr__(self, name: str) -> Any:
        """Read what has no value yet."""
        if name in _LATER:
            for field, value in self._rest().items():
                object.__setattr__(self, field, value)
        return object.__getattribute__(self, name)


_LATER = frozenset({"tests", "unless", "conditions", "broadly", "advice", "returned"})
