"""A provider's sending limits in one row, and in one line: the figures that a plan is made with, and the article's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.limits.catalogue_limits import rows_of
from smtp_wizard.engine.limits.limits_in_force import is_rate, is_size, limits_in_force, others
from smtp_wizard.engine.providers.limits import MEGABYTE, NOT_KNOWN, Counted, Per, SendLimit, SizeOf
from smtp_wizard.text.limits import limit_words, silence_words, table_cells

if TYPE_CHECKING:
    from collections.abc import Iterable

    from smtp_wizard.engine.providers.provider import Provider

UNKNOWN = "?"
NO_SUCH_LIMIT = "-"
LONGEST_NAME = 46


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One provider in the list."""

    id: str
    name: str
    day: str
    """Messages a day of the ordinary account, `?` where we know nothing, `-` where only other limits are."""
    hour: str
    largest: str


_IN_AN_HOUR = {
    Per.SECOND: 3_600,
    Per.MINUTE: 60,
    Per.FIVE_MINUTES: 12,
    Per.TEN_MINUTES: 6,
    Per.HALF_HOUR: 2,
    Per.HOUR: 1,
    Per.TWO_HOURS: 1 / 2,
    Per.TWELVE_HOURS: 1 / 12,
}
_LONGER = {Per.WEEK: " a week", Per.MONTH: " a month"}
_MANY = (Counted.MESSAGES, Counted.RECIPIENTS)


def limit_line(provider: Provider) -> LimitLine:
    """Return the row of a provider: what its ordinary account may send today."""
    held = limits_in_force(provider.limits, accounts=provider.accounts)
    day, hour = _day(held), _narrowest(_an_hour(held))
    name, nothing = short_name(provider), NO_SUCH_LIMIT if hour else UNKNOWN
    return LimitLine(provider.id, name, day or nothing, hour or NO_SUCH_LIMIT, _largest(held))


def _day(held: Iterable[SendLimit]) -> str:
    limits = tuple(held)
    if day := _narrowest(each.value or 0 for each in limits if each.per is Per.DAY and each.what in _MANY):
        return day
    longer = next((each for each in limits if each.per in _LONGER and each.what in _MANY), None)
    return f"{longer.value or 0:,}{_LONGER[longer.per]}" if longer is not None else ""


def _an_hour(held: Iterable[SendLimit]) -> Iterator[int]:
    for each in held:
        if each.per in _IN_AN_HOUR and each.what in _MANY:
            yield int((each.value or 0) * _IN_AN_HOUR[each.per])


def _narrowest(numbers: Iterable[int]) -> str:
    least = min(numbers, default=None)
    return "" if least is None else f"{least:,}"


def _largest(held: Iterable[SendLimit]) -> str:
    size = next((each.value or 0 for each in held if is_size(each) and not each.ceiling), 0)
    return _megabytes(size) if size else UNKNOWN


def _megabytes(size: int) -> str:
    return f"{math.floor(size / MEGABYTE * 10) / 10:g} MB"


def today_words(provider: Provider) -> str:
    """Return what the ordinary account may send today, in a sentence; and that other accounts differ."""
    found = limits_in_force(provider.limits, accounts=provider.accounts)
    held = sorted(found, key=lambda each: (not is_rate(each), list(Per).index(each.per)))
    differ = any(is_rate(each) for each in others(provider.limits, held, provider.accounts))
    to = table_cells(held)[2]
    said = ", ".join(_in_words(each, to) for each in held)
    if not said:
        return f"Today: how much may be sent {silence_words(_silence(provider))}."
    return f"Today: {said}{'; it depends on the account' if differ else ''}."


def _silence(provider: Provider) -> str:
    """Return who left the limits open: the provider, our search, or nobody has looked."""
    return next((each.figure for each in provider.limits if each.value is None), NOT_KNOWN)


def _in_words(limit: SendLimit, to: str) -> str:
    """'500 messages a day', 'each to 100-500 people', '25 MB at most'."""
    number = limit.value or 0
    match limit.what, limit.per:
        case Counted.BYTES, Per.MESSAGE if limit.ceiling:
            return f"never more than {_megabytes(number)}"
        case Counted.BYTES, Per.MESSAGE if limit.size_of is SizeOf.FILES:
            return f"files of {_megabytes(number)} at most"
        case Counted.BYTES, Per.MESSAGE:
            return f"{_megabytes(number)} at most"
        case Counted.RECIPIENTS, Per.MESSAGE:
            return f"each to {to} people"
        case _:
            return f"{limit.figure.partition(' per ')[0]} {_ONE[limit.per]}" if limit.per in _ONE else limit.figure


_ONE = {
    Per.SECOND: "a second",
    Per.MINUTE: "a minute",
    Per.HOUR: "an hour",
    Per.DAY: "a day",
    Per.WEEK: "a week",
    Per.MONTH: "a month",
    Per.CONNECTION: "a connection",
    Per.SESSION: "a session",
}


def short_name(provider: Provider, width: int = LONGEST_NAME) -> str:
    """Return a provider's name without what stands in brackets behind it, for a row or a bar."""
    return shown(provider.name.partition(" (")[0], width)


def article_words(provider: Provider) -> str:
    """Return what the old article says of a provider's limits, in short; '' where it says nothing."""
    old = [row for row in rows_of(provider) if row.limit.documented]
    if not old:
        return ""
    fast, day, to, size = (cell.removesuffix(" r") for cell in table_cells([row.limit for row in old]))
    parts = (
        day.replace("/", " a ") if "/" in day else f"{day} a day" if day else "",
        _speed(fast),
        f"to {to} people each" if to else "",
        size,
    )
    if said := ", ".join(filter(None, parts)):
        return said
    return limit_words(old[0])


def _speed(cell: str) -> str:
    number, _, unit = cell.partition("/")
    words = {"": "an hour", "30m": "every 30 minutes", "min": "a minute", "s": "a second"}
    return f"{number} {words[unit.removesuffix(' r')]}" if number else ""
