"""Kinds of texts that were once explained wrongly. The texts are made up; each stands for others of its kind."""

from __future__ import annotations

from dataclasses import dataclass

from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.explain.error_context import AFTER, StageOrAfter
from smtp_wizard.engine.explain.factory import load_explainer
from smtp_wizard.engine.providers.catalog import load_catalog
from tests.support.rows import each_row

EXPLAINER = load_explainer(load_catalog())


@dataclass(frozen=True)
class Kind:
    """What was pasted, what it comes down to, and who must act."""

    name: str
    text: str
    code: str
    who: Who | None = None
    stage: StageOrAfter | None = None


def letter(said: str, *, opening: str = "") -> str:
    """A letter of Postfix in which the recipient's server said something."""
    return (
        "From: MAILER-DAEMON@mail.firm.test\nSubject: Undelivered Mail Returned to Sender\nTo: office@firm.test\n\n"
        f"This is the mail system at host mail.firm.test.\n\n{opening}"
        f"<ana@customer.test>: host mx.customer.test[192.0.2.10] said: {said}\n"
    )


ROUNDCUBE = """\
SMTP Error (250): Authentication failed
[12-Mar-2024 09:15:01 +0100]: <0a1b2c3d> Connecting to mail.firm.test:587...
[12-Mar-2024 09:15:01 +0100]: <0a1b2c3d> Recv: 220 mail.firm.test ESMTP Postfix
[12-Mar-2024 09:15:01 +0100]: <0a1b2c3d> Send: EHLO www.firm.test
[12-Mar-2024 09:15:01 +0100]: <0a1b2c3d> Recv: 250-mail.firm.test
[12-Mar-2024 09:15:01 +0100]: <0a1b2c3d> Recv: 250-PIPELINING
[12-Mar-2024 09:15:01 +0100]: <0a1b2c3d> Recv: 250-STARTTLS
[12-Mar-2024 09:15:01 +0100]: <0a1b2c3d> Recv: 250 8BITMIME
[12-Mar-2024 09:15:01 +0100]: <0a1b2c3d> Send: QUIT
[12-Mar-2024 09:15:01 +0100]: <0a1b2c3d> Recv: 221 2.0.0 Bye
"""
HANDED_OVER = """\
SERVER -> CLIENT: 220 mail.firm.test ESMTP
CLIENT -> SERVER: EHLO shop
SERVER -> CLIENT: 250 mail.firm.test
CLIENT -> SERVER: MAIL FROM:<shop@firm.test>
SERVER -> CLIENT: 250 OK
CLIENT -> SERVER: RCPT TO:<ana@customer.test>
SERVER -> CLIENT: 250 OK
CLIENT -> SERVER: DATA
SERVER -> CLIENT: 354 Go ahead
CLIENT -> SERVER: Subject: Order
CLIENT -> SERVER: .
SERVER -> CLIENT:
SMTP ERROR: DATA END command failed:
"""
OPENED_AND_CLOSED = """\
2024-04-14 14:19:54 Connection: opened
2024-04-14 14:22:39 SERVER -> CLIENT:
2024-04-14 14:22:39 SMTP NOTICE: EOF caught while checking if connected
2024-04-14 14:22:39 Connection: closed
SMTP Error: Could not authenticate.
"""
ERROR_FIRST = """\
SMTP Error: Could not authenticate.
Connection: opening to mail.firm.test:587, timeout=30
SERVER -> CLIENT: 220 mail.firm.test ESMTP Exim 4.96
CLIENT -> SERVER: EHLO shop
SERVER -> CLIENT: 250-mail.firm.test
SERVER -> CLIENT: 250 AUTH PLAIN LOGIN
Auth method requested: UNSPECIFIED
Auth methods available on the server: PLAIN,LOGIN
Requested auth method not
"""
OTHER_LINES = """\
2024-12-29T07:19:56+01:00 box pushd: target 12 has error ExceedRateLimit, removed.
2024-12-29T07:20:29+01:00 box mailer: The mail server responded error message: 535 5.7.8 no (require: 235)
2024-12-29T07:20:30+01:00 box pushd: target 14 has error ExceedRateLimit, removed.
"""
NAME_FIRST = """\
submission: reverse DNS error {"reason":"no such host","src_ip":"192.0.2.3:48138"}
submission: RCPT ok {"rcpt":"ana@customer.test"}
submission: DATA error {"reason":"buffer: SMTP error 552: Maximum message size exceeded"}
"""
LATE_AND_SCANNED = """\
From: Mail Delivery System <Mailer-Daemon@mail.firm.test>
To: office@firm.test
Subject: Warning: message 1Gdrvl-0006Gp-PU delayed 24 hours

A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mail.firm.test.

The address to which the message has not yet been delivered is:

  ana@customer.test

No action is required on your part. Delivery attempts will continue for some time.

This message has been scanned with ESET antivirus, virus free.
"""
SAID_ON_THE_NEXT_LINE = """\
Final-Recipient: rfc822; ana@customer.test
Action: failed
Status: 5.0.0
Diagnostic-Code: X-Postfix; host cluster.customer.test[192.0.2.10]
    said: 553-you are trying to use me as a relay, but I have not been
    configured to let you do this. (in reply to RCPT TO command)
"""
KINDS = [
    # People hide addresses and names with the sign that some firewalls put in the place of commands.
    Kind("hidden address", "554 mx.firm.test Connection refused from XXXX. See the list.", "sending_ip_rejected"),
    Kind("hidden name", "554 Message rejected: Email address is not verified: XXXXXXXXXXXX", "address_not_verified"),
    Kind("hidden in a letter", letter("550 5.1.1 <xxxxxx@customer.test> User unknown"), "recipient_rejected"),
    Kind("hidden number", "550 5.4.1 Recipient address rejected: Access denied. AS(xxxxxxxx)", "recipient_rejected"),
    Kind("a firewall", '500 5.5.1 Command unrecognized: "XXXX shop.firm.test"', "connection_intercepted", Who.NETWORK),
    # A list in a server is no list of spammers.
    Kind("Domino", letter("550 ana (ana@customer.test) not listed in Domino Directory"), "recipient_rejected", Who.YOU),
    Kind("Notes", letter("550 ana is not listed in public Name & Address Book"), "recipient_rejected", Who.YOU, AFTER),
    Kind("unlisted user", letter("550 5.1.1 not found in recipient directory"), "recipient_rejected", Who.YOU),
    # The recipient's mailbox is full, in other words than 'full'.
    Kind("no space", letter("552 ana does not have enough space"), "mailbox_full", Who.RECIPIENT),
    Kind("no room left", letter("552 5.2.2 no room left in mailbox"), "mailbox_full", Who.RECIPIENT),
    Kind("quota", letter("550 5.7.1 mailbox would exceed its storage quota"), "mailbox_full", Who.RECIPIENT),
    Kind("account is full", letter("550 5.1.1 account is full"), "mailbox_full", Who.RECIPIENT),
    Kind("not space, but size", letter("552 5.3.4 message size exceeds fixed limit"), "message_too_large", Who.YOU),
    Kind("size in figures", letter("554 Rejected Class=size limit=15728640 size=18571048"), "message_too_large"),
    Kind("a rate, no quota", letter("450 4.2.1 The recipient has exceeded message rate limit"), "rate_limited"),
    # The recipient's own server does not know its domain.
    Kind(
        "rcpthosts",
        letter("553 sorry, that domain isn't in my list of allowed rcpthosts (in reply to RCPT TO command)"),
        "recipient_rejected",
        Who.RECIPIENT,
    ),
    Kind("said on the next line", SAID_ON_THE_NEXT_LINE, "recipient_rejected", Who.RECIPIENT),
    # The recipient's firm does not let the sender through.
    Kind(
        "sender rejected by the recipient's rule",
        letter("554 5.7.1 <a@firm.test>: Sender address rejected: Access denied"),
        "sender_not_allowed",
        Who.RECIPIENT,
    ),
    Kind("blocked sender", letter("550 Envelope blocked - User Entry"), "sender_not_allowed", Who.RECIPIENT),
    Kind("German", letter("550 Absender office@firm.test ist gesperrt"), "sender_not_allowed", Who.RECIPIENT),
    # The other server asks back, and nobody answers.
    Kind("callout", "451 <bounce@firm.test> unable to verify address", "sender_not_allowed", Who.ADMIN),
    Kind("callout in Exim", "550-Callout verification failed: 550 no such user", "sender_not_allowed", Who.ADMIN),
    # Who may connect.
    Kind("not allowed to connect", "554 5.7.1 You are not allowed to connect.", "sending_ip_rejected", Who.NETWORK),
    Kind("refused from", "554 mx.firm.test Connections from 192.0.2.1 rejected", "sending_ip_rejected", Who.NETWORK),
    Kind(
        "a list that was not asked rightly",
        letter(
            "554 5.7.1 blocked using zen.spamhaus.org; Error: open resolver; https://check.spamhaus.org/returnc/pub/x"
        ),
        "sending_ip_rejected",
        Who.RECIPIENT,
    ),
    Kind(
        "Microsoft, outgoing", "5.7.708 Service unavailable. Traffic not accepted", "sending_ip_rejected", Who.PROVIDER
    ),
    Kind("a code of a filter", letter("550 x - <a@firm.test> sender rejected AUP#CDRBL"), "sending_ip_rejected"),
    # Words of people, of other programs and of virus scanners are not the server's.
    Kind("today", "It stopped working today, port 587. Bad request error 400 in the app.", "nothing_said"),
    Kind("a line of another program", OTHER_LINES, "bad_credentials"),
    Kind("a virus scanner's footer", LATE_AND_SCANNED, "temporary_try_later", Who.YOU),
    Kind("a name that was not found, and then a reply", NAME_FIRST, "message_too_large"),
    # Sessions as a whole.
    Kind("STARTTLS left out", ROUNDCUBE, "starttls_required", Who.YOU),
    Kind("no word after the end", HANDED_OVER, "outcome_unknown", Who.YOU),
    Kind("opened, and not a word", OPENED_AND_CLOSED, "tls_use_implicit", Who.YOU),
    Kind("the error before the session", ERROR_FIRST, "bad_credentials", Who.YOU),
    Kind(
        "words in a hang-up",
        "The SMTP server has unexpectedly disconnected: Authentication failed: Bad username / password",
        "bad_credentials",
    ),
    Kind(
        "a hang-up of a container",
        "mail: Resource temporarily unavailable\nmail: Unexpected EOF on SMTP connection",
        "server_closed",
    ),
    Kind(
        "offered is not used",
        "250-AUTH LOGIN PLAIN XOAUTH XOAUTH2\nAUTH PLAIN ***\n534-5.7.9 Please log in with your web browser",
        "web_login_required",
    ),
    # A yes taken for an error; an order that the two do not agree on.
    Kind("a yes", "error sending message to subscriber 12: 250 Accepted", "success_misread", Who.APP),
    Kind("a yes, quoted", "Unexpected response from server: '250 2.1.0 Ok'", "success_misread", Who.APP),
    Kind("order of commands", "503 5.5.1 Error: No sender (in reply to DATA command)", "order_misread", Who.APP),
    Kind("waited too long", "451 4.4.2 Timeout waiting for data from client.", "server_closed", Who.APP),
    # Which way of encrypting: seen from the server, and from PHP.
    Kind(
        "TLS to a port in clear text",
        "postfix/smtpd[9521]: too many errors after UNKNOWN from unknown[192.0.2.1]",
        "tls_use_starttls",
        Who.YOU,
    ),
    Kind("PHP", "Failed to connect with fsockopen host=ssl://smtp.firm.test port=587", "tls_use_starttls", Who.YOU),
    Kind("PHP, no time", "Unable to connect to ssl://smtp.firm.test:587 (Connection timed out)", "port_blocked"),
    # Certificates that the settings name themselves.
    Kind(
        "fingerprint",
        "TLS certificate verification failed: the certificate fingerprint does not match",
        "cert_unknown_issuer",
        Who.YOU,
    ),
    Kind("pinned key", "curl: (90) SSL: public key does not match pinned public key", "cert_unknown_issuer", Who.YOU),
    Kind(
        "an old program calls",
        "SSL routines:SSL3_GET_CLIENT_HELLO:no shared cipher; Version: TLS 1.0 (0x0301)",
        "tls_version_old",
        Who.APP,
    ),
    # What a server says of itself, and of those that it could not reach.
    Kind(
        "a filter that stands still",
        "delivery temporarily suspended: connect to 127.0.0.1[127.0.0.1]:10024: Connection refused",
        "wrong_host_or_port",
        Who.ADMIN,
    ),
    Kind("a part that stands still", "status=deferred (mail transport unavailable)", "server_fault", Who.ADMIN),
    Kind("to itself", "mail for customer.test loops back to myself", "recipient_rejected", Who.ADMIN),
    Kind(
        "sent twice",
        "lost connection with mx.customer.test[192.0.2.9] while sending end of data -- message may be sent more"
        " than once",
        "outcome_unknown",
    ),
    Kind(
        "a domain that does not exist",
        "postfix/smtp[5]: 4F: to=<ana@custmer.test>, relay=none, delay=1, dsn=5.4.4, status=bounced (Host or domain"
        " name not found. Name service error for name=custmer.test type=A: Host not found)",
        "recipient_rejected",
        Who.YOU,
    ),
    Kind(
        "a name of one's own that does not exist",
        "postfix/lmtp[5]: 4F: to=<ana@firm.test>, relay=none, delay=1, dsn=5.4.4, status=bounced (Host or domain"
        " name not found. Name service error for name=store type=A: Host not found)",
        "dns_host_not_found",
    ),
    Kind(
        "late, from a large provider",
        "Delivery incomplete\nThere was a temporary problem delivering your message to ana@customer.test. Gmail will"
        " retry for 47 more hours.\nThe response was:\nThe recipient server did not accept our requests to connect:"
        " timed out",
        "temporary_try_later",
        Who.YOU,
    ),
    Kind(
        "French, full",
        "Votre message n'a pas pu être remis à ana@customer.test : la boîte aux lettres du destinataire est pleine",
        "mailbox_full",
        Who.RECIPIENT,
    ),
    Kind(
        "Portuguese, outgoing",
        "O servidor remoto retornou '554 5.1.8 Acesso negado, remetente de saída inválido'",
        "account_suspended",
    ),
    # Whose side it is shows in a log whose addresses were hidden, too.
    Kind(
        "a hidden address in a log",
        "postfix/smtp[25]: 5A7: to=<ana@customer.test>, relay=mx.customer.test[SERVER_IP]:25, delay=3, dsn=5.7.1,"
        " status=bounced (host mx.customer.test[SERVER_IP] said: 554 5.7.1 <a@firm.test>: Sender address rejected:"
        " Access denied (in reply to RCPT TO command))",
        "sender_not_allowed",
        Who.RECIPIENT,
    ),
    # What recipients' servers say in other words than the usual ones.
    Kind("reputation", letter("550 the ip/domain has reputation problems"), "sending_ip_rejected"),
    Kind("no name for the address", letter("550 access denied, ip name lookup failed"), "sending_ip_rejected"),
    Kind("over the allowed quota", letter("550 ana would be over the allowed quota"), "mailbox_full"),
    Kind("not an open relay", letter("550 this is not an open relay"), "recipient_rejected", Who.RECIPIENT),
    Kind(
        "French, size",
        letter("550 taille limite du message atteinte (in reply to end of DATA command)"),
        "message_too_large",
    ),
    Kind("a returned letter", letter("550 empty envelope senders not allowed"), "sender_not_allowed", Who.RECIPIENT),
    Kind("not approved", letter("550 sender not pre-approved"), "sender_not_allowed", Who.RECIPIENT),
    Kind(
        "refused at the sender, and not a word why",
        letter("550 go away (in reply to MAIL FROM command)"),
        "sender_not_allowed",
        Who.RECIPIENT,
    ),
    Kind(
        "inside the server",
        letter("SMTPUTF8 is required, but was not offered by host ::1[::1]"),
        "smtputf8_unsupported",
        Who.ADMIN,
    ),
]


@each_row("kind", KINDS, ids=lambda kind: kind.name)
def test_texts_of_a_kind(kind: Kind) -> None:
    answer = EXPLAINER.explain_text(kind.text, stage=kind.stage)
    assert answer.finding.code == kind.code
    assert kind.who is None or answer.finding.who is kind.who
