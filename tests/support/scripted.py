"""A wire that plays a script, and complains: what the client did not take up, or did otherwise, fails the test."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.smtp.tls import TlsFacts, Trust
from smtp_wizard.engine.smtp.transport import Peer
from smtp_wizard.engine.smtp.wire_error import WireError

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
FACTS = TlsFacts(
    shown("TLSv1.3"),
    shown("TLS_AES_256_GCM_SHA384"),
    shown("mail.example.test"),
    shown("Test CA"),
    None,
    None,
    (shown("mail.example.test"),),
)


class Step:
    """One step of a script."""


@dataclass(frozen=True)
class Server(Step):
    """The server says this when it is waited for."""

    data: bytes


@dataclass(frozen=True)
class Early(Step):
    """The server has said this already, without being asked."""

    data: bytes


@dataclass(frozen=True)
class Client(Step):
    """The client must say this: bytes to the letter, or a pattern."""

    data: bytes | re.Pattern[bytes]


@dataclass(frozen=True)
class Tls(Step):
    """A handshake happens here, and comes out so."""

    outcome: TlsFacts | WireError = FACTS
    begun: asyncio.Event | None = None
    """Set when it begins; what waits for that comes first then."""


@dataclass(frozen=True)
class Fails(Step):
    """The next read fails so."""

    error: WireError


@dataclass(frozen=True)
class Eof(Step):
    """The server has closed."""


@dataclass(frozen=True)
class Silence(Step):
    """The server says nothing, ever."""


@dataclass(frozen=True)
class Until(Step):
    """The server does nothing until this has happened."""

    event: asyncio.Event


@dataclass
class ScriptedStream:
    """One connection of a `ScriptedWire`."""

    steps: list[Step]
    wire: ScriptedWire
    peer: Peer
    encrypted: bool = False
    closed: bool = False
    local_address: str = "127.0.0.1"
    sent: list[bytes] = field(default_factory=list)
    _in_turn: bool = False

    async def read(self) -> bytes:
        step = self.steps[0] if self.steps else None
        if not self._in_turn:
            self.wire.round_trips += 1
            self._in_turn = True
        match step:
            case Server(data) | Early(data):
                size = self.wire.chunk or len(data)
                rest = data[size:]
                self.steps[:1] = [Server(rest)] if rest else []
                return data[:size]
            case Fails(error):
                self.steps.pop(0)
                raise error
            case Eof():
                self.steps.pop(0)
                return b""
            case Silence():
                await asyncio.Event().wait()
            case Until(event):
                await event.wait()
                self.steps.pop(0)
                return await self.read()
        raise AssertionError(f"the client waits for a word where the script has {step}")

    def read_ready(self) -> bytes:
        if self.steps and isinstance(self.steps[0], Early):
            step = self.steps.pop(0)
            assert isinstance(step, Early)
            return step.data
        return b""

    async def write(self, data: bytes) -> None:
        self._in_turn = False
        self.sent.append(data)
        while data:
            step = self.steps[0] if self.steps else None
            if data == b"QUIT\r\n" and step is None:
                self.wire.said_quit = True
                return
            assert isinstance(step, Client), f"the client says {data!r} where the script has {step}"
            if isinstance(step.data, bytes):
                assert data.startswith(step.data), f"the client says {data!r}, not {step.data!r}"
                data = data[len(step.data) :]
            else:
                found = step.data.match(data)
                assert found, f"the client says {data!r}, not {step.data!r}"
                data = data[found.end() :]
            self.steps.pop(0)

    async def start_tls(self, host: str, trust: Trust | None) -> TlsFacts:
        self._in_turn = False
        self.wire.round_trips += 1
        step = self.steps.pop(0) if self.steps else None
        assert isinstance(step, Tls), f"the client begins TLS where the script has {step}"
        if step.begun is not None:
            step.begun.set()
            for _ in range(10):
                await asyncio.sleep(0)
        if isinstance(step.outcome, WireError):
            raise step.outcome
        self.encrypted = True
        return step.outcome

    def close(self) -> None:
        self.closed = True


class ScriptedWire:
    """A `Wire` whose connections play the given scripts, one after the other. `chunk` cuts what the server says."""

    def __init__(
        self,
        *scripts: Sequence[Step],
        chunk: int | None = None,
        resolve: WireError | None = None,
        connect: WireError | None = None,
    ) -> None:
        self.scripts = [list(script) for script in scripts]
        self.chunk = chunk
        self.resolve_error = resolve
        self.connect_error = connect
        self.streams: list[ScriptedStream] = []
        self.round_trips = 0
        self.said_quit = False
        self._now = 0.0

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        if self.resolve_error:
            raise self.resolve_error
        return [Peer("192.0.2.1", port, Family.IPV4)]

    async def connect(self, peers: Sequence[Peer]) -> ScriptedStream:
        if self.connect_error:
            raise self.connect_error
        assert self.scripts, "the client connects once more than the script"
        self.round_trips += 1
        stream = ScriptedStream(self.scripts.pop(0), self, peers[0])
        self.streams.append(stream)
        return stream

    def clock(self) -> float:
        self._now += 0.001
        return self._now

    def now(self) -> datetime:
        return NOW

    def finished(self) -> None:
        """Assert that nothing of the scripts is left over and every connection is closed."""
        assert not self.scripts, "the client did not connect as often as the script"
        for stream in self.streams:
            left = [step for step in stream.steps if not isinstance(step, Silence)]
            assert not left, f"left over: {left}"
            assert stream.closed, "a connection was left open"
