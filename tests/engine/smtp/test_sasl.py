"""Sign-in exchanges, octet by octet: against the examples of the RFCs, against smtplib, and against a SCRAM server."""

from __future__ import annotations

import base64
import contextlib
import json
import smtplib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scramp import ScramClient, ScramException, ScramMechanism

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.smtp import sasl
from smtp_wizard.engine.smtp.masking import MASK
from smtp_wizard.engine.smtp.protocol import Command, SmtpError
from smtp_wizard.engine.smtp.symptom import Fault

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def plain(command: Command | None) -> str:
    """What an answer holds, decoded; the AUTH command without its first two words."""
    assert command is not None
    word = command.data.removesuffix(b"\r\n").split(b" ")[-1]
    return base64.b64decode(word, validate=True).decode()


@pytest.mark.parametrize(
    ("offered", "used"),
    [
        ("CRAM-MD5 SCRAM-SHA-256 LOGIN PLAIN", "PLAIN"),
        ("XOAUTH2 SCRAM-SHA-256 LOGIN", "LOGIN"),
        ("CRAM-MD5 SCRAM-SHA-256", "SCRAM-SHA-256"),
        ("DIGEST-MD5 CRAM-MD5", "CRAM-MD5"),
        ("GSSAPI NTLM SCRAM-SHA-1", None),
    ],
)
def test_of_the_mechanisms_for_passwords_the_one_that_every_server_can_check_comes_first(
    offered: str, used: str | None
) -> None:
    assert sasl.choose_mechanism(offered.split()) == used


def test_a_token_is_never_sent_as_a_password() -> None:
    assert sasl.choose_mechanism(("PLAIN", "OAUTHBEARER", "XOAUTH2"), Auth.XOAUTH2) == "XOAUTH2"
    assert sasl.choose_mechanism(("PLAIN", "OAUTHBEARER"), Auth.XOAUTH2) == "OAUTHBEARER"
    assert sasl.choose_mechanism(("PLAIN", "LOGIN"), Auth.XOAUTH2) is None
    assert sasl.choose_mechanism(("XOAUTH2",)) is None


def test_plain_is_what_rfc_4616_says_in_utf_8() -> None:
    command = sasl.begin_exchange("PLAIN", "ana", Secret("pässwörd€")).start()
    assert base64.b64decode(command.data.split()[2]) == b"\0ana\0" + "pässwörd€".encode()
    assert command.shown == "AUTH PLAIN ********"
    assert "AUTH PLAIN ********" in repr(command)


def test_plain_goes_in_two_steps_where_the_line_would_be_too_long() -> None:
    exchange = sasl.begin_exchange("PLAIN", "ana", Secret("x" * 600))
    assert exchange.start().data == b"AUTH PLAIN\r\n"
    answer = exchange.answer("")
    assert answer is not None
    assert base64.b64decode(answer.data) == b"\0ana\0" + b"x" * 600
    assert answer.shown == "********"
    assert exchange.answer("") is None


def test_login_answers_name_then_password() -> None:
    exchange = sasl.begin_exchange("LOGIN", "ana", Secret("secret"))
    assert exchange.start().data == b"AUTH LOGIN\r\n"
    said = [exchange.answer(""), exchange.answer(""), exchange.answer("")]
    assert [base64.b64decode(each.data) for each in said if each] == [b"ana", b"secret"]
    assert said[2] is None


@pytest.mark.parametrize(("username", "password"), [("ana", ""), ("ana", "a\0b"), ("a\0na", "x")])
def test_what_sasl_cannot_carry_is_refused_before_anything_is_sent(username: str, password: str) -> None:
    with pytest.raises(SmtpError) as caught:
        sasl.begin_exchange("PLAIN", username, Secret(password))
    assert caught.value.fault is Fault.UNUSABLE_SECRET


@pytest.mark.parametrize("mechanism", [*sasl.PASSWORD_MECHANISMS, *sasl.TOKEN_MECHANISMS])
def test_nothing_of_an_exchange_is_shown(mechanism: str) -> None:
    exchange = sasl.begin_exchange(mechanism, "ana", Secret("correct-horse"))
    shown = exchange.start().shown
    assert shown in (f"AUTH {mechanism}", f"AUTH {mechanism} {MASK}")
    if mechanism != "SCRAM-SHA-256" and (answer := exchange.answer(b64("challenge"))) is not None:
        assert (answer.shown, repr(answer)) == (MASK, f"Command({MASK!r})")


def test_a_mechanism_that_is_not_ours_is_no_mechanism() -> None:
    with pytest.raises(ValueError, match="GSSAPI"):
        sasl.begin_exchange("GSSAPI", "ana", Secret("x"))


# --- CRAM-MD5 ---


def test_cram_md5_is_the_example_of_rfc_2195() -> None:
    exchange = sasl.begin_exchange("CRAM-MD5", "tim", Secret("tanstaaftanstaaf"))
    assert exchange.start().data == b"AUTH CRAM-MD5\r\n"
    answer = exchange.answer("PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+")
    assert plain(answer) == "tim b913a602c7eda7a495b4e6e7334d3890"
    assert exchange.answer(b64("once more")) is None
    assert exchange.facts == {"mechanism": "CRAM-MD5"}


@given(
    st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1, max_size=100),
    st.binary(min_size=1, max_size=200),
)
def test_cram_md5_is_what_the_standard_library_makes_of_it(password: str, challenge: bytes) -> None:
    oracle = smtplib.SMTP()
    oracle.user, oracle.password = "ana", password
    exchange = sasl.begin_exchange("CRAM-MD5", "ana", Secret(password))
    exchange.start()
    assert plain(exchange.answer(b64(challenge))) == oracle.auth_cram_md5(challenge)


# --- SCRAM-SHA-256 ---

RFC_7677_NONCE = "rOprNGfwEbeRWgbNEkqO"
RFC_7677_FIRST = f"r={RFC_7677_NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
RFC_7677_FINAL = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def scram_example() -> sasl.Exchange:
    """The client of the example of RFC 7677 section 3, which has said its first message."""
    exchange = sasl._scram("user", "pencil", RFC_7677_NONCE)
    assert plain(exchange.start()) == f"n,,n=user,r={RFC_7677_NONCE}"
    return exchange


def test_scram_is_the_example_of_rfc_7677() -> None:
    exchange = scram_example()
    assert plain(exchange.answer(b64(RFC_7677_FIRST))) == (
        f"c=biws,r={RFC_7677_NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert plain(exchange.answer(b64(RFC_7677_FINAL))) == ""
    exchange.accepted()
    assert exchange.answer(b64("more")) is None


@pytest.mark.parametrize(
    "final", ["v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "v=", "v=!", "", "nothing", "v=6rri"]
)
def test_a_server_whose_proof_is_wrong_is_an_impostor(final: str) -> None:
    exchange = scram_example()
    exchange.answer(b64(RFC_7677_FIRST))
    with pytest.raises(SmtpError) as caught:
        exchange.answer(b64(final))
    assert caught.value.fault is Fault.IMPOSTOR


@pytest.mark.parametrize("finals", [[], ["e=invalid-proof"]])
def test_a_server_that_lets_us_in_without_a_proof_is_an_impostor(finals: list[str]) -> None:
    exchange = scram_example()
    exchange.answer(b64(RFC_7677_FIRST))
    for final in finals:
        assert plain(exchange.answer(b64(final))) == ""
    with pytest.raises(SmtpError) as caught:
        exchange.accepted()
    assert caught.value.fault is Fault.IMPOSTOR


@pytest.mark.parametrize("rounds", ["2000000000", "600001", "4095", "1", "0", "9" * 1500])
def test_rounds_out_of_bounds_are_refused_before_anything_is_computed(
    rounds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scramp.core.hi", lambda *_: pytest.fail("it was computed"))
    exchange = scram_example()
    with pytest.raises(SmtpError) as caught:
        exchange.answer(b64(RFC_7677_FIRST.replace("i=4096", f"i={rounds}")))
    assert caught.value.fault is Fault.ROUNDS
    assert len(caught.value.words) < 80


@pytest.mark.parametrize("nonce", ["someoneelses", RFC_7677_NONCE, RFC_7677_NONCE[:-1] + "x123", ""])
def test_an_answer_to_another_sign_in_is_refused(nonce: str) -> None:
    exchange = scram_example()
    with pytest.raises(SmtpError) as caught:
        exchange.answer(b64(f"r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"))
    assert caught.value.fault is Fault.IMPOSTOR


@pytest.mark.parametrize(
    "challenge",
    ["not base64!", "é", b64("x" * 3000), b64(""), b64("i=4096"), b64(b"\xff\xfe"), b64("r"), b64("e=other-error")],
)
def test_a_challenge_that_makes_no_sense_is_garbled(challenge: str) -> None:
    exchange = scram_example()
    with pytest.raises(SmtpError) as caught:
        exchange.answer(challenge)
    assert caught.value.fault is Fault.GARBLED


@given(st.lists(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(b64)), max_size=4), st.booleans())
def test_no_challenge_brings_a_mechanism_down(challenges: list[str], big: bool) -> None:
    for mechanism in (*sasl.PASSWORD_MECHANISMS, *sasl.TOKEN_MECHANISMS):
        exchange = sasl.begin_exchange(mechanism, "ana", Secret("x" * (600 if big else 6)))
        exchange.start()
        answers = 0
        with contextlib.suppress(SmtpError):
            while answers < len(challenges) and exchange.answer(challenges[answers]) is not None:
                answers += 1
        assert answers <= 3, "whoever asks without end is answered without end"


@given(
    st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=20),
    st.text(st.characters(codec="utf-8", categories=("Lu", "Ll", "Nd", "P")), min_size=1, max_size=20),
)
def test_a_scram_server_lets_us_in_with_the_password_and_not_with_another(username: str, password: str) -> None:
    mechanism = ScramMechanism("SCRAM-SHA-256")
    try:
        exchange = sasl.begin_exchange("SCRAM-SHA-256", username, Secret(password))
    except SmtpError:
        with pytest.raises(ScramException):  # what SASLprep does not allow
            ScramClient(["SCRAM-SHA-256"], username, password)
        return
    known = mechanism.make_auth_info(password, iteration_count=4096)
    server = mechanism.make_server(lambda _: known)
    server.set_client_first(plain(exchange.start()))
    server.set_client_final(plain(exchange.answer(b64(server.get_server_first()))))
    assert plain(exchange.answer(b64(server.get_server_final()))) == ""
    exchange.accepted()


def test_a_long_name_goes_in_a_step_of_its_own() -> None:
    exchange = sasl.begin_exchange("SCRAM-SHA-256", "a" * 600, Secret("pencil"))
    assert exchange.start().data == b"AUTH SCRAM-SHA-256\r\n"
    assert plain(exchange.answer("")).startswith("n,,n=aaaa")


def test_what_saslprep_forbids_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(SmtpError) as caught:
        sasl.begin_exchange("SCRAM-SHA-256", "ana", Secret("pencil\x07"))
    assert caught.value.fault is Fault.UNUSABLE_SECRET
    assert caught.value.__cause__ is None


# --- access tokens ---

MAIL = Endpoint("server.example.com", 587, Security.STARTTLS)


def test_oauthbearer_is_the_example_of_rfc_7628() -> None:
    token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
    exchange = sasl.begin_exchange("OAUTHBEARER", "user@example.com", Secret(token), endpoint=MAIL)
    assert plain(exchange.start()) == (
        f"n,a=user@example.com,\1host=server.example.com\1port=587\1auth=Bearer {token}\1\1"
    )
    refused = exchange.answer(
        "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIiwib3BlbmlkLWNvbmZpZ3VyYXRpb24iOiJodHRwczovL"
        "2V4YW1wbGUuY29tLy53ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0="
    )
    assert refused is not None
    assert refused.data == b"AQ==\r\n"
    assert exchange.added == (
        "status: invalid_token, scope: example_scope, "
        "openid-configuration: https://example.com/.well-known/openid-configuration"
    )
    assert exchange.answer("") is None


def test_xoauth2_is_the_example_of_its_inventor() -> None:
    token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
    exchange = sasl.begin_exchange("XOAUTH2", "someuser@example.com", Secret(token))
    assert exchange.start().data == (
        b"AUTH XOAUTH2 dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1s"
        b"emRHRXVZMjl0Q2cBAQ==\r\n"
    )
    refused = exchange.answer(b64('{"status":"401","schemes":"bearer","scope":"https://mail.example.com/"}'))
    assert refused is not None
    assert refused.data == b"\r\n"
    assert exchange.added == "status: 401, scope: https://mail.example.com/, schemes: bearer"


def test_names_are_written_as_rfc_5801_says() -> None:
    exchange = sasl.begin_exchange("OAUTHBEARER", "a=b,c", Secret("t"))
    assert plain(exchange.start()).startswith("n,a=a=3Db=2Cc,\1auth=")


@pytest.mark.parametrize("mechanism", sasl.TOKEN_MECHANISMS)
def test_a_line_is_never_longer_than_512_octets(mechanism: str) -> None:
    seen = set()
    for size in range(200, 500):
        command = sasl.begin_exchange(mechanism, "ana", Secret("x" * size), endpoint=MAIL).start()
        assert len(command.data) <= 512
        seen.add(b" " in command.data[5:])
    assert seen == {True, False}
    exchange = sasl.begin_exchange(mechanism, "ana", Secret("x" * 2700))
    assert exchange.start().data == f"AUTH {mechanism}\r\n".encode()
    assert "x" * 2700 in plain(exchange.answer(""))


@pytest.mark.parametrize("token", ["a b", "a\1b", "a\nb", "tökén", ""])
def test_what_is_no_token_is_refused_before_anything_is_sent(token: str) -> None:
    with pytest.raises(SmtpError) as caught:
        sasl.begin_exchange("XOAUTH2", "ana", Secret(token))
    assert caught.value.fault is Fault.UNUSABLE_SECRET


@pytest.mark.parametrize(
    "said",
    [
        "not base64!",
        b64("no json"),
        b64("[]"),
        b64('"text"'),
        b64("[" * 1500),
        b64('{"status": {"a": 1}, "scope": null}'),
        b64('{"x": "' + "y" * 3000 + '"}'),
        "",
    ],
)
def test_json_that_is_none_is_answered_and_not_shown(said: str) -> None:
    exchange = sasl.begin_exchange("XOAUTH2", "ana", Secret("token-token"))
    exchange.start()
    assert plain(exchange.answer(said)) == ""
    assert exchange.added == ""


def test_what_the_server_says_in_json_is_bounded_cleaned_and_masked() -> None:
    exchange = sasl.begin_exchange("XOAUTH2", "ana", Secret("ya29.secret-token"))
    exchange.start()
    exchange.answer(b64(json.dumps({"status": "401\x1b[2J", "error_description": "ya29.secret-token " + "z" * 900})))
    assert "\x1b" not in exchange.added
    assert "secret-token" not in exchange.added
    assert len(exchange.added) <= 300


@pytest.mark.parametrize("said", ['{"status":"insufficient_scope"}', '{"error":"invalid_scope","status":"400"}'])
def test_a_server_that_names_the_scope_is_understood(said: str) -> None:
    exchange = sasl.begin_exchange("OAUTHBEARER", "ana", Secret("token"))
    exchange.start()
    exchange.answer(b64(said))
    assert exchange.facts == {"token": "no-scope"}


def web_token(**claims: object) -> str:
    parts = (json.dumps({"alg": "RS256"}), json.dumps(claims), "signature")
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


LATER = NOW.timestamp() + 60


@pytest.mark.parametrize(
    ("token", "trouble"),
    [
        (web_token(exp=NOW.timestamp(), upn="bob@example.test"), "expired"),
        (web_token(exp=LATER, upn="bob@example.test", scp="SMTP.Send"), "other-user"),
        (web_token(exp=LATER, upn="Ana@Example.test", scp="User.Read profile"), "no-scope"),
        (web_token(exp=LATER, upn="Ana@Example.test", scp="User.Read SMTP.Send"), ""),
        (web_token(exp=LATER, email="ana@example.test", scope=["openid", "https://mail.example/"]), ""),
        (web_token(scope=["openid"]), "no-scope"),
        (web_token(exp=LATER, aud="https://graph.microsoft.com/", scp="Mail.Send"), "other-service"),
        (web_token(exp=LATER, aud="00000003-0000-0000-c000-000000000000"), "other-service"),
        (web_token(exp=LATER, aud="https://outlook.office.com", roles=["SMTP.SendAsApp"]), "no-user"),
        (web_token(exp=LATER, aud="https://outlook.office.com", upn="ana@example.test", scp="SMTP.Send"), ""),
        (web_token(exp="soon", upn=7, scp=8), ""),
        ("a.b.c", ""),
        ("a.W10.c", ""),
        ("opaque", ""),
    ],
)
def test_a_token_that_can_be_read_says_why_it_was_refused(token: str, trouble: str) -> None:
    assert sasl.token_trouble(token, "ana@example.test", NOW) == trouble
    exchange = sasl.begin_exchange("XOAUTH2", "ana@example.test", Secret(token), now=NOW)
    assert exchange.facts == ({"token": trouble} if trouble else {})
