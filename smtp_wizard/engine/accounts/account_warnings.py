"""What is about to end for an account that works today: its way of signing in, its sign-in in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.sign_in_expiry import ending_words, retirement_of
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.retirements import RetirementNotice


class AccountWarningKind(StrEnum):
    """What is about to end."""

    RETIREMENT = "retirement"
    """The provider closes the way in, or has closed it."""
    SIGN_IN = "sign-in"
    """The sign-in in the browser."""


@dataclass(frozen=True, slots=True)
class AccountWarning:
    """One thing that is about to end."""

    kind: AccountWarningKind
    words: Shown
    """A sentence or two: what, when, what to do."""
    notice: RetirementNotice | None = None
    """Of what a provider closes: all that is known of it."""

    @property
    def key(self) -> str:
        """What is told once: that a day is named, that another one is, that it has come."""
        if self.notice is None:
            return self.kind.value
        return f"{self.kind.value}:{self.notice.date}{':past' if self.notice.past else ''}"


def account_warnings_of(account: Account, catalog: Catalog, now: datetime) -> tuple[AccountWarning, ...]:
    """Return what is about to end for an account, as it is known now."""
    return tuple(_warnings(account, catalog, now))


def _warnings(account: Account, catalog: Catalog, now: datetime) -> Iterator[AccountWarning]:
    notice = retirement_of(account, catalog, now)
    if notice is not None:
        yield AccountWarning(AccountWarningKind.RETIREMENT, phrase("{}", shown(notice.words, 600)), notice)
    if words := ending_words(account, catalog, now):
        yield AccountWarning(AccountWarningKind.SIGN_IN, phrase("{}", shown(words, 600)))
