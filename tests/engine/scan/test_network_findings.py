"""What the network does, on real sockets; and what a neutral host tells of a port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from ssl import SSLContext

import pytest
import trustme

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.target import TimeLimits
from smtp_wizard.engine.discovery.server_identity import registered_domain
from smtp_wizard.engine.scan.blocked_ports import Blame, control_answers
from smtp_wizard.engine.scan.control_host import ControlHost, load_control_hosts, proposed_host
from smtp_wizard.engine.scan.network_findings import NetworkFinding, NetworkFindingKind, network_findings, unreached
from smtp_wizard.engine.scan.ports import ScanRequest
from smtp_wizard.engine.scan.results import ScanResult
from smtp_wizard.engine.scan.scan import SCAN_LIMITS, probe
from smtp_wizard.engine.smtp.tls import Trust
from smtp_wizard.engine.smtp.transport import Peer, SocketWire
from tests.support.checking import diagnosis
from tests.support.misbehaving import (
    IPV4,
    IPV6,
    Close,
    Expect,
    Hold,
    MisbehavingServer,
    Reset,
    Send,
    StartTls,
    Step,
    good,
    has_ipv6,
    make_ca,
    refused_port,
    silent_port,
    swallowing_port,
)
from tests.support.patience import PATIENCE

TLS, STARTTLS = Security.TLS, Security.STARTTLS
HOST = "mail.example.com"
OFFER = b"250-here\r\n250 AUTH PLAIN LOGIN\r\n"
EHLO = Expect(rb"EHLO .*")
QUICK = replace(SCAN_LIMITS, **dict.fromkeys(("tls", "greeting", "ehlo", "starttls"), PATIENCE), silence=0.15)


IMPATIENT = replace(QUICK, tls=0.4, greeting=0.4)
"""For servers that keep silent anyway."""


class NamedWire(SocketWire):
    """The real network, in which every name leads to loopback, over as many families as wanted."""

    def __init__(self, *families: Family) -> None:
        self._addresses = {Family.IPV4: IPV4, Family.IPV6: IPV6}
        self._families = families or (Family.IPV4,)

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        """As `Wire.resolve`."""
        return [Peer(self._addresses[each], port, each) for each in self._families if family in (None, each)]


@dataclass(frozen=True)
class World:
    """An authority, and whether it is believed."""

    ca: trustme.CA
    file: Path

    def context(self, *names: str) -> SSLContext:
        """A certificate of a server."""
        return good(self.ca, *(names or (HOST,)))

    @property
    def trust(self) -> Trust:
        return Trust(str(self.file), only=True)


@pytest.fixture
def world(tmp_path: Path) -> World:
    ca = make_ca()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    return World(ca, tmp_path / "ca.pem")


def implicit(context: SSLContext, greeting: bytes = b"220 mail.example.com ready\r\n") -> list[Step]:
    return [StartTls(context), Send(greeting), EHLO, Send(OFFER), Hold()]


def upgraded(context: SSLContext, greeting: bytes = b"220 mail.example.com ready\r\n") -> list[Step]:
    offer = Send(b"250-here\r\n250 STARTTLS\r\n")
    clear: list[Step] = [Send(greeting), EHLO, offer, Expect(b"STARTTLS"), Send(b"220 go\r\n")]
    return [*clear, StartTls(context), EHLO, Send(OFFER), Hold()]


@asynccontextmanager
async def playing(*scripts: Sequence[Step]) -> AsyncIterator[list[int]]:
    """Serve each script on a port of its own; yield the ports."""
    async with AsyncExitStack() as running:
        servers = [await running.enter_async_context(MisbehavingServer(script, strict=False)) for script in scripts]
        yield [server.port for server in servers]


async def probed(
    *endpoints: tuple[int, Security],
    trust: Trust | None = None,
    host: str = HOST,
    wire: NamedWire | None = None,
    limits: TimeLimits = QUICK,
) -> ScanResult:
    """Probe ports of a name that leads to loopback."""
    question = ScanRequest(
        host=host,
        endpoints=tuple(Endpoint(host, port, way) for port, way in endpoints),
        ca_file=trust.ca_file if trust else None,
    )
    return await probe(question, wire=wire or NamedWire(), diagnosis=diagnosis(), emit=lambda _: None, limits=limits)


# --- each kind ---


async def test_a_port_that_refuses() -> None:
    with refused_port() as port:
        found = await probed((port, STARTTLS))
    assert network_findings(found) == (NetworkFinding(NetworkFindingKind.REFUSED, (port,)),)
    assert unreached(found.ports[0])


async def test_a_port_that_swallows_beside_one_that_serves(world: World) -> None:
    """No answer to a SYN at all: waited for until a second one could have been answered, and no longer."""
    async with playing(implicit(world.context())) as (served,), swallowing_port() as port:
        found = await probed((served, TLS), (port, STARTTLS), trust=world.trust)
    assert network_findings(found) == (NetworkFinding(NetworkFindingKind.SILENT, (port,)),)
    assert found.best is not None
    assert found.best.endpoint == Endpoint(HOST, served, TLS)


async def test_a_port_that_takes_connections_and_says_nothing() -> None:
    with silent_port() as port:
        found = await probed((port, STARTTLS), limits=IMPATIENT)
    assert network_findings(found) == (NetworkFinding(NetworkFindingKind.MUTE, (port,)),)


async def test_a_port_that_cuts_every_connection() -> None:
    async with playing([Reset()], [Close()]) as ports:
        found = await probed((ports[0], STARTTLS), (ports[1], TLS))
    assert network_findings(found) == (NetworkFinding(NetworkFindingKind.RESET, tuple(ports)),)


@pytest.mark.parametrize("way", [TLS, STARTTLS])
@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (b"+OK POP3 ready\r\n", NetworkFindingKind.POP),
        (b"* OK IMAP4rev1 ready\r\n", NetworkFindingKind.IMAP),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n<html>", NetworkFindingKind.WEB),
        (b"<html><body>Please sign in to the hotel's network</body></html>\r\n", NetworkFindingKind.WEB),
    ],
)
async def test_another_kind_of_server(world: World, way: Security, words: bytes, kind: NetworkFindingKind) -> None:
    async with playing([Send(words), Hold()]) as (port,):
        found = await probed((port, way), trust=world.trust)
    assert network_findings(found) == (NetworkFinding(kind, (port,)),)
    assert not unreached(found.ports[0])


async def test_a_web_server_that_waits_to_be_asked() -> None:
    """It keeps silent, and answers a ClientHello in clear text, as web servers do."""
    answer: list[Step] = [Send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Hold()]
    async with MisbehavingServer([Hold()], answer, strict=False) as server:
        found = await probed((server.port, STARTTLS), limits=IMPATIENT)
    assert network_findings(found) == (NetworkFinding(NetworkFindingKind.WEB, (server.port,)),)


async def test_a_mailbox_server_under_tls(world: World) -> None:
    async with playing([StartTls(world.context()), Send(b"* OK ready\r\n"), Hold()]) as (port,):
        found = await probed((port, TLS), trust=world.trust)
    assert network_findings(found) == (NetworkFinding(NetworkFindingKind.IMAP, (port,)),)


@pytest.mark.skipif(not has_ipv6(), reason="this computer has no IPv6 on loopback")
async def test_addresses_of_the_newer_kind_that_swallow_everything(world: World) -> None:
    async with swallowing_port(IPV6) as port, MisbehavingServer(implicit(world.context()), port=port) as server:
        found = await probed((server.port, TLS), trust=world.trust, wire=NamedWire(Family.IPV6, Family.IPV4))
    assert network_findings(found) == (NetworkFinding(NetworkFindingKind.BROKEN_IPV6, (port,)),)
    assert found.best is not None
    assert found.best.families == (Family.IPV4,)


@pytest.mark.skipif(not has_ipv6(), reason="this computer has no IPv6 on loopback")
async def test_both_families_serve(world: World) -> None:
    script = upgraded(world.context())
    async with MisbehavingServer(script, host=IPV6) as newer, MisbehavingServer(script, port=newer.port) as older:
        found = await probed((older.port, STARTTLS), trust=world.trust, wire=NamedWire(Family.IPV6, Family.IPV4))
    assert network_findings(found) == ()
    assert found.ports[0].families == (Family.IPV4, Family.IPV6)


# --- another server answers ---


async def test_a_server_that_calls_itself_otherwise_and_shows_no_certificate(world: World) -> None:
    script: list[Step] = [Send(b"220 relay.provider.net ESMTP\r\n"), EHLO, Send(OFFER), Hold()]
    async with playing(script) as (port,):
        found = await probed((port, STARTTLS))
    assert network_findings(found) == (NetworkFinding(NetworkFindingKind.OTHER_SERVER, (port,), "relay.provider.net"),)


async def test_a_certificate_that_is_believed_proves_the_server_whatever_it_calls_itself(world: World) -> None:
    async with playing(upgraded(world.context(), b"220 kunden17.hoster.net ready\r\n")) as (port,):
        found = await probed((port, STARTTLS), trust=world.trust)
    assert network_findings(found) == ()
    assert found.best is not None


async def test_a_greeting_and_a_certificate_of_one_hoster_fit_each_other(world: World) -> None:
    """The finding about the certificate says what to do: the hoster's name is the one to use."""
    context = world.context("*.hoster.net")
    async with playing(upgraded(context, b"220 kunden17.hoster.net ready\r\n")) as (port,):
        found = await probed((port, STARTTLS), trust=world.trust)
    assert network_findings(found) == ()
    assert found.ports[0].report.findings


@pytest.mark.parametrize(
    "greeting",
    [b"220 mx3.example.com", b"220 localhost", b"220 mail.internal ready", b"220 [192.0.2.1]", b"220 *****", b"220 "],
)
async def test_a_greeting_that_proves_nothing(greeting: bytes) -> None:
    async with playing([Send(greeting + b"\r\n"), EHLO, Send(OFFER), Hold()]) as (port,):
        found = await probed((port, STARTTLS))
    assert NetworkFindingKind.OTHER_SERVER not in {each.kind for each in network_findings(found)}


def test_which_domain_was_registered() -> None:
    assert registered_domain("a.b.example.co.uk") == "example.co.uk"
    assert registered_domain("Mail.Example.COM") == "example.com"
    assert registered_domain("mail.internal") is None
    assert registered_domain("com") is None


# --- somebody reads along ---


@pytest.mark.parametrize("believed", [True, False])
async def test_a_certificate_made_by_a_virus_scanner(tmp_path: Path, believed: bool) -> None:
    """Whether this computer believes the scanner, as it usually does, or not."""
    scanner = trustme.CA(organization_name="Avast Web/Mail Shield Root")
    scanner.cert_pem.write_to_path(tmp_path / "scanner.pem")
    async with playing(implicit(good(scanner, HOST))) as (port,):
        found = await probed((port, TLS), trust=Trust(str(tmp_path / "scanner.pem")) if believed else None)
    (seen,) = network_findings(found)
    assert (seen.kind, seen.ports) == (NetworkFindingKind.INSPECTED, (port,))
    assert "Avast" in seen.name
    assert seen.who is Who.ADMIN
    assert found.ports[0].serves is believed


# --- the offer to encrypt is taken out ---


@pytest.mark.parametrize(
    ("greeting", "offer"),
    [
        (b"220 mail.example.com\r\n", b"250-here\r\n250-XXXXXXXA\r\n250 AUTH PLAIN\r\n"),
        (b"220 *******************************\r\n", b"250-here\r\n250 AUTH PLAIN\r\n"),
    ],
)
async def test_the_traces_of_a_firewall(greeting: bytes, offer: bytes) -> None:
    async with playing([Send(greeting), EHLO, Send(offer), Hold()]) as (port,):
        found = await probed((port, STARTTLS))
    assert network_findings(found) == (NetworkFinding(NetworkFindingKind.STRIPPED, (port,)),)


async def test_an_offer_that_stands_on_another_port(world: World) -> None:
    bare: list[Step] = [Send(b"220 mail.example.com\r\n"), EHLO, Send(b"250 here\r\n"), Hold()]
    async with playing(bare, upgraded(world.context())) as ports:
        found = await probed((ports[0], STARTTLS), (ports[1], STARTTLS), trust=world.trust)
    assert network_findings(found) == (NetworkFinding(NetworkFindingKind.STRIPPED, (ports[0],)),)


async def test_a_server_that_never_offers_to_encrypt_is_no_sight() -> None:
    async with playing([Send(b"220 mail.example.com\r\n"), EHLO, Send(b"250 here\r\n"), Hold()]) as (port,):
        assert network_findings(await probed((port, STARTTLS))) == ()


# --- a neutral host ---


async def neutral_says(port: int, trust: Trust | None = None, limits: TimeLimits = QUICK) -> Blame:
    seen = await probed((port, STARTTLS), host="neutral.example.net", trust=trust, limits=limits)
    (answer,) = control_answers(HOST, seen, {port})
    assert (answer.host, answer.port, answer.neutral, answer.sure) == (HOST, port, "neutral.example.net", True)
    return answer.blame


async def test_a_neutral_host_that_answers_blames_the_server(world: World) -> None:
    greeting = b"220 mx.example.net\r\n"
    async with playing(upgraded(world.context("neutral.example.net"), greeting)) as (port,):
        assert await neutral_says(port, trust=world.trust) is Blame.SERVER
    async with playing([Send(b"554 mx.example.net no service for you\r\n"), Close()]) as (port,):
        assert await neutral_says(port) is Blame.SERVER


async def test_a_neutral_host_that_cannot_be_reached_either_blames_the_network() -> None:
    with refused_port() as refused, silent_port() as mute:
        assert await neutral_says(refused) is Blame.NETWORK
        assert await neutral_says(mute, limits=IMPATIENT) is Blame.NETWORK
    async with swallowing_port() as swallowed:
        assert await neutral_says(swallowed) is Blame.NETWORK
    async with playing([Reset()]) as (cut,):
        assert await neutral_says(cut) is Blame.NETWORK


async def test_another_server_in_place_of_a_neutral_host_is_the_networks_doing() -> None:
    for words in (b"220 proxy.hotel.org ESMTP\r\n", b"HTTP/1.1 302 Found\r\n\r\n"):
        async with playing([Send(words), EHLO, Send(OFFER), Hold()]) as (port,):
            assert await neutral_says(port) is Blame.REDIRECTED


async def test_a_neutral_host_that_does_not_exist_tells_nothing() -> None:
    question = ScanRequest(host="nobody.invalid", endpoints=(Endpoint("nobody.invalid", 25, STARTTLS),))
    seen = await probe(question, wire=SocketWire(), diagnosis=diagnosis(), emit=lambda _: None, limits=QUICK)
    (answer,) = control_answers(HOST, seen, set())
    assert (answer.blame, answer.sure) == (Blame.UNCLEAR, False)


async def test_a_refusal_where_nobody_is_known_to_serve_tells_nothing() -> None:
    with refused_port() as port:
        seen = await probed((port, STARTTLS), host="neutral.example.net")
    assert [each.blame for each in control_answers(HOST, seen, set())] == [Blame.UNCLEAR]
    assert [each.blame for each in control_answers(HOST, seen, {port})] == [Blame.NETWORK]


def test_whom_to_propose() -> None:
    known = (
        ControlHost("mail.one.example.com", (465, 587)),
        ControlHost("mail.example.net", (25, 587)),
        ControlHost("mail.example.org", (2525,)),
    )
    assert proposed_host("mail.firma.de", [25], known) == ControlHost("mail.example.net", (25,))
    assert proposed_host("mail.firma.de", [587], known) == ControlHost("mail.one.example.com", (587,))
    assert proposed_host("mail.firma.de", [465, 587, 25], known) == ControlHost("mail.one.example.com", (465, 587))
    assert proposed_host("other.example.com", [465, 587], known) == ControlHost("mail.example.net", (587,))
    assert proposed_host("8.8.8.8", [2525], known) == ControlHost("mail.example.org", (2525,))
    assert proposed_host("mail.firma.de", [110], known) is None


@pytest.mark.parametrize("host", ["localhost", "mail.localhost", "127.0.0.1", "::1", "10.0.0.2", "fe80::1", "fd00::1"])
def test_nobody_is_proposed_for_a_server_in_this_network(host: str) -> None:
    assert proposed_host(host, [25], [ControlHost("mail.example.net", (25,))]) is None


def test_every_usual_port_has_somebody_to_propose() -> None:
    ports = {port for each in load_control_hosts() for port in each.ports}
    assert ports == {25, 465, 587, 2525}


async def test_probes_leave_nothing_running() -> None:
    with silent_port() as port:
        await probed((port, STARTTLS), limits=IMPATIENT)
    assert len(asyncio.all_tasks()) == 1
