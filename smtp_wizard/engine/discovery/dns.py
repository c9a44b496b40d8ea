"""Asking the DNS about a domain: who receives its mail, which servers it names for sending, and whether it makes
names up.

Only the domain is ever asked about. What a look-up ends in is a value; DNS exceptions stop here.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from smtp_wizard.engine.base.endpoint import Endpoint, HostError, Security, parse_host
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import dns.asyncresolver
    import dns.resolver

_RESEND = 1.0
"""Seconds after which an unanswered question is asked again: a single packet is easily lost."""
MOST_RECORDS = 16
"""Records of one answer that are looked at; a domain that names more servers for sending plays with us."""


class DnsProblem(StrEnum):
    """Why the DNS did not say what it was asked."""

    NO_SUCH_DOMAIN = "no-such-domain"
    NO_MX = "no-mx"
    """The domain exists and has no such record."""
    NO_MAIL = "no-mail"
    """The domain says that it takes no mail at all (null MX, RFC 7505)."""
    SERVER_FAILED = "server-failed"
    """A name server answered that it cannot or will not say."""
    SILENT = "silent"
    """No name server answered in time."""
    NO_NETWORK = "no-network"
    """Nobody could be asked: no name server is configured, or none can be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Whom to ask. Without name servers of its own: those of the operating system."""

    nameservers: tuple[str, ...] = ()
    """IP addresses."""
    port: int = 53
    """The port that `nameservers` listen on."""
    lifetime: float = 3.0
    """Seconds that a look-up may take in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MxLookup:
    """What the DNS said: the hosts, most preferred first, or the problem."""

    hosts: tuple[str, ...] = ()
    preferences: tuple[int, ...] = ()
    """One for each host, as in the records: the lower comes first (RFC 5321 section 5.1)."""
    problem: DnsProblem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SrvLookup:
    """Which servers a domain names for a service, most preferred first, or the problem."""

    endpoints: tuple[Endpoint, ...] = ()
    not_offered: bool = False
    """The domain says that it offers no such service (a target of '.', RFC 2782)."""
    problem: DnsProblem | None = None


SERVICES: Mapping[str, Security] = {"_submissions": Security.TLS, "_submission": Security.STARTTLS}
"""The services of RFC 8314 section 5.1 (TLS from the first byte) and RFC 6186 section 3.1."""
IMAP_SERVICES: Mapping[str, Security] = {"_imaps": Security.TLS, "_imap": Security.STARTTLS}
"""The services for reading mail (RFC 6186 section 3.2)."""


async def look_up_mx(domain: str, resolver: Resolver) -> MxLookup:
    """Ask which hosts receive the mail of a domain, given in A-labels (RFC 5321 section 5.1). Raises nothing."""
    answer = await ask(domain, "MX", resolver)
    return MxLookup(problem=answer) if isinstance(answer, DnsProblem) else _hosts_of(answer)


async def look_up_srv(domain: str, service: str, resolver: Resolver) -> SrvLookup:
    """Ask which servers a domain names for a service (RFC 6186 section 3). Raises nothing."""
    answer = await ask(f"{service}._tcp.{domain}", "SRV", resolver)
    if isinstance(answer, DnsProblem):
        return SrvLookup(problem=answer)
    records = _first(answer, lambda each: (each.priority, -each.weight, each.target.to_text().lower(), each.port))
    named = [(each.target.to_text(omit_final_dot=True).lower(), each.port) for each in records]
    if named and all(host in ("", ".") for host, _ in named):
        return SrvLookup(not_offered=True)
    return SrvLookup(endpoints=tuple(dict.fromkeys(_endpoints(named, {**SERVICES, **IMAP_SERVICES}[service]))))


def _endpoints(named: Iterable[tuple[str, int]], security: Security) -> Iterable[Endpoint]:
    for host, port in named:
        try:
            name = parse_host(host)
        except HostError:
            continue  # a name that no server can have
        if port:
            yield Endpoint(name, port, security)


async def look_up_addresses(name: str, resolver: Resolver) -> tuple[str, ...] | DnsProblem:
    """Ask for the addresses of a name, both families at once; IPv4 first. Raises nothing."""
    import asyncio

    four, six = await asyncio.gather(ask(name, "A", resolver), ask(name, "AAAA", resolver))
    found = [str(each.address) for answer in (four, six) if not isinstance(answer, DnsProblem) for each in answer]
    if found:
        return tuple(found[:MOST_RECORDS])
    # Where one family is said to have none and of the other nothing is said, nothing is known.
    problems = sorted(
        (answer for answer in (four, six) if isinstance(answer, DnsProblem)), key=lambda each: each is DnsProblem.NO_MX
    )
    return problems[0] if problems else DnsProblem.NO_MX


async def look_up_texts(name: str, resolver: Resolver) -> tuple[str, ...]:
    """Ask for the texts of a name, each in one piece (RFC 7208 section 3.3); empty for none. Raises nothing."""
    answer = await ask(name, "TXT", resolver)
    if isinstance(answer, DnsProblem):
        return ()
    return tuple(b"".join(each.strings).decode("latin-1") for each in list(answer)[:MOST_RECORDS])


async def look_up_alias(name: str, resolver: Resolver) -> str:
    """Ask what a name is another name for (CNAME); return that, '' where it is none. Raises nothing."""
    answer = await ask(name, "CNAME", resolver)
    if isinstance(answer, DnsProblem):
        return ""
    return next((str(each.target.to_text(omit_final_dot=True)).lower() for each in answer), "")


async def ask(name: str, kind: str, resolver: Resolver) -> Any | DnsProblem:
    """Ask one question, of a type such as 'MX' (RFC 1035 section 3.2.2); return the records, or the problem."""
    import dns.asyncresolver
    import dns.exception
    import dns.name
    import dns.rdatatype
    import dns.resolver

    try:
        return await _asker(resolver).resolve(
            dns.name.from_text(name), dns.rdatatype.from_text(kind), lifetime=resolver.lifetime, search=False
        )
    except dns.resolver.NoResolverConfiguration:
        return DnsProblem.NO_NETWORK
    except dns.resolver.NoAnswer:
        return DnsProblem.NO_MX
    except dns.resolver.NoNameservers as problem:
        return _why_nobody(problem)
    except dns.resolver.LifetimeTimeout:
        return DnsProblem.SILENT
    except (dns.resolver.NXDOMAIN, dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel):
        return DnsProblem.NO_SUCH_DOMAIN
    except (dns.exception.DNSException, OSError):
        return DnsProblem.SERVER_FAILED


def _asker(resolver: Resolver) -> dns.asyncresolver.Resolver:
    """Build the resolver. Raises `NoResolverConfiguration` where the system names no name server that can be used."""
    import dns.asyncresolver
    import dns.exception
    import dns.resolver

    try:
        asker = dns.asyncresolver.Resolver(configure=not resolver.nameservers)
    except (ValueError, dns.exception.DNSException):  # what stands in its file, which a person may have written
        raise dns.resolver.NoResolverConfiguration from None
    if resolver.nameservers:
        asker.nameservers = list(resolver.nameservers)
        asker.port = resolver.port
    asker.timeout = _RESEND
    return asker


def _why_nobody(problem: dns.resolver.NoNameservers) -> DnsProblem:
    """Tell name servers that refused from a computer that reaches none of them."""
    errors: Sequence[tuple[object, ...]] = problem.kwargs["errors"]
    unreachable = bool(errors) and all(any(isinstance(part, OSError) for part in error) for error in errors)
    return DnsProblem.NO_NETWORK if unreachable else DnsProblem.SERVER_FAILED


def _first(answer: Iterable[Any], key: Callable[[Any], Any]) -> list[Any]:
    """Return the most preferred records, in order, wherever they stand in an answer without end."""
    return heapq.nsmallest(MOST_RECORDS, answer, key=key)


def _hosts_of(answer: Iterable[Any]) -> MxLookup:
    """Sort the hosts by preference, then name, so that the same records always give the same result."""
    records = _first(answer, lambda each: (each.preference, each.exchange.to_text().lower()))
    named = [(record.exchange.to_text(omit_final_dot=True).lower(), int(record.preference)) for record in records]
    hosts = [(shown(host, 253), preference) for host, preference in named if host and host != "."]
    if not hosts:
        return MxLookup(problem=DnsProblem.NO_MAIL)
    return MxLookup(hosts=tuple(host for host, _ in hosts), preferences=tuple(each for _, each in hosts))
