"""When a search ends, on a clock of its own: at the deadline to the second, and soon once the provider is known."""

from __future__ import annotations

import asyncio
from typing import Any

import dns.rdata
import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.discovery import dns as lookup
from smtp_wizard.engine.discovery import guessed_servers, mail_keepers, published_settings, search
from smtp_wizard.engine.discovery.autoconfig import load_database
from smtp_wizard.engine.discovery.candidate import FoundBy
from smtp_wizard.engine.discovery.dns import MxLookup, Resolver, look_up_srv
from smtp_wizard.engine.discovery.search import DEADLINE, GRACE, DiscoveryResult, DiscoverySources, discover
from smtp_wizard.engine.providers.catalog import load_catalog
from tests.support.clock import in_no_time

ANA = Address("ana", "firm.de")


async def _never(*_: Any) -> Any:
    await asyncio.Event().wait()


class SilentWeb:
    """A web in which nobody ever answers."""

    async def fetch(self, url: str) -> Any:
        """As `Web.fetch`."""
        return await _never()


@pytest.fixture(autouse=True)
def everybody_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name server answers."""
    for module, name in (
        (mail_keepers, "look_up_mx"),
        (search, "look_up_srv"),
        (search, "look_up_addresses"),
        (guessed_servers, "look_up_addresses"),
        (published_settings, "look_up_texts"),
    ):
        monkeypatch.setattr(module, name, _never)


async def _timed() -> tuple[DiscoveryResult, float]:
    asking = DiscoverySources(web=SilentWeb(), verify=_never, database=load_database(), plain_http=True)
    loop = asyncio.get_running_loop()
    began = loop.time()
    found = await discover(ANA, load_catalog(), asking)
    return found, loop.time() - began


def test_with_every_source_silent_it_ends_at_the_deadline() -> None:
    found, took = in_no_time(_timed())
    assert took == pytest.approx(DEADLINE)
    assert (found.provider, found.candidates) == (None, ())


def test_once_the_provider_is_known_nobody_silent_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def known(*_: Any) -> MxLookup:
        await asyncio.sleep(0.5)
        return MxLookup(hosts=("aspmx.l.google.com",))

    monkeypatch.setattr(mail_keepers, "look_up_mx", known)
    found, took = in_no_time(_timed())
    assert took == pytest.approx(0.5 + GRACE)
    assert found.source is FoundBy.MX
    assert found.candidates


async def test_of_ten_thousand_records_the_most_preferred_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than an answer can carry; the order in which they stand decides nothing."""
    records = [dns.rdata.from_text("IN", "SRV", f"{10_000 - each} 0 587 s{each}.firm.de.") for each in range(10_000)]

    async def asked(*_: Any) -> Any:
        return records

    monkeypatch.setattr(lookup, "ask", asked)
    found = await look_up_srv("firm.de", "_submission", Resolver())
    assert [each.host for each in found.endpoints][:2] == ["s9999.firm.de", "s9998.firm.de"]
    assert len(found.endpoints) == lookup.MOST_RECORDS
