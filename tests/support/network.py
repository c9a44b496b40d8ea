"""A network that a test exchanges for another one while the engine over it stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.smtp.transport import Peer, Stream, Wire


class Network:
    """Hands everything on to `wire`."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        """As `Wire.resolve`."""
        return await self.wire.resolve(host, port, family)

    async def connect(self, peers: Sequence[Peer]) -> Stream:
        """As `Wire.connect`."""
        return await self.wire.connect(peers)

    def clock(self) -> float:
        """As `Wire.clock`."""
        return self.wire.clock()

    def now(self) -> datetime:
        """As `Wire.now`."""
        return self.wire.now()
