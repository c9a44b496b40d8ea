"""The catalogue of providers: what each needs today, what the old article documents, and the ways to find one.

Everything in it comes from `data/providers.yaml`, which is read strictly and once. Nothing here asks the network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from smtp_wizard.engine.data import data_path
from smtp_wizard.engine.limits import Confidence, Counted, Per, SendLimit
from smtp_wizard.engine.provider import (
    AccessPath,
    Alphabet,
    CatalogEndpoint,
    Documented,
    IspdbEntry,
    PathAuth,
    PathStatus,
    Provider,
    ProviderKind,
    ProviderStatus,
    Retirement,
    SecretForm,
    Seen,
    ServerWords,
    Source,
    SourceKind,
    UsernameForm,
)
from smtp_wizard.engine.provider_file import read_provider_file

__all__ = [
    "AccessPath",
    "Alphabet",
    "Catalog",
    "CatalogEndpoint",
    "Confidence",
    "Counted",
    "Documented",
    "IspdbEntry",
    "PathAuth",
    "PathStatus",
    "Per",
    "Provider",
    "ProviderKind",
    "ProviderStatus",
    "Retirement",
    "SecretForm",
    "Seen",
    "SendLimit",
    "ServerWords",
    "Source",
    "SourceKind",
    "UsernameForm",
    "load_catalog",
]


class Catalog:
    """All providers, and the ways to find one. Built once, by `load_catalog`; never changed."""

    def __init__(self, providers: Sequence[Provider], common_domains: Sequence[str], no_typos: Sequence[str]) -> None:
        """Take the providers in listing order.

        `common_domains` are worth offering where one of them was mistyped; `no_typos` look like one and are not.
        """
        self.providers = tuple(providers)
        self._by_id = {provider.id: provider for provider in self.providers}
        self._by_domain = {domain: provider for provider in self.providers for domain in provider.domains}
        self._by_mx: dict[str, list[Provider]] = {}
        for provider in self.providers:
            for suffix in provider.mx:
                self._by_mx.setdefault(suffix, []).append(provider)
        self._common_domains = tuple(common_domains)
        self._no_typos = frozenset(no_typos)

    def get(self, provider_id: str) -> Provider | None:
        """Return the provider with this id, or None."""
        return self._by_id.get(provider_id)

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
        """Return the common domain that was probably meant, or None. A known domain is never taken for a mistake."""
        import difflib

        typed = _plain(domain)
        if typed in self._no_typos or self.by_domain(typed) is not None:
            return None
        return next(iter(difflib.get_close_matches(typed, self._common_domains, n=1, cutoff=_TYPO_CUTOFF)), None)


_TYPO_CUTOFF = 0.85
"""Two neighbouring letters exchanged in a short name still pass; two other mistakes in one name do not."""


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
    hosts = (each.endpoint.host for each in provider.endpoints)
    if any(wanted in text for text in (*names, *domains, *hosts, provider.id)):
        return 4
    return None


def load_catalog(path: Path | None = None) -> Catalog:
    """Read the providers' file, the product's own unless another is given.

    Raises `DataError` with file, line, column, provider and key for whatever is not as it must be.
    """
    found = read_provider_file(data_path("providers.yaml") if path is None else path)
    return Catalog(found.providers, found.offer_back, found.never_a_mistake)
