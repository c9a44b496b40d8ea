"""A mail server that misbehaves on command: it plays a script, byte by byte, on loopback, and records what it is sent.

    script = [Send(b"220 hi\\r\\n"), Expect(rb"EHLO .*"), Send(b"250 STARTTLS\\r\\n"), Expect(rb"STARTTLS"),
              Send(b"220 go\\r\\n250 injected\\r\\n"), StartTls(good(ca)), Hold()]
    async with MisbehavingServer(script) as server:
        ... connect to server.host, server.port ...
    assert b"EHLO" in server.conversations[0].received

Each connection plays the script in its own place in the list, the last one again and again. After the last step the
server goes on listening until the client hangs up. A script whose `Expect` was not met fails the test on leaving.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
import tempfile
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self, TypeVar

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from smtp_wizard.engine.base.endpoint import Endpoint, Security

T = TypeVar("T")

IPV4 = "127.0.0.1"
IPV6 = "::1"
NAMES = ("localhost", IPV4, IPV6)
_LONGEST_LINE = 64 * 1024


# The steps of a script


@dataclass(frozen=True, slots=True)
class Send:
    """Send these bytes at once."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Expect:
    """Wait for one line; without its line end it must match the whole pattern, in any case of letters."""

    pattern: bytes
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class ExpectMessage:
    """Wait for the lone dot that ends a message (RFC 5321 section 4.5.2)."""

    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class StartTls:
    """Do the server's part of a TLS handshake. As the first step of a script: TLS from the first byte."""

    context: ssl.SSLContext


@dataclass(frozen=True, slots=True)
class Hold:
    """Say nothing, while listening, until the event is set; without one until the client hangs up."""

    event: asyncio.Event | None = None


@dataclass(frozen=True, slots=True)
class Deaf:
    """Neither say nor read anything until the event is set, or the server ends."""

    event: asyncio.Event | None = None


@dataclass(frozen=True, slots=True)
class Drip:
    """Send byte by byte, with so many seconds in between: each one resets a naive time limit."""

    data: bytes
    interval: float


@dataclass(frozen=True, slots=True)
class Flood:
    """Send these bytes so many times, for as long as the client takes them."""

    data: bytes
    times: int


@dataclass(frozen=True, slots=True)
class Close:
    """Hang up in an orderly way (FIN); under TLS without its closing alert."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Tear the connection down (RST)."""


Step = Send | Expect | ExpectMessage | StartTls | Hold | Deaf | Drip | Flood | Close | Reset
Script = Sequence[Step]


class _HungUp(Exception):
    """The client has closed its side."""


@dataclass(slots=True)
class Conversation:
    """What one client did."""

    plain: bytearray = field(default_factory=bytearray)
    """What came in clear text."""
    secret: bytearray = field(default_factory=bytearray)
    """What came under TLS, decrypted."""
    tls_error: ssl.SSLError | None = None
    """How the handshake failed, where the client said why; one that just leaves has `hung_up`."""
    unmet: str | None = None
    """The expectation that was not met."""
    played: int = 0
    """Steps that were played to their end."""
    hung_up: bool = False
    """The client closed, or reset, the connection before the server did."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server is through with this client."""

    @property
    def received(self) -> bytes:
        """Everything that came, in clear text and under TLS."""
        return bytes(self.plain + self.secret)

    @property
    def lines(self) -> list[bytes]:
        """The same, line by line."""
        return self.received.splitlines()


# The server


class MisbehavingServer:
    """Plays scripts on loopback. An async context manager."""

    def __init__(
        self, *scripts: Script | Callable[[int], Script], host: str = IPV4, port: int = 0, strict: bool = True
    ) -> None:
        """Take one script a connection, or one callable that makes the script of the nth connection (from 0).

        `host` may be '::1'. With `strict` false an expectation that was not met is recorded, but fails no test.
        """
        if not scripts:
            raise ValueError("a server needs a script")
        self.host = host
        self.port = port
        self.conversations: list[Conversation] = []
        self._scripts = scripts
        self._strict = strict
        self._tasks: set[asyncio.Task[None]] = set()
        self._bugs: list[BaseException] = []
        self._listener: socket.socket | None = None

    @property
    def connections(self) -> int:
        """How many clients have connected."""
        return len(self.conversations)

    @property
    def received(self) -> bytes:
        """Everything that was received, of all connections."""
        return b"".join(one.received for one in self.conversations)

    def endpoint(self, security: Security) -> Endpoint:
        """Return where the server listens, to be spoken to in the given way."""
        return Endpoint(self.host, self.port, security)

    async def __aenter__(self) -> Self:
        self._listener = _listening_socket(self.host, self.port)
        self.port = self._listener.getsockname()[1]
        self._start(self._accept(self._listener))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
        if kind is not None:
            return
        if self._bugs:
            raise self._bugs[0]
        unmet = [f"connection {at}: {one.unmet}" for at, one in enumerate(self.conversations) if one.unmet]
        if self._strict and unmet:
            raise AssertionError("; ".join(unmet))

    def _start(self, work: Awaitable[None]) -> None:
        async def watched() -> None:
            try:
                await work
            except Exception as bug:
                self._bugs.append(bug)

        task = asyncio.create_task(watched())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listener)
            script = self._script(len(self.conversations))
            conversation = Conversation()
            self.conversations.append(conversation)
            self._start(_serve(client, script, conversation))

    def _script(self, number: int) -> Script:
        chosen = self._scripts[min(number, len(self._scripts) - 1)]
        return chosen(number) if callable(chosen) else chosen


async def _serve(client: socket.socket, script: Script, conversation: Conversation) -> None:
    """Play one script to one client; close the connection afterwards, however it ends."""
    client.setblocking(False)
    pipe = _Pipe(client, conversation)
    try:
        for step in script:
            if not await _play(step, pipe, conversation):
                return
            conversation.played += 1
        await pipe.listen()
    except ssl.SSLError as problem:
        conversation.tls_error = problem
    except (_HungUp, ConnectionError):
        conversation.hung_up = True
    finally:
        client.close()
        conversation.ended.set()


async def _play(step: Step, pipe: _Pipe, conversation: Conversation) -> bool:
    """Play one step; return whether to go on. Raises `_HungUp`, `ConnectionError`, `ssl.SSLError`."""
    match step:
        case Send(data):
            await pipe.send(data)
        case Drip(data, interval):
            for byte in data:
                await pipe.send(bytes([byte]))
                await asyncio.sleep(interval)
        case Flood(data, times):
            for _ in range(times):
                await pipe.send(data)
        case Expect() | ExpectMessage():
            conversation.unmet = await _unmet(step, pipe)
            return conversation.unmet is None
        case StartTls(context):
            await pipe.start_tls(context)
        case Hold(event):
            await _until(event, pipe.listen())
        case Deaf(event):
            await (event or asyncio.Event()).wait()
        case Close():
            return False
        case Reset():
            # No lingering: what is unsent is dropped, and the other side gets RST instead of FIN.
            pipe.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
    return True


async def _unmet(step: Expect | ExpectMessage, pipe: _Pipe) -> str | None:
    """Wait for what is expected; return a sentence where something else came, or nothing."""
    end = b"\n" if isinstance(step, Expect) else b"\r\n.\r\n"
    wanted = step.pattern if isinstance(step, Expect) else end
    try:
        async with asyncio.timeout(step.timeout):
            got = await pipe.read_until(end)
    except TimeoutError:
        return f"nothing came that is {wanted!r}, only {bytes(pipe.buffer)!r}"
    except (_HungUp, ConnectionError):
        return f"the client hung up where {wanted!r} was due"
    line = got.rstrip(b"\r\n")
    if isinstance(step, Expect) and not re.fullmatch(step.pattern, line, re.IGNORECASE | re.DOTALL):
        return f"{line!r} came where {wanted!r} was due"
    return None


async def _until(event: asyncio.Event | None, listening: Awaitable[None]) -> None:
    """Listen until the event is set. Raises what listening raises."""
    tasks = [asyncio.ensure_future(listening)]
    if event is not None:
        tasks.append(asyncio.ensure_future(_wait(event)))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


class _Pipe:
    """The server's end of a connection, in clear text or under TLS.

    TLS is done by hand over the raw socket: nothing is read that no step asks for, so that a script decides what comes
    before a handshake and what after it.
    """

    def __init__(self, client: socket.socket, conversation: Conversation) -> None:
        self.socket = client
        self.buffer = bytearray()
        self._conversation = conversation
        self._loop = asyncio.get_running_loop()
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None

    async def send(self, data: bytes) -> None:
        if self._tls is None:
            await self._loop.sock_sendall(self.socket, data)
            return
        self._tls.write(data)
        await self._flush()

    async def listen(self) -> None:
        """Read, and record, until the client hangs up. Raises `_HungUp` then."""
        while True:
            self.buffer.clear()
            await self._read()

    async def read_until(self, end: bytes) -> bytes:
        while end not in self.buffer:
            if len(self.buffer) > _LONGEST_LINE and end == b"\n":
                raise ConnectionError("a line without an end")
            await self._read()
        cut = self.buffer.index(end) + len(end)
        taken = bytes(self.buffer[:cut])
        del self.buffer[:cut]
        return taken

    async def start_tls(self, context: ssl.SSLContext) -> None:
        # What was read beyond the last line is the beginning of the client's handshake.
        self._incoming.write(bytes(self.buffer))
        self.buffer.clear()
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        await self._turn(tls.do_handshake)
        self._tls = tls

    async def _read(self) -> None:
        """Take in what comes next."""
        if self._tls is None:
            data = await self._loop.sock_recv(self.socket, 65536)
            self._conversation.plain += data
        else:
            tls = self._tls
            data = await self._turn(lambda: tls.read(65536))
            self._conversation.secret += data
        if not data:
            raise _HungUp
        self.buffer += data

    async def _turn(self, operation: Callable[[], T]) -> T:
        """Do something with the TLS object, feeding it from the socket for as long as it asks for more."""
        while True:
            try:
                done = operation()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._loop.sock_recv(self.socket, 65536)
                if not data:
                    raise _HungUp from None
                self._incoming.write(data)
            except ssl.SSLError:
                # The alert that says why.
                with suppress(ConnectionError):
                    await self._flush()
                raise
            else:
                await self._flush()
                return done

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._loop.sock_sendall(self.socket, self._outgoing.read())


# Ports at which nobody serves


@contextmanager
def refused_port(host: str = IPV4) -> Iterator[int]:
    """Give a port that refuses connections. It is bound but not listened on, so that nobody else can take it."""
    with _bound_socket(host, 0) as taken:
        yield taken.getsockname()[1]


@contextmanager
def silent_port(host: str = IPV4) -> Iterator[int]:
    """Give a port where connections are made, by the kernel, and not a byte ever comes."""
    with _listening_socket(host, 0) as listener:
        yield listener.getsockname()[1]


@asynccontextmanager
async def swallowing_port(host: str = IPV4, port: int = 0) -> AsyncIterator[int]:
    """Give a port where not even a connection is made: the queue is full, so that the kernel drops each SYN (Linux)."""
    with _bound_socket(host, port) as listener:
        listener.listen(0)
        address = listener.getsockname()
        waiting: list[socket.socket] = []
        try:
            while await _connects(address, waiting):
                assert len(waiting) < 16, "this kernel refuses, or never fills the queue"
            yield address[1]
        finally:
            for one in waiting:
                one.close()


async def _connects(address: tuple[str, int], waiting: list[socket.socket]) -> bool:
    """Put one more client into the queue; return whether there was room for it."""
    client = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    client.setblocking(False)
    waiting.append(client)
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(client, address), 0.2)
        return True
    return False


def has_ipv6() -> bool:
    """Return whether ::1 can be listened on here."""
    try:
        _bound_socket(IPV6, 0).close()
    except OSError:
        return False
    return True


def _bound_socket(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound


def _listening_socket(host: str, port: int) -> socket.socket:
    listener = _bound_socket(host, port)
    listener.setblocking(False)
    listener.listen(64)
    return listener


# Certificates. Each function returns the server's side of TLS, ready for `StartTls`.


def make_ca() -> trustme.CA:
    """Return a certificate authority that nobody trusts yet."""
    return trustme.CA()


def trusting(ca: trustme.CA | None = None) -> ssl.SSLContext:
    """Return the client's side: it trusts the system's authorities, and `ca` where one is given."""
    context = ssl.create_default_context()
    if ca is not None:
        ca.configure_trust(context)
    return context


def good(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    """A certificate for these names, by default for loopback, with which nothing is wrong."""
    return _leaf_context(ca.issue_cert(*(names or NAMES)))


def wrong_name(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    """A certificate of some other server."""
    return good(ca, *(names or ("mail.elsewhere.example",)))


def expired(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    """A certificate that ran out yesterday."""
    now = datetime.now(UTC)
    return _leaf_context(
        ca.issue_cert(*(names or NAMES), not_before=now - timedelta(days=90), not_after=now - timedelta(days=1))
    )


def not_yet_valid(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    """A certificate that holds from tomorrow."""
    now = datetime.now(UTC)
    return _leaf_context(
        ca.issue_cert(*(names or NAMES), not_before=now + timedelta(days=1), not_after=now + timedelta(days=90))
    )


def with_root(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    """A certificate that is followed by the one of its authority, which nobody needs to send."""
    leaf = ca.issue_cert(*(names or NAMES))
    return _context(leaf.private_key_and_cert_chain_pem.bytes() + ca.cert_pem.bytes())


def no_intermediate(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    """A certificate signed by an intermediate authority that the server forgets to send."""
    leaf = ca.create_child_ca().issue_cert(*(names or NAMES))
    return _context(leaf.private_key_pem.bytes() + leaf.cert_chain_pems[0].bytes())


def self_signed(*names: str) -> ssl.SSLContext:
    """A certificate that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _own_context(key, names[0] if names else "localhost", names or NAMES, issuer=None)


def cn_only(ca: trustme.CA, name: str = "localhost") -> ssl.SSLContext:
    """A certificate that names its server in the CN alone, without subjectAltName, which RFC 9525 gives up."""
    return _own_context(ec.generate_private_key(ec.SECP256R1()), name, (), issuer=ca)


def running_out(ca: trustme.CA, left: timedelta, *names: str) -> ssl.SSLContext:
    """A certificate that holds so much longer."""
    return _leaf_context(ca.issue_cert(*(names or NAMES), not_after=datetime.now(UTC) + left))


def weak_key(ca: trustme.CA) -> ssl.SSLContext:
    """A certificate with an RSA key of 1024 bits."""
    return _own_context(rsa.generate_private_key(65537, 1024), "localhost", NAMES, issuer=ca)


def weak_signature(root_file: Path) -> ssl.SSLContext:
    """A certificate that an authority of its own, whose certificate goes into `root_file`, has signed with SHA-1."""
    signer = rsa.generate_private_key(65537, 2048)
    root = _builder("SHA-1 Authority", _named("SHA-1 Authority"), signer).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    root_file.write_bytes(root.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = _builder("localhost", _named("SHA-1 Authority"), key).add_extension(_general_names(NAMES), critical=False)
    return _context(_secret(key) + _pem(_resigned_with_sha1(leaf.sign(signer, hashes.SHA256()), signer)))


def _resigned_with_sha1(certificate: x509.Certificate, signer: rsa.RSAPrivateKey) -> bytes:
    """Swap the algorithm, whose identifiers differ in the last byte alone, and sign again: nobody's tools do it now."""
    sha256, sha1 = (bytes.fromhex("06092a864886f70d0101") + end for end in (b"\x0b", b"\x05"))
    body = certificate.tbs_certificate_bytes.replace(sha256, sha1)
    encoded = certificate.public_bytes(serialization.Encoding.DER)
    encoded = encoded.replace(certificate.tbs_certificate_bytes, body).replace(sha256, sha1)
    signature = signer.sign(body, padding.PKCS1v15(), hashes.SHA1())
    return encoded[: -len(signature)] + signature


def old_tls(ca: trustme.CA, version: ssl.TLSVersion) -> ssl.SSLContext:
    """A server that speaks no newer version of TLS than this one."""
    context = good(ca)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of old versions, which is what is wanted here
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def asks_for_certificate(
    ca: trustme.CA, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, *, insists: bool = True
) -> ssl.SSLContext:
    """A server that wants the client to show a certificate, and lets it go without one only if it does not insist."""
    context = good(ca)
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED if insists else ssl.CERT_OPTIONAL
    ca.configure_trust(context)
    return context


PROTOCOL_VERSION = b"\x15\x03\x01\x00\x02\x02\x46"
"""The alert 'protocol version' (RFC 8446 section 6.2), as a server sends it that knows no version of ours."""

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def _own_context(key: PrivateKey, common_name: str, names: Sequence[str], issuer: trustme.CA | None) -> ssl.SSLContext:
    """Build a certificate by hand: trustme signs for itself never, and always writes a subjectAltName."""
    if issuer is None:
        builder, signer = _builder(common_name, _named(common_name), key), key
    else:
        parent = x509.load_pem_x509_certificate(issuer.cert_pem.bytes())
        identifier = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        known = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
        loaded = serialization.load_pem_private_key(issuer.private_key_pem.bytes(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        builder = _builder(common_name, parent.subject, key).add_extension(known, critical=False)
        signer = loaded
    if names:
        builder = builder.add_extension(_general_names(names), critical=False)
    return _context(_secret(key) + _pem(builder.sign(signer, hashes.SHA256())))


def _builder(common_name: str, issuer: x509.Name, key: PrivateKey) -> x509.CertificateBuilder:
    """Begin a certificate that holds today."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(common_name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def _secret(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pem(certificate: x509.Certificate | bytes) -> bytes:
    if isinstance(certificate, bytes):
        return ssl.DER_cert_to_PEM_cert(certificate).encode()
    return certificate.public_bytes(serialization.Encoding.PEM)


def _general_names(names: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general_name(name) for name in names])


def _general_name(name: str) -> x509.GeneralName:
    with suppress(ValueError):
        return x509.IPAddress(ip_address(name))
    return x509.DNSName(name)


def _leaf_context(leaf: trustme.LeafCert) -> ssl.SSLContext:
    return _context(leaf.private_key_and_cert_chain_pem.bytes())


def _context(pem: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")  # whatever is wrong with it, it is shown
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "server.pem")
        file.write_bytes(pem)
        context.load_cert_chain(file)
    return context
