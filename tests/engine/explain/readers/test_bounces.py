"""Bounces as mail servers write them: what is taken out, and what they come down to."""

from __future__ import annotations

import base64
import re
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_wizard.engine.explain.readers import bounces
from smtp_wizard.engine.explain.readers.bounce_signs import LONGEST
from smtp_wizard.engine.explain.readers.bounces import Bounce, read_bounce
from tests.support.rows import each_row
from tests.support.strangers import CHARSETS, SAID, letters, nested

POSTFIX = """\
Return-Path: <>
Received: by mail.example.com (Postfix) id 4Kx2; Mon, 23 Nov 2026 10:00:00 +0000 (UTC)
Date: Mon, 23 Nov 2026 10:00:00 +0000 (UTC)
From: MAILER-DAEMON@mail.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: ana@example.com
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="4Kx2.1"

This is a MIME-encapsulated message.

--4Kx2.1
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mail.example.com.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<bob@example.org>: host mx.example.org[192.0.2.25] said: 550 5.1.1
    <bob@example.org>: Recipient address rejected: User unknown in virtual
    mailbox table (in reply to RCPT TO command)

--4Kx2.1
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com
X-Postfix-Queue-ID: 4Kx2
Arrival-Date: Mon, 23 Nov 2026 09:59:58 +0000 (UTC)

Final-Recipient: rfc822; carla@example.net
Action: relayed
Status: 2.0.0
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; 250 2.0.0 Ok: queued

Final-Recipient: rfc822; bob@example.org
Original-Recipient: rfc822;bob@example.org
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.org
Diagnostic-Code: smtp; 550 5.1.1 <bob@example.org>: Recipient address rejected:
    User unknown in virtual mailbox table

--4Kx2.1
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: ana@example.com
To: bob@example.org
Subject: 554 spam about viruses
Content-Type: text/plain

535 5.7.8 is only what I write about.

--4Kx2.1--
"""

FRAGMENT = """\
> Final-Recipient: rfc822;bob@example.org
> Action: failed
> Status: 5.7.26 (authentication)
> Remote-MTA: dns;gmail-smtp-in.l.google.com (192.0.2.26, the server for the domain example.org)
> Diagnostic-Code: smtp;550-5.7.26 This mail has been blocked because the sender is unauthenticated.
"""

QMAIL = """\
Hi. This is the qmail-send program at mail.example.com.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<bob@example.org>:
192.0.2.25 does not like recipient.
Remote host said: 550 5.1.1 unknown user
Giving up on 192.0.2.25.

--- Below this line is a copy of the message.

Return-Path: <ana@example.com>
Subject: 552 too big
"""

EXIM = """\
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  bob@example.org
    host mx.example.org [192.0.2.25]
    SMTP error from remote mail server after end of data:
    554 5.7.1 Spam message rejected

------ This is a copy of the message, including all the headers. ------

Return-path: <ana@example.com>
Received: from [192.0.2.4] (helo=550)
"""

EXCHANGE = """\
Delivery has failed to these recipients or groups:

bob@example.org
The email address you entered couldn't be found.

Diagnostic information for administrators:

Generating server: AM0PR01MB1234.eurprd01.prod.exchangelabs.com

bob@example.org
Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup'

Original message headers:

Received: from AM0PR01 with id 15.20.4 521
"""

WITHOUT_DIAGNOSTIC = """\
Date: Mon, 23 Nov 2026 10:00:00 +0000
From: postmaster@example.com
Subject: Delivery Status Notification (Delay)
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

VGhlIG1haWxib3ggb2YgYm9iIGlzIGZ1bGwu

--b
Content-Type: message/delivery-status

Reporting-MTA: dns;mail.example.com

Final-Recipient: rfc822;bob@example.org
Action: delayed
Status: 4.2.2

--b--
"""


def read(text: str) -> Bounce:
    found = read_bounce(text)
    assert found is not None
    return found


def test_a_report_for_machines() -> None:
    found = read(POSTFIX)
    assert found == Bounce(
        text="550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
        action="failed",
        status="5.1.1",
        diagnostic="550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
        recipient="bob@example.org",
        server="mx.example.org",
        reporter="mail.example.com",
        command="RCPT TO",
        since="Mon, 23 Nov 2026 10:00:00 +0000 (UTC)",
    )


def test_line_ends_of_the_wire() -> None:
    assert read(POSTFIX.replace("\n", "\r\n")) == read(POSTFIX)


def test_fields_alone_and_quoted() -> None:
    found = read(FRAGMENT)
    assert (found.status, found.action) == ("5.7.26", "failed")
    assert found.diagnostic.startswith("550-5.7.26 This mail")


def test_the_worst_fate_counts_whatever_the_order() -> None:
    blocks = ["Action: delayed\nStatus: 4.4.1", "Action: failed\nStatus: 5.2.2", "Action: delivered\nStatus: 2.0.0"]
    for order in (blocks, blocks[::-1]):
        text = "Reporting-MTA: dns; a.example\n\n" + "\n\n".join(
            f"Final-Recipient: rfc822; r{at}@example.org\n{block}" for at, block in enumerate(order)
        )
        assert (read(text).action, read(text).status) == ("failed", "5.2.2")


def test_without_a_diagnostic_the_letter_speaks() -> None:
    found = read(WITHOUT_DIAGNOSTIC)
    assert (found.text, found.action) == ("4.2.2 The mailbox of bob is full.", "delayed")


@pytest.mark.parametrize(
    ("letter", "said", "returned"),
    [
        (QMAIL, "550 5.1.1 unknown user", "552 too big"),
        (EXIM, "554 5.7.1 Spam message rejected", "helo=550"),
        (EXCHANGE, "550 5.1.10 RESOLVER", "521"),
    ],
    ids=["qmail", "Exim", "Exchange"],
)
def test_letters_for_people(letter: str, said: str, returned: str) -> None:
    text = read(letter).text
    assert said in text
    assert returned not in text


def test_a_form_that_follows_no_standard() -> None:
    letter = EmailMessage()
    letter["From"] = "Mail Service <post@example.org>"
    letter["To"] = "ana@example.com"
    letter["Subject"] = "Your letter"
    letter["Date"] = "Mon, 23 Nov 2026 10:00:00 +0000"
    letter["Return-Path"] = "<>"
    letter.set_content(
        "This is the machine generated message from mail service.\n\n<bob@example.org>\nno such user\n\n"
        "--- Below the next line is a copy of the message.\nHello Bob\n"
    )
    found = read(letter.as_string())
    assert (found.recipient, found.action) == ("bob@example.org", "failed")
    assert "no such user" in found.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "535 5.7.8 Username and Password not accepted",
        "Error: Invalid login: 535 5.7.8\n    at SMTPConnection._formatError",
        "Error: connect ETIMEDOUT",
        "Date: today\nSubject: hello\nFrom: ana@example.com\n\nShall we meet?\n",
    ],
)
def test_other_texts_are_none(text: str) -> None:
    assert read_bounce(text) is None


@pytest.mark.parametrize("charset", ["utf-8", "no-such-charset"])
def test_broken_letters_are_read_as_far_as_they_go(charset: str) -> None:
    text = WITHOUT_DIAGNOSTIC.replace("charset=utf-8", f"charset={charset}")
    assert "mailbox of bob" in read(text[: text.index("--b--")]).text


@given(st.text(max_size=400), st.integers(0, len(POSTFIX)))
def test_nothing_is_raised(noise: str, at: int) -> None:
    read_bounce(noise)
    read_bounce(POSTFIX[:at] + noise + POSTFIX[at:])


@settings(deadline=None)
@given(letters())
def test_nothing_is_raised_whatever_a_letter_is_made_of(letter: str) -> None:
    found = read_bounce(letter)
    assert found is None or isinstance(found.text, str)


@each_row("charset", CHARSETS, ids=repr)
def test_a_charset_that_is_none_is_no_obstacle(charset: str) -> None:
    found = read(WITHOUT_DIAGNOSTIC.replace("charset=utf-8", f"charset={charset}"))
    assert found.status == "4.2.2"
    assert "mailbox of bob" in found.text or charset.startswith(("cp", "hp", "utf_16", "utf_32")), (
        "those can be read in it"
    )
    letter = POSTFIX.replace("text/plain; charset=us-ascii", f"text/plain; charset={charset}")
    assert read(letter).status == "5.1.1"


@pytest.mark.parametrize("depth", [1, 19, 600, 3000])
def test_what_is_too_deep_for_a_letter_is_read_as_text(depth: int) -> None:
    assert SAID in read(nested(depth, SAID)).text
    assert read_bounce(nested(100_000, SAID)) is not None


@pytest.mark.parametrize(
    "part",
    [
        "Content-Type: application/octet-stream",
        "Content-Type: multipart/mixed",
        "Content-Type: multipart/mixed; boundary*=\ud800''\ud800",
        "Content-Type: message/rfc822",
    ],
)
def test_what_cannot_be_read_as_a_letter_is_read_as_text(part: str) -> None:
    letter = f"From: MAILER-DAEMON\nTo: ana\nSubject: Undelivered Mail Returned to Sender\n{part}\n\n{SAID}\n"
    assert SAID in read(letter).text


def test_a_subject_in_other_letters_tells_what_it_is() -> None:
    head = "From: post@example.com\nTo: ana@example.com\nSubject: =?utf-8?b?{}?=\n\nbob@example.org\n550 no\n"
    subject = base64.b64encode(b"Nachricht unzustellbar").decode()
    assert "550 no" in read(head.format(subject)).text


def test_a_letter_of_other_letters_is_read_as_it_stands() -> None:
    said = "Die Nachricht konnte nicht zugestellt werden: Empf\u00e4nger unbekannt"
    for charset in ("us-ascii", "iso-8859-1"):
        letter = f"From: a\nTo: b\nSubject: x\nContent-Type: text/plain; charset={charset}\n\n{said}\n"
        assert said in read(letter).text


def test_what_the_readers_of_odd_forms_trip_over_is_not_written_anywhere(capfd: pytest.CaptureFixture[str]) -> None:
    letter = "From: a\nTo: b\nSubject: x\nX-Failed-Recipients: \n\nHi. This is the\n\n<b\u00f6b@example.org>:\nno\n"
    for text in (letter, letter.replace("X-Failed-Recipients: ", "X: \ud800"), letter.replace("no\n", "\ud800" * 9)):
        read_bounce(text)
    assert capfd.readouterr() == ("", "")


def test_a_huge_letter_is_read_only_so_far() -> None:
    assert len(read(EXIM.split("------")[0] + "x" * 2 * LONGEST).text) <= LONGEST


def test_a_reason_is_looked_for_once_however_often_a_message_seems_to_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    class Counted:
        def search(self, text: str, at: int = 0, end: int = LONGEST) -> re.Match[str] | None:
            looked.append(text)
            return re.compile("deliver").search(text, at, end)

    monkeypatch.setattr(bounces, "_REASON", Counted())
    begins = "---- forwarded message\n" * 50
    found = read_bounce(f"{begins}This is the mail system. Your message could not be delivered to one recipient.\n")
    assert found is not None
    assert len(looked) == 1
