"""A connection that was begun before it is needed: used once, for the address that it leads to, while it is fresh."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.smtp import begun_connection
from smtp_wizard.engine.smtp.begun_connection import BegunConnection
from smtp_wizard.engine.smtp.symptom import Fault
from smtp_wizard.engine.smtp.transport import SocketWire
from smtp_wizard.engine.smtp.wire_error import WireError
from tests.support.misbehaving import refused_port
from tests.support.patience import PATIENCE

HOST = "127.0.0.1"


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server((HOST, 0)) as listening:
        listening.settimeout(10)
        yield listening


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def has_connected(begun: BegunConnection) -> None:
    """Wait until the thread has begun to connect."""
    begun.answer()
    for thread in threading.enumerate():
        if thread.name == "smtp-wizard connection":
            thread.join(PATIENCE)


async def test_what_was_begun_is_the_connection_that_is_made(server: socket.socket) -> None:
    with closing(BegunConnection(HOST, port_of(server))) as begun:
        has_connected(begun)
        accepted, where = server.accept()  # before anybody has asked for it
        with accepted:
            wire = SocketWire(begun)
            stream = await wire.connect(await wire.resolve(HOST, port_of(server), None))
            accepted.sendall(b"220 here\r\n")
            assert await stream.read() == b"220 here\r\n"
            stream.close()
            again = await wire.connect(await wire.resolve(HOST, port_of(server), None))
            other, there = server.accept()
            other.close()
            again.close()
            assert where != there, "it is used once"


async def test_a_name_is_asked_for_once(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    whole = socket.getaddrinfo

    def counted(host: object, *more: object, **options: object) -> object:
        asked.append(host)
        return whole(HOST, *more, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", counted)
    with closing(BegunConnection("mail.firma.example", port_of(server))) as begun:
        wire = SocketWire(begun)
        peers = await wire.resolve("mail.firma.example", port_of(server), None)
        (await wire.connect(peers)).close()
    assert [each for each in asked if each == b"mail.firma.example"] == [b"mail.firma.example"]


async def test_another_address_or_an_old_one_is_connected_anew(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server((HOST, 0)) as other, closing(BegunConnection(HOST, port_of(other))) as begun:
        has_connected(begun)
        wire = SocketWire(begun)
        stream = await wire.connect(await wire.resolve(HOST, port_of(server), None))
        server.accept()[0].close()
        stream.close()
        lost, _ = other.accept()
        with lost:
            assert lost.recv(1) == b"", "what is not used is closed"
    monkeypatch.setattr(begun_connection, "FRESH_SECONDS", 0.0)
    with closing(BegunConnection(HOST, port_of(server))) as begun:
        has_connected(begun)
        assert begun.take(HOST, port_of(server)) is None


async def test_a_refusal_is_the_same_as_ever() -> None:
    with refused_port() as port, closing(BegunConnection(HOST, port)) as begun:
        has_connected(begun)
        await asyncio.sleep(0)
        wire = SocketWire(begun)
        with pytest.raises(WireError) as raised:
            await wire.connect(await wire.resolve(HOST, port, None))
        assert raised.value.fault is Fault.REFUSED


async def test_a_name_that_is_not_there_is_the_same_as_ever() -> None:
    with closing(BegunConnection("mail.nowhere.invalid", 465)) as begun:
        with pytest.raises(WireError) as raised:
            await SocketWire(begun).resolve("mail.nowhere.invalid", 465, None)
        assert raised.value.fault is Fault.NO_SUCH_HOST


@pytest.mark.parametrize("family", [Family.IPV6])
def test_another_family_than_the_wanted_is_not_connected_to(server: socket.socket, family: Family) -> None:
    with closing(BegunConnection(HOST, port_of(server), family)) as begun:
        has_connected(begun)
        assert begun.take(HOST, port_of(server)) is None


def test_nothing_stays_open(server: socket.socket) -> None:
    """Neither where it was not taken, nor where it was closed before it had begun."""
    begun = BegunConnection(HOST, port_of(server))
    has_connected(begun)
    begun.close()
    early = BegunConnection(HOST, port_of(server))
    early.close()
    has_connected(early)
    del begun, early
    gc.collect()  # a socket that is left open warns, and a warning is an error
    accepted, _ = server.accept()
    with accepted:
        assert accepted.recv(1) == b""
