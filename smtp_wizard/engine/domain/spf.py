"""SPF: who may send for a domain (RFC 7208). Reads the record, and follows it as far as a receiver would.

The record is judged as a set-up, not against one message: which servers it allows, how many look-ups it costs a
receiver, and what makes receivers ignore it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from smtp_wizard.engine.discovery.dns import MOST_RECORDS
from smtp_wizard.engine.domain.dns_lookups import MOST_HOSTS, NOT_SAID
from smtp_wizard.engine.domain.spf_terms import (
    Term,
    before_all,
    domain_of,
    is_spf,
    meant_as_spf,
    parse_term,
    parse_terms,
    respelt,
)
from smtp_wizard.engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from smtp_wizard.engine.domain.dns_lookups import Lookups

MOST_LOOKUPS = 10
"""Terms that ask the DNS, in all records together; more is a permanent error (RFC 7208 section 4.6.4)."""
MOST_VOID = 2
"""Look-ups that may find nothing (the same section)."""
FAR_TOO_MANY = 2**27
"""Addresses that one record names by itself: a thirty-second of all. The largest providers name a few millions."""
MOST_SILENT = 3
"""Names that the DNS says nothing of: after so many the rest is not asked for, as each costs seconds."""
MOST_FOLLOWED = 4 * MOST_LOOKUPS
"""Terms that are followed beyond the limit, so that the count that is told is the real one."""


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
    AFTER_ALL = "spf_after_all"
    """Mechanisms behind 'all', which are ignored (section 5.1)."""
    EVERYBODY = "spf_allows_everybody"
    NO_END = "spf_no_end"
    """Nothing is said of servers that are not named: as '?all'."""
    NOBODY = "spf_names_no_server"
    """No server at all may send."""
    REDIRECT_IGNORED = "spf_redirect_ignored"
    """'redirect' beside 'all' counts for nothing (section 6.1)."""
    PROVIDER_MISSING = "spf_provider_missing"
    PTR = "spf_ptr"
    """'ptr' should not be used (section 5.5)."""
    TOO_MANY_HOSTS = "spf_too_many_mail_hosts"
    """'mx' leads to more than ten hosts: a permanent error (section 4.6.4)."""
    DOUBLED = "spf_doubled_modifier"
    """'redirect' or 'exp' stands there twice: a permanent error (section 6)."""
    BY_MESSAGE = "spf_depends_on_message"
    """Whether the provider may send depends on the message: a macro, for one (section 7)."""
    UNREACHABLE = "spf_unreachable"
    """The DNS did not say."""


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
    """Domains that are included or led to, at any depth, so that their servers may send."""
    refused: frozenset[str] = frozenset()
    """Domains whose servers a '-', '~' or '?' keeps from it."""
    troubles: tuple[SpfProblem, ...] = ()
    empty_terms: tuple[str, ...] = ()
    """Terms of the domain's own record that lead to nothing."""
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The addresses that the own terms 'a' and 'mx' lead to, by the term."""

    almost: str = ""
    """What a text that is nearly a record is meant as, where there is no record."""
    allowed: frozenset[str] = frozenset()
    """Those of the addresses that were asked about that may send."""

    @property
    def faults(self) -> frozenset[SpfFault]:
        """What is wrong, without where."""
        return frozenset(each.fault for each in self.troubles)

    @property
    def record(self) -> str:
        """The record, '' where there is none or more than one."""
        return self.records[0] if len(self.records) == 1 else ""


async def examine_spf(
    domain: str, lookups: Lookups, provider: Sequence[str] = (), senders: Sequence[str] = (), others: Sequence[str] = ()
) -> SpfResult:
    """Look a domain's SPF up and follow it. Raises nothing: what the DNS does not say is a trouble.

    `domain`: in A-labels. `provider`: domains, any of which, included, lets the provider send. `senders`: addresses of
    a server of one's own, each of which must be allowed. `others`: addresses of which it is only to be said whether
    they are.
    """
    texts = await lookups.texts(domain)
    records = tuple(sorted(each for each in texts.found if is_spf(each)))  # the DNS keeps no order
    if not records:
        fault = SpfFault.UNREACHABLE if texts.problem in NOT_SAID else SpfFault.MISSING
        almost = next(filter(None, map(meant_as_spf, sorted(texts.found))), "")
        return SpfResult(troubles=(SpfProblem(fault, domain),), almost=almost)
    if len(records) > 1:
        return SpfResult(records=records, troubles=(SpfProblem(SpfFault.SEVERAL, domain),))
    walk = _Walk(lookups)
    await walk.follow(domain, records[0], (domain,))
    walk.leave_out_refused()
    terms, _ = parse_terms(records[0])
    return SpfResult(
        records=records,
        terms=terms,
        lookups=walk.lookups,
        void=walk.void,
        included=frozenset(walk.included),
        refused=frozenset(walk.refused),
        troubles=tuple(dict.fromkeys(_troubles(domain, terms, walk, provider, senders))),
        empty_terms=tuple(walk.empty),
        addresses=walk.addresses,
        allowed=frozenset(each for each in (*senders, *others) if walk.allows(each)),
    )


def _troubles(
    domain: str, terms: tuple[Term, ...], walk: _Walk, provider: Sequence[str], senders: Sequence[str]
) -> Iterator[SpfProblem]:
    yield from walk.troubles
    networks = walk.widest()
    if networks and SpfFault.EVERYBODY not in {each.fault for each in walk.troubles}:
        yield SpfProblem(SpfFault.EVERYBODY, f"{domain}: {', '.join(networks)}")
    if walk.lookups > MOST_LOOKUPS:
        yield SpfProblem(SpfFault.TOO_MANY_LOOKUPS, domain)
    if walk.void > MOST_VOID:
        yield SpfProblem(SpfFault.TOO_MANY_VOID, domain)
    yield from _unnamed(domain, terms, walk, provider, senders)


def _allows_nobody(terms: Sequence[Term], walk: _Walk) -> bool:
    """Whether a record that could be followed whole lets nobody send, not even perhaps."""
    perhaps = any(each.qualifier == "?" and each.name != "all" for each in terms)
    return not (walk.troubles or walk.may_allow or perhaps)


def _unnamed(
    domain: str, terms: tuple[Term, ...], walk: _Walk, provider: Sequence[str], senders: Sequence[str]
) -> Iterator[SpfProblem]:
    """Tell whether somebody is not named who should be; one cause is told once."""
    names = {each.name for each in terms}
    meant = {each.name for each in _meant(domain, walk)}
    unended = not (names | meant) & {"all", "redirect"}
    unknown = any(each.fault is SpfFault.UNREACHABLE for each in walk.troubles)  # who is named there is not known
    missing = "" if unknown else _missing(domain, walk, provider, senders)
    perhaps = missing not in walk.refused and walk.names_anybody
    late = next((each for each in terms[len(before_all(terms)) :] if each.qualifier and each.name != "all"), None)
    nobody = not missing and late is None and _allows_nobody(terms, walk)
    if nobody:
        yield SpfProblem(SpfFault.NOBODY, domain)
    elif unended:
        yield SpfProblem(SpfFault.NO_END, domain)
    if late is not None:
        yield SpfProblem(SpfFault.AFTER_ALL, late.text)
    if missing:
        yield SpfProblem(SpfFault.BY_MESSAGE if perhaps else SpfFault.PROVIDER_MISSING, missing)
    elif names >= {"all", "redirect"} and not nobody:
        yield SpfProblem(SpfFault.REDIRECT_IGNORED, domain)


def _missing(domain: str, walk: _Walk, provider: Sequence[str], senders: Sequence[str]) -> str:
    """Return what should be named and is not, '' where nothing is missing."""
    meant = {each.value.lower() for each in _meant(domain, walk) if each.name == "include" and _passes(each)}
    if provider and not (walk.included | meant) & {each.lower() for each in provider}:
        return next((each for each in provider if each.lower() in walk.refused), provider[0])
    return next((each for each in senders if not walk.allows(each)), "")


def _meant(domain: str, walk: _Walk) -> list[Term]:
    """Return what misspelt parts of the domain's own record are meant as."""
    wrong = (each.where.partition(": ")[2] for each in walk.troubles if each.where.startswith(f"{domain}: "))
    terms = (parse_term(part) for each in wrong for part in respelt(each).split(" "))
    return [each for each in terms if each is not None]


class _Effect(Enum):
    """What becomes of mail from a server that a term names."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    NOTHING = "nothing"
    """An included record that does not allow it says nothing: the next term decides (section 5.2)."""


def _passes(term: Term) -> bool:
    return term.qualifier in ("", "+")


def _effect(term: Term, within: _Effect | None) -> _Effect:
    """Return what a term does. `within`: what the 'include' around its record does; None for the domain's own."""
    if within is None:
        return _Effect.ALLOWED if _passes(term) else _Effect.REFUSED
    return within if _passes(term) else _Effect.NOTHING


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class _Named:
    """A network that a term names, and the records that led to it."""

    network: _Network
    effect: _Effect
    way: tuple[str, ...]


def _key(network: _Network, length: int) -> tuple[int, int, int]:
    """Return what tells a network with so long a prefix around this one from any other."""
    below = network.max_prefixlen - length
    return network.version, length, int(network.network_address) >> below


def _is_within(network: _Network, others: set[tuple[int, int, int]]) -> bool:
    return bool(others) and any(_key(network, length) in others for length in range(network.prefixlen + 1))


def _doubled(terms: Sequence[Term]) -> list[str]:
    """Return the modifiers that may stand in a record once, and stand there more often."""
    return [name for name in ("redirect", "exp") if sum(each.name == name for each in terms) > 1]


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
        self.refused: set[str] = set()
        """Domains whose servers an earlier term refuses: the first that fits decides (section 4.6.2)."""
        self._networks: list[_Named] = []
        self._silent = 0
        self._by_message: set[str] = set()
        """The domains in whose records it depends on the message who else may send."""
        self.names_anybody = False
        """Whether that may be any provider: a macro, or names that are looked up for the address that sends."""
        self._own_term = ""
        """The term of the domain's own record that is being followed."""

    @property
    def may_allow(self) -> bool:
        """Whether there is any address from which mail may pass."""
        return bool(self._by_message) or any(each.effect is _Effect.ALLOWED for each in self._networks)

    def allows(self, address: str) -> bool:
        """Whether an address is among those that are named as senders."""
        wanted = ipaddress.ip_address(address)
        decided = next((each.effect for each in self._networks if wanted in each.network), _Effect.REFUSED)
        return decided is _Effect.ALLOWED

    def leave_out_refused(self) -> None:
        """Take out of what is included those of whose servers none may send: the first term that fits decides."""
        refused = set[tuple[int, int, int]]()
        named, open_to_send = set[str](), set(self._by_message)
        for each in self._networks:
            if each.effect is _Effect.REFUSED:
                refused.add(_key(each.network, each.network.prefixlen))
            else:
                named.update(each.way)
                open_to_send.update(each.way if not _is_within(each.network, refused) else ())
        behind = (named - open_to_send) & self.included
        self.refused |= behind
        self.included -= behind

    def widest(self) -> tuple[str, ...]:
        """Return the networks that the domain's own record names, where they are far more than anybody has."""
        own = [each.network for each in self._networks if each.effect is _Effect.ALLOWED and len(each.way) == 1]
        four = list(ipaddress.collapse_addresses(each for each in own if isinstance(each, ipaddress.IPv4Network)))
        return tuple(map(str, four)) if sum(each.num_addresses for each in four) >= FAR_TOO_MANY else ()

    async def follow(self, domain: str, record: str, way: tuple[str, ...], within: _Effect | None = None) -> None:
        """Read one record. `way`: the domains that led here, this one last. `within`: see `_effect`."""
        terms, bad = parse_terms(record)
        self.troubles += [SpfProblem(SpfFault.SYNTAX, f"{domain}: {each}") for each in bad[:3]]
        self.troubles += [SpfProblem(SpfFault.DOUBLED, f"{domain}: {each}") for each in _doubled(terms)]
        asked = before_all(terms)
        for term in asked:
            if term.name == "ptr":
                self.troubles.append(SpfProblem(SpfFault.PTR, domain))
            if term.is_wide and _effect(term, within) is _Effect.ALLOWED:
                self.troubles.append(SpfProblem(SpfFault.EVERYBODY, f"{domain}: {term.text}"))
            if term.name == "redirect" and len(asked) < len(terms):
                continue  # it is ignored where there is an 'all' (section 6.1)
            if term.name in ("ip4", "ip6"):
                self._name([ipaddress.ip_network(term.value, strict=False)], _effect(term, within), way)
            if term.looks_up and self.lookups < MOST_FOLLOWED and self._silent < MOST_SILENT:
                self.lookups += 1
                self._own_term = term.text if len(way) == 1 else self._own_term
                await self._look_up(term, domain, way, within)
        if len(asked) < len(terms) and _effect(terms[len(asked)], within) is _Effect.ALLOWED:
            self.troubles.append(SpfProblem(SpfFault.EVERYBODY, domain))

    def _name(self, networks: Iterable[_Network], effect: _Effect, way: tuple[str, ...]) -> None:
        self._networks += [_Named(each, effect, way) for each in networks if effect is not _Effect.NOTHING]

    def _not_said(self, name: str) -> None:
        self._silent += 1
        self.troubles.append(SpfProblem(SpfFault.UNREACHABLE, name))

    async def _look_up(self, term: Term, domain: str, way: tuple[str, ...], within: _Effect | None) -> None:
        if term.has_macro or term.name in ("ptr", "exists"):
            may = _effect(term, within) is _Effect.ALLOWED  # what that is, only a message says
            self._by_message.update(way if may else ())
            self.names_anybody |= may and bool(term.value)
            return
        target = domain_of(term.value) or domain
        if term.name in ("include", "redirect"):
            await self._include(term, target, way, within if term.name == "redirect" else _effect(term, within))
            return
        asked = self._ask.mail_host_addresses if term.name == "mx" else self._ask.addresses_or_problem
        answer = await asked(target)
        if answer in NOT_SAID:
            self._not_said(target)
            return
        found = answer if isinstance(answer, tuple) else ()
        hosts = (await self._ask.mx(target)).hosts if term.name == "mx" else ()
        if len(hosts) > MOST_HOSTS:
            self.troubles.append(SpfProblem(SpfFault.TOO_MANY_HOSTS, f"{domain}: {term.text}"))
        self._name([_network(each, term.mask) for each in found], _effect(term, within), way)
        if len(way) == 1 and len(hosts) < MOST_RECORDS:  # of more hosts not all are known
            self.addresses[term.text] = found
        if not found:
            self.void += 1
            if len(way) == 1:
                self.empty.append(term.text)

    async def _include(self, term: Term, target: str, way: tuple[str, ...], effect: _Effect | None) -> None:
        """Follow a record into another one. `effect`: of that one; None where it takes the own one's place."""
        if effect in (None, _Effect.ALLOWED) and target not in self.refused:
            self.included.add(target)
        elif effect is _Effect.REFUSED and target not in self.included:
            self.refused.add(target)
        if target in way:
            self.troubles.append(SpfProblem(SpfFault.LOOP, target))
            self.empty.append(self._own_term)
            return
        texts = await self._ask.texts(target)
        records = [each for each in texts.found if is_spf(each)]
        if len(records) == 1:
            await self.follow(target, records[0], (*way, target), effect)
            return
        if texts.problem in NOT_SAID:
            self._not_said(target)
            return
        if not texts.found:
            self.void += 1
        if len(way) == 1:
            self.empty.append(term.text)
        self.troubles.append(SpfProblem(SpfFault.SEVERAL if records else SpfFault.EMPTY_INCLUDE, target))


def _network(address: str, mask: str) -> _Network:
    """Return the network that an address stands for (RFC 7208 section 5.3: '/24//64')."""
    four, _, six = mask.partition("//")
    length = four.removeprefix("/") if "." in address else six
    return ipaddress.ip_network(f"{address}/{length}" if length else address, strict=False)
