"""Access tokens and the challenge mechanisms against Postfix and Dovecot, with tokens of a real OAuth server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.target import TimeLimits
from smtp_wizard.engine.smtp.tls import Trust
from tests.realservers.oidc import (
    BEARER,
    CRAM,
    JWT,
    LARGE,
    MAIL,
    NO_MAIL,
    OPAQUE,
    SCRAM,
    TokenServer,
)
from tests.realservers.servers import ALICE, LOGINS, NAME, RECIPIENT, ZOE, Login, MailServer
from tests.realservers.test_engine import letter
from tests.support.checking import Checked, check

pytestmark = pytest.mark.real

BOTH_WAYS = pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
EACH_KIND = pytest.mark.parametrize("kind", [OPAQUE, JWT, LARGE])
BOTH_MECHANISMS = pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])


async def ask(server: MailServer, security: Security, secret: str, login: Login = ALICE, **options: Any) -> Checked:
    """Check a server as somebody who has a mailbox there; `options` as those of `checking.check`."""
    port = server.tls_port if security is Security.TLS else server.starttls_port
    done = await check(
        Endpoint(NAME, port, security),
        username=login.address,
        secret=Secret(secret),
        trust=Trust(str(server.ca_file)),
        limits=TimeLimits(),
        **options,
    )
    assert secret not in done.everything
    return done


def serving(servers: Mapping[str, MailServer], kind: str, mechanism: str) -> MailServer:
    """The server that takes this kind of token, and where both are offered takes it by the older mechanism."""
    return servers[kind if mechanism == "XOAUTH2" else BEARER[kind]]


@BOTH_WAYS
@EACH_KIND
@BOTH_MECHANISMS
async def test_a_good_token_signs_in(
    oauth: TokenServer, token_mail: Mapping[str, MailServer], security: Security, kind: str, mechanism: str
) -> None:
    token = oauth.sign_in(ALICE.address, client=kind).access
    done = await ask(serving(token_mail, kind, mechanism), security, token, auth=Auth.XOAUTH2)
    assert (done.verdict, done.report.mechanism) == (Verdict.PASS, mechanism)


@BOTH_WAYS
@BOTH_MECHANISMS
@pytest.mark.parametrize(
    ("kind", "wrong", "code"),
    [
        (OPAQUE, "spoilt", "oauth_token_invalid"),
        (OPAQUE, "revoked", "oauth_token_invalid"),
        (OPAQUE, "of another user", "oauth_token_invalid"),
        (OPAQUE, "without the scope", "oauth_token_invalid"),
        (JWT, "spoilt", "oauth_token_invalid"),
        (JWT, "of another user", "oauth_wrong_user"),
        (JWT, "without the scope", "oauth_token_invalid"),
    ],
)
async def test_a_bad_token_is_tried_once_and_told_apart_where_it_can_be(
    oauth: TokenServer,
    token_mail: Mapping[str, MailServer],
    security: Security,
    mechanism: str,
    kind: str,
    wrong: str,
    code: str,
) -> None:
    """Dovecot says the same of all of them. What is signed names its owner; where it allows nothing it has no scope."""
    login = ZOE if wrong == "of another user" else ALICE
    tokens = oauth.sign_in(login.address, client=kind, scope=NO_MAIL if wrong == "without the scope" else MAIL)
    if wrong == "revoked":
        oauth.revoke(tokens)
    server = serving(token_mail, kind, mechanism)
    mark = server.mark()
    token = tokens.access[:-4] + "AAAA" if wrong == "spoilt" else tokens.access
    done = await ask(server, security, token, auth=Auth.XOAUTH2)
    assert done.row == (Stage.AUTH, Verdict.FAIL, code)
    assert "(status: " in done.finding.server_said
    assert server.sign_in_attempts(mark) == 1


@pytest.mark.parametrize("kind", [OPAQUE, LARGE])
async def test_a_message_sent_with_a_token_arrives(
    oauth: TokenServer, token_mail: Mapping[str, MailServer], kind: str
) -> None:
    mail, message_id = letter()
    token = oauth.sign_in(ALICE.address, client=kind).access
    done = await ask(token_mail[kind], Security.STARTTLS, token, auth=Auth.XOAUTH2, depth=Depth.SEND, mail=mail)
    assert done.verdict is Verdict.PASS
    assert token_mail[kind].wait_for_message(RECIPIENT, message_id)["From"] == ALICE.address


async def test_a_refreshed_token_signs_in(oauth: TokenServer, token_mail: Mapping[str, MailServer]) -> None:
    tokens = oauth.sign_in(ALICE.address)
    for _ in range(3):
        tokens = oauth.refresh(tokens)
    done = await ask(token_mail[OPAQUE], Security.TLS, tokens.access, auth=Auth.XOAUTH2)
    assert done.verdict is Verdict.PASS


@BOTH_WAYS
@pytest.mark.parametrize("login", LOGINS, ids=lambda login: login.username)
@pytest.mark.parametrize(("kind", "mechanism"), [(SCRAM, "SCRAM-SHA-256"), (CRAM, "CRAM-MD5")])
async def test_a_password_signs_in_without_being_shown(
    token_mail: Mapping[str, MailServer], security: Security, login: Login, kind: str, mechanism: str
) -> None:
    done = await ask(token_mail[kind], security, login.password, login)
    assert (done.verdict, done.report.mechanism) == (Verdict.PASS, mechanism)


@pytest.mark.parametrize(("kind", "code"), [(SCRAM, "bad_credentials"), (CRAM, "cram_md5_only")])
async def test_a_wrong_password_is_tried_once(token_mail: Mapping[str, MailServer], kind: str, code: str) -> None:
    mark = token_mail[kind].mark()
    done = await ask(token_mail[kind], Security.STARTTLS, "not the password of anybody")
    assert done.row == (Stage.AUTH, Verdict.FAIL, code)
    assert token_mail[kind].sign_in_attempts(mark) == 1
