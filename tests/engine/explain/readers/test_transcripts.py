"""Sessions as programs write them down: what was said, which command a reply answers, and which attempt decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.explain.evidence import AttemptOutcome, Connecting, ServerReply
from smtp_wizard.engine.explain.readers.transcripts import connections, read_transcript
from smtp_wizard.engine.explain.sessions import Attempt, decisive, read_attempts

SWAKS = """\
=== Trying smtp.firm.test:587...
=== Connected to smtp.firm.test.
<-  220 smtp.firm.test ESMTP
 -> EHLO me.test
<-  250-smtp.firm.test
<-  250 STARTTLS
 -> STARTTLS
<-  220 2.0.0 Ready to start TLS
=== TLS started with cipher TLSv1.3:TLS_AES_256_GCM_SHA384:256
 ~> EHLO me.test
<~  250-smtp.firm.test
<~  250 AUTH PLAIN LOGIN
 ~> AUTH LOGIN
<~  334 VXNlcm5hbWU6
 ~> YW5h
<~  334 UGFzc3dvcmQ6
 ~> eHh4
<~* 535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6
*** No authentication type succeeded
 ~> QUIT
<~  221 2.0.0 Bye
"""
PHPMAILER = """\
2026-01-05 10:00:01 SERVER -> CLIENT: 220 smtp.firm.test ESMTP
2026-01-05 10:00:01 CLIENT -> SERVER: EHLO web.test
2026-01-05 10:00:01 SERVER -> CLIENT: 250-smtp.firm.test Hello
250-SIZE 20480000
250 HELP
2026-01-05 10:00:01 CLIENT -> SERVER: MAIL FROM:<a@firm.test>
2026-01-05 10:00:02 SERVER -> CLIENT: 250 OK
2026-01-05 10:00:02 CLIENT -> SERVER: RCPT TO:<b@else.test>
2026-01-05 10:00:02 SERVER -> CLIENT: 550 relay not permitted
2026-01-05 10:00:02 SMTP ERROR: RCPT TO command failed: 550 relay not permitted
"""
SMTPLIB = """\
send: 'ehlo [127.0.1.1]\\r\\n'
reply: b'250-smtp.firm.test\\r\\n'
reply: b'250 SIZE 1000\\r\\n'
reply: retcode (250); Msg: b'smtp.firm.test\\nSIZE 1000'
send: 'mail FROM:<a@firm.test> size=9\\r\\n'
reply: b'553 5.7.1 <a@firm.test>: Sender address rejected\\r\\n'
reply: retcode (553); Msg: b'5.7.1 <a@firm.test>: Sender address rejected'
"""
NODEMAILER = """\
[2026-01-05 10:00:01] DEBUG [abcDEF] S: 220 smtp.firm.test ESMTP
[2026-01-05 10:00:01] DEBUG [abcDEF] C: EHLO app
[2026-01-05 10:00:01] DEBUG [abcDEF] S: 250-smtp.firm.test
[2026-01-05 10:00:01] DEBUG [abcDEF] C: AUTH PLAIN xxx
[2026-01-05 10:00:02] DEBUG [abcDEF] S: 535 Authentication failed
"""
JAVAMAIL = """\
DEBUG SMTP: trying to connect to host "smtp.firm.test", port 587, isSSL false
220 smtp.firm.test ESMTP
DEBUG SMTP: connected to host "smtp.firm.test", port: 587
EHLO me
250-smtp.firm.test
250 SIZE
MAIL FROM:<a@firm.test>
530 5.7.0 Authentication required
"""
CURL = """\
* Connected to smtp.firm.test (192.0.2.1) port 25 (#0)
< 220 smtp.firm.test ESMTP
> EHLO me
< 250-smtp.firm.test
< 250 HELP
> MAIL FROM:<a@firm.test>
< 421 4.7.0 Try again later
* MAIL failed: 421
"""
EXCHANGE = """\
2026-01-05T10:00:00.001Z,Out,08D1234567890AB1,0,10.0.0.4:1,192.0.2.9:25,+,,
2026-01-05T10:00:00.002Z,Out,08D1234567890AB1,1,10.0.0.4:1,192.0.2.9:25,<,220 mx.else.test ESMTP,
2026-01-05T10:00:00.003Z,Out,08D1234567890AB1,2,10.0.0.4:1,192.0.2.9:25,>,EHLO ex.firm.test,
2026-01-05T10:00:00.004Z,Out,08D1234567890AB1,3,10.0.0.4:1,192.0.2.9:25,<,250 mx.else.test,
2026-01-05T10:00:00.005Z,Out,08D1234567890AB1,4,10.0.0.4:1,192.0.2.9:25,>,RCPT TO:<b@else.test>,
2026-01-05T10:00:00.006Z,Out,08D1234567890AB1,5,10.0.0.4:1,192.0.2.9:25,<,550 5.1.1 User unknown,
"""
EXIM = """\
Connecting to mx.else.test [192.0.2.9]:25 ... connected
  SMTP<< 220 mx.else.test ESMTP
  SMTP>> EHLO me.test
  SMTP<< 250-mx.else.test
         250 HELP
  SMTP>> MAIL FROM:<a@firm.test>
  SMTP<< 250 OK
  SMTP>> DATA
  SMTP<< 354 go
  SMTP>> .
  SMTP<< 554 5.7.1 Spam
"""


def attempt(text: str) -> Attempt:
    found = decisive(read_attempts(connections(read_transcript(text))))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "code", "stage"),
    [
        (SWAKS, 535, Stage.AUTH),
        (PHPMAILER, 550, Stage.RCPT),
        (SMTPLIB, 553, Stage.MAIL),
        (NODEMAILER, 535, Stage.AUTH),
        (JAVAMAIL, 530, Stage.MAIL),
        (CURL, 421, Stage.MAIL),
        (EXCHANGE, 550, Stage.RCPT),
        (EXIM, 554, Stage.DATA),
    ],
    ids=["swaks", "PHPMailer", "smtplib", "nodemailer", "JavaMail", "curl", "Exchange", "Exim"],
)
def test_a_reply_belongs_to_the_command_before_it(text: str, code: int, stage: Stage) -> None:
    refusal = attempt(text).refusal
    assert refusal is not None
    assert (refusal.code, refusal.stage) == (code, stage)


def test_a_reply_of_several_lines_is_one_and_knows_its_lines() -> None:
    replies = [each for each in read_transcript(SWAKS) if isinstance(each, ServerReply)]
    ehlo = next(each for each in replies if each.command == "EHLO")
    assert ehlo.words == "smtp.firm.test STARTTLS"
    assert (ehlo.lines.first, ehlo.lines.last) == (5, 6)


def test_host_and_port_are_those_that_were_connected_to() -> None:
    found = [each for each in read_transcript(JAVAMAIL) if isinstance(each, Connecting)]
    assert (found[0].host, found[0].port) == ("smtp.firm.test", 587)


def test_ready_to_start_tls_does_not_make_it_a_refusal_of_tls() -> None:
    found = attempt("220 mx ESMTP\n250 STARTTLS\n220 2.0.0 Ready to start TLS\n535 5.7.8 no\n")
    assert found.refusal is not None
    assert (found.refusal.code, found.refusal.stage) == (535, Stage.AUTH)


def test_the_attempt_that_got_furthest_decides() -> None:
    text = (
        f"Trying smtp.firm.test:465 ...\nConnection timed out\n{SWAKS}=== Trying smtp.firm.test:25...\n***"
        f" Connection refused\n"
    )
    attempts = read_attempts(connections(read_transcript(text)))
    assert len(attempts) == 3
    found = decisive(attempts)
    assert found is not None
    assert found.port == 587
    assert found.reached is Stage.AUTH


def test_what_was_made_up_for_is_no_refusal() -> None:
    text = (
        "220 mx\nEHLO a\n502 no\nHELO a\n250 mx\nAUTH PLAIN x\n535 no\nAUTH LOGIN x\n235 ok\nMAIL"
        " FROM:<a@b>\n552 too big\n"
    )
    found = attempt(text)
    assert found.refusal is not None
    assert found.refusal.code == 552


def test_a_message_that_was_taken_is_a_success() -> None:
    text = (
        "220 mx\nEHLO a\n250 mx\nMAIL FROM:<a@b.c>\n250 ok\nRCPT TO:<d@e.f>\n250 ok\nDATA\n354 go\n.\n250"
        " queued\nQUIT\n221 bye\n"
    )
    assert attempt(text).outcome is AttemptOutcome.ACCEPTED


@pytest.mark.parametrize("text", ["", "535 5.7.8 no", "Error: connect ETIMEDOUT", "220 apples and 250 pears"])
def test_other_texts_are_no_session(text: str) -> None:
    assert read_transcript(text) == []


@given(st.text("25 0-<>:SC\nEHLODATA.~*='\\", max_size=400))
def test_nothing_is_raised(text: str) -> None:
    decisive(read_attempts(connections(read_transcript(text))))
