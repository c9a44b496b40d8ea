"""Texts that were once explained wrongly, by kinds: who spoke, whose part does not work, what is no word of a server.

The texts are made up or shortened; each stands for others of its kind.
"""

from __future__ import annotations

from smtp_wizard.engine.base.who import Who
from tests.engine.explain.test_kinds import EXPLAINER, Kind, letter
from tests.support.rows import each_row

MAILSO = """\
[11:22:02.990][2fff2f7c] SMTP[DATA]: < 250 CHUNKING\\r\\n
[11:22:02.990][2fff2f7c] SMTP[DATA]: > MAIL FROM:<ana@firm.test>\\r\\n
[11:22:02.990][2fff2f7c] SMTP[DATA]: < 250 2.1.0 Ok\\r\\n
[11:22:02.990][2fff2f7c] SMTP[DATA]: > RCPT TO:<ben@customer.test>\\r\\n
[11:22:02.990][2fff2f7c] SMTP[DATA]: < 250 2.1.5 Ok\\r\\n
[11:22:02.990][2fff2f7c] SMTP[DATA]: > DATA\\r\\n
[11:22:02.990][2fff2f7c] SMTP[DATA]: < 354 End data\\r\\n
[11:22:02.990][2fff2f7c] SMTP[DATA]: > .\\r\\n
[11:22:02.990][2fff2f7c] SMTP[DATA]: < 554 5.7.1 <END-OF-MESSAGE>: End-of-data rejected: ben@customer.test. No.\\r\\n
"""
MASKED_GREETING = """\
 DEBUG [pUzDNyFoiLg] S: 220 ************************************
 DEBUG [pUzDNyFoiLg] C: EHLO [127.0.0.1]
 DEBUG [pUzDNyFoiLg] S: 250-smtp.firm.test Hello
 DEBUG [pUzDNyFoiLg] S: 250 HELP
 DEBUG [pUzDNyFoiLg] C: AUTH PLAIN AXXXXXXX==
 DEBUG [pUzDNyFoiLg] S: 503 AUTH command used when not advertised
"""
GAVE_UP = """\
CLIENT -> SERVER: EHLO laptop
SERVER -> CLIENT: 250-mail.firm.test
SERVER -> CLIENT: 250 STARTTLS
CLIENT -> SERVER: STARTTLS
SERVER -> CLIENT: 220 2.0.0 ready
CLIENT -> SERVER: EHLO laptop
SERVER -> CLIENT: 250-mail.firm.test
SERVER -> CLIENT: 250 AUTH LOGIN XOAUTH2
CLIENT -> SERVER: QUIT
SERVER -> CLIENT: 221 2.0.0 bye
"""
NO_STARTTLS = """\
smtp-1    | 2025-11-04 07:51:00 +0000 DEBUG  <= EHLO laptop
smtp-1    | 2025-11-04 07:51:00 +0000 DEBUG  => 250-My capabilities are
smtp-1    | 2025-11-04 07:51:00 +0000 DEBUG  => 250 AUTH CRAM-MD5 PLAIN LOGIN
smtp-1    | 2025-11-04 07:51:00 +0000 DEBUG  <= QUIT
smtp-1    | 2025-11-04 07:51:00 +0000 DEBUG  => 221 Closing Connection
"""
PHPMAILER_5 = """\
SMTP -> FROM SERVER:220 mail.firm.test ESMTP
SMTP -> FROM SERVER: 250-mail.firm.test 250-STARTTLS 250 AUTH LOGIN PLAIN
SMTP -> ERROR: AUTH not accepted from server: 530 5.7.7 Email sending without SSL/TLS encryption is not allowed.
SMTP -> ERROR: RSET failed:
The following From address failed: info@firm.test : Called Mail() without being connected
"""
TWO_WAYS = """\
check --hostname=smtp.firm.test --port=587
SSL connect attempt failed error:140770FC:SSL routines:SSL23_GET_SERVER_HELLO:unknown protocol
As you can see it works so:
openssl s_client -connect smtp.firm.test:587 -starttls smtp
CONNECTED(00000003)
---
Certificate chain
 0 s:/CN=smtp.firm.test
"""
NET_MAIL = """\
Server does not support secure connections.
The SMTP server requires a secure connection or the client was not authenticated. The server response was: 5.7.0 Must
issue a STARTTLS command first. p10sm48772886gvf.28
"""
SENT_ALL_THE_SAME = (
    "I get { [Error: timedout while connecting to smtp server] code: 4 } whereas the e-mail is sent; the debug says"
    " 250 ok 1452602503 qp 28035"
)
WEB_HOST = (
    "unable to connect to smtp.gmail.com:465 (Network is unreachable)"
    " [/home/ana/public_html/mail/class.smtp.php line 2]"
)
APPLICATION_TOKEN = (
    "I get the token through the client_credentials flow, and then MailKit says: 535: 5.7.3 Authentication unsuccessful"
    " [VI1PR09.eurprd09.prod.outlook.com]"
)
PORT_25 = """\
mx.customer.test (8 recipients)
  8: connect to mx.customer.test[192.0.2.5]:25: Connection timed out
  1: conversation with mx.else.test[192.0.2.6] timed out while receiving the initial server greeting
"""
NO_CIPHER = (
    "postfix/smtpd[7]: warning: TLS library problem: error:1417A0C1:SSL"
    " routines:tls_post_process_client_hello:no shared cipher"
)
QUOTED = (
    'hard bounced: "bounced (host mx.customer.test[192.0.2.9] said: 550 Envelope blocked - User Entry'
    ' (in reply to RCPT TO command))"'
)
KINDS = (
    # Sessions that were not read.
    Kind("RainLoop", MAILSO, "content_rejected", Who.ADMIN),
    Kind(
        "nobody signed in",
        MAILSO[: MAILSO.index("RCPT TO")]
        + "RCPT TO:<b@c.test>\\r\\n\n[11:22:02.990][2fff2f7c] SMTP[DATA]: < 554 5.7.1 <b@c.test>: Recipient address"
        " rejected: Access denied\\r\\n",
        "auth_missing",
        Who.YOU,
    ),
    Kind("a greeting that somebody hid", MASKED_GREETING, "auth_method_unavailable"),
    Kind("a program that gives up", GAVE_UP, "program_gave_up", Who.YOU),
    Kind("no STARTTLS, in the log of the server", NO_STARTTLS, "starttls_not_offered", Who.ADMIN),
    Kind("PHPMailer 5", PHPMAILER_5, "starttls_required", Who.YOU),
    Kind("what another server said, in a person's sentence", QUOTED, "sender_not_allowed", Who.RECIPIENT),
    # Words that are nobody's complaint.
    Kind("a heading of openssl", TWO_WAYS, "tls_use_starttls"),
    Kind(
        "one's own name",
        "Reverse resolve for 192.0.2.1: Timeout\nsmtp: connect ECONNREFUSED 192.0.2.9:25",
        "wrong_host_or_port",
    ),
    Kind(
        "the folder of spam",
        "The mail is never delivered, not in the inbox, not in the spam folder. I use PHP.",
        "reply_hidden",
    ),
    Kind(
        "a header",
        "Send error. Expected response code 250 but got an empty response. Message-ID: a-1@firm.test",
        "server_closed",
    ),
    Kind(
        "mail from, in prose",
        "we send mail from Swift, it says 554-Reject due to policy restrictions. see help?c=hd",
        "content_rejected",
    ),
    Kind(
        "the code of a web request",
        '{ "code": 422, "message": "SMTP Error: Could not authenticate." }',
        "bad_credentials",
    ),
    Kind("a gateway's code", "POST /admin/mail error 504 dial tcp 192.0.2.1:465: i/o timeout", "port_blocked"),
    # Whose part it is.
    Kind("STARTTLS is asked for, so it is there", NET_MAIL, "starttls_required", Who.YOU),
    Kind(
        "PHP without that encryption",
        'Unable to find the socket transport "TLS" - did you forget to enable it',
        "tls_failed",
        Who.YOU,
    ),
    Kind(
        "a library that was not connected",
        "MailKit.ServiceNotConnectedException: The SmtpClient must be connected",
        "order_misread",
        Who.APP,
    ),
    Kind("taken, and reported as a failure", SENT_ALL_THE_SAME, "success_misread", Who.APP),
    Kind(
        "an alert of the server",
        "SSLHandshakeException: Received fatal alert: protocol_version smtp",
        "tls_version_old",
        Who.APP,
    ),
    Kind("a server that says so of itself", NO_CIPHER, "tls_version_old", Who.ADMIN),
    Kind("JavaMail without a reason", "MessagingException: Could not convert socket to TLS", "tls_failed", Who.APP),
    Kind(
        "a program's own name",
        "Command HELO ESP-CAM: got wrong response: HELO requires valid address",
        "helo_rejected",
        Who.APP,
    ),
    Kind("a web host", WEB_HOST, "port_blocked", Who.NETWORK),
    Kind("port 25 everywhere", PORT_25, "port_blocked", Who.NETWORK),
    Kind("no word of why", "SMTP connect() failed.", "port_blocked", Who.YOU),
    Kind("a token of an application", APPLICATION_TOKEN, "oauth_scope_missing", Who.ADMIN),
    Kind(
        "a token in words",
        "I have a valid oAuth access token. 535: 5.7.8 Username and Password not accepted gsmtp",
        "oauth_token_invalid",
    ),
    Kind(
        "a name with more than a name",
        "getaddrinfo ENOTFOUND smtp.gmail.com; errno: -3008",
        "dns_host_not_found",
        Who.YOU,
    ),
    Kind(
        "reputation",
        letter("421-4.7.28 Our system has detected an unusual rate of unsolicited mail"),
        "sending_ip_rejected",
        Who.ADMIN,
    ),
    Kind(
        "a lookup of theirs",
        letter('421 SPF validation failed with result "temperror"'),
        "spf_dmarc_fail",
        Who.RECIPIENT,
    ),
    # A server that does not work.
    Kind(
        "an address that exists at times",
        'The mail sometimes delivers, and sometimes it gives "550 Mailbox does not exist!" for the same address.',
        "recipient_rejected",
        Who.ADMIN,
    ),
    Kind(
        "a fault of the server",
        "SMTP Error (451): Temporary local problem - please try later",
        "server_fault",
        Who.HOST,
    ),
    Kind(
        "its own passwords",
        "535 5.7.8 authentication failed: Connection lost to authentication server",
        "server_fault",
        Who.HOST,
    ),
    Kind("a fault of the recipient's", letter("451 4.3.0 Temporary lookup failure"), "server_fault", Who.RECIPIENT),
    Kind("a part that is not there", "delivery 245: failure: Unable_to_run_qmail-remote./", "server_fault", Who.ADMIN),
    Kind(
        "no way to one server",
        "connect to mx.customer.test[192.0.2.5]:25: No route to host",
        "recipient_server_down",
        Who.RECIPIENT,
    ),
    Kind(
        "a mailbox that is full",
        letter("550 5.2.3 the user's maildir has overdrawn his diskspace quota"),
        "mailbox_full",
        Who.RECIPIENT,
    ),
)


@each_row("kind", KINDS, ids=lambda kind: kind.name)
def test_whose_fault_it_is(kind: Kind) -> None:
    answer = EXPLAINER.explain_text(kind.text, stage=kind.stage)
    assert (answer.finding.code, kind.who or answer.finding.who) == (kind.code, answer.finding.who)


def test_a_session_that_goes_on_after_ehlo_is_not_given_up() -> None:
    went_on = GAVE_UP.replace("CLIENT -> SERVER: QUIT\nSERVER -> CLIENT: 221 2.0.0 bye\n", "")
    assert EXPLAINER.explain_text(went_on).finding.code != "program_gave_up"


def test_a_new_cause_has_a_main_one_for_whoever_knows_only_those() -> None:
    assert EXPLAINER.explain_text(NO_STARTTLS).cause == "starttls_not_offered"
    assert EXPLAINER.explain_text("smtp: 451 4.3.0 Temporary lookup failure").cause == "temporary_try_later"
    assert EXPLAINER.explain_text(GAVE_UP).cause == "unknown"


TWO_RECIPIENTS = """\
From: MAILER-DAEMON@mail.firm.test
Subject: Undelivered Mail Returned to Sender
To: office@firm.test
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: text/plain

This is the mail system at host mail.firm.test.

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.firm.test

Final-Recipient: rfc822; ana@customer.test
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

Final-Recipient: rfc822; ben@else.test
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 552 5.2.2 Mailbox full

Final-Recipient: rfc822; cora@else.test
Action: delivered
Status: 2.0.0

--x--
"""


def test_a_second_address_that_failed_is_named_too() -> None:
    answer = EXPLAINER.explain_text(TWO_RECIPIENTS)
    assert [(each.address, each.status) for each in answer.recipients] == [
        ("ana@customer.test", "5.1.1"),
        ("ben@else.test", "5.2.2"),
    ]
    assert answer.finding.code == "recipient_rejected"
    assert "did not reach ben@else.test either" in answer.finding.explanation
    assert "cora@" not in answer.finding.explanation


def test_of_many_addresses_that_failed_the_first_are_named() -> None:
    group = "Final-Recipient: rfc822; c{}@else.test\nAction: failed\nStatus: 5.1.1\n\n"
    many = TWO_RECIPIENTS.replace(
        "Final-Recipient: rfc822; cora", "".join(map(group.format, range(150))) + "Final-Recipient: rfc822; cora"
    )
    answer = EXPLAINER.explain_text(many)
    assert "ben@else.test, c0@else.test, c1@else.test and 9" in answer.finding.explanation
    assert len(answer.recipients) == 100


def test_an_alias_is_the_address_that_was_written_to_and_the_server_behind_it_the_one_that_refused() -> None:
    said = letter("550 5.1.1 User unknown (in reply to RCPT TO command)").replace(
        "<ana@customer.test>", "<ana@private.test> (expanded from <info@customer.test>)"
    )
    answer = EXPLAINER.explain_text(said)
    assert [each.address for each in answer.recipients] == ["info@customer.test"]
    assert (answer.finding.code, answer.finding.who) == ("forwarding_broken", Who.RECIPIENT)
    assert "mail.firm.test" not in answer.finding.explanation


def test_the_server_that_wrote_the_letter_is_not_the_one_that_refused() -> None:
    assert "mx.customer.test" in EXPLAINER.explain_text(letter("550 5.1.1 User unknown")).finding.explanation
