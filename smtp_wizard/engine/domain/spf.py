"""SPF: who may send for a domain (RFC 7208). Reads the record, and follows it as far as a receiver would.

The record is judged as a set-up, not against one message: which servers it allows, how many look-ups it costs a
receiver, and what makes receivers ignore it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.endpoint import HostError, ascii_host
from smtp_wizard.engine.domain.dns_lookups import NOT_SAID
from smtp_wizard.engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from smtp_wizard.engine.domain.dns_lookups import Lookups

MOST_LOOKUPS = 10
"""Terms that ask the DNS, in all records together; more is a permanent error (RFC 7208 section 4.6.4)."""
MOST_VOID = 2
"""Look-ups that may find nothing (the same section)."""
MOST_TERMS = 200
"""Terms of one record that are read. A record of 450 bytes, which is the advice of section 3.4, has far fewer."""
MOST_FOLLOWED = 4 * MOST_LOOKUPS
"""Terms that are followed beyond the limit, so that the count that is told is the real one."""

_LOOKING_UP = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
_MECHANISMS = frozenset({"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"})
_TERM = re.compile(r"([-+~?]?)([a-z][a-z0-9._-]*)(?:([:=])([^ ]*?))?((?:/[0-9]{1,3})?(?://[0-9]{1,3})?)", re.IGNORECASE)


class SpfFault(StrEnum):
    """What is wrong with a domain's SPF."""

    MISSING = "spf_missing"
    SEVERAL = "spf_several"
    """More than one record: a permanent error (section 4.5)."""
    SYNTAX = "spf_syntax"
    TOO_MANY_LOOKUPS = "spf_too_many_lookups"
    TOO_MANY_VOID = "spf_too_many_void_lookups"
    LOOP = "spf_loop"
    EMPTY_INCLUDE = "spf_include_without_record"
    """A domain that is included has no record, which is a permanent error (section 5.2)."""
    EVERYBODY = "spf_allows_everybody"
    NO_END = "spf_no_end"
    """Nothing is said of servers that are not named: as '?all'."""
    PROVIDER_MISSING = "spf_provider_missing"
    PTR = "spf_ptr"
    """'ptr' should not be used (section 5.5)."""
    UNREACHABLE = "spf_unreachable"
    """The DNS did not say."""


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a record: a mechanism with its qualifier, or a modifier."""

    text: str
    qualifier: str
    """'+', '-', '~' or '?'; '' for a modifier."""
    name: str
    """In lower case."""
    value: str = ""
    mask: str = ""
    """'/24', '//64' or both, of 'a' and 'mx'."""

    @property
    def looks_up(self) -> bool:
        """Whether a receiver must ask the DNS for it."""
        return self.name in _LOOKING_UP

    @property
    def has_macro(self) -> bool:
        """Whether what it names depends on the message (section 7)."""
        return "%" in self.value


@dataclass(frozen=True, slots=True)
class SpfProblem:
    """One fault, and the term or the domain that has it."""

    fault: SpfFault
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfResult:
    """What was found of a domain's SPF."""

    records: tuple[str, ...] = ()
    """Every record that begins as SPF does, as published."""
    terms: tuple[Term, ...] = ()
    """Of the one record, where there is one."""
    lookups: int = 0
    void: int = 0
    included: frozenset[str] = frozenset()
    """Domains that are included or led to, at any depth."""
    troubles: tuple[SpfProblem, ...] = ()
    empty_terms: tuple[str, ...] = ()
    """Terms of the domain's own record that lead to nothing."""
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The addresses that the own terms 'a' and 'mx' lead to, by the term."""

    @property
    def record(self) -> str:
        """The record, '' where there is none or more than one."""
        return self.records[0] if len(self.records) == 1 else ""


def is_spf(text: str) -> bool:
    """Whether a TXT record is one for SPF: the version, and a blank or the end (section 4.5)."""
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def parse_terms(record: str) -> tuple[tuple[Term, ...], tuple[str, ...]]:
    """Return the terms of a record (section 4.6.1), and those that are none."""
    good: list[Term] = []
    bad: list[str] = []
    for text in record.split(" ")[1 : MOST_TERMS + 1]:
        term = _term(text) if text else None
        if term is not None:
            good.append(term)
        elif text:
            bad.append(text)
    return tuple(good), tuple(bad)


def _term(text: str) -> Term | None:
    found = _TERM.fullmatch(text)
    if found is None:
        return None
    qualifier, name, sign, value, mask = (each or "" for each in found.groups())
    name = name.lower()
    if sign == "=":
        return Term(text, "", name, value + mask) if not qualifier and name not in _MECHANISMS else None
    if name not in _MECHANISMS or not _may_stand(name, sign, value, mask):
        return None
    return Term(text, qualifier or "+", name, value + mask if name in ("ip4", "ip6") else value, mask)


def _may_stand(name: str, sign: str, value: str, mask: str) -> bool:
    if name == "all":
        return not sign and not mask
    if name in ("ip4", "ip6"):
        return _is_network(value + mask, 4 if name == "ip4" else 6)
    if name in ("include", "exists"):
        return bool(value) and not mask and _names_a_domain(value)
    return (not sign or bool(value)) and (not value or _names_a_domain(value)) and _is_mask(mask)


def _is_network(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_network(text, strict=False).version == version
    except ValueError:
        return False


def _is_mask(mask: str) -> bool:
    four, _, six = mask.partition("//")
    return (not four or int(four[1:]) <= 32) and (not six or int(six) <= 128)


def _names_a_domain(value: str) -> bool:
    if "%" in value:
        return re.fullmatch(r"(?:[^%]|%[%_-]|%\{[a-z][0-9]*r?[-.+,/_=]*\})*", value, re.IGNORECASE) is not None
    return _domain(value) != ""


def _domain(value: str) -> str:
    """Return a domain in A-labels, '' where it can be none. Names with an underscore are domains here."""
    plain = value.rstrip(".").lower()
    try:
        ascii_host(plain.replace("_", "x"))
    except HostError:
        return ""
    return plain


async def examine_spf(
    domain: str, lookups: Lookups, provider: Sequence[str] = (), senders: Sequence[str] = ()
) -> SpfResult:
    """Look a domain's SPF up and follow it. Raises nothing: what the DNS does not say is a trouble.

    `domain`: in A-labels. `provider`: domains, any of which, included, lets the provider send. `senders`: addresses of
    a server of one's own, each of which must be allowed.
    """
    texts = await lookups.texts(domain)
    records = tuple(sorted(each for each in texts.found if is_spf(each)))  # the DNS keeps no order
    if not records:
        fault = SpfFault.UNREACHABLE if texts.problem in NOT_SAID else SpfFault.MISSING
        return SpfResult(troubles=(SpfProblem(fault, domain),))
    if len(records) > 1:
        return SpfResult(records=records, troubles=(SpfProblem(SpfFault.SEVERAL, domain),))
    walk = _Walk(lookups)
    await walk.follow(domain, records[0], (domain,))
    terms, _ = parse_terms(records[0])
    return SpfResult(
        records=records,
        terms=terms,
        lookups=walk.lookups,
        void=walk.void,
        included=frozenset(walk.included),
        troubles=tuple(dict.fromkeys(_troubles(domain, terms, walk, provider, senders))),
        empty_terms=tuple(walk.empty),
        addresses=walk.addresses,
    )


def _troubles(
    domain: str, terms: tuple[Term, ...], walk: _Walk, provider: Sequence[str], senders: Sequence[str]
) -> Iterator[SpfProblem]:
    yield from walk.troubles
    if walk.lookups > MOST_LOOKUPS:
        yield SpfProblem(SpfFault.TOO_MANY_LOOKUPS, domain)
    if walk.void > MOST_VOID:
        yield SpfProblem(SpfFault.TOO_MANY_VOID, domain)
    if not any(each.name in ("all", "redirect") for each in terms):
        yield SpfProblem(SpfFault.NO_END, domain)
    if any(each.fault is SpfFault.UNREACHABLE for each in walk.troubles):
        return  # who is named there is not known
    if provider and not (walk.included | _meant(domain, walk)) & {each.lower() for each in provider}:
        yield SpfProblem(SpfFault.PROVIDER_MISSING, provider[0])
    for sender in senders:
        if not walk.allows(sender):
            yield SpfProblem(SpfFault.PROVIDER_MISSING, sender)
            break


def _meant(domain: str, walk: _Walk) -> set[str]:
    """Return the domains that misspelt terms of the domain's own record mean to include."""
    wrong = (each.where.partition(": ")[2] for each in walk.troubles if each.where.startswith(f"{domain}: "))
    terms = (_term(_respelt(each)) for each in wrong)
    return {each.value.lower() for each in terms if each is not None and each.name == "include"}


class _Walk:
    """Follows a record into those that it includes, as a receiver does, and counts."""

    def __init__(self, lookups: Lookups) -> None:
        self._ask = lookups
        self.lookups = 0
        self.void = 0
        self.included: set[str] = set()
        self.troubles: list[SpfProblem] = []
        self.empty: list[str] = []
        self.addresses: dict[str, tuple[str, ...]] = {}
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        self._own_term = ""
        """The term of the domain's own record that is being followed."""

    def allows(self, address: str) -> bool:
        """Whether an address is among those that are named as senders."""
        wanted = ipaddress.ip_address(address)
        return any(wanted in each for each in self._networks)

    async def follow(self, domain: str, record: str, way: tuple[str, ...]) -> None:
        """Read one record. `way`: the domains that led here, this one last."""
        terms, bad = parse_terms(record)
        self.troubles += [SpfProblem(SpfFault.SYNTAX, f"{domain}: {each}") for each in bad[:3]]
        for term in terms:
            if term.name == "ptr":
                self.troubles.append(SpfProblem(SpfFault.PTR, domain))
            if term.name == "all" and term.qualifier == "+":
                self.troubles.append(SpfProblem(SpfFault.EVERYBODY, domain))
            if term.name == "redirect" and any(each.name == "all" for each in terms):
                continue  # it is ignored then (section 6.1)
            if term.name in ("ip4", "ip6") and term.qualifier == "+":
                self._networks.append(ipaddress.ip_network(term.value, strict=False))
            if term.looks_up and self.lookups < MOST_FOLLOWED:
                self.lookups += 1
                self._own_term = term.text if len(way) == 1 else self._own_term
                await self._look_up(term, domain, way)

    async def _look_up(self, term: Term, domain: str, way: tuple[str, ...]) -> None:
        if term.has_macro or term.name in ("ptr", "exists"):
            return  # what that is, only a message says
        target = _domain(term.value) or domain
        if term.name in ("include", "redirect"):
            await self._include(term, target, way)
            return
        asked = self._ask.mail_host_addresses if term.name == "mx" else self._ask.addresses_or_problem
        answer = await asked(target)
        if answer in NOT_SAID:
            self.troubles.append(SpfProblem(SpfFault.UNREACHABLE, target))
            return
        found = answer if isinstance(answer, tuple) else ()
        if term.qualifier == "+":
            self._networks += [_network(each, term.mask) for each in found]
        if len(way) == 1:
            self.addresses[term.text] = found
        if not found:
            self.void += 1
            if len(way) == 1:
                self.empty.append(term.text)

    async def _include(self, term: Term, target: str, way: tuple[str, ...]) -> None:
        self.included.add(target)
        if target in way:
            self.troubles.append(SpfProblem(SpfFault.LOOP, target))
            self.empty.append(self._own_term)
            return
        texts = await self._ask.texts(target)
        records = [each for each in texts.found if is_spf(each)]
        if len(records) == 1:
            await self.follow(target, records[0], (*way, target))
            return
        if texts.problem in NOT_SAID:
            self.troubles.append(SpfProblem(SpfFault.UNREACHABLE, target))
            return
        if not texts.found:
            self.void += 1
        if len(way) == 1:
            self.empty.append(term.text)
        self.troubles.append(SpfProblem(SpfFault.SEVERAL if records else SpfFault.EMPTY_INCLUDE, target))


def _network(address: str, mask: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Return the network that an address stands for (RFC 7208 section 5.3: '/24//64')."""
    four, _, six = mask.partition("//")
    length = four.removeprefix("/") if "." in address else six
    return ipaddress.ip_network(f"{address}/{length}" if length else address, strict=False)


# --- the record that mends it -----------------------------------------------------------------------------------------


def mended(result: SpfResult, sender: str = "") -> str:
    """Return the record to publish in place of what stands there.

    What is allowed stays allowed: the terms of all records, once each, without those that lead to nothing or that no
    receiver can read. `sender`: the term that lets the provider or the server send, such as 'include:spf.example.net'.
    Where that costs too many look-ups, the domain's own hosts are named by their addresses.
    """
    terms = list(dict.fromkeys(_kept(result)))
    redirect = next((each for each in terms if each.lower().startswith("redirect=")), "")
    terms = [each for each in terms if each != redirect]
    wanted = any(each.fault is SpfFault.PROVIDER_MISSING for each in result.troubles) or not result.terms
    if sender and wanted and sender not in terms:
        terms.append(sender)
    if redirect and (len(result.records) > 1 or (sender and wanted)):
        terms.append(f"include:{redirect.partition('=')[2]}")  # what follows an 'all' is ignored
        redirect = ""
    if result.lookups + (sender in terms and wanted) > MOST_LOOKUPS:
        terms = list(dict.fromkeys(_written_out(terms, result.addresses)))
    return " ".join(["v=spf1", *terms, redirect or _end(result)])


def costs_too_much(record: str, result: SpfResult) -> bool:
    """Whether a mended record may still cost too many look-ups: what it no longer asks is taken off the count."""
    gone = sum(each.looks_up for each in result.terms if each.text not in record.split(" "))
    return result.lookups - gone > MOST_LOOKUPS


def _kept(result: SpfResult) -> Iterator[str]:
    for record in result.records:
        for text in record.split(" ")[1 : MOST_TERMS + 1]:
            term = _term(_respelt(text)) if text else None
            if term is not None and term.name not in ("all", "ptr") and term.text not in result.empty_terms:
                yield term.text


_SLIPS = (
    (re.compile(r"^([-+~?]?)ipv?4?[:=](?=[0-9.]+(?:/[0-9]+)?$)", re.IGNORECASE), r"\1ip4:"),
    (re.compile(r"^([-+~?]?)ipv?6?[:=](?=[0-9a-f:]+(?:/[0-9]+)?$)", re.IGNORECASE), r"\1ip6:"),
    (re.compile(r"^([-+~?]?)(include|includes|inlcude|a|mx|exists)[:=]", re.IGNORECASE), r"\1\2:"),
    (re.compile(r"^([-+~?]?)(?:includes|inlcude):", re.IGNORECASE), r"\1include:"),
    (re.compile(r"^redirect:", re.IGNORECASE), "redirect="),
)
"""How terms are misspelt, and how they are right."""


def _respelt(text: str) -> str:
    for slip, right in _SLIPS:
        text = slip.sub(right, text)
    return text.rstrip(",;")


def _written_out(terms: Iterable[str], addresses: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Name the addresses that the domain's own names lead to: those need no look-up."""
    for text in terms:
        known = addresses.get(text, ())
        if known and "/" not in text and text[0] not in "-~?":
            yield from (f"ip{ipaddress.ip_address(each).version}:{each}" for each in known)
        else:
            yield text


def _end(result: SpfResult) -> str:
    """Return what holds for all others: the mildest of what the records say, as no mail is lost by that."""
    ends = {each.qualifier for record in result.records for each in parse_terms(record)[0] if each.name == "all"}
    return next((f"{mark}all" for mark in "?~-" if mark in ends), "~all")
