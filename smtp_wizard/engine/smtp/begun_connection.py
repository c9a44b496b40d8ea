"""A connection that begins while the program is still being loaded, so that nobody waits for that round trip.

Nothing is said over it before it is taken. It needs neither asyncio nor ssl, which take longer to load than that.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

from smtp_wizard.engine.base.connection import Family

FRESH_SECONDS = 3.0
"""How old a connection may be that is used: a server gives one up on which nobody speaks."""
_KINDS = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}


class BegunConnection:
    """Looks a host up and begins to connect to its first address, in a thread. To be closed, whoever has taken it."""

    def __init__(self, host: str, port: int, family: Family | None = None) -> None:
        """`family`: which addresses count; None: all."""
        self.host = host
        self.port = port
        self._kinds = set(_KINDS.values()) if family is None else {_KINDS[family]}
        self._began = time.monotonic()
        self._found: Any = None
        self._fault: Exception | None = None
        self._address = ""
        self._socket: socket.socket | None = None
        self._closed = False
        self._guard = threading.Lock()
        self._looked_up = threading.Event()
        threading.Thread(target=self._begin, name="smtp-wizard connection", daemon=True).start()

    def answer(self) -> Any:
        """Wait for the look-up; return what `socket.getaddrinfo` has answered. Raises what it has raised."""
        self._looked_up.wait()
        if self._fault is not None:
            raise self._fault
        return self._found

    def take(self, address: str, port: int) -> socket.socket | None:
        """Return the socket, connected or about to be, where it leads to this address; None else, or if it is old."""
        with self._guard:
            found, self._socket = self._socket, None
            self._closed = True
        if found is None or self._is(address, port):
            return found
        found.close()
        return None

    def close(self) -> None:
        """Close what nobody has taken."""
        with self._guard:
            found, self._socket = self._socket, None
            self._closed = True
        if found is not None:
            found.close()

    def _is(self, address: str, port: int) -> bool:
        return (address, port) == (self._address, self.port) and time.monotonic() - self._began < FRESH_SECONDS

    def _begin(self) -> None:
        try:
            # As bytes, as everywhere: for text Python loads its IDNA 2003.
            self._found = socket.getaddrinfo(self.host.encode("ascii"), self.port, type=socket.SOCK_STREAM)
        except Exception as problem:  # whatever it is, whoever asks for the answer gets it
            self._fault = problem
        self._looked_up.set()
        first = next((each for each in self._found or () if each[0] in self._kinds), None)
        if first is not None:
            self._connect(first[0], first[-1])

    def _connect(self, kind: int, where: tuple[Any, ...]) -> None:
        try:
            begun = socket.socket(kind, socket.SOCK_STREAM)
        except OSError:  # whoever would have taken it meets the same
            return
        try:
            begun.setblocking(False)
            begun.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            begun.connect_ex(where[:2])
        except BaseException:
            begun.close()
            raise
        with self._guard:
            if not self._closed:
                self._address, self._socket = str(where[0]), begun
                return
        begun.close()
