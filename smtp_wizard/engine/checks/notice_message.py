"""A message in which the program tells what has changed."""

from __future__ import annotations

import textwrap
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.checks.test_message import mailbox, needs_smtputf8
from smtp_wizard.engine.lazy_dataclass import dataclass

_WIDTH = 72
_LONGEST = 400
"""Characters of a line of it at most."""


@dataclass(frozen=True, slots=True)
class NoticeText:
    """What is told."""

    subject: str
    lines: tuple[str, ...]
    """A change each."""


def notice_message(
    sender: Address, recipient: Address, text: NoticeText, *, sender_name: str, token: str, now: datetime
) -> bytes:
    """Write the message as it is handed to a server: CRLF, not yet dot-stuffed. `now` has a time zone.

    The words are cleaned, since names and what servers say stand in them. It needs SMTPUTF8 where `needs_smtputf8` says
    so of the addresses.
    """
    message = EmailMessage(policy=SMTPUTF8 if needs_smtputf8(sender, recipient) else SMTP)
    message["From"] = mailbox(sender, shown(sender_name.replace("=?", "= ?"), 100))
    message["To"] = mailbox(recipient)
    message["Subject"] = shown(text.subject.replace("=?", "= ?"), 150)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{token}.{now.timestamp():.0f}@{sender.ascii_domain}>"
    # RFC 3834 section 5: so that no vacation notice answers it.
    message["Auto-Submitted"] = "auto-generated"
    body = "\n".join(_folded(line) for line in text.lines) + "\n"
    # Quoted-printable even where the policy would send 8 bits: not every server offers 8BITMIME.
    message.set_content(body, cte="7bit" if body.isascii() else "quoted-printable")
    return message.as_bytes()


def _folded(line: str) -> str:
    return textwrap.fill(shown(line, _LONGEST), _WIDTH, subsequent_indent="    ", break_on_hyphens=False) or "-"
