"""A mail server on this computer that plays a provider, so that somebody without a mailbox can rehearse everything.

It listens on 127.0.0.1 only, in the event loop of whoever starts it. What it plays comes from data/sandbox.yaml. What
is sent to it stays in a Maildir below the sandbox's folder:

    <folder>/mailbox/        the messages; they outlive the process
    <folder>/ca.pem          the certificate to trust, for this server alone
    <folder>/authority.pem   the same with its key; it can vouch for loopback names only, and is installed nowhere
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from smtp_wizard.engine.data import data_path
from smtp_wizard.engine.model import Endpoint, InputError, Security, Stage, clean
from smtp_wizard.engine.strict import Document, Node

if TYPE_CHECKING:
    import mailbox
    from email.message import EmailMessage

    import trustme
    from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
    from cryptography import x509

HOST = "127.0.0.1"
LEAF_NAMES = ("localhost", HOST, "::1")
OTHER_NAMES = ("another-server.localhost",)
"""Of the certificate with the wrong name: the authority can vouch for nothing that is not on this computer."""
LARGEST_MESSAGE = 10 * 1024 * 1024
"""Bytes of a message that are taken at most; told in EHLO's SIZE."""
LONGEST_ANSWER = 12288
"""Bytes of a line in a sign-in at most (RFC 4954 section 4)."""
MOST_SESSIONS = 20
"""Conversations at the same time. The next one is told to come back later."""
MOST_KEPT = 200
"""Messages that the mailbox keeps; the oldest makes room for the newest."""
IDLE_SECONDS = 60.0
"""After so long without a command the server hangs up; a whole message has to arrive within it, too."""
HANDSHAKE_SECONDS = 5.0
LONGEST_DELAY = 5
"""Seconds that a scenario may let one answer wait: a rehearsal shows slowness, it does not waste an afternoon."""
_STOP_SECONDS = 2.0
_HEADERS_READ = 64 * 1024


class SandboxError(Exception):
    """The practice server cannot run. The text is a sentence for a person."""


# What it plays


class Certificate(StrEnum):
    """Which certificate a scenario shows."""

    GOOD = "good"
    EXPIRED = "expired"
    WRONG_NAME = "wrong-name"


class SignIn(StrEnum):
    """Who is let in."""

    ANY = "any"
    """Any user name with a password of at least one character: it is a rehearsal."""
    PRACTICE = "practice-password"
    """Any user name with the practice password."""
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """A refusal, in the words of the provider that a scenario imitates (RFC 5321 section 4.2, RFC 3463)."""

    code: int
    enhanced: str
    """Empty where the provider sends none."""
    words: tuple[str, ...]
    """One entry a line."""

    def __str__(self) -> str:
        """The reply as it is sent, without the last line end."""
        enhanced = f"{self.enhanced} " if self.enhanced else ""
        last = len(self.words) - 1
        return "\r\n".join(
            f"{self.code}{' ' if at == last else '-'}{enhanced}{line}" for at, line in enumerate(self.words)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing that the practice server can play."""

    id: str
    title: str
    what: str
    """One sentence for somebody who has never heard of SMTP."""
    ports: Mapping[Security, int]
    """Preferred ports, STARTTLS first."""
    certificate: Certificate
    auth: SignIn
    practice_password: str
    """Not a secret. Blanks in it don't matter."""
    replies: Mapping[Stage, ScriptedReply] = field(default_factory=dict)
    """The refusals, by the stage at which they come. A stage that is missing goes well."""
    implicit_tls: bool = True
    """False: the port where TLS is expected from the first byte begins in clear text and wants STARTTLS."""
    delays: Mapping[Stage, int] = field(default_factory=dict)
    """Seconds that the answer of a stage takes."""
    drops: Stage | None = None
    """The stage in which the line is cut instead of an answer. At `data` that is after the whole message came, and was
    kept."""
    imitates: str = ""
    """Whose words these are."""
    source: str = ""
    """Where those words were seen."""


_REPLY_STAGES = (Stage.AUTH, Stage.MAIL, Stage.RCPT, Stage.DATA)
_DELAY_STAGES = (Stage.GREETING, Stage.EHLO, *_REPLY_STAGES)
_REFUSED = ScriptedReply(535, "5.7.8", ("Authentication credentials invalid",))


def load_scenarios(path: Path | None = None) -> dict[str, Scenario]:
    """Read data/sandbox.yaml, or `path`; return the scenarios by id, in the file's order. Raises `DataError`."""
    return Document(path or data_path("sandbox.yaml")).root.read(_read_scenarios)


def practice_password(path: Path | None = None) -> str:
    """Return the practice password as it is shown to people. Raises `DataError`."""
    return next(iter(load_scenarios(path).values())).practice_password


def _read_scenarios(root: Node) -> dict[str, Scenario]:
    if root.whole("schema") != 1:
        raise root.error("schema", "must be 1")
    password = root.text("practice_password")
    found: dict[str, Scenario] = {}
    ports: set[int] = set()
    for node in root.children("scenarios"):
        scenario = node.read(partial(_read_scenario, password=password))
        if scenario.id in found:
            raise node.error("id", "stands twice")
        if ports & set(scenario.ports.values()):
            raise node.error("ports", "a port stands twice")
        ports |= set(scenario.ports.values())
        found[scenario.id] = scenario
    if not found:
        raise root.error("scenarios", "must not be empty")
    return found


def _read_scenario(node: Node, password: str) -> Scenario:
    scenario = Scenario(
        id=node.text("id"),
        title=node.text("title"),
        what=node.text("what"),
        ports=node.child("ports").read(_read_ports),
        certificate=node.choice("certificate", Certificate),
        auth=node.choice("auth", SignIn),
        practice_password=password,
        replies=_read_replies(node),
        implicit_tls=node.flag("implicit_tls", True),
        delays=_read_delays(node),
        drops=node.choice("drops", Stage) if node.has("drops") else None,
        imitates=node.text_or("imitates"),
        source=node.text_or("source"),
    )
    if scenario.auth is not SignIn.ANY and Stage.AUTH not in scenario.replies:
        raise node.error("replies", f"auth is '{scenario.auth}', so the reply 'auth' must be there")
    if scenario.drops is not None and scenario.drops not in _DELAY_STAGES:
        raise node.error("drops", f"must be one of: {', '.join(_DELAY_STAGES)}")
    return scenario


def _read_ports(node: Node) -> dict[Security, int]:
    ports = {security: node.whole(security) for security in (Security.STARTTLS, Security.TLS)}
    for security, port in ports.items():
        if not 1024 <= port <= 65535:
            raise node.error(security, "must be from 1024 to 65535")
    if len(set(ports.values())) < len(ports):
        raise node.error(None, "must differ")
    return ports


def _read_replies(node: Node) -> dict[Stage, ScriptedReply]:
    replies = node.maybe_child("replies")
    if replies is None:
        return {}
    return replies.read(lambda those: {s: those.child(s).read(_read_reply) for s in _REPLY_STAGES if those.has(s)})


def _read_delays(node: Node) -> dict[Stage, int]:
    delays = node.maybe_child("delays")
    if delays is None:
        return {}
    return delays.read(lambda those: {s: _read_seconds(those, s) for s in _DELAY_STAGES if those.has(s)})


def _read_seconds(node: Node, key: str) -> int:
    seconds = node.whole(key)
    if not 1 <= seconds <= LONGEST_DELAY:
        raise node.error(key, f"must be from 1 to {LONGEST_DELAY} seconds")
    return seconds


def _read_reply(node: Node) -> ScriptedReply:
    reply = ScriptedReply(node.whole("code"), node.text_or("enhanced"), node.texts("words"))
    if not 400 <= reply.code <= 599:
        raise node.error("code", "must be from 400 to 599: only refusals are scripted")
    if reply.enhanced and reply.enhanced[:2] != f"{reply.code // 100}.":
        raise node.error("enhanced", "its first figure must be that of the code")
    # RFC 5321 section 4.5.3.1.5: a reply line has at most 512 octets.
    if not reply.words or not all(line.isascii() and line.isprintable() and len(line) <= 480 for line in reply.words):
        raise node.error("words", "must be lines of at most 480 printable ASCII characters")
    return reply


# The server


class Sandbox:
    """The server, playing one scenario. Use it as an async context manager, or call `start` and `stop`."""

    def __init__(self, folder: Path, scenario: Scenario) -> None:
        """`folder` is where the mailbox and the certificates are; it is made when the server starts."""
        self.folder = folder
        self.scenario = scenario
        self._servers: list[asyncio.Server] = []
        self._conversations: dict[SMTP, asyncio.Task[Any]] = {}
        self._endpoints: tuple[Endpoint, ...] = ()

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where it listens, and how it is spoken to there, STARTTLS first; empty while it does not run."""
        return tuple(
            endpoint if self.scenario.implicit_tls else replace(endpoint, security=Security.STARTTLS)
            for endpoint in self._endpoints
        )

    @property
    def ca_file(self) -> Path:
        """The certificate authority to trust for this server, and for nothing else. There once it has started."""
        return _ca_file(self.folder)

    def endpoint(self, security: Security) -> Endpoint:
        """Return where the running server is tried with one kind of encryption, even if it does not speak it there.

        A saved account remembers a port; the server may have had to take another one this time.
        """
        return next(e for e in self._endpoints if e.security is security)

    async def start(self) -> None:
        """Listen on the scenario's ports, or on free ones where those are taken. Raises `SandboxError`."""
        if self._servers:
            raise RuntimeError("the practice server runs already")
        try:
            context = await asyncio.to_thread(_prepare, self.folder, self.scenario.certificate)
            for security, port in self.scenario.ports.items():
                self._servers.append(await self._listen(security, port, context))
        except OSError as problem:
            await self.stop()
            reason = clean(problem.strerror or str(problem))
            raise SandboxError(f"The practice server could not start: {reason}.") from None
        except BaseException:
            await self.stop()
            raise
        self._endpoints = tuple(
            Endpoint(HOST, server.sockets[0].getsockname()[1], security)
            for server, security in zip(self._servers, self.scenario.ports, strict=True)
        )

    async def stop(self) -> None:
        """Free the ports and cut every conversation off. What arrived stays in the mailbox. Harmless when stopped.

        Who has connected and not yet finished a TLS handshake is out of reach: asyncio lets go of it when the client
        leaves, or after `HANDSHAKE_SECONDS`.
        """
        servers, self._servers, self._endpoints = self._servers, [], ()
        for server in servers:
            server.close()
        tasks = set(self._conversations.values())
        for conversation, task in tuple(self._conversations.items()):
            task.cancel()
            if conversation.transport is not None:
                conversation.transport.abort()  # type: ignore[attr-defined]  # every stream transport has it
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_SECONDS)
        for server in servers:
            # From Python 3.12 it waits for those in the middle of a handshake as well.
            with suppress(TimeoutError):
                await asyncio.wait_for(server.wait_closed(), _STOP_SECONDS)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _listen(self, security: Security, port: int, context: ssl.SSLContext) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        implicit = context if security is Security.TLS and self.scenario.implicit_tls else None
        factory = partial(_conversation_class(), self, None if implicit else context)
        patience = HANDSHAKE_SECONDS if implicit else None
        try:
            return await loop.create_server(factory, HOST, port, ssl=implicit, ssl_handshake_timeout=patience)
        except OSError:
            return await loop.create_server(factory, HOST, 0, ssl=implicit, ssl_handshake_timeout=patience)

    @contextmanager
    def _counted(self, conversation: SMTP) -> Iterator[bool]:
        """Know of a conversation while it lasts; yields whether there is room for it."""
        task = asyncio.current_task()
        assert task is not None
        room = len(self._conversations) < MOST_SESSIONS
        self._conversations[conversation] = task
        try:
            yield room
        finally:
            del self._conversations[conversation]


@asynccontextmanager
async def sandbox_for(folder: Path, scenario_id: str) -> AsyncIterator[Sandbox]:
    """Run the practice server for as long as a saved practice account is tested again.

    Raises `InputError` where there is no such scenario, `SandboxError` where it cannot run.
    """
    scenario = load_scenarios().get(scenario_id)
    if scenario is None:
        raise InputError(f"The practice server does not know '{clean(scenario_id, 60)}' any more.")
    async with Sandbox(folder, scenario) as sandbox:
        yield sandbox


_conversation: Callable[[Sandbox, ssl.SSLContext | None], SMTP] | None = None


def _conversation_class() -> Callable[[Sandbox, ssl.SSLContext | None], SMTP]:
    """Build the class of one conversation; aiosmtpd is imported only when a server starts."""
    global _conversation  # noqa: PLW0603  a class, made once, never changed
    if _conversation is not None:
        return _conversation
    import logging

    from aiosmtpd.smtp import SMTP

    # aiosmtpd logs what it receives, and warns about itself; without a handler that lands on the terminal, over the
    # screens. The logger is its own, nobody else writes there.
    logging.getLogger("mail.log").disabled = True

    class Conversation(SMTP):
        AuthLoginUsernameChallenge = "Username:"
        AuthLoginPasswordChallenge = "Password:"
        line_length_limit = LONGEST_ANSWER

        def __init__(self, sandbox: Sandbox, starttls: ssl.SSLContext | None) -> None:
            part = _Part(sandbox.folder, sandbox.scenario, starttls is not None)
            super().__init__(
                part,
                hostname="localhost",
                ident="smtp-wizard practice server",
                data_size_limit=LARGEST_MESSAGE,
                enable_SMTPUTF8=True,
                tls_context=starttls,
                # On the implicit listener aiosmtpd does not see the TLS that the transport brought along.
                auth_require_tls=starttls is not None,
                authenticator=part.authenticate,
                timeout=IDLE_SECONDS,
                command_call_limit={"AUTH": 10, "*": 1000},
                loop=asyncio.get_running_loop(),
            )
            self._sandbox = sandbox
            # The long lines are for passwords; those of a message stay as RFC 5321 has them.
            self.line_length_limit = SMTP.line_length_limit

        async def _handle_client(self) -> None:
            with self._sandbox._counted(self) as room, suppress(ConnectionError):
                if room:
                    await self.event_handler.before_answer(self, Stage.GREETING)
                    await super()._handle_client()
                    return
                await self.push("421 4.3.2 Too many connections, please try again later")
                assert self.transport is not None
                self.transport.close()

    _conversation = Conversation
    return _conversation


class _Part:
    """What the scenario makes of each command. The methods are called by aiosmtpd, under these names."""

    def __init__(self, folder: Path, scenario: Scenario, starttls: bool) -> None:
        self._folder = folder
        self._scenario = scenario
        self._starttls = starttls

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        await self.before_answer(server, Stage.EHLO)
        session.host_name = hostname
        # Commands are taken from the stream one by one, so that a client may send several at once (RFC 2920).
        return [responses[0], "250-PIPELINING", *responses[1:]]

    async def handle_AUTH(self, server: SMTP, session: Session, envelope: Envelope, args: list[str]) -> object:
        from aiosmtpd.smtp import MISSING

        await self.before_answer(server, Stage.AUTH)
        return MISSING

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not session.authenticated:
            naked = self._starttls and session.ssl is None
            return f"530 5.7.0 {'Must issue a STARTTLS command first' if naked else 'Authentication Required'}"
        await self.before_answer(server, Stage.MAIL)
        if reply := self._scenario.replies.get(Stage.MAIL):
            return str(reply)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await self.before_answer(server, Stage.RCPT)
        if reply := self._scenario.replies.get(Stage.RCPT):
            return str(reply)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self._scenario.delays.get(Stage.DATA, 0))
        if reply := self._scenario.replies.get(Stage.DATA):
            return str(reply)
        assert isinstance(envelope.content, bytes)
        head = _trace(session.host_name or "", envelope.mail_from or "", envelope.rcpt_tos, datetime.now(UTC))
        key = await asyncio.to_thread(_deliver, self._folder, head + envelope.content)
        self._drop(server, Stage.DATA)
        return f"250 2.0.0 OK, kept in the practice mailbox as {key}"

    async def before_answer(self, server: SMTP, stage: Stage) -> None:
        """Let the answer of a stage wait, or never come, as the scenario wants it."""
        await asyncio.sleep(self._scenario.delays.get(stage, 0))
        self._drop(server, stage)

    def _drop(self, server: SMTP, stage: Stage) -> None:
        """Cut the line if this is the stage for it. Raises `ConnectionResetError` then, which ends the conversation."""
        if self._scenario.drops is stage:
            assert server.transport is not None
            server.transport.abort()  # type: ignore[attr-defined]  # every stream transport has it
            raise ConnectionResetError

    async def handle_exception(self, error: Exception) -> str:
        """Answer for a failure of our own, such as a full disk; without words that came from the client."""
        return "451 4.3.0 The practice server could not do that"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: LoginPassword
    ) -> AuthResult:
        from aiosmtpd.smtp import AuthResult

        if self._lets_in(given.login, given.password):
            return AuthResult(success=True)
        reply = self._scenario.replies.get(Stage.AUTH, _REFUSED)
        return AuthResult(success=False, handled=False, message=str(reply))

    def _lets_in(self, login: bytes, password: bytes) -> bool:
        if not login or not password:
            return False
        match self._scenario.auth:
            case SignIn.ANY:
                return True
            case SignIn.PRACTICE:
                return _no_blanks(password.decode("utf-8", "replace")) == _no_blanks(self._scenario.practice_password)
            case SignIn.REFUSE:
                return False


def _no_blanks(text: str) -> str:
    return "".join(text.split())


# The mailbox


@dataclass(frozen=True, slots=True)
class SandboxMessage:
    """One message in the practice mailbox. The words come from outside and are cleaned."""

    key: str
    """What `read` takes."""
    when: datetime
    """When it arrived, in UTC."""
    sender: str
    """Of the envelope."""
    recipients: tuple[str, ...]
    """Of the envelope."""
    subject: str
    size: int
    """Bytes on the disk."""
    path: Path


def messages(folder: Path, limit: int = MOST_KEPT) -> tuple[SandboxMessage, ...]:
    """Return the newest `limit` messages below the sandbox's folder, newest first; none where there is no mailbox."""
    return tuple(found for path in _newest_first(folder)[:limit] if (found := _summary(path)) is not None)


def read(folder: Path, key: str) -> EmailMessage:
    """Return one message. Raises `KeyError` where there is none with that key."""
    from email import message_from_bytes, policy

    if not _mailbox_path(folder).is_dir():
        raise KeyError(key)
    return message_from_bytes(_open_mailbox(folder).get_bytes(key), policy=policy.default)


def clear(folder: Path) -> int:
    """Delete the messages; return how many there were."""
    paths = _newest_first(folder)
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


def _mailbox_path(folder: Path) -> Path:
    return folder / "mailbox"


def _open_mailbox(folder: Path) -> mailbox.Maildir:
    import mailbox

    return mailbox.Maildir(_mailbox_path(folder), factory=None, create=True)


def _deliver(folder: Path, message: bytes) -> str:
    """Keep a message, readable by its owner only, and let the oldest go; return its key."""
    key = _open_mailbox(folder).add(message.replace(b"\r\n", b"\n"))
    (_mailbox_path(folder) / "new" / key).chmod(0o600)
    for path in _newest_first(folder)[MOST_KEPT:]:
        path.unlink(missing_ok=True)
    return key


def _newest_first(folder: Path) -> list[Path]:
    arrived: list[tuple[int, str, Path]] = []
    for place in ("new", "cur"):
        with suppress(FileNotFoundError):
            for path in (_mailbox_path(folder) / place).iterdir():
                # Another process may delete it just now.
                with suppress(FileNotFoundError):
                    arrived.append((path.stat().st_mtime_ns, path.name, path))
    return [path for _, _, path in sorted(arrived, reverse=True)]


def _summary(path: Path) -> SandboxMessage | None:
    """Read the head of one message; None where it has just been deleted."""
    from email import policy
    from email.parser import BytesHeaderParser

    try:
        facts = path.stat()
        with path.open("rb") as file:
            head = BytesHeaderParser(policy=policy.default).parsebytes(file.read(_HEADERS_READ))
    except FileNotFoundError:
        return None
    return SandboxMessage(
        key=path.name.partition(":")[0],
        when=datetime.fromtimestamp(facts.st_mtime, UTC),
        sender=clean(str(head.get("Return-Path", "")).strip("<> ")),
        recipients=tuple(clean(str(one)) for one in head.get_all("Delivered-To", [])[:100]),
        subject=clean(str(head.get("Subject", ""))),
        size=facts.st_size,
        path=path,
    )


def _trace(helo: str, sender: str, recipients: Sequence[str], now: datetime) -> bytes:
    """Return what a server writes above a message that it takes (RFC 5321 section 4.4)."""
    from email.utils import format_datetime

    lines = [
        f"Return-Path: <{clean(sender)}>",
        *(f"Delivered-To: {clean(one)}" for one in recipients),
        f"Received: from {clean(helo, 255)} by localhost with ESMTPSA; {format_datetime(now)}",
    ]
    return "".join(f"{line}\n" for line in lines).encode()


# The certificates

_LIFE = timedelta(days=3650)
_RENEW_BEFORE = timedelta(days=60)
_LEAF_LIFE = timedelta(days=30)
_SKEW = timedelta(days=1)
"""The clock of a virtual machine may have been set back since."""
_LOCK_SECONDS = 10


def _ca_file(folder: Path) -> Path:
    return folder / "ca.pem"


def _prepare(folder: Path, certificate: Certificate) -> ssl.SSLContext:
    """Make sure of the folder, the mailbox and the authority; return the server's side of TLS. Raises `OSError`."""
    import filelock

    from smtp_wizard.engine.paths import make_private_dir

    make_private_dir(folder)
    with filelock.FileLock(folder / ".lock", timeout=_LOCK_SECONDS, mode=0o600):
        _open_mailbox(folder)
        authority = _authority(folder, datetime.now(UTC))
    return _server_context(folder, authority, certificate, datetime.now(UTC))


def _authority(folder: Path, now: datetime) -> trustme.CA:
    """Return the folder's certificate authority; make a new one where there is none, or none that will last."""
    import trustme
    from cryptography import x509

    from smtp_wizard.engine.paths import write_private

    kept = folder / "authority.pem"
    with suppress(FileNotFoundError, ValueError):
        pem = kept.read_bytes()
        found = x509.load_pem_x509_certificate(pem)
        if found.not_valid_before_utc <= now < found.not_valid_after_utc - _RENEW_BEFORE:
            authority = trustme.CA.from_pem(pem, pem)
            if not _ca_file(folder).is_file() or _ca_file(folder).read_bytes() != authority.cert_pem.bytes():
                write_private(_ca_file(folder), authority.cert_pem.bytes())
            return authority
    certificate, key = _new_authority(now)
    write_private(kept, key + certificate)
    write_private(_ca_file(folder), certificate)
    return trustme.CA.from_pem(certificate, key)


def _new_authority(now: datetime) -> tuple[bytes, bytes]:
    """Return certificate and key of a new authority, which can vouch for loopback only (RFC 5280 section 4.2.1.10)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "smtp-wizard practice server, this computer only")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_signs_certificates(), critical=True)
        .add_extension(_loopback_only(), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), secret


def _signs_certificates() -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _loopback_only() -> x509.NameConstraints:
    """So that the authority is worthless to whoever gets hold of its key."""
    from ipaddress import ip_network

    from cryptography import x509

    permitted = [x509.DNSName("localhost"), *(x509.IPAddress(ip_network(n)) for n in ("127.0.0.0/8", "::1/128"))]
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


def _server_context(folder: Path, authority: trustme.CA, certificate: Certificate, now: datetime) -> ssl.SSLContext:
    """Issue a certificate for loopback, as the scenario wants it; return the server's side of TLS."""
    issued = now - 2 * _LEAF_LIFE if certificate is Certificate.EXPIRED else now - _SKEW
    names = OTHER_NAMES if certificate is Certificate.WRONG_NAME else LEAF_NAMES
    leaf = authority.issue_cert(
        *names, organization_name="smtp-wizard practice server", not_before=issued, not_after=issued + _LEAF_LIFE
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # OpenSSL loads keys from files only; this one is private, and gone at once.
    with leaf.private_key_and_cert_chain_pem.tempfile(dir=str(folder)) as pem:
        context.load_cert_chain(pem)
    return context
