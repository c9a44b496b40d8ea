"""The engine against Exim, which runs at most web hosts: the essentials once more, with a server of another mind."""

from __future__ import annotations

import pytest

from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.who import Who
from tests.realservers.servers import ALICE, LOGINS, RECIPIENT, REFUSED_RECIPIENT, SIZE_LIMIT, Login, MailServer
from tests.realservers.test_engine import BODY, BOTH_WAYS, WRONG, ask, delivered, letter

pytestmark = pytest.mark.real


@BOTH_WAYS
@pytest.mark.parametrize("login", LOGINS, ids=lambda login: str(login.username))
async def test_signing_in(exim: MailServer, security: Security, login: Login) -> None:
    mark = exim.mark()
    done = await ask(exim, security, login)
    assert done.verdict is Verdict.PASS
    assert login.password not in done.everything
    assert exim.sign_in_attempts(mark) == 1


@BOTH_WAYS
async def test_a_wrong_password_is_tried_once(exim: MailServer, security: Security) -> None:
    mark = exim.mark()
    done = await ask(exim, security, password=WRONG)
    assert done.row == (Stage.AUTH, Verdict.FAIL, "bad_credentials")
    assert done.finding.who is Who.YOU
    assert done.finding.server_said == "535 Incorrect authentication data"
    assert WRONG not in done.everything
    assert exim.sign_in_attempts(mark) == 1


async def test_exims_words_cannot_come_from_google(exim: MailServer) -> None:
    """A host that redirects outgoing mail to its own server answers in its place, and sees the password."""
    done = await ask(exim, Security.TLS, password=WRONG, provider="gmail")
    assert done.finding.code == "connection_intercepted"


@BOTH_WAYS
async def test_a_message_arrives_as_it_was_sent(exim: MailServer, security: Security) -> None:
    mail, message_id = letter(body=BODY)
    done = await ask(exim, security, depth=Depth.SEND, mail=mail)
    assert done.row == (Stage.DATA, Verdict.PASS, "")
    exim.wait_for_message(RECIPIENT, message_id)
    assert delivered(exim, message_id).rstrip(b"\n").endswith(mail.content.replace(b"\r\n", b"\n").rstrip(b"\n"))


async def test_a_recipient_that_is_refused(exim: MailServer) -> None:
    mail, message_id = letter(to=REFUSED_RECIPIENT)
    mark = exim.mark()
    done = await ask(exim, Security.STARTTLS, depth=Depth.SEND, mail=mail)
    assert done.row == (Stage.RCPT, Verdict.FAIL, "recipient_rejected")
    exim.sign_in_attempts(mark)
    assert message_id not in exim.log_since(mark)


async def test_a_message_that_is_too_large(exim: MailServer) -> None:
    mail, _ = letter(body=(b"y" * 70 + b"\r\n") * 800)
    assert len(mail.content) > SIZE_LIMIT
    done = await ask(exim, Security.STARTTLS, depth=Depth.SEND, mail=mail)
    assert done.row == (Stage.MAIL, Verdict.FAIL, "message_too_large")


async def test_the_whole_address_is_a_user_name_too(exim: MailServer) -> None:
    done = await ask(exim, Security.TLS, Login(ALICE.address, ALICE.password))
    assert done.verdict is Verdict.PASS
