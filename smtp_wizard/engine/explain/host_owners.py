"""Whose a host is, and who is meant by a name: from the clues and the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from smtp_wizard.engine.explain.pasted_text import NamedHost, local_host
from smtp_wizard.engine.providers.provider import ProviderKind

if TYPE_CHECKING:
    from smtp_wizard.engine.explain.wordings import Wordings
    from smtp_wizard.engine.providers.catalog import Catalog


class HostOwners:
    """The providers by what people call them and by the names of their servers."""

    def __init__(self, clues: Wordings, catalog: Catalog) -> None:
        self._clues = clues
        self._catalog = catalog

    @cached_property
    def _directories(self) -> tuple[dict[str, str], dict[str, str]]:
        """Who is meant by a name, and whose a host is. Made for the first text that names one."""
        return _directories(self._clues, self._catalog)

    def called(self, name: str) -> str | None:
        """Return the id of the provider that people call so, or None."""
        by_name, by_host = self._directories
        return by_name.get(_bare(name)) or by_host.get(name.strip().lower())

    def of(self, host: str) -> str | None:
        """Return whose server it is, by the longest known ending of its name."""
        by_host = self._directories[1]
        while host:
            if host in by_host:
                return by_host[host]
            host = host.partition(".")[2]
        return None

    def knows(self, host: str) -> bool:
        """Whether a host is one that a provider has published, letter by letter."""
        return host.count(".") > 1 and host in self._directories[1]

    def first(self, named: Sequence[NamedHost]) -> str | None:
        """Return the provider of the first host that has one."""
        return next((known for each in named if (known := self.of(each.host))), None)

    def is_stranger(self, asked: str, named: Iterable[NamedHost]) -> bool:
        """Whether a server that everybody knows was asked for, and names come up that are not of its house."""
        names = {each.host for each in named}
        asked = asked.lower() or next((each for each in names if self.of(each)), "")
        house = self.of(asked)
        others = names - {asked}
        return house is not None and bool(others) and not any(self.of(each) for each in others)


def _bare(name: str) -> str:
    return re.sub(r"[^\w]+", "", name.casefold())


def _directories(clues: Wordings, catalog: Catalog) -> tuple[dict[str, str], dict[str, str]]:
    """Return who is meant by a name, and whose a host is."""
    names: dict[str, str] = {}
    hosts: dict[str, str] = {}

    def enter(provider: str, called: Iterable[str], endings: Iterable[str]) -> None:
        for each in called:
            names.setdefault(_bare(each), provider)
        for each in endings:
            if not local_host(each):  # a program on the person's own computer stands in for some
                hosts.setdefault(each.lower().removeprefix("*."), provider)

    for service in clues.services:
        enter(service.id, (service.id, *service.called), service.hosts)
    for provider in catalog.providers:
        if provider.kind not in {ProviderKind.CUSTOM, ProviderKind.SANDBOX}:
            called = (provider.id, provider.name, *provider.other_names)
            enter(provider.id, called, (*provider.hosts, *provider.domains, *provider.mx))
    return names, hosts
