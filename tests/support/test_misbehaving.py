"""The misbehaving server does what its script says. The standard library plays the client."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar

import pytest

from tests.support.misbehaving import (
    IPV4,
    IPV6,
    Close,
    Deaf,
    Drip,
    Expect,
    ExpectMessage,
    Flood,
    Hold,
    MisbehavingServer,
    Reset,
    Script,
    Send,
    StartTls,
    cn_only,
    expired,
    good,
    has_ipv6,
    make_ca,
    no_intermediate,
    not_yet_valid,
    refused_port,
    self_signed,
    silent_port,
    swallowing_port,
    trusting,
    wrong_name,
)
from tests.support.patience import PATIENCE

T = TypeVar("T")


async def aside(work: Callable[[], T]) -> T:
    """Run a blocking client beside the server."""
    return await asyncio.to_thread(work)


def read_all(server: MisbehavingServer, say: bytes = b"") -> bytes:
    """Connect, say something, return everything that comes until the server hangs up."""
    with socket.create_connection((server.host, server.port), timeout=PATIENCE) as client:
        client.sendall(say)
        got = bytearray()
        while data := client.recv(65536):
            got += data
    return bytes(got)


async def come_and_go(server: MisbehavingServer) -> None:
    """Connect and hang up; return when the server has noticed."""
    await aside(lambda: socket.create_connection((server.host, server.port)).close())
    while not server.conversations:
        await asyncio.sleep(0.001)
    await server.conversations[0].ended.wait()


MAIL: Script = [
    Send(b"220 here\r\n"),
    Expect(rb"ehlo .+"),
    Send(b"250-here\r\n250 STARTTLS\r\n"),
    Expect(rb"starttls"),
    Send(b"220 go\r\n"),
]


async def test_a_message_goes_through_starttls_and_is_recorded_on_both_sides_of_it() -> None:
    ca = make_ca()
    after: Script = [
        StartTls(good(ca)),
        Expect(rb"ehlo .+"),
        Send(b"250 here\r\n"),
        Expect(rb"mail from:<a@b\.example>"),
        Send(b"250 ok\r\n"),
        Expect(rb"rcpt to:<c@d\.example>"),
        Send(b"250 ok\r\n"),
        Expect(rb"data"),
        Send(b"354 go\r\n"),
        ExpectMessage(),
        Send(b"250 taken\r\n"),
        Expect(rb"quit"),
        Send(b"221 bye\r\n"),
    ]

    async with MisbehavingServer([*MAIL, *after]) as server:

        def send() -> dict[str, tuple[int, bytes]]:
            with smtplib.SMTP("localhost", server.port, timeout=PATIENCE) as client:
                client.starttls(context=trusting(ca))
                return client.sendmail("a@b.example", ["c@d.example"], b"Subject: x\r\n\r\n.dot\r\n")

        assert await aside(send) == {}
        (conversation,) = server.conversations
        await conversation.ended.wait()
        assert conversation.plain.upper().endswith(b"STARTTLS\r\n")
        assert b"\r\n..dot\r\n.\r\n" in conversation.secret
        assert conversation.played == len(MAIL) + len(after)
        assert conversation.hung_up


async def test_tls_from_the_first_byte() -> None:
    ca = make_ca()
    script: Script = [StartTls(good(ca)), Send(b"220 here\r\n"), Expect(rb"quit"), Send(b"221 bye\r\n"), Close()]
    async with MisbehavingServer(script) as server:

        def quit_at_once() -> tuple[int, bytes]:
            client = smtplib.SMTP_SSL("localhost", server.port, timeout=PATIENCE, context=trusting(ca))
            return client.quit()

        assert await aside(quit_at_once) == (221, b"bye")
        assert server.conversations[0].plain == b""


async def test_bytes_sent_behind_the_go_ahead_reach_the_client_before_the_handshake() -> None:
    script: Script = [Send(b"220 go\r\n250 injected\r\n"), StartTls(good(make_ca()))]
    async with MisbehavingServer(script) as server:

        def look() -> bytes:
            with socket.create_connection((server.host, server.port), timeout=PATIENCE) as client:
                return client.recv(100)

        assert await aside(look) == b"220 go\r\n250 injected\r\n"


@pytest.mark.parametrize(
    ("kind", "verify_code"),
    [
        (expired, 10),
        (not_yet_valid, 9),
        (wrong_name, 62),
        (no_intermediate, 20),
        (lambda _: self_signed(), 18),
        (lambda _: good(make_ca()), 20),
        (cn_only, 62),
    ],
    ids=["expired", "not-yet-valid", "wrong-name", "no-intermediate", "self-signed", "unknown-issuer", "cn-only"],
)
async def test_each_bad_certificate_is_bad_in_its_own_way(
    kind: Callable[[object], ssl.SSLContext], verify_code: int
) -> None:
    ca = make_ca()
    context = trusting(ca)
    context.hostname_checks_common_name = False
    async with MisbehavingServer([StartTls(kind(ca))]) as server:
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            await asyncio.open_connection("127.0.0.1", server.port, ssl=context, server_hostname="localhost")
        assert caught.value.verify_code == verify_code
        await server.conversations[0].ended.wait()
        assert server.conversations[0].played == 0


async def test_the_server_hears_why_a_client_refused_its_certificate() -> None:
    async with MisbehavingServer([StartTls(self_signed())]) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await aside(lambda: smtplib.SMTP_SSL("localhost", server.port, timeout=PATIENCE, context=trusting()))
        await server.conversations[0].ended.wait()
        problem = server.conversations[0].tls_error
        assert problem is not None
        assert "UNKNOWN_CA" in str(problem)


async def test_a_certificate_with_a_cn_alone_is_taken_by_a_client_that_looks_there() -> None:
    ca = make_ca()
    context = trusting(ca)
    context.hostname_checks_common_name = True
    async with MisbehavingServer([StartTls(cn_only(ca)), Send(b"220 here\r\n")]) as server:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", server.port, ssl=context, server_hostname="localhost"
        )
        assert await reader.readline() == b"220 here\r\n"
        writer.close()
        await writer.wait_closed()


async def test_drip_and_flood() -> None:
    async with MisbehavingServer([Drip(b"220 x\r\n", 0.001), Flood(b"250-y\r\n", 3), Close()]) as server:
        assert await aside(lambda: read_all(server)) == b"220 x\r\n" + 3 * b"250-y\r\n"


async def test_a_reset_is_a_reset() -> None:
    async with MisbehavingServer([Reset()]) as server:
        with pytest.raises(ConnectionResetError):
            await aside(lambda: read_all(server))


async def test_a_hold_listens_until_its_event() -> None:
    event = asyncio.Event()
    async with MisbehavingServer([Hold(event), Send(b"220 at last\r\n"), Close()]) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"anybody there?")
        while not server.received:
            await asyncio.sleep(0.001)
        event.set()
        assert await reader.read() == b"220 at last\r\n"
        assert server.received == b"anybody there?"
        writer.close()
        await writer.wait_closed()


async def test_a_deaf_server_reads_nothing() -> None:
    event = asyncio.Event()
    async with MisbehavingServer([Send(b"220 hi\r\n"), Deaf(event), Send(b"221 bye\r\n"), Close()]) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"hello?")
        assert await reader.readline() == b"220 hi\r\n"
        assert server.received == b""
        event.set()
        assert await reader.readline() == b"221 bye\r\n"
        writer.close()


async def test_each_connection_has_its_script_and_the_last_one_is_repeated() -> None:
    async with MisbehavingServer([Send(b"1"), Close()], lambda n: [Send(b"%d" % (n + 10)), Close()]) as server:
        assert [await aside(lambda: read_all(server)) for _ in range(3)] == [b"1", b"11", b"12"]
        assert server.connections == 3


async def test_an_expectation_that_is_not_met_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="connection 0: b'HELO you' came where b'EHLO"):
        async with MisbehavingServer([Expect(rb"EHLO .*")]) as server:
            await aside(lambda: read_all(server, b"HELO you\r\n"))
    with pytest.raises(AssertionError, match="hung up where"):
        async with MisbehavingServer([Expect(rb"EHLO .*")]) as server:
            await come_and_go(server)
    with pytest.raises(AssertionError, match="nothing came"):
        async with MisbehavingServer([Expect(rb"EHLO .*", timeout=0.01)]) as server:
            await aside(lambda: read_all(server))


async def test_a_lenient_server_only_remembers_what_was_not_met() -> None:
    async with MisbehavingServer([Expect(rb"EHLO .*")], strict=False) as server:
        await aside(lambda: read_all(server, b"HELO you\r\n"))
    assert server.conversations[0].unmet is not None


async def test_leaving_ends_everything_that_was_under_way() -> None:
    before = asyncio.all_tasks()
    async with MisbehavingServer([Deaf()]) as server:
        _, writer = await asyncio.open_connection(server.host, server.port)
    assert asyncio.all_tasks() == before
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(server.host, server.port)
    writer.close()


@pytest.mark.parametrize("host", [IPV4, *([IPV6] if has_ipv6() else [])])
async def test_ports_at_which_nobody_serves(host: str) -> None:
    with refused_port(host) as port, pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, port)
    with silent_port(host) as port:
        reader, writer = await asyncio.open_connection(host, port)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.05)
        writer.close()
    async with swallowing_port(host) as port:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.open_connection(host, port), 0.05)
    async with MisbehavingServer([Send(b"220 six\r\n"), Close()], host=host) as server:
        assert await aside(lambda: read_all(server)) == b"220 six\r\n"
