"""A mail server that lets nobody in, and says in its refusal what it was shown: as it is, and as it came."""

from __future__ import annotations

import asyncio
import base64
import ssl
from types import TracebackType
from typing import Self

OFFER = b"250-echo.example.test\r\n250 AUTH PLAIN LOGIN XOAUTH2\r\n"


class EchoingServer:
    """Used as a context; TLS from the first byte."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self.shown: list[bytes] = []
        """What it was shown, decoded."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 echo.example.test ESMTP\r\n")
        try:
            while line := await reader.readline():
                writer.write(await self._answer(line.strip(), reader, writer))
        except OSError:
            pass
        finally:
            writer.close()

    async def _answer(self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        verb, _, rest = line.partition(b" ")
        if verb.upper() in (b"EHLO", b"QUIT"):
            return OFFER if verb.upper() == b"EHLO" else b"221 bye\r\n"
        if verb.upper() != b"AUTH":
            return b"530 sign in first\r\n"
        mechanism, _, answer = rest.partition(b" ")
        for _ in range(2 if mechanism == b"LOGIN" else not answer):
            writer.write(b"334 \r\n")
            answer = (await reader.readline()).strip()
        said = base64.b64decode(answer)
        self.shown.append(said)
        secret = said.replace(b"\x01", b"\x00").strip(b"\x00").split(b"\x00")[-1].removeprefix(b"auth=Bearer ")
        return b"535-5.7.8 no: " + answer + b"\r\n535 5.7.8 not " + secret + b"\r\n"
