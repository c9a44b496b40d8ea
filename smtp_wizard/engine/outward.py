"""Where the records and files of strangers may lead: out, and never to a place that only this computer can reach.

A domain's DNS, or a file that it publishes, may name any host and port. Without this a stranger could make this program
knock on doors of the network that it stands in.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime

from smtp_wizard.engine.model import USUAL_WAYS, Family
from smtp_wizard.engine.symptom import Fault
from smtp_wizard.engine.wire import Peer, Stream, Wire, WireError

_WEB = (443, 80)


def may_lead_to(address: str, port: int) -> bool:
    """Return whether an address may be spoken to because a stranger named it.

    Never this computer, nor this link, nor many at once; inside a private network only the usual ports of mail and web,
    since a company's own names may well lead there.
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    meant = getattr(parsed, "ipv4_mapped", None) or parsed
    if meant.is_loopback or meant.is_link_local or meant.is_multicast or meant.is_unspecified:
        return False
    return not meant.is_private or port in USUAL_WAYS or port in _WEB


def outward(peers: Sequence[Peer]) -> list[Peer]:
    """Return those of a host's addresses that may be spoken to. Raises `WireError` where there is none."""
    found = [peer for peer in peers if may_lead_to(peer.address, peer.port)]
    if not found:
        raise WireError(Fault.NO_SUCH_HOST, "the name leads to a place inside, where it is not followed")
    return found


class OutwardWire:
    """A wire that keeps to `may_lead_to`, whatever a name leads to at the moment of connecting."""

    def __init__(self, inner: Wire) -> None:
        self._inner = inner
        self.refused = False
        """Whether a name led only to places where it was not followed."""

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        """As `Wire.resolve`."""
        peers = await self._inner.resolve(host, port, family)
        self.refused = not any(may_lead_to(peer.address, peer.port) for peer in peers)
        return outward(peers)

    async def connect(self, peers: Sequence[Peer]) -> Stream:
        """As `Wire.connect`."""
        return await self._inner.connect(peers)

    def clock(self) -> float:
        """As `Wire.clock`."""
        return self._inner.clock()

    def now(self) -> datetime:
        """As `Wire.now`."""
        return self._inner.now()
