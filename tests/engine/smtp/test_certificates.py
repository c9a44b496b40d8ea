"""What is wrong with a certificate, by real handshakes: what it is called, who must act, and that no password goes."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.certificate_inspection import Inspection, greeting_time, refined_by_inspection
from smtp_wizard.engine.checks.runner import SOON
from smtp_wizard.engine.smtp.certificates import MOST_READ, faulty_certificate, read_chain, refined_fault
from smtp_wizard.engine.smtp.symptom import TlsFault
from smtp_wizard.engine.smtp.tls import TlsFacts, Trust
from smtp_wizard.engine.smtp.transport import SocketWire
from tests.support.checking import (
    AUTH,
    BARE_OFFER,
    EHLO,
    GREETING,
    OFFER,
    SIGNED_IN,
    Checked,
    check,
    diagnosis,
    starttls_up_to_auth,
    starttls_up_to_handshake,
    tls_up_to_auth,
)
from tests.support.misbehaving import (
    PROTOCOL_VERSION,
    Close,
    Expect,
    Hold,
    MisbehavingServer,
    Script,
    Send,
    StartTls,
    asks_for_certificate,
    cn_only,
    expired,
    good,
    make_ca,
    no_intermediate,
    not_yet_valid,
    old_tls,
    running_out,
    self_signed,
    weak_key,
    weak_signature,
    with_root,
)

BOTH = pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
TODAY = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    """An authority that nobody trusts but who is told to."""
    return make_ca()


@pytest.fixture(scope="module")
def trust(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Trust:
    """Trust in that authority, beside the system's."""
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return Trust(str(file))


@dataclass
class ClockWire(SocketWire):
    """The real network, under a clock that is wrong."""

    when: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.when


def handshake_of(security: Security) -> Stage:
    return Stage.TLS if security is Security.TLS else Stage.STARTTLS


def up_to_auth(context: ssl.SSLContext, security: Security) -> Script:
    return tls_up_to_auth(context) if security is Security.TLS else starttls_up_to_auth(context)


async def looked_at(context: ssl.SSLContext, security: Security, trust: Trust, **target: Any) -> Checked:
    """Check a server whose certificate is not believed; assert that it is told nothing, twice."""
    script: Script = [*up_to_auth(context, security), SIGNED_IN]
    async with MisbehavingServer(script, strict=False) as server:
        done = await check(server.endpoint(security), trust=trust, **target)
        assert server.connections == 2, "the check, and a look that believes nothing"
        assert b"AUTH" not in server.received
        assert b"MAIL" not in server.received
    assert done.last.stage is handshake_of(security)
    return done


def ended(done: Checked, code: str, who: Who) -> None:
    finding = done.finding
    assert (finding.code, finding.who, done.last.verdict) == (code, who, Verdict.FAIL)
    assert finding.steps
    assert (finding.forward is None) is (who is Who.YOU)


# --- what is wrong with the certificate ---


@BOTH
async def test_a_forgotten_intermediate_is_told_from_an_unknown_issuer(
    ca: trustme.CA, trust: Trust, security: Security
) -> None:
    """OpenSSL says the same of both; what was sent tells them apart."""
    forgotten = await looked_at(no_intermediate(ca), security, trust)
    ended(forgotten, "cert_chain_incomplete", Who.HOST)
    assert "full chain" in (forgotten.finding.forward or "")
    unknown = await looked_at(good(make_ca().create_child_ca()), security, trust)
    ended(unknown, "cert_unknown_issuer", Who.HOST)
    assert [done.symptoms[0].words for done in (forgotten, unknown)] == ["unable to get local issuer certificate"] * 2


async def test_a_chain_with_an_unknown_root_in_it_is_not_called_incomplete(trust: Trust) -> None:
    context = with_root(trustme.CA(organization_name="Firma AG"))
    ended(await looked_at(context, Security.TLS, trust), "cert_unknown_issuer", Who.HOST)


async def test_at_a_known_provider_a_forgotten_intermediate_is_the_providers(ca: trustme.CA, trust: Trust) -> None:
    done = await looked_at(no_intermediate(ca), Security.TLS, trust, provider="ionos")
    ended(done, "cert_chain_incomplete", Who.PROVIDER)


@BOTH
async def test_a_weak_key(ca: trustme.CA, trust: Trust, security: Security) -> None:
    done = await looked_at(weak_key(ca), security, trust)
    ended(done, "cert_weak", Who.HOST)
    assert "an RSA key of 1024 bits" in done.finding.explanation
    assert "an RSA key of 1024 bits" in (done.finding.forward or "")


@BOTH
async def test_a_weak_signature(tmp_path: Path, security: Security) -> None:
    context = weak_signature(tmp_path / "root.pem")
    done = await looked_at(context, security, Trust(str(tmp_path / "root.pem")))
    ended(done, "cert_weak", Who.HOST)
    assert "a signature with SHA-1" in done.finding.explanation


@BOTH
@pytest.mark.parametrize(
    ("version", "words"), [(ssl.TLSVersion.TLSv1, "TLS 1.0"), (ssl.TLSVersion.TLSv1_1, "TLS 1.1")], ids=["1.0", "1.1"]
)
async def test_a_server_that_only_knows_old_tls(
    ca: trustme.CA, trust: Trust, security: Security, version: ssl.TLSVersion, words: str
) -> None:
    other = Endpoint("mail.example.test", 465, Security.TLS)
    done = await looked_at(old_tls(ca, version), security, trust, alternatives=(other,))
    ended(done, "tls_version_old", Who.HOST)
    assert words in done.finding.explanation
    assert done.finding.fix == other


async def test_a_server_without_a_certificate_is_not_looked_at_in_vain(ca: trustme.CA, trust: Trust) -> None:
    """The look takes no anonymous cipher (RFC 5246 appendix F.1.1.1): it wants to see a certificate."""
    context = old_tls(ca, ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("aNULL:@SECLEVEL=0")
    async with MisbehavingServer([StartTls(context), Hold()]) as server:
        done = await check(server.endpoint(Security.TLS), trust=trust)
    ended(done, "tls_version_old", Who.HOST)
    assert done.report.tls is None


async def test_a_server_that_refuses_our_versions_without_naming_its_own(trust: Trust) -> None:
    """Nothing but an alert, byte by byte, as from a server older than any that can be run here."""
    async with MisbehavingServer([Send(PROTOCOL_VERSION), Close()]) as server:
        done = await check(server.endpoint(Security.TLS), trust=trust)
    ended(done, "tls_version_old", Who.HOST)
    assert "only knows ways of encrypting" in done.finding.explanation


@BOTH
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
async def test_a_server_that_wants_a_certificate_of_ours(
    ca: trustme.CA, trust: Trust, security: Security, version: ssl.TLSVersion
) -> None:
    """Up to TLS 1.2 the handshake fails; from 1.3 on the refusal comes where an answer is waited for."""
    script: Script = up_to_auth(asks_for_certificate(ca, version), security)
    async with MisbehavingServer(script, strict=False) as server:
        done = await check(server.endpoint(security), trust=trust)
        assert b"AUTH" not in server.received
    ended(done, "client_cert_required", Who.HOST)


@BOTH
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_server_that_would_like_a_certificate_of_ours_lets_us_in_without(
    ca: trustme.CA, trust: Trust, security: Security, version: ssl.TLSVersion
) -> None:
    script: Script = [*up_to_auth(asks_for_certificate(ca, version, insists=False), security), SIGNED_IN]
    async with MisbehavingServer(script) as server:
        done = await check(server.endpoint(security), trust=trust)
    assert done.verdict is Verdict.PASS


@BOTH
@pytest.mark.parametrize("name", ["Zscaler Intermediate Root CA (zscaler.net)", "Kaspersky Anti-Virus Personal Root"])
async def test_who_stands_in_between_is_named(trust: Trust, security: Security, name: str) -> None:
    """The filter's own root is sent along, its name is not that of the issuer of the leaf."""
    done = await looked_at(good(trustme.CA(organization_name=name)), security, trust, provider="gmail")
    ended(done, "connection_intercepted", Who.NETWORK)
    assert name in done.finding.explanation


async def test_the_virus_scanner_is_named_before_its_expired_certificate(trust: Trust) -> None:
    scanner = trustme.CA(organization_name="ESET SSL Filter CA")
    done = await looked_at(expired(scanner), Security.TLS, Trust(_file(scanner, trust)))
    ended(done, "connection_intercepted", Who.NETWORK)


def _file(ca: trustme.CA, beside: Trust) -> str:
    file = Path(beside.ca_file or "").with_name(f"{id(ca)}.pem")
    ca.cert_pem.write_to_path(str(file))
    return str(file)


# --- the second look ---


async def test_the_second_look_says_goodbye_and_nothing_else(ca: trustme.CA, trust: Trust) -> None:
    script: Script = [*starttls_up_to_handshake(), StartTls(expired(ca)), Expect(rb"QUIT")]
    async with MisbehavingServer(script, strict=False) as server:
        await check(server.endpoint(Security.STARTTLS), trust=trust)
        second = server.conversations[1]
        await second.ended.wait()
        assert second.plain.split(b"\r\n")[:2] == [b"EHLO [127.0.0.1]", b"STARTTLS"]
        assert second.secret == b"QUIT\r\n"


async def test_the_second_look_over_implicit_tls_waits_for_the_greeting_before_it_leaves(
    ca: trustme.CA, trust: Trust
) -> None:
    script: Script = [StartTls(expired(ca)), GREETING, Expect(rb"QUIT")]
    async with MisbehavingServer(script, strict=False) as server:
        await check(server.endpoint(Security.TLS), trust=trust)
        second = server.conversations[1]
        await second.ended.wait()
        assert second.secret == b"QUIT\r\n"


async def test_a_server_that_lets_nobody_in_twice_still_gets_its_finding(ca: trustme.CA, trust: Trust) -> None:
    first: Script = [*starttls_up_to_handshake(), StartTls(no_intermediate(ca)), Hold()]
    busy: Script = [Send(b"421 4.7.0 Too many connections\r\n"), Close()]
    async with MisbehavingServer(first, busy) as server:
        done = await check(server.endpoint(Security.STARTTLS), trust=trust)
    ended(done, "cert_unknown_issuer", Who.HOST)


@pytest.mark.parametrize("weak", ["key", "signature"])
async def test_what_is_weak_is_named_without_a_second_look_as_well(
    ca: trustme.CA, trust: Trust, tmp_path: Path, weak: str
) -> None:
    root = tmp_path / "root.pem"
    context, trusted = (weak_key(ca), trust) if weak == "key" else (weak_signature(root), Trust(str(root)))
    async with MisbehavingServer([StartTls(context), Hold()], [Close()]) as server:
        done = await check(server.endpoint(Security.TLS), trust=trusted)
    ended(done, "cert_weak", Who.HOST)


@BOTH
async def test_what_was_seen_is_in_the_report_and_in_the_transcript(
    ca: trustme.CA, trust: Trust, security: Security
) -> None:
    """A person who writes to the host, or a monitor, needs names and dates of just the bad certificate."""
    done = await looked_at(expired(ca, "mail.example.test"), security, trust)
    facts = done.report.tls
    assert facts is not None
    assert facts.names == ("mail.example.test",)
    assert facts.not_after is not None
    assert facts.not_after < TODAY
    assert facts.version == "TLSv1.3"
    assert facts.issuer.startswith("trustme")
    (noted,) = [line for line in done.transcript if "a second connection" in line]
    assert f"until {facts.not_after:%Y-%m-%d}" in noted


async def test_a_believed_certificate_is_in_the_report(ca: trustme.CA, trust: Trust) -> None:
    async with MisbehavingServer([*tls_up_to_auth(good(ca)), SIGNED_IN]) as server:
        done = await check(server.endpoint(Security.TLS), trust=trust)
    facts = done.report.tls
    assert facts is not None
    assert (facts.version, bool(facts.cipher), facts.names) == (
        "TLSv1.3",
        True,
        ("localhost", "127.0.0.1", "0:0:0:0:0:0:0:1"),
    )


# --- soon ---


@BOTH
async def test_a_certificate_that_runs_out_soon_is_a_warning_and_the_check_goes_on(
    ca: trustme.CA, trust: Trust, security: Security
) -> None:
    script: Script = [*up_to_auth(running_out(ca, 12.5 * DAY), security), SIGNED_IN]
    async with MisbehavingServer(script) as server:
        done = await check(server.endpoint(security), trust=trust)
    warned = done.report.result(handshake_of(security))
    assert warned is not None
    assert warned.finding is not None
    assert (warned.verdict, warned.finding.code, warned.finding.warning) == (Verdict.WARN, "cert_expires_soon", True)
    assert "days left: 12" in warned.finding.explanation
    assert warned.detail.endswith("certificate valid 12 more days")
    assert done.last.stage is Stage.AUTH
    assert done.verdict is Verdict.WARN


@pytest.mark.parametrize(
    ("left", "verdict"),
    [(SOON + timedelta(hours=1), Verdict.PASS), (SOON - timedelta(hours=1), Verdict.WARN), (DAY / 24, Verdict.WARN)],
)
async def test_less_than_three_weeks_are_soon(ca: trustme.CA, trust: Trust, left: timedelta, verdict: Verdict) -> None:
    async with MisbehavingServer([*tls_up_to_auth(running_out(ca, left)), SIGNED_IN]) as server:
        done = await check(server.endpoint(Security.TLS), trust=trust)
    assert timedelta(days=21) == SOON
    assert done.verdict is verdict


async def test_the_days_are_counted_by_the_clock_of_the_check(ca: trustme.CA, trust: Trust) -> None:
    async with MisbehavingServer([*tls_up_to_auth(running_out(ca, 365 * DAY)), SIGNED_IN]) as server:
        later = ClockWire(TODAY + 360.5 * DAY)
        done = await check(server.endpoint(Security.TLS), trust=trust, wire=later)
    assert "days left: 4" in done.finding.explanation


# --- the clock ---


@BOTH
@pytest.mark.parametrize("make", [expired, not_yet_valid])
async def test_a_clock_from_before_this_program_is_blamed(
    ca: trustme.CA, trust: Trust, security: Security, make: Callable[[trustme.CA], ssl.SSLContext]
) -> None:
    wrong = ClockWire(datetime(2020, 1, 1, 12, 0, tzinfo=UTC))
    done = await looked_at(make(ca), security, trust, wire=wrong)
    ended(done, "cert_clock_wrong", Who.YOU)
    assert "2020-01-01 12:00 UTC" in done.finding.explanation


@BOTH
@pytest.mark.parametrize(
    ("said", "code"),
    [
        (TODAY + 400 * DAY, "cert_clock_wrong"),
        (TODAY - 400 * DAY, "cert_clock_wrong"),
        (TODAY + DAY / 2, "cert_expired"),
    ],
)
async def test_a_clock_that_is_not_the_servers_is_blamed(
    ca: trustme.CA, trust: Trust, security: Security, said: datetime, code: str
) -> None:
    """Many servers say in their greeting what time it is."""
    hello = Send(f"220 mail.example.test ESMTP Exim 4.98 {said:%a, %d %b %Y %H:%M:%S} +0000\r\n".encode())
    tls = StartTls(expired(ca))
    plain: Script = [hello, EHLO, BARE_OFFER, Expect(rb"STARTTLS"), Send(b"220 go\r\n"), tls, Hold()]
    script: Script = [tls, hello, Hold()] if security is Security.TLS else plain
    async with MisbehavingServer(script) as server:
        done = await check(server.endpoint(security), trust=trust)
    assert done.finding.code == code
    if code == "cert_clock_wrong":
        assert f"the server says {said:%Y-%m-%d}" in done.finding.explanation


async def test_without_a_proof_the_clock_is_still_to_be_checked_first(ca: trustme.CA, trust: Trust) -> None:
    done = await looked_at(expired(ca), Security.TLS, trust, wire=ClockWire(TODAY + 3650 * DAY))
    ended(done, "cert_expired", Who.HOST)
    assert "clock" in done.finding.steps[0]


def test_this_computers_clock_is_not_blamed_today() -> None:
    assert diagnosis().checked <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("greeting", "when"),
    [
        ("mx.example ESMTP Exim 4.98 Tue, 24 Nov 2026 06:30:00 +0100", datetime(2026, 11, 24, 5, 30, tzinfo=UTC)),
        ("mx ESMTP Sendmail 8.17/8.17; Tue, 24 Nov 2026 06:30:00 GMT", datetime(2026, 11, 24, 6, 30, tzinfo=UTC)),
        ("mx.example ESMTP Postfix", None),
        ("mx 99 Nov 2026 06:30:00 +0000", None),
        ("mx 24 Nov 2026 99:99:99 +0000", None),
        ("mx 31 Dec 9999 23:59:59 -2359", None),
        ("", None),
    ],
)
def test_the_time_in_a_greeting(greeting: str, when: datetime | None) -> None:
    assert greeting_time(greeting) == when


# --- reading, and judging, without a network ---


def certificate(
    subject: str,
    issuer: str = "Root",
    *,
    begins: datetime = TODAY - DAY,
    ends: datetime = TODAY + 30 * DAY,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    names: Sequence[x509.GeneralName] = (),
) -> bytes:
    """Make one certificate, in DER; who signed it is nobody's business here."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


SHORT = rsa.generate_private_key(65537, 1024)
LEAF = certificate("mail.example.test", "Middle")
MIDDLE = certificate("Middle", "Root")
ROOT = certificate("Root", "Root")
STRANGER = certificate("Stranger", "Elsewhere")

SAID = TlsFault.UNKNOWN_ISSUER
JUDGED: dict[str, tuple[list[bytes], TlsFault, TlsFault]] = {
    "alone": ([LEAF], SAID, TlsFault.CHAIN_INCOMPLETE),
    "with its issuer": ([LEAF, MIDDLE], SAID, SAID),
    "with its issuer in disorder": ([LEAF, ROOT, MIDDLE], SAID, SAID),
    "with a stranger": ([LEAF, STRANGER], SAID, TlsFault.CHAIN_INCOMPLETE),
    "vouching for itself": ([ROOT], SAID, TlsFault.SELF_SIGNED),
    "nothing was sent": ([], SAID, SAID),
    "another fault": ([LEAF], TlsFault.WRONG_NAME, TlsFault.WRONG_NAME),
    "no cipher": ([LEAF], TlsFault.VERSION, TlsFault.VERSION),
    "no cipher for a weak key": ([certificate("x", key=SHORT)], TlsFault.VERSION, TlsFault.WEAK_KEY),
    "another verifier, expired": (
        [LEAF, certificate("Middle", ends=TODAY - timedelta(hours=1))],
        TlsFault.CERTIFICATE,
        TlsFault.EXPIRED,
    ),
    "another verifier, too early": (
        [certificate("x", begins=TODAY + DAY)],
        TlsFault.CERTIFICATE,
        TlsFault.NOT_YET_VALID,
    ),
    "another verifier, weak": ([certificate("x", key=SHORT)], TlsFault.CERTIFICATE, TlsFault.WEAK_KEY),
    "another verifier, self-signed": ([ROOT], TlsFault.CERTIFICATE, TlsFault.SELF_SIGNED),
    "another verifier, who knows": ([LEAF, MIDDLE], TlsFault.CERTIFICATE, TlsFault.CERTIFICATE),
}


@pytest.mark.parametrize(("sent", "said", "fault"), JUDGED.values(), ids=list(JUDGED))
def test_judged(sent: list[bytes], said: TlsFault, fault: TlsFault) -> None:
    assert refined_fault(said, read_chain(sent), TODAY) is fault


def test_the_dates_shown_are_those_of_the_certificate_that_has_run_out() -> None:
    gone = TODAY - 3 * DAY
    chain = read_chain([LEAF, certificate("Middle", "Old Root", begins=gone - DAY, ends=gone)])
    assert faulty_certificate(TlsFault.EXPIRED, chain, TODAY).subject == "Middle"
    assert faulty_certificate(TlsFault.WRONG_NAME, chain, TODAY).subject == "mail.example.test"
    assert faulty_certificate(TlsFault.EXPIRED, chain, gone - DAY / 2).subject == "mail.example.test", (
        "none, by another clock"
    )
    known = refined_by_inspection(
        TlsFault.EXPIRED,
        Inspection(TlsFacts(shown("TLSv1.3"), shown("x"), names=(shown("a.example"),), chain=chain)),
        TODAY,
    ).facts
    assert (known["not_after"], known["issuer"]) == (f"{gone:%Y-%m-%d}", "Old Root")
    assert known["issuers"] == "Middle, Old Root"
    assert known["certificate_names"] == "a.example"
    assert "tls_version" not in known


def test_a_certificate_is_read() -> None:
    sent = certificate("mail.example.test", names=[x509.DNSName("mail.example.test"), x509.IPAddress(_address())])
    (read,) = read_chain([sent])
    assert (read.subject, read.issuer, read.issuer_words) == ("mail.example.test", "Root", "Root")
    assert read.names == ("mail.example.test", "192.0.2.1")
    assert (read.weakness, read.self_issued) == ("", False)
    assert read.not_after == (TODAY + 30 * DAY).replace(microsecond=0)


@pytest.mark.parametrize(
    ("key", "weakness"),
    [
        (SHORT, "an RSA key of 1024 bits"),
        (rsa.generate_private_key(65537, 2048), ""),
        (ec.generate_private_key(ec.SECP192R1()), "an elliptic curve key of 192 bits"),
        (ec.generate_private_key(ec.SECP224R1()), ""),
    ],
    ids=["RSA 1024", "RSA 2048", "192", "224"],
)
def test_what_is_weak(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, weakness: str) -> None:
    (read,) = read_chain([certificate("x", key=key)])
    assert read.weakness == weakness


def _address() -> Any:
    from ipaddress import ip_address

    return ip_address("192.0.2.1")


def test_words_in_a_certificate_cannot_move_the_cursor_and_have_an_end() -> None:
    (read,) = read_chain([certificate("\x1b[2J\u202e" + "x" * 50, "\x07" * 60)])
    shown = f"{read.subject}{read.issuer}{read.issuer_words}"
    assert shown.isprintable()
    assert len(shown) < 900


def test_of_a_chain_without_an_end_only_so_much_is_read() -> None:
    assert len(read_chain([LEAF] * 500)) == MOST_READ


def test_a_chain_whose_leaf_cannot_be_read_is_none() -> None:
    assert read_chain([b"junk", MIDDLE]) == ()
    assert [each.subject for each in read_chain([LEAF, b"junk", MIDDLE])] == ["mail.example.test", "Middle"]


@given(st.binary(max_size=400))
def test_junk_is_no_certificate(junk: bytes) -> None:
    assert read_chain([junk]) == ()


@given(st.data())
def test_a_damaged_certificate_never_hurts(data: st.DataObject) -> None:
    """Whatever a stranger encodes: no exception, no warning on the screen, nothing unclean in words."""
    sent = bytearray(LEAF)
    for _ in range(data.draw(st.integers(1, 4))):
        sent[data.draw(st.integers(0, len(sent) - 1))] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        chain = read_chain([bytes(sent), ROOT])
    assert not warned
    for each in chain:
        assert f"{each.subject}{each.issuer}{each.issuer_words}{''.join(each.names)}".isprintable()
    for fault in TlsFault:
        refined_fault(fault, chain, TODAY)


def test_a_negative_serial_number_brings_no_warning_to_the_screen() -> None:
    """cryptography warns of one; what a server sends must not write over the screens."""
    sent = LEAF.replace(b"\x02\x01\x07", b"\x02\x01\x87", 1)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert len(read_chain([sent])) == 1
    assert not warned


# --- certificates that nothing is said of here, for completeness of the look ---


async def test_the_old_place_for_a_name_is_still_told(ca: trustme.CA, trust: Trust) -> None:
    done = await looked_at(cn_only(ca), Security.TLS, trust)
    ended(done, "cert_hostname_mismatch", Who.HOST)


async def test_a_self_signed_certificate_is_not_called_incomplete(trust: Trust) -> None:
    ended(await looked_at(self_signed(), Security.STARTTLS, trust), "cert_self_signed", Who.HOST)


async def test_looking_needs_no_sign_in_and_no_secret(ca: trustme.CA, trust: Trust) -> None:
    async with MisbehavingServer([StartTls(expired(ca)), GREETING, Hold()]) as server:
        done = await check(server.endpoint(Security.TLS), trust=trust, depth=Depth.SERVER, secret=None)
    assert done.finding.code == "cert_expired"


def test_the_scripts_above_sign_in_where_nothing_is_wrong(ca: trustme.CA) -> None:
    """Were they unable to, 'no AUTH came' would prove nothing."""
    assert AUTH in up_to_auth(good(ca), Security.TLS)
    assert OFFER in up_to_auth(good(ca), Security.STARTTLS)
