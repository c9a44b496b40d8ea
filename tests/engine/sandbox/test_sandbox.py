"""The practice server, with the standard library's client as the judge of what it answers."""

from __future__ import annotations

import asyncio
import base64
import errno
import logging
import smtplib
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pytest
import trustme
from cryptography import x509

from smtp_wizard.engine.base.data_files import DataError, data_path
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.runner import SOON
from smtp_wizard.engine.checks.target import TimeLimits
from smtp_wizard.engine.sandbox import certificates, mailbox
from smtp_wizard.engine.sandbox import server as sandbox_module
from smtp_wizard.engine.sandbox.certificates import new_authority
from smtp_wizard.engine.sandbox.errors import SandboxError
from smtp_wizard.engine.sandbox.mailbox import MOST_KEPT, clear, deliver, messages, read, readable, trace
from smtp_wizard.engine.sandbox.scenarios import CertificateKind, ScriptedReply, load_scenarios, practice_password
from smtp_wizard.engine.sandbox.server import MOST_SESSIONS, Sandbox
from tests.support.checking import check
from tests.support.patience import PATIENCE
from tests.support.ports import free_ports

P = ParamSpec("P")
T = TypeVar("T")
RIGHT = practice_password()
SCENARIOS = load_scenarios()
BOTH = pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
MESSAGE = b"Subject: Hello\r\nFrom: ana@example.com\r\n\r\n.dots\r\n..more\r\nbye\r\n"
USER = "ana@example.com"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "config" / "sandbox"


async def aside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run the blocking client beside the server."""
    return await asyncio.to_thread(work, *args, **kwargs)


@contextmanager
def client(box: Sandbox, security: Security) -> Iterator[smtplib.SMTP]:
    """Connect as the standard library does, with the sandbox's authority as the only one that is trusted."""
    end = box.endpoint(security)
    trust = ssl.create_default_context(cafile=str(box.ca_file))
    if security is Security.TLS:
        connected: smtplib.SMTP = smtplib.SMTP_SSL(end.host, end.port, context=trust, timeout=PATIENCE)
    else:
        connected = smtplib.SMTP(end.host, end.port, timeout=PATIENCE)
    try:
        if security is Security.STARTTLS:
            connected.starttls(context=trust)
        connected.ehlo()
        yield connected
    finally:
        connected.close()


def spoken(refusal: smtplib.SMTPResponseException) -> tuple[int, bytes]:
    """Return the reply behind an exception."""
    assert isinstance(refusal.smtp_error, bytes)
    return refusal.smtp_code, refusal.smtp_error


def sign_in(box: Sandbox, security: Security, password: str, mechanism: str = "PLAIN") -> tuple[int, bytes]:
    """Try once to sign in; return the reply."""
    with client(box, security) as connected:
        connected.user, connected.password = USER, password
        method = connected.auth_plain if mechanism == "PLAIN" else connected.auth_login
        try:
            return connected.auth(mechanism, method, initial_response_ok=mechanism == "PLAIN")
        except smtplib.SMTPAuthenticationError as refusal:
            return spoken(refusal)


def send(
    box: Sandbox, security: Security, message: bytes = MESSAGE, to: tuple[str, ...] = ("bob@example.org",)
) -> tuple[int, bytes]:
    """Sign in and send; return the reply to the message."""
    with client(box, security) as connected:
        connected.login(USER, RIGHT)
        assert connected.mail(USER)[0] == 250
        assert all(connected.rcpt(one)[0] == 250 for one in to)
        try:
            return connected.data(message)
        except smtplib.SMTPDataError as refusal:
            return spoken(refusal)


# What the scenarios are


def test_the_scenarios_are_there_each_with_ports_of_its_own() -> None:
    assert list(SCENARIOS) == [
        "accept",
        "app-password-required",
        "wrong-password",
        "expired-certificate",
        "quota-reached",
        "starttls-only",
        "wrong-name",
        "greylisting",
        "slow",
        "drops",
        "tenant-off",
        "sender-not-allowed",
    ]
    ports = [port for scenario in SCENARIOS.values() for port in scenario.ports.values()]
    assert len(set(ports)) == 24
    assert all(list(scenario.ports) == [Security.STARTTLS, Security.TLS] for scenario in SCENARIOS.values())
    assert all(scenario.what.endswith(".") and scenario.title for scenario in SCENARIOS.values())


def test_the_practice_password_has_the_shape_of_an_app_password() -> None:
    assert practice_password() == "abcd efgh ijkl mnop"
    assert len(practice_password().replace(" ", "")) == 16
    assert practice_password() in SCENARIOS["app-password-required"].what


def test_a_reply_is_written_as_a_server_writes_it() -> None:
    assert str(ScriptedReply(535, "5.7.8", ("one", "two"))) == "535-5.7.8 one\r\n535 5.7.8 two"
    assert str(ScriptedReply(421, "", ("bye",))) == "421 bye"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("schema: 1", "schema: 2", "must be 1"),
        ("certificate: expired", "certificate: odd", "'odd' is none of: good, expired, wrong-name"),
        ("greeting: 1", "greeting: 6", "must be from 1 to 5 seconds"),
        ("greeting: 1", "starttls: 1", "starttls: is not a key that is known here"),
        ("drops: data", "drops: tls", "must be one of: greeting, ehlo, auth, mail, rcpt, data"),
        ("drops: data", "drops: dota", "'dota' is none of"),
        ("implicit_tls: false", "implicit_tls: never", "must be true or false"),
        ("id: quota-reached", "id: accept", "stands twice"),
        ("starttls: 5872", "starttls: 5871", "a port stands twice"),
        ("tls: 4652", "tls: 5872", "must differ"),
        ("tls: 4652", "tls: 465", "from 1024"),
        ("code: 535", "code: 250", "only refusals"),
        ("enhanced: 5.7.8", "enhanced: 4.7.8", "that of the code"),
        ("- Username and", "- Üsername and", "ASCII"),
        ("auth: practice-password", "auth: refuse", "the reply 'auth' must be there"),
        ("auth: practice-password", "auth: any", "'any' is none of: practice-password, refuse"),
        ("      data:", "      dota:", "dota: is not a key that is known here"),
        ("    title: Every", "    titel: Every", "'title' is missing"),
    ],
)
def test_mistakes_in_the_data_are_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    text = data_path("sandbox.yaml").read_text("utf-8")
    assert old in text
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(DataError, match=complaint) as caught:
        load_scenarios(wrong)
    assert "wrong.yaml, line " in str(caught.value)


def test_a_file_without_scenarios_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.yaml"
    empty.write_text("schema: 1\npractice_password: abcd\nscenarios: []\n", "utf-8")
    with pytest.raises(DataError, match="must not be empty"):
        load_scenarios(empty)


# What each scenario answers, on both listeners


@BOTH
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_accept_takes_the_practice_password_and_keeps_the_message(
    folder: Path, security: Security, mechanism: str
) -> None:
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        assert (await aside(sign_in, box, security, RIGHT, mechanism))[0] == 235
        assert (await aside(sign_in, box, security, "abcdefghijklmnop", mechanism))[0] == 235
        code, words = await aside(send, box, security, to=("bob@example.org", "eve@example.net"))
        assert code == 250
    (kept,) = messages(folder)
    assert kept.key in words.decode()
    assert (kept.sender, kept.recipients) == (USER, ("bob@example.org", "eve@example.net"))
    assert kept.subject == "Hello"
    assert kept.size == kept.path.stat().st_size
    assert abs(datetime.now(UTC) - kept.when) < timedelta(minutes=1)
    assert read(folder, kept.key).head.text() == ".dots\n..more\nbye\n"


@BOTH
@pytest.mark.parametrize("scenario", [each.id for each in SCENARIOS.values() if Stage.AUTH not in each.replies])
async def test_another_password_is_refused_wherever_one_can_sign_in(
    folder: Path, security: Security, scenario: str
) -> None:
    played = replace(SCENARIOS[scenario], certificate=CertificateKind.GOOD, implicit_tls=True, delays={}, drops=None)
    async with Sandbox(folder, played) as box:
        for typed in ("my own password", "ABCDEFGHIJKLMNOP", "abcd efgh ijkl mno"):
            code, words = await aside(sign_in, box, security, typed)
            assert code == 535
            assert words == b"5.7.8 Authentication credentials invalid: this is not the practice password"
        assert (await aside(sign_in, box, security, RIGHT))[0] == 235


@BOTH
async def test_accept_takes_no_empty_password(folder: Path, security: Security) -> None:
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        code, words = await aside(sign_in, box, security, "")
    assert (code, words[:5]) == (535, b"5.7.8")


@BOTH
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_app_password_required_takes_the_practice_password_only(
    folder: Path, security: Security, mechanism: str
) -> None:
    async with Sandbox(folder, SCENARIOS["app-password-required"]) as box:
        code, words = await aside(sign_in, box, security, "my own password", mechanism)
        assert code == 534
        assert words.startswith(b"5.7.9 Application-specific password required.")
        for typed in (practice_password(), "abcdefghijklmnop", " abcd efghijklmnop "):
            assert (await aside(sign_in, box, security, typed, mechanism))[0] == 235
        assert (await aside(sign_in, box, security, "ABCDEFGHIJKLMNOP", mechanism))[0] == 534


@BOTH
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_wrong_password_takes_none(folder: Path, security: Security, mechanism: str) -> None:
    async with Sandbox(folder, SCENARIOS["wrong-password"]) as box:
        for typed in ("x", practice_password()):
            code, words = await aside(sign_in, box, security, typed, mechanism)
            assert code == 535
            assert words.startswith(b"5.7.8 Username and Password not accepted.")


@BOTH
async def test_expired_certificate_is_refused_for_that_reason(folder: Path, security: Security) -> None:
    async with Sandbox(folder, SCENARIOS["expired-certificate"]) as box:
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            await aside(send, box, security)
    assert caught.value.verify_code == 10


@BOTH
async def test_quota_reached_lets_in_and_takes_no_message(folder: Path, security: Security) -> None:
    async with Sandbox(folder, SCENARIOS["quota-reached"]) as box:
        code, words = await aside(send, box, security)
    assert code == 550
    assert words.startswith(b"5.4.5 Daily user sending limit exceeded.")
    assert messages(folder) == ()


async def test_starttls_only_wants_starttls_on_both_ports(folder: Path) -> None:
    async with Sandbox(folder, SCENARIOS["starttls-only"]) as box:
        assert [each.security for each in box.endpoints] == [Security.STARTTLS] * 2
        assert box.endpoint(Security.TLS).security is Security.TLS, "where it is tried"
        with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
            await aside(send, box, Security.TLS)
        for port in (each.port for each in box.endpoints):

            def encrypted(port: int = port) -> int:
                with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as connected:
                    connected.starttls(context=ssl.create_default_context(cafile=str(box.ca_file)))
                    return connected.login(USER, RIGHT)[0]

            assert await aside(encrypted) == 235


@BOTH
async def test_wrong_name_is_refused_for_that_reason(folder: Path, security: Security) -> None:
    async with Sandbox(folder, SCENARIOS["wrong-name"]) as box:
        with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
            await aside(send, box, security)


def run_to_completion(box: Sandbox, security: Security) -> list[tuple[int, bytes]]:
    """Sign in and send; return every reply up to the first refusal."""
    replies: list[tuple[int, bytes]] = []
    with client(box, security) as connected:
        connected.user, connected.password = USER, RIGHT
        steps: tuple[Callable[[], tuple[int, bytes]], ...] = (
            lambda: connected.auth("PLAIN", connected.auth_plain),
            lambda: connected.mail(USER),
            lambda: connected.rcpt("bob@example.org"),
            lambda: connected.data(MESSAGE),
        )
        for step in steps:
            try:
                replies.append(step())
            except smtplib.SMTPResponseException as refusal:
                replies.append(spoken(refusal))
            if replies[-1][0] >= 400:
                break
    return replies


REFUSALS = {
    "tenant-off": [(535, b"5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.")],
    "greylisting": [(235, b"2.7.0"), (250, b"2.1.0"), (450, b"4.2.0 Recipient address rejected: Greylisted")],
    "sender-not-allowed": [
        (235, b"2.7.0"),
        (250, b"2.1.0"),
        (250, b"2.1.5"),
        (550, b"5.7.60 SMTP; Client does not have permissions to send as this sender"),
    ],
    "slow": [(235, b"2.7.0"), (250, b"2.1.0"), (250, b"2.1.5"), (250, b"2.0.0")],
}
"""How far one gets, and what is said there."""


@BOTH
@pytest.mark.parametrize("scenario", REFUSALS)
async def test_how_far_one_gets(folder: Path, security: Security, scenario: str) -> None:
    played = replace(SCENARIOS[scenario], delays={})
    async with Sandbox(folder, played) as box:
        replies = await aside(run_to_completion, box, security)
    expected = REFUSALS[scenario]
    assert [
        (code, words[: len(start)]) for (code, words), (_, start) in zip(replies, expected, strict=True)
    ] == expected
    assert len(messages(folder)) == (scenario == "slow")


@BOTH
async def test_drops_keeps_the_message_and_hangs_up_without_a_word(folder: Path, security: Security) -> None:
    async with Sandbox(folder, SCENARIOS["drops"]) as box:
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError, ssl.SSLError)):
            await aside(send, box, security)
    assert [kept.subject for kept in messages(folder)] == ["Hello"], "nobody knows, but it did arrive"


@BOTH
@pytest.mark.parametrize("stage", [Stage.GREETING, Stage.EHLO, Stage.AUTH, Stage.MAIL, Stage.RCPT])
async def test_the_line_can_be_cut_at_every_stage(folder: Path, security: Security, stage: Stage) -> None:
    async with Sandbox(folder, replace(SCENARIOS["accept"], drops=stage)) as box:
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError, ssl.SSLError)):
            await aside(run_to_completion, box, security)
    assert messages(folder) == ()


async def test_delays_come_before_the_answers_that_they_are_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        if seconds:
            waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    delays = {Stage.GREETING: 1, Stage.EHLO: 2, Stage.AUTH: 3, Stage.MAIL: 4, Stage.RCPT: 5, Stage.DATA: 1}
    async with Sandbox(folder, replace(SCENARIOS["accept"], delays=delays)) as box:
        assert len(await aside(run_to_completion, box, Security.TLS)) == 4
    assert waited == [1, 2, 3, 4, 5, 1]


def test_slow_stays_within_what_a_check_waits_for() -> None:
    slow = SCENARIOS["slow"]
    limits = TimeLimits()
    assert slow.delays
    assert all(seconds * 2 < limits.of(stage) for stage, seconds in slow.delays.items())
    assert slow.delays[Stage.GREETING] < limits.silence, "it is not taken for a port that waits for TLS"
    assert sum(slow.delays.values()) <= 6


@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.RCPT])
async def test_a_refusal_can_be_scripted_at_every_stage(folder: Path, stage: Stage) -> None:
    reply = ScriptedReply(451, "4.7.1", ("Greylisted,", "please try again later"))
    scenario = replace(SCENARIOS["accept"], replies={stage: reply})
    async with Sandbox(folder, scenario) as box:

        def try_it() -> tuple[int, bytes]:
            with client(box, Security.TLS) as connected:
                connected.login(USER, RIGHT)
                mailed = connected.mail(USER)
                return connected.rcpt("bob@example.org") if stage is Stage.RCPT else mailed

        assert await aside(try_it) == (451, b"4.7.1 Greylisted,\n4.7.1 please try again later")


# What the checks make of it

LEADS_TO: dict[str, tuple[Stage, Verdict, str]] = {
    "accept": (Stage.DATA, Verdict.PASS, ""),
    "app-password-required": (Stage.AUTH, Verdict.FAIL, "app_password_required"),
    "wrong-password": (Stage.AUTH, Verdict.FAIL, "bad_credentials"),
    "expired-certificate": (Stage.STARTTLS, Verdict.FAIL, "cert_expired"),
    "quota-reached": (Stage.DATA, Verdict.FAIL, "daily_limit"),
    "starttls-only": (Stage.DATA, Verdict.PASS, ""),
    "wrong-name": (Stage.STARTTLS, Verdict.FAIL, "cert_hostname_mismatch"),
    "greylisting": (Stage.RCPT, Verdict.FAIL, "temporary_try_later"),
    "slow": (Stage.DATA, Verdict.PASS, ""),
    "drops": (Stage.DATA, Verdict.UNKNOWN, "outcome_unknown"),
    "tenant-off": (Stage.AUTH, Verdict.FAIL, "smtp_auth_disabled"),
    "sender-not-allowed": (Stage.DATA, Verdict.FAIL, "sender_not_allowed"),
}


@BOTH
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_what_each_scenario_teaches(folder: Path, security: Security, scenario: str) -> None:
    """Somebody who practises sees the finding that the real thing would bring, in words about practising."""
    stage, verdict, code = LEADS_TO[scenario]
    if security is Security.TLS and stage is Stage.STARTTLS:
        stage = Stage.TLS
    async with Sandbox(folder, SCENARIOS[scenario]) as box:
        target: dict[str, Any] = {"ca_file": str(box.ca_file), "sandbox": scenario, "provider": "sandbox"}
        target["secret"] = Secret("my own password" if scenario == "app-password-required" else RIGHT)
        done = await check(box.endpoint(security), depth=Depth.SEND, limits=TimeLimits(), **target)
        if scenario == "starttls-only" and security is Security.TLS:
            assert done.row == (Stage.TLS, Verdict.FAIL, "tls_use_starttls")
            assert done.finding.fix == replace(box.endpoint(Security.TLS), security=Security.STARTTLS)
            done = await check(done.finding.fix, depth=Depth.SEND, **target)
    assert done.row == (stage, verdict, code), done.transcript
    if code:
        assert done.finding.guide == "sandbox" or code == "daily_limit"
        assert all("{" not in step for step in done.finding.steps)


# How it guards the password, and itself


async def test_nothing_is_said_in_clear_text(folder: Path) -> None:
    async with Sandbox(folder, SCENARIOS["accept"]) as box:

        def try_it() -> tuple[bytes, list[int]]:
            end = box.endpoint(Security.STARTTLS)
            with smtplib.SMTP(end.host, end.port, timeout=PATIENCE) as connected:
                offered = connected.ehlo()[1]
                secret = base64.b64encode(b"\0ana\0x").decode()
                commands = (("AUTH", f"PLAIN {secret}"), ("MAIL", "FROM:<ana@example.com>"), ("DATA", ""))
                return offered, [connected.docmd(*command)[0] for command in commands]

        offered, codes = await aside(try_it)
    assert b"STARTTLS" in offered
    assert b"AUTH" not in offered
    assert codes == [538, 530, 503]


@BOTH
async def test_under_tls_it_offers_what_providers_offer_and_wants_a_sign_in(folder: Path, security: Security) -> None:
    async with Sandbox(folder, SCENARIOS["accept"]) as box:

        def try_it() -> tuple[set[str], tuple[int, bytes]]:
            with client(box, security) as connected:
                return set(connected.esmtp_features), connected.mail(USER)

        offered, reply = await aside(try_it)
    assert offered >= {"auth", "pipelining", "size", "8bitmime", "smtputf8"}
    assert "starttls" not in offered
    assert reply == (530, b"5.7.0 Authentication Required")


async def test_commands_may_come_all_at_once(folder: Path) -> None:
    async with Sandbox(folder, SCENARIOS["accept"]) as box:

        def try_it() -> list[int]:
            with client(box, Security.STARTTLS) as connected:
                connected.login(USER, RIGHT)
                connected.send(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")
                codes = [connected.getreply()[0] for _ in range(3)]
                connected.send(b"Subject: x\r\n\r\nx\r\n.\r\nQUIT\r\n")
                return codes + [connected.getreply()[0] for _ in range(2)]

        assert await aside(try_it) == [250, 250, 354, 250, 221]


async def test_its_authority_is_trusted_for_loopback_and_by_nobody_else(folder: Path) -> None:
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        port = box.endpoint(Security.TLS).port
        for name in ("localhost", "127.0.0.1", "::1"):
            trust = ssl.create_default_context(cafile=str(box.ca_file))
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust, server_hostname=name)
            writer.close()
            await writer.wait_closed()
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            await asyncio.open_connection("127.0.0.1", port, ssl=ssl.create_default_context())
        assert caught.value.verify_code in (19, 20, 21)


async def test_whoever_steals_the_authority_can_play_nobody_else_with_it(folder: Path) -> None:
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        trust = ssl.create_default_context(cafile=str(box.ca_file))
    pem = (folder / "authority.pem").read_bytes()
    forged = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA.from_pem(pem, pem).issue_cert("smtp.example.com").configure_cert(forged)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    victim = trust.wrap_bio(incoming, outgoing, server_hostname="smtp.example.com")
    thief = forged.wrap_bio(outgoing, incoming, server_side=True)
    with pytest.raises(ssl.SSLWantReadError):
        victim.do_handshake()
    with pytest.raises(ssl.SSLWantReadError):
        thief.do_handshake()
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        victim.do_handshake()


async def test_every_file_is_its_owners_alone(folder: Path) -> None:
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        await aside(send, box, Security.TLS)
        for path in (folder, *folder.rglob("*")):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        names = {path.name for path in folder.iterdir()}
    assert names == {"authority.pem", "authority.pem.lock", "ca.pem", "mailbox"}


async def test_its_certificate_does_not_run_out_soon(folder: Path) -> None:
    """A rehearsal must not begin with a warning about the rehearsal."""
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        trust = ssl.create_default_context(cafile=str(box.ca_file))
        port = box.endpoint(Security.TLS).port
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
        shown = writer.get_extra_info("peercert")["notAfter"]
        writer.close()
        await writer.wait_closed()
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(shown), UTC)
    assert ends - datetime.now(UTC) > SOON + timedelta(days=1)


async def test_the_authority_is_made_once(folder: Path) -> None:
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        first = box.ca_file.read_bytes()
    async with Sandbox(folder, SCENARIOS["wrong-password"]) as box:
        assert box.ca_file.read_bytes() == first


@pytest.mark.parametrize("left", [timedelta(days=59), timedelta(days=-1)])
async def test_an_authority_that_will_not_last_is_made_anew(
    folder: Path, left: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "_LIFE", left)
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        old = box.ca_file.read_bytes()
    monkeypatch.undo()
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        assert box.ca_file.read_bytes() != old
        assert (await aside(send, box, Security.TLS))[0] == 250


@pytest.mark.parametrize("damage", [b"", b"not a certificate", None])
async def test_a_damaged_authority_is_made_anew(folder: Path, damage: bytes | None) -> None:
    async with Sandbox(folder, SCENARIOS["accept"]):
        pass
    kept = folder / "authority.pem"
    # None: the certificate without its key.
    kept.write_bytes(damage if damage is not None else (folder / "ca.pem").read_bytes())
    (folder / "ca.pem").write_bytes(b"of another one")
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        assert (await aside(send, box, Security.STARTTLS))[0] == 250


async def test_a_lost_certificate_is_written_again_from_its_authority(folder: Path) -> None:
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        first = box.ca_file.read_bytes()
    (folder / "ca.pem").unlink()
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        assert box.ca_file.read_bytes() == first


def test_the_authority_says_what_it_is_for() -> None:
    certificate, _ = new_authority(datetime.now(UTC))
    parsed = x509.load_pem_x509_certificate(certificate)
    assert "this computer only" in parsed.subject.rfc4514_string()
    assert parsed.not_valid_after_utc - datetime.now(UTC) > timedelta(days=3600)


# How it starts and ends


async def test_it_takes_the_ports_that_the_data_names_where_they_are_free(folder: Path) -> None:
    free = dict(zip((Security.STARTTLS, Security.TLS), free_ports(2), strict=True))
    async with Sandbox(folder, replace(SCENARIOS["accept"], ports=free)) as box:
        assert [end.security for end in box.endpoints] == [Security.STARTTLS, Security.TLS]
        assert {end.security: end.port for end in box.endpoints} == free
        assert {end.host for end in box.endpoints} == {"127.0.0.1"}


async def test_a_port_that_is_bound_by_somebody_who_listens_later_is_left_and_no_socket_with_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that start at the same moment both bind the port; the second learns it only when it listens."""
    real_listen = socket.socket.listen

    def too_late(self: socket.socket, *backlog: int) -> None:
        if self.getsockname()[1] == taken:
            opened.append(self)
            raise OSError(errno.EADDRINUSE, "Address already in use")
        real_listen(self, *backlog)

    (taken,) = free_ports(1)
    opened: list[socket.socket] = []
    monkeypatch.setattr(socket.socket, "listen", too_late)
    async with Sandbox(folder, replace(SCENARIOS["accept"], ports={Security.STARTTLS: taken})) as box:
        assert box.endpoints[0].port != taken
    assert [each.fileno() for each in opened] == [-1]


async def test_two_of_the_same_scenario_work_at_once(folder: Path, tmp_path: Path) -> None:
    scenario = SCENARIOS["accept"]
    async with Sandbox(folder, scenario) as one, Sandbox(folder, scenario) as two:
        assert not {end.port for end in one.endpoints} & {end.port for end in two.endpoints}
        for box in (one, two):
            for security in Security.STARTTLS, Security.TLS:
                assert (await aside(send, box, security))[0] == 250
    assert len(messages(folder)) == 4


async def test_two_that_start_at_the_same_moment_agree_on_the_authority(folder: Path) -> None:
    boxes = [Sandbox(folder, SCENARIOS["accept"]) for _ in range(4)]
    await asyncio.gather(*(box.start() for box in boxes))
    try:
        for box in boxes:
            assert (await aside(send, box, Security.TLS))[0] == 250
    finally:
        for box in boxes:
            await box.stop()


async def test_stop_frees_the_ports_and_leaves_no_task(folder: Path) -> None:
    before = asyncio.all_tasks()
    # Its usual ports may be another process's a moment later.
    own = dict(zip(SCENARIOS["accept"].ports, free_ports(2), strict=True))
    box = Sandbox(folder, replace(SCENARIOS["accept"], ports=own))
    await box.start()
    ports = [end.port for end in box.endpoints]
    streams = [await asyncio.open_connection("127.0.0.1", box.endpoint(Security.STARTTLS).port) for _ in range(3)]
    for reader, _ in streams:
        assert (await reader.readline()).startswith(b"220 ")
    await box.stop()
    assert box.endpoints == ()
    assert asyncio.all_tasks() == before
    for reader, writer in streams:
        with suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
    await box.stop()


async def test_stop_cuts_off_whoever_is_signed_in(folder: Path) -> None:
    before = asyncio.all_tasks()
    box = Sandbox(folder, SCENARIOS["accept"])
    await box.start()
    for security in (Security.STARTTLS, Security.TLS):
        entered = client(box, security)
        connected = await aside(entered.__enter__)
        assert (await aside(connected.login, USER, RIGHT))[0] == 235
    await box.stop()
    assert asyncio.all_tasks() == before


async def test_stop_waits_for_nobody_who_began_a_handshake(folder: Path) -> None:
    before = asyncio.all_tasks()
    box = Sandbox(folder, SCENARIOS["accept"])
    await box.start()
    quiet = [await asyncio.open_connection("127.0.0.1", end.port) for end in box.endpoints]
    reader, writer = quiet[0]
    await reader.readline()
    writer.write(b"EHLO x\r\nSTARTTLS\r\n")
    while not (await reader.readline()).startswith(b"220 "):
        pass
    async with asyncio.timeout(PATIENCE):
        await box.stop()
    for _, writer in quiet:
        writer.close()
        await writer.wait_closed()
    left = asyncio.all_tasks() - before
    if left:
        _, pending = await asyncio.wait(left, timeout=PATIENCE)
        assert pending == set()


async def test_it_can_be_started_again_but_not_twice(folder: Path) -> None:
    box = Sandbox(folder, SCENARIOS["accept"])
    async with box:
        with pytest.raises(RuntimeError, match="runs already"):
            await box.start()
    async with box:
        assert (await aside(send, box, Security.TLS))[0] == 250


async def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SandboxError, match=r"The practice server could not start: .+\."):
        await Sandbox(tmp_path / "file" / "sandbox", SCENARIOS["accept"]).start()


async def test_it_speaks_with_so_many_at_a_time_and_no_more(folder: Path) -> None:
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        port = box.endpoint(Security.STARTTLS).port
        streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_SESSIONS + 1)]
        greetings = [await reader.readline() for reader, _ in streams]
        assert [line[:4] for line in greetings] == [b"220 "] * MOST_SESSIONS + [b"421 "]
        assert await streams[-1][0].read() == b""
        for _, writer in streams:
            writer.close()
            await writer.wait_closed()


async def test_it_hangs_up_on_whoever_says_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "IDLE_SECONDS", 0.05)
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        reader, writer = await asyncio.open_connection("127.0.0.1", box.endpoint(Security.STARTTLS).port)
        assert (await asyncio.wait_for(reader.read(), PATIENCE)).startswith(b"220 ")
        writer.close()


async def test_too_large_a_message_is_refused_by_its_size_alone(folder: Path) -> None:
    async with Sandbox(folder, SCENARIOS["accept"]) as box:

        def try_it() -> tuple[int, bytes]:
            with client(box, Security.TLS) as connected:
                connected.login(USER, RIGHT)
                limit = int(connected.esmtp_features["size"])
                return connected.mail(USER, [f"size={limit + 1}"])

        assert (await aside(try_it))[0] == 552


async def test_passwords_cannot_be_guessed_without_end(folder: Path) -> None:
    async with Sandbox(folder, SCENARIOS["wrong-password"]) as box:

        def try_it() -> list[int]:
            with client(box, Security.TLS) as connected:
                guess = base64.b64encode(b"\0ana\0x").decode()
                return [connected.docmd("AUTH", f"PLAIN {guess}")[0] for _ in range(11)]

        assert await aside(try_it) == [535] * 10 + [421]


@BOTH
async def test_nothing_is_logged_and_nothing_printed(
    folder: Path, security: Security, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        await aside(sign_in, box, security, "very-secret", "LOGIN")
        await aside(send, box, security)

        def stray() -> None:
            with client(box, security) as connected:
                connected.docmd("AUTH", "LOGIN very-secret!")
                connected.docmd("NONSENSE")

        await aside(stray)
    assert [record for record in caplog.records if record.name == "mail.log"] == []
    assert "very-secret" not in caplog.text
    assert capfd.readouterr() == ("", "")


async def test_a_client_that_just_leaves_disturbs_nobody(folder: Path) -> None:
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with Sandbox(folder, SCENARIOS["accept"]) as box:

        def leave() -> None:
            for security in (Security.STARTTLS, Security.TLS):
                with client(box, security) as connected:
                    connected.login(USER, RIGHT)
                    connected.mail(USER)
                    connected.rcpt("bob@example.org")
                    connected.docmd("DATA")
                    connected.send(b"half a mess")
            with socket.create_connection(("127.0.0.1", box.endpoint(Security.STARTTLS).port)) as abrupt:
                abrupt.sendall(b"EHLO x\r\nSTARTTLS\r\nand no handshake at all\r\n")

        await aside(leave)
        assert (await aside(send, box, Security.TLS))[0] == 250
    assert complaints == []
    assert len(messages(folder)) == 1


async def test_a_failure_of_the_disk_is_told_without_anybodys_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device", "/secret/path")

    monkeypatch.setattr(sandbox_module, "deliver", full)
    async with Sandbox(folder, SCENARIOS["accept"]) as box:
        code, words = await aside(send, box, Security.TLS)
    assert (code, words) == (451, b"4.3.0 The practice server could not do that")


async def test_addresses_in_other_letters_are_kept_as_they_are(folder: Path) -> None:
    async with Sandbox(folder, SCENARIOS["accept"]) as box:

        def try_it() -> tuple[int, bytes]:
            with client(box, Security.TLS) as connected:
                connected.login(USER, RIGHT)
                connected.command_encoding = "utf-8"
                connected.mail("büro@example.com", ["SMTPUTF8"])
                connected.rcpt("用户@example.org")
                return connected.data(b"Subject: x\r\n\r\nx\r\n")

        assert (await aside(try_it))[0] == 250
    (kept,) = messages(folder)
    assert (kept.sender, kept.recipients) == ("büro@example.com", ("用户@example.org",))


# The mailbox


def test_a_mailbox_that_was_never_used_is_empty(folder: Path) -> None:
    assert messages(folder) == ()
    assert clear(folder) == 0
    with pytest.raises(KeyError):
        read(folder, "any")
    assert not folder.exists()


def fill(folder: Path, count: int) -> list[str]:
    folder.mkdir(parents=True)
    return [deliver(folder, b"Subject: %d\r\n\r\nx\r\n" % number) for number in range(count)]


def test_messages_come_newest_first_and_no_more_than_asked_for(folder: Path) -> None:
    fill(folder, 5)
    assert [one.subject for one in messages(folder)] == ["4", "3", "2", "1", "0"]
    assert [one.subject for one in messages(folder, limit=2)] == ["4", "3"]


def test_the_oldest_makes_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "MOST_KEPT", 3)
    fill(folder, 5)
    assert [one.subject for one in messages(folder)] == ["4", "3", "2"]
    assert MOST_KEPT == 200


def test_clear_empties_it(folder: Path) -> None:
    fill(folder, 3)
    assert clear(folder) == 3
    assert messages(folder) == ()


@pytest.mark.parametrize("key", ["../../authority.pem", "", ".", "../new"])
def test_only_messages_can_be_read(folder: Path, key: str) -> None:
    fill(folder, 1)
    (folder / "authority.pem").write_text("secret")
    with pytest.raises(KeyError):
        read(folder, key)


def test_words_of_a_message_cannot_move_the_cursor(folder: Path) -> None:
    folder.mkdir(parents=True)
    head = trace("x\x1b[2J", "a\x1b[2J\rBcc: b", ["c\x9b", "\udcff"], datetime.now(UTC))
    deliver(folder, head + b"Subject: \x1b]0;x\x07 =?utf-8?q?=1b[2J=e2=80=ae?=\r\n\r\n\x1b")
    (kept,) = messages(folder)
    shown = f"{kept.sender}{''.join(kept.recipients)}{kept.subject}"
    assert shown.isprintable()
    assert kept.sender.startswith("a\\x1b[2J")
    assert read(folder, kept.key).head.all("bcc") == []


HOSTILE = {
    "a message id": b"Message-ID: <" + b"[" * 2000,
    "brackets": b"To: " + b"(" * 3000,
    "addresses": b"To: " + b"a@b," * 8000,
    "parameters": b"Content-Type: text/plain; " + b"a*0*=x;" * 8000,
    "a charset": b"Subject: =?idna?q?=ff?=\nContent-Type: text/plain; charset=idna",
    "a NUL": b'Subject: =?utf\x008?q?x?=\nContent-Type: text/plain; charset="utf\x008"',
    "parts": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (at, at) for at in range(600)),
}


@pytest.mark.parametrize("head", HOSTILE.values(), ids=HOSTILE)
def test_whatever_was_sent_can_be_listed_and_read(folder: Path, head: bytes) -> None:
    """The standard library's reader raises for some of these, and takes seconds for others."""
    folder.mkdir(parents=True)
    key = deliver(folder, head + b"\n\nhello \xff\n")
    (kept,) = messages(folder)
    assert kept.key == key
    assert kept.subject.isprintable()
    letter = read(folder, key)
    assert "hello" in "".join(line for part in letter.parts for line in part.lines)
    assert all(readable(value) is not None for _, value in letter.head.fields)


def test_fields_are_read_in_words(folder: Path) -> None:
    folder.mkdir(parents=True)
    deliver(folder, "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= an J\u00f6rg\n\nx".encode())
    assert messages(folder)[0].subject == "Gr\u00fc\u00dfe an J\u00f6rg"


def test_a_message_that_is_none_is_listed_all_the_same(folder: Path) -> None:
    folder.mkdir(parents=True)
    for junk in (b"", b"\0\xff\n", b"Subject\n" * 50_000, b": x\n\n"):
        deliver(folder, junk)
    assert len(messages(folder)) == 4


# What it costs those who don't use it


def test_neither_the_server_nor_its_libraries_are_loaded_before_it_starts() -> None:
    code = (
        "import sys; from smtp_wizard.engine.sandbox import mailbox, server;"
        "mailbox.messages.__name__;"
        "heavy = {'aiosmtpd', 'trustme', 'cryptography', 'yaml', 'mailbox', 'filelock'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)


@pytest.mark.parametrize("turns", range(6))
async def test_stop_cuts_off_whoever_was_let_in_a_moment_before(turns: int, folder: Path) -> None:
    """The connection is there, and its conversation has not begun: nothing else would ever close it."""
    before = asyncio.all_tasks()
    box = Sandbox(folder, SCENARIOS["accept"])
    await box.start()
    with socket.create_connection(("127.0.0.1", box.endpoint(Security.STARTTLS).port)) as late:
        for _ in range(turns):
            await asyncio.sleep(0)
        await box.stop()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before
        late.settimeout(PATIENCE)
        with suppress(ConnectionError):
            while await aside(lambda: late.recv(1000)):
                pass


@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("turns", range(8))
async def test_a_start_that_is_cut_short_leaves_no_port_taken(
    turns: int, twice: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However far it has come since the first port is its own, and if the end is cut short as well."""
    made: list[socket.socket] = []
    bound = sandbox_module._bound

    def noted(port: int) -> socket.socket:
        made.append(bound(port))
        return made[-1]

    monkeypatch.setattr(sandbox_module, "_bound", noted)
    box = Sandbox(folder, SCENARIOS["accept"])
    starting = asyncio.ensure_future(box.start())
    while not made and not starting.done():
        await asyncio.sleep(0)
    for _ in range(turns):
        await asyncio.sleep(0)
    for _ in range(1 + twice):
        starting.cancel()
        await asyncio.sleep(0)
    await asyncio.gather(starting, return_exceptions=True)
    await box.stop()  # where it was up already; what it does not know of, it does not close
    assert [each for each in made if each.fileno() != -1] == []
