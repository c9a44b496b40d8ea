"""Which sending limits hold for an account: those of one kind of account, one figure for each thing counted.

Pure arithmetic over `SendLimit` and `AccountKind`, without a file or a provider's name. Figures of the old article and
of the past never hold.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from smtp_wizard.engine.providers.limits import AccountKind, Counted, Per, SendLimit, SizeOf

DAY_SECONDS = 86_400
SHORT = {
    Per.SECOND: 1,
    Per.MINUTE: 60,
    Per.FIVE_MINUTES: 300,
    Per.TEN_MINUTES: 600,
    Per.HALF_HOUR: 1_800,
    Per.HOUR: 3_600,
    Per.TWO_HOURS: 7_200,
    Per.TWELVE_HOURS: 43_200,
}
"""Seconds of the stretches that bound how fast messages may follow each other."""
LONG = {Per.DAY: 1, Per.WEEK: 7, Per.MONTH: 30}
"""Days of the other stretches of time."""
_RATES = (Counted.MESSAGES, Counted.RECIPIENTS)


def account_meant(
    accounts: Sequence[AccountKind], limits: Sequence[SendLimit] = (), chosen: str = ""
) -> AccountKind | None:
    """Return the kind of account that is planned with: one that has the chosen words, the ordinary one of them.

    The words may stand in its name, or in what one of its limits applies to. Without any of them, the ordinary one of
    those from which a mailing can leave. None: the provider has one kind.
    """
    own = {each.id: [limit for limit in limits if each.id in limit.accounts] for each in accounts} if chosen else {}
    named = [each for each in accounts if chosen and _has_words(each.name, chosen)]
    meant = named or [each for each in accounts if any(matches_words(limit, chosen) for limit in own.get(each.id, ()))]
    able = [each for each in meant or accounts if not each.barred]
    return next(iter(able or meant or accounts), None)


def limits_in_force(
    limits: Iterable[SendLimit], chosen: str = "", accounts: Sequence[AccountKind] = ()
) -> tuple[SendLimit, ...]:
    """Return the figures that hold today for one account, at most one for each thing counted over each stretch.

    Those of other kinds of account are left out. Where several remain for the same, they are for different cases: those
    whose `applies_to` has the `chosen` words hold, the lowest of them; without any the first does, which in the
    catalogue is the ordinary case. The most that anybody can be allowed only holds where nothing else is known.
    """
    known = tuple(limits)
    account = account_meant(accounts, known, chosen)
    groups: dict[tuple[Counted, Per, SizeOf | None], list[SendLimit]] = {}
    for limit in known:
        if _is_of_today(limit) and _is_for(limit, account):
            groups.setdefault((limit.what, limit.per, limit.size_of), []).append(limit)
    return tuple(_holds(group, chosen) for group in groups.values())


def _is_of_today(limit: SendLimit) -> bool:
    return limit.value is not None and not limit.documented and not limit.historical


def _is_for(limit: SendLimit, account: AccountKind | None) -> bool:
    return not limit.accounts or (account is not None and account.id in limit.accounts)


def _holds(group: Sequence[SendLimit], chosen: str) -> SendLimit:
    meant = [limit for limit in group if chosen and matches_words(limit, chosen)]
    if meant:
        return min(meant, key=lambda limit: limit.value or 0)
    return min(group, key=lambda limit: limit.ceiling)  # the first, but the most that anybody can have comes last


def matches_words(limit: SendLimit, words: str) -> bool:
    """Does what the limit applies to have all of these words?"""
    return _has_words(limit.applies_to, words)


def _has_words(text: str, words: str) -> bool:
    return all(word in text.casefold() for word in words.casefold().split())


def scopes(limits: Iterable[SendLimit], accounts: Iterable[AccountKind] = ()) -> tuple[str, ...]:
    """Return whom the figures of today are for, as a person can choose it: kinds of account, then cases."""
    cases = (limit.applies_to for limit in limits if _is_of_today(limit) and not limit.accounts)
    return tuple(dict.fromkeys(filter(None, (*(each.name for each in accounts), *cases))))


def can_be_chosen(words: str, limits: Iterable[SendLimit], accounts: Iterable[AccountKind] = ()) -> bool:
    """Do these words belong to a kind of account, or to what a figure of today applies to?"""
    texts = (*(each.name for each in accounts), *(limit.applies_to for limit in limits if not limit.historical))
    return any(_has_words(text, words) for text in texts)


def others(
    limits: Iterable[SendLimit], held: Sequence[SendLimit], accounts: Iterable[AccountKind] = ()
) -> tuple[SendLimit, ...]:
    """Return the figures of today for other accounts or cases than those that hold.

    Of a case only where a figure of its kind holds; of an account only where a mailing can leave from it.
    """
    kinds = {(limit.what, limit.per) for limit in held}
    barred = {each.id for each in accounts if each.barred}
    left = (limit for limit in limits if _is_of_today(limit) and limit not in held)
    return tuple(
        limit
        for limit in left
        if (not barred.issuperset(limit.accounts) if limit.accounts else (limit.what, limit.per) in kinds)
    )


def is_rate(limit: SendLimit) -> bool:
    """Does a limit say how many messages or recipients there may be over a stretch of time?"""
    return limit.what in _RATES and (limit.per in SHORT or limit.per in LONG)


def days_of(limit: SendLimit) -> int:
    """Return the days that a limit on time is held over: a shorter stretch bounds one day."""
    return LONG.get(limit.per, 1)


def maximum_of(limit: SendLimit) -> int:
    """Return how much a limit on time allows in the days that it is held over."""
    return (limit.value or 0) * (DAY_SECONDS // SHORT[limit.per] if limit.per in SHORT else 1)


def daily_maximum(limits: Iterable[SendLimit], chosen: str = "", accounts: Sequence[AccountKind] = ()) -> float | None:
    """Return how many messages an account may send a day on the average; None where that is not known."""
    return daily_of(limits_in_force(limits, chosen, accounts))


def daily_of(held: Iterable[SendLimit]) -> float | None:
    """Return how many messages a day figures that hold together allow on the average; None where none is on time."""
    return min((maximum_of(limit) / days_of(limit) for limit in held if is_rate(limit)), default=None)


def most_of_a_mailing(limit: SendLimit) -> float:
    """Return to how many people one mailing may go by this limit; infinity where it is about something else."""
    return limit.value or 0 if limit.per is Per.MAILING else math.inf


def is_size(limit: SendLimit) -> bool:
    """Does a limit say how large a message may be?"""
    return (limit.what, limit.per) == (Counted.BYTES, Per.MESSAGE)
