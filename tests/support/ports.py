"""Ports for servers that must be told theirs before they start."""

from __future__ import annotations

import contextlib
import os
import random
import socket

HOST = "127.0.0.1"
FIRST, LAST = 10_000, 32_000
"""Below what systems give to outgoing connections, so that no connection takes a port before its server does."""
SHARES = 16
"""Processes that may look for ports at the same time, each in a share of its own."""


def free_ports(count: int) -> list[int]:
    """Return so many different ports of the loopback address that nobody listens on."""
    found: list[int] = []
    with contextlib.ExitStack() as stack:
        for port in _candidates():
            held = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                held.bind((HOST, port))
                found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"no {count} free ports between {FIRST} and {LAST}")


def _candidates() -> list[int]:
    """Return the ports of this process's share, in random order, since another run of the tests may go on beside."""
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    share = int(number) % SHARES
    ports = list(range(FIRST + share, LAST, SHARES))
    random.shuffle(ports)
    return ports
