"""Lines of mail servers' logs: what became of a message, what was said, and by whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.explain.evidence import AttemptOutcome, Party
from smtp_wizard.engine.explain.readers.mail_logs import read_mail_log

POSTFIX = (
    "Jan  5 10:00:02 mail postfix/smtp[123]: 4ABCDEF12: to=<b@else.test>, relay=mx.else.test[192.0.2.9]:25, delay=1.2, "
    "delays=0.1/0/0.5/0.6, dsn=5.1.1, status=bounced (host mx.else.test[192.0.2.9] said: 550 5.1.1 <b@else.test>: "
    "Recipient address rejected: User unknown (in reply to RCPT TO command))"
)
SMARTHOST = (
    "2026-01-05T10:00:02.123456+01:00 mail postfix/smtp[9]: 4ABC: to=<b@else.test>,"
    " relay=smtp.host.test[192.0.2.7]:587, "
    "delay=0.4, dsn=5.7.1, status=bounced (host smtp.host.test[192.0.2.7]:587 said: 550 5.7.1 Sender not allowed "
    "(in reply to MAIL FROM command))"
)
NOWHERE = (
    "Jan  5 10:00:02 mail postfix/smtp[1]: 4AB: to=<b@else.test>, relay=none, delay=30, dsn=4.4.1, status=deferred "
    "(connect to mx.else.test[192.0.2.9]:25: Connection timed out)"
)
EXIM = (
    "2026-01-05 10:00:02 1tUabc-0001Ab-2C ** b@else.test R=dnslookup T=remote_smtp H=mx.else.test [192.0.2.9] "
    "X=TLS1.3:TLS_AES_256:256 CV=yes: SMTP error from remote mail server after RCPT TO:<b@else.test>:"
    " 550 5.1.1 No such user"
)
SENDMAIL = (
    "Jan  5 10:00:02 mail sendmail[77]: 605A: to=<b@else.test>, delay=00:00:01, xdelay=00:00:01, mailer=esmtp, pri=12, "
    "relay=mx.else.test. [192.0.2.9], dsn=5.1.1, stat=User unknown"
)
OPENSMTPD = (
    "Jan  5 10:00:02 mail smtpd[3]: 9a mta delivery evpid=1 from=<a@firm.test> to=<b@else.test> rcpt=<b@else.test> "
    'source="192.0.2.1" relay="192.0.2.9 (mx.else.test)" delay=1s result="PermFail" stat="550 5.1.1 No such user"'
)
REJECTED = (
    "Jan  5 10:00:02 mail postfix/smtpd[5]: NOQUEUE: reject: RCPT from pc.firm.test[192.0.2.4]: 554"
    " 5.7.1 <b@else.test>: "
    "Relay access denied; from=<a@firm.test> to=<b@else.test> proto=ESMTP helo=<pc>"
)
MSMTP = (
    "Jan 05 10:00:02 host=smtp.host.test tls=on auth=on user=ana from=a@firm.test recipients=b@else.test"
    " smtpstatus=535 "
    "smtpmsg='535 5.7.8 Bad credentials' errormsg='authentication failed (method PLAIN)' exitcode=EX_NOPERM"
)


@pytest.mark.parametrize(
    ("line", "recipient", "words", "server", "command", "speaker"),
    [
        (POSTFIX, "b@else.test", "550 5.1.1", "mx.else.test", "RCPT TO", Party.RECIPIENT),
        (SMARTHOST, "b@else.test", "550 5.7.1", "smtp.host.test", "MAIL FROM", Party.OWN),
        (EXIM, "b@else.test", "550 5.1.1", "mx.else.test", "RCPT TO", Party.RECIPIENT),
        (SENDMAIL, "b@else.test", "5.1.1 User unknown", "mx.else.test", "", Party.RECIPIENT),
        (OPENSMTPD, "b@else.test", "550 5.1.1", "mx.else.test", "", Party.RECIPIENT),
        (REJECTED, "b@else.test", "554 5.7.1", "", "RCPT", Party.OWN),
        (MSMTP, "b@else.test", "535 5.7.8", "smtp.host.test", "", Party.OWN),
    ],
    ids=["Postfix", "smarthost", "Exim", "sendmail", "OpenSMTPD", "refused here", "msmtp"],
)
def test_what_became_of_a_message(
    line: str, recipient: str, words: str, server: str, command: str, speaker: Party
) -> None:
    found = read_mail_log(f"something else\n{line}\n")
    assert len(found) == 1
    assert (found[0].outcome, found[0].recipient, found[0].server) == (AttemptOutcome.FAILED, recipient, server)
    assert found[0].words.startswith(words)
    assert (found[0].command, found[0].speaker) == (command, speaker)
    assert (found[0].lines.first, found[0].since != "") == (2, True)


def test_what_waits_is_no_failure_yet() -> None:
    found = read_mail_log(NOWHERE)[0]
    assert (found.outcome, found.speaker, found.server) == (AttemptOutcome.DELAYED, None, "")
    assert found.words == "connect to mx.else.test[192.0.2.9]:25: Connection timed out"


@pytest.mark.parametrize(
    "text", ["", "status=1", "to=<a@b.c>, status=", "the status=failed of stat=x", "x: reject: y from "]
)
def test_other_lines_are_none(text: str) -> None:
    assert [each for each in read_mail_log(text) if each.outcome is AttemptOutcome.FAILED and each.words] in (
        [],
        read_mail_log(text),
    )


@given(st.text("to=<a@b>, status=stat=bounced (said: 550)*=\n", max_size=300))
def test_nothing_is_raised(text: str) -> None:
    read_mail_log(text)
