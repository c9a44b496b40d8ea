"""How a mailing fits sending limits: pure arithmetic over `SendLimit`, without a clock, a file or a provider's name.

One message goes to one recipient, so a limit on messages and a limit on recipients both count each message once; they
stay two limits, and the narrower one binds. All limits of a plan are those of one kind of account. A limit over a
stretch shorter than a day bounds the day as well: 50 per hour are 1,200 per day. Limits of a day, a week or a month are
held over any such stretch, not from midnight. Figures of the old article and of the past are never planned with.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.records import parse_day
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.limits.limits_in_force import (
    DAY_SECONDS,
    SHORT,
    account_meant,
    daily_of,
    days_of,
    is_rate,
    is_size,
    limits_in_force,
    maximum_of,
    most_of_a_mailing,
)
from smtp_wizard.engine.providers.limits import MEGABYTE, AccountKind, SendLimit, SizeOf

MOST_RECIPIENTS = 100_000_000
MOST_EACH = 1_000
MOST_MEGABYTES = 10_000
COMFORTABLE = 30
"""Days after which a mailing counts as not fitting: nobody waits longer for the last one."""
LONGEST = 3_660
"""Days beyond which no plan is made: ten years are never."""


@dataclass(frozen=True, slots=True)
class Reserve:
    """What is kept free for invoices and confirmations: a number a day, or a part of every limit."""

    amount: int = 0
    percent: bool = False

    @classmethod
    def parse(cls, text: str) -> Reserve:
        """Take '50' or '10 %'; empty: nothing. Raises `InputError`."""
        found = re.fullmatch(r"(\d{1,9})\s*(%?)", text.strip(), re.ASCII)
        if not text.strip():
            return cls()
        if found is None:
            raise InputError(phrase("What is kept free is a number, such as 50, or a part, such as 10%."))
        amount, percent = int(found[1]), bool(found[2])
        if percent and amount > 100:
            raise InputError(phrase("There is no more than 100% to keep free."))
        return cls(amount, percent)

    def of(self, most: int, days: int) -> int:
        """Return what is left of `most` in so many days; never below nothing."""
        return most * (100 - self.amount) // 100 if self.percent else max(0, most - self.amount * days)

    def __str__(self) -> str:
        return f"{self.amount}%" if self.percent else f"{self.amount:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """What is to be sent."""

    recipients: int
    each: int = 1
    """Messages for each recipient."""
    size: int = 0
    """Bytes of one message with its files, before they are encoded; 0: not said."""
    reserve: Reserve = Reserve()
    start: date

    @property
    def messages(self) -> int:
        """How many messages that is."""
        return self.recipients * self.each

    @property
    def encoded(self) -> int:
        """How large a message is on its way: base64 makes four bytes of three (RFC 4648, section 4)."""
        return -(-self.size * 4 // 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One account that takes part."""

    name: str
    limits: tuple[SendLimit, ...]
    sent: int = 0
    """What it has sent already on the first day."""
    chosen: str = ""
    """Words that say what kind of account it is, or which of several figures is its own; empty: the ordinary one."""
    accounts: tuple[AccountKind, ...] = ()
    """The kinds of account that the provider has."""

    @property
    def account(self) -> AccountKind | None:
        """What kind of account it is; None where the provider has one kind."""
        return account_meant(self.accounts, self.limits, self.chosen)

    @property
    def held(self) -> tuple[SendLimit, ...]:
        """The figures that hold for it today."""
        return limits_in_force(self.limits, self.chosen, self.accounts)


class Exclusion(StrEnum):
    """Why an account takes no part."""

    NOT_KNOWN = "not-known"
    """We do not know how much it may send."""
    BARRED = "barred"
    """No mailing can leave from this kind of account: `AccountKind.barred` says why."""
    TOO_MANY = "too-many"
    """It lets no mailing to so many people leave, in parts neither."""
    TOO_LARGE = "too-large"
    """It takes no message of this size."""
    NOTHING_LEFT = "nothing-left"
    """What is kept free is all that it may send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one account does of a mailing."""

    sender: Sender
    per_day: tuple[int, ...] = ()
    """From the first day on; empty where it takes no part."""
    interval: float | None = None
    """Seconds between two messages that break no limit; None where it takes no part."""
    binding: SendLimit | None = None
    """The limit that sets the pace, or that forbids the message; None where none is known."""
    exclusion: Exclusion | None = None

    @property
    def total(self) -> int:
        """How many messages it sends."""
        return sum(self.per_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a mailing goes out."""

    mailing: Mailing
    shares: tuple[Share, ...]
    days: int | None
    """None: it does not come to an end, or nobody can say."""

    @property
    def per_day(self) -> tuple[int, ...]:
        """How many messages on each day, from the first on; their sum is the mailing. Empty where `days` is None."""
        return tuple(sum(numbers) for numbers in zip(*(each.per_day for each in self.working), strict=True))

    @property
    def working(self) -> tuple[Share, ...]:
        """The accounts that send anything."""
        return tuple(each for each in self.shares if each.per_day)

    @property
    def ends(self) -> date | None:
        """The day of the last message."""
        return None if self.days is None else self.mailing.start + timedelta(days=self.days - 1)

    @property
    def narrowest(self) -> Share | None:
        """The share whose limit binds first; where several work together, the one that may send least."""
        able = [each for each in self.shares if each.exclusion is None]
        known = able or [each for each in self.shares if each.binding is not None]
        return min(known, key=lambda each: daily_of(each.sender.held) or 0, default=None)

    @property
    def interval(self) -> float | None:
        """Seconds between two messages, whichever account sends them, where each keeps its own safe pace."""
        rate = sum(1 / each.interval for each in self.working if each.interval)
        return math.ceil(1_000 / rate - 1e-9) / 1_000 if rate else None

    @property
    def fits(self) -> bool:
        """Does it go out within a month?"""
        return self.days is not None and self.days <= COMFORTABLE

    @property
    def is_unknown(self) -> bool:
        """Can nobody say whether it fits, as no account's limits are published?"""
        return bool(self.shares) and all(share.exclusion is Exclusion.NOT_KNOWN for share in self.shares)


def plan(mailing: Mailing, senders: Sequence[Sender], *, longest: int = LONGEST) -> Plan:
    """Spread a mailing over days, as soon as the limits let it; the accounts are filled in the order they come in.

    Where it takes more than `longest` days, or no account can be planned with, `days` is None and no day is listed.
    """
    shares = [_share(mailing, sender) for sender in senders]
    paces = {at: _Pace(share, mailing.reserve) for at, share in enumerate(shares) if share.exclusion is None}
    left, days = mailing.messages, 0
    while left and paces and days < longest:
        for pace in paces.values():
            left -= pace.send(left)
        days += 1
    if left:
        return Plan(mailing=mailing, shares=tuple(shares), days=None)
    done = tuple(paces[at].share_done() if at in paces else share for at, share in enumerate(shares))
    return Plan(mailing=mailing, shares=done, days=days)


# --- one account ---


def _share(mailing: Mailing, sender: Sender) -> Share:
    """Say what an account can do for a mailing, before any day is filled."""
    held = sender.held
    rates = [limit for limit in held if is_rate(limit)]
    if sender.account is not None and sender.account.barred:
        return Share(sender=sender, exclusion=Exclusion.BARRED)
    if many := next((limit for limit in held if mailing.recipients > most_of_a_mailing(limit)), None):
        return Share(sender=sender, binding=many, exclusion=Exclusion.TOO_MANY)
    if size := next((limit for limit in held if is_size(limit) and size_in(limit, mailing) > (limit.value or 0)), None):
        return Share(sender=sender, binding=size, exclusion=Exclusion.TOO_LARGE)
    if not rates:
        return Share(sender=sender, exclusion=Exclusion.NOT_KNOWN)
    binding = min(rates, key=lambda limit: mailing.reserve.of(maximum_of(limit), days_of(limit)) / days_of(limit))
    if any(not mailing.reserve.of(maximum_of(limit), days_of(limit)) for limit in rates):
        return Share(sender=sender, binding=binding, exclusion=Exclusion.NOTHING_LEFT)
    return Share(sender=sender, interval=_interval(rates, mailing.reserve), binding=binding)


def size_in(limit: SendLimit, mailing: Mailing) -> int:
    """Return how large a message is as this limit counts it: as it is sent, unless the limit is on the files."""
    return mailing.size if limit.size_of is SizeOf.FILES else mailing.encoded


def _interval(rates: Sequence[SendLimit], reserve: Reserve) -> float:
    """Return the seconds between two messages that no limit forbids, in thousandths, rounded up.

    The limits over short stretches say it. Where there is none, nobody knows how fast is too fast, and a day's
    messages are spread over the day. What is kept free is kept free in every stretch.
    """
    short = [limit for limit in rates if limit.per in SHORT] or rates
    most = min(reserve.of(maximum_of(limit), days_of(limit)) for limit in short)
    return -(-DAY_SECONDS * 1_000 // most) / 1_000


class _Pace:
    """An account at work: what it has sent on each day, and so what it may still send today."""

    def __init__(self, share: Share, reserve: Reserve) -> None:
        self.share = share
        self.sent: list[int] = []
        rates = (each for each in share.sender.held if is_rate(each))
        self._quotas = [(each, days_of(each), reserve.of(maximum_of(each), days_of(each))) for each in rates]
        self._held_back: Counter[SendLimit] = Counter()

    def send(self, wanted: int) -> int:
        """Send as much of what is wanted as today allows; return how much that is."""
        allowed, limit = min(
            ((most - self._counted(days), limit) for limit, days, most in self._quotas), key=lambda room: room[0]
        )
        if allowed < wanted:
            self._held_back[limit] += 1
        self.sent.append(max(0, min(wanted, allowed)))
        return self.sent[-1]

    def share_done(self) -> Share:
        """Return what it has done; the limit that binds is the one that held it back on most days."""
        first = min(self._quotas, key=lambda quota: quota[2])[0]
        binding = self._held_back.most_common(1)[0][0] if self._held_back else first
        return replace(self.share, per_day=tuple(self.sent), binding=binding)

    def _counted(self, days: int) -> int:
        """What counts already in the stretch of days that today is the last of."""
        first = max(0, len(self.sent) + 1 - days)
        return sum(self.sent[first:]) + (self.share.sender.sent if first == 0 else 0)


# --- what a person types ---


def parse_count(text: str, what: str, most: int, least: int = 0) -> int:
    """Take a whole number as typed ('1,200', '1 200'). Raises `InputError` with a sentence about `what`."""
    plain = re.sub(r"(?<=\d)[ ,.'](?=\d{3}\b)", "", text.strip(), flags=re.ASCII)
    if not re.fullmatch(r"\d{1,12}", plain, re.ASCII) or not least <= int(plain) <= most:
        raise InputError(phrase("{}: a number from {:,} to {:,}.", shown(what), least, most))
    return int(plain)


def parse_size(text: str) -> int:
    """Take a size as typed, '10', '2.5 MB' or '300 KB'; return bytes; empty: 0. Raises `InputError`."""
    if not text.strip():
        return 0
    found = re.fullmatch(r"(\d{1,7})(?:[.,](\d{1,6}))?\s*(mb|kb|m|k)?", text.strip().casefold(), re.ASCII)
    unit = 1_000 if found and (found[3] or "").startswith("k") else MEGABYTE
    size = 0 if found is None else int(found[1]) * unit + int((found[2] or "0").ljust(6, "0")) * unit // MEGABYTE
    if found is None or size > MOST_MEGABYTES * MEGABYTE:
        raise InputError(phrase("The size is a number of megabytes, such as 2.5, or of kilobytes, such as 300 KB."))
    return size


def parse_start(text: str, today: date) -> date:
    """Take a day as typed, 2026-11-23; empty: today. Raises `InputError`."""
    if not text.strip():
        return today
    try:
        found = parse_day(text.strip())
    except ValueError:
        found = date.min
    if not today.year - 1 <= found.year <= today.year + 50:
        raise InputError(phrase("The first day is written year-month-day, such as 2026-11-23."))
    return found


def calendar(plan: Plan) -> Iterator[tuple[date, int]]:
    """Yield each day of a plan with its number."""
    for at, number in enumerate(plan.per_day):
        yield plan.mailing.start + timedelta(days=at), number


@dataclass(frozen=True, slots=True)
class Run:
    """Days in a row on which the same number of messages goes out."""

    first: date
    days: int
    number: int


def runs(plan: Plan) -> tuple[Run, ...]:
    """Return the days of a plan, equal days in a row as one."""
    found: list[Run] = []
    for day, number in calendar(plan):
        if found and found[-1].number == number:
            found[-1] = replace(found[-1], days=found[-1].days + 1)
        else:
            found.append(Run(day, 1, number))
    return tuple(found)
