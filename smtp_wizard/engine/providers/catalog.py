"""The catalogue of providers: what each needs today, what the old article documents, and the ways to find one.

Everything in it comes from `data/providers.yaml`, which is read strictly and once. Nothing here asks the network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.private_files import may_exist
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.providers.misspelt_domains import meant_domain
from smtp_wizard.engine.providers.provider import ProviderKind
from smtp_wizard.engine.providers.provider_file import SuggestedProviders, read_provider_file

if TYPE_CHECKING:
    from smtp_wizard.engine.base.address import Address
    from smtp_wizard.engine.oauth.server import OAuthServer
    from smtp_wizard.engine.providers.applications import KnownApplication
    from smtp_wizard.engine.providers.own_providers import Override
    from smtp_wizard.engine.providers.provider import AccessPath, Provider

OWN_FILE = "providers.yaml"
"""What a person's own file is called, in their config folder."""


class Catalog:
    """All providers, and the ways to find one. Built once, by `load_catalog`; never changed."""

    def __init__(
        self,
        providers: Sequence[Provider],
        common_domains: Sequence[str],
        no_typos: Sequence[str],
        *,
        applications: Sequence[KnownApplication] = (),
        suggested: SuggestedProviders | None = None,
        overrides: Sequence[Override] = (),
        own_trouble: str = "",
    ) -> None:
        """Take the providers in listing order.

        `applications` are those that are known by name; `suggested` providers are named before others of their kind.
        `common_domains` are worth offering where one of them was mistyped; `no_typos` look like one and are not.
        """
        self.providers = tuple(providers)
        self.applications = tuple(applications)
        """The applications that are known to send mail, best known first."""
        self._suggested = suggested or SuggestedProviders()
        self.overrides = tuple(overrides)
        """Where the person's own file decides where a password goes: to be shown before one does."""
        self.own_trouble = own_trouble
        """One sentence where the person's own file cannot be used; empty where it can, or is not there."""
        self._by_id = {provider.id: provider for provider in self.providers}
        self._common_domains = tuple(common_domains)
        self._no_typos = frozenset(no_typos)

    @property
    def suggested_mailboxes(self) -> tuple[Provider, ...]:
        """The mailboxes that are suggested to people who cannot send through their own."""
        return self._known(self._suggested.mailboxes)

    @property
    def sending_services(self) -> tuple[Provider, ...]:
        """All relays, the suggested ones first."""
        first = self._known(self._suggested.services)
        relays = (each for each in self.providers if each.kind is ProviderKind.RELAY)
        return (*first, *(each for each in relays if each not in first))

    def _known(self, ids: Sequence[str]) -> tuple[Provider, ...]:
        return tuple(each for each in map(self.get, ids) if each is not None)

    @cached_property
    def _by_domain(self) -> Mapping[str, Provider]:
        return {domain: provider for provider in self.providers for domain in provider.domains}

    @cached_property
    def _by_mx(self) -> Mapping[str, Sequence[Provider]]:
        found: dict[str, list[Provider]] = {}
        for provider in self.providers:
            for suffix in provider.mx:
                found.setdefault(suffix, []).append(provider)
        return found

    def at_host(self, host: str) -> Provider | None:
        """Return the first provider that has a server of this name, None where none has. Never the practice server."""
        return self._by_host.get(host)

    def all_at_host(self, host: str) -> tuple[Provider, ...]:
        """Return every provider that has a server of this name, in listing order. Never the practice server."""
        real = (each for each in self.providers if each.kind is not ProviderKind.SANDBOX)
        return tuple(each for each in real if host in each.hosts)

    @cached_property
    def _by_host(self) -> Mapping[str, Provider]:
        # Backwards, so that of several the first stays.
        real = (each for each in reversed(self.providers) if each.kind is not ProviderKind.SANDBOX)
        return {host: provider for provider in real for host in provider.hosts}

    def overrides_of(self, provider_id: str | None) -> tuple[Override, ...]:
        """Return what the person's own file sets for a provider that would otherwise be, or have, another."""
        return tuple(each for each in self.overrides if each.provider == provider_id)

    def get(self, provider_id: str | None) -> Provider | None:
        """Return the provider with this id, None where there is none, or no id."""
        return self._by_id.get(provider_id) if provider_id else None

    def path(self, connection: Connection[Endpoint | None]) -> AccessPath | None:
        """Return the access path of a connection, None where it has none that is known."""
        known = self.get(connection.provider)
        return known.path(connection.path) if known and connection.path else None

    def tidied(self, connection: Connection[Endpoint | None], secret: Secret) -> Secret:
        """Return a password as the server is shown it: without the blanks in which its provider shows its own ones."""
        path = self.path(connection)
        return path.tidied(secret) if path is not None else secret

    def oauth_server(self, connection: Connection[Endpoint | None]) -> OAuthServer | None:
        """Return where one signs in in the browser for a connection; None where that is not known."""
        path = self.path(connection)
        return path.oauth if path else None

    def alternatives(
        self, endpoint: Endpoint, provider_id: str | None, address: Address | None = None
    ) -> tuple[Endpoint, ...]:
        """Return other ways to reach the same mail service, best first: encrypted, and in the same region."""
        known = self.get(provider_id)
        if known is not None and known.kind is ProviderKind.SANDBOX:
            return ()
        listed = known.offered(address) if known else ()
        here = {(each.region, each.mx) for each in listed if each.endpoint.host == endpoint.host}
        offered = tuple(each.endpoint for each in listed if (each.region, each.mx) in here)
        if endpoint.host not in {each.host for each in offered}:
            offered = (Endpoint(endpoint.host, 465, Security.TLS), Endpoint(endpoint.host, 587, Security.STARTTLS))
        return tuple(each for each in offered if each.port != endpoint.port or each.host != endpoint.host)

    def by_domain(self, domain: str) -> Provider | None:
        """Return the provider whose addresses end in this domain, or None."""
        wanted = _plain(domain)
        found = self._by_domain.get(wanted)
        if found is not None:
            return found
        return next((self._by_domain[f"*.{up}"] for up in _parents(wanted) if f"*.{up}" in self._by_domain), None)

    def by_mx(self, hosts: Sequence[str]) -> tuple[Provider, ...]:
        """Return who hosts a domain with these MX hosts, most preferred host first: the longest known ending wins.

        Endings match whole labels only. Several providers come back where they share the host: ask the person.
        """
        for host in hosts:
            name = _plain(host)
            for ending in (name, *_parents(name)):
                if ending in self._by_mx:
                    return tuple(self._by_mx[ending])
        return ()

    def search(self, query: str, limit: int = 20) -> tuple[Provider, ...]:
        """Return the providers that a query means, best first; all of them, in listing order, for an empty one.

        Rank: exact domain, name prefix, domain prefix, word prefix, anything inside a name, domain, host or id.
        """
        wanted = " ".join(query.casefold().rpartition("@")[2].split())
        if not wanted:
            return self.providers[:limit]
        ranked = ((_rank(provider, wanted), at, provider) for at, provider in enumerate(self.providers))
        found = sorted((rank, at) for rank, at, _ in ranked if rank is not None)
        return tuple(self.providers[at] for _, at in found[:limit])

    def suggest(self, domain: str) -> str | None:
        """Return the common domain that was probably meant, or None. A known domain is never taken for a mistake.

        Also the known one that it looks like, with letters of another alphabet in it.
        """
        typed = _plain(domain)
        if typed in self._no_typos or self.by_domain(typed) is not None:
            return None
        return meant_domain(typed, self._common_domains, lambda seen: self.by_domain(seen) is not None)


def _plain(domain: str) -> str:
    return domain.strip().rstrip(".").lower()


def _parents(domain: str) -> Iterable[str]:
    """'a.b.c' -> 'b.c', 'c'."""
    while "." in domain:
        domain = domain.partition(".")[2]
        yield domain


def _rank(provider: Provider, wanted: str) -> int | None:
    """How well a provider answers a query: 0 best, None not at all."""
    documented = provider.documented.names if provider.documented else ()
    names = [name.casefold() for name in (provider.name, *provider.other_names, *documented)]
    domains = provider.domains
    if wanted in domains:
        return 0
    if any(name.startswith(wanted) for name in names):
        return 1
    if any(domain.startswith(wanted) for domain in domains):
        return 2
    if any(word.startswith(wanted) for name in names for word in re.split(r"[^\w]+", name)):
        return 3
    if any(wanted in text for text in (*names, *domains, *provider.hosts, provider.id)):
        return 4
    return None


def load_catalog(path: Path | None = None, own: Path | None = None) -> Catalog:
    """Read the providers' file, the product's own unless another is given; then the person's own file, if there is one.

    What the person's file says wins. One that cannot be used is left out whole, and `own_trouble` says why. Raises
    `DataError` with file, line, column, provider and key for whatever is not as it must be in the product's file.
    """
    found = read_provider_file(path)
    catalog_of = partial(
        Catalog,
        common_domains=found.offer_back,
        no_typos=found.never_a_mistake,
        applications=found.applications,
        suggested=found.suggested,
    )
    shipped = catalog_of(found.providers)
    if own is None or not may_exist(own):
        return shipped
    from smtp_wizard.engine.providers.own_providers import merge_providers, read_own_file

    try:
        theirs = read_own_file(own, found)
    except DataError as problem:
        trouble = f"Your own list of providers is left out: {shown(str(problem), _LONGEST_TROUBLE)}"
        return catalog_of(found.providers, own_trouble=trouble)
    providers = merge_providers(found.providers, theirs)
    overrides = [each for provider in theirs for each in _overrides(provider, shipped)]
    return catalog_of(providers, overrides=overrides)


_LONGEST_TROUBLE = 400


def _overrides(own: Provider, shipped: Catalog) -> Iterable[Override]:
    """Yield where a provider of the person's own file gets a password that would have gone elsewhere without it."""
    from smtp_wizard.engine.providers.own_providers import Override

    before = shipped.get(own.id)
    if before is not None and before.endpoints != own.endpoints:
        yield Override(own.id, "server", _servers(before), _servers(own))
    for path in own.paths:
        known = before.path(path.id) if before is not None else None
        was = known.oauth if known is not None else None
        if was is not None and path.oauth is not None and was != path.oauth:
            yield Override(own.id, "sign-in page", was.authorize, path.oauth.authorize)
    for domain in own.domains:
        owner = shipped.by_domain(domain.removeprefix("*."))
        if owner is not None and owner.id != own.id:
            yield Override(own.id, f"domain {domain}", owner.id, own.id)
    for ending in own.mx:
        others = [each.id for each in shipped.by_mx([ending]) if each.id not in (own.id, *own.mx_shared)]
        if others:
            yield Override(own.id, f"mx {ending}", ", ".join(others), own.id)


def _servers(provider: Provider) -> str:
    offered = (f"{each.endpoint} ({each.endpoint.security.words})" for each in provider.offered())
    return ", ".join(offered) or "none"
