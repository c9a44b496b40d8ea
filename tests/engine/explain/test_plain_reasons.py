"""Texts whose plain reason was once beaten by a keyword, or by the class of a code: each stands for its kind.

The texts are made up after reports that an expert graded; each names what an expert says of it.
"""

from __future__ import annotations

import pytest

from smtp_wizard.engine.base.who import Who
from tests.engine.explain.test_kinds import EXPLAINER, Kind, letter
from tests.support.rows import each_row

EXCHANGE = """\
{headline}

{server}: AM1.EURP1.PROD.OUTLOOK.COM
Receiving server: AM1.EURP1.PROD.OUTLOOK.COM
ana@customer.test
8/2/2025 1:23:09 PM - Server at AM1.EURP1.PROD.OUTLOOK.COM returned '{said}'
"""
REFUSED_LATE = "550 5.4.316 Message expired, connection refused(Socket error code 10061)"
NOT_REACHED = "550 5.4.300 Message expired -> 451 4.4.0 Unable to establish connection"
GERMAN = EXCHANGE.format(
    headline="Diagnoseinformationen für Administratoren:", server="Generierender Server", said=REFUSED_LATE
)
FRENCH = EXCHANGE.format(
    headline="Informations de diagnostic pour les administrateurs :", server="Serveur de génération", said=NOT_REACHED
)
AFTER_SIGN_IN = """\
< 235 2.7.0 Authentication successful
> VRFY ana@customer.test
< 502 5.5.1 VRFY command is disabled
* Command failed: 502
"""
OTHER_WAY = """\
Sent: EHLO [192.0.2.2]
Got: 250-smtp.protonmail.ch
Got: 250 AUTH PLAIN
Sent: AUTH LOGIN
Got: 535 5.7.8 Error: authentication failed: Invalid authentication mechanism
"""

KINDS = (
    Kind("no connection", "SMTP error: EHLO failed: Called EHLO without being connected", "port_blocked", Who.YOU),
    Kind("no connection, another word", "SMTP error: Called Mail() without being connected", "port_blocked", Who.YOU),
    Kind("a name that programs refuse", "550 5.7.1 HELO rejected: invalid name", "helo_rejected"),
    Kind(
        "an account past a limit",
        letter("550 5.7.1 The mailbox service over limit, mail blocked outside customer.test (in reply to RCPT TO)"),
        "recipient_rejected",
        Who.RECIPIENT,
    ),
    Kind("a pace past a limit", letter("450 4.7.1 Service over limit, at most 100 messages per hour"), "rate_limited"),
    Kind("Exchange in German, refused until it ran out", GERMAN, "wrong_host_or_port", Who.RECIPIENT),
    Kind("Exchange in French, not reached until it ran out", FRENCH, "server_silent", Who.RECIPIENT),
    Kind(
        "an address at Exchange that does not exist keeps its meaning",
        letter("550 5.4.1 Recipient address rejected: Access denied"),
        "recipient_rejected",
    ),
    Kind("a question after the sign-in", AFTER_SIGN_IN, "order_misread", Who.APP),
    Kind("offered PLAIN, used LOGIN", OTHER_WAY, "auth_method_unavailable", Who.APP),
    Kind("a mechanism", "535 5.7.8 Unsupported authentication mechanism: NTLM", "auth_method_unavailable", Who.APP),
    Kind(
        "Proton takes no mail there",
        "nodemailer: connect ETIMEDOUT, host: 'mail.protonmail.com', port: 587",
        "wrong_host_or_port",
        Who.YOU,
    ),
    Kind(
        "a yes that a program takes for a no",
        "RCPT counts as failed unless the reply is exactly 250, so 251 User not local; will forward is reported as an"
        " error",
        "success_misread",
        Who.APP,
    ),
)


@each_row("kind", KINDS, ids=lambda kind: kind.name)
def test_the_plain_reason_decides(kind: Kind) -> None:
    answer = EXPLAINER.explain_text(kind.text, stage=kind.stage)
    assert answer.finding.code == kind.code
    assert kind.who is None or answer.finding.who is kind.who


@pytest.mark.parametrize("text", [GERMAN, FRENCH])
def test_a_letter_of_exchange_is_known_in_other_languages(text: str) -> None:
    answer = EXPLAINER.explain_text(text)
    assert answer.bounced
    assert [each.address for each in answer.recipients] == ["ana@customer.test"]
