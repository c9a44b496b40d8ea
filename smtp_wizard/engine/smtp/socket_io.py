"""Reading and writing a socket that does not block, for as few calls to the system as it takes.

`loop.sock_recv` tells the system for each wait that it wants to hear of a socket, and again that it does not: three
calls where one does, six times a check.
"""

from __future__ import annotations

import asyncio
import socket

WATCHING = asyncio.SelectorEventLoop
"""The event loops that can watch a socket; the usual one of Windows cannot."""
_NOT_YET = (BlockingIOError, InterruptedError)


class SocketReader:
    """What comes over one socket. The system is asked once to tell of it, and asked to be silent while nobody waits."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._size = 0
        self._waiter: asyncio.Future[bytes] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        """The event loop that watches the socket."""

    async def receive(self, size: int) -> bytes:
        """Wait for what comes next, and return it, at most so many bytes; none at the end.

        One caller at a time. Raises `OSError`.
        """
        loop = asyncio.get_running_loop()
        if not isinstance(loop, WATCHING):
            return await loop.sock_recv(self._sock, size)
        if self._loop is None:
            loop.add_reader(self._sock, self._ready)
            self._loop = loop
        waiter: asyncio.Future[bytes] = loop.create_future()
        self._waiter, self._size = waiter, size
        try:
            return await waiter
        finally:
            if self._waiter is waiter:  # who comes after one that was cancelled may have begun to wait before this
                self._waiter = None

    def end(self) -> None:
        """Watch the socket no longer, before it is closed. It may be called again."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.remove_reader(self._sock)

    def _ready(self) -> None:
        waiter = self._waiter
        if waiter is None or waiter.done():  # what has come stays where it is until somebody wants it
            self.end()
            return
        try:
            data = self._sock.recv(self._size)
        except _NOT_YET:
            return
        except OSError as problem:
            waiter.set_exception(problem)
        else:
            waiter.set_result(data)


async def send_all(sock: socket.socket, data: bytes) -> None:
    """Send all of it, waiting for the other side only where the system takes no more. Raises `OSError`."""
    try:
        sent = sock.send(data)
    except _NOT_YET:
        sent = 0
    if sent < len(data):
        await asyncio.get_running_loop().sock_sendall(sock, data[sent:])
