"""Sending limits as facts: what is counted, over what time, how many, who says so and when."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.records import Whole
from smtp_wizard.engine.lazy_dataclass import dataclass

MEGABYTE = 1_000_000
"""Providers say 'MB' and leave open which one they mean. The smaller one is taken: a message within it fits both."""

NOT_PUBLISHED = "not published"
"""What is said where the provider leaves a figure open, and says so itself."""
NOT_FOUND = "not found in our search"
"""What is said where we looked for a figure: that says nothing about what the provider publishes."""
NOT_KNOWN = "not known to us"
"""What is said where nobody has looked yet."""


class Counted(StrEnum):
    """What a limit counts. One message to fifty people is one message and fifty recipients."""

    MESSAGES = "messages"
    RECIPIENTS = "recipients"
    BYTES = "bytes"
    CONNECTIONS = "connections"


class Per(StrEnum):
    """The stretch that a limit is counted over."""

    SECOND = "second"
    MINUTE = "minute"
    FIVE_MINUTES = "five-minutes"
    TEN_MINUTES = "ten-minutes"
    HALF_HOUR = "half-hour"
    HOUR = "hour"
    TWO_HOURS = "two-hours"
    TWELVE_HOURS = "twelve-hours"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    MESSAGE = "message"
    CONNECTION = "connection"
    SESSION = "session"
    CONCURRENT = "concurrent"
    """At the same time."""
    MAILING = "mailing"
    """One mailing, over how many days and in how many parts it may go out."""

    @property
    def words(self) -> str:
        """How a sentence says it: 'per day', 'every 30 minutes', 'at the same time'."""
        return _PER_WORDS.get(self, f"per {self.value}")


_PER_WORDS = {
    Per.FIVE_MINUTES: "every 5 minutes",
    Per.TEN_MINUTES: "every 10 minutes",
    Per.HALF_HOUR: "every 30 minutes",
    Per.TWO_HOURS: "every 2 hours",
    Per.TWELVE_HOURS: "every 12 hours",
    Per.CONCURRENT: "at the same time",
}


class SizeOf(StrEnum):
    """What a limit on size is counted in."""

    FILES = "files"
    """The attachments as they lie on a computer, before they are encoded."""
    MESSAGE = "message"
    """The message as it is sent, its attachments encoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountKind:
    """A kind of account with limits of its own: a plan, a trial, a country, an age of the contract."""

    id: str
    name: str
    """As a short phrase: 'Basic plan'."""
    barred: str = ""
    """Why no mailing can leave from it, as a sentence; empty: one can."""


_WITHOUT_FIGURE = {Confidence.UNKNOWN: NOT_KNOWN, Confidence.OWN: NOT_FOUND}


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLimit:
    """One limit that a provider sets. A floor, not a promise: new accounts are cut off earlier."""

    what: Counted
    per: Per
    value: Whole | None
    """How many; bytes for a size. None: the provider publishes no figure."""
    applies_to: str = ""
    """Which accounts or ways of sending, as a short phrase; empty: all."""
    accounts: tuple[str, ...] = ()
    """The ids of the kinds of account that it is for; empty: all."""
    size_of: SizeOf | None = None
    """What a size is counted in; None: the source leaves it open, or it is no size."""
    ceiling: bool = False
    """It is the most that any account can be allowed; an ordinary one has less."""
    each_mailbox: bool = False
    """It is counted for every mailbox by itself, however many one computer sends for."""
    documented: bool = False
    """The figure is the old article's, whether or not it still holds."""
    historical: bool = False
    """The figure is known to be of the past."""
    worked_out: str = ""
    """What the source says instead, '18 in 15 minutes', where the figure is not its own; empty: it is."""
    source: str = ""
    """The id of a source in the catalogue; empty where the confidence is unknown."""
    as_of: str = ""
    """The day that the source speaks of, or 'undated'; empty where nothing is known."""
    confidence: Confidence = Confidence.UNKNOWN

    @property
    def figure(self) -> str:
        """The bare figure: '500 messages per day', '10 MB per message'; without one, whose silence that is."""
        if self.value is None:
            return _WITHOUT_FIGURE.get(self.confidence, NOT_PUBLISHED)
        return f"{_amount(self.what, self.value)} {self.per.words}"

    def words(self) -> str:
        """One readable phrase: the figure, and whom it is for."""
        for_whom = f" ({self.applies_to})" if self.applies_to else ""
        past = "formerly " if self.historical else ""
        return f"{past}{self.figure}{for_whom}"


def connections_at_once(limits: Iterable[SendLimit]) -> int | None:
    """Return how many connections a provider lets one computer have at the same time; None where it does not say.

    What it says of a single mailbox is no bound on many of them.
    """
    said = [
        each.value
        for each in limits
        if (each.what, each.per) == (Counted.CONNECTIONS, Per.CONCURRENT) and each.value and not each.each_mailbox
    ]
    return min(said, default=None)


def _amount(what: Counted, value: int) -> str:
    """'1 message', '1,000 recipients', '10 MB'."""
    if what is Counted.BYTES:
        return f"{value / MEGABYTE:.6f}".rstrip("0").rstrip(".") + " MB"
    return f"{value:,} {what.value.removesuffix('s') if value == 1 else what.value}"
