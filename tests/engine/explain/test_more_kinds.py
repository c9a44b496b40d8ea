"""More kinds of texts that were once explained wrongly: whose part it is, what a session or a trace says of the stage.

The texts are made up; each stands for others of its kind.
"""

from __future__ import annotations

import pytest

from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.explain.readers.stack_traces import stage_in_frames
from tests.engine.explain.test_kinds import EXPLAINER, Kind, letter
from tests.support.rows import each_row

NOT_UNIQUE = """\
Your message was not delivered to: info@customer.test because:
Recipient user name info (info@customer.test) not unique. Several matches found in the directory.

Final-Recipient: rfc822;info@customer.test
Action: failed
Status: 5.0.0
Diagnostic-Code: X-Notes; Recipient user name info not unique. Several matches found in the directory.
"""
LOG_LATE = (
    "Jan 23 13:43:49 mail postfix/smtp[4]: 4Jf: to=<ana@customer.test>, relay=mx.customer.test[192.0.2.4]:25, delay=9,"
    " dsn=4.0.0, status=deferred (host mx.customer.test[192.0.2.4] refused to talk to me: 421 Refused. Your reverse DNS"
    " entry does not resolve)"
)
LOG_OF_TWO = (
    LOG_LATE.replace(
        "421 Refused. Your reverse DNS entry does not resolve", "421 4.7.0 deferred due to user complaints"
    )
    + "\nJan 23 13:44:00 mail postfix/smtp[5]: 4Jg: to=<ben@else.test>, relay=none, delay=9, dsn=4.4.3, status=deferred"
    " (Name service error for name=else.test type=MX: Malformed or unexpected name server reply)"
)
CUT_SESSION = """\
SMTP Last Response Code: 535 (authentication failed)

----------SMTP----------
220 mail.firm.test ESMTP Postfix
EHLO laptop
250-mail.firm.test
250-PIPELINING
250-STARTTLS
250-8BITM"""
SESSION_BESIDE = """\
SMTP Delivery Error: 554, b'5.0.0 Error: transaction failed: unknown sender address')

220 localhost ESMTP Service Ready
EHLO nas
250-Hello nas
250 AUTH PLAIN LOGIN
AUTH LOGIN
334 VXNlcm5hbWU6
"""
EXIM_DEBUG = """\
 276 SMTP connection from app [192.168.48.5] closed by QUIT
 277 Exim version 4.94.2 uid=101
Support for: DANE DKIM DNSSEC Event SOCKS
 277   == ana@customer.test R=dnslookup defer (-1): host lookup did not complete
"""
HELLO_IN_TLS = """\
smtp25-1 | [9] DEBUG -- : [MV4EFR] <= \ufffd m/D\ufffd7\ufffdrF {P5e7
smtp25-1 | [9] DEBUG -- : [MV4EFR] => 502 Invalid/unsupported command
"""
OWN_SERVER_IN_SETTINGS = """\
const transporter = nodemailer.createTransport({ service: 'smtp.gmail.com', port: 465 });
{ Error: connect ECONNREFUSED 127.0.0.1:465
    at TCPConnectWrap.afterConnect [as oncomplete] (net.js:1198:14)
  code: 'ECONNECTION', command: 'CONN' }
"""
TIMEOUT_SETTING = """\
XOAUTH2: user: x, refreshToken: y, timeout: 3600
SERVER 1:
220 mx.google.com ESMTP
CLIENT 1:
EHLO laptop
SERVER 1:
250 AUTH LOGIN PLAIN XOAUTH2
Error occured
invalid_request
"""
READING = """\
Traceback (most recent call last):
  File "/usr/lib/python3/smtplib.py", line 341, in connect
    (code, msg) = self.getreply()
  File "/usr/lib/python3/smtplib.py", line 398, in getreply
    line = self.file.readline(_MAXLINE + 1)
TimeoutError: timed out
"""
CONNECTING = """\
Traceback (most recent call last):
  File "/usr/lib/python3/smtplib.py", line 339, in connect
    self.sock = self._get_socket(host, port, self.timeout)
  File "/usr/lib/python3/socket.py", line 851, in create_connection
    raise exceptions[0]
TimeoutError: timed out
"""
JAVA_STARTTLS = (
    "javax.mail.MessagingException: Could not convert socket to TLS; nested exception is: java.net.SocketException: A"
    " connection attempt failed because the connected party did not properly respond after a period of time\n"
    "\tat com.sun.mail.smtp.SMTPTransport.startTLS(SMTPTransport.java:2140)\n"
)
PASSED_ON = """\
> The other day, I even got this:
> -------- Forwarded Message --------
> From: Mail Delivery System <Mailer-Daemon@host.test>
> Subject: Mail delivery failed: returning message to sender
>
> A message that you sent could not be delivered to one or more of its
> recipients. This is a permanent error. The following address(es) failed:
>
>   ana@customer.test
>     host mx.customer.test [192.0.2.18]
>     SMTP error from remote mail server after end of data:
>     550 5.7.1 Content-Policy msg: Bogofilter considers this message SPAM.
"""
SENDMAIL_LOG = (
    "May 11 23:51:51 host sm-mta[11346]: q4B: to=<ana@customer.test>, delay=00:00:01, mailer=esmtp, pri=120934,"
    " relay=mx.customer.test. [192.0.2.244], dsn=5.0.0, stat=Service unavailable"
)
HIDDEN_HOSTS = """\
Connected to smtp://192.0.2.1:25/
S: 220 XXXXXX ESMTP
C: EHLO [192.0.2.7]
S: 250-XXXXXX
S: 250 AUTH LOGIN
C: AUTH LOGIN
S: 535 no
"""
HEADERS = """\
2024-03-06 Qdmail error: Send Error
To: ana@customer.test
Subject: Order
Content-Type: text/plain; charset="iso-2022-jp"
MIME-Version: 1.0
Qdmail error: No send. Because SMTP mail method replied error
"""

KINDS = (
    Kind("several of a name", NOT_UNIQUE, "recipient_rejected", Who.RECIPIENT),
    Kind(
        "an address that leads on to one that is gone",
        "This is the mail system at host m.firm.test.\n\n<hidden (expanded from <ana@customer.test>): User unknown in"
        "\n    virtual alias table",
        "forwarding_broken",
        Who.RECIPIENT,
        "after",
    ),
    Kind("late, for a reason that lasts", LOG_LATE, "sending_ip_rejected", Who.ADMIN),
    Kind("of two that wait, the one with a reason", LOG_OF_TWO, "sending_ip_rejected"),
    Kind("a session that was cut off, and a reply before it", CUT_SESSION, "bad_credentials", Who.YOU),
    Kind("a reply beside a session", SESSION_BESIDE, "sender_not_allowed", Who.YOU),
    Kind("Exim's debugging", EXIM_DEBUG, "dns_host_not_found"),
    Kind("TLS where clear text is spoken", HELLO_IN_TLS, "tls_use_starttls", Who.YOU),
    Kind("the server that failed, not that of the settings", OWN_SERVER_IN_SETTINGS, "wrong_host_or_port", Who.YOU),
    Kind("a setting is no event", TIMEOUT_SETTING, "oauth_client_refused", Who.YOU),
    Kind("it waits for words", READING, "server_silent", Who.YOU),
    Kind("it waits to connect", CONNECTING, "port_blocked", Who.NETWORK),
    Kind("silence at the encryption", JAVA_STARTTLS, "server_silent", Who.NETWORK),
    Kind("copied headers", HEADERS, "nothing_said"),
    Kind("relaying, for now", "454 4.7.1 <ana@customer.test>: Relay access denied", "auth_missing", Who.YOU),
    Kind(
        "a stock phrase before the reason",
        letter("550-Requested action not taken: mailbox unavailable 550 invalid DNS MX or A/AAAA resource record."),
        "sender_not_allowed",
        Who.ADMIN,
    ),
    Kind("callout", letter("550-Verification failed for <a@firm.test> 550 Sender verify failed"), "sender_not_allowed"),
    Kind("the other side is full", "450 4.7.3 Organization queue quota exceeded", "temporary_try_later", Who.RECIPIENT),
    Kind("confirm first", letter("550 Your server requires confirmation. Visit http://x.test/"), "sender_not_allowed"),
    Kind(
        "an old device calls",
        "Our printer cannot send. postfix/submission/smtpd[7]: warning: TLS library problem: error:1417A0C1:SSL"
        " routines:tls_post_process_client_hello:no shared cipher",
        "tls_version_old",
        Who.APP,
    ),
    Kind("an old device, in words", "Older printers try to connect with old tls 1.1 to the relay", "tls_version_old"),
    Kind(
        "one's own server refuses a caller",
        "postfix/smtpd[1]: NOQUEUE: reject: RCPT from mail.firm.test[192.0.2.4]: 504 5.5.2 <mail>: Helo command"
        " rejected: need fully-qualified hostname; from=<a@firm.test> to=<ana@customer.test> proto=ESMTP helo=<mail>",
        "helo_rejected",
        Who.ADMIN,
    ),
    Kind(
        "letters in a header",
        "postfix/smtp[4]: 1A: to=<ana@customer.test>, relay=mail.host.test[192.0.2.4]:587, delay=1, dsn=5.6.7,"
        " status=bounced (SMTPUTF8 is required, but was not offered by host mail.host.test[192.0.2.4])",
        "smtputf8_unsupported",
        Who.APP,
    ),
    Kind(
        "a known server's certificate",
        "smtps://smtp.gmail.com:465 AuthenticationException: Il certificato remoto non è stato ritenuto valido",
        "cert_unknown_issuer",
        Who.YOU,
    ),
    Kind(
        "Strato",
        'Expected response code 220 but got code "421", with message "421 No SMTP service"',
        "sending_ip_rejected",
    ),
    Kind("a resolver", "dial tcp: lookup smtp.firm.test: i/o timeout", "no_network", Who.ADMIN),
    Kind("Exim gives up", letter("ana@customer.test mailbox is full: retry timeout exceeded"), "mailbox_full"),
    Kind("a letter that was passed on", PASSED_ON, "content_rejected", Who.YOU),
    Kind("sendmail's stock phrase", SENDMAIL_LOG, "unknown"),
    Kind("554 and nothing else", "Error: Message failed: 554 6.6.0 Error sending for delivery.", "unknown"),
    Kind(
        "a code that a library spells out",
        "lettre::transport::smtp::Error { kind: Permanent(Code { severity: PermanentNegativeCompletion, category:"
        " Unspecified3, detail: Five }) }",
        "bad_credentials",
        Who.YOU,
    ),
    Kind(
        "a port in Chinese",
        "端口 465 后 smtplib.SMTPServerDisconnected: Connection unexpectedly closed",
        "tls_use_implicit",
    ),
    Kind("hidden host names are no firewall", HIDDEN_HOSTS, "bad_credentials"),
    Kind("idle for long", "Message failed: 421 4.4.2 mx.firm.test Error: timeout exceeded", "server_closed", Who.HOST),
    Kind("Exchange could not connect", "554 5.4.0 <ms1.customer.test #4.4.1>", "recipient_server_down", Who.RECIPIENT),
    Kind(
        "all servers were tried",
        "I wasn't able to deliver your message to the following addresses. This is a permanent error; I've given up.\n"
        "<ana@customer.test>: Too many failures (Tried all MXs)",
        "recipient_server_down",
        Who.RECIPIENT,
    ),
    Kind(
        "Google's page about spam",
        "Delivery Status Notification (Failure): Message rejected. See https://support.google.com/mail/answer/69585",
        "content_rejected",
    ),
    Kind("Google", "535-5.7.8 Username and Password not accepted. smtp.gmail.com", "app_password_required", Who.YOU),
)


@each_row("kind", KINDS, ids=lambda kind: kind.name)
def test_texts_of_more_kinds(kind: Kind) -> None:
    answer = EXPLAINER.explain_text(kind.text, stage=kind.stage)
    assert answer.finding.code == kind.code
    assert kind.who is None or answer.finding.who is kind.who


def test_what_is_late_for_a_reason_that_lasts_is_told_with_what_to_do_about_it() -> None:
    finding = EXPLAINER.explain_text(LOG_LATE).finding
    assert "still waits" in finding.explanation
    assert finding.forward is not None


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        (READING, Stage.GREETING),
        (CONNECTING, Stage.CONNECT),
        (JAVA_STARTTLS, Stage.STARTTLS),
        ("    at SMTPConnection._actionAUTHComplete (/app/smtp-connection/index.js:1513:34)", Stage.AUTH),
        ("   at System.Net.Mail.MailCommand.Send(SmtpConnection conn, Byte[] command)", Stage.MAIL),
        ("/usr/lib/ruby/3.0.0/net/smtp.rb:914:in `rcptto'", Stage.RCPT),
        ("there was an error in mail and in data at 10:15", None),
    ],
)
def test_the_frames_of_a_trace_say_the_stage(text: str, stage: Stage | None) -> None:
    assert stage_in_frames(f"Error\n{text}") is stage


def test_what_was_read_is_told_piece_by_piece_without_secrets() -> None:
    found = EXPLAINER.explain_text(f"{SESSION_BESIDE}334 x\nAUTH PLAIN AGFuYQBodW50ZXIy\n535 no\n")
    assert [each.lines.first for each in found.evidence] == sorted(each.lines.first for each in found.evidence)
    assert "AGFuYQBodW50ZXIy" not in repr(found.evidence)
    assert {each.kind for each in found.evidence} >= {"reply", "command"}


def test_the_addresses_of_a_log_are_told_each_once() -> None:
    found = EXPLAINER.explain_text(f"{LOG_OF_TWO}\n{LOG_LATE.replace('ana@customer.test', 'ana@gmial.com')}")
    assert [(each.address, each.final, each.did_you_mean) for each in found.recipients] == [
        ("ana@customer.test", False, ""),
        ("ben@else.test", False, ""),
        ("ana@gmial.com", False, "ana@gmail.com"),
    ]


def test_a_close_cause_has_a_confidence_of_its_own() -> None:
    found = EXPLAINER.explain_text("554 xyz", stage=Stage.DATA)
    assert all(0 < each.confidence <= found.confidence for each in found.alternatives)
