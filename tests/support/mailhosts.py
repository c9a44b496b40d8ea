"""Many submission servers on two loopback ports: the host that is asked for says which certificate and sign-in."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.smtp.symptom import Fault
from smtp_wizard.engine.smtp.transport import Peer, SocketStream, SocketWire, Stream
from smtp_wizard.engine.smtp.wire_error import WireError
from tests.support.certs import Authority

TLS_PORTS = frozenset({465})
"""Ports that are encrypted from the first byte; every other one begins with STARTTLS."""


@dataclass(frozen=True)
class MailHost:
    """A submission server."""

    ports: tuple[int, ...] = (465, 587)
    certificate: str = ""
    """The name that its certificate is for; '': its own."""
    auth: str = "PLAIN LOGIN"
    """The ways to sign in that it offers under TLS."""


class MailHosts(SocketWire):
    """Plays all hosts, and is the wire that finds them here; use it as `async with`. Other names there are not."""

    def __init__(self, authority: Authority, hosts: Mapping[str, MailHost]) -> None:
        super().__init__()
        self._hosts = hosts
        self._addresses = {host: f"203.0.113.{number}" for number, host in enumerate(hosts, 1)}
        names = {host: each.certificate or host for host, each in hosts.items()}
        contexts = {name: authority.issue(name).context() for name in set(names.values())}
        self._contexts = {host: contexts[name] for host, name in names.items()}
        self._asked: dict[ssl.SSLObject, str] = {}
        self._first = authority.issue("nobody.test").context()
        self._first.sni_callback = self._by_name
        self._tasks: set[asyncio.Task[None]] = set()

    def _by_name(self, there: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        """Take the certificate of the host that is asked for (RFC 6066 section 3)."""
        assert isinstance(there, ssl.SSLObject)
        if name in self._contexts:
            there.context = self._contexts[name]
            self._asked[there] = name

    # -- the wire ---------------------------------------------------------------------------------------------------

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        """As `Wire.resolve`."""
        if host not in self._addresses or family is Family.IPV6:
            raise WireError(Fault.NO_SUCH_HOST, phrase("there is no such host here"))
        return [Peer(self._addresses[host], port, Family.IPV4)]

    async def connect(self, peers: Sequence[Peer]) -> Stream:
        """As `Wire.connect`."""
        peer = peers[0]
        host = next(host for host, address in self._addresses.items() if address == peer.address)
        if peer.port not in self._hosts[host].ports:
            raise WireError(Fault.REFUSED, phrase("nobody listens there"))
        stream = await super().connect([Peer("127.0.0.1", self._ports[peer.port in TLS_PORTS], Family.IPV4)])
        assert isinstance(stream, SocketStream)
        stream._peer = peer  # where it leads in the test's world, so that a second look finds it again
        return stream

    # -- the servers ------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        secure = await asyncio.start_server(self._begun_secure, "127.0.0.1", 0, ssl=self._first)
        plain = await asyncio.start_server(self._begun_plain, "127.0.0.1", 0)
        self._servers = (plain, secure)
        self._ports = tuple(int(each.sockets[0].getsockname()[1]) for each in self._servers)
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _begun_secure(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._spoken(reader, writer)

    async def _begun_plain(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._spoken(reader, writer)

    async def _spoken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, ssl.SSLError):
                await self._talk(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ESMTP\r\n")
        while line := await reader.readline():
            verb = line.split()[:1]
            if verb == [b"EHLO"]:
                writer.write(self._offer(writer))
            elif verb == [b"STARTTLS"]:
                writer.write(b"220 2.0.0 go\r\n")
                await writer.start_tls(self._first)
            else:
                writer.write(b"221 2.0.0 bye\r\n")
                return

    def _offer(self, writer: asyncio.StreamWriter) -> bytes:
        there = writer.get_extra_info("ssl_object")
        if there is None:
            return b"250-mail\r\n250 STARTTLS\r\n"
        return f"250-mail\r\n250 AUTH {self._hosts[self._asked[there]].auth}\r\n".encode()
