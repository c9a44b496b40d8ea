"""From an address to its provider: by the address's ending, else by who receives the domain's mail (its MX record).

Only the domain is ever asked about, and only the DNS. What a look-up ends in is a value; DNS exceptions stop here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from smtp_wizard.engine.catalog import Catalog, Provider
from smtp_wizard.engine.model import Address, clean

if TYPE_CHECKING:
    import dns.asyncresolver
    import dns.resolver

_RESEND = 1.0
"""Seconds after which an unanswered question is asked again: a single packet is easily lost."""


class FoundBy(StrEnum):
    """What led to the provider."""

    CATALOG = "catalog"
    """The ending of the address is in the catalogue."""
    MX = "mx"
    """The host that receives the domain's mail is known."""
    NONE = "none"


class DnsProblem(StrEnum):
    """Why the DNS did not name a host that receives the domain's mail."""

    NO_SUCH_DOMAIN = "no-such-domain"
    NO_MX = "no-mx"
    """The domain exists and names no mail host."""
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
    problem: DnsProblem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What is known about the provider of an address."""

    provider: Provider | None
    """None: nobody was found, or several are possible and the person is asked."""
    alternatives: tuple[Provider, ...] = ()
    """Where several providers use the same mail hosts: all of them, in listing order."""
    source: FoundBy
    mx_hosts: tuple[str, ...] = ()
    """The mail hosts of the domain, most preferred first; fit to show."""
    note: str
    """One sentence for the screen: where this is from, or why nothing was found."""
    problem: DnsProblem | None = None


async def match(address: Address, catalog: Catalog, resolver: Resolver | None = None) -> Discovery:
    """Find the provider of an address. Asks the DNS only where the ending of the address is not known.

    Raises nothing. Cancelling it ends the look-up at once.
    """
    known = catalog.by_domain(address.ascii_domain)
    if known is not None:
        return Discovery(
            provider=known, source=FoundBy.CATALOG, note=f"from: the ending of the address ({_shown(address)})"
        )
    found = await look_up_mx(address.ascii_domain, resolver or Resolver())
    if found.problem is not None:
        return Discovery(
            provider=None, source=FoundBy.NONE, note=_problem_note(found.problem, address), problem=found.problem
        )
    return _by_hosts(address, catalog, found.hosts)


def _by_hosts(address: Address, catalog: Catalog, hosts: tuple[str, ...]) -> Discovery:
    """What the mail hosts of a domain mean."""
    owners = catalog.by_mx(hosts)
    if not owners:
        return Discovery(
            provider=None,
            source=FoundBy.NONE,
            mx_hosts=hosts,
            note=f"{hosts[0]} receives the mail of {_shown(address)}. It is not in our list.",
        )
    record = f"the MX record of {_shown(address)} ({hosts[0]})"
    if len(owners) == 1:
        return Discovery(provider=owners[0], source=FoundBy.MX, mx_hosts=hosts, note=f"from: {record}")
    names = ", ".join(owner.name for owner in owners)
    return Discovery(
        provider=None,
        alternatives=owners,
        source=FoundBy.MX,
        mx_hosts=hosts,
        note=f"from: {record}. Several services use it ({names}): please choose yours.",
    )


def _shown(address: Address) -> str:
    return clean(address.domain, 80)


def _problem_note(problem: DnsProblem, address: Address) -> str:
    """One honest sentence about a look-up that led nowhere."""
    domain = _shown(address)
    return {
        DnsProblem.NO_SUCH_DOMAIN: f"There is no domain {domain}. Is it spelled right?",
        DnsProblem.NO_MX: f"{domain} does not say who receives its mail, so your provider cannot be told from it.",
        DnsProblem.NO_MAIL: f"{domain} says that it takes no mail. Is it spelled right?",
        DnsProblem.SERVER_FAILED: f"The name servers would not tell who receives the mail of {domain}.",
        DnsProblem.SILENT: f"The name servers did not answer in time, so nobody was found for {domain}.",
        DnsProblem.NO_NETWORK: "This computer has no way to look up names. Is it connected to the internet?",
    }[problem]


async def look_up_mx(domain: str, resolver: Resolver) -> MxLookup:
    """Ask which hosts receive the mail of a domain, given in A-labels (RFC 5321 section 5.1). Raises nothing."""
    import dns.asyncresolver
    import dns.exception
    import dns.name
    import dns.rdatatype
    import dns.resolver

    try:
        answer = await _asker(resolver).resolve(
            dns.name.from_text(domain), dns.rdatatype.MX, lifetime=resolver.lifetime, search=False
        )
    except dns.resolver.NoResolverConfiguration:
        return MxLookup(problem=DnsProblem.NO_NETWORK)
    except dns.resolver.NoAnswer:
        return MxLookup(problem=DnsProblem.NO_MX)
    except dns.resolver.NoNameservers as problem:
        return MxLookup(problem=_why_nobody(problem))
    except dns.resolver.LifetimeTimeout:
        return MxLookup(problem=DnsProblem.SILENT)
    except (dns.resolver.NXDOMAIN, dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel):
        return MxLookup(problem=DnsProblem.NO_SUCH_DOMAIN)
    except (dns.exception.DNSException, OSError):
        return MxLookup(problem=DnsProblem.SERVER_FAILED)
    return _hosts_of(answer)


def _asker(resolver: Resolver) -> dns.asyncresolver.Resolver:
    """Build the resolver. Raises `NoResolverConfiguration` where the system names no name server."""
    import dns.asyncresolver

    asker = dns.asyncresolver.Resolver(configure=not resolver.nameservers)
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


def _hosts_of(answer: dns.resolver.Answer) -> MxLookup:
    """Sort the hosts by preference, then name, so that the same records always give the same result."""
    records = sorted((record.preference, record.exchange.to_text(omit_final_dot=True).lower()) for record in answer)
    hosts = tuple(clean(host, 253) for _, host in records if host and host != ".")
    return MxLookup(hosts=hosts) if hosts else MxLookup(problem=DnsProblem.NO_MAIL)
