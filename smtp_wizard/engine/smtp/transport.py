"""The transport seam: what `check` needs of the outside world, and the one place where sockets and TLS are touched.

`Wire` resolves and connects, `Stream` reads, writes and begins TLS. Every fault of the operating system is translated
here, once, into `WireError`; those of OpenSSL in `tls.py`. Nothing here knows SMTP.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import ipaddress
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.shown import NO_WORDS, phrase, shown
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.begun_connection import BegunConnection
from smtp_wizard.engine.smtp.socket_io import SocketReader, send_all
from smtp_wizard.engine.smtp.symptom import Fault, TlsFault
from smtp_wizard.engine.smtp.tls import (
    TlsFacts,
    Trust,
    alert_about_us,
    certificate_fault,
    handshake_fault,
    openssl_words,
    tls_facts,
    unverified_context,
    verifying_context,
)
from smtp_wizard.engine.smtp.wire_error import WireError

STAGGER = 0.25
"""Seconds between connection attempts (RFC 8305 section 5)."""
ROOM_SECONDS, ROOM_LOOKS = 0.05, 100
"""How long, and how often, a free file is waited for where all that the program may have are open: five seconds."""
CHUNK = 65536
MOST_UNREADABLE = 4 * CHUNK
"""Bytes of TLS that may come without a byte of text in them: a handshake, tickets. More has no end."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Peer:
    """One address of a server."""

    address: str
    port: int
    family: Family


class Stream(Protocol):
    """A connection, plain first, perhaps encrypted later."""

    @property
    def peer(self) -> Peer: ...

    @property
    def local_address(self) -> str:
        """The address of this end."""

    @property
    def encrypted(self) -> bool: ...

    async def read(self) -> bytes:
        """Return what comes next, b'' when the other side has closed. Raises `WireError`."""

    def read_ready(self) -> bytes:
        """Return what has come already, without waiting; b'' if nothing has."""

    async def write(self, data: bytes) -> None:
        """Send all of it. A line torn down meanwhile is found by the next read, behind what was said before.

        Raises `WireError` where the encryption is at fault.
        """

    async def start_tls(self, host: str, trust: Trust | None) -> TlsFacts:
        """Shake hands as the client. Raises `WireError`. `trust` None looks at the certificate and believes none."""

    def close(self) -> None:
        """Close at once; never waits, never fails."""


class Wire(Protocol):
    """What the checks need of the network and of time."""

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        """Return the addresses of a host, best first. Raises `WireError`."""

    async def connect(self, peers: Sequence[Peer]) -> Stream:
        """Connect to the first that answers, attempts staggered (RFC 8305). Raises `WireError`."""

    def clock(self) -> float:
        """Seconds, monotonic."""

    def now(self) -> datetime:
        """The time of day, aware."""


class SocketWire:
    """The real network."""

    _begun: BegunConnection | None = None
    """For wires that are made of this one and begin nothing."""

    def __init__(self, begun: BegunConnection | None = None) -> None:
        """`begun`: a connection that was begun before, for the first one that is made to its host."""
        self._begun = begun

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        """As `Wire.resolve`. An IP address needs no look-up."""
        peers = _literal(host, port) or await _look_up(host, port, self._begun)
        wanted = [peer for peer in peers if family in (None, peer.family)]
        if not wanted:
            raise WireError(Fault.NO_SUCH_HOST, phrase("{} has no {} address", shown(host, 100), _FAMILY_WORDS[family]))
        return _interleave(wanted)

    async def connect(self, peers: Sequence[Peer]) -> Stream:
        """As `Wire.connect`."""
        return await _happy_eyeballs(peers, self._begun)

    def clock(self) -> float:
        """As `Wire.clock`."""
        return time.perf_counter()

    def now(self) -> datetime:
        """As `Wire.now`."""
        return datetime.now(UTC)


_FAMILY_WORDS = {None: NO_WORDS, Family.IPV4: phrase("IPv4"), Family.IPV6: phrase("IPv6")}


def _literal(host: str, port: int) -> list[Peer]:
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return []
    return [Peer(str(parsed), port, Family.IPV6 if parsed.version == 6 else Family.IPV4)]


# What getaddrinfo says when the name is at fault; anything else means that the question could not be asked.
_NAME_FAULTS = {
    getattr(socket, name)
    for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY", "EAI_FAIL")
    if hasattr(socket, name)
}


async def _look_up(host: str, port: int, begun: BegunConnection | None) -> list[Peer]:
    try:
        # As bytes: for text Python loads its IDNA 2003, which takes longer than the look-up and is not what we speak.
        name = host.encode("ascii")
        ask: Callable[[], Any] = functools.partial(socket.getaddrinfo, name, port, type=socket.SOCK_STREAM)
        if begun is not None and (begun.host, begun.port) == (host, port):
            ask = begun.answer
        found = await _with_room(lambda: in_thread(ask))
    except socket.gaierror as problem:
        fault = Fault.NO_SUCH_HOST if problem.errno in _NAME_FAULTS else Fault.NO_NETWORK
        raise WireError(fault, shown(problem.strerror or str(problem))) from None
    except UnicodeError:  # Python's own limits on a name, before anybody is asked
        raise WireError(Fault.NO_SUCH_HOST, phrase("the name cannot be asked for")) from None
    except OSError as problem:
        fault = Fault.NO_ROOM if problem.errno in _FULL else Fault.NO_NETWORK
        raise WireError(fault, shown(str(problem))) from None
    families = {socket.AF_INET: Family.IPV4, socket.AF_INET6: Family.IPV6}
    peers = [Peer(str(where[0]), port, families[kind]) for kind, *_, where in found if kind in families]
    return list(dict.fromkeys(peers))


_FULL = (errno.EMFILE, errno.ENFILE, errno.EAGAIN)
"""No file is left, or no thread."""


async def _with_room(make: Callable[[], Awaitable[T]]) -> T:
    """Make what needs a file of the system's; where there is none, wait for a while that others give theirs back.

    Raises `OSError`.
    """
    for _ in range(ROOM_LOOKS):
        try:
            return await make()
        except OSError as problem:
            if problem.errno not in _FULL:
                raise
            await asyncio.sleep(ROOM_SECONDS)
    return await make()


def _interleave(peers: Sequence[Peer]) -> list[Peer]:
    """Alternate the families, keeping the system's order within each (RFC 8305 section 4)."""
    first = peers[0].family
    same = [peer for peer in peers if peer.family is first]
    other = [peer for peer in peers if peer.family is not first]
    mixed: list[Peer] = []
    for index in range(max(len(same), len(other))):
        mixed += same[index : index + 1] + other[index : index + 1]
    return mixed


# Which of several failures tells a person most, best first.
_TELLING = (Fault.REFUSED, Fault.RESET, Fault.DENIED, Fault.SILENT, Fault.NO_ROOM, Fault.NO_NETWORK)


async def _happy_eyeballs(peers: Sequence[Peer], begun: BegunConnection | None) -> SocketStream:
    """Try each address, a quarter of a second apart, sooner when one fails; the first to answer wins."""
    if len(peers) == 1:
        return await _connect(peers[0], begun)
    todo = list(peers)
    running: set[asyncio.Task[SocketStream]] = set()
    failures: list[WireError] = []
    try:
        while todo or running:
            if todo:
                running.add(asyncio.ensure_future(_connect(todo.pop(0), begun)))
            done, running = await asyncio.wait(
                running, timeout=STAGGER if todo else None, return_when=asyncio.FIRST_COMPLETED
            )
            winner: SocketStream | None = None
            for task in done:
                problem = task.exception()
                if problem is None and winner is None:
                    winner = task.result()
                elif problem is None:
                    task.result().close()
                elif isinstance(problem, WireError):
                    failures.append(problem)
                else:
                    raise problem
            if winner is not None:
                return winner
    finally:
        for task in running:
            task.cancel()
            task.add_done_callback(_close_late)
    raise min(failures, key=lambda failure: _TELLING.index(failure.fault))


def _close_late(task: asyncio.Task[SocketStream]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


async def _connect(peer: Peer, begun: BegunConnection | None) -> SocketStream:
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if peer.family is Family.IPV6 else socket.AF_INET

    async def new() -> socket.socket:
        return socket.socket(family, socket.SOCK_STREAM)

    try:
        ready = begun.take(peer.address, peer.port) if begun is not None else None
        sock = ready if ready is not None else await _with_room(new)
    except OSError as problem:
        raise _translated(problem) from None
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(sock, (peer.address, peer.port))
    except OSError as problem:
        if problem.errno != errno.EISCONN:  # so some systems say that one that was begun before is there
            sock.close()
            raise _translated(problem) from None
    except BaseException:
        sock.close()
        raise
    return SocketStream(sock, peer)


_OS_FAULTS = {
    errno.ECONNREFUSED: Fault.REFUSED,
    errno.ECONNRESET: Fault.RESET,
    errno.ECONNABORTED: Fault.RESET,
    errno.EPIPE: Fault.RESET,
    errno.ETIMEDOUT: Fault.SILENT,
    errno.EACCES: Fault.DENIED,
    errno.EPERM: Fault.DENIED,
    errno.EMFILE: Fault.NO_ROOM,
    errno.ENFILE: Fault.NO_ROOM,
    errno.EAGAIN: Fault.NO_ROOM,
}


def _translated(problem: OSError) -> WireError:
    fault = _OS_FAULTS.get(problem.errno or 0, Fault.NO_NETWORK)
    return WireError(fault, shown(problem.strerror or type(problem).__name__))


class SocketStream:
    """A connected socket, with TLS done over memory buffers so that what the other side really said stays visible."""

    def __init__(self, sock: socket.socket, peer: Peer) -> None:
        self._sock = sock
        self._peer = peer
        self._arrivals = SocketReader(sock)
        self._tls: ssl.SSLObject | None = None
        self._torn: WireError | None = None
        self._unreadable = 0
        """Bytes of TLS that came since the last byte of text."""
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    @property
    def peer(self) -> Peer:
        """The address that answered."""
        return self._peer

    @property
    def local_address(self) -> str:
        """As `Stream.local_address`."""
        return str(self._sock.getsockname()[0])

    @property
    def encrypted(self) -> bool:
        """Whether TLS is up."""
        return self._tls is not None

    async def read(self) -> bytes:
        """As `Stream.read`."""
        if self._tls is None:
            return await self._receive()
        while True:
            data = self._decrypt()
            if data is not None:
                self._unreadable = 0
                return data
            await self._flush()
            self._take_in(await self._receive())

    def read_ready(self) -> bytes:
        """As `Stream.read_ready`."""
        try:
            data = self._sock.recv(CHUNK)
        except OSError:
            data = b""
        if self._tls is None:
            return data
        if data:
            self._incoming.write(data)
        return self._decrypt() or b""

    def _take_in(self, data: bytes) -> None:
        # A read whose data is there already gives nobody else a turn, and so no time limit would end this.
        self._unreadable += len(data)
        if self._unreadable > MOST_UNREADABLE:
            raise WireError(Fault.TLS_FAILED, phrase("what comes encrypted has no end"), TlsFault.OTHER)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _decrypt(self) -> bytes | None:
        """Return decrypted bytes, b'' at the end, None when more must come first."""
        assert self._tls is not None
        # To be told by OpenSSL that nothing is there costs as much as to decrypt it.
        if not (self._incoming.pending or self._incoming.eof or self._tls.pending()):
            return None
        try:
            return self._tls.read(CHUNK)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""
        except ssl.SSLError as problem:
            raise WireError(Fault.TLS_FAILED, openssl_words(problem), alert_about_us(problem)) from None

    async def write(self, data: bytes) -> None:
        """As `Stream.write`."""
        if self._tls is None:
            await self._send(data)
            return
        try:
            self._tls.write(data)
        except ssl.SSLError as problem:
            raise WireError(Fault.TLS_FAILED, openssl_words(problem), TlsFault.OTHER) from None
        await self._flush()

    async def start_tls(self, host: str, trust: Trust | None) -> TlsFacts:
        """As `Stream.start_tls`."""
        context = unverified_context() if trust is None else verifying_context(trust)
        # As bytes where OpenSSL verifies, for the reason in `_look_up`; truststore wants text.
        name = host.encode("ascii") if type(context) is ssl.SSLContext else host
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        seen = bytearray()
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._receive()
                seen += data[: MOST_UNREADABLE - len(seen)]
                self._take_in(data)
            except ssl.SSLCertVerificationError as problem:
                await self._flush()
                raise certificate_fault(problem) from None
            except ssl.SSLError as problem:
                await self._flush()
                raise handshake_fault(problem, bytes(seen)) from None
            else:
                await self._flush()
                self._tls = tls
                return tls_facts(tls)

    async def _receive(self) -> bytes:
        try:
            data = await self._arrivals.receive(CHUNK)
        except OSError as problem:
            raise _translated(problem) from None
        if not data and self._torn is not None:
            raise self._torn
        return data

    async def _send(self, data: bytes) -> None:
        try:
            await send_all(self._sock, data)
        except ConnectionResetError as problem:
            # The system tells of a reset once, and has told it here; behind what came before, a read sees a plain end.
            self._torn = _translated(problem)
        except OSError:
            # A server that refuses and closes while we still write has said why: the next read finds it.
            return

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._send(self._outgoing.read())

    def close(self) -> None:
        """As `Stream.close`."""
        self._arrivals.end()
        self._sock.close()
