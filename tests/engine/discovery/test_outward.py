"""Where strangers' records may lead: the addresses inside are left alone, whatever leads there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.discovery.egress_guard import may_connect_to
from smtp_wizard.engine.discovery.web import HttpWeb, WebProblem
from smtp_wizard.engine.smtp.transport import Peer, SocketWire, Stream
from tests.support.certs import Authority
from tests.support.dnsserver import DnsServer
from tests.support.walk import make_services
from tests.support.webserver import Page, WebServer


@pytest.mark.parametrize(
    ("address", "port", "good"),
    [
        ("8.8.8.8", 465, True),
        ("8.8.8.8", 8022, True),
        ("2001:4860:4860::8888", 587, True),
        ("127.0.0.1", 587, False),
        ("127.3.2.1", 465, False),
        ("::1", 587, False),
        ("::ffff:127.0.0.1", 587, False),
        ("169.254.169.254", 80, False),
        ("fe80::1%eth0", 465, False),
        ("0.0.0.0", 465, False),
        ("224.0.0.1", 465, False),
        ("10.1.2.3", 465, True),
        ("192.168.0.1", 443, True),
        ("10.1.2.3", 22, False),
        ("::ffff:10.1.2.3", 6379, False),
        ("fd00::1", 6379, False),
        ("100.63.255.255", 6379, True),
        ("100.64.0.0", 6379, False),
        ("100.127.255.255", 6379, False),
        ("100.100.1.2", 465, True),
        ("100.128.0.0", 6379, True),
        ("198.18.0.7", 6379, False),
        ("203.0.113.9", 6379, False),
        ("240.0.0.1", 6379, False),
        ("255.255.255.255", 465, False),
        ("0.1.2.3", 465, False),
        ("192.0.0.9", 6379, True),
        # IPv4 inside IPv6: mapped, compatible, translated
        ("::ffff:8.8.8.8", 6379, True),
        ("::ffff:100.64.0.1", 6379, False),
        ("::127.0.0.1", 465, False),
        ("::10.1.2.3", 6379, False),
        ("::8.8.8.8", 6379, False),
        ("::ffff:0:127.0.0.1", 465, False),
        # NAT64, its own prefix
        ("64:ff9b::8.8.8.8", 6379, True),
        ("64:ff9b::127.0.0.1", 465, False),
        ("64:ff9b::169.254.169.254", 80, False),
        ("64:ff9b::10.1.2.3", 6379, False),
        ("64:ff9b::10.1.2.3", 465, True),
        ("64:ff9b::7f00:1%eth0", 465, False),
        # NAT64, a network's own prefix: behind 96, 64, 56 and 48 bits
        ("64:ff9b:1::8.8.8.8", 465, True),
        ("64:ff9b:1::8.8.8.8", 6379, False),
        ("64:ff9b:1::127.0.0.1", 465, False),
        ("64:ff9b:1:9:7f:0:100:0", 465, False),
        ("64:ff9b:1:97f:0:1::", 465, False),
        ("64:ff9b:1:7f00:0:100::", 465, False),
        ("64:ff9b:1:808:8:800::", 465, True),
        ("64:ff9b:1::", 465, False),
        # 6to4, Teredo (server and client), ISATAP
        ("2002:808:808::1", 6379, True),
        ("2002:7f00:1::1", 465, False),
        ("2002:a01:203::1", 6379, False),
        ("2001:0:808:808::f7f7:f7f7", 6379, True),
        ("2001:0:808:808::80ff:fffe", 465, False),
        ("2001:0:7f00:1::f7f7:f7f7", 465, False),
        ("2001:0:808:808::f5fe:fdfc", 6379, False),
        ("2a00:1450::5efe:7f00:1", 465, False),
        ("2a00:1450::200:5efe:a01:203", 6379, False),
        # what is given out nowhere
        ("fec0::1", 6379, False),
        ("feff::1%2", 6379, False),
        ("2001:db8::1", 6379, False),
        ("2001:2::1", 6379, False),
        ("2001:20::1", 6379, True),
        ("100::1", 6379, False),
        ("5f00::1", 6379, False),
        ("4000::1", 6379, False),
        ("ff0e::1", 465, False),
        ("::1%lo", 465, False),
        ("no address", 465, False),
    ],
)
def test_out_is_good_and_inside_only_where_mail_and_web_are(address: str, port: int, good: bool) -> None:
    assert may_connect_to(address, port) is good


class Noting(SocketWire):
    """Leads every name to one address, and remembers where a connection was to go."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.connected: list[Peer] = []

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        return [Peer(self.address, port, Family.IPV4)]

    async def connect(self, peers: Sequence[Peer]) -> Stream:
        self.connected += peers
        return await super().connect([Peer("127.0.0.1", 1, Family.IPV4)])


@pytest.mark.parametrize(
    ("address", "port", "tried"), [("127.0.0.1", 465, False), ("10.1.2.3", 6379, False), ("10.1.2.3", 465, True)]
)
async def test_a_server_that_leads_inside_is_said_and_left_alone(
    tmp_path: Path, address: str, port: int, tried: bool
) -> None:
    wire = Noting(address)
    async with DnsServer(f"_submissions._tcp.firm.de. 60 IN SRV 0 1 {port} smtp.firm.de.\n") as dns:
        services = make_services(tmp_path, wire, resolver=dns.resolver, web=Nowhere())
        found = await services.discovery.find_settings(Address("ana", "firm.de"))
    (only,) = found.candidates
    assert only.endpoint == Endpoint("smtp.firm.de", port, Security.TLS)
    assert not only.verified
    assert bool(wire.connected) is tried
    assert only.note.startswith("it leads to this computer") is not tried


@pytest.mark.parametrize("address", ["64:ff9b::7f00:1", "2002:7f00:1::1", "::127.0.0.1", "fec0::1"])
async def test_a_server_that_leads_inside_by_a_detour_is_left_alone_too(tmp_path: Path, address: str) -> None:
    wire = Noting(address)
    async with DnsServer("_submissions._tcp.firm.de. 60 IN SRV 0 1 6379 smtp.firm.de.\n") as dns:
        services = make_services(tmp_path, wire, resolver=dns.resolver, web=Nowhere())
        found = await services.discovery.find_settings(Address("ana", "firm.de"))
    assert not wire.connected
    assert "it leads to this computer, or to an odd port of an inner network" in found.candidates[0].note


class Nowhere:
    """A web without a page."""

    async def fetch(self, url: str) -> WebProblem:
        """As `Web.fetch`."""
        return WebProblem.ABSENT


@pytest.mark.parametrize("address", ["127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1", "fe80::1%lo"])
async def test_a_file_is_not_fetched_from_this_computer(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    async def here(self: SocketWire, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        return [Peer(address, port, Family.IPV4)]

    monkeypatch.setattr(SocketWire, "resolve", here)
    assert await HttpWeb().fetch("https://autoconfig.firm.de/mail/config-v1.1.xml") is WebProblem.UNREACHABLE


@pytest.mark.parametrize("address", ["127.0.0.1", "64:ff9b::7f00:1", "100.64.0.1", "fec0::1"])
async def test_nobody_is_led_inside_by_a_redirect(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str
) -> None:
    """The page is reached, and leads to a name of the same owner, which leads inside."""
    first, then = "https://autoconfig.firm.de/mail/config-v1.1.xml", "https://inside.firm.de:6379/x"
    pages = {first: Page(status="302 Found", location=then)}

    async def inside(self: SocketWire, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        assert (host, port) == ("inside.firm.de", 6379)
        return [Peer(address, port, Family.IPV4)]

    monkeypatch.setattr(SocketWire, "resolve", inside)
    async with WebServer(Authority(tmp_path), pages) as server:

        class Redirected(HttpWeb):
            async def _reached(self, url: str) -> tuple[str, str]:
                found = server.web() if url == first else HttpWeb()
                return await found._reached(url)

        web = Redirected(server.web().trust)
        assert await web.fetch(first) is WebProblem.UNREACHABLE
        assert server.requests == [first]
