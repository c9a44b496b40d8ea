"""Servers that are equally good keep the order of their source: priority and weight in the DNS, lines in a file."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.discovery.candidate import Candidate, FoundBy, in_order
from smtp_wizard.engine.discovery.search import DiscoveryResult, DiscoverySources, discover
from smtp_wizard.engine.providers.catalog import Catalog, load_catalog
from tests.engine.discovery.test_autoconfig import configuration, server
from tests.engine.discovery.test_discovery_sources import Pages, Trying
from tests.support.dnsserver import DnsServer

ANA = Address("ana", "firm.test")
OWN = "https://autoconfig.firm.test/mail/config-v1.1.xml"
HOSTS = ("main", "heavy", "backup")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


async def found(
    catalog: Catalog, zone: str = "", pages: Mapping[str, bytes] | None = None, *, good: tuple[str, ...]
) -> DiscoveryResult:
    async with DnsServer(zone or "firm.test. 60 IN A 192.0.2.1\n") as dns:
        asking = DiscoverySources(resolver=dns.resolver, web=Pages(pages or {}), verify=Trying(good))
        return await discover(ANA, catalog, asking)


def servers(result: DiscoveryResult) -> list[str]:
    return [str(each.endpoint) for each in result.candidates]


async def test_priority_comes_before_weight_and_a_higher_weight_first(catalog: Catalog) -> None:
    zone = """
_submissions._tcp.firm.test. 60 IN SRV 20 1 465 backup.firm.test.
_submissions._tcp.firm.test. 60 IN SRV 10 5 465 main.firm.test.
_submissions._tcp.firm.test. 60 IN SRV 10 50 465 heavy.firm.test.
"""
    result = await found(catalog, zone, good=tuple(f"{host}.firm.test:465" for host in HOSTS))
    assert servers(result) == ["heavy.firm.test:465", "main.firm.test:465", "backup.firm.test:465"]
    assert all(each.verified for each in result.candidates)


async def test_one_that_was_reached_comes_before_a_preferred_one_that_was_not(catalog: Catalog) -> None:
    zone = """
_submissions._tcp.firm.test. 60 IN SRV 10 0 465 dead.firm.test.
_submissions._tcp.firm.test. 60 IN SRV 20 0 465 backup.firm.test.
"""
    result = await found(catalog, zone, good=("backup.firm.test:465",))
    assert servers(result) == ["backup.firm.test:465", "dead.firm.test:465"]


async def test_encrypted_from_the_first_byte_comes_before_starttls_whatever_the_other_service_s_priority(
    catalog: Catalog,
) -> None:
    """RFC 8314 section 5.1: priorities are of one service; between the two, TLS from the first byte is preferred."""
    zone = """
_submission._tcp.firm.test. 60 IN SRV 0 0 587 a.firm.test.
_submissions._tcp.firm.test. 60 IN SRV 10 0 465 b.firm.test.
"""
    result = await found(catalog, zone, good=("a.firm.test:587", "b.firm.test:465"))
    assert servers(result) == ["b.firm.test:465", "a.firm.test:587"]


async def test_a_file_s_order_is_kept(catalog: Catalog) -> None:
    file = configuration(
        server("zulu.firm.test"), server("mike.firm.test", "587", "STARTTLS"), server("alpha.firm.test")
    )
    good = ("zulu.firm.test:465", "mike.firm.test:587", "alpha.firm.test:465")
    result = await found(catalog, pages={OWN: file}, good=good)
    assert servers(result) == list(good)


async def test_what_a_file_names_first_and_unencrypted_comes_last_of_its_equals(catalog: Catalog) -> None:
    file = configuration(server("first.firm.test", "25", "plain"), server("second.firm.test"))
    result = await found(catalog, pages={OWN: file}, good=())
    assert servers(result) == ["second.firm.test:465", "first.firm.test:25"]


async def test_the_catalogue_s_order_is_kept_for_a_domain_that_is_kept_there(catalog: Catalog) -> None:
    zone = "firm.test. 60 IN MX 1 aspmx.l.google.com.\n"
    provider = catalog.get("google-workspace")
    assert provider is not None
    offered = [str(each.endpoint) for each in provider.offered(ANA)]
    result = await found(catalog, zone, good=tuple(offered))
    assert servers(result) == offered


def test_the_place_decides_before_the_name() -> None:
    def candidate(host: str, place: int) -> Candidate:
        endpoint = Endpoint(host, 465, Security.TLS)
        return Candidate(endpoint=endpoint, username="ana", source=FoundBy.SRV, trust=0.7, place=place)

    ordered = in_order([candidate("a.firm.test", 1), candidate("b.firm.test", 0), candidate("c.firm.test", 1)])
    assert [each.endpoint.host[0] for each in ordered] == ["b", "a", "c"]
