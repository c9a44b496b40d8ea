"""The transport seam: what `check` needs of the outside world, and the one place where sockets and TLS are touched.

`Wire` resolves and connects, `Stream` reads, writes and begins TLS. Every fault of the operating system and of OpenSSL
is translated here, once, into `WireError`. Nothing here knows SMTP.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import ipaddress
import os
import re
import socket
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.file_ownership import refuse_other_writers
from smtp_wizard.engine.base.private_files import refuse_no_file
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.begun_connection import BegunConnection
from smtp_wizard.engine.smtp.certificates import MOST_NAMES, Certificate, read_chain
from smtp_wizard.engine.smtp.socket_io import SocketReader, send_all
from smtp_wizard.engine.smtp.symptom import Fault, TlsFault

STAGGER = 0.25
"""Seconds between connection attempts (RFC 8305 section 5)."""
ROOM_SECONDS, ROOM_LOOKS = 0.05, 100
"""How long, and how often, a free file is waited for where all that the program may have are open: five seconds."""
CHUNK = 65536
MOST_UNREADABLE = 4 * CHUNK
"""Bytes of TLS that may come without a byte of text in them: a handshake, tickets. More has no end."""


T = TypeVar("T")


class WireError(Exception):
    """The transport failed. `words` are the operating system's or OpenSSL's."""

    def __init__(self, fault: Fault, words: Shown = NO_WORDS, tls: TlsFault | None = None) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.words = words
        self.tls = tls


@dataclass(frozen=True, slots=True)
class Peer:
    """One address of a server."""

    address: str
    port: int
    family: Family


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose certificates are believed: the system's trust store, and a CA file beside it, or that file alone."""

    ca_file: str | None = None
    only: bool = False
    """Believe the CA file alone, so that it and the system's store never vouch for each other's endpoints."""


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What a handshake showed."""

    version: Shown
    """As OpenSSL names it: 'TLSv1.3'."""
    cipher: Shown
    subject: Shown = NO_WORDS
    issuer: Shown = NO_WORDS
    not_before: datetime | None = None
    not_after: datetime | None = None
    names: tuple[Shown, ...] = ()
    """Subject alternative names: DNS names and IP addresses (RFC 9525)."""
    chain: tuple[Certificate, ...] = ()
    """The certificates as they were sent, the server's own first. Read only where none is believed."""


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
            raise WireError(Fault.TLS_FAILED, _openssl_words(problem), _alert_about_us(problem)) from None

    async def write(self, data: bytes) -> None:
        """As `Stream.write`."""
        if self._tls is None:
            await self._send(data)
            return
        try:
            self._tls.write(data)
        except ssl.SSLError as problem:
            raise WireError(Fault.TLS_FAILED, _openssl_words(problem), TlsFault.OTHER) from None
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
                raise _not_believed(problem) from None
            except ssl.SSLError as problem:
                await self._flush()
                raise _handshake_fault(problem, bytes(seen)) from None
            else:
                await self._flush()
                self._tls = tls
                return _facts(tls)

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


_LARGEST_CA_FILE = 16 * 1024 * 1024
"""Bytes of a file of trusted certificates; the largest lists that systems ship have half a million."""


@functools.cache
def verifying_context(trust: Trust) -> ssl.SSLContext:
    """Make, once for each trust, a context that verifies: chain, name by SAN alone (RFC 9525 section 6.3), TLS 1.2 up.

    Raises `WireError` (tls-failed) for a CA file that is none. SSL_CERT_FILE is honoured, SSLKEYLOGFILE is not.
    """
    try:
        # OpenSSL would read a pipe or a device to an end that never comes.
        usual = os.environ.get("SSL_CERT_FILE", "")
        if usual and Path(usual).exists():
            refuse_no_file(Path(usual), _LARGEST_CA_FILE)
        if not trust.only and sys.platform in ("darwin", "win32"):
            import truststore

            context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        else:
            # Not by `create_default_context`: it writes the keys of every connection, and so each password, into the
            # file that SSLKEYLOGFILE names; and from Python 3.13 it is strict by the letter of RFC 5280, and refuses
            # companies' own authorities that every mail program believes.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.hostname_checks_common_name = False
            if not trust.only:
                context.load_default_certs()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        if trust.ca_file:
            # Anybody who may change it could vouch for a server of their own, and passwords would go there.
            refuse_other_writers(Path(trust.ca_file))
            refuse_no_file(Path(trust.ca_file), _LARGEST_CA_FILE)
            context.load_verify_locations(trust.ca_file)
    except (OSError, ssl.SSLError) as problem:
        # At the end: a long name may be cut, and the reason must not be.
        unread = not isinstance(problem, ssl.SSLError)
        why = shown(problem.strerror or "", 80) if unread else phrase("no certificate is in it")
        words = phrase("the file of trusted certificates cannot be used ({})", why)
        if trust.ca_file:
            words = phrase("{}: {}", words, shown(trust.ca_file, 200))
        raise WireError(Fault.TLS_FAILED, words, TlsFault.OTHER) from None
    return context


@functools.cache
def unverified_context() -> ssl.SSLContext:
    """A context for looking at a certificate, however old the server. Nothing secret is ever sent over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:!aNULL:@SECLEVEL=0")
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


# X509_V_ERR_* of OpenSSL, x509_vfy.h.
_VERIFY_CODES = {
    9: TlsFault.NOT_YET_VALID,
    10: TlsFault.EXPIRED,
    18: TlsFault.SELF_SIGNED,
    19: TlsFault.UNKNOWN_ISSUER,
    2: TlsFault.UNKNOWN_ISSUER,
    20: TlsFault.UNKNOWN_ISSUER,
    21: TlsFault.UNKNOWN_ISSUER,
    62: TlsFault.WRONG_NAME,
    63: TlsFault.WRONG_NAME,
    64: TlsFault.WRONG_NAME,
    66: TlsFault.WEAK_KEY,
    67: TlsFault.WEAK_KEY,
    68: TlsFault.WEAK_KEY,
}


def _not_believed(problem: ssl.SSLCertVerificationError) -> WireError:
    why = _VERIFY_CODES.get(problem.verify_code, TlsFault.CERTIFICATE)
    return WireError(Fault.TLS_FAILED, shown(problem.verify_message or str(problem)), why)


_VERSION_REASONS = re.compile(r"VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS|HANDSHAKE_FAILURE|NO_SHARED_CIPHER|TOO_SMALL")


def _handshake_fault(problem: ssl.SSLError, seen: bytes) -> WireError:
    """Tell a server that greets in clear text from one that speaks TLS we do not, or wants to know who we are."""
    begin = seen[:64].decode("utf-8", "replace")
    if re.match(r"[2-5][0-9]{2}[ -]", begin):
        return WireError(Fault.SPEAKS_PLAIN, shown(begin, 100))
    if isinstance(problem, ssl.SSLEOFError) or not seen:
        return WireError(Fault.CLOSED, phrase("the connection was closed during the TLS handshake"))
    if seen[0] not in (0x15, 0x16):
        return WireError(Fault.OTHER_PROTOCOL, shown(begin, 100))
    if "ALERT" in (problem.reason or "") and _asks_for_certificate(seen):
        why = TlsFault.CLIENT_CERTIFICATE
    elif _VERSION_REASONS.search(problem.reason or ""):
        why = TlsFault.VERSION
    else:
        why = _alert_about_us(problem)
    return WireError(Fault.TLS_FAILED, _openssl_words(problem), why)


_ABOUT_OUR_CERTIFICATE = re.compile(r"ALERT_(BAD_|NO_|UNSUPPORTED_)?CERTIFICATE")


def _alert_about_us(problem: ssl.SSLError) -> TlsFault:
    """What an alert of the server says of us: we show no certificate, so one about it means that one is wanted.

    From TLS 1.3 on it comes after the handshake (RFC 8446 section 4.4.2.4), where an answer is waited for.
    """
    about = _ABOUT_OUR_CERTIFICATE.search(problem.reason or "")
    return TlsFault.CLIENT_CERTIFICATE if about else TlsFault.OTHER


_HANDSHAKE_RECORD = 0x16
_CERTIFICATE_REQUEST = 13


def _asks_for_certificate(seen: bytes) -> bool:
    """Whether the server's part of a handshake holds a CertificateRequest (RFC 5246 sections 6.2.1 and 7.4).

    Up to TLS 1.2 it is legible, and nothing else tells a handshake that failed for want of our certificate from one
    that failed for want of a cipher in common.
    """
    messages = bytearray()
    at = 0
    while at + 5 <= len(seen) and seen[at] == _HANDSHAKE_RECORD:
        size = int.from_bytes(seen[at + 3 : at + 5])
        messages += seen[at + 5 : at + 5 + size]
        at += 5 + size
    at = 0
    while at + 4 <= len(messages):
        if messages[at] == _CERTIFICATE_REQUEST:
            return True
        at += 4 + int.from_bytes(messages[at + 1 : at + 4])
    return False


def _openssl_words(problem: ssl.SSLError) -> Shown:
    return shown((problem.reason or str(problem)).replace("_", " ").lower())


_Believed = tuple[Shown, Shown, datetime | None, datetime | None, tuple[Shown, ...]]
"""What is shown of a certificate that OpenSSL has verified: see the fields of `TlsFacts`."""
_KNOWN_AT_MOST = 500
_known: dict[bytes, _Believed] = {}
"""What is shown of the certificates that were verified last: a thousand accounts may be on one server."""


def _facts(tls: ssl.SSLObject) -> TlsFacts:
    """What a handshake showed."""
    sent = tls.getpeercert(binary_form=True) or b""
    # OpenSSL tells nothing of what it has not verified itself, and its word is not taken from an earlier handshake.
    verified = tls.context.verify_mode is ssl.CERT_REQUIRED
    believed = (_known.get(sent) or _believed(tls, sent)) if verified else None
    version, cipher = _agreed(tls)
    return TlsFacts(version, cipher, *believed) if believed is not None else _facts_as_sent(tls)


def _believed(tls: ssl.SSLObject, sent: bytes) -> _Believed | None:
    """Read the certificate that was verified, and remember what is shown of it; None where none was."""
    seen: Any = tls.getpeercert()
    if not seen:
        return None
    if len(_known) >= _KNOWN_AT_MOST:
        _known.clear()
    names = tuple(shown(value, 100) for _, value in seen.get("subjectAltName", ())[:MOST_NAMES])
    subject, issuer = (_distinguished(seen.get(whose, ())) for whose in ("subject", "issuer"))
    _known[sent] = subject, issuer, _when(seen.get("notBefore")), _when(seen.get("notAfter")), names
    return _known[sent]


def _facts_as_sent(tls: ssl.SSLObject) -> TlsFacts:
    """The same of certificates that OpenSSL has not verified: it gives their bytes alone."""
    chain = read_chain(_sent(tls))
    if not chain:
        return TlsFacts(*_agreed(tls))
    own = chain[0]
    return TlsFacts(*_agreed(tls), own.subject, own.issuer, own.not_before, own.not_after, own.names, chain)


def _agreed(tls: ssl.SSLObject) -> tuple[Shown, Shown]:
    """Version and cipher."""
    cipher = tls.cipher()
    return shown(tls.version() or "TLS"), shown(cipher[0]) if cipher else NO_WORDS


def _sent(tls: ssl.SSLObject) -> list[bytes]:
    """The certificates as they were sent, in DER."""
    if sys.version_info >= (3, 13):
        sent = list(tls.get_unverified_chain())
    else:
        opaque: Any = tls
        found = opaque._sslobj.get_unverified_chain() or ()
        sent = [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in found]
    return sent


def _distinguished(rdns: Any) -> Shown:
    parts = {key: value for rdn in rdns for key, value in rdn}
    return shown(str(parts.get("commonName") or parts.get("organizationName") or ""), 100)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _when(text: str | None) -> datetime | None:
    """Read a time as OpenSSL writes it: 'Jan  5 09:34:43 2018 GMT'. `ssl` would load `strptime` for that."""
    if not text:
        return None
    month, day, clock, year, _ = text.split()
    hour, minute, second = map(int, clock.split(":"))
    return datetime(int(year), _MONTHS.index(month) + 1, int(day), hour, minute, second, tzinfo=UTC)
