"""From what went wrong to what a person can do: a Symptom becomes a Finding. The rules are in data/diagnosis.yaml.

How the rules are read: the first one whose conditions all hold decides the cause, so the file goes from the particular
to the general. What is said comes from the cause; what the cause says for one provider goes before that, and what the
rule itself says goes before both, field by field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

from smtp_wizard.engine.data import data_path
from smtp_wizard.engine.model import Auth, Endpoint, PortError, Security, Stage, Who, clean, parse_port
from smtp_wizard.engine.patterns import Patterns, Pieces, Shelf, Sought
from smtp_wizard.engine.strict import Document, Node


class Fault(StrEnum):
    """What kind of thing went wrong, before anybody asks why. One for each way a stage can end badly."""

    NO_SUCH_HOST = "no-such-host"
    """The name has no address."""
    NO_NETWORK = "no-network"
    """Names cannot be looked up, or no route leads anywhere."""
    REFUSED = "refused"
    SILENT = "silent"
    """Nothing came in the time allowed."""
    RESET = "reset"
    """The connection was torn down without a word."""
    DENIED = "denied"
    """This computer itself forbade the connection (EACCES, EPERM)."""
    CLOSED = "closed"
    """The other side ended the connection where a reply was due."""
    SPEAKS_TLS = "speaks-tls"
    """A greeting was waited for; the port speaks TLS from the first byte."""
    SPEAKS_PLAIN = "speaks-plain"
    """TLS was begun; the port greets in clear text (it wants STARTTLS, or none)."""
    OTHER_PROTOCOL = "other-protocol"
    """What answered is not SMTP: POP3, IMAP, HTTP."""
    TLS_FAILED = "tls-failed"
    """The handshake failed; `tls` says how."""
    NOT_OFFERED = "not-offered"
    """EHLO did not offer what the stage needs (STARTTLS, AUTH, a mechanism, SMTPUTF8); `lacking` says what."""
    REJECTED = "rejected"
    """A 4xx or 5xx reply; `code`, `enhanced` and `words` say which."""
    GARBLED = "garbled"
    """A reply that is none, or out of bounds."""
    UNSOLICITED = "unsolicited"
    """A reply came before anything was asked."""
    INJECTED = "injected"
    """Bytes came in clear text behind the reply to STARTTLS; they were thrown away. A warning, not a failure."""
    EXPIRES_SOON = "expires-soon"
    """The certificate is believed, and will run out in less than three weeks. A warning, not a failure."""
    UNENCRYPTED = "unencrypted"
    """We refused to send a password over an unencrypted line: the person has not said yes."""
    UNUSABLE_SECRET = "unusable-secret"
    """We refused to send it: a NUL in it, or empty."""
    OUTCOME_UNKNOWN = "outcome-unknown"
    """The connection was lost after the final dot."""


class TlsFault(StrEnum):
    """Why a TLS handshake failed."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    WRONG_NAME = "wrong-name"
    SELF_SIGNED = "self-signed"
    UNKNOWN_ISSUER = "unknown-issuer"
    CHAIN_INCOMPLETE = "chain-incomplete"
    """The issuer is unknown, and nothing that was sent leads from the server's own certificate to a known one."""
    WEAK_KEY = "weak-key"
    """The key is too short, or the signature is of a kind that can be forged."""
    CERTIFICATE = "certificate"
    """The certificate is not believed, for a reason that is none of those above."""
    CLIENT_CERTIFICATE = "client-certificate"
    """The server wants a certificate from us."""
    VERSION = "version"
    """No TLS version or cipher in common."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What is known of an endpoint that is not known as a whole, as from a pasted text."""

    host: str = ""
    port: int | None = None
    security: Security | None = None
    auth: Auth | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """What is known at the moment of a failure, flat, so that rules can be written over it.

    Every text in it is cleaned and free of secrets already.
    """

    stage: Stage
    fault: Fault
    stages: frozenset[Stage] = frozenset()
    """Where it is not known in which stage it was: all those that it may have been in, `stage` among them."""
    words: str = ""
    """What the server or the operating system said."""
    code: int | None = None
    """Basic status code (RFC 5321 section 4.2), such as 535."""
    enhanced: str | None = None
    """Enhanced status code (RFC 3463), such as '5.7.8'."""
    tls: TlsFault | None = None
    lacking: str = ""
    """What was not offered: STARTTLS, AUTH, AUTH-BEFORE-TLS (only after it), MECHANISM (none we know), SMTPUTF8; or
    SAN: the certificate carries its names in the CN alone, which counts no more (RFC 9525 section 2)."""
    endpoint: Endpoint | None = None
    hints: Hints = Hints()
    """What is known of the endpoint where `endpoint` is None."""
    provider: str | None = None
    """Id in the catalogue."""
    secret_shape: str | None = None
    """'app-password' if the secret that was tried looks like one of this provider, 'other' if it does not."""
    username: str = ""
    sender: str = ""
    recipient: str = ""
    other: Endpoint | None = None
    """An endpoint that was seen to work, or that answers in the other way: what the one-key fix would use."""
    now: datetime | None = None
    """What the clock of this computer says."""
    server_time: datetime | None = None
    """What the server's clock says, where its greeting tells."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """More to fill in, by name: certificate_names, not_before, not_after, issuer, weakness, tls_version, days, reason
    (OpenSSL's), seconds, limit, time, server_time. For conditions alone: issuers, who signed any of what was sent;
    certificate_of, host_of, side, as the conditions of data/diagnosis.yaml call them."""

    @property
    def host(self) -> str:
        """Who was spoken to, or ''."""
        return self.endpoint.host if self.endpoint else self.hints.host

    @property
    def port(self) -> int | None:
        """The port that was spoken to."""
        return self.endpoint.port if self.endpoint else self.hints.port

    @property
    def security(self) -> Security | None:
        """How the endpoint was spoken to."""
        return self.endpoint.security if self.endpoint else self.hints.security


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A failure in words: what is wrong, who must act, what to do next."""

    code: str
    """Id of the cause: stable, in the taxonomy of data/diagnosis.yaml."""
    broadly: str = ""
    """The cause that this one is a special case of, for those who know only the main causes; often `code` itself."""
    title: str
    explanation: str
    who: Who
    steps: tuple[str, ...]
    """What to do, one action a step, in order."""
    guide: str | None = None
    """Id of the guide that helps."""
    server_said: str = ""
    """The server's own words, cleaned, with codes; empty when it said nothing."""
    forward: str | None = None
    """A message ready to send to who must act, when that is not the person in front of the screen."""
    fix: Endpoint | None = None
    """An endpoint to try instead, with one key."""
    warning: bool = False
    """The check goes on; the verdict is 'warn'."""


class Diagnosis:
    """The causes and rules of data/diagnosis.yaml, ready to be asked. Built once by `load_diagnosis`; never changes."""

    def __init__(self, book: _Book, names: Mapping[str, str]) -> None:
        self._book = book
        self._names = names
        self._shelves: dict[tuple[Fault, frozenset[Stage]], Shelf[Rule]] = {}

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

    def decide(self, symptom: Symptom) -> tuple[Rule | None, str]:
        """The rule that decides, or None, and the part of the words that made it do so."""
        case = _Case(symptom, Sought(_plain_words(symptom), self._pieces))
        rules = self._shelf(symptom.fault, case.stages).worth_asking(case.words)
        rule = next((rule for rule in rules if rule.matches(case)), None)
        return rule, rule.quoted(case.words) if rule else ""

    def _shelf(self, fault: Fault, stages: frozenset[Stage]) -> Shelf[Rule]:
        """The rules that can decide about a fault in one of these stages."""
        shelf = self._shelves.get((fault, stages))
        if shelf is None:
            met = [rule for rule in self._book.rules if rule.can_meet(fault, stages)]
            shelf = Shelf((rule, rule.words) for rule in met)
            self._shelves[fault, stages] = shelf
        return shelf

    def write(self, rule: Rule | None, symptom: Symptom) -> Finding:
        """Put into words what a rule, or none, has decided. Only what `symptom` holds can be in them."""
        cause = self._book.causes[rule.cause if rule else UNKNOWN]
        advice = cause.advice_for(symptom.provider).overlaid(rule.advice if rule else _Advice())
        finding = _write(cause, advice, symptom, _Blanks(symptom, self._book.blanks, self._names), self._book.evidence)
        return replace(finding, broadly=rule.broadly) if rule and rule.broadly else finding

    @property
    def causes(self) -> tuple[str, ...]:
        """The ids of all causes: the stable codes that a Finding can carry."""
        return tuple(self._book.causes)

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


def load_diagnosis(path: Path | None = None, names: Mapping[str, str] | None = None) -> Diagnosis:
    """Read the rules; `names` are the providers' display names by id.

    Raises `DataError` that names file, line and column: unknown or missing keys, a value that is none of those allowed,
    a pattern that cannot be read, a rule that points to no cause, a blank that nobody fills.
    """
    book = Document(path or data_path("diagnosis.yaml")).root.read(_read_book)
    return Diagnosis(book, names or {})


UNKNOWN = "unknown"
"""The cause of what no rule knows."""

_SEEN = 2000
"""Characters of what was said that the patterns look at: a hostile server must not buy our time."""
_ANY = "any"
"""In the data: a provider of the catalogue, whichever."""


# --- what is said -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Advice:
    """What is said, as templates. None: the more general advice speaks."""

    title: str | None = None
    explanation: str | None = None
    who: Who | None = None
    steps: tuple[str, ...] | None = None
    guide: str | None = None
    forward: str | None = None

    def overlaid(self, upper: _Advice) -> _Advice:
        """This advice, with what `upper` says in its place."""
        said = {f.name: value for f in fields(upper) if (value := getattr(upper, f.name)) is not None}
        return replace(self, **said)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cause:
    """A cause, with what is said about it, and what is said instead for some providers."""

    id: str
    broadly: str
    advice: _Advice
    special: tuple[tuple[frozenset[str], _Advice], ...]
    warning: bool

    def advice_for(self, provider: str | None) -> _Advice:
        """What to say, given the provider: of several that fit, the one that stands first."""
        for providers, advice in self.special:
            if provider and (provider in providers or _ANY in providers):
                return self.advice.overlaid(advice)
        return self.advice


_FACTS = (
    "certificate_names",
    "not_before",
    "not_after",
    "issuer",
    "weakness",
    "tls_version",
    "days",
    "reason",
    "seconds",
    "limit",
    "time",
    "server_time",
)
"""Blanks that are filled from `Symptom.facts`."""


def _place(endpoint: Endpoint | Hints | None) -> str:
    return f"{endpoint.host} (port {endpoint.port})" if endpoint and endpoint.host and endpoint.port else ""


def _other_place(symptom: Symptom) -> str:
    """Where else to try; nowhere if only the way of encrypting differs."""
    other, endpoint = symptom.other, symptom.endpoint
    same = other and endpoint and (other.host, other.port) == (endpoint.host, endpoint.port)
    return "" if same else _place(other)


_FILLERS: Mapping[str, Callable[[Symptom, Mapping[str, str]], str]] = {
    "host": lambda s, _: s.host,
    "port": lambda s, _: str(s.port or ""),
    "security": lambda s, _: s.security.words if s.security else "",
    "place": lambda s, _: _place(s.endpoint or s.hints),
    "other_security": lambda s, _: s.other.security.words if s.other else "",
    "other_place": lambda s, _: _other_place(s),
    "provider": lambda s, names: names.get(s.provider or "", ""),
    "username": lambda s, _: s.username,
    "sender": lambda s, _: s.sender,
    "recipient": lambda s, _: s.recipient,
    "server_said": lambda s, _: server_said(s),
}
_BLANK_NAMES = frozenset(_FILLERS) | frozenset(_FACTS)
_BLANK = re.compile(r"\{([a-z_]+)\}")
_START = re.compile(r"(?:^|[.!?]\s+)$")


class _Blanks:
    """Fills the blanks of templates from one symptom. One pass: what is filled in is never read as a template."""

    def __init__(self, symptom: Symptom, blanks: Mapping[str, str | None], names: Mapping[str, str]) -> None:
        self._symptom = symptom
        self._words = blanks
        self._names = names

    def fill(self, template: str) -> str | None:
        """Return the first wording that can be filled, with words that stand in for unknown facts; None if none can."""
        wordings = (self._filled(wording, self._words) for wording in template.split(_OR))
        return next((text for text in wordings if text is not None), None)

    def fill_with_facts(self, template: str) -> str | None:
        """Return the text; None if it needs any fact that nobody knows."""
        return self._filled(template, {})

    def _filled(self, template: str, stand_ins: Mapping[str, str | None]) -> str | None:
        """Fill one wording; None if a fact is unknown and nothing stands in for it."""
        filled: list[str] = []
        at = 0
        for blank in _BLANK.finditer(template):
            filled.append(template[at : blank.start()])
            value = self._fact(blank[1]) or _fitted(stand_ins.get(blank[1]), template[: blank.start()])
            if not value:
                return None
            filled.append(value)
            at = blank.end()
        return "".join([*filled, template[at:]])

    def _fact(self, name: str) -> str:
        known = self._symptom.facts.get(name, "") if name in _FACTS else _FILLERS[name](self._symptom, self._names)
        return clean(known, _LONGEST.get(name, 160))


_OR = " | "
"""Between the wordings of a template: the first of which every blank can be filled is said."""
_LONGEST = {"server_said": 500, "host": 253, "place": 270, "other_place": 270, "provider": 80, "port": 8}


def _fitted(words: str | None, before: str) -> str:
    """Words that stand in for a fact, with a capital where a sentence begins."""
    if not words:
        return ""
    return words[0].upper() + words[1:] if _START.search(before) else words


def _write(cause: _Cause, advice: _Advice, symptom: Symptom, blanks: _Blanks, evidence: Sequence[str]) -> Finding:
    """Turn advice into a finding: every blank filled, every line that cannot be filled left out."""
    assert advice.title is not None
    assert advice.explanation is not None
    assert advice.who is not None
    assert advice.steps is not None
    return Finding(
        code=cause.id,
        broadly=cause.broadly,
        title=advice.title,
        explanation=blanks.fill(advice.explanation) or "",
        who=advice.who,
        steps=tuple(text for step in advice.steps if (text := blanks.fill(step)) is not None),
        guide=advice.guide,
        server_said=server_said(symptom),
        forward=_letter(advice.forward, blanks, evidence) if advice.forward and advice.who is not Who.YOU else None,
        fix=symptom.other,
        warning=cause.warning,
    )


def _letter(request: str, blanks: _Blanks, evidence: Sequence[str]) -> str:
    """A message for who must act: what is asked for, then the facts. Only named blanks go in, and no secret is one."""
    facts = (blanks.fill_with_facts(line) for line in evidence)
    return "\n".join([blanks.fill(request) or "", "", *(line for line in facts if line is not None)])


_SPEAKING = frozenset({Fault.REJECTED, Fault.OTHER_PROTOCOL, Fault.GARBLED, Fault.UNSOLICITED, Fault.INJECTED})
"""Faults whose words are the other side's; with the others they are the operating system's."""


def server_said(symptom: Symptom) -> str:
    """The server's own words with their codes, cleaned ('535 5.7.8 Wrong password'); empty when it said nothing."""
    if symptom.code is None and symptom.fault not in _SPEAKING:
        return ""
    words = clean(symptom.words)
    codes = [str(symptom.code)] if symptom.code is not None and not words.startswith(str(symptom.code)) else []
    if codes and symptom.enhanced and not words.startswith(symptom.enhanced):
        codes.append(symptom.enhanced)
    return clean(" ".join([*codes, words]))


# --- which rule ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Case:
    """A symptom with its words made plain once, for all rules."""

    symptom: Symptom
    words: Sought

    @property
    def stages(self) -> frozenset[Stage]:
        """The stages that it may have been in."""
        return self.symptom.stages or frozenset({self.symptom.stage})


_Test = Callable[[_Case], bool]


def _plain_words(symptom: Symptom) -> str:
    """The words on one line. The enhanced code, which servers repeat in every line, would tear sentences apart."""
    words = symptom.words[:_SEEN]
    if symptom.enhanced:
        words = words.replace(symptom.enhanced, " ")
    return " ".join(words.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When all of `tests` hold, and not all of `unless`, the cause is `cause`, said as `advice` wants it."""

    cause: str
    tests: tuple[_Test, ...]
    unless: tuple[_Test, ...]
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
    advice: _Advice

    def quoted(self, words: Sought) -> str:
        """The part of the words that fits the condition on them; '' where there is none."""
        found = self.words.search(words) if self.words else None
        return found[0] if found else ""

    def can_meet(self, fault: Fault, stages: frozenset[Stage]) -> bool:
        """Whether the rule is worth asking about this fault in one of these stages."""
        return (self.faults is None or fault in self.faults) and (
            self.stages is None or not self.stages.isdisjoint(stages)
        )

    def matches(self, case: _Case) -> bool:
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


def _knows_provider(wanted: frozenset[str]) -> _Test:
    return lambda case: bool(case.symptom.provider) and (_ANY in wanted or case.symptom.provider in wanted)


_E = TypeVar("_E", bound=StrEnum)


def _members(node: Node, key: str, kind: type[_E]) -> frozenset[_E]:
    return frozenset(kind(value) for value in _among(node, key, kind))


def _among(node: Node, key: str, allowed: Iterable[str]) -> frozenset[str]:
    values = node.one_or_more(key)
    if strange := sorted(set(values) - set(allowed)):
        raise node.error(key, f"'{clean(strange[0], 40)}' is none of: {', '.join(allowed)}")
    return frozenset(values)


def read_patterns(node: Node, key: str) -> Patterns:
    """Read one pattern or a list of them. Raises `DataError` where one cannot be read."""
    values = node.one_or_more(key)
    try:
        return Patterns(values)
    except re.error as problem:
        raise node.error(key, f"'{clean(str(problem.pattern), 80)}' is not a pattern: {problem}") from None


def _codes(node: Node, key: str, shape: str) -> re.Pattern[str]:
    """Status codes of this shape, with wildcards: 'x' stands for a digit, '*' for a number."""
    values = node.one_or_more(key)
    for value in values:
        if not re.fullmatch(shape, value):
            raise node.error(key, f"'{clean(value, 20)}' is not a status code")
    return re.compile("|".join(re.escape(v).replace(r"\*", r"\d{1,3}").replace("x", r"\d") for v in values))


def _fault_test(node: Node, key: str) -> _Test:
    faults = _members(node, key, Fault)
    return lambda case: case.symptom.fault in faults


def _stage_test(node: Node, key: str) -> _Test:
    stages = _members(node, key, Stage)
    return lambda case: not stages.isdisjoint(case.stages)


def _tls_test(node: Node, key: str) -> _Test:
    faults = _members(node, key, TlsFault)
    return lambda case: case.symptom.tls in faults


def _security_test(node: Node, key: str) -> _Test:
    allowed = _members(node, key, Security)
    return lambda case: case.symptom.security in allowed


def _port_test(node: Node, key: str) -> _Test:
    try:
        ports = frozenset(parse_port(value) for value in node.one_or_more(key))
    except PortError as problem:
        raise node.error(key, str(problem)) from None
    return lambda case: case.symptom.port in ports


def _lacking_test(node: Node, key: str) -> _Test:
    lacking = frozenset(node.one_or_more(key))
    return lambda case: case.symptom.lacking in lacking


def _shape_test(node: Node, key: str) -> _Test:
    shapes = _among(node, key, ("app-password", "other"))
    return lambda case: case.symptom.secret_shape in shapes


def _username_test(node: Node, key: str) -> _Test:
    shapes = _among(node, key, ("address", "bare"))
    return lambda case: _username_shape(case.symptom) in shapes


def _sender_test(node: Node, key: str) -> _Test:
    relations = _among(node, key, ("same", "other"))
    return lambda case: _sender_relation(case.symptom) in relations


def _code_test(node: Node, key: str) -> _Test:
    pattern = _codes(node, key, r"[2-5][0-9x]{2}")
    return lambda case: bool(pattern.fullmatch(str(case.symptom.code)))


def _enhanced_test(node: Node, key: str) -> _Test:
    pattern = _codes(node, key, r"[245*](\.(\d{1,3}|\*)){2}")
    return lambda case: bool(pattern.fullmatch(case.symptom.enhanced or ""))


def _auth_test(node: Node, key: str) -> _Test:
    allowed = _members(node, key, Auth)
    return lambda case: case.symptom.hints.auth in allowed


def _fact_test(value: str) -> Callable[[Node, str], _Test]:
    """A condition that is a fact of its own name, and has one value only."""

    def make(node: Node, key: str) -> _Test:
        _among(node, key, (value,))
        return lambda case: case.symptom.facts.get(key) == value

    return make


def _host_test(node: Node, key: str) -> _Test:
    patterns = read_patterns(node, key)
    return lambda case: patterns.fits(case.symptom.host)


def _issuer_test(node: Node, key: str) -> _Test:
    patterns = read_patterns(node, key)

    def test(case: _Case) -> bool:
        facts = case.symptom.facts
        return patterns.fits(facts.get("issuers", facts.get("issuer", ""))[:_SEEN])

    return test


def _clock_test(node: Node, made: datetime) -> _Test:
    """The one thing to ask of the clock: is it wrong beyond doubt?"""
    _among(node, "clock", ("wrong",))
    return lambda case: _clock_is_wrong(case.symptom, made)


def _clock_is_wrong(symptom: Symptom, made: datetime) -> bool:
    """Whether this computer's clock shows a time before this program was made, or a day that is not the server's."""
    now, theirs = symptom.now, symptom.server_time
    if now is None:
        return False
    return now < made or (theirs is not None and abs(theirs - now) > CLOCKS_DIFFER)


CLOCKS_DIFFER = timedelta(days=1)
"""More than time zones that somebody mixed up can explain."""


def _words_test(patterns: Patterns) -> _Test:
    return lambda case: patterns.search(case.words) is not None


_TESTS: Mapping[str, Callable[[Node, str], _Test]] = {
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
    "side": _fact_test("receiving"),
    "secret_shape": _shape_test,
    "code": _code_test,
    "enhanced": _enhanced_test,
    "username": _username_test,
    "sender": _sender_test,
    "host": _host_test,
    "issuer": _issuer_test,
}
"""The conditions that need nothing but the data. Those on words are the dearest to ask, and come last."""


# --- reading the data ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """All that data/diagnosis.yaml says."""

    causes: Mapping[str, _Cause]
    rules: tuple[Rule, ...]
    blanks: Mapping[str, str | None]
    """What stands in a blank when nobody knows the fact; None: what needs it is left out."""
    evidence: tuple[str, ...]
    """The lines of facts under every message that can be forwarded."""
    providers: frozenset[str]
    patterns: tuple[Patterns, ...]
    """All patterns of all rules."""
    checked: datetime
    """The day on which the data was last known to be right: no clock can show an earlier one."""

    def every_advice(self) -> Iterable[_Advice]:
        """All that is said anywhere."""
        for cause in self.causes.values():
            yield cause.advice
            yield from (advice for _, advice in cause.special)
        yield from (rule.advice for rule in self.rules)


def _read_book(node: Node) -> _Book:
    if node.whole("schema") != 1:
        raise node.error("schema", "is not known here")
    checked = _day(node, "checked")
    reader = _Reader(_families(node.child("families")), node.child("blanks").read(_blank_words), checked)
    evidence = reader.templates(node, "evidence")
    causes = reader.causes(node)
    rules = tuple(child.read(partial(reader.rule, causes=causes)) for child in node.children("rules"))
    return _Book(
        causes=causes,
        rules=rules,
        blanks=reader.blanks,
        evidence=evidence,
        providers=frozenset(reader.providers - {_ANY}),
        patterns=tuple(reader.patterns),
        checked=checked,
    )


def _day(node: Node, key: str) -> datetime:
    """The first moment of a day."""
    try:
        return datetime.strptime(node.text(key), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise node.error(key, "must be a day such as 2026-11-24") from None


def _families(node: Node) -> dict[str, tuple[str, ...]]:
    return {name: node.one_or_more(name) for name in node.keys()}  # noqa: SIM118  a Node is no dict


def _blank_words(node: Node) -> dict[str, str | None]:
    words = {name: node.maybe_text(name) for name in sorted(_BLANK_NAMES)}
    if missing := sorted(_BLANK_NAMES - set(node.keys())):
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

    def causes(self, node: Node) -> dict[str, _Cause]:
        """Read all causes, by id."""
        found: dict[str, _Cause] = {}
        for child in node.children("causes"):
            cause = child.read(self._cause)
            if cause.id in found:
                raise child.error("id", f"'{cause.id}' stands twice")
            found[cause.id] = cause
        if UNKNOWN not in found:
            raise node.error("causes", f"there is none with the id '{UNKNOWN}'")
        for child in node.children("causes"):
            self._broadly(child, found)
        return found

    def _cause(self, node: Node) -> _Cause:
        advice = self._advice(node)
        for key in ("title", "explanation", "who", "steps"):
            if getattr(advice, key) is None:
                raise node.error(None, f"the key '{key}' is missing")
        _need_letter(node, advice, advice)
        special = tuple(child.read(partial(self._special, general=advice)) for child in node.children("for"))
        name = node.text("id")
        return _Cause(
            id=name,
            broadly=node.maybe_text("broadly") or name,
            advice=advice,
            special=special,
            warning=node.flag("warning", False),
        )

    def _broadly(self, node: Node, causes: Mapping[str, _Cause]) -> str:
        """What a cause comes down to: a main one; '' where nothing is said."""
        name = node.maybe_text("broadly") or ""
        if name and (name not in causes or causes[name].broadly != name):
            raise node.error("broadly", f"there is no main cause '{clean(name, 60)}'")
        return name

    def _special(self, node: Node, general: _Advice) -> tuple[frozenset[str], _Advice]:
        advice = self._advice(node)
        _need_letter(node, advice, general.overlaid(advice))
        return self._providers(node), advice

    def rule(self, node: Node, causes: Mapping[str, _Cause]) -> Rule:
        """Read one rule: cause, when, unless, and what is to be said otherwise than the cause says it."""
        cause = node.text("cause")
        if cause not in causes:
            raise node.error("cause", f"there is no cause '{clean(cause, 60)}'")
        advice = self._advice(node)
        _need_letter(node, advice, causes[cause].advice.overlaid(advice))
        when = node.child("when")
        words = self._words(when)
        unless = node.maybe_child("unless")
        return Rule(
            cause=cause,
            tests=when.read(partial(self._tests, words=words)),
            unless=unless.read(partial(self._tests, words=self._words(unless))) if unless else (),
            faults=_members(when, "fault", Fault) if when.has("fault") else None,
            stages=_members(when, "stage", Stage) if when.has("stage") else None,
            conditions=frozenset(name for name in (*_TESTS, "provider", "words") if when.has(name)),
            words=words,
            broadly=self._broadly(node, causes),
            advice=advice,
        )

    def _words(self, node: Node) -> Patterns | None:
        patterns = read_patterns(node, "words") if node.has("words") else None
        self.patterns += [patterns] if patterns else []
        return patterns

    def _tests(self, node: Node, words: Patterns | None) -> tuple[_Test, ...]:
        tests = [make(node, name) for name, make in _TESTS.items() if node.has(name)]
        if node.has("provider"):
            tests.insert(0, _knows_provider(self._providers(node)))
        if node.has("clock"):
            tests.insert(0, _clock_test(node, self._checked))
        if words is not None:
            tests.append(_words_test(words))
        if not tests:
            raise node.error(None, "names no condition")
        return tuple(tests)

    def _providers(self, node: Node) -> frozenset[str]:
        """Providers by id, with the names of families spelt out."""
        named = node.one_or_more("provider")
        providers = frozenset(each for name in named for each in self._families.get(name, (name,)))
        self.providers |= providers
        return providers

    def _advice(self, node: Node) -> _Advice:
        advice = _Advice(
            title=self._whole_text(node, "title"),
            explanation=self._whole_text(node, "explanation"),
            who=node.choice("who", Who) if node.has("who") else None,
            steps=self.templates(node, "steps") if node.has("steps") else None,
            guide=node.maybe_text("guide"),
            forward=self._whole_text(node, "forward"),
        )
        if advice.title and _BLANK.search(advice.title):
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
        return any(
            all(self.blanks[name] is not None for name in _BLANK.findall(wording)) for wording in text.split(_OR)
        )


def _template(node: Node, key: str, text: str) -> str:
    """Check the blanks of a text."""
    for name in _BLANK.findall(text):
        if name not in _BLANK_NAMES:
            raise node.error(key, f"nobody fills the blank '{name}'")
    rest = _BLANK.sub("", text)
    if "{" in rest or "}" in rest:
        raise node.error(key, "a brace that opens or closes no blank")
    return " ".join(text.split())


def _need_letter(node: Node, own: _Advice, whole: _Advice) -> None:
    """Who is told that somebody else must act needs something to send to them; who acts alone needs nothing."""
    if whole.who is not Who.YOU and whole.forward is None:
        raise node.error(None, "the key 'forward' is missing: the message for who must act")
    if whole.who is Who.YOU and own.forward is not None:
        raise node.error("forward", "has nobody to go to: who acts is 'you'")
