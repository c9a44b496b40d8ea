"""A wire that leads every host to servers on loopback, so that any provider's path is walked with real TLS and SMTP.

The name that the product asks for is never looked up. What it shows of a server (name, port) is what it asked for; the
certificate is the practice server's, for 'localhost', and believed for no other.
"""

from __future__ import annotations

import functools
import ipaddress
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.sandbox.scenarios import Scenario, load_scenarios
from smtp_wizard.engine.sandbox.server import Sandbox
from smtp_wizard.engine.smtp.symptom import Fault
from smtp_wizard.engine.smtp.tls import TlsFacts, Trust
from smtp_wizard.engine.smtp.transport import Peer, SocketWire, Stream
from smtp_wizard.engine.smtp.wire_error import WireError
from tests.support.misbehaving import Close, Expect, ExpectMessage, MisbehavingServer, Send, StartTls, Step

STAND_IN = "192.0.2.1"
"""The address that a redirected name is said to have (TEST-NET-1, RFC 5737)."""
LOOPBACK_NAME = "localhost"
"""The name that stands in the practice server's certificate."""


@dataclass(frozen=True, slots=True)
class Led:
    """Where the wire leads: a server for each kind of encryption, and whose certificates are believed there."""

    endpoints: Mapping[Security, Endpoint]
    trust: Trust


@dataclass
class RedirectWire:
    """The real network, with every name leading to `led`. IP addresses are left alone."""

    led: Led
    tls_ports: frozenset[tuple[str, int]] = frozenset()
    """Host and port where TLS is spoken from the first byte; elsewhere it is port 465 that does."""
    asked: list[Endpoint] = field(default_factory=list)
    """Every host and port that was connected to, as the product named it."""
    _inner: SocketWire = field(default_factory=SocketWire)
    _hosts: dict[int, str] = field(default_factory=dict)
    _last: str = ""

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        """As `Wire.resolve`; a name that ends in .invalid does not exist (RFC 6761)."""
        if _is_address(host):
            return await self._inner.resolve(host, port, family)
        if host.endswith(".invalid"):
            raise WireError(Fault.NO_SUCH_HOST, shown("Name or service not known"))
        self._hosts[port] = self._last = host
        return [Peer(STAND_IN, port, Family.IPV4)]

    async def connect(self, peers: Sequence[Peer]) -> Stream:
        """As `Wire.connect`."""
        asked = peers[0]
        if asked.address != STAND_IN:
            return await self._inner.connect(peers)
        security = self._spoken(asked.port)
        self.asked.append(Endpoint(self._host(asked.port), asked.port, security))
        there = self.led.endpoints.get(security)
        if there is None:
            raise WireError(Fault.REFUSED, shown("Connection refused"))
        stream = await self._inner.connect([Peer(there.host, there.port, Family.IPV4)])
        return RedirectStream(stream, asked, self.led.trust)

    def _host(self, port: int) -> str:
        """The name that was looked up for a port, or for another one of the same host."""
        return self._hosts.get(port, self._last)

    def _spoken(self, port: int) -> Security:
        tls = port == 465 or (self._host(port), port) in self.tls_ports
        return Security.TLS if tls else Security.STARTTLS

    def clock(self) -> float:
        """As `Wire.clock`."""
        return time.perf_counter()

    def now(self) -> datetime:
        """As `Wire.now`."""
        return datetime.now(UTC)


class RedirectStream:
    """A connection to the practice server that passes for one to the server that was asked for."""

    def __init__(self, stream: Stream, peer: Peer, trust: Trust) -> None:
        self._stream = stream
        self._peer = peer
        self._trust = trust

    @property
    def peer(self) -> Peer:
        """The address that was asked for."""
        return self._peer

    @property
    def local_address(self) -> str:
        """As `Stream.local_address`."""
        return self._stream.local_address

    @property
    def encrypted(self) -> bool:
        """As `Stream.encrypted`."""
        return self._stream.encrypted

    async def read(self) -> bytes:
        """As `Stream.read`."""
        return await self._stream.read()

    def read_ready(self) -> bytes:
        """As `Stream.read_ready`."""
        return self._stream.read_ready()

    async def write(self, data: bytes) -> None:
        """As `Stream.write`."""
        await self._stream.write(data)

    async def start_tls(self, host: str, trust: Trust | None) -> TlsFacts:
        """As `Stream.start_tls`, for the name and the authority of the practice server."""
        return await self._stream.start_tls(LOOPBACK_NAME, self._trust if trust is not None else None)

    def close(self) -> None:
        """As `Stream.close`."""
        self._stream.close()


def tls_ports(catalog: Catalog) -> frozenset[tuple[str, int]]:
    """Return host and port of every endpoint in the catalogue that speaks TLS from the first byte.

    Where sources disagree about one, both ways are listed: the first is the one that is offered.
    """
    spoken: dict[tuple[str, int], Security] = {}
    for provider in catalog.providers:
        for each in provider.endpoints:
            spoken.setdefault((each.endpoint.host, each.endpoint.port), each.endpoint.security)
    return frozenset(where for where, security in spoken.items() if security is Security.TLS)


_scenarios = functools.cache(load_scenarios)


def scenario(scenario_id: str) -> Scenario:
    """Return a scenario of the practice server, on free ports."""
    known = _scenarios()[scenario_id]
    return replace(known, ports=dict.fromkeys(known.ports, 0))


@asynccontextmanager
async def playing(folder: Path, *scenario_ids: str) -> AsyncIterator[dict[str, Led]]:
    """Run the practice server once for each scenario; yield where each can be reached."""
    async with AsyncExitStack() as running:
        led: dict[str, Led] = {}
        for each in scenario_ids:
            sandbox = await running.enter_async_context(Sandbox(folder, scenario(each)))
            led[each] = led_to(sandbox.endpoints, sandbox.ca_file)
        yield led


def led_to(endpoints: Iterable[Endpoint], ca_file: Path) -> Led:
    """Return where a wire leads that is to reach these endpoints."""
    return Led({each.security: each for each in endpoints}, Trust(str(ca_file), only=True))


@asynccontextmanager
async def open_relay(folder: Path, *scenario_ids: str) -> AsyncIterator[dict[str, Led]]:
    """As `playing`, by servers that ask for no sign-in (STARTTLS only)."""
    from smtp_wizard.engine.sandbox import certificates as practice

    async with AsyncExitStack() as running:
        led: dict[str, Led] = {}
        for each in scenario_ids:
            played = scenario(each)
            context = practice.prepare(folder, played.certificate)
            script = [*_until_mail(StartTls(context)), *_mail(played)]
            server = await running.enter_async_context(MisbehavingServer(script, strict=False))
            led[each] = led_to([server.endpoint(Security.STARTTLS)], practice.ca_file(folder))
        yield led


def _until_mail(tls: StartTls) -> list[Step]:
    offer = b"250-relay.example.test\r\n250 8BITMIME\r\n"
    return [
        Send(b"220 relay.example.test ESMTP\r\n"),
        Expect(rb"EHLO .*"),
        Send(offer.replace(b"8BITMIME", b"STARTTLS")),
        Expect(rb"STARTTLS"),
        Send(b"220 2.0.0 go ahead\r\n"),
        tls,
        Expect(rb"EHLO .*"),
        Send(offer),
    ]


def _mail(played: Scenario) -> list[Step]:
    refusal = played.replies.get(Stage.DATA)
    return [
        Expect(rb"MAIL FROM:.*"),
        Send(b"250 2.1.0 ok\r\n"),
        Expect(rb"RCPT TO:.*"),
        Send(b"250 2.1.5 ok\r\n"),
        Expect(rb"DATA"),
        Send(b"354 go on\r\n"),
        ExpectMessage(),
        Send(f"{refusal or '250 2.0.0 taken'}\r\n".encode()),
        Expect(rb"QUIT"),
        Send(b"221 2.0.0 bye\r\n"),
        Close(),
    ]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
