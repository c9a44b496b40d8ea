"""Sign-in exchanges, octet by octet."""

from __future__ import annotations

import base64

import pytest

from smtp_wizard.engine import sasl
from smtp_wizard.engine.model import Secret
from smtp_wizard.engine.smtp import SmtpError
from smtp_wizard.engine.symptom import Fault


def test_of_the_mechanisms_plain_comes_before_login_and_nothing_else_is_used() -> None:
    assert sasl.choose_mechanism(("CRAM-MD5", "LOGIN", "PLAIN")) == "PLAIN"
    assert sasl.choose_mechanism(("XOAUTH2", "LOGIN")) == "LOGIN"
    assert sasl.choose_mechanism(("CRAM-MD5",)) is None


def test_plain_is_what_rfc_4616_says_in_utf_8() -> None:
    command = sasl.begin("PLAIN", "ana", Secret("pässwörd€")).start()
    assert base64.b64decode(command.data.split()[2]) == b"\0ana\0" + "pässwörd€".encode()
    assert command.shown == "AUTH PLAIN ********"
    assert "AUTH PLAIN ********" in repr(command)


def test_plain_goes_in_two_steps_where_the_line_would_be_too_long() -> None:
    exchange = sasl.begin("PLAIN", "ana", Secret("x" * 600))
    assert exchange.start().data == b"AUTH PLAIN\r\n"
    answer = exchange.answer()
    assert answer is not None
    assert base64.b64decode(answer.data) == b"\0ana\0" + b"x" * 600
    assert answer.shown == "********"
    assert exchange.answer() is None


def test_login_answers_name_then_password() -> None:
    exchange = sasl.begin("LOGIN", "ana", Secret("secret"))
    assert exchange.start().data == b"AUTH LOGIN\r\n"
    said = [exchange.answer(), exchange.answer(), exchange.answer()]
    assert [base64.b64decode(each.data) for each in said if each] == [b"ana", b"secret"]
    assert said[2] is None


@pytest.mark.parametrize(("username", "password"), [("ana", ""), ("ana", "a\0b"), ("a\0na", "x")])
def test_what_sasl_cannot_carry_is_refused_before_anything_is_sent(username: str, password: str) -> None:
    with pytest.raises(SmtpError) as caught:
        sasl.begin("PLAIN", username, Secret(password))
    assert caught.value.fault is Fault.UNUSABLE_SECRET
