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
NO_NAME = """\
<<< 554-mx.customer.test ESMTP Service not available
<<< 554-No SMTP service
<<< 554-Bad DNS PTR resource record.
<<< 554 See http://postmaster.customer.test/blacklist
"""
OWN_EXIM = """\
    1 LOG: MAIN
    1   exim 4.96 daemon started: pid=1, listening for SMTP on port 25
    9 LOG: MAIN REJECT
    9   H=(localhost) [172.18.0.4] F=<app@firm.test> rejected RCPT <ana@customer.test>: relay not permitted
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
    Kind("Exchange in German, refused until it ran out", GERMAN, "recipient_server_down", Who.RECIPIENT),
    Kind("Exchange in French, not reached until it ran out", FRENCH, "recipient_server_down", Who.RECIPIENT),
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
    Kind("no name behind the address", NO_NAME, "sending_ip_rejected", Who.ADMIN),
    Kind("Gmail and a list", "550-5.7.1 likely unsolicited mail, blocked", "content_rejected", Who.ADMIN, "after"),
    Kind("one's own Exim and a container", OWN_EXIM, "auth_missing", Who.ADMIN),
    Kind(
        "a sender whose domain is empty",
        "SMTPRecipientsRefused: {'a@b.test': (504, '5.5.2 <x@False>: Sender address rejected: need fully-qualified"
        " address')}",
        "bad_address_format",
        Who.APP,
    ),
    Kind("an address that was taken out", "504 <x@example.com>: Sender address rejected", "sender_not_allowed"),
    Kind("NetEase's words", "(535, b'Error: authentication failed')", "bad_credentials", Who.YOU),
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


def said(text: str) -> str:
    """Everything that an answer says."""
    finding = EXPLAINER.explain_text(text).finding
    return "\n".join((finding.explanation, *finding.steps, finding.forward or ""))


@pytest.mark.parametrize(
    ("text", "step"),
    [
        (NO_NAME, "PTR"),
        ("550-5.7.1 likely unsolicited mail, blocked (in reply to end of DATA command)", "DMARC"),
        (OWN_EXIM, "relay_from_hosts"),
        ("(535, b'Error: authentication failed')", "authorization code"),
        ("Invalid login: 535 5.7.3 Authentication unsuccessful [A1.PROD.OUTLOOK.COM]", "SMTP.Send"),
    ],
)
def test_the_step_that_an_expert_names_is_there(text: str, step: str) -> None:
    assert step in said(text)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("smtplib: ConnectionRefusedError: [Errno 111] Connection refused", "there on the port in your settings."),
        ("smtplib: socket.gaierror: [Errno -2] Name or service not known", "does not know the name of the server."),
    ],
)
def test_a_sentence_is_whole_where_server_and_port_are_not_known(text: str, whole: str) -> None:
    assert whole in said(text)


def test_no_encryption_is_not_told_as_a_fact_where_the_text_does_not_say_so() -> None:
    assert "no encryption" not in said("SMTP server: greeting never received, connection timed out")


def test_the_words_of_a_person_are_not_told_as_the_servers() -> None:
    reported = "RCPT counts as failed unless the reply is exactly 250; 251 User not local; will forward gives an error"
    assert "The server said" not in said(reported)
    assert "see it?" not in said("```\n< 502 5.5.1 VRFY command is disabled\n```\nDo you see it?")


def test_the_address_that_was_written_to_is_named_not_one_within_the_recipients_servers() -> None:
    report = (
        "This is the mail system at host mx.customer.test.\n\nReporting-MTA: dns; mx.customer.test\n\n"
        "Final-Recipient: rfc822; ana@store.local\nOriginal-Recipient: rfc822;ana@customer.test\nAction: failed\n"
        "Status: 5.2.2\nDiagnostic-Code: x-unix; maildir over quota.\n"
    )
    answer = EXPLAINER.explain_text(report)
    assert [each.address for each in answer.recipients] == ["ana@customer.test"]
    assert answer.finding.title == "The recipient's mailbox is full"
    assert "store.local" not in said(report)
