"""Where strangers' records may lead: the addresses inside are left alone, whatever leads there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from smtp_wizard.engine.model import Address, Endpoint, Family, Security
from smtp_wizard.engine.outward import may_lead_to
from smtp_wizard.engine.web import HttpWeb, WebProblem
from smtp_wizard.engine.wire import Peer, SocketWire, Stream
from tests.support.dnsserver import DnsServer
from tests.support.walk import make_desk


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
    ],
)
def test_out_is_good_and_inside_only_where_mail_and_web_are(address: str, port: int, good: bool) -> None:
    assert may_lead_to(address, port) is good


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
    desk = make_desk(tmp_path, wire)
    async with DnsServer(f"_submissions._tcp.firm.de. 60 IN SRV 0 1 {port} smtp.firm.de.\n") as dns:
        desk.resolver, desk.web = dns.resolver, Nowhere()
        found = await desk.discover(Address("ana", "firm.de"))
    (only,) = found.candidates
    assert only.endpoint == Endpoint("smtp.firm.de", port, Security.TLS)
    assert not only.verified
    assert bool(wire.connected) is tried
    assert only.note.startswith("it leads to this computer") is not tried


class Nowhere:
    """A web without a page."""

    async def fetch(self, url: str) -> WebProblem:
        """As `Web.fetch`."""
        return WebProblem.ABSENT


async def test_a_file_is_not_fetched_from_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def here(self: SocketWire, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        return [Peer("127.0.0.1", port, Family.IPV4)]

    monkeypatch.setattr(SocketWire, "resolve", here)
    assert await HttpWeb().fetch("https://autoconfig.firm.de/mail/config-v1.1.xml") is WebProblem.UNREACHABLE
