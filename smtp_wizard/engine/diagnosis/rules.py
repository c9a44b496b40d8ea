"""When a rule decides: the conditions over a symptom that data/diagnosis.yaml can name, and how each is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import PortError, Security, parse_port
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.diagnosis.advice import ANY, Advice
from smtp_wizard.engine.diagnosis.patterns import Patterns, SearchedText
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.symptom import CLOCKS_DIFFER, Fault, Symptom, TlsFault

if TYPE_CHECKING:
    from smtp_wizard.engine.base.strict_yaml import Node

SEEN = 2000
"""Characters of what was said that the patterns look at: a hostile server must not buy our time."""


@dataclass(frozen=True, slots=True)
class RuleInput:
    """A symptom with its words made plain once, for all rules."""

    symptom: Symptom
    words: SearchedText

    @property
    def stages(self) -> frozenset[Stage]:
        """The stages that it may have been in."""
        return self.symptom.stages or frozenset({self.symptom.stage})


Test = Callable[[RuleInput], bool]


def plain_words(said: str, enhanced: str | None) -> str:
    """The words on one line. The enhanced code, which servers repeat in every line, would tear sentences apart."""
    words = said[:SEEN]
    if enhanced:
        words = words.replace(enhanced, " ")
    return " ".join(words.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When all of `tests` hold, and not all of `unless`, the cause is `cause`, said as `advice` wants it."""

    cause: str
    tests: tuple[Test, ...]
    unless: tuple[Test, ...]
    faults: frozenset[Fault] | None
    """The faults it can meet; None: all."""
    stages: frozenset[Stage] | None
    """The stages it can meet; None: all."""
    conditions: frozenset[str]
    """What `tests` look at, as the data calls it: how much the rule knows tells how sure it can be."""
    words: Patterns | None
    """The condition on the words, which is one of `tests` too."""
    broadly: str
    """What this cause comes down to here, where that is another than usual; ''."""
    advice: Advice
    returned: Advice
    """What is said in its place where a message came back."""

    def quoted(self, words: SearchedText) -> str:
        """The part of the words that fits the condition on them; '' where there is none."""
        found = self.words.search(words) if self.words else None
        return found[0] if found else ""

    def can_meet(self, fault: Fault, stages: frozenset[Stage]) -> bool:
        """Whether the rule is worth asking about this fault in one of these stages."""
        return (self.faults is None or fault in self.faults) and (
            self.stages is None or not self.stages.isdisjoint(stages)
        )

    def matches(self, case: RuleInput) -> bool:
        """Whether the rule decides."""
        for test in self.tests:
            if not test(case):
                return False
        return not (self.unless and all(test(case) for test in self.unless))


def _sender_relation(symptom: Symptom) -> str:
    """'same' or 'other': the sender beside the user name; '' where they cannot be compared."""
    sender, username = symptom.sender.casefold(), symptom.username.casefold()
    if "@" not in sender or "@" not in username:
        return ""
    return "same" if sender == username else "other"


def _username_shape(symptom: Symptom) -> str:
    """'address' or 'bare' (no @), or '' where none was used."""
    if not symptom.username:
        return ""
    return "address" if "@" in symptom.username else "bare"


def knows_provider(wanted: frozenset[str]) -> Test:
    return lambda case: bool(case.symptom.provider) and (ANY in wanted or case.symptom.provider in wanted)


_E = TypeVar("_E", bound=StrEnum)


def members(node: Node, key: str, kind: type[_E]) -> frozenset[_E]:
    known = _by_name(kind)
    try:
        return frozenset([known[value] for value in node.one_or_more(key)])  # hundreds are read at each start
    except KeyError:
        return frozenset(kind(value) for value in _among(node, key, kind))


@cache
def _by_name(kind: type[_E]) -> Mapping[str, _E]:
    return {each.value: each for each in kind}


def _among(node: Node, key: str, allowed: Iterable[str]) -> frozenset[str]:
    values = node.one_or_more(key)
    if strange := sorted(set(values) - set(allowed)):
        raise node.error(key, f"'{shown(strange[0], 40)}' is none of: {', '.join(allowed)}")
    return frozenset(values)


PATTERN_KEYS = frozenset({"words", "noise", "application_token", "now_and_then", "host", "issuer"})
"""The keys at which patterns stand, in whichever file."""


def read_patterns(node: Node, key: str) -> Patterns:
    """Read one pattern or a list of them. Raises `DataError` where one cannot be read."""
    values = node.one_or_more(key)
    try:
        return Patterns(values, node.worked_out)
    except re.error as problem:
        raise node.error(key, f"'{shown(str(problem.pattern), 80)}' is not a pattern: {problem}") from None


def _codes(node: Node, key: str, shape: str) -> re.Pattern[str]:
    """Status codes of this shape, with wildcards: 'x' stands for a digit, '*' for a number."""
    values = node.one_or_more(key)
    for value in values:
        if not re.fullmatch(shape, value):
            raise node.error(key, f"'{shown(value, 20)}' is not a status code")
    return re.compile("|".join(re.escape(v).replace(r"\*", r"\d{1,3}").replace("x", r"\d") for v in values))


def _fault_test(node: Node, key: str) -> Test:
    faults = members(node, key, Fault)
    return lambda case: case.symptom.fault in faults


def _stage_test(node: Node, key: str) -> Test:
    stages = members(node, key, Stage)
    return lambda case: not stages.isdisjoint(case.stages)


def _tls_test(node: Node, key: str) -> Test:
    faults = members(node, key, TlsFault)
    return lambda case: case.symptom.tls in faults


def _security_test(node: Node, key: str) -> Test:
    allowed = members(node, key, Security)
    return lambda case: case.symptom.security in allowed


def _port_test(node: Node, key: str) -> Test:
    try:
        ports = frozenset(parse_port(value) for value in node.one_or_more(key))
    except PortError as problem:
        raise node.error(key, str(problem)) from None
    return lambda case: case.symptom.port in ports


def _lacking_test(node: Node, key: str) -> Test:
    lacking = frozenset(node.one_or_more(key))
    return lambda case: case.symptom.lacking in lacking


def _shape_test(node: Node, key: str) -> Test:
    shapes = _among(node, key, ("app-password", "other"))
    return lambda case: case.symptom.secret_shape in shapes


def _username_test(node: Node, key: str) -> Test:
    shapes = _among(node, key, ("address", "bare"))
    return lambda case: _username_shape(case.symptom) in shapes


def _sender_test(node: Node, key: str) -> Test:
    relations = _among(node, key, ("same", "other"))
    return lambda case: _sender_relation(case.symptom) in relations


def _code_test(node: Node, key: str) -> Test:
    pattern = _codes(node, key, r"[2-5][0-9x]{2}")
    return lambda case: bool(pattern.fullmatch(str(case.symptom.code)))


def _enhanced_test(node: Node, key: str) -> Test:
    pattern = _codes(node, key, r"[245*](\.(\d{1,3}|\*)){2}")
    return lambda case: bool(pattern.fullmatch(case.symptom.enhanced or ""))


def _auth_test(node: Node, key: str) -> Test:
    allowed = members(node, key, Auth)
    return lambda case: case.symptom.hints.auth in allowed


def _fact_test(*values: str) -> Callable[[Node, str], Test]:
    """A condition that is a fact of its own name, and has these values only."""

    def make(node: Node, key: str) -> Test:
        wanted = _among(node, key, values)
        return lambda case: case.symptom.facts.get(key) in wanted

    return make


def _said_by_test(node: Node, key: str) -> Test:
    _among(node, key, ("server",))
    return lambda case: bool(case.symptom.code or case.symptom.enhanced or "returned" in case.symptom.facts)


def _host_test(node: Node, key: str) -> Test:
    patterns = read_patterns(node, key)
    return lambda case: patterns.fits(case.symptom.host)


def _issuer_test(node: Node, key: str) -> Test:
    patterns = read_patterns(node, key)

    def test(case: RuleInput) -> bool:
        facts = case.symptom.facts
        return patterns.fits(facts.get("issuers", facts.get("issuer", ""))[:SEEN])

    return test


def clock_test(node: Node, made: datetime) -> Test:
    """The one thing to ask of the clock: is it wrong beyond doubt?"""
    _among(node, "clock", ("wrong",))
    return lambda case: _clock_is_wrong(case.symptom, made)


def _clock_is_wrong(symptom: Symptom, made: datetime) -> bool:
    """Whether this computer's clock shows a time before this program was made, or a day that is not the server's."""
    now, theirs = symptom.now, symptom.server_time
    if now is None:
        return False
    return now < made or (theirs is not None and abs(theirs - now) > CLOCKS_DIFFER)


def words_test(patterns: Patterns) -> Test:
    return lambda case: patterns.search(case.words) is not None


TESTS: Mapping[str, Callable[[Node, str], Test]] = {
    # What is cheap to ask is asked first.
    "fault": _fault_test,
    "stage": _stage_test,
    "tls": _tls_test,
    "security": _security_test,
    "port": _port_test,
    "lacking": _lacking_test,
    "auth": _auth_test,
    "certificate_of": _fact_test("stranger"),
    "host_of": _fact_test("provider"),
    "side": _fact_test("receiving", "forwarder"),
    "reading": _fact_test("accepted", "gave-up", "hidden", "nothing"),
    "returned": _fact_test("failed", "delayed"),
    "log": _fact_test("own"),
    "sign_in": _fact_test("none"),
    "said_by": _said_by_test,
    "sign": _fact_test("weak"),
    "happens": _fact_test("sometimes"),
    "pasted": _fact_test("program", "server"),
    "sent_by": _fact_test("provider"),
    "stage_is": _fact_test("told"),
    "mechanism": _fact_test("CRAM-MD5"),
    "typed": _fact_test("letters", "blanks", "app-password", "idn", "plus"),
    "token": _fact_test("expired", "other-user", "no-scope", "other-service", "no-user"),
    "secret_shape": _shape_test,
    "code": _code_test,
    "enhanced": _enhanced_test,
    "username": _username_test,
    "sender": _sender_test,
    "host": _host_test,
    "issuer": _issuer_test,
}
"""The conditions that need nothing but the data. Those on words are the dearest to ask, and come last."""
