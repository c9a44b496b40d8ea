"""The engine against Postfix with Dovecot's sign-in: what a person's check would do, and what the server saw of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime, make_msgid
from typing import Any

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.target import Mail, TimeLimits
from smtp_wizard.engine.checks.test_message import test_message as compose
from smtp_wizard.engine.smtp.tls import Trust
from smtp_wizard.engine.smtp.transport import SocketStream, SocketWire
from tests.realservers.servers import (
    ALICE,
    FULL_RECIPIENT,
    GREYLISTED_RECIPIENT,
    LOGINS,
    NAME,
    RECIPIENT,
    REFUSED_RECIPIENT,
    SIZE_LIMIT,
    ZOE,
    Login,
    MailServer,
)
from tests.support.checking import Checked, check

pytestmark = pytest.mark.real

BOTH_WAYS = pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
WRONG = "not the password of anybody"


def endpoint(server: MailServer, security: Security) -> Endpoint:
    """Where the server takes mail in this way."""
    return Endpoint(NAME, server.tls_port if security is Security.TLS else server.starttls_port, security)


async def ask(
    server: MailServer, security: Security, login: Login = ALICE, *, password: str | None = None, **options: Any
) -> Checked:
    """Check the server as somebody who has a mailbox there; `options` as those of `checking.check`."""
    options.setdefault("trust", Trust(str(server.ca_file)))
    return await check(
        endpoint(server, security),
        username=login.username,
        secret=Secret(login.password if password is None else password),
        limits=TimeLimits(),
        **options,
    )


def letter(*, sender: str = ALICE.address, to: str = RECIPIENT, body: bytes = b"It works.\r\n") -> tuple[Mail, str]:
    """Return a message and its Message-ID."""
    message_id = make_msgid(domain="client.test")
    head = f"From: {sender}\r\nTo: {to}\r\nSubject: a test\r\nDate: {format_datetime(NOON)}\r\n"
    head += f"Message-ID: {message_id}\r\n\r\n"
    return Mail(address(sender), address(to), head.encode() + body), message_id


def address(text: str) -> Address:
    local, _, domain = text.partition("@")
    return Address(local, domain)


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is waited for: one entry for the connection, and one each time that we read after we have spoken."""
    turns: list[str] = []
    spoke = True
    connect, send, receive = SocketWire.connect, SocketStream._send, SocketStream._receive

    async def counted_connect(self: SocketWire, peers: Any) -> Any:
        turns.append("connect")
        return await connect(self, peers)

    async def counted_send(self: SocketStream, data: bytes) -> None:
        nonlocal spoke
        spoke = True
        await send(self, data)

    async def counted_receive(self: SocketStream) -> bytes:
        nonlocal spoke
        if spoke:
            turns.append("read")
        spoke = False
        return await receive(self)

    monkeypatch.setattr(SocketWire, "connect", counted_connect)
    monkeypatch.setattr(SocketStream, "_send", counted_send)
    monkeypatch.setattr(SocketStream, "_receive", counted_receive)
    return turns


# --- signing in ---


@BOTH_WAYS
@pytest.mark.parametrize("login", LOGINS, ids=lambda login: str(login.username))
async def test_signing_in(postfix: MailServer, security: Security, login: Login) -> None:
    mark = postfix.mark()
    done = await ask(postfix, security, login)
    assert done.verdict is Verdict.PASS
    assert done.report.mechanism == "PLAIN"
    assert done.report.tls is not None
    assert done.report.tls.version == "TLSv1.3"
    assert done.report.capabilities["SIZE"] == str(SIZE_LIMIT)
    assert login.password not in done.everything
    assert postfix.sign_in_attempts(mark) == 1
    assert "quit=1" in postfix.log_since(mark)


@pytest.mark.parametrize(("security", "expected"), [(Security.TLS, 5), (Security.STARTTLS, 7)])
async def test_round_trips_to_the_verdict(
    postfix: MailServer, round_trips: list[str], security: Security, expected: int
) -> None:
    done = await ask(postfix, security)
    assert done.verdict is Verdict.PASS
    assert len(round_trips) == expected


async def test_round_trips_to_a_message_that_is_taken(postfix: MailServer, round_trips: list[str]) -> None:
    mail, _ = letter()
    done = await ask(postfix, Security.TLS, depth=Depth.SEND, mail=mail)
    assert done.verdict is Verdict.PASS
    assert len(round_trips) == 5 + 2


@BOTH_WAYS
async def test_a_wrong_password_is_tried_once(postfix: MailServer, security: Security) -> None:
    mark = postfix.mark()
    done = await ask(postfix, security, password=WRONG)
    assert done.row == (Stage.AUTH, Verdict.FAIL, "bad_credentials")
    assert done.finding.who is Who.YOU
    assert done.finding.server_said.startswith("535 5.7.8")
    assert WRONG not in done.everything
    assert postfix.sign_in_attempts(mark) == 1


async def test_a_check_of_the_server_alone_signs_in_to_nothing(postfix: MailServer) -> None:
    mark = postfix.mark()
    done = await ask(postfix, Security.STARTTLS, depth=Depth.SERVER)
    assert done.verdict is Verdict.PASS
    assert done.last.stage is Stage.STARTTLS
    assert postfix.sign_in_attempts(mark) == 0


@BOTH_WAYS
async def test_an_authority_that_is_not_known_gets_no_password(postfix: MailServer, security: Security) -> None:
    mark = postfix.mark()
    done = await ask(postfix, security, trust=Trust())
    assert done.verdict is Verdict.FAIL
    assert done.finding.code.startswith("cert_")
    assert postfix.sign_in_attempts(mark, sessions=2) == 0


# --- the wrong way for the port, and the way that is offered instead ---


async def test_the_way_that_a_port_wants_is_found_and_works(postfix: MailServer) -> None:
    trust = Trust(str(postfix.ca_file))
    for security, port, code in (
        (Security.STARTTLS, postfix.tls_port, "tls_use_implicit"),
        (Security.TLS, postfix.starttls_port, "tls_use_starttls"),
        (Security.NONE, postfix.starttls_port, "starttls_required"),
    ):
        wrong = Endpoint(NAME, port, security)
        done = await check(
            wrong,
            username=ALICE.username,
            secret=Secret(ALICE.password),
            trust=trust,
            allow_cleartext=True,
            limits=replace(TimeLimits(), silence=0.3),
        )
        assert done.finding.code == code
        assert done.finding.fix is not None
        mended = await check(done.finding.fix, username=ALICE.username, secret=Secret(ALICE.password), trust=trust)
        assert mended.verdict is Verdict.PASS


# --- handing a message over ---

BODY = b".\r\n..\r\n.leading dots\r\ntrailing blanks   \r\n\r\n8 bits: \xc3\xa9\r\n" + b"x" * 900 + b"\r\n.\r\nend\r\n"


@BOTH_WAYS
async def test_a_message_arrives_as_it_was_sent(postfix: MailServer, security: Security) -> None:
    mail, message_id = letter(body=BODY)
    done = await ask(postfix, security, depth=Depth.SEND, mail=mail)
    assert done.row == (Stage.DATA, Verdict.PASS, "")
    arrived = postfix.wait_for_message(RECIPIENT, message_id)
    assert arrived["Subject"] == "a test"
    assert delivered(postfix, message_id).endswith(mail.content.replace(b"\r\n", b"\n"))


def delivered(server: MailServer, message_id: str) -> bytes:
    """The message as it lies in the recipient's mailbox."""
    folder = server.mail / RECIPIENT.partition("@")[0] / "new"
    return next(data for data in (file.read_bytes() for file in folder.iterdir()) if message_id.encode() in data)


async def test_the_test_message_arrives(postfix: MailServer) -> None:
    content = compose(
        address(ALICE.address),
        address(RECIPIENT),
        sender_name="Alicé",
        reply_to=None,
        company="",
        now=NOON,
        token="t0ken4711",
        host_words=NAME,
    )
    mail = Mail(address(ALICE.address), address(RECIPIENT), content)
    done = await ask(postfix, Security.STARTTLS, depth=Depth.SEND, mail=mail)
    assert done.verdict is Verdict.PASS
    message_id = next(line for line in content.decode().splitlines() if line.lower().startswith("message-id:"))
    arrived = postfix.wait_for_message(RECIPIENT, message_id.partition(":")[2].strip())
    assert "Alicé" in arrived["From"]


async def test_commands_go_together_where_the_server_can_take_them(postfix: MailServer) -> None:
    mark = postfix.mark()
    mail, _ = letter()
    done = await ask(postfix, Security.TLS, depth=Depth.SEND, mail=mail)
    said = [line[:6] for line in done.transcript if line.startswith(("C: MAIL", "C: RCPT", "C: DATA", "S: 250 2.1"))]
    assert said[:3] == ["C: MAI", "C: RCP", "C: DAT"]
    postfix.sign_in_attempts(mark)
    assert "improper command pipelining" not in postfix.log_since(mark)


REFUSALS: tuple[tuple[str, str, str, Who], ...] = (
    ("unknown", REFUSED_RECIPIENT, "recipient_rejected", Who.YOU),
    ("elsewhere", "somebody@elsewhere.test", "recipient_rejected", Who.YOU),
    ("greylisted", GREYLISTED_RECIPIENT, "temporary_try_later", Who.YOU),
    ("full", FULL_RECIPIENT, "recipient_rejected", Who.RECIPIENT),
)


@pytest.mark.parametrize(("to", "code", "who"), [each[1:] for each in REFUSALS], ids=[each[0] for each in REFUSALS])
async def test_a_recipient_that_is_refused_gets_nothing(postfix: MailServer, to: str, code: str, who: Who) -> None:
    mail, message_id = letter(to=to)
    mark = postfix.mark()
    done = await ask(postfix, Security.STARTTLS, depth=Depth.SEND, mail=mail)
    assert done.row == (Stage.RCPT, Verdict.FAIL, code)
    assert done.finding.who is who
    postfix.sign_in_attempts(mark)
    assert message_id not in postfix.log_since(mark)


async def test_a_sender_that_is_not_owned_is_named_though_the_recipient_is_refused(postfix: MailServer) -> None:
    """Postfix says so at RCPT; the finding is about the sender all the same."""
    mail, _ = letter(sender=ZOE.address)
    done = await ask(postfix, Security.STARTTLS, depth=Depth.SEND, mail=mail)
    assert done.row == (Stage.RCPT, Verdict.FAIL, "sender_not_allowed")
    assert done.finding.server_said.startswith("553 5.7.1")
    assert done.finding.who is Who.YOU


async def test_a_message_that_is_too_large_is_refused_before_it_is_sent(postfix: MailServer) -> None:
    mail, message_id = letter(body=b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 800)
    assert len(mail.content) > SIZE_LIMIT
    mark = postfix.mark()
    done = await ask(postfix, Security.STARTTLS, depth=Depth.SEND, mail=mail)
    assert done.row == (Stage.MAIL, Verdict.FAIL, "message_too_large")
    postfix.sign_in_attempts(mark)
    assert message_id not in postfix.log_since(mark)


async def test_without_sign_in_the_server_says_that_it_wants_one(postfix: MailServer) -> None:
    mark = postfix.mark()
    mail, _ = letter()
    done = await ask(postfix, Security.STARTTLS, depth=Depth.SEND, mail=mail, auth=Auth.NONE)
    assert done.row == (Stage.RCPT, Verdict.FAIL, "auth_missing")
    assert done.report.result(Stage.AUTH) is None
    assert postfix.sign_in_attempts(mark) == 0
