"""The sign-in as the checks go through it: what is said, what is found out, and what never goes on."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from scramp.core import Nonce

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from tests.support.checking import Checked, check
from tests.support.scripted import Client, ScriptedWire, Server, Step, Tls

MAIL = Endpoint("mail.example.test", 465, Security.TLS)
GREETING = Server(b"220 mail.example.test ESMTP\r\n")
EHLO = Client(b"EHLO [127.0.0.1]\r\n")
SIGNED_IN = Server(b"235 2.7.0 welcome\r\n")
REFUSED = Server(b"535 5.7.8 Error: authentication failed\r\n")
TOKEN = "ya29.a0AfB-secret.token"


def b64(text: str | bytes) -> bytes:
    return base64.b64encode(text.encode() if isinstance(text, str) else text)


def asks(challenge: str) -> Server:
    return Server(b"334 " + b64(challenge) + b"\r\n")


def says(answer: str) -> Client:
    return Client(b64(answer) + b"\r\n")


async def signed_in(offer: str, *steps: Step, **options: Any) -> Checked:
    """Sign in at a server that offers these mechanisms and then plays these steps, all of which must be played."""
    options.setdefault("username", "user")
    options.setdefault("secret", Secret("pencil"))
    offered = Server(f"250-mail.example.test\r\n250 AUTH {offer}\r\n".encode())
    wire = ScriptedWire([Tls(), GREETING, EHLO, offered, *steps])
    done = await check(MAIL, wire=wire, **options)
    wire.finished()
    return done


async def token_shown(offer: str, *steps: Step, token: str = TOKEN, **options: Any) -> Checked:
    """The same with an access token."""
    options.setdefault("username", "user@example.test")
    done = await signed_in(offer, *steps, secret=Secret(token), auth=Auth.XOAUTH2, **options)
    for form in (token, b64(token).decode(), b64(f"user=user@example.test\1auth=Bearer {token}\1\1").decode()):
        assert form.rstrip("=") not in done.everything
    return done


# --- SCRAM ---

NONCE = "rOprNGfwEbeRWgbNEkqO"
FIRST = Client(b"AUTH SCRAM-SHA-256 " + b64(f"n,,n=user,r={NONCE}") + b"\r\n")
SERVER_NONCE = f"{NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SALTED = asks(f"r={SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
PROOF = says(f"c=biws,r={SERVER_NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
PROVED = asks("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
EMPTY = Client(b"\r\n")


@pytest.fixture
def example_nonce(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every exchange that of RFC 7677 section 3: user, pencil, and this nonce."""
    monkeypatch.setattr(Nonce, "create", lambda: Nonce(NONCE))


@pytest.mark.usefixtures("example_nonce")
async def test_scram_goes_from_the_name_to_the_servers_proof_and_is_shown_nowhere() -> None:
    steps = [FIRST, SALTED, PROOF, PROVED, EMPTY, SIGNED_IN]
    done = await signed_in("SCRAM-SHA-256 CRAM-MD5", *steps)
    assert done.verdict is Verdict.PASS
    assert done.report.mechanism == "SCRAM-SHA-256"
    shown = [line for line in done.transcript if line.startswith(("C: AUTH", "C: *", "S: 334"))]
    assert shown == ["C: AUTH SCRAM-SHA-256 ********", *["S: 334 ********", "C: ********"] * 2]


@pytest.mark.usefixtures("example_nonce")
@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([asks(f"r={SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000")], "scram_rounds_refused"),
        ([asks(f"r={SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1")], "scram_rounds_refused"),
        ([asks("r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")], "server_unproven"),
        ([SIGNED_IN], "server_unproven"),
        ([SALTED, PROOF, SIGNED_IN], "server_unproven"),
        ([SALTED, PROOF, asks("v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")], "server_unproven"),
        ([SALTED, PROOF, asks("e=invalid-proof"), EMPTY, SIGNED_IN], "server_unproven"),
        ([SALTED, PROOF, asks("e=invalid-proof"), EMPTY, REFUSED], "bad_credentials"),
        ([SALTED, PROOF, REFUSED], "bad_credentials"),
        ([asks("x" * 2100)], "garbled_reply"),
        ([Server(b"334 " + b"A" * 5000)], "garbled_reply"),
        ([Server(b"334 not base64\r\n")], "garbled_reply"),
        ([SALTED, PROOF, PROVED, EMPTY, PROVED, Client(b"*\r\n"), PROVED], "garbled_reply"),
    ],
)
async def test_after_a_bad_scram_nothing_goes_on(steps: list[Step], code: str) -> None:
    done = await signed_in("SCRAM-SHA-256", FIRST, *steps, depth=Depth.SEND)
    assert done.row == (Stage.AUTH, Verdict.FAIL, code)
    assert not any("MAIL" in said for said in done.said)


# --- CRAM-MD5 ---


async def test_cram_md5_is_used_where_nothing_else_is_offered_and_a_refusal_of_it_proves_little() -> None:
    exchange = [Client(b"AUTH CRAM-MD5\r\n"), asks("<1@x>"), Client(re.compile(rb"[\w+/=]+\r\n"))]
    done = await signed_in("CRAM-MD5", *exchange, SIGNED_IN)
    assert (done.verdict, done.report.mechanism) == (Verdict.PASS, "CRAM-MD5")
    done = await signed_in("CRAM-MD5", *exchange, REFUSED)
    assert done.row == (Stage.AUTH, Verdict.FAIL, "cram_md5_only")
    assert done.finding.broadly == "bad_credentials"
    assert sum(said.startswith("AUTH") for said in done.said) == 1


# --- access tokens ---


async def test_a_short_token_goes_in_one_line_and_a_long_one_in_two_steps() -> None:
    message = f"user=user@example.test\1auth=Bearer {TOKEN}\1\1"
    done = await token_shown("XOAUTH2 OAUTHBEARER", Client(b"AUTH XOAUTH2 " + b64(message) + b"\r\n"), SIGNED_IN)
    assert (done.verdict, done.report.mechanism) == (Verdict.PASS, "XOAUTH2")
    long = "t" * 2700
    bearer = f"n,a=user@example.test,\1host=mail.example.test\1port=465\1auth=Bearer {long}\1\1"
    steps = [Client(b"AUTH OAUTHBEARER\r\n"), Server(b"334 \r\n"), says(bearer), SIGNED_IN]
    done = await token_shown("PLAIN OAUTHBEARER", *steps, token=long)
    assert (done.verdict, done.report.mechanism) == (Verdict.PASS, "OAUTHBEARER")
    assert [said for said in done.said if "AUTH" in said or "*" in said] == ["AUTH OAUTHBEARER", "********"]


@pytest.mark.parametrize(("mechanism", "dummy"), [("XOAUTH2", b"\r\n"), ("OAUTHBEARER", b"AQ==\r\n")])
async def test_what_the_server_says_in_json_is_told_in_words(mechanism: str, dummy: bytes) -> None:
    said = asks('{"status":"401","schemes":"bearer","scope":"https://mail.example.test/"}')
    done = await token_shown(mechanism, Client(re.compile(rb"AUTH \w+ [\w+/=]+\r\n")), said, Client(dummy), REFUSED)
    assert done.row == (Stage.AUTH, Verdict.FAIL, "oauth_token_invalid")
    assert done.finding.server_said == (
        "535 5.7.8 Error: authentication failed (status: 401, scope: https://mail.example.test/, schemes: bearer)"
    )
    assert "S: 334 ********" in done.transcript


def web_token(**claims: object) -> str:
    return f"eyJhbGciOiJSUzI1NiJ9.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.c2lnbmF0"


@pytest.mark.parametrize(
    ("claims", "json_said", "code"),
    [
        ({"exp": 1}, "{}", "oauth_token_expired"),
        ({"email": "other@example.test"}, "{}", "oauth_wrong_user"),
        ({"scp": "openid"}, "{}", "oauth_scope_missing"),
        ({}, '{"status":"insufficient_scope"}', "oauth_scope_missing"),
        ({}, '{"status":"invalid_token"}', "oauth_token_invalid"),
    ],
)
async def test_why_a_token_is_refused_is_found_out_where_it_can_be(
    claims: dict[str, object], json_said: str, code: str
) -> None:
    begun = Client(re.compile(rb"AUTH XOAUTH2 [\w+/=]+\r\n"))
    done = await token_shown("XOAUTH2", begun, asks(json_said), EMPTY, REFUSED, token=web_token(**claims))
    assert done.row == (Stage.AUTH, Verdict.FAIL, code)


async def test_a_server_out_of_order_says_nothing_about_the_token() -> None:
    begun = Client(re.compile(rb"AUTH XOAUTH2 [\w+/=]+\r\n"))
    busy = Server(b"454 4.7.0 Temporary authentication failure\r\n")
    done = await token_shown("XOAUTH2", begun, busy, token=web_token(exp=1))
    assert done.row == (Stage.AUTH, Verdict.FAIL, "server_fault")


async def test_a_token_is_shown_to_no_server_that_takes_only_passwords() -> None:
    done = await token_shown("PLAIN LOGIN SCRAM-SHA-256")
    assert done.row == (Stage.AUTH, Verdict.FAIL, "oauth_not_offered")
    assert not any(said.startswith("AUTH") for said in done.said)


async def test_a_password_is_shown_to_no_server_that_takes_only_tokens() -> None:
    done = await signed_in("XOAUTH2 OAUTHBEARER")
    assert done.row == (Stage.AUTH, Verdict.FAIL, "basic_auth_disabled")
    assert not any(said.startswith("AUTH") for said in done.said)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER"])
async def test_who_asks_without_end_is_answered_three_times_at_most(mechanism: str) -> None:
    answers = {"PLAIN": 0, "LOGIN": 2}.get(mechanism, 1)
    more = asks("more")
    line = Client(re.compile(rb"[\w+/=]*\r\n"))
    steps = [Client(re.compile(rb"AUTH .*\r\n")), *[more, line] * answers, more, Client(b"*\r\n"), more]
    auth = Auth.XOAUTH2 if "AUTH" in mechanism else Auth.PASSWORD
    done = await signed_in(mechanism, *steps, auth=auth)
    assert done.row == (Stage.AUTH, Verdict.FAIL, "garbled_reply")
