"""The servers that other tests rely on do what is said of them. The standard library asks, not our own client."""

from __future__ import annotations

import base64
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import make_msgid

import pytest

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

pytestmark = pytest.mark.real

BOTH = pytest.mark.parametrize("server", ["postfix", "exim"], indirect=True)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> MailServer:
    """The server that the parameter names."""
    running = request.getfixturevalue(request.param)
    assert isinstance(running, MailServer)
    return running


@pytest.fixture(params=["starttls", "tls"])
def connection(request: pytest.FixtureRequest, server: MailServer) -> Iterator[smtplib.SMTP]:
    """An encrypted connection, made in either way."""
    with connected(server, request.param) as client:
        yield client


def connected(server: MailServer, security: str = "tls") -> smtplib.SMTP:
    """Connect, trusting the server's own authority only."""
    context = ssl.create_default_context(cafile=str(server.ca_file))
    if security == "tls":
        client: smtplib.SMTP = smtplib.SMTP_SSL(NAME, server.tls_port, context=context, local_hostname="client.test")
    else:
        client = smtplib.SMTP(NAME, server.starttls_port, local_hostname="client.test")
        client.starttls(context=context)
    client.ehlo()
    return client


def sign_in(client: smtplib.SMTP, username: str, password: str) -> int:
    """Sign in by AUTH PLAIN in UTF-8 (RFC 4616), which smtplib's own login cannot; return the reply's code."""
    blob = base64.b64encode(f"\0{username}\0{password}".encode()).decode()
    return client.docmd("AUTH", f"PLAIN {blob}")[0]


@BOTH
def test_no_sign_in_is_offered_before_encryption(server: MailServer) -> None:
    with smtplib.SMTP(NAME, server.starttls_port) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        assert not client.has_extn("auth")


@BOTH
def test_plain_and_login_are_offered_under_tls(connection: smtplib.SMTP) -> None:
    assert connection.esmtp_features["auth"].split() == ["PLAIN", "LOGIN"]
    assert connection.esmtp_features["size"] == str(SIZE_LIMIT)


@BOTH
@pytest.mark.parametrize("login", LOGINS, ids=lambda login: str(login.username))
def test_the_right_password_is_taken(connection: smtplib.SMTP, login: Login) -> None:
    assert sign_in(connection, login.username, login.password) == 235


@BOTH
def test_the_whole_address_is_a_user_name_too(connection: smtplib.SMTP) -> None:
    assert sign_in(connection, ALICE.address, ALICE.password) == 235


@BOTH
def test_a_wrong_password_is_refused_and_every_try_is_counted(server: MailServer) -> None:
    mark = server.mark()
    with connected(server) as client:
        assert sign_in(client, ALICE.username, "wrong") == 535
        assert sign_in(client, ZOE.username, "passwort") == 535
    with connected(server) as client:
        assert sign_in(client, ZOE.username, ZOE.password) == 235
    assert server.sign_in_attempts(mark, sessions=2) == 3


@BOTH
def test_a_connection_without_sign_in_counts_as_none(server: MailServer) -> None:
    mark = server.mark()
    with connected(server):
        pass
    assert server.sign_in_attempts(mark) == 0


@BOTH
def test_a_message_is_delivered_and_can_be_seen(server: MailServer, connection: smtplib.SMTP) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = ALICE.address, RECIPIENT, "Hällo"
    message["Message-ID"] = make_msgid(domain="client.test")
    message.set_content("It works.\n")
    sign_in(connection, ALICE.username, ALICE.password)
    assert connection.send_message(message) == {}
    arrived = server.wait_for_message(RECIPIENT, message["Message-ID"])
    assert arrived["Subject"] == "Hällo"
    assert arrived.get_content() == "It works.\n"


@BOTH
def test_an_unknown_recipient_is_refused(connection: smtplib.SMTP) -> None:
    sign_in(connection, ALICE.username, ALICE.password)
    connection.mail(ALICE.address)
    assert connection.rcpt(REFUSED_RECIPIENT)[0] == 550


@BOTH
def test_nothing_leaves_the_server(connection: smtplib.SMTP) -> None:
    sign_in(connection, ALICE.username, ALICE.password)
    connection.mail(ALICE.address)
    assert connection.rcpt("somebody@elsewhere.test")[0] == 550


@BOTH
def test_a_message_over_the_limit_is_refused(connection: smtplib.SMTP) -> None:
    sign_in(connection, ALICE.username, ALICE.password)
    assert connection.mail(ALICE.address, [f"SIZE={SIZE_LIMIT + 1}"])[0] == 552


@BOTH
def test_who_has_not_signed_in_is_refused(connection: smtplib.SMTP) -> None:
    connection.mail(ALICE.address)
    assert connection.rcpt(RECIPIENT)[0] in (550, 553, 554)


@pytest.mark.parametrize("server", ["postfix"], indirect=True)
def test_postfix_says_at_rcpt_that_the_sender_is_not_owned(connection: smtplib.SMTP) -> None:
    sign_in(connection, ALICE.username, ALICE.password)
    assert connection.mail(ZOE.address)[0] == 250
    code, words = connection.rcpt(RECIPIENT)
    assert code == 553
    assert b"not owned by user alice" in words


@pytest.mark.parametrize("server", ["postfix"], indirect=True)
@pytest.mark.parametrize(
    ("recipient", "expected"), [(FULL_RECIPIENT, (452, b"4.2.2")), (GREYLISTED_RECIPIENT, (450, b"4.2.0"))]
)
def test_postfix_refuses_for_now(connection: smtplib.SMTP, recipient: str, expected: tuple[int, bytes]) -> None:
    sign_in(connection, ALICE.username, ALICE.password)
    connection.mail(ALICE.address)
    code, words = connection.rcpt(recipient)
    assert (code, words.split()[0]) == expected
