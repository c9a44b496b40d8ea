"""The test message: short, honest, and made so that it can be found again."""

from __future__ import annotations

import re
import secrets
import string
import textwrap
import unicodedata
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase, shown

TOKEN_LENGTH = 8
# What is easily taken for something else when it is read out is left out.
_TOKEN_LETTERS = "".join(sorted(set(string.ascii_lowercase + string.digits) - set("01ilo")))
_TOKEN = re.compile(r"[A-Za-z0-9]{1,40}")
_LONGEST_WORDS = 300
_WIDTH = 72


def new_token() -> str:
    """Return the random word by which one test message is told from all others."""
    return "".join(secrets.choice(_TOKEN_LETTERS) for _ in range(TOKEN_LENGTH))


def needs_smtputf8(*addresses: Address) -> bool:
    """Return whether a message with these addresses can only go to a server that offers SMTPUTF8 (RFC 6531).

    Only what stands before the @ matters: a domain has its A-labels for servers that know nothing else.
    """
    return not all(address.local.isascii() for address in addresses)


def test_message(
    sender: Address,
    recipient: Address,
    *,
    sender_name: str,
    reply_to: Address | None,
    company: str,
    now: datetime,
    token: str,
    host_words: str,
) -> bytes:
    """Write the test message as it is handed to a server: CRLF, not yet dot-stuffed.

    Lines have at most 78 characters, where no single word is longer than that, never over 998 (RFC 5322 section 2.1.1).
    `now` has a time zone. `host_words` names the server for the reader; `company` and `sender_name` may be empty. It
    needs SMTPUTF8 where `needs_smtputf8` says so of sender, recipient and reply-to. Raises `InputError` where one of
    the words would break out of its line (RFC 5322 section 2.2).
    """
    for what, words in (("sender's name", sender_name), ("company's name", company), ("server's name", host_words)):
        _refuse_unwritable(what, words)
    if not _TOKEN.fullmatch(token):
        raise InputError(phrase("The word that marks a test message may only have letters and figures."))
    addresses = [sender, recipient, *([reply_to] if reply_to else [])]
    message = EmailMessage(policy=SMTPUTF8 if needs_smtputf8(*addresses) else SMTP)
    message["From"] = mailbox(sender, sender_name or company)
    message["To"] = mailbox(recipient)
    if reply_to is not None:
        message["Reply-To"] = mailbox(reply_to)
    message["Subject"] = f"smtp-wizard test {token}"
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{token}.{now.timestamp():.0f}@{sender.ascii_domain}>"
    # RFC 3834 section 5: so that no vacation notice answers it.
    message["Auto-Submitted"] = "auto-generated"
    text = _text(sender, company, now, token, host_words)
    # Quoted-printable even where the policy would send 8 bits: not every server offers 8BITMIME.
    message.set_content(text, cte="7bit" if text.isascii() else "quoted-printable")
    return message.as_bytes()


def mailbox(address: Address, name: str = "") -> str:
    """Write an address for a header, its domain in A-labels: email.message encodes a Unicode one wrongly."""
    from email.headerregistry import Address as Mailbox

    return str(Mailbox(name.strip(), address.local, address.ascii_domain))


def _text(sender: Address, company: str, now: datetime, token: str, host_words: str) -> str:
    """Say who sent this, through which server, and when."""
    whose = f" of {company.strip()}" if company.strip() else ""
    paragraphs = (
        "This is a test message. If you can read it, sending works.",
        f"smtp-wizard sent it for {sender}{whose}, through the mail server {host_words}, on {now:%Y-%m-%d at %H:%M} "
        f"({_zone(now)}).",
        f"The code of this test is {token}.",
        "You don't have to answer. If you know nothing of this test, somebody mistyped an address: just delete it.",
    )
    return (
        "\n\n".join(textwrap.fill(each, _WIDTH, break_long_words=False, break_on_hyphens=False) for each in paragraphs)
        + "\n"
    )


def _zone(now: datetime) -> str:
    """Name a time zone by its distance from UTC: names such as CST mean several."""
    if now.tzinfo is None:
        raise ValueError("a message needs a time with its time zone")
    offset = f"{now:%z}"
    return "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:5]}"


def _refuse_unwritable(what: str, words: str) -> None:
    """Refuse line ends, other control characters and halves of characters. Raises `InputError`.

    '=?' begins an encoded word (RFC 2047), in which email.message would find line ends that nobody sees here.
    """
    if len(words) > _LONGEST_WORDS:
        raise InputError(phrase("The {} is too long: at most {} characters.", shown(what), _LONGEST_WORDS))
    if "=?" in words:
        raise InputError(phrase("The {} has =? in it, which cannot be sent.", shown(what)))
    for character in words:
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}:
            raise InputError(
                phrase("The {} has a character in it that cannot be sent: {}", shown(what), shown(words, 80))
            )
