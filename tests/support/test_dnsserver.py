"""The DNS server of the tests."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from tests.support.dnsserver import DnsServer


async def test_a_port_of_which_somebody_has_the_udp_half_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number is chosen by the TCP half; a question that is on its way elsewhere may leave from the same one."""
    start_server = asyncio.start_server
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        ports = iter([taken.getsockname()[1]])

        async def at_the_taken_one_first(serve: Any, host: str, port: int) -> asyncio.Server:
            return await start_server(serve, host, next(ports, port))

        monkeypatch.setattr(asyncio, "start_server", at_the_taken_one_first)
        async with DnsServer("a.example. 60 IN A 127.0.0.1\n") as server:
            assert server.port not in {0, taken.getsockname()[1]}
            assert next(ports, None) is None
