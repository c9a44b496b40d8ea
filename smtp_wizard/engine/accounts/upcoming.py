"""What is about to end for an account that works today: its way of signing in, its sign-in in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.sign_in_ending import ending_words, retirement_of
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.retirements import Notice


class UpcomingKind(StrEnum):
    """What is about to end."""

    RETIREMENT = "retirement"
    """The provider closes the way in, or has closed it."""
    SIGN_IN = "sign-in"
    """The sign-in in the browser."""


@dataclass(frozen=True, slots=True)
class Upcoming:
    """One thing that is about to end."""

    kind: UpcomingKind
    words: Shown
    """A sentence or two: what, when, what to do."""
    notice: Notice | None = None
    """Of what a provider closes: all that is known of it."""

    @property
    def key(self) -> str:
        """What is told once: that a day is named, that another one is, that it has come."""
        if self.notice is None:
            return self.kind.value
        return f"{self.kind.value}:{self.notice.date}{':past' if self.notice.past else ''}"


def upcoming_of(account: Account, catalog: Catalog, now: datetime) -> tuple[Upcoming, ...]:
    """Return what is about to end for an account, as it is known now."""
    return tuple(_upcoming(account, catalog, now))


def _upcoming(account: Account, catalog: Catalog, now: datetime) -> Iterator[Upcoming]:
    notice = retirement_of(account, catalog, now)
    if notice is not None:
        yield Upcoming(UpcomingKind.RETIREMENT, phrase("{}", shown(notice.words, 600)), notice)
    if words := ending_words(account, catalog, now):
        yield Upcoming(UpcomingKind.SIGN_IN, phrase("{}", shown(words, 600)))
