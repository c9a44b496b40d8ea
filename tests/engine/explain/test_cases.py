"""Reports that were once explained wrongly: each stands for a kind of text, and for what is right about it."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import pytest

from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.explain.error_context import AFTER, StageOrAfter
from smtp_wizard.engine.explain.explain import Explanation
from smtp_wizard.engine.explain.factory import load_explainer
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.smtp.symptom import Hints
from tests.support.rows import each_row

EXPLAINER = load_explainer(load_catalog())


@dataclass(frozen=True)
class Case:
    """What was pasted, and what an expert says."""

    name: str
    text: str
    cause: str
    who: tuple[Who, ...]
    stage: StageOrAfter | None = None
    host: str = ""
    port: int | None = None
    says: str = ""
    """What must stand in the answer."""

    def explain(self) -> Explanation:
        return EXPLAINER.explain_text(
            self.text, stage=self.stage, settings=Hints(host=shown(self.host), port=self.port)
        )


POSTFIX_LISTED = """\
From: MAILER-DAEMON@mail.firm.test
Subject: Undelivered Mail Returned to Sender
To: office@firm.test
Content-Type: multipart/report; boundary=b

--b
Content-Type: text/plain

This is the mail system at host mail.firm.test.

<ana@customer.test>: host mx.customer.test[192.0.2.10] said: 550-5.1.0 MXIN506
    MailFrom domain is listed in Spamhaus. (in reply to MAIL FROM command)

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.firm.test

Final-Recipient: rfc822; ana@customer.test
Action: failed
Status: 5.1.0
Remote-MTA: dns; mx.customer.test
Diagnostic-Code: smtp; 550-5.1.0 MXIN506 MailFrom domain is listed in Spamhaus.

--b--
"""
DELAY = """\
From: mailer-daemon@mail.host.test
To: office@firm.test
Subject: Mail Delivery Status Notification (Delay)
Date: Fri, 12 Dec 2025 03:49:58 -0800

This message was created automatically by mail delivery system.

THIS IS A WARNING MESSAGE ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE.

[Status: Error, Address: <ana@customer.test>, ResponseCode 421, , Host not reachable.]

Message will be retried for 4 more day(s)

Received:from mail.host.test
Content-Type:text/plain
"""
SIZE = """\
From: "Mail Delivery System" <mailer-daemon@host.test>
To: office@firm.test
Subject: Mail delivery failed: returning message to sender
Date: Thu, 29 Apr 2025 23:34:45 +0100

A message that you sent could not be delivered to one or more of
its recipients. This is a permanent error.

The following address failed:

ana@customer.test

For the following reason:

Mail size limit exceeded. For explanation visit
http://postmaster.host.test/en/error-messages?ip=%1s

--- The header of the original message is following. ---

Received: from mx.firm.test
"""
FORWARDED = """\
This is a system-generated message to inform you that your email could not
be delivered to one or more recipients. Details of the email and the error are as follows:

<ana@customer.test>: host mx1.forward.test[192.0.2.8] said: 550
   Error for ana@customer.test of "Invalid greeting. response=550 5.7.0
   Blocked - see https://list.test/?ip=192.0.2.8" (in reply to end of DATA command)
"""
REVOCATION = """\
MailKit.Security.SslHandshakeException: An error occurred while attempting to establish an SSL or TLS connection.

      The server's SSL certificate could not be validated for the following reasons:
        \u2022 unable to get certificate CRL

       ---> System.Security.Authentication.AuthenticationException: The remote certificate was rejected by the provided
 RemoteCertificateValidationCallback.
"""
JAVA = """\
javax.mail.MessagingException: Could not connect to SMTP host: smtp.gmail.com, port: 465;
  nested exception is:
\tjavax.net.ssl.SSLHandshakeException: No appropriate protocol (protocol is disabled or cipher suites are inappropriate)
\tat com.sun.mail.smtp.SMTPTransport.openServer(SMTPTransport.java:535)
"""
NEXTCLOUD = (
    'Jul 16 01:20:01 mail nextcloud[15196]: {"reqId":"wP9","level":4,"url":"/index.php/apps/mail/send","message":"'
    'Sending mail failed: Could not send message: Could not open secure TLS connection to the server.","x":1}'
)
ATTEMPTS = """\
Attempt 1 (port 25): Connection timed out (110)
Attempt 2 (port 587, STARTTLS):
220 smtp.firm.test ESMTP
250 STARTTLS
220 2.0.0 Ready to start TLS
535 5.7.8 Error: authentication failed: (reason unavailable)
"""
ENCODED = base64.encodebytes(
    b"From: MAILER-DAEMON@mail.firm.test\nTo: office@firm.test\nSubject: Undelivered Mail Returned to Sender\n\n"
    b"<ana@customer.test>: host mx.customer.test[192.0.2.9] said: 552 5.3.4 Message size exceeds fixed limit\n"
).decode()

CASES = (
    Case("domain on a list", POSTFIX_LISTED, "sending_ip_rejected", (Who.ADMIN,), AFTER, says="domain of the sender"),
    Case("notice of a delay", DELAY, "temporary_try_later", (Who.YOU,), AFTER, says="4 more day"),
    Case("size limit", SIZE, "message_too_large", (Who.YOU,), AFTER, says="ana@customer.test"),
    Case(
        "no direct mail from this range",
        "Delivery has failed permanently for your email to:\n\nana@customer.test\n\nError during the last"
        " delivery attempt:\n\n"
        "\tpermanent: 550 Unauthenticated mail not allowed from this range",
        "sending_ip_rejected",
        (Who.ADMIN,),
        AFTER,
    ),
    Case("a forwarder is not trusted", FORWARDED, "sending_ip_rejected", (Who.PROVIDER,), AFTER, says="forward"),
    Case(
        "the recipient's server denies relaying",
        "The remote server's response was:\n550 5.7.1 Relaying denied",
        "recipient_rejected",
        (Who.RECIPIENT,),
        AFTER,
    ),
    Case("revocation list", REVOCATION, "ca_bundle_missing", (Who.NETWORK,), says="certificate itself is fine"),
    Case(
        "a library without a password",
        "twisted.mail._except.AUTHRequiredError: 502 Server does not support Client Authentication schemes"
        " [LOGIN, PLAIN]",
        "auth_method_unavailable",
        (Who.YOU,),
    ),
    Case("an old library", JAVA, "tls_version_old", (Who.APP,)),
    Case(
        "a reply decides, not what a library calls it",
        "CMailFile::sendfile: sendMsg, HOST=ssl://smtp.firm.test, PORT=465\nResponse: 535 5.7.1 Authentication failed\n"
        "Error [130]: Invalid Authentication Credentials.",
        "bad_credentials",
        (Who.YOU,),
    ),
    Case(
        "the display of a device",
        "無法連接到SMTP服務器\nSSL協商失敗",
        "tls_version_old",
        (Who.APP, Who.HOST),
        host="smtp.office365.com",
    ),
    Case("keys of JSON", NEXTCLOUD, "tls_version_old", (Who.HOST,)),
    Case(
        "a program that hides the reply",
        "2026-07-05 20:31:20.055 WARNING (SyncWorker_1) [homeassistant.components.smtp.notify] SMTPException"
        " sending mail",
        "unknown",
        (Who.YOU, Who.APP),
        says="debug: true",
    ),
    Case(
        "a greeting of several lines",
        "SMTP Protocol Error: Server rejected EHLO command. Response: 220-We do not authorize the use of this system to"
        " transport unsolicited, 220 and/or bulk e-mail.",
        "unknown",
        (Who.APP,),
        says="greeting",
    ),
    Case("several attempts", ATTEMPTS, "bad_credentials", (Who.YOU,)),
    Case("a letter in base64", ENCODED, "message_too_large", (Who.YOU,), AFTER, says="ana@customer.test"),
)


@each_row("case", CASES, ids=lambda case: case.name)
def test_what_an_expert_says(case: Case) -> None:
    found = case.explain()
    assert found.cause == case.cause
    assert found.finding.who in case.who
    said = " ".join([found.finding.title, found.finding.explanation, *found.finding.steps])
    assert case.says in said


@pytest.mark.parametrize("letter", [POSTFIX_LISTED, DELAY, SIZE, FORWARDED])
def test_mail_that_came_back_names_the_address_and_is_not_tested_again(letter: str) -> None:
    finding = EXPLAINER.explain_text(letter).finding
    said = " ".join([finding.explanation, *finding.steps])
    assert "ana@customer.test" in said
    assert "est again" not in said
    assert "customer's record" in said


@pytest.mark.parametrize(
    ("address", "meant"), [("ana@gmial.com", "ana@gmail.com"), ("ana@firm.test", ""), ("", ""), ("ana@gmail.com", "")]
)
def test_a_misspelt_ending_is_offered_back(address: str, meant: str) -> None:
    text = (
        f"Final-Recipient: rfc822; {address}\nAction: failed\nStatus: 5.1.2\nDiagnostic-Code: smtp; 550 5.1.2"
        f" no such domain"
    )
    said = " ".join(EXPLAINER.explain_text(text).finding.steps)
    assert (f"Perhaps {meant} is meant" in said) is bool(meant)


def test_the_record_of_a_success_is_named_so() -> None:
    session = (
        "220 mx.test ESMTP\nEHLO me\n250 mx.test\nMAIL FROM:<a@b.test>\n250 ok\nRCPT TO:<c@d.test>\n250"
        " ok\nDATA\n354 go\n.\n250 2.0.0 Ok: queued as 4ABC\nQUIT\n221 bye"
    )
    found = EXPLAINER.explain_text(session)
    assert (found.cause, found.finding.code) == ("unknown", "log_of_success")
    assert "went well" in found.finding.title


def test_close_causes_are_told_with_what_tells_them_apart() -> None:
    found = EXPLAINER.explain_text("554 xyz", stage=Stage.DATA)
    assert found.cause == "content_rejected"
    assert found.confidence < 0.85
    assert [each.cause for each in found.alternatives] == ["sending_ip_rejected"]
    assert "plain words" in found.alternatives[0].tell


@pytest.mark.parametrize("text", ["535 5.7.8 Username and Password not accepted. mail.firm.test", "It does not work"])
def test_what_is_clear_or_unknown_has_no_alternatives(text: str) -> None:
    assert EXPLAINER.explain_text(text).alternatives == ()


def test_a_log_of_ones_own_server_that_reaches_nobody_is_no_returned_mail() -> None:
    line = (
        "Jan 12 10:11:13 mail postfix/smtp[9]: 1A2B3C: to=<a@else.test>, relay=none, delay=90, dsn=4.4.1, "
        "status=deferred (connect to mx.else.test[192.0.2.26]:25: Connection timed out)"
    )
    finding = EXPLAINER.explain_text(line).finding
    assert finding.code == "port_blocked"
    assert any("relayhost" in step for step in finding.steps)


def test_a_word_that_holds_a_providers_name_is_not_the_provider() -> None:
    assert EXPLAINER.explain_text("535 no, please contact the administrator").provider is None
