"""The real network: whose certificates are believed, versions of TLS, names, and look-ups that never end."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys
import textwrap
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import trustme

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security, parse_host
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.smtp import tls
from smtp_wizard.engine.smtp.symptom import Fault, TlsFault
from smtp_wizard.engine.smtp.tls import TlsFacts, Trust, unverified_context, verifying_context
from smtp_wizard.engine.smtp.transport import SocketStream, SocketWire
from smtp_wizard.engine.smtp.wire_error import WireError
from tests.support.checking import (
    AUTH,
    DATA,
    EHLO,
    GREETING,
    MAIL,
    MAIL_FROM,
    MESSAGE,
    OFFER,
    OK,
    RCPT_TO,
    SIGNED_IN,
    Checked,
    check,
    starttls_up_to_auth,
    tls_up_to_auth,
)
from tests.support.misbehaving import (
    IPV4,
    IPV6,
    Hold,
    MisbehavingServer,
    Script,
    Send,
    StartTls,
    good,
    make_ca,
)
from tests.support.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return make_ca()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> str:
    """A file of its own for each test, since a trust is made once for each file."""
    file = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return str(file)


async def sign_in(context: ssl.SSLContext, trust: Trust, host: str = IPV4) -> Checked:
    """Sign in, over TLS from the first byte, to a server with this certificate."""
    async with MisbehavingServer([*tls_up_to_auth(context), SIGNED_IN], strict=False) as server:
        return await check(Endpoint(host, server.port, Security.TLS), trust=trust)


# --- whose certificates are believed ---


async def test_nobody_is_believed_without_being_told(ca: trustme.CA) -> None:
    done = await sign_in(good(ca), Trust())
    assert done.row == (Stage.TLS, Verdict.FAIL, "cert_chain_incomplete"), "nothing leads from it to anybody known"


@pytest.mark.system_trust
async def test_an_own_authority_is_believed_beside_the_systems(ca: trustme.CA, ca_file: str) -> None:
    assert (await sign_in(good(ca), Trust(ca_file))).verdict is Verdict.PASS
    make = verifying_context.__wrapped__
    here, system = (make(trust).cert_store_stats()["x509_ca"] for trust in (Trust(ca_file), Trust()))
    assert here == system + 1 > 10


@pytest.mark.system_trust
async def test_an_authority_alone_vouches_for_nothing_else(ca: trustme.CA, ca_file: str) -> None:
    alone = Trust(ca_file, only=True)
    assert (await sign_in(good(ca), alone)).verdict is Verdict.PASS
    other = good(make_ca().create_child_ca())
    assert (await sign_in(other, alone)).row == (Stage.TLS, Verdict.FAIL, "cert_unknown_issuer")
    assert verifying_context(alone).cert_store_stats()["x509_ca"] == 1


@pytest.mark.parametrize("alone", [True, False])
def test_names_count_in_the_subject_alternative_name_alone(ca_file: str, alone: bool) -> None:
    """RFC 9525 section 2; also where the trust is in one authority only."""
    context = verifying_context(Trust(ca_file, only=alone))
    assert not context.hostname_checks_common_name
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_nobody_may_ask_to_negotiate_anew(ca_file: str) -> None:
    """A TLS 1.2 server that asks for it in mid-conversation would have us wait for words while we speak."""
    for context in (verifying_context(Trust(ca_file)), unverified_context()):
        assert context.options & ssl.OP_NO_RENEGOTIATION


def test_a_trust_is_made_once(ca_file: str) -> None:
    """Reading the system's store takes longer than a whole check."""
    assert verifying_context(Trust(ca_file)) is verifying_context(Trust(ca_file))
    assert verifying_context(Trust(ca_file)) is not verifying_context(Trust(ca_file, only=True))


BAD_FILES: dict[str, bytes | None] = {
    "missing": None,
    "empty": b"",
    "no certificate": b"hello\n",
    "damaged": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES.keys())
async def test_a_file_that_is_none_of_certificates_is_a_finding(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "mine.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(WireError) as caught:
        verifying_context(Trust(str(file)))
    assert (caught.value.fault, caught.value.tls) == (Fault.TLS_FAILED, TlsFault.OTHER)
    assert "trusted certificates" in caught.value.words
    async with MisbehavingServer([Hold()]) as server:
        done = await check(server.endpoint(Security.TLS), trust=Trust(str(file)))
    assert done.row == (Stage.TLS, Verdict.FAIL, "ca_file_unusable")
    assert str(file) in done.finding.explanation


async def test_a_folder_in_the_files_place_is_a_finding(tmp_path: Path) -> None:
    with pytest.raises(WireError):
        verifying_context(Trust(str(tmp_path)))


async def test_the_environments_store_is_honoured(ca: trustme.CA, ca_file: str) -> None:
    """SSL_CERT_FILE, as every other program on the computer reads it."""
    program = """
        import asyncio, sys
        from smtp_wizard.engine.smtp.tls import Trust
        from smtp_wizard.engine.smtp.transport import SocketWire
        async def main(port):
            wire = SocketWire()
            stream = await wire.connect(await wire.resolve("127.0.0.1", port, None))
            print((await stream.start_tls("127.0.0.1", Trust())).version)
            stream.close()
        asyncio.run(main(int(sys.argv[1])))
    """
    async with MisbehavingServer([StartTls(good(ca)), Hold()]) as server:
        told = await run_python(program, str(server.port), SSL_CERT_FILE=ca_file)
        untold = await run_python(program, str(server.port))
    assert told.stdout.strip() == "TLSv1.3"
    assert untold.returncode != 0
    assert "WireError: tls-failed" in untold.stderr


async def run_python(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a fresh interpreter beside the server in this one."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


async def test_pythons_own_table_of_letters_is_never_loaded(ca: trustme.CA, ca_file: str) -> None:
    """Its IDNA 2003 takes longer to load than a name to look up; the names are in ASCII long before."""
    program = """
        import asyncio, sys
        from smtp_wizard.engine.smtp.tls import Trust
        from smtp_wizard.engine.smtp.transport import SocketWire
        async def main(port, ca_file):
            wire = SocketWire()
            stream = await wire.connect(await wire.resolve("localhost", port, None))
            await stream.start_tls("localhost", Trust(ca_file))
            stream.close()
        asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
        print("encodings.idna" in sys.modules)
    """
    async with MisbehavingServer([StartTls(good(ca)), Hold()]) as server:
        done = await run_python(program, str(server.port), ca_file)
    assert (done.stdout, done.stderr) == ("False\n", "")


# --- what a handshake shows ---


@pytest.mark.parametrize(
    ("version", "name"), [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")]
)
@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_both_versions_of_tls_are_spoken(
    ca: trustme.CA, ca_file: str, version: ssl.TLSVersion, name: str, security: Security
) -> None:
    context = good(ca)
    context.minimum_version = context.maximum_version = version
    script = tls_up_to_auth(context) if security is Security.TLS else starttls_up_to_auth(context)
    async with MisbehavingServer([*script, SIGNED_IN]) as server:
        done = await check(server.endpoint(security), trust=Trust(ca_file))
    assert done.verdict is Verdict.PASS
    assert done.report.tls is not None
    assert done.report.tls.version == name
    assert done.report.tls.cipher
    assert set(done.report.tls.names) == {"localhost", IPV4, IPV6.replace("::", "0:0:0:0:0:0:0:")}
    assert done.report.tls.not_before is not None
    assert done.report.tls.not_after is not None
    assert done.report.tls.not_before < done.report.tls.not_after


async def test_older_versions_are_refused_and_said_so(ca: trustme.CA, ca_file: str) -> None:
    context = good(ca)
    with warnings.catch_warnings():
        # That these are out of date is what the test is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    async with MisbehavingServer([StartTls(context), Hold()]) as server:
        done = await check(server.endpoint(Security.TLS), trust=Trust(ca_file))
    assert done.row == (Stage.TLS, Verdict.FAIL, "tls_version_old")


async def test_a_look_at_a_certificate_shows_the_same_as_believing_it(ca: trustme.CA, ca_file: str) -> None:
    wire = SocketWire()
    async with MisbehavingServer([StartTls(good(ca)), Hold()]) as server:
        seen = []
        for trust in (Trust(ca_file), None):
            stream = await wire.connect(await wire.resolve(IPV4, server.port, None))
            seen.append(await stream.start_tls(IPV4, trust))
            assert stream.encrypted
            stream.close()
    believed, looked_at = seen
    assert replace(looked_at, names=believed.names, chain=believed.chain) == believed
    assert set(looked_at.names) == {"localhost", IPV4, IPV6}


async def test_a_look_at_a_certificate_with_no_names_and_an_odd_issuer(ca: trustme.CA) -> None:
    wire = SocketWire()
    nameless = ca.issue_cert(common_name="nobody")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    nameless.configure_cert(context)
    async with MisbehavingServer([StartTls(context), Hold()]) as server:
        stream = await wire.connect(await wire.resolve(IPV4, server.port, None))
        facts = await stream.start_tls(IPV4, None)
        stream.close()
    assert (facts.subject, facts.names) == ("nobody", ())


# --- names and addresses ---


@pytest.mark.parametrize(
    ("host", "family"), [("127.0.0.1", Family.IPV4), ("::1", Family.IPV6), ("2001:db8::7", Family.IPV6)]
)
async def test_an_address_needs_no_look_up(monkeypatch: pytest.MonkeyPatch, host: str, family: Family) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("looked up")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    (peer,) = await SocketWire().resolve(host, 25, None)
    assert (peer.address, peer.port, peer.family) == (host, 25, family)


async def test_an_address_of_the_other_family_than_the_one_asked_for() -> None:
    with pytest.raises(WireError) as caught:
        await SocketWire().resolve("127.0.0.1", 25, Family.IPV6)
    assert caught.value.fault is Fault.NO_SUCH_HOST


async def test_a_certificate_is_asked_for_the_address_that_was_typed(ca: trustme.CA, ca_file: str) -> None:
    assert (await sign_in(good(ca, IPV4), Trust(ca_file), IPV4)).verdict is Verdict.PASS
    assert (await sign_in(good(ca, "localhost"), Trust(ca_file), IPV4)).row[2] == "cert_hostname_mismatch"


async def test_letters_outside_ascii_go_out_as_servers_know_them(
    monkeypatch: pytest.MonkeyPatch, ca: trustme.CA, ca_file: str
) -> None:
    """IDNA 2008, where 'straße' is not 'strasse', as the system's own look-up has it; the certificate too."""
    asked: list[bytes] = []

    def look_up(host: bytes, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (IPV4, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    host = parse_host("Mail.Straße.example")
    assert host == "mail.xn--strae-oqa.example"
    done = await sign_in(good(ca, host), Trust(ca_file), host)
    assert asked == [host.encode()]
    assert done.verdict is Verdict.PASS


async def test_addresses_that_stand_twice_are_tried_once_and_families_alternate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RFC 8305 section 4: a family that does not work must not hold up the other."""
    six = [(socket.AF_INET6, 1, 6, "", (f"2001:db8::{n}", 25, 0, 0)) for n in (1, 2, 3, 1)]
    four = [(socket.AF_INET, 1, 6, "", ("192.0.2.1", 25))]
    other = [(socket.AF_UNIX, 1, 6, "", "/somewhere")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [*six, *other, *four])
    peers = await SocketWire().resolve("mail.example.test", 25, None)
    assert [peer.address for peer in peers] == ["2001:db8::1", "192.0.2.1", "2001:db8::2", "2001:db8::3"]


@pytest.mark.parametrize("problem", [UnicodeError("label too long"), socket.gaierror(socket.EAI_NONAME, "no")])
async def test_a_name_that_cannot_be_asked_for_is_a_name_that_does_not_exist(
    monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise problem

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(WireError) as caught:
        await SocketWire().resolve("mail.example.test", 25, None)
    assert caught.value.fault is Fault.NO_SUCH_HOST


async def test_a_look_up_that_never_ends_does_not_hold_the_end_of_the_program() -> None:
    """The look-up is stuck for an hour; the program ends as soon as its time limit is over."""
    program = """
        import asyncio, socket, threading
        from smtp_wizard.engine.smtp.transport import SocketWire
        socket.getaddrinfo = lambda *_, **__: threading.Event().wait(3600)
        async def main():
            try:
                async with asyncio.timeout(0.05):
                    await SocketWire().resolve("mail.example.test", 25, None)
            except TimeoutError:
                print("gave up")
        asyncio.run(main())
        print("ended")
    """
    done = await run_python(program)
    assert done.stdout.split("\n") == ["gave up", "ended", ""]
    assert done.stderr == ""


# --- streams ---


async def test_small_commands_are_not_held_back() -> None:
    """TCP_NODELAY: Nagle's algorithm would add a round trip to every command after the first."""
    wire = SocketWire()
    async with MisbehavingServer([Hold()]) as server:
        stream = await wire.connect(await wire.resolve(IPV4, server.port, None))
        assert isinstance(stream, SocketStream)
        assert stream._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert stream.local_address == IPV4
        assert not stream.encrypted
        stream.close()
        stream.close()


async def test_a_certificate_that_is_known_is_read_once_and_verified_each_time(
    ca: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand accounts are on few servers; what is shown of one that nobody believes is never taken for verified."""
    wire, read = SocketWire(), Mock(side_effect=tls._when)
    monkeypatch.setattr(tls, "_known", {})
    monkeypatch.setattr(tls, "_when", read)
    async with MisbehavingServer([StartTls(good(ca)), Hold()]) as server:

        async def facts(trust: Trust | None) -> TlsFacts:
            stream = await wire.connect(await wire.resolve(IPV4, server.port, None))
            try:
                return await stream.start_tls(IPV4, trust)
            finally:
                stream.close()

        first = await facts(Trust(ca_file))
        assert [await facts(Trust(ca_file)) for _ in range(3)] == [first] * 3
        assert read.call_count == 2, "when it begins and when it ends, once"
        assert first.chain == ()
        assert (await facts(None)).chain, "nobody verified it this time"
        with pytest.raises(WireError):
            await facts(Trust(None, only=True))


async def test_a_host_with_one_address_takes_no_race(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio, "wait", None)
    wire = SocketWire()
    async with MisbehavingServer([Hold()]) as server:
        (await wire.connect(await wire.resolve(IPV4, server.port, None))).close()


async def test_what_has_come_is_read_without_waiting(ca: trustme.CA, ca_file: str) -> None:
    wire = SocketWire()
    for trust in (None, Trust(ca_file)):
        begin = [] if trust is None else [StartTls(good(ca))]
        async with MisbehavingServer([*begin, Send(b"now"), Hold()]) as server:
            stream = await wire.connect(await wire.resolve(IPV4, server.port, None))
            if trust is not None:
                await stream.start_tls(IPV4, trust)
            while not (got := stream.read_ready()):
                await asyncio.sleep(0.001)
            assert got == b"now"
            assert stream.read_ready() == b""
            stream.close()


def test_the_clocks() -> None:
    wire = SocketWire()
    assert wire.clock() <= wire.clock()
    assert wire.now().utcoffset() is not None


@pytest.mark.parametrize("encrypted", [False, True])
async def test_a_message_larger_than_the_kernels_buffers_goes_through(
    ca: trustme.CA, ca_file: str, encrypted: bool
) -> None:
    large = replace(MAIL, content=b"Subject: large\r\n\r\n" + (b"y" * 900 + b"\r\n") * 3000)
    begin: Script = tls_up_to_auth(good(ca)) if encrypted else [GREETING, EHLO, OFFER, AUTH]
    answers = Send(b"250 a\r\n250 b\r\n354 go\r\n")
    script: Script = [*begin, SIGNED_IN, MAIL_FROM, RCPT_TO, DATA, answers, MESSAGE, OK]
    async with MisbehavingServer(script) as server:
        done = await check(
            server.endpoint(Security.TLS if encrypted else Security.NONE),
            depth=Depth.SEND,
            trust=Trust(ca_file),
            allow_cleartext=True,
            mail=large,
        )
        assert large.content + b".\r\n" in server.received
    assert done.verdict is Verdict.PASS


def test_every_python_believes_the_same_certificates() -> None:
    """Python 3.13 would refuse a company's authority that lacks an Authority Key Identifier."""
    assert not verifying_context(Trust()).verify_flags & ssl.VERIFY_X509_STRICT
