"""Who keeps a domain's mail, by the hosts that receive it: those that are preferred decide, and a reserve does not.

Source: RFC 5321 section 5.1: mail goes to the host with the lowest preference, of equals to any.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.discovery.dns import MxLookup, Resolver, look_up_alias, look_up_mx
from smtp_wizard.engine.discovery.mailbox_traces import MailFilter, filter_of
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import Provider

MOST_ALIASES = 4
"""Hosts of a domain that are looked up to see whether they are only other names: who has more plays with us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailHost:
    """A host that receives a domain's mail, and keeps it as far as is known."""

    name: str
    preference: int
    owners: tuple[Provider, ...]
    """The providers of the catalogue whose host it is; empty: it is in no list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailKeepers:
    """Who keeps the mail of a domain."""

    owners: tuple[Provider, ...] = ()
    """The providers that all preferred hosts are of, several where they share them; empty: not all are known."""
    possible: tuple[Provider, ...] = ()
    """Where the preferred hosts do not decide: all providers that receive mail of the domain, which may not keep it."""
    reserve: tuple[Provider, ...] = ()
    """Other providers than the owners, whose hosts receive mail only where the preferred ones do not."""
    first: str = ""
    """The host that decides; where none does, one of the preferred hosts that do not belong together."""
    other: str = ""
    """Where the preferred hosts do not decide, the first other one that is of a known provider; else the reserve's."""


def mail_keepers(mx: MxLookup, catalog: Catalog, filters: Sequence[MailFilter]) -> MailKeepers:
    """Return who keeps the mail of a domain with these MX hosts. Filters and forwarders keep none, and are left out."""
    hosts = list(_mail_hosts(mx, catalog, filters))
    if not any(each.owners for each in hosts):
        return MailKeepers()
    preferred = [each for each in hosts if each.preference == hosts[0].preference]
    first = preferred[0]
    if first.owners and not any(_stranger(each, first) for each in preferred):
        return _decided(first, [each for each in hosts if each.owners and _stranger(each, first)])
    unknown = next((each for each in preferred if not each.owners), first)
    known = next(each for each in hosts if each.owners and each is not unknown)
    return MailKeepers(possible=_owners(hosts), first=unknown.name, other=known.name)


def _decided(first: MailHost, reserve: Sequence[MailHost]) -> MailKeepers:
    other = reserve[0].name if reserve else ""
    return MailKeepers(owners=first.owners, reserve=_owners(reserve), first=first.name, other=other)


def _stranger(host: MailHost, other: MailHost) -> bool:
    return not set(host.owners).intersection(other.owners)


def _owners(hosts: Iterable[MailHost]) -> tuple[Provider, ...]:
    return tuple(dict.fromkeys(owner for each in hosts for owner in each.owners))


def _mail_hosts(mx: MxLookup, catalog: Catalog, filters: Sequence[MailFilter]) -> Iterator[MailHost]:
    for place, name in enumerate(mx.hosts):
        owners = catalog.by_mx([name])
        if owners or filter_of((name,), filters) is None:
            preference = mx.preferences[place] if mx.preferences else place
            yield MailHost(name=name, preference=preference, owners=owners)


async def look_up_mail_hosts(
    domain: str, catalog: Catalog, resolver: Resolver, filters: Sequence[MailFilter] = ()
) -> MxLookup:
    """Ask which hosts receive the mail of a domain, given in A-labels. Raises nothing.

    RFC 2181 section 10.3 forbids it, and yet a host may be only another name (CNAME) for one that is known: then that
    one stands in its place.
    """
    mx = await look_up_mx(domain, resolver)

    def is_known(host: str) -> bool:
        return bool(catalog.by_mx([host])) or filter_of((host,), filters) is not None

    asked = [host for host in mx.hosts if not is_known(host)][:MOST_ALIASES]
    aliases = await asyncio.gather(*(look_up_alias(host, resolver) for host in asked))
    led = {host: shown(alias, 253) for host, alias in zip(asked, aliases, strict=True) if is_known(alias)}
    return replace(mx, hosts=tuple(led.get(host, host) for host in mx.hosts))
