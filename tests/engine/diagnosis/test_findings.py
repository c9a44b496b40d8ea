"""Each thing that can go wrong, provoked on a real socket: where it shows, what it is called, who must act, what to do.

The words of providers are those that their servers have been seen to say.
"""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from ssl import SSLContext
from typing import Any

import pytest
import trustme

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.target import TimeLimits
from smtp_wizard.engine.smtp.tls import Trust
from tests.support.checking import (
    AUTH,
    BARE_OFFER,
    DATA,
    EHLO,
    GO_AHEAD,
    GREETING,
    MAIL_FROM,
    MESSAGE,
    OFFER,
    OK,
    PLAIN_UP_TO_AUTH,
    RCPT_TO,
    SIGNED_IN,
    SLOW_OFFER,
    SOMEBODY_ELSE,
    Checked,
    NamedHere,
    check,
    hurried,
    starttls_up_to_auth,
    starttls_up_to_handshake,
    tls_up_to_auth,
)
from tests.support.misbehaving import (
    IPV4,
    Close,
    Expect,
    Hold,
    MisbehavingServer,
    Reset,
    Script,
    Send,
    StartTls,
    cn_only,
    expired,
    good,
    make_ca,
    no_intermediate,
    not_yet_valid,
    refused_port,
    self_signed,
    silent_port,
    swallowing_port,
    wrong_name,
)
from tests.support.patience import PATIENCE


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


def ended(done: Checked, stage: Stage, code: str, who: Who, verdict: Verdict = Verdict.FAIL) -> None:
    """Assert how a check ended, and that the finding can be acted on."""
    assert done.row == (stage, verdict, code), done.transcript
    finding = done.last.finding
    assert finding is not None
    assert finding.who is who
    assert finding.title
    assert finding.explanation
    assert finding.steps
    assert all(step.strip() for step in finding.steps)
    assert (finding.forward is None) is (who is Who.YOU)
    assert done.last.detail == finding.title
    assert done.verdict is verdict


# --- finding and reaching the server ---


async def test_a_name_that_does_not_exist() -> None:
    done = await check(Endpoint("smtp.exmaple.test", 587, Security.STARTTLS))
    ended(done, Stage.DNS, "dns_host_not_found", Who.YOU)
    assert "smtp.exmaple.test" in done.finding.explanation


async def test_no_network_to_ask_for_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    done = await check(Endpoint("smtp.example.test", 587, Security.STARTTLS))
    ended(done, Stage.DNS, "no_network", Who.YOU)


async def test_no_answer_to_the_question_for_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: let_go.wait(PATIENCE))
    done = await check(Endpoint("smtp.example.test", 587, Security.STARTTLS), limits=hurried(dns=0.1))
    let_go.set()
    ended(done, Stage.DNS, "no_network", Who.YOU)


@pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL])
async def test_no_route_to_the_server(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    fails_to_connect(monkeypatch, OSError(number, "no way there"))
    done = await check(Endpoint(IPV4, 587, Security.STARTTLS))
    ended(done, Stage.CONNECT, "no_network", Who.YOU)


async def test_this_computer_forbids_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    fails_to_connect(monkeypatch, PermissionError(errno.EACCES, "Permission denied"))
    done = await check(Endpoint(IPV4, 587, Security.STARTTLS))
    ended(done, Stage.CONNECT, "local_firewall_denied", Who.ADMIN)


def fails_to_connect(monkeypatch: pytest.MonkeyPatch, problem: OSError) -> None:
    """Let every connection fail as the operating system would say it."""

    def connect(*_: Any) -> Any:
        raise problem

    monkeypatch.setattr(socket.socket, "connect", connect)


async def test_refused_with_another_port_to_try() -> None:
    with refused_port() as port:
        other = Endpoint(IPV4, 465, Security.TLS)
        done = await check(Endpoint(IPV4, port, Security.STARTTLS), alternatives=(other,))
    ended(done, Stage.CONNECT, "wrong_host_or_port", Who.YOU)
    assert done.finding.fix == other
    assert any("465" in step and "SSL/TLS" in step for step in done.finding.steps)


async def test_a_port_that_swallows_every_packet() -> None:
    async with swallowing_port() as port:
        other = Endpoint(SOMEBODY_ELSE, 465, Security.TLS)
        asked = Endpoint(SOMEBODY_ELSE, port, Security.STARTTLS)
        done = await check(asked, limits=hurried(connect=0.2), alternatives=(other,), wire=NamedHere())
    ended(done, Stage.CONNECT, "port_blocked", Who.NETWORK)
    assert done.finding.fix == other


@pytest.mark.parametrize(
    ("security", "stage"),
    [(Security.STARTTLS, Stage.GREETING), (Security.NONE, Stage.GREETING), (Security.TLS, Stage.TLS)],
)
async def test_a_port_that_accepts_and_says_nothing(security: Security, stage: Stage) -> None:
    with silent_port() as port:
        limits = hurried(tls=0.4, greeting=0.4)
        done = await check(Endpoint(SOMEBODY_ELSE, port, security), limits=limits, wire=NamedHere())
        ours = await check(Endpoint(IPV4, port, security), limits=limits)
    ended(done, stage, "port_blocked", Who.NETWORK)
    # No network lies between us and this computer.
    ended(ours, stage, "wrong_host_or_port", Who.YOU)


async def test_a_server_that_stops_answering() -> None:
    async with MisbehavingServer([GREETING, EHLO, Hold()]) as server:
        done = await check(server.endpoint(Security.STARTTLS), limits=hurried(ehlo=0.2))
    ended(done, Stage.EHLO, "server_silent", Who.HOST)
    assert "0.2 seconds" in done.finding.explanation


@pytest.mark.parametrize(("security", "stage"), [(Security.STARTTLS, Stage.GREETING), (Security.TLS, Stage.TLS)])
async def test_a_connection_torn_down_at_once(security: Security, stage: Stage) -> None:
    async with MisbehavingServer([Reset()]) as server:
        done = await check(server.endpoint(security))
    ended(done, stage, "connection_reset", Who.NETWORK)


# --- the other way of encrypting ---


async def test_tls_from_the_first_byte_where_a_greeting_was_awaited(ca: trustme.CA, trust: Trust) -> None:
    """The port is silent until it hears a TLS hello; a second and a half to find out, one key to mend."""
    async with MisbehavingServer([*tls_up_to_auth(good(ca)), SIGNED_IN], strict=False) as server:
        done = await check(server.endpoint(Security.STARTTLS), trust=trust)
        ended(done, Stage.GREETING, "tls_use_implicit", Who.YOU)
        assert done.finding.fix == server.endpoint(Security.TLS)
        assert b"AUTH" not in server.received
        mended = await check(done.finding.fix, trust=trust)
    assert mended.verdict is Verdict.PASS


def test_how_long_a_silent_port_is_waited_for_before_tls_is_tried() -> None:
    """A person waits at most two seconds for the answer, and a server that greets slowly has its second."""
    assert 1.0 < TimeLimits().silence <= 1.5


async def test_a_greeting_where_tls_was_begun(ca: trustme.CA, trust: Trust) -> None:
    async with MisbehavingServer([GREETING, Hold()], [*starttls_up_to_auth(good(ca)), SIGNED_IN]) as server:
        done = await check(server.endpoint(Security.TLS), trust=trust)
        ended(done, Stage.TLS, "tls_use_starttls", Who.YOU)
        assert done.finding.fix == server.endpoint(Security.STARTTLS)
        mended = await check(done.finding.fix, trust=trust)
    assert mended.verdict is Verdict.PASS


async def test_starttls_that_is_not_offered() -> None:
    other = Endpoint(IPV4, 465, Security.TLS)
    async with MisbehavingServer([GREETING, EHLO, OFFER, Hold()]) as server:
        done = await check(server.endpoint(Security.STARTTLS), alternatives=(other,), allow_cleartext=True)
        ended(done, Stage.STARTTLS, "starttls_not_offered", Who.YOU)
        assert b"AUTH" not in server.received
    assert done.finding.fix == other


async def test_starttls_that_is_offered_and_then_refused() -> None:
    async with MisbehavingServer(
        [GREETING, EHLO, BARE_OFFER, Expect(rb"STARTTLS"), Send(b"454 4.7.0 TLS not available\r\n"), Hold()]
    ) as server:
        done = await check(server.endpoint(Security.STARTTLS))
        ended(done, Stage.STARTTLS, "temporary_try_later", Who.YOU)
        assert b"AUTH" not in server.received


async def test_sign_in_that_is_only_offered_after_starttls(ca: trustme.CA, trust: Trust) -> None:
    bare: Script = [GREETING, EHLO, BARE_OFFER, Hold()]
    async with MisbehavingServer(bare, [*starttls_up_to_auth(good(ca)), SIGNED_IN]) as server:
        done = await check(server.endpoint(Security.NONE), allow_cleartext=True)
        ended(done, Stage.AUTH, "starttls_required", Who.YOU)
        assert done.finding.fix == server.endpoint(Security.STARTTLS)
        mended = await check(done.finding.fix, trust=trust)
    assert mended.verdict is Verdict.PASS


async def test_sign_in_that_is_refused_before_starttls() -> None:
    offer = Send(b"250-mail.example.test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n")
    refusal = Send(b"530 5.7.0 Must issue a STARTTLS command first\r\n")
    async with MisbehavingServer([GREETING, EHLO, offer, AUTH, refusal, Hold()]) as server:
        done = await check(server.endpoint(Security.NONE), allow_cleartext=True)
    ended(done, Stage.AUTH, "starttls_required", Who.YOU)
    assert done.finding.fix == server.endpoint(Security.STARTTLS)
    assert done.finding.server_said == "530 5.7.0 Must issue a STARTTLS command first"


async def test_a_password_is_not_sent_over_an_open_line_unasked() -> None:
    offer = Send(b"250-mail.example.test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n")
    async with MisbehavingServer([GREETING, EHLO, offer, Hold()]) as server:
        done = await check(server.endpoint(Security.NONE))
        assert b"AUTH" not in server.received
    ended(done, Stage.AUTH, "cleartext_refused", Who.YOU)
    assert done.finding.fix == server.endpoint(Security.STARTTLS)


async def test_words_slipped_in_before_the_encryption_are_a_warning(ca: trustme.CA, trust: Trust) -> None:
    script = starttls_up_to_auth(good(ca), go=b"220 go\r\n250 evil\r\n")
    async with MisbehavingServer([*script, SIGNED_IN]) as server:
        done = await check(server.endpoint(Security.STARTTLS), trust=trust)
    warned = done.report.result(Stage.STARTTLS)
    assert warned is not None
    assert warned.finding is not None
    assert (warned.verdict, warned.finding.code, warned.finding.who) == (Verdict.WARN, "injected_before_tls", Who.HOST)
    assert done.last.stage is Stage.AUTH
    assert done.verdict is Verdict.WARN


# --- certificates ---

MakeContext = Callable[[trustme.CA], SSLContext]

CERTIFICATES: tuple[tuple[str, MakeContext, str, Who], ...] = (
    ("expired", expired, "cert_expired", Who.HOST),
    ("not yet valid", not_yet_valid, "cert_not_yet_valid", Who.HOST),
    ("wrong name", wrong_name, "cert_hostname_mismatch", Who.YOU),
    ("self-signed", lambda _: self_signed(), "cert_self_signed", Who.HOST),
    ("unknown issuer", lambda _: good(make_ca().create_child_ca()), "cert_unknown_issuer", Who.HOST),
    ("intermediate missing", no_intermediate, "cert_chain_incomplete", Who.HOST),
)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
@pytest.mark.parametrize(("make", "code", "who"), [c[1:] for c in CERTIFICATES], ids=[c[0] for c in CERTIFICATES])
async def test_a_certificate_that_is_not_believed(
    ca: trustme.CA, trust: Trust, security: Security, make: MakeContext, code: str, who: Who
) -> None:
    done = await certificate_check(make(ca), trust, security)
    ended(done, Stage.TLS if security is Security.TLS else Stage.STARTTLS, code, who)


async def certificate_check(context: SSLContext, trust: Trust, security: Security, **target: Any) -> Checked:
    """Check a server that shows a certificate; assert that it was asked twice and told no secret."""
    before = starttls_up_to_handshake() if security is Security.STARTTLS else []
    async with MisbehavingServer([*before, StartTls(context), Hold()]) as server:
        done = await check(server.endpoint(security), trust=trust, **target)
        assert server.connections == 2, "the second look, which believes nothing"
        assert b"AUTH" not in server.received
        return done


async def test_a_wrong_name_is_shown_with_the_names_that_would_be_right(ca: trustme.CA, trust: Trust) -> None:
    context = wrong_name(ca, "mail.elsewhere.example", "smtp.elsewhere.example")
    done = await certificate_check(context, trust, Security.TLS)
    assert "mail.elsewhere.example, smtp.elsewhere.example" in done.finding.explanation
    assert any("mail.elsewhere.example" in step for step in done.finding.steps)


async def test_dates_of_a_certificate_are_shown(ca: trustme.CA, trust: Trust) -> None:
    (symptom,) = (await certificate_check(expired(ca), trust, Security.TLS)).symptoms
    assert symptom.facts["not_after"] < f"{symptom.facts['time']:.10}"
    (symptom,) = (await certificate_check(not_yet_valid(ca), trust, Security.STARTTLS)).symptoms
    assert symptom.facts["not_before"] > f"{symptom.facts['time']:.10}"


async def test_a_certificate_that_names_its_server_in_the_old_field_alone(ca: trustme.CA, trust: Trust) -> None:
    """RFC 9525 section 2 gives the CN up; other clients still believe it."""
    async with MisbehavingServer([StartTls(cn_only(ca)), Hold()]) as server:
        done = await check(replace(server.endpoint(Security.TLS), host="localhost"), trust=trust)
    ended(done, Stage.TLS, "cert_hostname_mismatch", Who.HOST)
    assert "outdated" in done.finding.title


async def test_a_filter_in_between_is_named(trust: Trust) -> None:
    scanner = trustme.CA(organization_name="Avast Web/Mail Shield Root")
    done = await certificate_check(good(scanner), trust, Security.TLS, provider="gmail")
    ended(done, Stage.TLS, "connection_intercepted", Who.NETWORK)
    assert "Avast" in done.finding.explanation


async def test_at_a_known_provider_the_network_is_at_fault(trust: Trust) -> None:
    done = await certificate_check(self_signed(), trust, Security.TLS, provider="gmail")
    ended(done, Stage.TLS, "cert_self_signed", Who.NETWORK)


# --- signing in ---


async def refusal_at_auth(reply: bytes, **target: Any) -> Checked:
    """Check a server that answers the sign-in so. It is asked once and no more."""
    async with MisbehavingServer([*PLAIN_UP_TO_AUTH, Send(reply), Hold()]) as server:
        done = await check(server.endpoint(Security.NONE), allow_cleartext=True, **target)
        assert server.received.count(b"AUTH ") == 1
        assert server.connections == 1
        return done


GOOGLE = (
    b"534-5.7.9 Application-specific password required. For more information, go to\r\n"
    b"534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor x-1 - gsmtp\r\n"
)
YAHOO = b"535 5.7.0 (#AUTH005) Too many bad auth attempts.\r\n"
APPLE = b"535 5.7.8 Error: authentication failed: (reason unavailable)\r\n"
TENANT = (
    b"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. "
    b"Visit https://aka.ms/smtp_auth_disabled for more information. [X.prod.outlook.com]\r\n"
)
BASIC = b"535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [X.prod.outlook.com]\r\n"

REFUSALS: tuple[tuple[str, bytes, dict[str, str], str, Who], ...] = (
    ("wrong password", b"535 5.7.8 Error: authentication failed\r\n", {}, "bad_credentials", Who.YOU),
    ("no enhanced code", b"535 Incorrect authentication data\r\n", {}, "bad_credentials", Who.YOU),
    ("Google", GOOGLE, {"provider": "gmail", "secret_shape": "other"}, "app_password_required", Who.YOU),
    ("Google, unknown provider", GOOGLE, {}, "app_password_required", Who.YOU),
    (
        "Google, app password mistyped",
        b"535-5.7.8 Username and Password not accepted.\r\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials\r\n",
        {"provider": "gmail", "secret_shape": "app-password"},
        "bad_credentials",
        Who.YOU,
    ),
    (
        "Google, normal password",
        b"535-5.7.8 Username and Password not accepted.\r\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials\r\n",
        {"provider": "gmail", "secret_shape": "other"},
        "app_password_required",
        Who.YOU,
    ),
    ("Yahoo", YAHOO, {"provider": "yahoo", "secret_shape": "other"}, "app_password_required", Who.YOU),
    ("Apple", APPLE, {"provider": "icloud", "secret_shape": "other"}, "app_password_required", Who.YOU),
    ("Microsoft, tenant", TENANT, {"provider": "microsoft365"}, "smtp_auth_disabled", Who.ADMIN),
    ("Microsoft, tenant, unknown provider", TENANT, {}, "smtp_auth_disabled", Who.ADMIN),
    ("Microsoft, basic sign-in", BASIC, {"provider": "outlook-com"}, "basic_auth_disabled", Who.YOU),
    ("Microsoft, basic sign-in at work", BASIC, {"provider": "microsoft365"}, "basic_auth_disabled", Who.YOU),
    ("too many, now", b"454 4.7.0 Too many login attempts, please try again later\r\n", {}, "too_many_logins", Who.YOU),
    ("too many, closing", b"421 4.7.0 Too many failed login attempts\r\n", {}, "too_many_logins", Who.YOU),
    ("not now", b"454 4.7.0 Temporary authentication failure\r\n", {}, "server_fault", Who.HOST),
    ("432", b"432 4.7.12 A password transition is needed\r\n", {}, "web_login_required", Who.YOU),
    ("534", b"534 5.7.9 Please log in with your web browser and then try again\r\n", {}, "web_login_required", Who.YOU),
    ("538", b"538 5.7.11 Encryption required for this mechanism\r\n", {}, "starttls_required", Who.YOU),
)


@pytest.mark.parametrize(
    ("reply", "target", "code", "who"), [each[1:] for each in REFUSALS], ids=[each[0] for each in REFUSALS]
)
async def test_a_sign_in_that_is_refused(reply: bytes, target: dict[str, str], code: str, who: Who) -> None:
    done = await refusal_at_auth(reply, **target)
    ended(done, Stage.AUTH, code, who)
    assert done.finding.server_said.startswith(reply[:3].decode())


async def test_the_guide_of_the_provider_is_offered_with_the_finding() -> None:
    google = await refusal_at_auth(GOOGLE, provider="gmail", secret_shape="other")
    yahoo = await refusal_at_auth(YAHOO, provider="yahoo", secret_shape="other")
    apple = await refusal_at_auth(APPLE, provider="icloud", secret_shape="other")
    assert google.finding.guide == "gmail-app-password"
    assert yahoo.finding.guide == "yahoo-app-password"
    assert apple.finding.guide == "icloud-app-password"
    assert "Google" in google.finding.title


async def test_no_sign_in_is_offered_at_all(ca: trustme.CA, trust: Trust) -> None:
    script: Script = [StartTls(good(ca)), GREETING, EHLO, Send(b"250 mail.example.test\r\n"), Hold()]
    async with MisbehavingServer(script) as server:
        done = await check(server.endpoint(Security.TLS), trust=trust)
    ended(done, Stage.AUTH, "auth_method_unavailable", Who.YOU)


async def test_only_ways_of_signing_in_that_are_not_spoken_here(ca: trustme.CA, trust: Trust) -> None:
    script: Script = [StartTls(good(ca)), GREETING, EHLO, Send(b"250-x\r\n250 AUTH GSSAPI NTLM\r\n"), Hold()]
    async with MisbehavingServer(script) as server:
        done = await check(server.endpoint(Security.TLS), trust=trust)
    ended(done, Stage.AUTH, "auth_ways_unusable", Who.ADMIN)
    assert any("GSSAPI, NTLM" in symptom.words for symptom in done.symptoms)


async def test_a_server_that_hangs_up_at_the_sign_in() -> None:
    async with MisbehavingServer([*PLAIN_UP_TO_AUTH, Close()]) as server:
        done = await check(server.endpoint(Security.NONE), allow_cleartext=True)
    ended(done, Stage.AUTH, "server_closed", Who.HOST)


# --- handing the message over ---


async def sending(*script: Any, pipelined: bool = False, **options: Any) -> Checked:
    """Sign in to a server and hand it a message; `script` is what it does from then on."""
    offer = OFFER if pipelined else SLOW_OFFER
    async with MisbehavingServer([GREETING, EHLO, offer, AUTH, SIGNED_IN, *script]) as server:
        return await check(server.endpoint(Security.NONE), depth=Depth.SEND, allow_cleartext=True, **options)


async def test_the_message_is_taken() -> None:
    done = await sending(MAIL_FROM, OK, RCPT_TO, OK, DATA, GO_AHEAD, MESSAGE, OK, Expect(rb"QUIT"))
    assert done.row == (Stage.DATA, Verdict.PASS, "")


async def test_a_forwarded_recipient_is_taken_too() -> None:
    """251: the server says that it will forward (RFC 5321 section 3.4)."""
    forwards = Send(b"251 2.1.5 user not local; will forward\r\n")
    done = await sending(MAIL_FROM, OK, RCPT_TO, forwards, DATA, GO_AHEAD, MESSAGE, OK)
    assert done.row == (Stage.DATA, Verdict.PASS, "")


AT_MAIL: tuple[tuple[str, bytes, str, Who], ...] = (
    (
        "sender",
        b"550 5.7.60 SMTP; Client does not have permissions to send as this sender\r\n",
        "sender_not_allowed",
        Who.YOU,
    ),
    ("size", b"552 5.3.4 Message size exceeds fixed limit\r\n", "message_too_large", Who.YOU),
    ("too many", b"421 4.7.0 Too many messages in this session, try later\r\n", "rate_limited", Who.YOU),
    ("closing", b"421 4.3.2 Service not available, closing channel\r\n", "temporary_try_later", Who.YOU),
    ("shutting down", b"421 4.3.2 System shutting down\r\n", "server_closed", Who.HOST),
    ("530", b"530 5.7.0 Authentication required\r\n", "auth_missing", Who.YOU),
)


@pytest.mark.parametrize(("reply", "code", "who"), [c[1:] for c in AT_MAIL], ids=[c[0] for c in AT_MAIL])
async def test_a_sender_that_is_refused(reply: bytes, code: str, who: Who) -> None:
    ended(await sending(MAIL_FROM, Send(reply), Hold()), Stage.MAIL, code, who)


AT_RCPT: tuple[tuple[str, bytes, str, Who], ...] = (
    (
        "sender",
        b"553 5.7.1 <alice@example.test>: Sender address rejected: not owned by user alice\r\n",
        "sender_not_allowed",
        Who.YOU,
    ),
    (
        "unknown",
        b"550 5.1.1 <bob@example.test>: Recipient address rejected: User unknown\r\n",
        "recipient_rejected",
        Who.YOU,
    ),
    (
        "greylisted",
        b"450 4.2.0 <bob@example.test>: Recipient address rejected: Greylisted\r\n",
        "temporary_try_later",
        Who.YOU,
    ),
    ("quota", b"550 5.4.5 Daily user sending limit exceeded. \r\n", "daily_limit", Who.YOU),
    ("relay", b"554 5.7.1 <bob@example.test>: Relay access denied\r\n", "auth_missing", Who.YOU),
)


@pytest.mark.parametrize("pipelined", [True, False])
@pytest.mark.parametrize(("reply", "code", "who"), [c[1:] for c in AT_RCPT], ids=[c[0] for c in AT_RCPT])
async def test_a_recipient_that_is_refused(reply: bytes, code: str, who: Who, pipelined: bool) -> None:
    no_data = [DATA, Send(b"554 5.5.1 no valid recipients\r\n")] if pipelined else []
    done = await sending(MAIL_FROM, OK, RCPT_TO, Send(reply), *no_data, Hold(), pipelined=pipelined)
    ended(done, Stage.RCPT, code, who)


AT_DATA: tuple[tuple[str, bytes, str, Who], ...] = (
    (
        "quota",
        b"550-5.4.5 Daily user sending limit exceeded. For more information\r\n550 5.4.5 see x - gsmtp\r\n",
        "daily_limit",
        Who.YOU,
    ),
    ("too large", b"552 5.3.4 Message size exceeds limit\r\n", "message_too_large", Who.YOU),
    ("greylisted", b"450 4.2.0 Greylisted, try again in 5 minutes\r\n", "temporary_try_later", Who.YOU),
    ("spam", b"550 5.7.1 Message contains spam or virus\r\n", "content_rejected", Who.YOU),
)


@pytest.mark.parametrize(("reply", "code", "who"), [c[1:] for c in AT_DATA], ids=[c[0] for c in AT_DATA])
async def test_a_message_that_is_refused(reply: bytes, code: str, who: Who) -> None:
    done = await sending(MAIL_FROM, OK, RCPT_TO, OK, DATA, GO_AHEAD, MESSAGE, Send(reply), Hold())
    ended(done, Stage.DATA, code, who)


@pytest.mark.parametrize(
    ("script", "stage"),
    [
        ([MAIL_FROM, Close()], Stage.MAIL),
        ([MAIL_FROM, OK, RCPT_TO, Close()], Stage.RCPT),
        ([MAIL_FROM, OK, RCPT_TO, OK, DATA, Close()], Stage.DATA),
    ],
    ids=["MAIL", "RCPT", "DATA"],
)
async def test_a_server_that_hangs_up_in_the_middle(script: Script, stage: Stage) -> None:
    ended(await sending(*script), stage, "server_closed", Who.HOST)


async def test_a_server_that_says_goodbye_while_it_was_not_asked() -> None:
    """421 may come at any time (RFC 5321 section 3.8); it is a goodbye and no fault of the protocol."""
    done = await sending(MAIL_FROM, Send(b"250 ok\r\n421 4.3.2 shutting down\r\n"), Close())
    ended(done, Stage.RCPT, "server_closed", Who.HOST)
    assert "421" in done.finding.server_said


@pytest.mark.parametrize("end", [Close(), Reset()], ids=["closed", "reset"])
async def test_whether_the_message_was_taken_is_unknown(end: Any) -> None:
    done = await sending(MAIL_FROM, OK, RCPT_TO, OK, DATA, GO_AHEAD, MESSAGE, end)
    ended(done, Stage.DATA, "outcome_unknown", Who.YOU, Verdict.UNKNOWN)


async def test_silence_after_the_final_dot_is_unknown_too() -> None:
    script = [MAIL_FROM, OK, RCPT_TO, OK, DATA, GO_AHEAD, MESSAGE, Hold()]
    done = await sending(*script, limits=hurried(data=0.3))
    ended(done, Stage.DATA, "outcome_unknown", Who.YOU, Verdict.UNKNOWN)


# --- what is no mail server for sending ---

OTHERS: tuple[tuple[str, bytes, str], ...] = (
    ("POP3", b"+OK POP3 ready\r\n", "wrong_host_or_port"),
    ("IMAP", b"* OK [CAPABILITY IMAP4rev1] ready\r\n", "wrong_host_or_port"),
    ("HTTP", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "connection_intercepted"),
    ("a web page", b"<html><body>log in first</body></html>\r\n", "connection_intercepted"),
)


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
@pytest.mark.parametrize(("words", "code"), [each[1:] for each in OTHERS], ids=[each[0] for each in OTHERS])
async def test_another_protocol_answers(
    ca: trustme.CA, trust: Trust, words: bytes, code: str, security: Security
) -> None:
    begin = [StartTls(good(ca))] if security is Security.TLS else []
    async with MisbehavingServer([*begin, Send(words), Hold()]) as server:
        done = await check(server.endpoint(security), trust=trust)
    ended(done, Stage.GREETING, code, Who.YOU if code == "wrong_host_or_port" else Who.NETWORK)
    assert done.finding.server_said


async def test_another_protocol_in_clear_text_where_tls_was_begun() -> None:
    async with MisbehavingServer([Send(b"+OK POP3 ready\r\n"), Hold()]) as server:
        done = await check(server.endpoint(Security.TLS))
    ended(done, Stage.TLS, "wrong_host_or_port", Who.YOU)


async def test_a_server_that_does_not_want_to_talk() -> None:
    async with MisbehavingServer([Send(b"554 5.7.1 You are not allowed to connect\r\n"), Close()]) as server:
        done = await check(server.endpoint(Security.STARTTLS))
    assert done.last.stage is Stage.GREETING
    assert done.finding.steps


async def test_a_server_that_hangs_up_without_a_word() -> None:
    async with MisbehavingServer([Close()]) as server:
        done = await check(server.endpoint(Security.STARTTLS))
    ended(done, Stage.GREETING, "server_closed", Who.HOST)
