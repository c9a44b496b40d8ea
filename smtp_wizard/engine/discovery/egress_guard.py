"""Where the records and files of strangers may lead: out, and never to a place that only this computer can reach.

A domain's DNS, or a file that it publishes, may name any host and port. Without this a stranger could make this program
knock on doors of the network that it stands in. What counts is where packets end: an IPv6 address that has an IPv4
address in it leads to that one.

Source: the special-purpose address registries of IANA (RFC 6890). They stand here, since what `ipaddress` calls private
or global differs between versions of Python.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import IntEnum

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import USUAL_WAYS
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.smtp.symptom import Fault
from smtp_wizard.engine.smtp.transport import Peer, Stream, Wire
from smtp_wizard.engine.smtp.wire_error import WireError

_WEB = (443, 80)

_Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
_Net = ipaddress.IPv4Network | ipaddress.IPv6Network


class Reachability(IntEnum):
    """From where an address is reached; of several, the highest holds."""

    ANYWHERE = 0
    """Globally reachable."""
    INNER = 1
    """A private network, or whatever else is routed only there."""
    HERE = 2
    """This computer, this link, many at once, or nowhere."""


def _nets(*texts: str) -> tuple[_Net, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


_HERE = _nets(
    *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32"),
    *("::/128", "::1/128", "fe80::/10", "ff00::/8"),
)
_INNER = _nets(
    *("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24"),
    *("192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"),
    *("2001::/23", "2001:db8::/32", "3fff::/20"),
)
_NEVERTHELESS_ANYWHERE = _nets(
    *("192.0.0.9/32", "192.0.0.10/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128"),
    *("2001:3::/32", "2001:4:112::/48", "2001:20::/28", "2001:30::/28"),
)
"""Parts of the above that are globally reachable."""
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""Outside it nothing of IPv6 is given out (RFC 4291 section 2.4): fc00::/7, fec0::/10, ::/96 are among that."""
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_TRANSLATED = ipaddress.IPv6Network("::ffff:0:0:0/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_TEREDO = ipaddress.IPv6Network("2001::/32")
_IN_THE_LAST_BITS = (_MAPPED, _COMPATIBLE, _TRANSLATED, _NAT64)
"""RFC 4291 sections 2.5.5.2 and 2.5.5.1, RFC 2765 section 2.1, RFC 6052 section 2.1."""
_BY_WHAT_IS_IN_IT = (_MAPPED, _NAT64, _SIX_TO_FOUR, _TEREDO)
_ISATAP = (0x00005EFE, 0x02005EFE)


def reachability(address: str) -> Reachability:
    """Return from where an address is reached, whatever its zone (RFC 4007); `HERE` for what is no address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return Reachability.HERE
    return max(_own(each) for each in (parsed, *_embedded(parsed)))


def _own(parsed: _Ip) -> Reachability:
    """The same by the address itself, whatever stands in it."""
    if _within(parsed, _HERE):
        return Reachability.HERE
    if _within(parsed, _BY_WHAT_IS_IN_IT) or _within(parsed, _NEVERTHELESS_ANYWHERE):
        return Reachability.ANYWHERE
    if _within(parsed, _INNER) or (parsed.version == 6 and parsed not in _GLOBAL_UNICAST):
        return Reachability.INNER
    return Reachability.ANYWHERE


def _within(parsed: _Ip, nets: Iterable[_Net]) -> bool:
    return any(parsed in net for net in nets if net.version == parsed.version)


def _embedded(parsed: _Ip) -> tuple[ipaddress.IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 address leads to, by its form; empty where it is only itself."""
    if isinstance(parsed, ipaddress.IPv4Address):
        return ()
    return tuple(ipaddress.IPv4Address(each) for each in _read(parsed))


def _read(parsed: ipaddress.IPv6Address) -> Iterator[int]:
    value = int(parsed)
    low = value & 0xFFFFFFFF
    if _within(parsed, _IN_THE_LAST_BITS):
        yield low
    elif parsed in _NAT64_LOCAL:
        yield from _by_local_prefix(value)
    elif parsed in _SIX_TO_FOUR:  # RFC 3056 section 2
        yield value >> 80 & 0xFFFFFFFF
    elif parsed in _TEREDO:  # RFC 4380 section 4: the server, and the client with every bit turned
        yield value >> 64 & 0xFFFFFFFF
        yield low ^ 0xFFFFFFFF
    elif value >> 32 & 0xFFFFFFFF in _ISATAP:  # RFC 5214 section 6.1
        yield low


def _by_local_prefix(value: int) -> Iterator[int]:
    """Read an address of the local-use prefix (RFC 8215) in each layout that it can have (RFC 6052 section 2.2).

    How long the prefix of this network is cannot be seen; what follows the IPv4 address is zero.
    """
    by_layout = {
        48: (value >> 64 & 0xFFFF) << 16 | value >> 40 & 0xFFFF,
        56: (value >> 64 & 0xFF) << 24 | value >> 32 & 0xFFFFFF,
        64: value >> 24 & 0xFFFFFFFF,
        96: value & 0xFFFFFFFF,
    }
    suffix = {48: value & (1 << 40) - 1, 56: value & (1 << 32) - 1, 64: value & (1 << 24) - 1, 96: 0}
    found = [each for layout, each in by_layout.items() if each and not suffix[layout]]
    yield from found or [0]


def may_connect_to(address: str, port: int) -> bool:
    """Return whether an address may be spoken to because a stranger named it.

    Never this computer, nor this link, nor many at once; inside a private network only the usual ports of mail and web,
    since a company's own names may well lead there.
    """
    found = reachability(address)
    return found is Reachability.ANYWHERE or (found is Reachability.INNER and (port in USUAL_WAYS or port in _WEB))


def allowed_peers(peers: Sequence[Peer]) -> list[Peer]:
    """Return those of a host's addresses that may be spoken to. Raises `WireError` where there is none."""
    found = [peer for peer in peers if may_connect_to(peer.address, peer.port)]
    if not found:
        raise WireError(Fault.LEADS_INSIDE, phrase("the name leads to a place inside, where it is not followed"))
    return found


class GuardedWire:
    """A wire that keeps to `may_connect_to`, whatever a name leads to at the moment of connecting."""

    def __init__(self, inner: Wire) -> None:
        self._inner = inner
        self.refused = False
        """Whether a name led only to places where it was not followed."""

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        """As `Wire.resolve`."""
        peers = await self._inner.resolve(host, port, family)
        self.refused = not any(may_connect_to(peer.address, peer.port) for peer in peers)
        return allowed_peers(peers)

    async def connect(self, peers: Sequence[Peer]) -> Stream:
        """As `Wire.connect`."""
        return await self._inner.connect(allowed_peers(peers))

    def clock(self) -> float:
        """As `Wire.clock`."""
        return self._inner.clock()

    def now(self) -> datetime:
        """As `Wire.now`."""
        return self._inner.now()
