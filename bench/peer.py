"""A mail server far away: the practice server, behind proxies that let every byte take its time.

Run as a process of its own, so that it costs the measured programs nothing. It prints one line of JSON (where it
listens, whom to trust), then one more for each connection that has ended: how often the client waited for the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.sandbox.scenarios import load_scenarios
from smtp_wizard.engine.sandbox.server import Sandbox


class Far:
    """One connection to a server that is a round trip of so many seconds away."""

    def __init__(self, seconds: float) -> None:
        self._half = seconds / 2
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.time() + seconds
        """When SYN and SYN-ACK would have come and gone: loopback has connected long before."""
        self._client_spoke = False
        self._client_left = False
        self.waits = 1
        """How often the client waited for something to come back: the connection, then each turn of the talk."""

    async def carry(self, client: tuple[asyncio.StreamReader, asyncio.StreamWriter], port: int) -> None:
        """Hand everything on, both ways, until one side ends."""
        server: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        server = asyncio.ensure_future(self._reach(port))
        # What the client says first is under way while the server is not reached yet.
        there = self._hand_on(client[0], server, self._client_says, self._client_leaves)
        tasks = [asyncio.ensure_future(there), asyncio.ensure_future(self._bring_back(server, client[1]))]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        client[1].close()
        if server.done() and not server.cancelled() and server.exception() is None:
            server.result()[1].close()

    async def _reach(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the server when the last packet of the client's opening has come to it."""
        await self._until(self._opened + self._half)
        return await asyncio.open_connection("127.0.0.1", port)

    async def _bring_back(
        self, server: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]], writer: asyncio.StreamWriter
    ) -> None:
        reader, _ = await server
        ready: asyncio.Future[tuple[None, asyncio.StreamWriter]] = asyncio.get_running_loop().create_future()
        ready.set_result((None, writer))
        await self._hand_on(reader, ready, self._server_says)

    def _client_says(self) -> None:
        self._client_spoke = True

    def _client_leaves(self) -> None:
        self._client_left = True

    def _server_says(self) -> None:
        if not self._client_left and (self._client_spoke or self.waits == 1):
            self.waits += 1
        self._client_spoke = False

    async def _hand_on(
        self,
        reader: asyncio.StreamReader,
        to: asyncio.Future[tuple[Any, asyncio.StreamWriter]],
        said: Callable[[], None],
        left: Callable[[], None] = lambda: None,
    ) -> None:
        """Let each piece arrive half a round trip after it was sent, in order."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            while True:
                when, data = await under_way.get()
                await self._until(when)
                _, writer = await to
                writer.write(data)
                await writer.drain()

        arriving = asyncio.ensure_future(arrive())
        try:
            while data := await reader.read(65536):
                said()
                under_way.put_nowait((max(self._loop.time(), self._opened) + self._half, data))
            left()
            await asyncio.sleep(self._half)
        finally:
            arriving.cancel()

    async def _until(self, when: float) -> None:
        await asyncio.sleep(max(0.0, when - self._loop.time()))


async def listen(seconds: float, port: int, host: str = "127.0.0.1", own: int = 0) -> int:
    """Listen on a free port, or on `own`, for clients of the server at `port`; return it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = Far(seconds)
        with contextlib.suppress(OSError):
            await far.carry((reader, writer), port)
        print(json.dumps({"waits": far.waits}), flush=True)

    server = await asyncio.start_server(serve, host, own)
    return int(server.sockets[0].getsockname()[1])


async def main(round_trips: list[float]) -> None:
    """Serve until standard input ends."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = load_scenarios()["accept"]
        free = replace(scenario, ports=dict.fromkeys(scenario.ports, 0))
        async with Sandbox(Path(folder), free) as sandbox:
            ports = {
                security.value: {
                    f"{seconds:g}": await listen(seconds, sandbox.endpoint(security).port) for seconds in round_trips
                }
                for security in (Security.TLS, Security.STARTTLS)
            }
            print(json.dumps({"ports": ports, "ca": str(sandbox.ca_file)}), flush=True)
            await _end_of_input()


def _end_of_input() -> Awaitable[str]:
    return asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main([float(argument) for argument in sys.argv[1:]]))
