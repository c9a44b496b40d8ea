"""From what went wrong to what a person can do: a Symptom becomes a Finding. The rules are in data/diagnosis.yaml.

How the rules are read: the first one whose conditions all hold decides the cause, so the file goes from the particular
to the general. What is said comes from the cause; what the cause says for one provider goes before that, and what the
rule itself says goes before both, field by field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from smtp_wizard.engine.data import DataError, data_path, read_yaml
from smtp_wizard.engine.model import Endpoint, PortError, Security, Stage, Who, clean, parse_port


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
    VERSION = "version"
    """No TLS version or cipher in common."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """What is known at the moment of a failure, flat, so that rules can be written over it.

    Every text in it is cleaned and free of secrets already.
    """

    stage: Stage
    fault: Fault
    words: str = ""
    """What the server or the operating system said."""
    code: int | None = None
    """Basic status code (RFC 5321 section 4.2), such as 535."""
    enhanced: str | None = None
    """Enhanced status code (RFC 3463), such as '5.7.8'."""
    tls: TlsFault | None = None
    lacking: str = ""
    """What was not offered: STARTTLS, AUTH, SMTPUTF8, HELO-ONLY."""
    endpoint: Endpoint | None = None
    provider: str | None = None
    """Id in the catalogue."""
    secret_shape: str | None = None
    """'app-password' if the secret that was tried looks like one of this provider, 'other' if it does not."""
    username: str = ""
    sender: str = ""
    recipient: str = ""
    other: Endpoint | None = None
    """An endpoint that was seen to work, or that answers in the other way: what the one-key fix would use."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """More to fill in, by name: certificate_names, not_after, issuer, seconds, limit ..."""

    @property
    def security(self) -> Security | None:
        """How the endpoint was spoken to."""
        return self.endpoint.security if self.endpoint else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A failure in words: what is wrong, who must act, what to do next."""

    code: str
    """Id of the cause: stable, in the taxonomy of data/diagnosis.yaml."""
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
        self._rules = {fault: tuple(rule for rule in book.rules if rule.can_meet(fault)) for fault in Fault}

    def explain(self, symptom: Symptom) -> Finding:
        """Say what is wrong and what to do. Total: what no rule knows is called unknown, with what to try."""
        rule = self.rule_for(symptom)
        cause = self._book.causes[rule.cause if rule else UNKNOWN]
        advice = cause.advice_for(symptom.provider).overlaid(rule.advice if rule else _Advice())
        return _write(cause, advice, symptom, _Blanks(symptom, self._book.blanks, self._names), self._book.evidence)

    def rule_for(self, symptom: Symptom) -> Rule | None:
        """The rule that decides, or None."""
        case = _Case(symptom, _plain_words(symptom))
        return next((rule for rule in self._rules[symptom.fault] if rule.matches(case)), None)

    @property
    def causes(self) -> tuple[str, ...]:
        """The ids of all causes: the stable codes that a Finding can carry."""
        return tuple(self._book.causes)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, in the order in which they are asked."""
        return self._book.rules

    @property
    def guides(self) -> frozenset[str]:
        """The ids of all guides that are pointed to, so that a check of the data can look for them."""
        return frozenset(advice.guide for advice in self._book.every_advice() if advice.guide)

    @property
    def providers(self) -> frozenset[str]:
        """The ids of all providers that are named, so that a check of the data can look for them."""
        return self._book.providers


def load_diagnosis(path: Path | None = None, names: Mapping[str, str] | None = None) -> Diagnosis:
    """Read the rules; `names` are the providers' display names by id.

    Raises `DataError` that says where: unknown or missing keys, a value that is none of those allowed, a pattern that
    cannot be read, a rule that points to no cause, a blank that nobody fills.
    """
    path = path or data_path("diagnosis.yaml")
    return Diagnosis(_read_book(read_yaml(path), path.name), names or {})


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
    advice: _Advice
    special: tuple[tuple[frozenset[str], _Advice], ...]
    warning: bool

    def advice_for(self, provider: str | None) -> _Advice:
        """What to say, given the provider: of several that fit, the one that stands first."""
        for providers, advice in self.special:
            if provider and (provider in providers or _ANY in providers):
                return self.advice.overlaid(advice)
        return self.advice


_FACTS = ("certificate_names", "not_after", "issuer", "seconds", "limit", "time")
"""Blanks that are filled from `Symptom.facts`."""


def _place(endpoint: Endpoint | None) -> str:
    return f"{endpoint.host}, port {endpoint.port}" if endpoint else ""


_FILLERS: Mapping[str, Callable[[Symptom, Mapping[str, str]], str]] = {
    "host": lambda s, _: s.endpoint.host if s.endpoint else "",
    "port": lambda s, _: str(s.endpoint.port) if s.endpoint else "",
    "security": lambda s, _: s.endpoint.security.words if s.endpoint else "",
    "place": lambda s, _: _place(s.endpoint),
    "other_port": lambda s, _: str(s.other.port) if s.other else "",
    "other_security": lambda s, _: s.other.security.words if s.other else "",
    "other_place": lambda s, _: _place(s.other),
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
        self._blanks = blanks
        self._names = names

    def fill(self, template: str) -> str | None:
        """Return the text; None if it needs a fact that nobody knows and that has no word to stand in for it."""
        values = {name: self._value(name) for name in _BLANK.findall(template)}
        if None in values.values():
            return None
        return _BLANK.sub(lambda found: _fitted(values[found[1]] or "", template[: found.start()]), template)

    def _value(self, name: str) -> str | None:
        known = self._symptom.facts.get(name, "") if name in _FACTS else _FILLERS[name](self._symptom, self._names)
        return clean(known, _LONGEST.get(name, 160)) or self._blanks[name]


_LONGEST = {"server_said": 500, "host": 253, "place": 265, "other_place": 265, "provider": 80, "port": 8}


def _fitted(value: str, before: str) -> str:
    """The value as it stands at its place: words get a capital at the start of a sentence, hosts do not."""
    plain = value.replace(" ", "").replace("-", "").isalpha()
    return value[:1].upper() + value[1:] if plain and _START.search(before) else value


def _write(cause: _Cause, advice: _Advice, symptom: Symptom, blanks: _Blanks, evidence: Sequence[str]) -> Finding:
    """Turn advice into a finding: every blank filled, every line that cannot be filled left out."""
    assert advice.title is not None
    assert advice.explanation is not None
    assert advice.who is not None
    assert advice.steps is not None
    return Finding(
        code=cause.id,
        title=advice.title,
        explanation=blanks.fill(advice.explanation) or "",
        who=advice.who,
        steps=tuple(_filled(advice.steps, blanks)),
        guide=advice.guide,
        server_said=server_said(symptom),
        forward=_letter(advice.forward, blanks, evidence) if advice.forward and advice.who is not Who.YOU else None,
        fix=symptom.other,
        warning=cause.warning,
    )


def _filled(templates: Iterable[str], blanks: _Blanks) -> list[str]:
    return [text for template in templates if (text := blanks.fill(template)) is not None]


def _letter(request: str, blanks: _Blanks, evidence: Sequence[str]) -> str:
    """A message for who must act: what is asked for, then the facts. Only named blanks go in, and no secret is one."""
    asked = " ".join(_filled([request], blanks))
    return "\n".join([asked, "", *_filled(evidence, blanks)])


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
    words: str


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
    advice: _Advice
    where: str
    """'rule 12', for messages."""

    def can_meet(self, fault: Fault) -> bool:
        return self.faults is None or fault in self.faults

    def matches(self, case: _Case) -> bool:
        if not all(test(case) for test in self.tests):
            return False
        return not (self.unless and all(test(case) for test in self.unless))


_E = TypeVar("_E", bound=StrEnum)


def _one_of(kind: type[_E], values: Sequence[str], where: str) -> frozenset[_E]:
    try:
        return frozenset(kind(value) for value in values)
    except ValueError as problem:
        raise DataError(f"{where}: {clean(str(problem))}") from None


def _pattern(values: Sequence[str], where: str) -> re.Pattern[str]:
    for value in values:
        try:
            re.compile(value)
        except re.error as problem:
            raise DataError(f"{where}: '{clean(value, 80)}' is not a pattern: {problem}") from None
    return re.compile("|".join(f"(?:{value})" for value in values), re.IGNORECASE)


def _code_pattern(values: Sequence[str], where: str) -> re.Pattern[str]:
    """Codes with wildcards: '5xx' and '5.7.*' are read digit by digit and part by part."""
    for value in values:
        if not re.fullmatch(r"[2-5][0-9x]{2}|[245*](?:\.(?:\d{1,3}|\*)){2}", value):
            raise DataError(f"{where}: '{clean(value, 20)}' is not a status code")
    shapes = (re.escape(value).replace(r"\*", r"\d{1,3}").replace("x", r"\d") for value in values)
    return re.compile("|".join(shapes))


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


def _among(values: Sequence[str], allowed: Iterable[str], where: str) -> frozenset[str]:
    if strange := sorted(set(values) - set(allowed)):
        raise DataError(f"{where}: '{clean(strange[0], 40)}' is not one of {', '.join(sorted(allowed))}")
    return frozenset(values)


def _stage_test(values: Sequence[str], where: str) -> _Test:
    stages = _one_of(Stage, values, where)
    return lambda case: case.symptom.stage in stages


def _fault_test(values: Sequence[str], where: str) -> _Test:
    faults = _one_of(Fault, values, where)
    return lambda case: case.symptom.fault in faults


def _tls_test(values: Sequence[str], where: str) -> _Test:
    faults = _one_of(TlsFault, values, where)
    return lambda case: case.symptom.tls in faults


def _security_test(values: Sequence[str], where: str) -> _Test:
    allowed = _one_of(Security, values, where)
    return lambda case: case.symptom.security in allowed


def _code_test(values: Sequence[str], where: str) -> _Test:
    pattern = _code_pattern(values, where)
    return lambda case: case.symptom.code is not None and bool(pattern.fullmatch(str(case.symptom.code)))


def _enhanced_test(values: Sequence[str], where: str) -> _Test:
    pattern = _code_pattern(values, where)
    return lambda case: bool(pattern.fullmatch(case.symptom.enhanced or ""))


def _words_test(values: Sequence[str], where: str) -> _Test:
    pattern = _pattern(values, where)
    return lambda case: bool(pattern.search(case.words))


def _host_test(values: Sequence[str], where: str) -> _Test:
    pattern = _pattern(values, where)
    return lambda case: case.symptom.endpoint is not None and bool(pattern.search(case.symptom.endpoint.host))


def _issuer_test(values: Sequence[str], where: str) -> _Test:
    pattern = _pattern(values, where)
    return lambda case: bool(pattern.search(case.symptom.facts.get("issuer", "")[:_SEEN]))


def _port_test(values: Sequence[str], where: str) -> _Test:
    try:
        ports = frozenset(parse_port(value) for value in values)
    except PortError as problem:
        raise DataError(f"{where}: {problem}") from None
    return lambda case: case.symptom.endpoint is not None and case.symptom.endpoint.port in ports


def _lacking_test(values: Sequence[str], where: str) -> _Test:
    lacking = frozenset(value.casefold() for value in values)
    return lambda case: case.symptom.lacking.casefold() in lacking


def _shape_test(values: Sequence[str], where: str) -> _Test:
    shapes = _among(values, ("app-password", "other"), where)
    return lambda case: case.symptom.secret_shape in shapes


def _username_test(values: Sequence[str], where: str) -> _Test:
    shapes = _among(values, ("address", "bare"), where)
    return lambda case: _username_shape(case.symptom) in shapes


def _sender_test(values: Sequence[str], where: str) -> _Test:
    relations = _among(values, ("same", "other"), where)
    return lambda case: _sender_relation(case.symptom) in relations


def _provider_test(values: Sequence[str], where: str) -> _Test:
    providers = frozenset(values)
    return lambda case: case.symptom.provider is not None and (_ANY in providers or case.symptom.provider in providers)


_TESTS: Mapping[str, Callable[[Sequence[str], str], _Test]] = {
    # What is cheap to ask is asked first.
    "fault": _fault_test,
    "stage": _stage_test,
    "tls": _tls_test,
    "security": _security_test,
    "port": _port_test,
    "lacking": _lacking_test,
    "secret_shape": _shape_test,
    "provider": _provider_test,
    "code": _code_test,
    "enhanced": _enhanced_test,
    "username": _username_test,
    "sender": _sender_test,
    "host": _host_test,
    "issuer": _issuer_test,
    "words": _words_test,
}


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

    def every_advice(self) -> Iterable[_Advice]:
        for cause in self.causes.values():
            yield cause.advice
            yield from (advice for _, advice in cause.special)
        yield from (rule.advice for rule in self.rules)


_ADVICE_KEYS = frozenset(f.name for f in fields(_Advice))


def _read_book(data: Any, where: str) -> _Book:
    table = _table(data, where, required={"version", "families", "blanks", "evidence", "causes", "rules"})
    if table["version"] != 1:
        raise DataError(f"{where}: version {clean(str(table['version']), 20)} is not known here")
    reader = _Reader(_families(table["families"], where), _blank_words(table["blanks"], f"{where}: blanks"))
    evidence = tuple(reader.template(line, f"{where}: evidence") for line in _texts(table["evidence"], where))
    causes = reader.causes(table["causes"], where)
    rules = tuple(
        reader.rule(rule, causes, f"{where}: rule {number}")
        for number, rule in enumerate(_list(table["rules"], f"{where}: rules"), 1)
    )
    return _Book(
        causes=causes,
        rules=rules,
        blanks=reader.blanks,
        evidence=evidence,
        providers=frozenset(reader.providers - {_ANY}),
    )


class _Reader:
    """Reads causes and rules; knows the families of providers and the blanks, and notes every provider it meets."""

    def __init__(self, families: Mapping[str, tuple[str, ...]], blanks: Mapping[str, str | None]) -> None:
        self._families = families
        self.blanks = blanks
        self.providers: set[str] = {provider for family in families.values() for provider in family}

    def causes(self, data: Any, where: str) -> dict[str, _Cause]:
        found: dict[str, _Cause] = {}
        for number, item in enumerate(_list(data, f"{where}: causes"), 1):
            cause = self._cause(item, f"{where}: cause {number}")
            if cause.id in found:
                raise DataError(f"{where}: the cause '{cause.id}' stands twice")
            found[cause.id] = cause
        if UNKNOWN not in found:
            raise DataError(f"{where}: there is no cause '{UNKNOWN}'")
        return found

    def _cause(self, data: Any, where: str) -> _Cause:
        needed = {"id", "title", "explanation", "who", "steps", "guide"}
        table = _table(data, where, required=needed, optional={"forward", "warning", "for"})
        where = f"{where} ({_text(table['id'], where)})"
        if not isinstance(table.get("warning", False), bool):
            raise DataError(f"{where}: 'warning' is true or false")
        advice = self._advice({key: table[key] for key in _ADVICE_KEYS & table.keys()}, where)
        _need_letter(advice, advice, where)
        special = tuple(self._special(item, advice, f"{where}: for") for item in _list(table.get("for", []), where))
        return _Cause(id=table["id"], advice=advice, special=special, warning=table.get("warning", False))

    def _special(self, data: Any, general: _Advice, where: str) -> tuple[frozenset[str], _Advice]:
        table = _table(data, where, required={"provider"}, optional=_ADVICE_KEYS)
        advice = self._advice({key: table[key] for key in _ADVICE_KEYS & table.keys()}, where)
        _need_letter(advice, general.overlaid(advice), where)
        return frozenset(self._expanded(_values(table["provider"], where))), advice

    def rule(self, data: Any, causes: Mapping[str, _Cause], where: str) -> Rule:
        """Read one rule: {cause, when, unless, and what is to be said otherwise than the cause says it}."""
        table = _table(data, where, required={"cause", "when"}, optional={"unless", *_ADVICE_KEYS})
        if table["cause"] not in causes:
            raise DataError(f"{where}: there is no cause '{clean(str(table['cause']), 60)}'")
        where = f"{where} ({table['cause']})"
        advice = self._advice({key: table[key] for key in _ADVICE_KEYS & table.keys()}, where)
        _need_letter(advice, causes[table["cause"]].advice.overlaid(advice), where)
        when = _table(table["when"], f"{where}: when", optional=_TESTS.keys())
        return Rule(
            cause=table["cause"],
            tests=self._tests(when, f"{where}: when"),
            unless=self._tests(_table(table.get("unless", {}), where, optional=_TESTS.keys()), f"{where}: unless"),
            faults=_one_of(Fault, _values(when["fault"], where), where) if "fault" in when else None,
            advice=advice,
            where=where,
        )

    def _tests(self, table: Mapping[str, Any], where: str) -> tuple[_Test, ...]:
        return tuple(
            make(self._condition(name, table[name], where), f"{where}: {name}")
            for name, make in _TESTS.items()
            if name in table
        )

    def _condition(self, name: str, value: Any, where: str) -> Sequence[str]:
        values = _values(value, f"{where}: {name}")
        return self._expanded(values) if name == "provider" else values

    def _expanded(self, values: Sequence[str]) -> tuple[str, ...]:
        """Providers by id, with the names of families spelt out."""
        providers = tuple(id_ for value in values for id_ in self._families.get(value, (value,)))
        self.providers.update(providers)
        return providers

    def _advice(self, table: Mapping[str, Any], where: str) -> _Advice:
        def text(key: str) -> str | None:
            return self.template(table[key], f"{where}: {key}") if table.get(key) is not None else None

        title = text("title")
        if title and _BLANK.search(title):
            raise DataError(f"{where}: a title has no blanks")
        explanation = text("explanation")
        self._keep_whole(explanation or "", f"{where}: explanation")
        return _Advice(
            title=title,
            explanation=explanation,
            who=next(iter(_one_of(Who, [table["who"]], f"{where}: who"))) if "who" in table else None,
            steps=self._steps(table["steps"], f"{where}: steps") if "steps" in table else None,
            guide=_text(table["guide"], where) if table.get("guide") is not None else None,
            forward=self._forward(text("forward"), where),
        )

    def _forward(self, text: str | None, where: str) -> str | None:
        self._keep_whole(text or "", f"{where}: forward")
        return text

    def _steps(self, data: Any, where: str) -> tuple[str, ...]:
        steps = tuple(self.template(step, where) for step in _texts(data, where))
        if not any(self._always(step) for step in steps):
            raise DataError(f"{where}: at least one step must not depend on what may be unknown")
        return steps

    def _keep_whole(self, text: str, where: str) -> None:
        if not self._always(text):
            raise DataError(f"{where}: has a blank that may be unknown and has no word to stand in for it")

    def _always(self, text: str) -> bool:
        return all(self.blanks[name] is not None for name in _BLANK.findall(text))

    def template(self, value: Any, where: str) -> str:
        """Read a text with blanks."""
        text = " ".join(_text(value, where).split())
        for name in _BLANK.findall(text):
            if name not in _BLANK_NAMES:
                raise DataError(f"{where}: nobody fills the blank '{name}'")
        if "{" in (rest := _BLANK.sub("", text)) or "}" in rest:
            raise DataError(f"{where}: a brace that opens or closes no blank")
        return text


def _need_letter(own: _Advice, whole: _Advice, where: str) -> None:
    """Who is told that somebody else must act needs something to send to them; who acts alone needs nothing."""
    if whole.who is not Who.YOU and whole.forward is None:
        raise DataError(f"{where}: 'forward' is missing: the message for who must act")
    if whole.who is Who.YOU and own.forward is not None:
        raise DataError(f"{where}: 'forward' has nobody to go to")


def _families(data: Any, where: str) -> dict[str, tuple[str, ...]]:
    where = f"{where}: families"
    table = _table(data, where, optional=None)
    return {name: _texts(members, f"{where}: {name}") for name, members in table.items()}


def _blank_words(data: Any, where: str) -> dict[str, str | None]:
    table = _table(data, where, required=_BLANK_NAMES)
    return {name: None if word is None else _text(word, f"{where}: {name}") for name, word in table.items()}


def _table(
    data: Any, where: str, *, required: Iterable[str] = (), optional: Iterable[str] | None = ()
) -> dict[str, Any]:
    """A mapping with exactly these keys; `optional=None` allows any."""
    if not isinstance(data, dict):
        raise DataError(f"{where}: a table of keys and values is expected")
    if missing := sorted(set(required) - data.keys()):
        raise DataError(f"{where}: the key '{missing[0]}' is missing")
    if optional is not None and (strange := sorted(map(str, data.keys() - set(required) - set(optional)))):
        raise DataError(f"{where}: the key '{clean(strange[0], 60)}' is not known")
    return data


def _list(data: Any, where: str) -> list[Any]:
    if not isinstance(data, list):
        raise DataError(f"{where}: a list is expected")
    return data


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{where}: text is expected, not {clean(repr(value), 40)}")
    return value.strip()


def _texts(data: Any, where: str) -> tuple[str, ...]:
    if not (items := _list(data, where)):
        raise DataError(f"{where}: the list is empty")
    return tuple(_text(item, where) for item in items)


def _values(data: Any, where: str) -> tuple[str, ...]:
    """One value or a list of them; a number is taken as it is written."""
    items = data if isinstance(data, list) else [data]
    return _texts([str(item) if type(item) is int else item for item in items], where)
