"""Which addresses an account may send as, as JSON: `senders`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from smtp_wizard.engine.base.records import Whole
from smtp_wizard.engine.base.shown import Shown
from smtp_wizard.engine.checks.sender_matrix import Envelope, FromField, SenderKind, SenderRow
from smtp_wizard.engine.services.senders import SenderMatrix
from smtp_wizard.output.documents.checks import FindingJson
from smtp_wizard.output.documents.document import JsonDocument


@dataclass(frozen=True, slots=True)
class SenderJson:
    """One address, and what the server makes of it."""

    address: str
    kind: SenderKind
    """'domain' and 'elsewhere' are made up, to see whether any address is taken: no message is sent from these."""
    envelope: Envelope
    """As the sender of the envelope."""
    from_: FromField
    """In From. 'unknown' also where no message was sent."""
    became: str | None
    """What stands in From instead, where that was changed."""
    test_code: str | None
    """The word in the subject of the message that was sent to oneself."""
    finding: FindingJson | None
    """What is wrong, and what to change."""

    @classmethod
    def of(cls, row: SenderRow) -> SenderJson:
        """Return a row as it is printed."""
        finding = FindingJson.of(row.finding) if row.finding is not None else None
        return cls(
            str(row.address), row.kind, row.envelope, row.from_field, row.became or None, row.code or None, finding
        )


@dataclass(frozen=True, slots=True)
class SendersTried(JsonDocument):
    """`senders`."""

    NAME: ClassVar = "senders"
    account: str
    to: str
    """Where the messages went: to the account's own mailbox."""
    sent: Whole
    """Messages that the server took."""
    seen: bool
    """Whether it was seen how all of them arrived."""
    trouble: str | None
    """Why it was not seen, in a sentence; null where it was, or no message was wanted."""
    senders: tuple[SenderJson, ...]

    @classmethod
    def of(cls, name: str, to: str, matrix: SenderMatrix, trouble: Shown) -> SendersTried:
        """Return what was found as it is printed. `trouble`: why it is not more."""
        seen = matrix.sent > 0 and not matrix.trouble
        return cls(name, to, matrix.sent, seen, trouble or None, tuple(map(SenderJson.of, matrix.rows)))
