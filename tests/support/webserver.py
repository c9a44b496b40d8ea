"""A web server on loopback ports, with and without TLS, that plays any host: pages by URL, faults, and a log."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from smtp_wizard.engine.discovery.web import HttpWeb
from smtp_wizard.engine.smtp.tls import Trust
from tests.support.certs import Authority


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered under a URL."""

    content: bytes = b""
    status: str = "200 OK"
    location: str = ""
    holds: bool = False
    """It never comes."""
    drips: bool = False
    """It comes one byte at a time, and has no end."""
    packed: str = ""
    """Content-Encoding."""
    changed: str = ""
    """Last-Modified."""


ABSENT = Page(status="404 Not Found")


class WebServer:
    """Serves `pages`, by URL; use it as `async with`. What is not there is absent."""

    def __init__(self, authority: Authority, pages: Mapping[str, Page], *, names: tuple[str, ...] = ()) -> None:
        """`names`: the hosts that its certificate is for; those of the pages' URLs where it is empty."""
        self.pages = dict(pages)
        self.requests: list[str] = []
        """Every URL that was asked for, in order, with the method before it where that is not GET."""
        self.raw: list[bytes] = []
        """The head of every request, as it came."""
        self._authority = authority
        hosts = names or tuple(dict.fromkeys(url.split("/")[2] for url in pages)) or ("localhost",)
        self._context: ssl.SSLContext = authority.issue(*hosts).context()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._secure = await asyncio.start_server(self._secured, "127.0.0.1", 0, ssl=self._context)
        self._plain = await asyncio.start_server(self._unsecured, "127.0.0.1", 0)
        self.ports = {
            443: int(self._secure.sockets[0].getsockname()[1]),
            80: int(self._plain.sockets[0].getsockname()[1]),
        }
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in (self._secure, self._plain):
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def web(self, patience: float = 5.0) -> HttpWeb:
        """What makes the product find every host here."""
        trust = Trust(str(self._authority.file), only=True)
        return HttpWeb(trust, patience, lambda host, port: ("127.0.0.1", self.ports[port]))

    async def _secured(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve("https", reader, writer)

    async def _unsecured(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve("http", reader, writer)

    async def _serve(self, scheme: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await self._answer(scheme, await reader.readuntil(b"\r\n\r\n"), writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, scheme: str, head: bytes, writer: asyncio.StreamWriter) -> None:
        self.raw.append(head)
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        host = next(line.partition(":")[2].strip() for line in lines if line.lower().startswith("host:"))
        url = f"{scheme}://{host}{target}"
        self.requests.append(url if method == "GET" else f"{method} {url}")
        page = self.pages.get(url, ABSENT)
        if page.holds:
            await asyncio.Event().wait()
        fields = [f"HTTP/1.1 {page.status}", "Connection: close"]
        fields += [f"Location: {page.location}"] if page.location else []
        fields += [f"Content-Encoding: {page.packed}"] if page.packed else []
        fields += [f"Last-Modified: {page.changed}"] if page.changed else []
        fields += [] if page.drips else [f"Content-Length: {len(page.content)}"]
        writer.write("\r\n".join([*fields, "", ""]).encode() + page.content)
        await writer.drain()
        while page.drips:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)
