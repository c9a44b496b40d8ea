"""Letters as mail servers return them, made up in the form of each kind of server."""

from __future__ import annotations

import textwrap


def report(
    address: str = "bob@elsewhere.example",
    *,
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <bob@elsewhere.example>: Recipient address rejected: User unknown",
    more: str = "",
    number: int = 1,
    subject: str = "Invoice 17",
    date: str = "Fri, 20 Nov 2026 09:30:00 +0000",
    sender: str = "MAILER-DAEMON@mail.example.com (Mail Delivery System)",
    extra: str = "",
) -> bytes:
    """A report by RFC 3464, as Postfix writes it. `more`: further groups of recipients."""
    return (
        textwrap.dedent("""\
        Return-Path: <>
        Date: {date}
        From: {sender}
        To: ana@example.com
        Subject: Undelivered Mail Returned to Sender
        Auto-Submitted: auto-replied
        Message-ID: <bounce{number}@mail.example.com>
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status; boundary="b"

        --b
        Content-Type: text/plain

        This is the mail system at host mail.example.com.

        I'm sorry to have to inform you that your message could not be delivered.

        <{address}>: host mx.elsewhere.example said: see below

        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mail.example.com
        X-Postfix-Queue-ID: 4ABC
        {extra}Arrival-Date: {date}

        Final-Recipient: rfc822; {address}
        Original-Recipient: rfc822;{address}
        Action: {action}
        Status: {status}
        Diagnostic-Code: {diagnostic}
        {more}
        --b
        Content-Type: message/rfc822

        Return-Path: <ana@example.com>
        Date: Fri, 20 Nov 2026 09:29:00 +0000
        From: Ana <ana@example.com>
        To: {address}
        Subject: {subject}
        Message-ID: <sent{number}@example.com>

        Dear customer, here is your invoice.
        --b--
        """)
        .format(
            date=date,
            sender=sender,
            number=number,
            address=address,
            action=action,
            status=status,
            diagnostic=diagnostic,
            more=more,
            subject=subject,
            extra=extra,
        )
        .encode()
    )


IN_WORDS = b"""\
Return-Path: <>
Received: from mail.provider.example
X-Failed-Recipients: carla@gmial.com
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mail.provider.example>
To: ana@example.com
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1abc@mail.provider.example>
Date: Thu, 19 Nov 2026 08:00:00 +0000

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  carla@gmial.com
    host mx.gmial.com [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<carla@gmial.com>:
    550 No such user here

------ This is a copy of the message, including all the headers. ------

Return-path: <ana@example.com>
Received: from office.example.com
From: Ana <ana@example.com>
To: carla@gmial.com
Subject: Offer 3
Date: Thu, 19 Nov 2026 07:59:00 +0000
Message-ID: <offer3@example.com>

Dear Carla,
"""
"""As Exim writes it: no report, but the addresses in a field of their own."""

BY_QMAIL = b"""\
Return-Path: <>
From: MAILER-DAEMON@mail.provider.example
To: ana@example.com
Subject: failure notice
Date: Wed, 18 Nov 2026 08:00:00 +0000
Message-ID: <q1@mail.provider.example>

Hi. This is the qmail-send program at mail.provider.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<dora@elsewhere.example>:
192.0.2.7 does not like recipient.
Remote host said: 552 5.2.2 The email account that you tried to reach is over quota
Giving up on 192.0.2.7.

--- Below this line is a copy of the message.

Return-Path: <ana@example.com>
Date: Wed, 18 Nov 2026 07:58:00 +0000
From: ana@example.com
To: dora@elsewhere.example
Subject: Reminder
Message-ID: <reminder@example.com>

Hello
"""

OUT_OF_OFFICE = b"""\
Return-Path: <>
Auto-Submitted: auto-replied
From: Eva <eva@elsewhere.example>
To: ana@example.com
Subject: Out of office: Invoice 17
Date: Wed, 18 Nov 2026 08:00:00 +0000
Message-ID: <away@elsewhere.example>

I am away and could not be reached until Monday. Your message was not delivered to anybody else.
"""

QUOTED_BY_A_PERSON = b"""\
Return-Path: <eva@elsewhere.example>
From: Eva <eva@elsewhere.example>
To: ana@example.com
Subject: Re: Undelivered Mail Returned to Sender
Date: Wed, 18 Nov 2026 08:00:00 +0000
Message-ID: <person@elsewhere.example>

Hi Ana, I got this back from you:
> This is the mail system. Your message could not be delivered to frank@elsewhere.example
> 550 5.1.1 User unknown
"""

READ_RECEIPT = b"""\
From: Eva <eva@elsewhere.example>
To: ana@example.com
Subject: Read: Invoice 17
Date: Wed, 18 Nov 2026 08:00:00 +0000
Message-ID: <read@elsewhere.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="b"

--b
Content-Type: text/plain

Your message was read.
--b
Content-Type: message/disposition-notification

Final-Recipient: rfc822; eva@elsewhere.example
Disposition: manual-action/MDN-sent-manually; displayed
--b--
"""

ORDINARY = b"""\
From: Eva <eva@elsewhere.example>
To: ana@example.com
Subject: Lunch
Date: Wed, 18 Nov 2026 08:00:00 +0000
Message-ID: <lunch@elsewhere.example>

At noon?
"""

WITHOUT_ADDRESS = textwrap.dedent("""\
    Return-Path: <>
    Date: Fri, 20 Nov 2026 09:30:00 +0000
    From: Mail Delivery System <MAILER-DAEMON@mail.example.com>
    To: ana@example.com
    Subject: Undeliverable: Invoice 55
    Message-ID: <nameless@mail.example.com>

    Your message could not be delivered. The recipient does not exist.
    """).encode()
"""Says that mail failed, and not for whom."""

BY_EXCHANGE_IN_HTML = textwrap.dedent("""\
    Date: Fri, 20 Nov 2026 09:30:00 +0000
    From: Exchange <robot@mail.example.com>
    To: ana@example.com
    Subject: Invoice 56
    Message-ID: <html@mail.example.com>
    X-MS-Exchange-Message-Is-Ndr:
    MIME-Version: 1.0
    Content-Type: text/html

    <html><body><b>Bob Builder</b><p>wasn't found.</p></body></html>
    """).encode()
"""Exchange's own form, which names the recipient as the address book does."""


def of_no_address(more: str = "") -> bytes:
    """A report whose Final-Recipient is no address. `more`: further groups of recipients."""
    octets = report(more=more).replace(b"Original-Recipient: rfc822;bob@elsewhere.example\n", b"")
    return octets.replace(b"<bob@elsewhere.example>", b"<Bob>").replace(
        b"rfc822; bob@elsewhere.example", b"rfc822; ?? ??"
    )


def in_words(
    body: str,
    *,
    sender: str = "MAILER-DAEMON@mx.example",
    subject: str = "failure notice",
    head: str = "",
    path: str = "<>",
) -> bytes:
    """A letter in words alone, as a server writes it that knows no reports. `head`: further lines of its head."""
    lines = (
        f"Return-Path: {path}",
        f"From: {sender}",
        "To: ana@example.com",
        f"Subject: {subject}",
        "Date: Fri, 20 Nov 2026 09:30:00 +0000",
        "Message-ID: <words@mx.example>",
    )
    return ("\n".join(lines) + f"\n{head}\n{textwrap.dedent(body)}").encode()


SEVERAL_IN_WORDS = {
    "exim": in_words(
        """\
        This message was created automatically by mail delivery software.

        A message that you sent could not be delivered to one or more of its
        recipients. This is a permanent error. The following address(es) failed:

          full@elsewhere.example
            mailbox is full: retry timeout exceeded

          gone@elsewhere.example
            550 No such user
        """,
        head="X-Failed-Recipients: full@elsewhere.example,\n gone@elsewhere.example\n",
    ),
    "qmail": in_words("""\
        Hi. This is the qmail-send program at mx.example.
        I'm afraid I wasn't able to deliver your message to the following addresses.
        This is a permanent error; I've given up. Sorry it didn't work out.

        <gone@elsewhere.example>:
        Sorry, no mailbox here by that name. (#5.1.1)

        <full@elsewhere.example>:
        192.0.2.7 failed after I sent the message.
        Remote host said: 552 5.2.2 over quota

        --- Below this line is a copy of the message.

        Return-Path: <ana@example.com>
        From: Ana <ana@example.com>
        Subject: Invoice 17
        """),
    "sendmail": in_words("""\
           ----- The following addresses had permanent fatal errors -----
        <gone@elsewhere.example>
            (reason: 550 5.1.1 User unknown)
        <full@elsewhere.example>
            (reason: 552 5.2.2 Quota)

           ----- Transcript of session follows -----
        550 5.1.1 <gone@elsewhere.example>... User unknown
        """),
    "sendmail, reasons in the transcript": in_words("""\
           ----- The following addresses had permanent fatal errors -----
        <gone@elsewhere.example>
        <full@elsewhere.example>

           ----- Transcript of session follows -----
        ... while talking to mx.elsewhere.example.:
        550 5.1.1 <gone@elsewhere.example>... User unknown
        552 5.2.2 <full@elsewhere.example>... Mailbox full
        """),
    "postfix": in_words("""\
        This is the mail system at host mx.example.

        I'm sorry to have to inform you that your message could not
        be delivered to one or more recipients.

        <gone@elsewhere.example> (expanded from <crew@example.com>): host mx said:
            550 5.1.1 unknown (in reply to RCPT TO command)

        <full@elsewhere.example>: host mx said: 552 5.2.2 full (in reply to RCPT TO
            command)
        """),
    "yahoo": in_words(
        """\
        Sorry, we were unable to deliver your message to the following address.

        <gone@elsewhere.example>:
        554: delivery error: User unknown

        <full@elsewhere.example>:
        552: mailbox full
        """,
        subject="Failure Notice",
    ),
    "exchange": in_words(
        """\
        Delivery has failed to these recipients or groups:

        Gina Gone (gone@elsewhere.example)<mailto:gone@elsewhere.example>
        The email address you entered couldn't be found. 550 5.1.1

        full@elsewhere.example
        The recipient's mailbox is full and can't accept messages now.
        """,
        sender="Microsoft Outlook <postmaster@firm.example>",
        subject="Undeliverable: Invoice 9",
    ),
    "exchange of one's own": in_words(
        """\
        Your message did not reach some or all of the intended recipients.

              Subject:  Invoice 9
              Sent:     20.11.2026 09:29

        The following recipient(s) could not be reached:

              gone@elsewhere.example on 20.11.2026 09:30
                    The e-mail account does not exist at the organization. #5.1.1
              full@elsewhere.example on 20.11.2026 09:30
                    The recipient's mailbox is full. #5.2.2
        """,
        sender="System Administrator <postmaster@firm.example>",
        subject="Undeliverable: Invoice 9",
    ),
    "a report without codes": report(
        "gone@elsewhere.example",
        status="5.0.0",
        diagnostic="",
        more="\nFinal-Recipient: rfc822; full@elsewhere.example\nAction: failed\nStatus: 5.0.0\n",
    ).replace(
        b"<gone@elsewhere.example>: host mx.elsewhere.example said: see below\n",
        b"  full@elsewhere.example\n    mailbox is full: retry timeout exceeded\n\n"
        b"  gone@elsewhere.example\n    SMTP error after RCPT TO: 550 User unknown\n",
    ),
}
"""Letters that name two addresses: one is gone, the other one's mailbox is full."""
