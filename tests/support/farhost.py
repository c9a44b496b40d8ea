"""A host far away, on a clock of its own: what each of its ports says, and how long everything takes, is a script."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.smtp.symptom import Fault
from smtp_wizard.engine.smtp.tls import TlsFacts, Trust
from smtp_wizard.engine.smtp.transport import Peer
from smtp_wizard.engine.smtp.wire_error import WireError
from tests.support.scripted import NOW, Client, ScriptedStream, ScriptedWire, Server, Silence, Step, Tls

HOST = "mail.example.com"
TRIP = 0.1
"""Seconds of a round trip."""
ADDRESSES = {Family.IPV4: "192.0.2.1", Family.IPV6: "2001:db8::1"}

EHLO = Client(b"EHLO [127.0.0.1]\r\n")
OFFER = Server(b"250-here\r\n250 AUTH PLAIN LOGIN\r\n")
GREETING = Server(b"220 mail.example.com ESMTP\r\n")
TLS_PORT: tuple[Step, ...] = (Tls(), GREETING, EHLO, OFFER)
STARTTLS_PORT: tuple[Step, ...] = (
    GREETING,
    EHLO,
    Server(b"250-here\r\n250 STARTTLS\r\n"),
    Client(b"STARTTLS\r\n"),
    Server(b"220 go\r\n"),
    Tls(),
    EHLO,
    OFFER,
)


@dataclass(frozen=True)
class Port:
    """How a port behaves."""

    scripts: Sequence[Sequence[Step]] = ()
    """What is played to each connection, the last one again and again."""
    refuses: Fault | None = None
    lost: int = 0
    """How many SYNs get lost: the next ones are sent after 1 and 3 seconds."""
    swallows: bool = False
    """No SYN is ever answered."""


def serving(*script: Step) -> Port:
    """A port that plays this to everybody."""
    return Port((script,))


REFUSING = Port(refuses=Fault.REFUSED)
SWALLOWING = Port(swallows=True)
RESENT = (0.0, 1.0, 3.0)


@dataclass(frozen=True)
class Late(Server):
    """The server says this so many seconds late, and turns away who talks before."""

    seconds: float


class FarStream(ScriptedStream):
    """A connection on which every turn takes a round trip."""

    async def read(self) -> bytes:
        if not self._in_turn:
            await asyncio.sleep(TRIP)
        if self.steps and isinstance(self.steps[0], Late):
            await asyncio.sleep(self.steps[0].seconds)
            assert not self.sent, "the client talks first"
        return await super().read()

    async def start_tls(self, host: str, trust: Trust | None) -> TlsFacts:
        await asyncio.sleep(TRIP)
        if self.steps and isinstance(self.steps[0], Silence):
            await asyncio.Event().wait()
        return await super().start_tls(host, trust)


@dataclass
class FarHost:
    """A `Wire` to one such host. What is not listed swallows."""

    ports: Mapping[int, Port] = field(default_factory=dict)
    newer: Mapping[int, Port] | None = None
    """The same over IPv6; None: the host has no such address."""
    unknown: WireError | None = None
    """What a look-up of the name ends in."""
    asked: list[str] = field(default_factory=list)
    """Names that were looked up."""
    begun: list[tuple[float, int, Family]] = field(default_factory=list)
    """When each connection was begun."""
    first_answer: float | None = None
    streams: list[FarStream] = field(default_factory=list)
    _played: dict[tuple[int, Family], int] = field(default_factory=dict)
    _counts: ScriptedWire = field(default_factory=ScriptedWire)

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        self.asked.append(host)
        if self.unknown is not None:
            raise self.unknown
        there = [Family.IPV4] + ([Family.IPV6] if self.newer is not None else [])
        return [Peer(ADDRESSES[each], port, each) for each in there if family in (None, each)]

    async def connect(self, peers: Sequence[Peer]) -> FarStream:
        peer, now = peers[0], asyncio.get_running_loop().time()
        self.begun.append((now, peer.port, peer.family))
        spoken = self.ports if peer.family is Family.IPV4 else self.newer or {}
        port = spoken.get(peer.port, SWALLOWING)
        if port.swallows:
            await asyncio.Event().wait()
        await asyncio.sleep(RESENT[port.lost] + TRIP)
        if self.first_answer is None:
            self.first_answer = asyncio.get_running_loop().time()
        if port.refuses is not None:
            raise WireError(port.refuses)
        played = self._played.get((peer.port, peer.family), 0)
        self._played[peer.port, peer.family] = played + 1
        script = port.scripts[min(played, len(port.scripts) - 1)]
        self.streams.append(FarStream(list(script), self._counts, peer))
        return self.streams[-1]

    def clock(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        return NOW


USUAL = (
    Endpoint(HOST, 465, Security.TLS),
    Endpoint(HOST, 587, Security.STARTTLS),
    Endpoint(HOST, 2525, Security.STARTTLS),
    Endpoint(HOST, 25, Security.STARTTLS),
)
