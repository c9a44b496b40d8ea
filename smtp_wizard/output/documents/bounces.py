"""Mail that came back as JSON, and as a table for a spreadsheet: `bounces`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from smtp_wizard.engine.base.records import Second, Whole
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.mailbox.bounce_letters import LetterKind
from smtp_wizard.engine.mailbox.failed_deliveries import FailedDelivery
from smtp_wizard.engine.services.bounces import UnreadableLetter
from smtp_wizard.output.documents.document import JsonDocument


@dataclass(frozen=True, slots=True)
class BounceJson:
    """One message that did not reach one address."""

    address: str
    at: Second | None
    """When that was said."""
    subject: str
    """The message's."""
    sent_at: Second | None
    status: str
    """Enhanced status code, '' where none is given."""
    kind: LetterKind
    """'failed', or 'delayed': it is still being tried."""
    final: bool
    cause: str
    code: str
    """A special case of the cause: 'mailbox_full', 'delivery_expired', 'backscatter'; often the cause itself."""
    why: str
    who: Who
    steps: tuple[str, ...]
    """What to do, above all with the customer's record."""
    did_you_mean: str | None
    reported_by: str
    """The server that says so."""
    new: bool
    """Whether it was not shown before."""
    server_said: str
    """The refusing server's words, at most 300 characters; '' where the letter has none."""
    forward: str | None
    """The message that a step asks to send on; null where none does."""
    backscatter: bool
    """Whether the returned message is from another domain than the account's: its address was put to it by others."""

    @classmethod
    def of(cls, delivery: FailedDelivery) -> BounceJson:
        """Return a delivery as it is printed."""
        return cls(
            delivery.address,
            delivery.at,
            delivery.subject,
            delivery.sent_at,
            delivery.status,
            delivery.kind,
            delivery.final,
            delivery.cause,
            delivery.code,
            delivery.why,
            delivery.who,
            delivery.steps,
            delivery.did_you_mean or None,
            delivery.reported_by,
            delivery.new,
            delivery.server_said,
            delivery.forward,
            delivery.backscatter,
        )


@dataclass(frozen=True, slots=True)
class UnreadableJson:
    """A letter that reports a failure, but not, or not for all, to which address."""

    at: Second | None
    """When it came."""
    subject: str
    """Its own, by which it is found in the mailbox."""
    new: bool
    """Whether it was not shown before."""

    @classmethod
    def of(cls, letter: UnreadableLetter) -> UnreadableJson:
        """Return a letter as it is printed."""
        return cls(letter.at, letter.subject, letter.new)


@dataclass(frozen=True, slots=True)
class BouncesFound(JsonDocument):
    """`bounces`."""

    NAME: ClassVar = "bounces"
    account: str
    since: Second
    server: str
    """The IMAP server that was read."""
    scanned: Whole
    """Messages that were looked at this time."""
    auto_replies: Whole
    """Automatic replies among them: they are no bounces."""
    complete: bool
    """Whether all that came back was read."""
    bounces: tuple[BounceJson, ...]
    """Grouped by address, the newest first."""
    unreadable: tuple[UnreadableJson, ...] = ()
    """Letters that report a failure, but not, or not for all, to which address: then `complete` is false."""


COLUMNS = (
    "address",
    "did_you_mean",
    "final",
    "why",
    "what_to_do",
    "status",
    "cause",
    "code",
    "at",
    "subject",
    "sent_at",
    "reported_by",
    "new",
    "server_said",
    "forward",
    "backscatter",
)


def csv_table(deliveries: Iterable[FailedDelivery]) -> str:
    """Return the deliveries as a table (RFC 4180), with a heading.

    A spreadsheet computes what begins like a formula, and a letter from outside may begin so: that gets an apostrophe.
    """
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for each in deliveries:
        table.writerow(map(_cell, _row(each)))
    return written.getvalue()


def _row(each: FailedDelivery) -> tuple[str, ...]:
    return (
        each.address,
        each.did_you_mean,
        "yes" if each.final else "no",
        each.why,
        " ".join(each.steps),
        each.status,
        each.cause,
        each.code,
        each.at.isoformat(timespec="seconds") if each.at else "",
        each.subject,
        each.sent_at.isoformat(timespec="seconds") if each.sent_at else "",
        each.reported_by,
        "yes" if each.new else "no",
        each.server_said,
        each.forward or "",
        "yes" if each.backscatter else "no",
    )


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell begins with that spreadsheets compute, in the width of East Asian writing too."""
