"""What a receiver says of a message's origin, in the forms of many servers, and in none."""

from __future__ import annotations

import time

import pytest

from smtp_wizard.engine.mailbox.arrival_states import AuthenticationState
from smtp_wizard.engine.mailbox.authentication_results import LONGEST, Authentication, read_authentication

P, F, N, U = AuthenticationState.PASS, AuthenticationState.FAIL, AuthenticationState.NONE, AuthenticationState.UNKNOWN


@pytest.mark.parametrize(
    ("field", "spf", "dkim", "dmarc"),
    [
        ("mx.example.net; spf=pass smtp.mailfrom=a.example; dkim=pass header.d=a.example; dmarc=pass", P, P, P),
        ("mx.example.net; dkim=pass header.i=@a.example; spf=softfail (sender ip is 192.0.2.1); dmarc=fail", F, P, F),
        (
            "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=a.example; dkim=none (message not signed);dmarc=none",
            P,
            N,
            N,
        ),
        ("mx.example.net; dkim=fail header.d=b.example; dkim=pass header.d=a.example;", U, P, U),
        ("mx.example.net 1; SPF = Pass; DKIM/1 = neutral; dmarc=temperror;", P, N, U),
        ("mx.example.net; none", U, U, U),
        ("spf=pass smtp.mailfrom=a.example; dkim=pass;dmarc=bestguesspass action=none header.from=a.example", P, P, N),
        ("mx.example.net; spf=pass smtp.helo=mx.a.example; spf=fail smtp.mailfrom=a.example", F, U, U),
        ("mx.example.net; spf=fail smtp.mailfrom=a.example; spf=pass smtp.helo=mx.a.example", F, U, U),
        ("mx.example.net; spf=pass smtp.helo=mx.a.example", P, U, U),
        ('mx.example.net; dmarc=fail reason="dkim=pass (spf=pass"; spf=fail', F, U, F),
        ("mx.example.net; dmarc=fail (a (dkim=pass) b)", U, U, F),
        ("mx.example.net; spf=pass (spf=fail dkim=fail is only a comment)", P, U, U),
        ("mx.example.net; iprev=pass; x-spf=pass; arc.dkim=pass", U, U, U),
        ("", U, U, U),
        ("(((((" * 200, U, U, U),
        ("\0\x1b[31m; spf=\u202epass", U, U, U),
    ],
)
def test_each_check_is_read_by_itself(
    field: str, spf: AuthenticationState, dkim: AuthenticationState, dmarc: AuthenticationState
) -> None:
    assert read_authentication([field]) == Authentication(spf=spf, dkim=dkim, dmarc=dmarc)


def test_only_the_receivers_own_field_counts() -> None:
    """It stands above what came with the message, which anybody may have written (RFC 8601 section 5)."""
    fields = ["mx.example.net; spf=fail", "mx.example.net; spf=pass; dkim=pass; dmarc=pass"]
    assert read_authentication(fields) == Authentication(spf=F)
    assert not read_authentication([]).known


def test_a_field_of_any_length_is_read_at_once() -> None:
    began = time.process_time()
    read_authentication(["spf=" * 1_000_000])
    read_authentication(["(" * LONGEST])
    assert time.process_time() - began < 0.5
