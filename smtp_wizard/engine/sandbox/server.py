"""A mail server on this computer that plays a provider, so that somebody without a mailbox can rehearse everything.

It listens on 127.0.0.1 only, in the event loop that starts it. What it plays comes from data/sandbox.yaml. What
is sent to it stays in a Maildir below the sandbox's folder, where its certificates are too.
"""

from __future__ import annotations

import asyncio
import functools
import os
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.file_ownership import UnsafeFile
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.base.threads import run_to_completion
from smtp_wizard.engine.sandbox.certificates import ca_file, prepare
from smtp_wizard.engine.sandbox.errors import SandboxError
from smtp_wizard.engine.sandbox.mailbox import deliver, trace
from smtp_wizard.engine.sandbox.scenarios import REFUSED, Scenario, SignInRule

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"
_BACKLOG = 100
"""Connections that may wait to be answered."""
LARGEST_MESSAGE = 10 * 1024 * 1024
"""Bytes of a message that are taken at most; told in EHLO's SIZE."""
LONGEST_ANSWER = 12288
"""Bytes of a line in a sign-in at most (RFC 4954 section 4)."""
MOST_SESSIONS = 20
"""Conversations at the same time. The next one is told to come back later."""
IDLE_SECONDS = 60.0
"""After so long without a command the server hangs up; a whole message has to arrive within it, too."""
HANDSHAKE_SECONDS = 5.0
_TURNS_TO_BEGIN = 4
"""Turns of the event loop from accepting a connection to its first moment, and one more."""
_STOP_SECONDS = 2.0


class Sandbox:
    """The server, playing one scenario. Use it as an async context manager, or call `start` and `stop`."""

    def __init__(self, folder: Path, scenario: Scenario) -> None:
        """`folder` is where the mailbox and the certificates are; it is made when the server starts."""
        self.folder = folder
        self.scenario = scenario
        self._servers: list[asyncio.Server] = []
        self._conversations: dict[SMTP, asyncio.Task[Any]] = {}
        self._transports: WeakSet[asyncio.Transport] = WeakSet()
        """Of every connection, also of one whose conversation has not begun."""
        self._running = False
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
        return ca_file(self.folder)

    def endpoint(self, security: Security) -> Endpoint:
        """Return where the running server is tried with one kind of encryption, even if it does not speak it there.

        A saved account remembers a port; the server may have had to take another one this time.
        """
        return next(e for e in self._endpoints if e.security is security)

    async def start(self) -> None:
        """Listen on the scenario's ports, or on free ones where those are taken. Raises `SandboxError`."""
        if self._servers:
            raise RuntimeError("the practice server runs already")
        self._running = True
        try:
            context = await run_to_completion(partial(prepare, self.folder, self.scenario.certificate))
            for security, port in self.scenario.ports.items():
                server = await self._listen(security, port, context)
                self._servers.append(server)  # known before anything is waited for, so that `stop` closes it
                await server.start_serving()
        except UnsafeFile as problem:
            await self.stop()
            raise SandboxError(phrase("The practice server does not start. {}", problem.words)) from None
        except OSError as problem:
            await self.stop()
            reason = shown(problem.strerror or str(problem))
            raise SandboxError(phrase("The practice server could not start: {}.", reason)) from None
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
        self._running = False
        try:
            await _let_nobody_in(servers)
        finally:  # the ports are free also where the end is cut short
            for server in servers:
                server.close()
        tasks = set(self._conversations.values())
        for task in tasks:
            task.cancel()
        for transport in tuple(self._transports):
            transport.abort()
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_SECONDS)
        for server in servers:
            # From Python 3.12 it waits for those in the middle of a handshake as well.
            with suppress(TimeoutError):
                await asyncio.wait_for(server.wait_closed(), _STOP_SECONDS)

    def _connected(self, transport: asyncio.Transport) -> None:
        """Know of a connection from its first moment on; who was let in a moment before the end is cut off as well."""
        self._transports.add(transport)
        if not self._running:
            transport.abort()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _listen(self, security: Security, port: int, context: ssl.SSLContext) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        implicit = context if security is Security.TLS and self.scenario.implicit_tls else None
        factory = partial(_session_class(), self, None if implicit else context)
        patience = HANDSHAKE_SECONDS if implicit else None
        try:
            listening = _bound(port)
        except OSError:
            listening = _bound(0)
        return await loop.create_server(
            factory, sock=listening, ssl=implicit, ssl_handshake_timeout=patience, start_serving=False
        )

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


async def _let_nobody_in(servers: Sequence[asyncio.Server]) -> None:
    """Accept no more, and wait for who has been accepted: asyncio loses a connection whose server closes in between."""
    if sys.platform == "win32":  # another kind of loop accepts there
        return
    loop = asyncio.get_running_loop()
    for server in servers:
        for listening in server.sockets:
            loop.remove_reader(listening.fileno())
    for _ in range(_TURNS_TO_BEGIN):
        await asyncio.sleep(0)


def _bound(port: int) -> socket.socket:
    """Return a socket that listens on a port of this computer; 0: on a free one. Raises `OSError`.

    It listens before asyncio gets it: of two that bind one port at the same moment, one fails only then, and asyncio
    would leave that socket open.
    """
    found = socket.socket()
    try:
        if os.name == "posix":  # elsewhere it would let two share the port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
        found.listen(_BACKLOG)
    except OSError:
        found.close()
        raise
    return found


@functools.cache
def _session_class() -> Callable[[Sandbox, ssl.SSLContext | None], SMTP]:
    """Build the class of one session; aiosmtpd is imported only when a server starts."""
    import logging

    from aiosmtpd.smtp import SMTP

    # aiosmtpd logs what it receives, and warns about itself; without a handler that lands on the terminal, over the
    # screens. The logger is its own, nobody else writes there.
    logging.getLogger("mail.log").disabled = True

    class PracticeSession(SMTP):
        AuthLoginUsernameChallenge = "Username:"
        AuthLoginPasswordChallenge = "Password:"
        line_length_limit = LONGEST_ANSWER

        def __init__(self, sandbox: Sandbox, starttls: ssl.SSLContext | None) -> None:
            part = _Part(sandbox.folder, sandbox.scenario, starttls is not None)
            super().__init__(part, loop=asyncio.get_running_loop(), **_session_options(part, starttls))
            self._sandbox = sandbox
            # The long lines are for passwords; those of a message stay as RFC 5321 has them.
            self.line_length_limit = SMTP.line_length_limit

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            super().connection_made(transport)
            self._sandbox._connected(transport)

        async def _handle_client(self) -> None:
            with self._sandbox._counted(self) as room, suppress(ConnectionError):
                if room:
                    await self.event_handler.before_answer(self, Stage.GREETING)
                    await super()._handle_client()
                    return
                await self.push("421 4.3.2 Too many connections, please try again later")
                assert self.transport is not None
                self.transport.close()

    return PracticeSession


def _session_options(part: _Part, starttls: ssl.SSLContext | None) -> dict[str, Any]:
    """Return how aiosmtpd is to answer: who signs in, how much it takes, how long it waits."""
    return {
        "hostname": "localhost",
        "ident": "smtp-wizard practice server",
        "data_size_limit": LARGEST_MESSAGE,
        "enable_SMTPUTF8": True,
        "tls_context": starttls,
        # On the implicit listener aiosmtpd does not see the TLS that the transport brought along.
        "auth_require_tls": starttls is not None,
        "authenticator": part.authenticate,
        "timeout": IDLE_SECONDS,
        "command_call_limit": {"AUTH": 10, "*": 1000},
    }


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
        head = trace(session.host_name or "", envelope.mail_from or "", envelope.rcpt_tos, datetime.now(UTC))
        key = await run_to_completion(partial(deliver, self._folder, head + envelope.content))
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

        if lets_in(self._scenario, given.login, given.password):
            return AuthResult(success=True)
        reply = self._scenario.replies.get(Stage.AUTH, REFUSED)
        return AuthResult(success=False, handled=False, message=str(reply))


def lets_in(scenario: Scenario, login: bytes, password: bytes) -> bool:
    """Return whether a scenario takes a user name and a password."""
    if not login or not password or scenario.auth is SignInRule.REFUSE:
        return False
    return _no_blanks(password.decode("utf-8", "replace")) == _no_blanks(scenario.practice_password)


def _no_blanks(text: str) -> str:
    return "".join(text.split())
