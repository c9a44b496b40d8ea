"""The listener that the browser comes back to (RFC 8252 section 7.3): on this computer alone, for one answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from smtp_wizard.engine.oauth.server import is_loopback
from smtp_wizard.engine.smtp.timeouts import listening_timeout

LONGEST_REQUEST = 32 * 1024
SECONDS_A_REQUEST = 10.0
AT_ONCE = 20
"""Connections at most: browsers open some in advance."""

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>smtp-wizard</title>
<body style="font-family:sans-serif;margin:4em auto;max-width:32em;text-align:center">
<h1>{title}</h1><p>{words}</p></body></html>
"""


class Listener:
    """A web server of one page on 127.0.0.1. Used as a context, which closes it."""

    def __init__(self, path: str = "/") -> None:
        """`path`: of the address that the browser comes back to."""
        self._path = path or "/"
        self._server: asyncio.Server | None = None
        self._is_ours: Callable[[Mapping[str, str]], bool] = lambda _: False
        self._answer: asyncio.Future[Mapping[str, str]] | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None, "it listens inside the context"
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        """Raises `OSError` where this computer lets nobody listen."""
        self._answer = asyncio.get_running_loop().create_future()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LONGEST_REQUEST)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()

    async def answer(self, is_ours: Callable[[Mapping[str, str]], bool]) -> Mapping[str, str]:
        """Wait for the browser; return what stands behind the question mark. `is_ours` compares the state."""
        assert self._answer is not None
        self._is_ours = is_ours
        return await self._answer

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._writers) >= AT_ONCE:
            writer.close()
            return
        self._writers.add(writer)
        try:
            async with listening_timeout(SECONDS_A_REQUEST):
                head = await reader.readuntil(b"\r\n\r\n")
                status, page, query = self._page_for(head)
                writer.write(_response(status, page))
                await writer.drain()
                if query is not None and self._answer is not None and not self._answer.done():
                    self._answer.set_result(query)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._writers.discard(writer)
            with suppress(OSError):
                writer.close()

    def _page_for(self, head: bytes) -> tuple[str, str, Mapping[str, str] | None]:
        """Return status, page, and the answer if it is the one that is waited for."""
        lost = ("404 Not Found", _PAGE.format(title="Nothing is here", words="This is not a web site."), None)
        lines = head.decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        target = rest.rpartition(" ")[0]
        host = next((line.partition(":")[2].strip() for line in lines[1:] if line.lower().startswith("host:")), "")
        try:
            parts = urlsplit(target)
            asked_for = urlsplit(f"//{host}").hostname or ""
            query = dict(parse_qsl(parts.query, max_num_fields=50))
        except ValueError:
            return lost
        # A page somewhere in the world could send a browser here under another name (DNS rebinding).
        done = self._answer is None or self._answer.done()
        if method != "GET" or (parts.path or "/") != self._path or not is_loopback(asked_for) or done:
            return lost
        if not ("code" in query or "error" in query) or not self._is_ours(query):
            return lost
        if "error" in query:
            words = "The provider said no. smtp-wizard tells you why; you can close this page."
            return "200 OK", _PAGE.format(title="Not signed in", words=words), query
        words = "Go back to smtp-wizard, and press Enter there if it waits for you. You can close this page."
        return "200 OK", _PAGE.format(title="You are signed in", words=words), query


def _response(status: str, page: str) -> bytes:
    body = page.encode("utf-8")
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n\r\n"
    )
    return head.encode("ascii") + body
