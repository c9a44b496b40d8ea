"""Discovery with an answer that is known beforehand, in the place of name servers and the web."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.discovery import search
from smtp_wizard.engine.discovery.candidate import FoundBy
from smtp_wizard.engine.discovery.search import DiscoveryResult, DiscoverySources
from smtp_wizard.engine.providers.catalog import Catalog

_discover = search.discover
"""The search itself, also where an answer stands in its place."""


@dataclass
class Answer:
    """What an unknown domain comes to; endings that the catalogue knows are known all the same."""

    found: dict[str, Any] = field(
        default_factory=lambda: {
            "provider": None,
            "source": FoundBy.NONE,
            "note": "Nobody was found.",
            "problem": search.DnsProblem.NO_SUCH_DOMAIN,
        }
    )
    listed: dict[str, Any] | None = None
    """What the public list adds, where it is asked."""
    asked: list[DiscoverySources] = field(default_factory=list)

    async def discover(
        self, address: Address, catalog: Catalog, asking: DiscoverySources, tell: Callable[[str], None]
    ) -> DiscoveryResult:
        """As `discovery.discover`."""
        if catalog.by_domain(address.ascii_domain) is not None:
            return await _discover(address, catalog, asking, tell)
        self.asked.append(asking)
        tell(f"Who receives the mail of {address.domain}?")
        listed = self.listed if self.listed is not None and asking.database is not None else {}
        return DiscoveryResult(**{**self.found, **listed})


def answering(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Ask nobody any more; return the answer, to be changed."""
    answer = Answer()
    monkeypatch.setattr("smtp_wizard.engine.discovery.search.discover", answer.discover)
    return answer
