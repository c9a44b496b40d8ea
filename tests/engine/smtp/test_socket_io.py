"""A socket is watched once, however often it is waited for, and costs nothing while nobody waits."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from smtp_wizard.engine.smtp.socket_io import SocketReader, send_all
from tests.support.patience import PATIENCE


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection; the first does not block."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


@dataclass
class Calls:
    """How often the event loop was asked to watch a socket, or to leave it."""

    begun: int = 0
    ended: int = 0
    woken: int = 0
    noticed: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.fixture
async def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    counted = Calls()
    loop = asyncio.get_running_loop()
    add, remove = loop.add_reader, loop.remove_reader

    def begin(fd: Any, callback: Any, *more: Any) -> None:
        def woken() -> None:
            counted.woken += 1
            counted.noticed.set()
            callback(*more)

        counted.begun += 1
        add(fd, woken)

    def end(fd: Any) -> bool:
        counted.ended += 1
        return remove(fd)

    monkeypatch.setattr(loop, "add_reader", begin)
    monkeypatch.setattr(loop, "remove_reader", end)
    return counted


async def test_a_dialogue_of_many_words_is_watched_once(
    pair: tuple[socket.socket, socket.socket], calls: Calls
) -> None:
    ours, theirs = pair
    arrivals = SocketReader(ours)
    for number in range(7):
        waiting = asyncio.ensure_future(arrivals.receive(100))
        await asyncio.sleep(0)
        theirs.send(b"%d" % number)
        assert await waiting == b"%d" % number
    theirs.close()
    assert await arrivals.receive(100) == b""
    arrivals.end()
    arrivals.end()
    assert (calls.begun, calls.ended, calls.woken) == (1, 1, 8)


async def test_what_comes_while_nobody_waits_wakes_nobody_up_twice(
    pair: tuple[socket.socket, socket.socket], calls: Calls
) -> None:
    """A server that talks on would keep the processor busy otherwise; what it said is there when it is wanted."""
    ours, theirs = pair
    arrivals = SocketReader(ours)
    waiting = asyncio.ensure_future(arrivals.receive(1))
    await asyncio.sleep(0)
    theirs.send(b"abc")
    assert await waiting == b"a"
    for _ in range(20):
        await asyncio.sleep(0)
    assert calls.woken <= 2
    assert calls.ended == 1
    assert await arrivals.receive(100) == b"bc"
    arrivals.end()


async def test_who_is_cancelled_leaves_what_comes_to_the_next(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    arrivals = SocketReader(ours)
    waiting = asyncio.ensure_future(arrivals.receive(100))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    theirs.send(b"late")
    assert await arrivals.receive(100) == b"late"
    arrivals.end()


async def test_who_waits_next_before_the_cancelled_one_has_left_is_woken_up(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    reader = SocketReader(ours)
    first = asyncio.ensure_future(reader.receive(100))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(reader.receive(100))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    theirs.send(b"for the second")
    async with asyncio.timeout(PATIENCE):
        assert await second == b"for the second"
    reader.end()


async def test_what_ails_the_socket_is_raised_where_it_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ours = socket.create_connection(listening.getsockname())
        ours.setblocking(False)
        theirs, _ = listening.accept()
        arrivals = SocketReader(ours)
        waiting = asyncio.ensure_future(arrivals.receive(100))
        await asyncio.sleep(0)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # so that closing it is a reset
        theirs.close()
        with pytest.raises(ConnectionResetError):
            await waiting
        arrivals.end()
        ours.close()


async def test_an_event_loop_that_watches_no_sockets_reads_all_the_same(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pair

    async def simple(sock: socket.socket, size: int) -> bytes:
        return sock.recv(size)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr("smtp_wizard.engine.smtp.socket_io.WATCHING", ())
    monkeypatch.setattr(loop, "add_reader", None)
    monkeypatch.setattr(loop, "sock_recv", simple)
    arrivals = SocketReader(ours)
    theirs.send(b"word")
    assert await arrivals.receive(100) == b"word"
    arrivals.end()


async def test_more_than_the_system_takes_at_once_is_sent_whole(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.setblocking(False)
    whole = bytes(range(256)) * 20_000
    sending = asyncio.ensure_future(send_all(ours, whole))
    arrivals, seen = SocketReader(theirs), bytearray()
    async with asyncio.timeout(PATIENCE):
        while len(seen) < len(whole):
            seen += await arrivals.receive(65536)
        await sending
    arrivals.end()
    assert bytes(seen) == whole
