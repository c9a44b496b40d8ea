"""Sending limits across the catalogue: every row of today and of the old article, and ways on for a mailing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.limits.limits_in_force import daily_maximum, is_rate, is_size, limits_in_force, others
from smtp_wizard.engine.limits.mailing_plan import COMFORTABLE, Exclusion, Plan, Sender, plan
from smtp_wizard.engine.providers.limits import Counted, Per, SendLimit
from smtp_wizard.engine.providers.provider import (
    AccessPath,
    PathAuth,
    Provider,
    ProviderKind,
    ProviderStatus,
    ServerWords,
)

if TYPE_CHECKING:
    from smtp_wizard.engine.providers.catalog import Catalog

ARTICLE = "article"
"""The id of the old help article among the sources."""
MOST_OFFERED = 5
"""How many providers a piece of advice names."""


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit of one provider."""

    provider: Provider
    limit: SendLimit


def rows_of(provider: Provider) -> tuple[LimitRow, ...]:
    """Return every limit of a provider: today's, then the old article's.

    What the article says in words alone is a row without a figure, its words as what it applies to.
    """
    return tuple(LimitRow(provider, limit) for limit in _limits_of(provider))


def _limits_of(provider: Provider) -> Iterator[SendLimit]:
    yield from provider.limits
    if provider.documented:
        yield from provider.documented.limits
        yield from map(_only_words, _without_figures(provider.documented.limit_lines))


_DIGIT = re.compile(r"\d")


def _without_figures(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if not _DIGIT.search(line):
            yield line.removeprefix("–").strip()


def _only_words(line: str) -> SendLimit:
    return SendLimit(
        what=Counted.MESSAGES,
        per=Per.DAY,
        value=None,
        applies_to=line,
        documented=True,
        source=ARTICLE,
        as_of="undated",
        confidence=Confidence.ARTICLE,
    )


KIND_WORDS = {
    "isp": ProviderKind.ISP,
    "internet provider": ProviderKind.ISP,
    "host": ProviderKind.HOSTING,
    "web host": ProviderKind.HOSTING,
    "web hosting": ProviderKind.HOSTING,
    "hosting": ProviderKind.HOSTING,
    "free": ProviderKind.MAILBOX,
    "free email": ProviderKind.MAILBOX,
    "mailbox": ProviderKind.MAILBOX,
    "service": ProviderKind.RELAY,
    "sending service": ProviderKind.RELAY,
}
"""The kinds of the old article's three lists (ISP, web hosting, free email), and ours, by what people type for them.

Mailbox providers stand for the third: whether a mailbox is free is no fact of the catalogue, and for most it is.
"""


def matching(catalog: Catalog, query: str) -> tuple[Provider, ...]:
    """Return the providers that a query means: by name, domain or server first, then those of a kind."""
    kind = KIND_WORDS.get(" ".join(query.casefold().replace("-", " ").split()).removesuffix("s"))
    found = (*catalog.search(query, len(catalog.providers)), *(each for each in catalog.providers if each.kind is kind))
    return tuple(dict.fromkeys(found))


def listed(catalog: Catalog, query: str) -> tuple[Provider, ...]:
    """Return those of the providers that a query means which have limits, in the same order."""
    return tuple(each for each in matching(catalog, query) if any(_limits_of(each)))


class Sorting(StrEnum):
    """The orders in which rows can be listed."""

    CATALOG = "catalog"
    """Best known provider first."""
    PROVIDER = "provider"
    """By name."""
    LIMIT = "limit"
    """Who lets most messages go in a day first."""
    SIZE = "size"
    """Who takes the largest message first."""
    CHECKED = "checked"
    """The newest look first."""


def sorted_rows(providers: Sequence[Provider], sorting: Sorting) -> tuple[Provider, ...]:
    """Return the providers in another order; where they are level, they stay as they are."""
    match sorting:
        case Sorting.CATALOG:
            return tuple(providers)
        case Sorting.PROVIDER:
            return tuple(sorted(providers, key=lambda each: each.name.casefold()))
        case Sorting.LIMIT:
            return tuple(sorted(providers, key=lambda each: -(daily_maximum(each.limits, accounts=each.accounts) or 0)))
        case Sorting.SIZE:
            return tuple(sorted(providers, key=lambda each: -largest(each)))
        case Sorting.CHECKED:
            return tuple(sorted(providers, key=lambda each: each.checked, reverse=True))


def largest(provider: Provider) -> int:
    """Return the bytes of the largest message that an ordinary account takes; 0 where that is not known."""
    held = limits_in_force(provider.limits, accounts=provider.accounts)
    return max((each.value or 0 for each in held if is_size(each) and not each.ceiling), default=0)


# --- when it does not fit ---


class MailingRemedy(StrEnum):
    """What can be done when a mailing does not fit. The last four are the old article's, in its order."""

    SMALLER = "smaller"
    """Send a link in place of the file."""
    KEEP_LESS = "keep-less"
    """Keep less of the limit free."""
    ASK = "ask"
    """Ask the provider for an account with a higher limit."""
    PROVIDER = "provider"
    """Move to a provider whose limit fits."""
    SERVER = "server"
    """Run an own server."""
    SERVICE = "service"
    """Send the mailing through a service for mailings."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A provider that could take a whole mailing."""

    provider: Provider
    days: int


@dataclass(frozen=True, slots=True)
class LimitAdvice:
    """One way on."""

    way: MailingRemedy
    fits: tuple[Fit, ...] = ()
    """The providers of the catalogue with which it would fit, the smallest change first."""
    figures: tuple[SendLimit, ...] = ()
    """Higher figures that the present provider states for other accounts."""


def advice(made: Plan, catalog: Catalog) -> tuple[LimitAdvice, ...]:
    """Return the ways on for a mailing, cheapest first; none where it fits."""
    if made.fits:
        return ()
    troubles = {share.exclusion for share in made.shares}
    ways = [LimitAdvice(MailingRemedy.SMALLER)] if Exclusion.TOO_LARGE in troubles else []
    ways += [LimitAdvice(MailingRemedy.KEEP_LESS)] if Exclusion.NOTHING_LEFT in troubles else []
    ways += [LimitAdvice(MailingRemedy.ASK, figures=_higher(made))] if _can_be_asked(made, catalog) else []
    return (
        *ways,
        LimitAdvice(
            MailingRemedy.PROVIDER,
            _fitting(made, catalog, (ProviderKind.MAILBOX, ProviderKind.HOSTING, ProviderKind.ISP)),
        ),
        LimitAdvice(MailingRemedy.SERVER),
        LimitAdvice(MailingRemedy.SERVICE, _fitting(made, catalog, (ProviderKind.RELAY,))),
    )


def _can_be_asked(made: Plan, catalog: Catalog) -> bool:
    """Whether any of the providers lets programs send, so that it may have an account with a higher limit."""
    providers = (catalog.get(share.sender.name) for share in made.shares)
    return any(provider is not None and access_to(provider) is not PasswordAccess.CLOSED for provider in providers)


MOST_ELSEWHERE = 3
"""Mailbox providers, beside one sending service, with which the same mailing is shown."""


def elsewhere(made: Plan, catalog: Catalog) -> tuple[Fit, ...]:
    """Return how long the same mailing takes with others, the quickest first: well-known mailboxes, and one service.

    Only with whom an application with a password can begin, and who is done within a month.
    """
    mailboxes = _fitting(made, catalog, (ProviderKind.MAILBOX,), MOST_ELSEWHERE)
    service = _fitting(made, catalog, (ProviderKind.RELAY,), 1)
    return tuple(sorted((*mailboxes, *service), key=lambda fit: fit.days))


def _higher(made: Plan) -> tuple[SendLimit, ...]:
    """The figures of the same providers, for other accounts, that are above those planned with."""
    found: dict[SendLimit, None] = {}
    for share in made.shares:
        held = share.sender.held
        now = {(limit.what, limit.per): limit.value or 0 for limit in held}
        different = others(share.sender.limits, held, share.sender.accounts)
        more = (each for each in different if (each.value or 0) > now.get((each.what, each.per), math.inf))
        found |= dict.fromkeys(each for each in more if is_rate(each) or each.what is Counted.BYTES)
    return tuple(found)


def _fitting(made: Plan, catalog: Catalog, kinds: Sequence[ProviderKind], most: int = MOST_OFFERED) -> tuple[Fit, ...]:
    """The providers of these kinds that could take the whole mailing: a mailbox first, the best known first."""
    present = {share.sender.name for share in made.shares}
    known = (each for each in catalog.providers if each.kind in kinds and each.id not in present)
    wanted = (each for each in known if access_to(each) is PasswordAccess.OPEN and not each.no_mailings)
    found: list[Fit] = []
    for provider in sorted(wanted, key=lambda each: kinds.index(each.kind)):
        if made.mailing.size and not largest(provider):
            continue  # nobody knows whether it takes a message of this size
        if len(found) == most:
            break
        days = plan(made.mailing, [sender_of(provider)], longest=COMFORTABLE).days
        found += [Fit(provider, days)] if days is not None else []
    return tuple(found)


# --- who gets in ---


class PasswordAccess(StrEnum):
    """Whether an application that takes a password gets into a provider, as the catalogue has it."""

    OPEN = "open"
    UNCONFIRMED = "unconfirmed"
    """Nobody could find out how the provider stands today."""
    DISPUTED = "disputed"
    """Sources contradict each other about every way in."""
    MOVED = "moved"
    """Somebody else runs the mailboxes, or will."""
    CLOSING = "closing"
    """Every way in ends, or the provider does."""
    CLOSED = "closed"
    """There is none."""


_BY_STATUS = {
    ProviderStatus.UNKNOWN: PasswordAccess.UNCONFIRMED,
    ProviderStatus.MIGRATING: PasswordAccess.MOVED,
    ProviderStatus.MIGRATED: PasswordAccess.MOVED,
    ProviderStatus.RETIRING: PasswordAccess.CLOSING,
    ProviderStatus.RETIRED: PasswordAccess.CLOSED,
    ProviderStatus.NO_SMTP: PasswordAccess.CLOSED,
}


def access_to(provider: Provider) -> PasswordAccess:
    """Say whether an application that takes a password can begin at a provider: only where this is OPEN is it proposed.

    Where several things stand in the way, the worst is named.
    """
    paths = ways_in(provider)
    found = [_BY_STATUS.get(provider.status, PasswordAccess.OPEN)]
    if not paths:
        found.append(PasswordAccess.CLOSED)
    elif all(path.retired_on for path in paths):
        found.append(PasswordAccess.CLOSING)
    elif all(path.disputed or path.retired_on for path in paths):
        found.append(PasswordAccess.DISPUTED)
    return max(found, key=list(PasswordAccess).index)


def ways_in(provider: Provider) -> tuple[AccessPath, ...]:
    """Return the ways into a provider that an application with a password can go."""
    return tuple(path for path in provider.paths if not path.closed and path.auth is not PathAuth.OAUTH2)


# --- when it is reached ---


def refusals(provider: Provider) -> tuple[ServerWords, ...]:
    """Return the replies by which this provider says that a sending limit is reached."""
    return tuple(each for each in provider.errors if re.search(r"\b(limit|quota)", each.words.casefold()))


def can_send(provider: Provider) -> bool:
    """Whether any program may send through a provider: where none may, its limits are of no use for a plan."""
    return provider.kind is not ProviderKind.NO_SMTP


def sender_of(provider: Provider, sent: int = 0, chosen: str = "") -> Sender:
    """Return an account of a provider as the planner takes it."""
    limits = provider.limits if can_send(provider) else ()
    return Sender(name=provider.id, limits=limits, sent=sent, chosen=chosen, accounts=provider.accounts)
