"""Servers that nobody names and that are often there: the usual names in a domain, and the domain's own mail host."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from secrets import token_hex

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.discovery.candidate import FoundBy
from smtp_wizard.engine.discovery.dns import DnsProblem, Resolver, look_up_addresses
from smtp_wizard.engine.discovery.named_server import NamedServer
from smtp_wizard.engine.discovery.server_identity import belongs_to

USUAL_PREFIXES = ("smtp.", "mail.", "")
"""What usually stands before a domain in the name of its outgoing server."""
GUESSED_PORTS = ((465, Security.TLS), (587, Security.STARTTLS))
MOST_MAIL_HOSTS = 2
"""Hosts inside the domain that receive its mail, and are tried."""


def usual_hosts(domain: str) -> tuple[str, ...]:
    """Return the usual names of a domain's outgoing server, the likeliest first."""
    return tuple(f"{prefix}{domain}" for prefix in USUAL_PREFIXES)


def own_mail_hosts(domain: str, mx_hosts: Sequence[str]) -> tuple[str, ...]:
    """Return the hosts inside a domain that receive its mail and have none of the usual names."""
    usual = usual_hosts(domain)
    own = [host for host in mx_hosts if belongs_to(host, domain) and host not in usual]
    return tuple(own[:MOST_MAIL_HOSTS])


def guesses(address: Address, hosts: Sequence[str], *, after: int = 0) -> Iterator[NamedServer]:
    """Yield hosts at the ports of submission as guesses; `after`: so many guesses are likelier."""
    for port, way in GUESSED_PORTS:
        for place, host in enumerate(hosts, after):
            endpoint = Endpoint(host, port, way)
            yield NamedServer(endpoint=endpoint, source=FoundBy.GUESS, username=address.wire, place=place)


class WildcardDomains:
    """Tells the domains that answer for every name (RFC 4592), for which the existence of a name proves nothing."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._asked: dict[str, asyncio.Task[tuple[str, ...] | DnsProblem]] = {}
        """The look-up of a name that nobody has, by domain."""

    @property
    def tasks(self) -> tuple[asyncio.Task[tuple[str, ...] | DnsProblem], ...]:
        """The look-ups that were begun, for whoever ends the search."""
        return tuple(self._asked.values())

    async def answers_for_all(self, domain: str) -> bool:
        """Ask, once, for a name below a domain that nobody has: where it has addresses, every name has."""
        if domain not in self._asked:
            name = f"{token_hex(8)}.{domain}"
            self._asked[domain] = asyncio.ensure_future(look_up_addresses(name, self._resolver))
        return not isinstance(await asyncio.shield(self._asked[domain]), DnsProblem)
