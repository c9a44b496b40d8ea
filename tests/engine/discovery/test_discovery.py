"""Discovery asks a real DNS server on this computer: what it finds, what it says where it finds nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import dns.resolver
import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.discovery.candidate import FoundBy
from smtp_wizard.engine.discovery.dns import DnsProblem, Resolver, look_up_mx
from smtp_wizard.engine.discovery.search import DiscoveryResult, DiscoverySources, discover
from smtp_wizard.engine.discovery.web import FetchedDocument, WebProblem
from smtp_wizard.engine.providers.catalog import Catalog, load_catalog
from smtp_wizard.engine.services import computer
from smtp_wizard.engine.services.part_health import Health
from smtp_wizard.text.discovery import trust_words
from tests.support.dnsserver import Asked, DnsFault, DnsServer
from tests.support.patience import PATIENCE

ZONE = """
atgoogle.example.    60 IN MX 10 aspmx.l.google.com.
atgoogle.example.    60 IN MX 5  ASPMX2.GoogleMail.com.
personal.example.    60 IN MX 5  gmail-smtp-in.l.google.com.
atmicrosoft.example. 60 IN MX 0  atmicrosoft-example.mail.protection.outlook.com.
hotmail.example.     60 IN MX 0  hotmail-com.olc.protection.outlook.com.
atgodaddy.example.   60 IN MX 0  smtp.secureserver.net.
elsewhere.example.   60 IN MX 10 mail.elsewhere.example.
notreally.example.   60 IN MX 10 mx.notgoogle.com.
nomail.example.      60 IN MX 0  .
webonly.example.     60 IN A     127.0.0.1
long.example.        60 IN MX 10 aspmx.l.google.com.
xn--bcher-kva.example. 60 IN MX 1 smtp.google.com.
atzohoeurope.example. 60 IN MX 10 mx.zoho.eu.
atzohobritain.example. 60 IN MX 10 mx.zoho.uk.
ationos.example.     60 IN MX 10 mx00.ionos.de.
"""
FAULTS = {
    "silent.example": DnsFault.DROP,
    "broken.example": DnsFault.SERVFAIL,
    "closed.example": DnsFault.REFUSED,
    "long.example": DnsFault.TRUNCATE,
}


class NoWeb:
    """A web where nothing is."""

    async def fetch(self, url: str) -> FetchedDocument | WebProblem:
        return WebProblem.UNREACHABLE


async def match(address: Address, catalog: Catalog, resolver: Resolver) -> DiscoveryResult:
    """Ask the DNS alone."""
    return await discover(address, catalog, DiscoverySources(resolver=resolver, web=NoWeb()))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture
async def dns_server() -> AsyncIterator[DnsServer]:
    async with DnsServer(ZONE, FAULTS) as server:
        yield server


async def test_a_known_ending_is_not_asked_about(catalog: Catalog, dns_server: DnsServer) -> None:
    found = await match(Address("ana", "gmail.com"), catalog, dns_server.resolver)
    assert found.provider is catalog.get("gmail")
    assert found.source is FoundBy.CATALOG
    assert found.note == "from: the ending of the address (gmail.com)"
    assert not dns_server.queries


async def test_an_own_domain_is_known_by_its_mail_host(catalog: Catalog, dns_server: DnsServer) -> None:
    found = await match(Address("ana", "atgoogle.example"), catalog, dns_server.resolver)
    assert found.provider is catalog.get("google-workspace")
    assert found.source is FoundBy.MX
    assert found.alternatives == ()
    assert found.mx_hosts == ("aspmx2.googlemail.com", "aspmx.l.google.com"), "most preferred first, small letters"
    assert found.note == "from: the MX record of atgoogle.example (aspmx2.googlemail.com)"


async def test_the_region_of_the_mail_host_decides_which_server_comes_first(
    catalog: Catalog, dns_server: DnsServer
) -> None:
    """An account of one region is unknown to the server of another."""
    found = await match(Address("ana", "atzohoeurope.example"), catalog, dns_server.resolver)
    first, second, *rest = found.candidates
    assert {first.endpoint.host, second.endpoint.host} == {"smtppro.zoho.eu"}
    assert all(each.trust < 0.7 <= second.trust for each in rest), "another region is not very likely right"
    assert "smtppro.zoho.com" in {each.endpoint.host for each in rest}


async def test_a_region_without_a_known_server_makes_no_other_likely(catalog: Catalog, dns_server: DnsServer) -> None:
    found = await match(Address("ana", "atzohobritain.example"), catalog, dns_server.resolver)
    assert found.candidates
    assert all(trust_words(each.trust) != "very likely right" for each in found.candidates)


async def test_a_country_s_server_comes_before_the_others_and_before_the_former_brand_s(
    catalog: Catalog, dns_server: DnsServer
) -> None:
    found = await match(Address("ana", "ationos.example"), catalog, dns_server.resolver)
    hosts = [each.endpoint.host for each in found.candidates]
    assert hosts[:2] == ["smtp.ionos.de", "smtp.ionos.de"]
    assert {"smtp.ionos.com", "smtp.1und1.de"} <= set(hosts[2:])


async def test_only_the_domain_is_told_to_the_name_server(catalog: Catalog, dns_server: DnsServer) -> None:
    await match(Address("ana.secret", "atgoogle.example"), catalog, dns_server.resolver)
    assert set(dns_server.queries) == {
        Asked("udp", "atgoogle.example", "MX"),
        Asked("udp", "_submissions._tcp.atgoogle.example", "SRV"),
        Asked("udp", "_submission._tcp.atgoogle.example", "SRV"),
        Asked("udp", "_ua-auto-config.atgoogle.example", "TXT"),
    }


@pytest.mark.parametrize(
    ("domain", "provider"),
    [("personal.example", "gmail"), ("hotmail.example", "outlook-com"), ("bücher.example", "google-workspace")],
)
async def test_the_longest_ending_decides(domain: str, provider: str, catalog: Catalog, dns_server: DnsServer) -> None:
    found = await match(Address("ana", domain), catalog, dns_server.resolver)
    assert found.provider is catalog.get(provider)


@pytest.mark.parametrize(
    ("domain", "providers"),
    [
        ("atmicrosoft.example", {"microsoft365", "godaddy-microsoft365"}),
        ("atgodaddy.example", {"godaddy", "godaddy-professional-email"}),
    ],
)
async def test_a_shared_mail_host_asks_the_person(
    domain: str, providers: set[str], catalog: Catalog, dns_server: DnsServer
) -> None:
    found = await match(Address("ana", domain), catalog, dns_server.resolver)
    assert found.provider is None
    assert {each.id for each in found.alternatives} == providers
    assert found.source is FoundBy.MX
    assert all(each.name in found.note for each in found.alternatives)
    assert found.note.endswith("please choose yours.")


@pytest.mark.parametrize("domain", ["elsewhere.example", "notreally.example"])
async def test_an_unknown_mail_host_is_named(domain: str, catalog: Catalog, dns_server: DnsServer) -> None:
    """A host whose name merely ends in the same letters is somebody else's."""
    found = await match(Address("ana", domain), catalog, dns_server.resolver)
    assert (found.provider, found.alternatives, found.source, found.problem) == (None, (), FoundBy.NONE, None)
    assert found.mx_hosts[0] in found.note


async def test_an_answer_too_long_for_one_packet_is_fetched_again(catalog: Catalog, dns_server: DnsServer) -> None:
    found = await match(Address("ana", "long.example"), catalog, dns_server.resolver)
    assert found.provider is catalog.get("google-workspace")
    assert [asked.transport for asked in dns_server.queries if asked.type == "MX"] == ["udp", "tcp"]


@pytest.mark.parametrize(
    ("domain", "problem", "words"),
    [
        ("nowhere.example", DnsProblem.NO_SUCH_DOMAIN, "There is no domain nowhere.example"),
        ("webonly.example", DnsProblem.NO_MX, "does not say who receives its mail"),
        ("nomail.example", DnsProblem.NO_MAIL, "takes no mail"),
        ("broken.example", DnsProblem.SERVER_FAILED, "would not tell"),
        ("closed.example", DnsProblem.SERVER_FAILED, "would not tell"),
        (f"{'a' * 70}.example", DnsProblem.NO_SUCH_DOMAIN, "There is no domain"),
    ],
)
async def test_each_way_to_find_nothing_says_so(
    domain: str, problem: DnsProblem, words: str, catalog: Catalog, dns_server: DnsServer
) -> None:
    found = await match(Address("ana", domain), catalog, dns_server.resolver)
    assert (found.provider, found.source, found.problem) == (None, FoundBy.NONE, problem)
    assert words in found.note


async def test_a_silent_name_server_is_asked_again_and_given_up(catalog: Catalog, dns_server: DnsServer) -> None:
    """The person waits for three seconds at most; here for a good one, long enough for the question to be repeated."""
    silent = Resolver(nameservers=("127.0.0.1",), port=dns_server.port, lifetime=1.3)
    started = asyncio.get_running_loop().time()
    found = await match(Address("ana", "silent.example"), catalog, silent)
    took = asyncio.get_running_loop().time() - started
    assert found.problem is DnsProblem.SILENT
    assert "did not answer in time" in found.note
    assert len([asked for asked in dns_server.queries if asked.type == "MX"]) == 2
    assert took >= 1.2


async def test_name_servers_that_cannot_be_reached_are_no_network(catalog: Catalog) -> None:
    """The system itself refuses to send the question: here because the address is a broadcast address."""
    found = await match(Address("ana", "atgoogle.example"), catalog, Resolver(nameservers=("127.255.255.255",)))
    assert found.problem is DnsProblem.NO_NETWORK
    assert "Is it connected to the internet?" in found.note


async def test_a_system_without_name_servers_is_no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = tmp_path / "resolv.conf"
    empty.touch()
    read = dns.resolver.BaseResolver.read_resolv_conf
    monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", lambda self, _: read(self, str(empty)))
    assert (await look_up_mx("atgoogle.example", Resolver())).problem is DnsProblem.NO_NETWORK


@pytest.mark.parametrize(
    "text",
    [
        b"nameserver 127.0.0.53%lo\n",
        b"# f\xfcr alle\nnameserver 127.0.0.1\n",
        b"nameserver 127.0.0.1\nsearch a..b\n",
        b"nameserver 127.0.0.1\ndomain " + b"a" * 64 + b"\n",
    ],
)
async def test_a_system_whose_name_servers_cannot_be_understood_is_no_network(
    text: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    odd = tmp_path / "resolv.conf"
    odd.write_bytes(text)
    read = dns.resolver.BaseResolver.read_resolv_conf
    monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", lambda self, _: read(self, str(odd)))
    assert (await look_up_mx("atgoogle.example", Resolver())).problem is DnsProblem.NO_NETWORK
    told = computer.resolver()
    assert (told.code, told.state) == ("resolver", Health.WARN)
    assert "cannot be understood" in told.sentence


async def test_a_name_server_s_words_are_fit_to_show(catalog: Catalog) -> None:
    r"""A host name may hold any byte; DNS writes them as \DDD, so nothing moves the cursor."""
    async with DnsServer("odd.example. 60 IN MX 1 a\\027[2Jb.example.") as server:
        found = await match(Address("ana", "odd.example"), catalog, server.resolver)
    assert found.note.isprintable()


async def test_giving_up_ends_the_look_up_at_once(catalog: Catalog, dns_server: DnsServer) -> None:
    task = asyncio.create_task(match(Address("ana", "silent.example"), catalog, dns_server.resolver))
    while not dns_server.queries:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, PATIENCE)


def test_reading_the_module_loads_no_dns_library() -> None:
    """A command that asks no name server does not pay for one."""
    probe = "import sys, smtp_wizard.engine.discovery.search; print(sorted({'dns', 'yaml', 'idna'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
