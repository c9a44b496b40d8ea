"""A mail server on loopback that looks at senders: in the envelope, at RCPT, in From; and delivers into a mailbox."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Self

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from tests.support.imapserver import StoredFolder

Said = Callable[[str], bytes | None]
"""Takes a sender; returns the refusal, or None where it is taken."""


def taken(_: str) -> bytes | None:
    """Take everybody."""
    return None


def only(*senders: str, said: bytes) -> Said:
    """Take these and no other."""
    return lambda sender: None if sender in senders else said


class SenderServer:
    """The server, with TLS from the first byte. Used with `async with`."""

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        at_mail: Said = taken,
        at_rcpt: Said = taken,
        at_data: Said = taken,
        sign_in: bytes = b"235 2.7.0 ok\r\n",
        rewritten: str = "",
        mailbox: StoredFolder | None = None,
        offer: tuple[bytes, ...] = (b"PIPELINING", b"AUTH PLAIN"),
    ) -> None:
        """`at_data` is asked with the address in From. `rewritten`: what is put there. `mailbox`: where it arrives."""
        self.commands: list[str] = []
        """Every command that came; the sign-in without the secret."""
        self.messages: list[bytes] = []
        self.sign_ins = 0
        self._said = {"MAIL": at_mail, "RCPT": at_rcpt, "DATA": at_data}
        self._context = context
        self.sign_in_replies = [sign_in]
        """One for each sign-in, the last one again and again."""
        self._rewritten = rewritten
        self._mailbox = mailbox
        self._offer = offer
        self._sender = ""
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("127.0.0.1", self._server.sockets[0].getsockname()[1], Security.TLS)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            writer.write(b"220 mail.example.com ESMTP\r\n")
            while line := await reader.readline():
                words = line.decode().rstrip("\r\n")
                self.commands.append("AUTH PLAIN ..." if words.startswith("AUTH") else words)
                answer = await self._answered(words, reader, writer)
                if answer is None:
                    break
                writer.write(answer)
        writer.close()

    async def _answered(self, words: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        verb = words[:4].upper()
        if verb == "EHLO":
            lines = [b"mail.example.com", *self._offer]
            return b"".join(b"250-%s\r\n" % each for each in lines[:-1]) + b"250 %s\r\n" % lines[-1]
        if verb == "AUTH":
            self.sign_ins += 1
            return self.sign_in_replies.pop(0) if len(self.sign_in_replies) > 1 else self.sign_in_replies[0]
        if verb == "MAIL":
            self._sender = re.sub(r"^MAIL FROM:<([^>]*)>.*", r"\1", words)
            return self._said["MAIL"](self._sender) or b"250 2.1.0 ok\r\n"
        if verb == "RCPT":
            return self._said["RCPT"](self._sender) or b"250 2.1.5 ok\r\n"
        if verb == "DATA":
            writer.write(b"354 go ahead\r\n")
            return self._delivered(await reader.readuntil(b"\r\n.\r\n"))
        return None if verb == "QUIT" else b"250 2.0.0 ok\r\n"

    def _delivered(self, octets: bytes) -> bytes:
        found = re.search(rb"^From: .*?<?([^<>\s]+@[^<>\s]+?)>?\r$", octets, re.MULTILINE)
        refused = self._said["DATA"](found[1].decode() if found else "")
        if refused is not None:
            return refused
        self.messages.append(octets)
        if self._mailbox is not None:
            if self._rewritten:
                new = b"From: Ana <%s>\r" % self._rewritten.encode()
                octets = re.sub(rb"^From: .*\r$", new, octets, flags=re.MULTILINE)
            self._mailbox.add(octets.removesuffix(b".\r\n"), datetime.now(UTC))
        return b"250 2.0.0 queued\r\n"
